//! The HTTP message within a response record.

use std::borrow::Cow;

use super::coding;

/// Header lines of a message.
const HEADERS_MAX: usize = 4_096;
/// Bytes of a decoded body.
pub const BODY_BYTES_MAX: usize = 16 << 20;
/// Bytes of a message's head.
const HEAD_BYTES_MAX: usize = 256 << 10;
/// How the first lines of answers begin, in any case: Shoutcast's servers say `ICY`.
const VERSIONS: [&[u8]; 2] = [b"http", b"icy"];
/// The status line that the parser is given: only the code of the real one matters.
const STATUS_LINE: &[u8] = b"HTTP/1.1 200\r\n";

/// A response with its body not yet decoded.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Response<'b> {
    /// The status code.
    pub status: u16,
    headers: Vec<(String, String)>,
    body: &'b [u8],
}

/// Why there is no body.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum HttpFault {
    /// The head is not HTTP.
    #[error("head is not HTTP: {0}")]
    Head(String),
    /// The content coding is unknown or broken.
    #[error("content coding {0}")]
    Coding(String),
    /// The decoded body is larger than [`BODY_BYTES_MAX`].
    #[error("body is larger than {BODY_BYTES_MAX} bytes")]
    TooLarge,
}

impl HttpFault {
    /// Returns the reason under which the record is failed.
    pub const fn reason(&self) -> &'static str {
        match self {
            Self::Head(_) => "http_broken",
            Self::Coding(_) => "encoding_broken",
            Self::TooLarge => "body_too_large",
        }
    }
}

/// Returns where the body of an answer ends by its own `Content-Length`; none where it states none, sends its body
/// in pieces, or ends before that.
pub(super) fn end_of_body(block: &[u8]) -> Option<usize> {
    let response = Response::parse(block).ok()?;
    if response.header("transfer-encoding").is_some() {
        return None;
    }
    let length: usize = response.header("content-length")?.trim().parse().ok()?;
    let begin = block.len() - response.body.len();
    begin.checked_add(length).filter(|end| *end <= block.len())
}

impl<'b> Response<'b> {
    /// Parses a message's head, as forgivingly as browsers and archive readers do.
    ///
    /// # Errors
    /// [`HttpFault::Head`].
    pub fn parse(block: &'b [u8]) -> Result<Self, HttpFault> {
        let fault = |detail: &str| HttpFault::Head(detail.to_owned());
        let first = memchr::memchr2(b'\n', b'\r', block).ok_or_else(|| fault("ends early"))?;
        let status = status(&block[..first]).ok_or_else(|| fault("no status line"))?;
        let (text, length) = headers(block, first).ok_or_else(|| fault("ends early"))?;
        // One a line at most: nearly all heads have a few.
        let line_count = memchr::memchr_iter(b'\n', &text).count();
        let mut headers = vec![httparse::EMPTY_HEADER; line_count.min(HEADERS_MAX)];
        let mut head = httparse::Response::new(&mut headers);
        let mut config = httparse::ParserConfig::default();
        config
            .allow_spaces_after_header_name_in_responses(true)
            .allow_obsolete_multiline_headers_in_responses(true)
            .ignore_invalid_headers_in_responses(true);
        match config.parse_response(&mut head, &text) {
            Ok(httparse::Status::Complete(_)) => {}
            Ok(httparse::Status::Partial) => return Err(fault("ends early")),
            Err(error) => return Err(fault(&error.to_string())),
        }
        let headers = head.headers.iter().map(|header| {
            let value = String::from_utf8_lossy(header.value).into_owned();
            (header.name.to_ascii_lowercase(), value)
        });
        Ok(Self { status, headers: headers.collect(), body: &block[length..] })
    }

    /// Returns a header's first value by its lower-case name.
    pub fn header(&self, name: &str) -> Option<&str> {
        let header = self.headers.iter().find(|(known, _)| known == name);
        header.map(|(_, value)| value.as_str())
    }

    /// Returns the body with its codings undone.
    ///
    /// Crawlers often store the decoded body under the headers of the coded one, and servers
    /// name codings that there are not: a body that does not look like its coding is taken as
    /// it is. Of a body that its writer cut (`is_truncated`), what can be decoded counts. `given` grows by the bytes that
    /// were decompressed, also where nothing comes of them.
    ///
    /// # Errors
    /// [`HttpFault::Coding`] or [`HttpFault::TooLarge`].
    pub fn decode(&self, is_truncated: bool, given: &mut u64) -> Result<Cow<'b, [u8]>, HttpFault> {
        let transfer = self.header("transfer-encoding").unwrap_or_default();
        let content = self.header("content-encoding").unwrap_or_default();
        coding::undone(self.body, (transfer, content), is_truncated, given)
    }
}

/// Returns the code of a status line; none if it is none.
fn status(line: &[u8]) -> Option<u16> {
    let mut words = line.split(u8::is_ascii_whitespace).filter(|word| !word.is_empty());
    let version = words.next()?;
    let begins =
        |known: &&[u8]| version.get(..known.len()).is_some_and(|head| head.eq_ignore_ascii_case(known));
    VERSIONS.iter().find(|known| begins(known))?;
    let code = std::str::from_utf8(words.next()?).ok()?.parse().ok()?;
    (100..1_000).contains(&code).then_some(code)
}

/// Returns the head as the parser takes it, and the bytes of the block up to its end; `first` is where the status
/// line ends.
fn headers(block: &[u8], first: usize) -> Option<(Vec<u8>, usize)> {
    let (mut text, length) = match &block[first..] {
        // A return before the line feed belongs to it, also one too many.
        [b'\n', ..] | [b'\r', b'\n', ..] | [b'\r', b'\r', b'\n', ..] => {
            let length = head_length(block)?;
            let begin = first + memchr::memchr(b'\n', &block[first..])? + 1;
            ([STATUS_LINE, &block[begin..length]].concat(), length)
        }
        _ => by_returns(block, first + 1)?,
    };
    // No header holds them, and browsers read the rest: `text/html\0; charset=utf-8`.
    let controls = text.iter_mut().filter(|byte| byte.is_ascii_control() && !b"\t\r\n".contains(*byte));
    controls.for_each(|byte| *byte = b' ');
    Some((text, length))
}

/// Returns the same of a head in which carriage returns alone end lines.
fn by_returns(block: &[u8], begin: usize) -> Option<(Vec<u8>, usize)> {
    let head = &block[..block.len().min(HEAD_BYTES_MAX)];
    let (mut text, mut at) = (STATUS_LINE.to_vec(), begin);
    loop {
        let rest = head.get(at..)?;
        let line = &rest[..memchr::memchr2(b'\r', b'\n', rest)?];
        let end = if rest[line.len()..].starts_with(b"\r\n") { 2 } else { 1 };
        at += line.len() + end;
        text.extend_from_slice(line);
        text.extend_from_slice(b"\r\n");
        if line.is_empty() {
            return Some((text, at));
        }
    }
}

/// Returns the bytes up to the end of the first blank line.
fn head_length(block: &[u8]) -> Option<usize> {
    let head = &block[..block.len().min(HEAD_BYTES_MAX)];
    let mut line_ends = memchr::memchr_iter(b'\n', head);
    line_ends.find_map(|end| match &head[end + 1..] {
        [b'\n', ..] => Some(end + 2),
        [b'\r', b'\n', ..] => Some(end + 3),
        _ => None,
    })
}

#[cfg(test)]
mod tests;
