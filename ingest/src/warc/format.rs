//! Where a record begins, in WARC and in ARC.

use super::arc::{self, ARC_MAGIC, LINE_BYTES_MAX};
use super::header::{Header, begins_with_magic};
use super::reader::HEADER_BYTES_MAX;

/// How a WARC record begins; some writers spell it in small letters.
pub(super) const WARC_MAGIC: &[u8] = b"WARC/";
/// Bytes of a version line: `WARC/1.1`, and its end.
const VERSION_BYTES_MAX: usize = 18;
/// Version lines before one blank line that are taken for a header's.
const PARSES_MAX: u32 = 16;

/// How records are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Format {
    /// Not told yet: either.
    Unknown,
    Warc,
    Arc,
}

impl Format {
    /// Tells the format by the beginning of a file, or of a part of it.
    pub(super) fn of(head: &[u8]) -> Self {
        if begins_with_magic(head) {
            return Self::Warc;
        }
        if head.starts_with(ARC_MAGIC) || Self::Arc.begins_record(head) {
            return Self::Arc;
        }
        // The beginning is damaged: the first whole record tells.
        match Self::Unknown.find(head, head.len(), true) {
            Some(at) if begins_with_magic(&head[at..]) => Self::Warc,
            Some(_) => Self::Arc,
            None => Self::Unknown,
        }
    }

    /// Returns true if and only if a record begins with these bytes, a line at least.
    pub(super) fn begins_record(self, bytes: &[u8]) -> bool {
        let begins_arc = || {
            let end = memchr::memchr(b'\n', &bytes[..bytes.len().min(LINE_BYTES_MAX)]);
            end.is_some_and(|end| arc::header(&bytes[..end], false).is_some())
        };
        match self {
            Self::Unknown => begins_with_magic(bytes) || begins_arc(),
            Self::Warc => begins_with_magic(bytes),
            Self::Arc => begins_arc(),
        }
    }

    /// Returns the bytes that must be there for [`Self::begins_record`] to tell.
    pub(super) const fn beginning_bytes(self) -> usize {
        match self {
            Self::Warc => WARC_MAGIC.len(),
            Self::Unknown | Self::Arc => LINE_BYTES_MAX,
        }
    }

    /// Returns the line ends that are behind a block at least.
    pub(super) const fn line_end_bytes(self) -> usize {
        match self {
            Self::Unknown | Self::Warc => 4,
            Self::Arc => 1,
        }
    }

    /// Returns the index, below a limit, of the first whole header of a record. The first byte may
    /// begin a line, or not.
    pub(super) fn find(self, bytes: &[u8], limit: usize, at_line_begin: bool) -> Option<usize> {
        let found = match self {
            Self::Warc => find_warc(bytes),
            Self::Arc => find_arc(bytes, limit, at_line_begin),
            Self::Unknown => match (find_warc(bytes), find_arc(bytes, limit, at_line_begin)) {
                (Some(warc), Some(arc)) => Some(warc.min(arc)),
                (warc, arc) => warc.or(arc),
            },
        };
        found.filter(|at| *at < limit)
    }
}

/// Finds a version line with named fields behind it, wherever it stands: damage may have taken the
/// line end before it. What was seen to begin no header is not looked at again, so that the time is linear.
fn find_warc(bytes: &[u8]) -> Option<usize> {
    let (mut from, mut parsed, mut parses) = (0, 0, 0);
    for slash in memchr::memchr_iter(b'/', bytes) {
        let at = (slash + 1).saturating_sub(WARC_MAGIC.len());
        if at < from || !begins_with_magic(&bytes[at..=slash]) {
            continue;
        }
        let end = match fields_end(bytes, at) {
            Ok(end) => end,
            Err(next) => {
                from = next;
                continue;
            }
        };
        let header = &bytes[at.max(end.saturating_sub(HEADER_BYTES_MAX + 1))..end];
        if header.len() <= HEADER_BYTES_MAX && is_header(header) {
            return Some(at);
        }
        // Lines that are fields alone may be the header of a later version line among them.
        parses = if parsed == end { parses + 1 } else { 1 };
        parsed = end;
        from = match parses {
            PARSES_MAX.. => end,
            _ => (at + 1).max(end.saturating_sub(HEADER_BYTES_MAX)),
        };
    }
    None
}

