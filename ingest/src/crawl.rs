//! The crawl: responses of WARC files become pages.

use corpus::record::{Page, SourceFile};
use corpus::{Inputs, Output, Removal, Result, Stage, Task};
use serde_json::{Value, json};

use crate::fetch::source::source_error;
use crate::source::Source;
use crate::warc::{Damage, Entry, Kind, Reader, Record};
use crate::webpage::{Refusal, Webpage};

/// Unit: WARC records of type response, resource and revisit, and places where a record could
/// not be read.
const RECORDS: &str = "records";
/// Stream of this stage.
const PAGES: &str = "pages";

/// The stage of a crawl; one task per WARC file, the id's position is the record's offset.
pub struct Crawl {
    source: Source,
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
        // Requests, metadata, what was made of a page: nothing to read in them.
        if matches!(record.header.kind(), Kind::Other | Kind::Conversion) {
            return Ok(());
        }
        let id = self.source.id(file, record.position)?;
        let url = record.header.target().unwrap_or_default();
        let outcome = task.crashes.guard(id, || Webpage::of_record(record));
        let outcome = outcome.unwrap_or_else(|fatal| Err(Refusal::Fail(fatal.reason(), String::new())));
        let removal = |reason, value| Removal { id, reason, value, preview: url };
        out.read(RECORDS);
        match outcome {
            Ok(Webpage { extract, charset, .. }) => {
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
