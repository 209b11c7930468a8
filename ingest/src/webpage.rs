//! A web page: what a response of a crawl, or a saved file, holds for its readers.
//!
//! ```text
//! record or file -> Body     its bytes, decoded, and told from what is no page
//!                -> Webpage  the main content, as text and images
//! ```

use std::borrow::Cow;

use corpus::record::{Segment, SegmentKind};
use corpus::{Id, Task};

use crate::html::{self, Extract, Ruby, charset};
use crate::inflation::{INFLATED, PageBudget};
use crate::sniff::{self, Content};
use crate::source::{preview, replaced, value};
use crate::warc::{HttpFault, Record, RecordKind, Response};

/// A page's main content, and how its bytes were read.
#[derive(Debug, Clone, PartialEq)]
pub struct Webpage {
    /// The main content.
    pub extract: Extract,
    /// Name of the charset (Encoding Standard).
    pub charset: &'static str,
    /// The address that the page states, if none was known.
    pub url: Option<String>,
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

/// A page's bytes, before its text is looked for.
#[derive(Debug, Clone)]
pub struct Body<'r> {
    pub(crate) bytes: Cow<'r, [u8]>,
    content_type: String,
    /// Unless the page is to be asked for it.
    url: Option<String>,
    /// Whether the bytes are the text already, as in WET files.
    is_text: bool,
}

impl<'r> Body<'r> {
    /// Takes the bytes of a saved page, of the content type that is known of them; without a URL the page is asked
    /// for its own, which resolves those of its images.
    ///
    /// # Errors
    /// `mime` if they are something else than HTML.
    pub(crate) fn of_saved(bytes: Vec<u8>, content_type: &str, url: Option<&str>) -> Result<Self, Refusal> {
        match sniff::content(&bytes) {
            Content::Html | Content::Text => Ok(Self {
                bytes: Cow::Owned(bytes),
                content_type: content_type.to_owned(),
                url: url.map(str::to_owned),
                is_text: false,
            }),
            Content::Other(what) => Err(Refusal::Fail("mime", format!("it is {what}"))),
        }
    }

    /// Takes the body of a record: of an HTTP response, of a resource, or the text of a conversion. `given` grows by the
    /// bytes that were decompressed for it.
    ///
    /// # Errors
    /// Why it holds no page: `mime`, `status`, `revisit`, or a fault of its bytes.
    pub fn of_record(record: &'r Record, given: &mut u64) -> Result<Self, Refusal> {
        let drop = |reason, text: &str| Err(Refusal::Drop(reason, value(text)));
        let container = record.header.get("content-type").unwrap_or("application/http");
        let url = record.header.target().unwrap_or_default();
        if record.is_too_large {
            let bytes = record.header.content_length;
            return Err(Refusal::Fail("body_too_large", bytes.to_string()));
        }
        let whole = |is_text| Self {
            bytes: Cow::Borrowed(&record.block[..]),
            content_type: container.to_owned(),
            url: Some(url.to_owned()),
            is_text,
        };
        match record.header.kind() {
            // The same bytes were met before; which record held them is said by its URL alone.
            RecordKind::Revisit => {
                drop("revisit", record.header.get("warc-refers-to-target-uri").unwrap_or(url))
            }
            RecordKind::Response if mime(container).starts_with("application/http") => {
                Self::of_response(record, url, given)
            }
            RecordKind::Resource => whole(false).told(record.header.get("warc-identified-payload-type")),
            RecordKind::Conversion if mime(container) == "text/plain" => Ok(whole(true)),
            // A lookup of a name is a response too (`text/dns`), but not one of HTTP.
            _ => drop("mime", &mime(container)),
        }
    }

    /// Takes the body of a record likewise, having taken what reading it costs.
    ///
    /// # Errors
    /// As [`Self::of_record`], and `inflated` where the file's pages may cost no more.
    pub(crate) fn within(budget: &mut PageBudget, record: &'r Record) -> Result<Self, Refusal> {
        let inflated = |detail| Refusal::Fail(INFLATED, detail);
        budget.check(record.position).map_err(inflated)?;
        let mut given = 0;
        let body = Self::of_record(record, &mut given);
        let held = body.as_ref().map_or(0, |body| body.bytes.len() as u64);
        budget.take_refused(given.saturating_sub(held));
        let body = body?;
        budget.take(record.position, &body.bytes).map_err(inflated)?;
        Ok(body)
    }

