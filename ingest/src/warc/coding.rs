//! Codings of a message's body, undone: chunks, and what compresses it.

use std::borrow::Cow;
use std::io::{self, Read};

use flate2::read::{DeflateDecoder, ZlibDecoder};
use flate2::{Decompress, FlushDecompress, Status};

use super::http::{BODY_BYTES_MAX, HttpFault};
use crate::packed::Coding;
use crate::sniff;

/// Bytes that a brotli decoder reads at once.
const BROTLI_BUFFER_BYTES: usize = 16 << 10;
/// Bytes for which a decoder of gzip gets room at once.
const GZIP_BUFFER_BYTES: usize = 64 << 10;
/// Bytes behind a gzip member: checksum and length.
const GZIP_TRAILER_BYTES: usize = 8;
/// Largest zstd window of a body, 2^23 bytes (RFC 9659).
const ZSTD_WINDOW_LOG_MAX: u32 = 23;
/// Codings that may be stacked on one body.
const CODINGS_MAX: usize = 4;

/// How gzip and zstd begin.
const GZIP_MAGIC: &[u8] = Coding::Gzip.magic();
const ZSTD_MAGIC: &[u8] = Coding::Zstd.magic();

/// Undoes the codings that the values of `Transfer-Encoding` and `Content-Encoding` name, and compression that
/// no header tells of. `given` grows by the bytes that decoders gave, whatever becomes of them.
///
/// # Errors
/// [`HttpFault::Coding`] or [`HttpFault::TooLarge`].
pub(crate) fn undone<'b>(
    body: &'b [u8],
    (transfer, content): (&str, &str),
    is_truncated: bool,
    given: &mut u64,
) -> Result<Cow<'b, [u8]>, HttpFault> {
    let mut body = Cow::Borrowed(body);
    if names(transfer).any(|coding| coding == "chunked")
        && let Some(joined) = dechunk(&body)
    {
        body = Cow::Owned(joined);
    }
    let content: Vec<String> = names(content).collect();
    if content.len() > CODINGS_MAX {
        return Err(HttpFault::Coding(format!("{} times over", content.len())));
    }
    for coding in content.iter().rev() {
        if let Some(decoded) = decoded(coding, &body, is_truncated, given)? {
            body = Cow::Owned(decoded);
        }
    }
    for (coding, magic) in [("gzip", GZIP_MAGIC), ("zstd", ZSTD_MAGIC)] {
        if body.starts_with(magic) {
            body = decoded(coding, &body, is_truncated, given)?.map_or(body, Cow::Owned);
        }
    }
    match body.len() > BODY_BYTES_MAX {
        true => Err(HttpFault::TooLarge),
        false => Ok(body),
    }
}

/// Returns the codings of a header's value.
fn names(value: &str) -> impl Iterator<Item = String> {
    let words = value.split(',').map(|word| word.trim().to_ascii_lowercase());
    words.filter(|word| !word.is_empty() && word != "identity")
}

/// Undoes one content coding (RFC 9110, 8.4.1; RFC 8878); none if the body does not have it.
fn decoded(
    coding: &str,
    body: &[u8],
    is_truncated: bool,
    given: &mut u64,
) -> Result<Option<Vec<u8>>, HttpFault> {
    let is_gzip = matches!(coding, "gzip" | "x-gzip");
    if is_gzip && !body.starts_with(&GZIP_MAGIC[..2]) || sniff::begins_html(body) {
        return Ok(None);
    }
    let mut read = |decoder: &mut dyn Read| read_all(decoder, coding, is_truncated, &mut *given);
    let result = match coding {
        "gzip" | "x-gzip" => gunzip(body, coding, is_truncated, given),
        // Named zlib by the standard, sent as raw deflate by many.
        "deflate" => match read(&mut ZlibDecoder::new(body)) {
            Err(HttpFault::Coding(_)) => read(&mut DeflateDecoder::new(body)),
            result => result,
        },
        "br" => read(&mut brotli_decompressor::Decompressor::new(body, BROTLI_BUFFER_BYTES)),
        "zstd" => {
            let broken = |error: io::Error| HttpFault::Coding(format!("{coding}: {error}"));
            let mut decoder = zstd::stream::read::Decoder::with_buffer(body).map_err(broken)?;
            decoder.window_log_max(ZSTD_WINDOW_LOG_MAX).map_err(broken)?;
            read(&mut decoder)
        }
        _ => Err(HttpFault::Coding(format!("{coding:?} is not known"))),
    };
    match result {
        // Servers name charsets and media types here, another coding, or what a proxy has undone already.
        Err(HttpFault::Coding(_)) if sniff::is_text(body) || is_another(coding, body) => Ok(None),
        result => result.map(Some),
    }
}

