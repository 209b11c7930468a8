//! Braces: one pattern stands for many file names, as in a shell.

/// Names one pattern may stand for.
pub const NAMES_MAX: usize = 1 << 20;

/// Expands `{00..29}` to numbers of that width and `{a,b}` to alternatives; braces do not nest.
///
/// The order is that of a shell: the last pair of braces varies fastest.
///
/// # Errors
/// When a brace is not closed, holds neither form, or the names are too many.
pub fn expand(pattern: &str) -> Result<Vec<String>, String> {
    let mut names = vec![String::new()];
    let mut rest = pattern;
    while let Some((literal, after)) = rest.split_once('{') {
        let Some((body, tail)) = after.split_once('}') else {
            return Err(format!("{pattern:?} has a brace that is not closed"));
        };
        let alternatives = alternatives(body)
            .ok_or_else(|| format!("{pattern:?}: {{{body}}} is neither a range nor a list"))?;
        if names.len().saturating_mul(alternatives.len()) > NAMES_MAX {
            return Err(format!("{pattern:?} stands for more than {NAMES_MAX} names"));
        }
        names = names
            .iter()
            .flat_map(|name| alternatives.iter().map(move |a| format!("{name}{literal}{a}")))
            .collect();
        rest = tail;
    }
    for name in &mut names {
        name.push_str(rest);
    }
    Ok(names)
}

fn alternatives(body: &str) -> Option<Vec<String>> {
    if body.contains(',') {
        return Some(body.split(',').map(str::to_owned).collect());
    }
    let (first, last) = body.split_once("..")?;
    let (low, high): (usize, usize) = (first.parse().ok()?, last.parse().ok()?);
    if high < low || high - low >= NAMES_MAX {
        return None;
    }
    // As in a shell, a leading zero asks for equal widths.
    let pads = [first, last].iter().any(|n| n.len() > 1 && n.starts_with('0'));
    let width = if pads { first.len().max(last.len()) } else { 0 };
    Some((low..=high).map(|number| format!("{number:0width$}")).collect())
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn ranges_keep_their_width_and_lists_their_order() {
        assert_eq!(expand("a").unwrap(), ["a"]);
        assert_eq!(expand("{08..10}.zst").unwrap(), ["08.zst", "09.zst", "10.zst"]);
        assert_eq!(expand("{8..10}").unwrap(), ["8", "9", "10"]);
        assert_eq!(expand("{b,a}-{0..1}x").unwrap(), ["b-0x", "b-1x", "a-0x", "a-1x"]);
        let parts = expand("part-{00000..00127}-c000").unwrap();
        assert_eq!((parts.len(), parts[127].as_str()), (128, "part-00127-c000"));
    }

    #[test]
    fn nonsense_is_refused_and_never_explodes() {
        for pattern in ["{a", "{}", "{a}", "{3..1}", "{0..99999999999999999999}", "{0..99999999}"] {
            assert!(expand(pattern).is_err(), "{pattern}");
        }
        assert!(expand("{0..9999}{0..9999}").is_err());
    }
}