    fn of_response(record: &'r Record, url: &str, given: &mut u64) -> Result<Self, Refusal> {
        let response = Response::parse(&record.block)?;
        if response.status != 200 {
            return Err(Refusal::Drop("status", response.status.to_string()));
        }
        let content_type = response.header("content-type").unwrap_or_default().to_owned();
        let bytes = response.decode(record.header.is_truncated(), given)?;
        let body = Self { bytes, content_type, url: Some(url.to_owned()), is_text: false };
        body.told(record.header.get("warc-identified-payload-type"))
    }

    /// Refuses what is no page by its bytes; where they leave it open, by the types that a server declared or a
    /// crawler identified.
    fn told(self, identified: Option<&str>) -> Result<Self, Refusal> {
        let declared = mime(&self.content_type);
        let is_html = |mime: &str| mime.contains("htm");
        match sniff::content(&self.bytes) {
            Content::Html => Ok(self),
            Content::Text if is_html(&declared) || is_html(&mime(identified.unwrap_or_default())) => Ok(self),
            Content::Text if declared.is_empty() => Err(Refusal::Drop("mime", "unknown".to_owned())),
            Content::Text => Err(Refusal::Drop("mime", value(&declared))),
            Content::Other(what) if is_html(&declared) => {
                Err(Refusal::Drop("mime", value(&format!("{declared}, but it is {what}"))))
            }
            Content::Other(what) if declared.is_empty() => Err(Refusal::Drop("mime", what.to_owned())),
            Content::Other(_) => Err(Refusal::Drop("mime", value(&declared))),
        }
    }

    /// Returns the same, independent of the record.
    pub(crate) fn into_owned(self) -> Body<'static> {
        Body { bytes: Cow::Owned(self.bytes.into_owned()), ..self }
    }

    /// Finds the page's text.
    ///
    /// # Errors
    /// `no_text` if there is nothing to read, `charset` if the bytes cannot be decoded.
    pub fn read(&self, ruby: Ruby) -> Result<Webpage, Refusal> {
        match self.is_text {
            true => Webpage::of_text(&self.bytes),
            false => Webpage::of_html(&self.bytes, &self.content_type, self.url.as_deref(), ruby),
        }
    }
}

impl Webpage {
    /// Reads the text that a crawl has made of a page: its lines, in UTF-8 as WET files are.
    fn of_text(block: &[u8]) -> Result<Self, Refusal> {
        let text = replaced(block);
        let lines = text.lines().map(str::trim).filter(|line| !line.is_empty());
        let segment = |line: &str| Segment { kind: SegmentKind::Text, text: line.to_owned(), url: None };
        let segments = lines.map(segment).collect();
        let extract = Extract { title: String::new(), segments, is_cut: false };
        match extract.has_text() {
            true => Ok(Self { extract, charset: "UTF-8", url: None }),
            false => Err(Refusal::Drop("no_text", String::new())),
        }
    }

    /// Reads a page of HTML; the content type may name its charset, or be empty, and without a URL the page is asked
    /// for its own.
    ///
    /// # Errors
    /// `charset` where the bytes cannot be decoded, `markup_too_large` where not all of it is read, `no_text` where
    /// nothing is to be read.
    pub fn of_html(body: &[u8], content_type: &str, url: Option<&str>, ruby: Ruby) -> Result<Self, Refusal> {
        let (text, charset) = charset::decode(body, content_type, url.unwrap_or_default())
            .map_err(|label| Refusal::Fail("charset", label))?;
        let (extract, url) = match url {
            Some(url) => (html::extract(&text, url, ruby), None),
            None => html::extract_saved(&text, ruby),
        };
        if extract.is_cut {
            let detail = format!("{} bytes with too many, too deep or too costly elements", body.len());
            return Err(Refusal::Fail("markup_too_large", detail));
        }
        match extract.has_text() {
            true => Ok(Self { extract, charset, url }),
            false => Err(Refusal::Drop("no_text", preview(body.trim_ascii()))),
        }
    }
}