/// Returns true if a body begins as another coding than the one that a header names.
fn is_another(coding: &str, body: &[u8]) -> bool {
    let has = |magic: &[u8], names: &[&str]| body.starts_with(magic) && !names.contains(&coding);
    has(GZIP_MAGIC, &["gzip", "x-gzip"]) || has(ZSTD_MAGIC, &["zstd"])
}

fn read_all(
    decoder: &mut dyn Read,
    coding: &str,
    is_truncated: bool,
    given: &mut u64,
) -> Result<Vec<u8>, HttpFault> {
    let mut body = Vec::new();
    let result = decoder.take(BODY_BYTES_MAX as u64 + 1).read_to_end(&mut body);
    *given += body.len() as u64;
    match result {
        _ if body.len() > BODY_BYTES_MAX => Err(HttpFault::TooLarge),
        Err(_) if is_truncated && !body.is_empty() => Ok(body),
        Err(error) => Err(HttpFault::Coding(format!("{coding}: {error}"))),
        Ok(_) => Ok(body),
    }
}

/// Decompresses the members of a gzip body (RFC 1952) as browsers do: neither a wrong checksum nor what
/// follows the last member matters.
fn gunzip(body: &[u8], coding: &str, is_truncated: bool, given: &mut u64) -> Result<Vec<u8>, HttpFault> {
    let broken = |detail: &str| HttpFault::Coding(format!("{coding}: {detail}"));
    let (mut rest, mut out) = (body, Vec::new());
    let mut inflate = Decompress::new(false);
    while let Some(content) = behind_gzip_header(rest) {
        rest = content;
        inflate.reset(false);
        loop {
            out.reserve(GZIP_BUFFER_BYTES);
            let before = (inflate.total_in(), out.len());
            let result = inflate.decompress_vec(rest, &mut out, FlushDecompress::None);
            rest = &rest[(inflate.total_in() - before.0) as usize..];
            *given += (out.len() - before.1) as u64;
            let is_stuck = inflate.total_in() == before.0 && out.len() == before.1;
            match result {
                _ if out.len() > BODY_BYTES_MAX => return Err(HttpFault::TooLarge),
                Ok(Status::StreamEnd) => break,
                Ok(_) if !is_stuck => {}
                _ if is_truncated && !out.is_empty() => return Ok(out),
                Ok(_) => return Err(broken("ends early")),
                Err(error) => return Err(broken(&error.to_string())),
            }
        }
        rest = rest.get(GZIP_TRAILER_BYTES..).unwrap_or_default();
    }
    match out.is_empty() && rest.len() == body.len() {
        true => Err(broken("no header")),
        false => Ok(out),
    }
}

/// Returns what follows the header of a gzip member (RFC 1952, 2.3); none if there is no whole header.
fn behind_gzip_header(bytes: &[u8]) -> Option<&[u8]> {
    const CHECKED: u8 = 1 << 1;
    const EXTRA: u8 = 1 << 2;
    const NAME: u8 = 1 << 3;
    const COMMENT: u8 = 1 << 4;
    let (head, mut rest) = bytes.split_at_checked(10)?;
    let flags = head.starts_with(GZIP_MAGIC).then_some(head[3])?;
    if flags & EXTRA != 0 {
        let (length, behind) = rest.split_first_chunk()?;
        rest = behind.get(usize::from(u16::from_le_bytes(*length))..)?;
    }
    for field in [NAME, COMMENT] {
        if flags & field != 0 {
            rest = &rest[memchr::memchr(0, rest)? + 1..];
        }
    }
    if flags & CHECKED != 0 {
        rest = rest.get(2..)?;
    }
    Some(rest)
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
