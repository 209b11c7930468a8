//! Selected records: each read by its own range, as if its archive were read whole.

use std::collections::BTreeMap;

use corpus::id::POSITION_MAX;
use corpus::record::{FILES, RECORD_LOCATIONS, RecordLocation, SourceFile};
use corpus::{Declared, Error, Inputs, Output, Result, Stage, Task};
use serde_json::{Value, json};

use super::entry::{RECORDS, RecordWriter};
use crate::fault::{FileFault, POSITION_TOO_LARGE};
use crate::fetch::range::{RANGE_BYTES_MAX, Range};
use crate::fetch::source::source_error;
use crate::inflation::PageBudget;
use crate::location::shown;
use crate::source::Yield;
use crate::warc::Reader;

/// Picks in one range of the ledger.
const RANGE_RECORDS_MAX: u64 = 1_000;

/// Reason of a record that is longer than any that is read.
const RANGE_TOO_LARGE: &str = "range_too_large";

/// The stage of a crawl of single records; one task per part of what the index wants.
pub(super) struct Selected {
    writer: RecordWriter,
}

impl Selected {
    pub(super) fn new(writer: RecordWriter) -> Self {
        Self { writer }
    }

    fn index(&self) -> String {
        format!("{}.index", self.writer.source.name)
    }

    /// Reads what the range of one location holds.
    fn read(
        &self,
        task: &Task<'_>,
        file: &SourceFile,
        (location, bytes): (&RecordLocation, &[u8]),
        found: &mut Yield,
        out: &mut Output<'_>,
    ) -> Result<()> {
        let broken = |error: &std::io::Error| source_error(&file.url, error);
        let mut budget = PageBudget::default();
        for entry in Reader::at(bytes, location.offset).map_err(|error| broken(&error))? {
            let entry = entry.map_err(|error| broken(&error))?;
            self.writer.write(task, file, (&entry, &mut budget), found, out)?;
        }
        Ok(())
    }
}

impl Stage for Selected {
    fn name(&self) -> String {
        self.writer.source.name.clone()
    }

    fn inputs(&self) -> Vec<String> {
        vec![self.writer.source.listing(), self.index()]
    }

    fn settings(&self) -> Result<Value> {
        let RecordWriter { source, ruby, .. } = &self.writer;
        Ok(json!({ "source": source.name, "code": source.code, "selected": true, "ruby": ruby }))
    }

    fn version(&self) -> u32 {
        5
    }

    fn plan(&self, inputs: &Inputs) -> Result<u32> {
        inputs.get(&self.index())?.part_count(RECORD_LOCATIONS)
    }

    fn streams(&self) -> Vec<Declared> {
        self.writer.streams()
    }

    fn guards_records(&self) -> bool {
        true
    }

    fn run(&self, task: &Task<'_>, out: &mut Output<'_>) -> Result<()> {
        out.set_range_records_max(RANGE_RECORDS_MAX);
        let source = &self.writer.source;
        let files = task.inputs.get(&source.listing())?.rows(FILES);
        let files: BTreeMap<u32, String> =
            files.map(|file| file.map(|file| (file.index, file.url))).collect::<Result<_>>()?;
        let index = task.inputs.get(&self.index())?;
        let part = index.part(RECORD_LOCATIONS, task.index)?;
        let part = part.ok_or_else(|| Error::MissingInput { input: self.index() })?;
        let locations: Vec<RecordLocation> =
            index.open_at::<RecordLocation>(&part, out.position())?.collect::<Result<_>>()?;
        let file = |location: &RecordLocation| SourceFile {
            index: location.file,
            url: files.get(&location.file).cloned().unwrap_or_default(),
        };
        // A place or length that no record has is not asked for.
        let is_sane = |location: &&RecordLocation| {
            location.length <= RANGE_BYTES_MAX && location.offset <= POSITION_MAX
        };
        let range = |location: &RecordLocation| Range {
            url: file(location).url,
            offset: location.offset,
            length: location.length,
        };
        let mut found = Yield::of(out);
        let mut ranges = source.client.ranges(locations.iter().filter(is_sane).map(range));
        for location in &locations {
            let file = file(location);
            let read = if !is_sane(&location) {
                let detail = format!("a range of {} bytes", location.length);
                let is_beyond = location.offset > POSITION_MAX;
                let reason = if is_beyond { POSITION_TOO_LARGE } else { RANGE_TOO_LARGE };
                Err(Error::work(&source.name, FileFault { reason, detail }))
            } else if let Some((_, bytes)) = ranges.next() {
                let bytes = bytes.map_err(|error| source_error(&file.url, &error));
                bytes.and_then(|bytes| self.read(task, &file, (location, &bytes), &mut found, out))
            } else {
                Ok(())
            };
            if let Err(error) = read {
                let mut fault = FileFault::of_error(error)?;
                fault.detail += &format!(" (at byte {} of {})", location.offset, shown(&file.url));
                let id = source.id(&file, location.offset.min(POSITION_MAX))?;
                found.lost((RECORDS, &file), id, fault, out)?;
            }
            out.advance(1)?;
        }
        Ok(())
    }
}
