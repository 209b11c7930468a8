//! Numbers as text: the same, whichever format holds them.
//!
//! An integer is its digits, however many. Any other number is the shortest decimal that reads as the same float of 64
//! bits, without an exponent and, where it is whole, without a fraction: `1.0`, `1.00` and `1e0` are `1`. What no such
//! float holds, because it is too large or has more digits than any float, stays as it stands, without zeros at its end.

/// Significant digits of the longest floats.
const FLOAT_DIGITS_MAX: usize = 17;

/// Returns a number that is written in digits as text.
pub(crate) fn text(digits: String) -> String {
    if !digits.contains(['.', 'e', 'E']) {
        return digits;
    }
    exact(&digits).or_else(|| of_float(digits.parse().ok()?)).unwrap_or(digits)
}

/// Returns a decimal that has more digits than a float, without zeros at its end.
fn exact(number: &str) -> Option<String> {
    let (whole, fraction) = number.split_once('.')?;
    let is_decimal = fraction.bytes().all(|byte| byte.is_ascii_digit());
    let fraction = fraction.trim_end_matches('0');
    let significant = whole.trim_start_matches(['-', '0']).len() + fraction.len();
    let is_exact = is_decimal && !fraction.is_empty() && significant > FLOAT_DIGITS_MAX;
    is_exact.then(|| format!("{whole}.{fraction}"))
}

/// Returns a float as text; none where it is no number.
pub(super) fn of_float(number: f64) -> Option<String> {
    // A zero has no sign.
    number.is_finite().then(|| if number == 0.0 { "0".to_owned() } else { number.to_string() })
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn integers_keep_their_digits_and_floats_are_the_shortest() {
        for (digits, expected) in [
            ("1", "1"),
            ("-0012", "-0012"),
            ("340282366920938463463374607431768211456", "340282366920938463463374607431768211456"),
            ("1.0", "1"),
            ("-0.0", "0"),
            ("1.50", "1.5"),
            ("1e3", "1000"),
            ("1E+16", "10000000000000000"),
            ("0.10000000000000001", "0.1"),
            ("2.5e-3", "0.0025"),
            ("1e400", "1e400"),
            ("12345678901234567890.50", "12345678901234567890.5"),
            ("-12345678901234567.25", "-12345678901234567.25"),
            ("1234567890123456789.0", "1234567890123456800"),
            ("1.2.3", "1.2.3"),
        ] {
            assert_eq!(text(digits.to_owned()), expected);
        }
        assert_eq!((of_float(f64::NAN), of_float(f64::INFINITY)), (None, None));
    }

    proptest! {
        #[test]
        fn a_float_reads_as_what_it_was(number in proptest::num::f64::NORMAL) {
            let text = of_float(number).unwrap_or_default();
            prop_assert_eq!(text.parse::<f64>(), Ok(number));
            prop_assert!(!text.contains(['e', 'E']) && !text.ends_with(".0"));
        }
    }
}
