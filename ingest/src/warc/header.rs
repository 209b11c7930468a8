//! The header of a record: its named fields.

use super::format::WARC_MAGIC;
use crate::packed::is_packed;

/// Fields of one record; real ones have about twenty.
const FIELDS_MAX: usize = 256;

/// The named fields of a WARC record.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Header {
    fields: Vec<(String, String)>,
    /// Bytes of the block that follows.
    pub content_length: u64,
}

impl Header {
    /// Parses the lines of a header, the version line first.
    ///
    /// Lenient where crawlers are: a line without a colon is passed over, a line that begins
    /// with white space continues the one before, bytes that are not UTF-8 are replaced.
    ///
    /// # Errors
    /// What makes the record unreadable: no version line, or no valid `Content-Length`.
    pub fn parse(bytes: &[u8]) -> Result<Self, String> {
        let text = String::from_utf8_lossy(bytes);
        let mut lines = text.lines();
        let version = lines.next().unwrap_or_default();
        if !begins_with_magic(version.as_bytes()) {
            let is_twice = is_packed(bytes);
            let what = if is_twice { "compressed twice: decompress it once" } else { "no version line" };
            return Err(what.to_owned());
        }
        let mut fields: Vec<(String, String)> = Vec::new();
        for line in lines.filter(|line| !line.trim().is_empty()) {
            if line.starts_with([' ', '\t']) {
                if let Some((_, value)) = fields.last_mut() {
                    if !value.is_empty() {
                        value.push(' ');
                    }
                    value.push_str(line.trim());
                }
            } else if let Some((name, value)) = line.split_once(':') {
                if fields.len() == FIELDS_MAX {
                    return Err(format!("more than {FIELDS_MAX} fields"));
                }
                fields.push((name.trim().to_ascii_lowercase(), value.trim().to_owned()));
            }
        }
        let mut header = Self { fields, content_length: 0 };
        let length = header.get("content-length").ok_or("no Content-Length")?;
        header.content_length = length.parse().map_err(|_| format!("Content-Length is {length:?}"))?;
        Ok(header)
    }

    /// Makes a header of fields.
    pub(super) fn of(fields: [(&str, String); 5], content_length: u64) -> Self {
        let fields = fields.map(|(name, value)| (name.to_owned(), value));
        Self { fields: fields.into(), content_length }
    }

    /// Returns a field's first value by its lower-case name.
    pub fn get(&self, name: &str) -> Option<&str> {
        let field = self.fields.iter().find(|(known, _)| known == name);
        field.map(|(_, value)| value.as_str())
    }

    /// Returns the target URL; some writers put it between angle brackets (WARC/1.0).
    pub fn target(&self) -> Option<&str> {
        let target = self.get("warc-target-uri")?;
        let inner = target.strip_prefix('<').and_then(|uri| uri.strip_suffix('>'));
        Some(inner.unwrap_or(target))
    }

    /// Returns what the record is.
    pub fn kind(&self) -> RecordKind {
        let kind = self.get("warc-type").unwrap_or_default();
        let kinds = [
            ("response", RecordKind::Response),
            ("resource", RecordKind::Resource),
            ("conversion", RecordKind::Conversion),
            ("revisit", RecordKind::Revisit),
        ];
        let known = kinds.iter().find(|(name, _)| name.eq_ignore_ascii_case(kind));
        known.map_or(RecordKind::Other, |(_, kind)| *kind)
    }

    /// Returns true if and only if the writer cut the block, and says so.
    pub fn is_truncated(&self) -> bool {
        self.get("warc-truncated").is_some()
    }
}

/// What a record is, as far as it matters for its text (ISO 28500, 6.3).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RecordKind {
    /// A server's response, with the head of its protocol.
    Response,
    /// A body by itself.
    Resource,
    /// What was made of another record: in WET files its text.
    Conversion,
    /// A response that was the same at another visit, without its body.
    Revisit,
    /// A request, metadata, or anything else without text.
    Other,
}

/// Returns true if and only if a line begins as a record does; some writers use small letters.
pub(super) fn begins_with_magic(line: &[u8]) -> bool {
    line.get(..WARC_MAGIC.len()).is_some_and(|head| head.eq_ignore_ascii_case(WARC_MAGIC))
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    fn parse(fields: &str) -> Result<Header, String> {
        Header::parse(format!("WARC/1.0\r\n{fields}\r\n\r\n").as_bytes())
    }

    #[test]
    fn names_are_found_in_any_case_and_the_first_of_two_counts() {
        let header =
            parse("warc-TYPE:response\r\nCONTENT-LENGTH: 7 \r\nContent-Length: 9\r\nWARC-Type: request")
                .unwrap();
        assert_eq!((header.kind(), header.content_length), (RecordKind::Response, 7));
        assert_eq!(header.get("content-length"), Some("7"));
        assert_eq!(header.get("Content-Length"), None, "names are asked for in lower case");
        assert_eq!(parse("Content-Length: 1\r\nWARC-Type: RESOURCE").unwrap().kind(), RecordKind::Resource);
    }

    #[test]
    fn a_line_that_begins_with_white_space_goes_on() {
        let header =
            parse("Content-Length: 1\r\nWARC-Target-URI:\r\n <http://h/a\r\n\tb>\r\nnonsense\r\nX: y")
                .unwrap();
        assert_eq!(header.target(), Some("http://h/a b"));
        assert_eq!(header.get("x"), Some("y"));
        assert_eq!(parse(" folded into nothing\r\nContent-Length: 1").unwrap().content_length, 1);
    }

    #[test]
    fn a_record_that_was_cut_says_so() {
        assert!(parse("Content-Length: 1\r\nWARC-Truncated: length").unwrap().is_truncated());
        assert!(parse("Content-Length: 1\r\nwarc-truncated: time").unwrap().is_truncated());
        assert!(!parse("Content-Length: 1").unwrap().is_truncated());
    }

    #[test]
    fn what_makes_a_record_unreadable_is_named() {
        assert!(Header::parse(b"HTTP/1.1 200 OK\r\n\r\n").unwrap_err().contains("version"));
        assert!(parse("WARC-Type: response").unwrap_err().contains("no Content-Length"));
        for length in ["-1", "1.5", "", "18446744073709551616", "1 2"] {
            assert!(
                parse(&format!("Content-Length: {length}")).unwrap_err().contains("Content-Length is"),
                "{length}"
            );
        }
        let fields = |count| parse(&format!("Content-Length: 1{}", "\r\nA: b".repeat(count - 1)));
        assert!(fields(FIELDS_MAX).is_ok());
        assert!(fields(FIELDS_MAX + 1).unwrap_err().contains("fields"));
    }
}
