//! The HTTP message within a response record, with its transfer and content coding undone.

use std::borrow::Cow;
use std::io::{self, Read};

use flate2::read::{DeflateDecoder, MultiGzDecoder, ZlibDecoder};

/// Header lines of a message.
const HEADERS_MAX: usize = 256;
/// Bytes of a decoded body.
pub const BODY_BYTES_MAX: usize = 16 << 20;
/// Bytes of a message's head.
const HEAD_BYTES_MAX: usize = 256 << 10;
/// Bytes that a brotli decoder reads at once.
const BROTLI_BUFFER_BYTES: usize = 16 << 10;
/// Largest zstd window of a body, 2^23 bytes (RFC 9659).
const ZSTD_WINDOW_LOG_MAX: u32 = 23;
/// Codings that may be stacked on one body.
const CODINGS_MAX: usize = 4;

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
    /// Parses a message's head.
    ///
    /// # Errors
    /// [`HttpFault::Head`].
    pub fn parse(block: &'b [u8]) -> Result<Self, HttpFault> {
        let mut headers = [httparse::EMPTY_HEADER; HEADERS_MAX];
        let mut head = httparse::Response::new(&mut headers);
        let mut config = httparse::ParserConfig::default();
        config
            .allow_spaces_after_header_name_in_responses(true)
            .allow_obsolete_multiline_headers_in_responses(true)
            .ignore_invalid_headers_in_responses(true);
        let (text, shift) = with_known_version(block);
        let length = match config.parse_response(&mut head, &text) {
            Ok(httparse::Status::Complete(length)) => length.saturating_add_signed(shift),
            Ok(httparse::Status::Partial) => {
                return Err(HttpFault::Head("ends early".to_owned()));
            }
            Err(error) => return Err(HttpFault::Head(error.to_string())),
        };
        let headers = head.headers.iter().map(|header| {
            let value = String::from_utf8_lossy(header.value).into_owned();
            (header.name.to_ascii_lowercase(), value)
        });
        Ok(Self {
            status: head.code.unwrap_or_default(),
            headers: headers.collect(),
            body: block.get(length..).unwrap_or_default(),
        })
    }

    /// Returns a header's first value by its lower-case name.
    pub fn header(&self, name: &str) -> Option<&str> {
        let header = self.headers.iter().find(|(known, _)| known == name);
        header.map(|(_, value)| value.as_str())
    }

    /// Returns the body with its codings undone.
    ///
    /// Crawlers often store the decoded body under the headers of the coded one: a body that
    /// does not look like its coding is taken as it is. Of a body that its writer cut
    /// (`is_truncated`), what can be decoded counts.
    ///
    /// # Errors
    /// [`HttpFault::Coding`] or [`HttpFault::TooLarge`].
    pub fn decode(&self, is_truncated: bool) -> Result<Cow<'b, [u8]>, HttpFault> {
        let codings = |name: &str| {
            let value = self.header(name).unwrap_or_default().to_ascii_lowercase();
            let words = value.split(',').map(|word| word.trim().to_owned());
            words.filter(|word| !word.is_empty() && word != "identity").collect::<Vec<_>>()
        };
        let mut body = Cow::Borrowed(self.body);
        if codings("transfer-encoding").iter().any(|coding| coding == "chunked")
            && let Some(joined) = dechunk(&body)
        {
            body = Cow::Owned(joined);
        }
        let content = codings("content-encoding");
        if content.len() > CODINGS_MAX {
            return Err(HttpFault::Coding(format!("{} times over", content.len())));
        }
        for coding in content.iter().rev() {
            if let Some(decoded) = decoded(coding, &body, is_truncated)? {
                body = Cow::Owned(decoded);
            }
        }
        match body.len() > BODY_BYTES_MAX {
            true => Err(HttpFault::TooLarge),
            false => Ok(body),
        }
    }
}

