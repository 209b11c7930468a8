//! A web page: what a response of a crawl, or a saved file, holds for its readers.

use std::borrow::Cow;

use corpus::record::{Segment, SegmentKind};

use crate::html::{self, Extract, Ruby, charset};
use crate::source::{preview, value};
use crate::warc::{HttpFault, Kind, Record, Response, looks_like_html};

/// Content types that are read as HTML.
const HTML_TYPES: [&str; 2] = ["text/html", "application/xhtml+xml"];

/// A page's main content, and how its bytes were read.
#[derive(Debug, Clone, PartialEq)]
pub struct Webpage {
    /// The main content.
    pub extract: Extract,
    /// Name of the charset (Encoding Standard).
    pub charset: &'static str,
}

/// Why bytes do not become a page.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Refusal {
    /// By a rule: the reason, and what made it so.
    Drop(&'static str, String),
    /// By a fault of the bytes: the reason, and what is wrong.
    Fail(&'static str, String),
}

impl From<HttpFault> for Refusal {
    fn from(fault: HttpFault) -> Self {
        Self::Fail(fault.reason(), value(&fault.to_string()))
    }
}

impl Webpage {
    /// Reads the page of a record: an HTTP response, or a resource of HTML.
    ///
    /// # Errors
    /// Why it holds none: `mime`, `status`, `revisit`, `no_text`, or a fault of its bytes.
    pub fn of_record(record: &Record, ruby: Ruby) -> Result<Self, Refusal> {
        let drop = |reason, text: &str| Err(Refusal::Drop(reason, value(text)));
        let container = record.header.get("content-type").unwrap_or("application/http");
        let url = record.header.target().unwrap_or_default();
        if record.is_too_large {
            let bytes = record.header.content_length;
            return Err(Refusal::Fail("body_too_large", bytes.to_string()));
        }
        match record.header.kind() {
            // The same bytes were met before; which record held them is said by its URL alone.
            Kind::Revisit => drop("revisit", record.header.get("warc-refers-to-target-uri").unwrap_or(url)),
            Kind::Response if mime(container).starts_with("application/http") => {
                Self::of_response(record, url, ruby)
            }
            Kind::Resource if HTML_TYPES.contains(&mime(container).as_ref()) => {
                Self::of_html(&record.block, container, url, ruby)
            }
            Kind::Conversion if mime(container) == "text/plain" => Self::of_text(&record.block),
            // A lookup of a name is a response too (`text/dns`), but not one of HTTP.
            _ => drop("mime", &mime(container)),
        }
    }

    fn of_response(record: &Record, url: &str, ruby: Ruby) -> Result<Self, Refusal> {
        let drop = |reason, text: &str| Err(Refusal::Drop(reason, value(text)));
        let response = Response::parse(&record.block)?;
        if response.status != 200 {
            return drop("status", &response.status.to_string());
        }
        let content_type = response.header("content-type").unwrap_or_default();
        let identified = record.header.get("warc-identified-payload-type");
        let declared = match mime(content_type) {
            empty if empty.is_empty() => mime(identified.unwrap_or_default()),
            declared => declared,
        };
        if !declared.is_empty() && !HTML_TYPES.contains(&declared.as_ref()) {
            return drop("mime", &declared);
        }
        let body = response.decode(record.header.is_truncated())?;
        if declared.is_empty() && !looks_like_html(&body) {
            return drop("mime", "unknown");
        }
        Self::of_html(&body, content_type, url, ruby)
    }

    /// Reads the text that a crawl has made of a page: its lines, in UTF-8 as WET files are.
    fn of_text(block: &[u8]) -> Result<Self, Refusal> {
        let text = String::from_utf8_lossy(block);
        let lines = text.lines().map(str::trim).filter(|line| !line.is_empty());
        let segment = |line: &str| Segment { kind: SegmentKind::Text, text: line.to_owned(), url: None };
        let extract = Extract { title: String::new(), segments: lines.map(segment).collect() };
        match extract.has_text() {
            true => Ok(Self { extract, charset: "UTF-8" }),
            false => Err(Refusal::Drop("no_text", String::new())),
        }
    }

    /// Reads a page of HTML; the content type may name its charset, or be empty.
    ///
    /// # Errors
    /// `charset` where the bytes cannot be decoded, `no_text` where nothing is to be read.
    pub fn of_html(body: &[u8], content_type: &str, url: &str, ruby: Ruby) -> Result<Self, Refusal> {
        let (text, charset) =
            charset::decode(body, content_type, url).map_err(|label| Refusal::Fail("charset", label))?;
        let extract = html::extract(&text, url, ruby);
        match extract.has_text() {
            true => Ok(Self { extract, charset }),
            false => Err(Refusal::Drop("no_text", preview(body.trim_ascii()))),
        }
    }
}

/// Returns a content type without its parameters, in lower case.
fn mime(content_type: &str) -> Cow<'_, str> {
    let mime = content_type.split([';', ',']).next().unwrap_or_default().trim();
    match mime.bytes().any(|byte| byte.is_ascii_uppercase()) {
        true => Cow::Owned(mime.to_ascii_lowercase()),
        false => Cow::Borrowed(mime),
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::panic)]
mod tests {
    use std::io::Write;

    use super::*;
    use crate::warc::{Entry, Reader};

    /// Reads the page of a record whose body is cut in its middle.
    fn of_cut(coding: &str, body: &[u8], note: &str) -> Result<Webpage, Refusal> {
        let head = format!("HTTP/1.1 200 OK\r\nContent-Type: text/html\r\n{coding}\r\n");
        let block = [head.as_bytes(), &body[..body.len() / 2]].concat();
        let length = block.len();
        let header = format!("WARC/1.0\r\nWARC-Type: response\r\n{note}Content-Length: {length}\r\n\r\n");
        let file = [header.as_bytes(), &block, b"\r\n\r\n"].concat();
        let Some(Ok(Entry::Record(record))) = Reader::new(&file[..]).unwrap().next() else {
            panic!("a record")
        };
        Webpage::of_record(&record, Ruby::default())
    }

    #[test]
    fn a_body_that_the_crawler_cut_is_read_as_far_as_it_goes() {
        let noise: String = (0..4_000_u32).map(|n| format!("{:x} ", n.wrapping_mul(0x9e37_79b9))).collect();
        let page = format!("<article><p>The first words of the page, and then: {noise}</article>");
        let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
        encoder.write_all(page.as_bytes()).unwrap();
        let packed = encoder.finish().unwrap();
        let note = "WARC-Truncated: length\r\n";
        for (coding, body) in [("", page.as_bytes()), ("Content-Encoding: gzip\r\n", &packed)] {
            let text = of_cut(coding, body, note).unwrap().extract.text();
            assert!(text.starts_with("The first words of the page"), "{coding}");
        }
        let unsaid = of_cut("Content-Encoding: gzip\r\n", &packed, "");
        assert!(matches!(unsaid, Err(Refusal::Fail("encoding_broken", _))), "{unsaid:?}");
    }
}
