//! Records in one line: `{..}{..}`, with white space between them or none, with carriage returns as line ends, or
//! behind record separators (RFC 7464).
//!
//! A line that is one object is one record, whatever its texts hold. Elsewhere a record ends with its object; one that
//! goes wrong ends where the next may begin, so that it costs no other.

use super::fields::object_end;

/// What stands before every record of a JSON text sequence.
pub(super) const RECORD_SEPARATOR: u8 = 0x1e;
/// How often a line is looked through at most; what is left then is cut wherever a record may begin.
const LOOKS_MAX: usize = 8;

/// Returns true if a line may hold more than one record, or has separators around the one that it holds.
pub(super) fn may_be_many(line: &[u8]) -> bool {
    let is_separated = |edge: Option<&u8>| edge == Some(&RECORD_SEPARATOR);
    is_separated(line.first()) || is_separated(line.last()) || begins(line).next().is_some()
}

/// Returns the records of a line, without what separates them. Of a line that goes on the last is the one of which it
/// is not known where it ends.
pub(super) fn records(line: &[u8], goes_on: bool) -> Vec<&[u8]> {
    let mut begin = line.iter().take_while(|byte| is_between(**byte)).count();
    let mut begins = begins(line).peekable();
    let mut records = Vec::new();
    let mut left = LOOKS_MAX * line.len();
    loop {
        let rest = &line[begin..];
        let end = if left >= rest.len() { object_end(rest) } else { Err(0) };
        left = left.saturating_sub(end.unwrap_or_else(|at| at));
        let is_cut_off = goes_on && end == Err(rest.len());
        let behind = begin + end.unwrap_or(1);
        while begins.next_if(|next| *next < behind).is_some() {}
        match begins.next().filter(|_| !is_cut_off) {
            Some(next) => {
                records.push(trimmed(&line[begin..next]));
                begin = next;
            }
            None if goes_on => {
                records.push(rest);
                return records;
            }
            None => {
                records.push(trimmed(rest));
                return records;
            }
        }
    }
}

/// Returns where records may begin behind the first: behind the end of an object, of a line or of a sequence's record.
fn begins(line: &[u8]) -> impl Iterator<Item = usize> {
    memchr::memchr_iter(b'{', line).filter(|at| {
        let before = &line[..*at];
        let Some(last) = before.iter().rposition(|byte| !is_between(*byte)) else { return false };
        before[last] == b'}' || before[last + 1..].iter().any(|byte| b"\r\n\x1e".contains(byte))
    })
}

/// Returns true for what separates records.
fn is_between(byte: u8) -> bool {
    byte.is_ascii_whitespace() || byte == RECORD_SEPARATOR
}

fn trimmed(record: &[u8]) -> &[u8] {
    let length = record.iter().rposition(|byte| !is_between(*byte)).map_or(0, |last| last + 1);
    &record[..length]
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn cut(line: &str) -> Vec<String> {
        let records = records(line.as_bytes(), false).into_iter();
        records.map(|record| String::from_utf8_lossy(record).into_owned()).collect()
    }

    #[test]
    fn objects_in_one_line_are_records() {
        for between in ["", " ", "\t ", "\r", "\r\r", "\x1e", " \x1e", "\r\n", "\n\x1e"] {
            let line = ["{\"a\":1}", "{\"b\":{\"c\":[{}, {}]}}", "{}"].join(between);
            assert_eq!(cut(&line), ["{\"a\":1}", "{\"b\":{\"c\":[{}, {}]}}", "{}"], "{between:?}");
            assert!(may_be_many(&line.into_bytes()));
        }
        assert_eq!(cut("\x1e{\"a\":1} "), ["{\"a\":1}"]);
        assert!(may_be_many(b"\x1e{\"a\":1}") && may_be_many(b"{\"a\":1}\x1e"));
    }

    #[test]
    fn a_line_that_is_one_object_is_one_record() {
        for line in [
            "{\"a\":\"\\\\frac{x}{y} } {\\\"}{\"}",
            "{\"a\":[\r{\"b\":1},\r{\"c\":2}]}",
            "{\"a\":\"x\r{y\"}",
            "{\"a\":{\"b\":{}}, \"c\":{}}",
            "[{\"a\":1}, {\"b\":2}]",
            "no object",
            "",
        ] {
            assert_eq!(cut(line), [line]);
        }
        assert!(!may_be_many(b"{\"a\":{\"b\":{}}, \"c\":[{}, {}]}") && !may_be_many(b"[{}, {}]"));
    }

    #[test]
    fn a_broken_record_costs_no_other() {
        for (line, expected) in [
            ("{\"a\":1\r{\"b\":2}\r{\"c\":3}", ["{\"a\":1", "{\"b\":2}", "{\"c\":3}"]),
            ("{\"a\":\"x\r{\"b\":2}\r{\"c\":3}", ["{\"a\":\"x", "{\"b\":2}", "{\"c\":3}"]),
            ("{\"b\":2}{\"a\":\"x}{\"c\":\"}{\"}", ["{\"b\":2}", "{\"a\":\"x}", "{\"c\":\"}{\"}"]),
            ("{\"b\":2} x {\"a\":1}\r{\"c\":3}{}", ["{\"b\":2} x {\"a\":1}", "{\"c\":3}", "{}"]),
            ("\x1e{\"a\":[1,\n\x1e{\"b\":2}\n\x1e{}", ["{\"a\":[1,", "{\"b\":2}", "{}"]),
            ("no object\r{\"b\":2}\r{}", ["no object", "{\"b\":2}", "{}"]),
        ] {
            assert_eq!(cut(line), expected, "{line:?}");
        }
    }

    #[test]
    fn the_end_of_a_line_that_goes_on_is_kept_for_what_follows() {
        let open = |line: &str| -> Vec<String> {
            let records = records(line.as_bytes(), true).into_iter();
            records.map(|record| String::from_utf8_lossy(record).into_owned()).collect()
        };
        assert_eq!(open("{\"a\":1}{\"b\":\"}{"), ["{\"a\":1}", "{\"b\":\"}{"]);
        assert_eq!(open("{\"a\":1}\r{\"b\":2} "), ["{\"a\":1}", "{\"b\":2} "]);
        assert_eq!(open("{\"a\":\"}{x"), ["{\"a\":\"}{x"]);
        assert_eq!(open("{\"a\":1 x}{\"b\":2"), ["{\"a\":1 x}", "{\"b\":2"]);
    }

    #[test]
    fn lines_that_are_all_wrong_take_linear_time() {
        for record in ["{\"a\":\"\r", "{\"a\":[\r", "{\"a\":{}{", "}{", "\r{"] {
            let line = record.repeat((4 << 20) / record.len());
            assert!(records(line.as_bytes(), false).len() >= (1 << 20) / record.len(), "{record:?}");
        }
    }

    proptest! {
        #[test]
        fn nothing_is_lost_and_any_line_ends(line in "[{}\"a:,\\\\ \r\n\x1e]{0,60}", goes_on: bool) {
            let count = |text: &[u8]| text.iter().filter(|byte| !is_between(**byte)).count();
            let found = records(line.as_bytes(), goes_on);
            prop_assert_eq!(found.iter().map(|record| count(record)).sum::<usize>(), count(line.as_bytes()));
        }
    }
}
