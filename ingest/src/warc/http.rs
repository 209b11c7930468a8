//! The HTTP message within a response record, with its transfer and content coding undone.

use std::borrow::Cow;
use std::io::{self, Read};

use flate2::read::{DeflateDecoder, MultiGzDecoder, ZlibDecoder};

/// Header lines of a message.
const HEADERS_MAX: usize = 256;
/// Bytes of a decoded body.
pub const BODY_BYTES_MAX: usize = 16 << 20;
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
        let length = match config.parse_response(&mut head, block) {
            Ok(httparse::Status::Complete(length)) => length,
            Ok(httparse::Status::Partial) => {
                return Err(HttpFault::Head("ends early".to_owned()));
            }
            Err(error) => return Err(HttpFault::Head(error.to_string())),
        };
        let headers = head.headers.iter().map(|header| {
            let value = String::from_utf8_lossy(header.value).into_owned();
            (header.name.to_ascii_lowercase(), value)
        });
        Ok(Self { status: head.code.unwrap_or_default(), headers: headers.collect(), body: &block[length..] })
    }

    /// Returns a header's first value by its lower-case name.
    pub fn header(&self, name: &str) -> Option<&str> {
        let header = self.headers.iter().find(|(known, _)| known == name);
        header.map(|(_, value)| value.as_str())
    }

    /// Returns the body with its codings undone.
    ///
    /// Crawlers often store the decoded body under the headers of the coded one: a body that
    /// does not look like its coding is taken as it is.
    ///
    /// # Errors
    /// [`HttpFault::Coding`] or [`HttpFault::TooLarge`].
    pub fn decode(&self) -> Result<Cow<'b, [u8]>, HttpFault> {
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
            body = match coding.as_str() {
                "gzip" | "x-gzip" if body.starts_with(&[0x1f, 0x8b]) => {
                    Cow::Owned(inflate(MultiGzDecoder::new(&body[..]), coding)?)
                }
                "gzip" | "x-gzip" => body,
                // Named zlib by the standard, sent as raw deflate by many.
                "deflate" => match inflate(ZlibDecoder::new(&body[..]), coding) {
                    Err(HttpFault::Coding(_)) => Cow::Owned(inflate(DeflateDecoder::new(&body[..]), coding)?),
                    result => Cow::Owned(result?),
                },
                _ if looks_like_html(&body) => body,
                _ => return Err(HttpFault::Coding(format!("{coding} is not supported"))),
            };
        }
        match body.len() > BODY_BYTES_MAX {
            true => Err(HttpFault::TooLarge),
            false => Ok(body),
        }
    }
}

fn inflate(decoder: impl Read, coding: &str) -> Result<Vec<u8>, HttpFault> {
    let mut body = Vec::new();
    let result: io::Result<usize> = decoder.take(BODY_BYTES_MAX as u64 + 1).read_to_end(&mut body);
    match result {
        Ok(_) if body.len() > BODY_BYTES_MAX => Err(HttpFault::TooLarge),
        Ok(_) => Ok(body),
        Err(error) => Err(HttpFault::Coding(format!("{coding}: {error}"))),
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