/// Returns where the blank line ends behind a version line and named fields, or the first place behind which there may be
/// such a version line, if there is none here. Stricter than [`Header::parse`], as this is about finding one in other
/// bytes.
fn fields_end(bytes: &[u8], at: usize) -> Result<usize, usize> {
    let mut begin = at;
    loop {
        let is_version = begin == at;
        let bound = if is_version { bytes.len().min(at + VERSION_BYTES_MAX) } else { bytes.len() };
        let Some(length) = memchr::memchr(b'\n', &bytes[begin..bound]) else {
            return Err(if is_version { at + 1 } else { bytes.len() });
        };
        let (line, end) = (&bytes[begin..begin + length], begin + length + 1);
        let text = line.trim_ascii_end();
        let is_field = text.contains(&b':') || line.starts_with(b" ") || line.starts_with(b"\t");
        match (is_version, text.is_empty()) {
            (true, _) if !text.get(WARC_MAGIC.len()).is_some_and(u8::is_ascii_digit) => return Err(at + 1),
            (true, _) => {}
            (false, true) => return Ok(end),
            (false, false) if !is_field => return Err(begin),
            (false, false) => {}
        }
        begin = end;
    }
}

/// Returns true if and only if these lines are the header of a record.
fn is_header(lines: &[u8]) -> bool {
    Header::parse(lines).is_ok_and(|header| header.get("warc-type").is_some())
}

/// Finds a document's line.
fn find_arc(bytes: &[u8], limit: usize, at_line_begin: bool) -> Option<usize> {
    let first = at_line_begin.then_some(0);
    let begins = first.into_iter().chain(memchr::memchr_iter(b'\n', bytes).map(|end| end + 1));
    // A line of binary may be long: what does not begin like an address is not looked at.
    let mut begins =
        begins.take_while(|at| *at < limit.min(bytes.len())).filter(|at| bytes[*at].is_ascii_alphabetic());
    begins.find(|at| Format::Arc.begins_record(&bytes[*at..]))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_header_is_found_in_other_bytes_and_its_likes_are_not() {
        let header = "WARC/1.0\r\nWARC-Type: response\r\nContent-Length: 3\r\n\r\n";
        let at = |text: &str| Format::Warc.find(text.as_bytes(), text.len(), true);
        assert_eq!(at(header), Some(0));
        assert_eq!(at(&format!("rest of a line{header}")), Some(14));
        assert_eq!(at(&header.to_ascii_lowercase().replace("warc/", "x warc/")), Some(2));
        for other in [
            "WARC/1.0 is a format of archives.\r\n\r\n",
            "WARC/1.0\r\nWARC-Type: response\r\nContent-Length: many\r\n\r\n",
            "WARC/1.0\r\nContent-Length: 3\r\n\r\n",
            "WARC/1.0\r\nWARC-Type: response\r\nContent-Length: 3\r\n",
            "WARC/x\r\nWARC-Type: response\r\nContent-Length: 3\r\n\r\n",
        ] {
            assert_eq!(at(other), None, "{other}");
            assert_eq!(at(&format!("{other}{header}")), Some(other.len()), "{other}");
        }
        assert_eq!(Format::Warc.find(format!("abc{header}").as_bytes(), 3, true), None, "beyond the limit");
    }

    /// A linear search of so many bytes is done in a thousandth of this; a quadratic one takes minutes.
    #[test]
    fn what_begins_like_headers_is_searched_once() {
        let header = "WARC/1.0\r\nWARC-Type: response\r\nContent-Length: 3\r\n\r\n";
        let likes = [
            "WARC/",
            "WARC/1:\n",
            "WARC/1\n",
            "x: WARC/1\n",
            "WARC/1.0\r\na: b\r\n",
            "a: b WARC/1\nb: c\n\n",
        ];
        for like in likes {
            let bytes = format!("{}\n{header}", like.repeat(4_000_000 / like.len()));
            let found = Format::Warc.find(bytes.as_bytes(), bytes.len(), true);
            assert_eq!(found, Some(bytes.len() - header.len()), "{like:?}");
        }
    }

    #[test]
    fn a_header_is_found_behind_fields_that_begin_like_one() {
        let header = "WARC/1.0\r\nWARC-Type: response\r\nContent-Length: 3\r\n\r\n";
        let long = "x: y\n".repeat(HEADER_BYTES_MAX / 5);
        for before in ["WARC/1:\nContent-Length: many\n", &format!("WARC/1:\n{long}")] {
            let bytes = format!("{before}{header}");
            assert_eq!(
                Format::Warc.find(bytes.as_bytes(), bytes.len(), true),
                Some(before.len()),
                "{before:.20}"
            );
        }
    }

    #[test]
    fn a_document_of_an_arc_is_found_at_the_beginning_of_a_line_alone() {
        let line = "http://h/ 1.2.3.4 20080430204826 text/html 5\n";
        let at = |text: &str, begins| Format::Arc.find(text.as_bytes(), text.len(), begins);
        assert_eq!((at(line, true), at(line, false)), (Some(0), None));
        assert_eq!(at(&format!("x\n{line}"), false), Some(2));
        assert_eq!(Format::of(format!("\u{1}damaged\n{line}").as_bytes()), Format::Arc);
        assert_eq!(Format::of(b"neither\n"), Format::Unknown);
    }
}
