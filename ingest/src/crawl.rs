//! The crawl: responses of WARC files become pages.

use std::borrow::Cow;

use corpus::record::{Page, SourceFile};
use corpus::{Inputs, Output, Removal, Result, Stage, Task};
use serde_json::{Value, json};

use crate::fetch::source::source_error;
use crate::html::{self, charset};
use crate::source::{Source, preview, value};
use crate::warc::{Damage, Entry, HttpFault, Reader, Record, Response};

/// Unit: WARC records of type response, and places where a record could not be read.
const RECORDS: &str = "records";
/// Stream of this stage.
const PAGES: &str = "pages";
/// Content types that are read as HTML.
const HTML_TYPES: [&str; 2] = ["text/html", "application/xhtml+xml"];

/// The stage of a crawl; one task per WARC file, the id's position is the record's offset.
pub struct Crawl {
    source: Source,
}

/// Why a response does not become a page.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Refusal {
    Drop(&'static str, String),
    Fail(&'static str, String),
}

impl From<HttpFault> for Refusal {
    fn from(fault: HttpFault) -> Self {
        Self::Fail(fault.reason(), value(&fault.to_string()))
    }
}

impl Crawl {
    pub(crate) fn new(source: Source) -> Self {
        Self { source }
    }

    fn record(
        &self,
        task: &Task<'_>,
        file: &SourceFile,
        record: &Record,
        out: &mut Output<'_>,
    ) -> Result<()> {
        if !record.header.is_response() {
            return Ok(());
        }
        let id = self.source.id(file, record.position)?;
        let url = record.header.target().unwrap_or_default();
        let outcome = task.crashes.guard(id, || extract(record, url));
        let outcome = outcome.unwrap_or_else(|fatal| Err(Refusal::Fail(fatal.reason(), String::new())));
        let removal = |reason, value| Removal { id, reason, value, preview: url };
        out.read(RECORDS);
        match outcome {
            Ok((extract, charset)) => {
                let page = Page {
                    id,
                    source: self.source.name.clone(),
                    url: url.to_owned(),
                    date: record.header.get("warc-date").map(str::to_owned),
                    title: extract.title,
                    charset: charset.to_owned(),
                    segments: extract.segments,
                };
                out.write(PAGES, page)?;
                out.keep(RECORDS);
                Ok(())
            }
            Err(Refusal::Drop(reason, value)) => out.drop(RECORDS, removal(reason, value)),
            Err(Refusal::Fail(reason, value)) => out.fail(RECORDS, removal(reason, value)),
        }
    }

    fn damage(&self, file: &SourceFile, damage: &Damage, out: &mut Output<'_>) -> Result<()> {
        out.read(RECORDS);
        let removal = Removal {
            id: self.source.id(file, damage.position)?,
            reason: damage.reason,
            value: damage.detail.clone(),
            preview: "",
        };
        out.fail(RECORDS, removal)
    }
}

/// Makes the main content of a response, with the name of its charset.
fn extract(record: &Record, url: &str) -> Result<(html::Extract, &'static str), Refusal> {
    let drop = |reason, text: &str| Err(Refusal::Drop(reason, value(text)));
    // A lookup of a name is a response too (`text/dns`), but not one of HTTP.
    let container = record.header.get("content-type").unwrap_or("application/http");
    if !mime(container).starts_with("application/http") {
        return drop("mime", &mime(container));
    }
    if record.is_too_large {
        let bytes = record.header.content_length;
        return Err(Refusal::Fail("body_too_large", bytes.to_string()));
    }
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
    let body = response.decode()?;
    if declared.is_empty() && !crate::warc::looks_like_html(&body) {
        return drop("mime", "unknown");
    }
    let (text, charset) =
        charset::decode(&body, content_type, url).map_err(|label| Refusal::Fail("charset", label))?;
    let extract = html::extract(&text, url);
    match extract.has_text() {
        true => Ok((extract, charset)),
        false => drop("no_text", &preview(body.trim_ascii())),
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

impl Stage for Crawl {
    fn name(&self) -> String {
        self.source.name.clone()
    }

    fn inputs(&self) -> Vec<String> {
        vec![self.source.listing()]
    }

    fn settings(&self) -> Value {
        json!({ "source": self.source.name, "code": self.source.code })
    }

    fn plan(&self, inputs: &Inputs) -> Result<u32> {
        self.source.plan(inputs)
    }

    fn run(&self, task: &Task<'_>) -> Result<()> {
        let mut out = task.output()?;
        if out.is_done() {
            return Ok(());
        }
        let file = self.source.file(task)?;
        let broken = |error: &std::io::Error| source_error(&file.url, error);
        let reader = self.source.client.open(&file.url)?;
        let reader = Reader::new(reader).map_err(|error| broken(&error))?;
        for entry in reader.skip(out.position() as usize) {
            match entry.map_err(|error| broken(&error))? {
                Entry::Record(record) => self.record(task, &file, &record, &mut out)?,
                Entry::Damage(damage) => self.damage(&file, &damage, &mut out)?,
            }
            out.advance(1)?;
        }
        out.finish()
    }
}