/// Undoes one content coding (RFC 9110, 8.4.1; RFC 8878); none where the body has it not.
fn decoded(coding: &str, body: &[u8], is_truncated: bool) -> Result<Option<Vec<u8>>, HttpFault> {
    let read = |decoder: &mut dyn Read| read_all(decoder, coding, is_truncated);
    match coding {
        "gzip" | "x-gzip" if body.starts_with(&[0x1f, 0x8b]) => {
            read(&mut MultiGzDecoder::new(body)).map(Some)
        }
        "gzip" | "x-gzip" => Ok(None),
        _ if looks_like_html(body) => Ok(None),
        // Named zlib by the standard, sent as raw deflate by many.
        "deflate" => match read(&mut ZlibDecoder::new(body)) {
            Err(HttpFault::Coding(_)) => read(&mut DeflateDecoder::new(body)).map(Some),
            result => result.map(Some),
        },
        "br" => read(&mut brotli_decompressor::Decompressor::new(body, BROTLI_BUFFER_BYTES)).map(Some),
        "zstd" => {
            let broken = |error: io::Error| HttpFault::Coding(format!("{coding}: {error}"));
            let mut decoder = zstd::stream::read::Decoder::with_buffer(body).map_err(broken)?;
            decoder.window_log_max(ZSTD_WINDOW_LOG_MAX).map_err(broken)?;
            read(&mut decoder).map(Some)
        }
        _ => Err(HttpFault::Coding(format!("{coding} is not supported"))),
    }
}

fn read_all(decoder: &mut dyn Read, coding: &str, is_truncated: bool) -> Result<Vec<u8>, HttpFault> {
    let mut body = Vec::new();
    let result = decoder.take(BODY_BYTES_MAX as u64 + 1).read_to_end(&mut body);
    match result {
        _ if body.len() > BODY_BYTES_MAX => Err(HttpFault::TooLarge),
        Err(_) if is_truncated && !body.is_empty() => Ok(body),
        Err(error) => Err(HttpFault::Coding(format!("{coding}: {error}"))),
        Ok(_) => Ok(body),
    }
}

/// Returns a message with a version that the parser knows, and by how much it is shorter:
/// crawlers write `HTTP/2 200` where there was no such line.
fn with_known_version(block: &[u8]) -> (Cow<'_, [u8]>, isize) {
    const KNOWN: &[u8] = b"HTTP/1.1";
    let version = block.iter().take(KNOWN.len() + 1).position(|byte| *byte == b' ');
    match version {
        Some(end) if block.starts_with(b"HTTP/") && !block.starts_with(b"HTTP/1.") => {
            let head = &block[end..block.len().min(HEAD_BYTES_MAX)];
            (Cow::Owned([KNOWN, head].concat()), end as isize - KNOWN.len() as isize)
        }
        _ => (Cow::Borrowed(block), 0),
    }
}

/// Returns true if and only if the body begins like markup, whatever its headers claim.
pub(crate) fn looks_like_html(body: &[u8]) -> bool {
    const BEGINNINGS: [&[u8]; 5] = [b"<!doctype", b"<html", b"<head", b"<body", b"<?xml"];
    let body = body.strip_prefix(b"\xef\xbb\xbf").unwrap_or(body).trim_ascii_start();
    BEGINNINGS
        .iter()
        .any(|beginning| body.get(..beginning.len()).is_some_and(|head| head.eq_ignore_ascii_case(beginning)))
}

/// Joins the chunks of a body (RFC 9112, section 7.1); none when it is not chunked at all.
///
/// A body that breaks off, or goes wrong after its first chunk, keeps what came before.
fn dechunk(mut body: &[u8]) -> Option<Vec<u8>> {
    let mut joined = Vec::new();
    let mut is_first = true;
    while let Some((length, rest)) = chunk_length(body) {
        let whole = rest.len() >= length;
        joined.extend_from_slice(&rest[..length.min(rest.len())]);
        is_first = false;
        if length == 0 || !whole {
            break;
        }
        let rest = &rest[length..];
        body = rest.strip_prefix(b"\r\n").or(rest.strip_prefix(b"\n")).unwrap_or(rest);
    }
    (!is_first).then_some(joined)
}

/// Parses the line before a chunk; returns the chunk's length and what follows the line.
fn chunk_length(body: &[u8]) -> Option<(usize, &[u8])> {
    const LINE_BYTES_MAX: usize = 256;
    let line_max = body.len().min(LINE_BYTES_MAX);
    let end = body[..line_max].iter().position(|byte| *byte == b'\n')?;
    let line = std::str::from_utf8(&body[..end]).ok()?;
    let digits = line.split(';').next()?.trim();
    let length = usize::from_str_radix(digits, 16).ok()?;
    Some((length, &body[end + 1..]))
}

#[cfg(test)]
mod tests;
