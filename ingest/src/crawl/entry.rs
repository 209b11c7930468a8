//! An entry of an archive becomes a page or a document, or the reason why not.

use corpus::record::{DOCUMENTS, Document, PAGES, Page, SourceFile};
use corpus::{Declared, Error, Id, Output, Removal, Result, Task};

use super::CrawlKind;
use crate::fault::FileFault;
use crate::html::Ruby;
use crate::inflation::{INFLATED, PageBudget};
use crate::source::{Source, Yield};
use crate::warc::{Damage, Entry, Record, RecordKind};
use crate::webpage::{Body, Refusal, Webpage, guarded};

/// Unit: WARC records of type response, resource and revisit (in WET files conversion), and
/// places where a record could not be read.
pub(super) const RECORDS: &str = "records";

/// Writes what entries hold.
#[derive(Clone)]
pub(super) struct RecordWriter {
    pub(super) source: Source,
    pub(super) kind: CrawlKind,
    pub(super) ruby: Ruby,
}

impl RecordWriter {
    /// Returns the stream that is written: pages of WARC files, documents of WET files.
    pub(super) fn streams(&self) -> Vec<Declared> {
        match self.kind {
            CrawlKind::Warc => vec![PAGES.into()],
            CrawlKind::Wet => vec![DOCUMENTS.into()],
        }
    }

    pub(super) fn write(
        &self,
        task: &Task<'_>,
        file: &SourceFile,
        (entry, budget): (&Entry, &mut PageBudget),
        found: &mut Yield,
        out: &mut Output<'_>,
    ) -> Result<()> {
        match entry {
            Entry::Damage(Damage { position, reason, detail }) => {
                budget.take_damage(*position).map_err(|detail| self.too_much(detail))?;
                let fault = FileFault { reason, detail: detail.clone() };
                found.lost((RECORDS, file), self.source.id(file, *position)?, fault, out)
            }
            Entry::Record(record) if self.is_wanted(record) => {
                let id = self.source.id(file, record.position)?;
                let page = guarded(task, id, || Body::within(budget, record));
                let page = page.and_then(|body| guarded(task, id, || body.read(self.ruby)));
                self.record(id, record, page, found, out)
            }
            // Requests, metadata, what is in other files: nothing to read in them.
            Entry::Record(_) => Ok(()),
        }
    }

    fn is_wanted(&self, record: &Record) -> bool {
        match (self.kind, record.header.kind()) {
            (CrawlKind::Warc, RecordKind::Response | RecordKind::Resource | RecordKind::Revisit) => true,
            (CrawlKind::Wet, RecordKind::Conversion) => true,
            (CrawlKind::Warc | CrawlKind::Wet, _) => false,
        }
    }

    /// Passes over an entry that is written already: what comes after it has as much left as in a run
    /// without interruption.
    pub(super) fn pass_over(
        &self,
        task: &Task<'_>,
        file: &SourceFile,
        entry: &Entry,
        budget: &mut PageBudget,
    ) -> Result<()> {
        match entry {
            Entry::Damage(Damage { position, .. }) => {
                budget.take_damage(*position).map_err(|detail| self.too_much(detail))?;
            }
            Entry::Record(record) if self.is_wanted(record) => {
                let id = self.source.id(file, record.position)?;
                // Why there is none was said when it was written.
                let _ = guarded(task, id, || Body::within(budget, record));
            }
            Entry::Record(_) => {}
        }
        Ok(())
    }

    /// Returns the fault that ends the reading of a file.
    fn too_much(&self, detail: String) -> Error {
        Error::work(&self.source.name, FileFault { reason: INFLATED, detail })
    }

    fn record(
        &self,
        id: Id,
        record: &Record,
        page: Result<Webpage, Refusal>,
        found: &mut Yield,
        out: &mut Output<'_>,
    ) -> Result<()> {
        let url = record.header.target().unwrap_or_default();
        let key = record.header.get("warc-record-id");
        let removal = |reason, value| Removal { id, key, url: Some(url), reason, value, preview: url };
        out.read(RECORDS);
        match page {
            Err(Refusal::Fail(..)) => found.failed(),
            Ok(_) | Err(Refusal::Drop(..)) => found.record(),
        }
        match page {
            Ok(page) => {
                let date = record.header.get("warc-date").map(str::to_owned);
                self.keep(id, url, date, page, out)
            }
            Err(Refusal::Drop(reason, value)) => out.drop(RECORDS, removal(reason, value)),
            Err(Refusal::Fail(reason, value)) => out.fail(RECORDS, removal(reason, value)),
        }
    }

    fn keep(
        &self,
        id: Id,
        url: &str,
        date: Option<String>,
        Webpage { extract, charset, .. }: Webpage,
        out: &mut Output<'_>,
    ) -> Result<()> {
        let source = self.source.name.clone();
        match self.kind {
            CrawlKind::Warc => {
                let (title, charset, segments) = (extract.title, charset.to_owned(), extract.segments);
                let (key, url) = (None, Some(url.to_owned()));
                out.write(PAGES, Page { id, key, source, url, date, title, charset, segments })?;
            }
            CrawlKind::Wet => {
                let (url, text) = (Some(url.to_owned()), extract.text());
                out.write(
                    DOCUMENTS,
                    Document { id, key: None, source, url, date, language: None, text, split: None },
                )?;
            }
        }
        out.keep(RECORDS);
        Ok(())
    }
}
