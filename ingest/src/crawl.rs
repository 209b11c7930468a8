//! The crawl: records of archives become pages, or documents where the crawl made their text.
//!
//! ```text
//! format    CrawlFormat    [sources.NAME] format.crawl
//! entry     RecordWriter   an entry of an archive -> a page, a document, or a reason
//! (here)    Crawl          NAME: whole archives, one task each
//! select    Select         which records of a snapshot are wanted; pure
//! index     Index          NAME.index: the snapshot's index -> where those records are
//! selected  Selected       NAME: those records alone, by ranges
//! raw       Archives       archives on this machine's disk, where they are kept
//! ```
//!
//! An id is the archive's index and the offset of the record's member, read whole or alone: a
//! page leads back to its bytes by `curl --range OFFSET-` on the file of that index in
//! `NAME.files`.

mod entry;
mod format;
mod index;
mod raw;
mod select;
mod selected;

use corpus::record::SourceFile;
use corpus::{Declared, Inputs, Output, Result, Stage, Task};
use serde_json::{Value, json};

use crate::config::SourceConfig;
use crate::fetch::source::source_error;
use crate::inflation::PageBudget;
use crate::listing::Listing;
use crate::source::{Source, Yield};
use crate::warc::Reader;

use entry::{RECORDS, RecordWriter};
pub use format::{CrawlFormat, CrawlKind, Raw};
use index::Index;
use raw::{Archive, Archives};
pub use select::Select;
use selected::Selected;

/// The stage of a crawl; one task per archive, the id's position is the record's offset.
pub struct Crawl {
    writer: RecordWriter,
    archives: Archives,
}

/// Returns the stages of a crawl: its listing, its index where records are selected, its reader.
pub(crate) fn stages(source: Source, config: &SourceConfig, format: &CrawlFormat) -> Vec<Box<dyn Stage>> {
    let listing = Listing::new(source.clone(), config);
    let writer = RecordWriter { source: source.clone(), kind: format.kind, ruby: format.ruby };
    let (Some(select), Some((list, prefix))) = (&format.select, format.index_list()) else {
        let archives = Archives::new(source, format.raw.clone());
        return vec![Box::new(listing), Box::new(Crawl { writer, archives })];
    };
    let index = Index::new(source, prefix.clone(), select.clone());
    let parts = Listing::of_index(index.source(), list, prefix, select.index_parts_max);
    vec![Box::new(listing), Box::new(parts), Box::new(index), Box::new(Selected::new(writer))]
}

impl Crawl {
    fn read(
        &self,
        task: &Task<'_>,
        (file, archive): (&SourceFile, &Archive<'_>),
        found: &mut Yield,
        out: &mut Output<'_>,
    ) -> Result<()> {
        let broken = |error: &std::io::Error| source_error(&file.url, error);
        let reader = Reader::new(archive.reader()?).map_err(|error| broken(&error))?;
        let (first, mut budget) = (out.position(), PageBudget::default());
        for (number, entry) in (0..).zip(reader) {
            let entry = entry.map_err(|error| broken(&error))?;
            if number < first {
                self.writer.pass_over(task, file, &entry, &mut budget)?;
                continue;
            }
            self.writer.write(task, file, (&entry, &mut budget), found, out)?;
            out.advance(1)?;
        }
        Ok(())
    }
}

impl Stage for Crawl {
    fn name(&self) -> String {
        self.writer.source.name.clone()
    }

    fn inputs(&self) -> Vec<String> {
        vec![self.writer.source.listing()]
    }

    fn settings(&self) -> Result<Value> {
        let RecordWriter { source, kind, ruby } = &self.writer;
        Ok(json!({ "source": source.name, "code": source.code, "kind": kind, "ruby": ruby }))
    }

    fn version(&self) -> u32 {
        6
    }

    fn task_identity(&self, inputs: &Inputs, index: u32) -> Result<Option<String>> {
        self.writer.source.identity(inputs, index)
    }

    fn plan(&self, inputs: &Inputs) -> Result<u32> {
        self.writer.source.plan(inputs)
    }

    fn streams(&self) -> Vec<Declared> {
        self.writer.streams()
    }

    fn guards_records(&self) -> bool {
        true
    }

    fn run(&self, task: &Task<'_>, out: &mut Output<'_>) -> Result<()> {
        let mut archive = None;
        self.writer.source.run(task, RECORDS, out, |file, found, out| {
            let archive = archive.insert(self.archives.open(file, task.cancel)?);
            self.read(task, (file, archive), found, out)
        })?;
        archive.map_or(Ok(()), |archive: Archive<'_>| archive.done())
    }
}