/// Does work on a record that may be fatal.
pub(crate) fn guarded<T>(
    task: &Task<'_>,
    id: Id,
    work: impl FnOnce() -> Result<T, Refusal>,
) -> Result<T, Refusal> {
    let outcome = task.crashes.guard(id, work);
    outcome.unwrap_or_else(|fatal| Err(Refusal::Fail(fatal.reason(), String::new())))
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
    use std::collections::BTreeMap;
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
        Body::of_record(&record, &mut 0)?.read(Ruby::default())
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

    #[test]
    fn a_page_that_is_not_read_to_its_end_is_failed_and_not_cut() {
        let attributes: String = (0..100).map(|n| format!(" a{n}=x")).collect();
        for page in [
            "x<br><br>".repeat(100_000),
            format!("{}{}", format!("<b{attributes}>").repeat(3), "<p>x".repeat(100_000)),
            format!("{}{}", "<div><b><i>".repeat(2_000), "x</div></b></i>".repeat(2_000)),
            format!("{}x{}", "<div>".repeat(100_000), "</div>".repeat(100_000)),
        ] {
            let page = format!("<p>The first words of the page.</p>{page}<p>The last words of it.</p>");
            let read = Webpage::of_html(page.as_bytes(), "", Some(""), Ruby::default());
            assert!(matches!(read, Err(Refusal::Fail("markup_too_large", _))), "{:?}", page.get(..60));
        }
        let page = format!("{}<p>The last words of it.", "<p>One of many paragraphs.</p>".repeat(20_000));
        let read = Webpage::of_html(page.as_bytes(), "", Some(""), Ruby::default()).unwrap();
        assert!(read.extract.text().ends_with("The last words of it."));
    }

    #[test]
    fn bodies_that_become_no_page_cost_what_was_decompressed_for_them() {
        let gzip = |bytes: &[u8]| {
            let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
            encoder.write_all(bytes).unwrap();
            encoder.finish().unwrap()
        };
        let binary = [&b"%PDF-1.5 "[..], &vec![0; 6 << 20]].concat();
        let cut = gzip(&vec![b'x'; 6 << 20]);
        for (name, body) in [
            ("body_too_large", gzip(&vec![b'x'; 17 << 20])),
            ("mime", gzip(&binary)),
            ("encoding_broken", cut[..cut.len() - 100].to_vec()),
        ] {
            let head = "HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nContent-Encoding: gzip\r\n\r\n";
            let block = [head.as_bytes(), &body].concat();
            let header =
                format!("WARC/1.0\r\nWARC-Type: response\r\nContent-Length: {}\r\n\r\n", block.len());
            let file = [header.as_bytes(), &block, b"\r\n\r\n"].concat().repeat(10);
            let mut budget = PageBudget::default();
            let mut found: BTreeMap<&str, u32> = BTreeMap::new();
            for entry in Reader::new(&file[..]).unwrap() {
                let Entry::Record(record) = entry.unwrap() else { panic!("damage") };
                let Err(Refusal::Drop(reason, _) | Refusal::Fail(reason, _)) =
                    Body::within(&mut budget, &record).map(drop)
                else {
                    panic!("a page")
                };
                *found.entry(reason).or_default() += 1;
            }
            assert!(found[name] <= 4 && found[INFLATED] >= 6, "{found:?}");
        }
    }

    #[test]
    fn bytes_decide_what_is_a_page_and_types_where_they_leave_it_open() {
        let outcome = |declared: &str, identified: &str, body: &[u8]| {
            let head = format!("HTTP/1.1 200 OK\r\n{declared}\r\n");
            let block = [head.as_bytes(), body].concat();
            let length = block.len();
            let header =
                format!("WARC/1.0\r\nWARC-Type: response\r\n{identified}Content-Length: {length}\r\n\r\n");
            let file = [header.as_bytes(), &block, b"\r\n\r\n"].concat();
            let Some(Ok(Entry::Record(record))) = Reader::new(&file[..]).unwrap().next() else {
                panic!("a record")
            };
            let read = Body::of_record(&record, &mut 0).map(|_| ());
            match read {
                Ok(()) => "page".to_owned(),
                Err(Refusal::Drop(reason, value) | Refusal::Fail(reason, value)) => {
                    format!("{reason}: {value}")
                }
            }
        };
        let page = b"<!DOCTYPE html><p>text";
        for declared in ["text/plain", "application/octet-stream", "application/xml", "*/*", "html"] {
            assert_eq!(outcome(&format!("Content-Type: {declared}\r\n"), "", page), "page", "{declared}");
        }
        let html = "Content-Type: text/html\r\n";
        assert_eq!(outcome(html, "", b"%PDF-1.4 ..."), "mime: text/html, but it is a PDF");
        assert_eq!(outcome(html, "", b"{\"a\": 1}"), "mime: text/html, but it is JSON");
        assert_eq!(outcome(html, "", b"no mark-up"), "page");
        assert_eq!(outcome("Content-Type: text/plain\r\n", "", b"no mark-up"), "mime: text/plain");
        assert_eq!(outcome("", "", b"no mark-up"), "mime: unknown");
        assert_eq!(outcome("", "WARC-Identified-Payload-Type: text/html\r\n", b"a <b>fragment</b>"), "page");
        assert_eq!(outcome("", "", page), "page");
    }
}
