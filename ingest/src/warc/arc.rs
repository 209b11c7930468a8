//! ARC (Internet Archive, versions 1.0 and 1.1): the line before each document.
//!
//! Version 1: `URL IP date type length`; version 2: `URL IP date type status checksum location
//! offset filename length`. URLs may hold spaces, so that a line is read from its end.

use super::Header;

/// How an ARC file begins.
pub(super) const ARC_MAGIC: &[u8] = b"filedesc:";
/// Bytes of a line.
pub(super) const LINE_BYTES_MAX: usize = 16 << 10;
/// Digits of a date, from those with minutes to those with seconds.
const DATE_DIGITS: std::ops::RangeInclusive<usize> = 12..=14;

/// Reads a document's line as the header of a WARC record; none where it is something else.
///
/// `begins_http` tells whether the document is a response of HTTP, head and all: other
/// protocols leave the body alone.
pub(super) fn header(line: &[u8], begins_http: bool) -> Option<Header> {
    let line = std::str::from_utf8(line.get(..line.len().min(LINE_BYTES_MAX))?).ok()?;
    let fields: Vec<&str> = line.trim_end_matches(['\r', '\n']).split(' ').collect();
    let count = fields.len();
    let is_date =
        |field: &&str| DATE_DIGITS.contains(&field.len()) && field.bytes().all(|b| b.is_ascii_digit());
    // From the date to the end there are three fields, or eight.
    let place =
        [3, 8].iter().filter_map(|back| count.checked_sub(*back)).find(|place| is_date(&fields[*place]))?;
    let url = fields.get(..place.checked_sub(1)?)?.join(" ");
    let scheme = url.split_once(':')?.0;
    if scheme.is_empty() || !scheme.bytes().all(|b| b.is_ascii_alphanumeric() || b"+-.".contains(&b)) {
        return None;
    }
    let length: u64 = fields.last()?.parse().ok()?;
    let (kind, mime) = match (scheme, begins_http) {
        ("filedesc", _) => ("warcinfo", "text/plain"),
        (_, true) => ("response", "application/http; msgtype=response"),
        (_, false) => ("resource", fields[place + 1]),
    };
    Some(Header::of(
        [
            ("warc-type", kind.to_owned()),
            ("warc-target-uri", url),
            ("warc-date", date(fields[place])),
            ("content-type", mime.to_owned()),
            ("content-length", length.to_string()),
        ],
        length,
    ))
}

/// Writes `20080430204826` as WARC does: `2008-04-30T20:48:26Z`.
fn date(digits: &str) -> String {
    let part = |begin: usize| digits.get(begin..begin + 2).unwrap_or("00");
    let year = digits.get(..4).unwrap_or("0000");
    format!("{year}-{}-{}T{}:{}:{}Z", part(4), part(6), part(8), part(10), part(12))
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn lines_of_both_versions_are_read_from_their_end() {
        let one = header(b"http://h/a b 1.2.3.4 20080430204826 text/html 17\n", true).unwrap();
        assert_eq!((one.target(), one.content_length), (Some("http://h/a b"), 17));
        assert_eq!(one.get("warc-date"), Some("2008-04-30T20:48:26Z"));
        assert_eq!(one.get("warc-type"), Some("response"));
        let two = header(b"http://h/ 1.2.3.4 200804302048 text/html 200 - - 0 f.arc 5", false).unwrap();
        assert_eq!((two.get("warc-type"), two.get("content-type")), (Some("resource"), Some("text/html")));
        assert_eq!((two.content_length, two.get("warc-date")), (5, Some("2008-04-30T20:48:00Z")));
    }

    #[test]
    fn other_lines_are_not_taken_for_one() {
        for line in [
            "",
            "GET / HTTP/1.1",
            "a b c d e",
            "http://h/ 1.2.3.4 20080430204826 text/html x",
            "20080430204826 a 1",
        ] {
            assert_eq!(header(line.as_bytes(), true), None, "{line}");
        }
    }
}
