//! Pairs: metadata of image-caption sources, by row.

mod columns;
mod draft;
mod layout;

use std::io;

use corpus::record::{PAIRS, SourceFile};
use corpus::{Declared, Inputs, Output, Removal, Result, Stage, Task};
use serde_json::{Value, json};

use columns::ColumnNames;
pub use columns::Columns;
use draft::PairDraft;
use layout::{Container, Reading};
pub use layout::{Layout, PairsFormat};

use crate::fetch::source::source_error;
use crate::lines::{Ends, Line, Lines, Text, look, pass_over_mark};
use crate::rows::delimited::DelimitedRows;
use crate::rows::json::JsonRows;
use crate::rows::{ParquetRows, ROW_BYTES_MAX, Row, Wanted};
use crate::source::{Source, Yield};

/// What is counted.
const UNIT: &str = PAIRS.name();

/// The stage of a pairs source; one task per file, the id's position is the row.
pub struct Pairs {
    source: Source,
    format: PairsFormat,
}

/// The rows of a file from the first on.
type Drafts<'a> = Box<dyn Iterator<Item = Result<Row<Box<PairDraft>>>> + 'a>;

impl Pairs {
    pub(crate) fn new(source: Source, format: PairsFormat) -> Self {
        Self { source, format }
    }

    /// Opens a file and passes over the rows that are committed.
    fn drafts<'a>(&'a self, file: &'a SourceFile, task: &Task<'_>, first: u64) -> Result<Drafts<'a>> {
        let names = match self.format.reading() {
            Reading::Tsv(order) => {
                return self.lines(file, self.source.open_rows(file)?, first, move |line| order.split(line));
            }
            Reading::Columns(names) => names,
        };
        let place = (self.source.name.as_str(), file.url.as_str());
        let broken = |error: &io::Error| source_error(&file.url, error);
        let skip = usize::try_from(first).unwrap_or(usize::MAX);
        let rows: Box<dyn Iterator<Item = io::Result<Row>> + 'a> = match self
            .format
            .layout
            .container(&file.url, self.source.is_parquet(file))
        {
            Container::Urls => {
                match look(self.source.open_rows(file)?, |head| header_delimiter(head, names.wanted())) {
                    (Some(delimiter), reader) => {
                        let rows = DelimitedRows::open(
                            place,
                            reader,
                            (delimiter, ROW_BYTES_MAX),
                            names.wanted(),
                            broken,
                        )?;
                        Box::new(rows.skip(skip))
                    }
                    (None, reader) => return self.lines(file, reader, first, url_alone),
                }
            }
            Container::Parquet => {
                let parquet = self.source.client.parquet(&file.url, &task.scratch)?;
                let rows = ParquetRows::open(place.0, place.1, parquet, names.wanted(), first)?;
                return Ok(Box::new(rows.map(move |row| Ok(drafted(&names, row?)))));
            }
            Container::Json => {
                let rows =
                    JsonRows::open(place, self.source.open_rows(file)?, ROW_BYTES_MAX, names.wanted())?;
                Box::new(rows.skip(skip))
            }
            Container::Delimited(delimiter) => {
                let reader = self.source.open_rows(file)?;
                let rows =
                    DelimitedRows::open(place, reader, (delimiter, ROW_BYTES_MAX), names.wanted(), broken)?;
                Box::new(rows.skip(skip))
            }
        };
        Ok(Box::new(rows.map(move |row| Ok(drafted(&names, row.map_err(|error| broken(&error))?)))))
    }

    /// Reads a file by lines; blank ones are rows too, so that a row's number is its line's.
    fn lines<'a>(
        &'a self,
        file: &'a SourceFile,
        mut reader: Text<'a>,
        first: u64,
        split: impl Fn(&[u8]) -> Result<PairDraft, String> + 'a,
    ) -> Result<Drafts<'a>> {
        let lost = match pass_over_mark(&mut reader) {
            Ok(()) => None,
            Err(error) => Some(Line::lost(error, 0).map_err(|error| source_error(&file.url, &error))?),
        };
        let lines = lost.into_iter().map(Ok).chain(Lines::new(reader, ROW_BYTES_MAX, Ends::Any));
        let lines = lines.skip(usize::try_from(first).unwrap_or(usize::MAX));
        Ok(Box::new(lines.map(move |line| {
            let line = line.map_err(|error| source_error(&file.url, &error))?;
            Ok(Row::of_line(line, "line", |line| split(line).map(Box::new)))
        })))
    }

    fn read(
        &self,
        task: &Task<'_>,
        file: &SourceFile,
        found: &mut Yield,
        out: &mut Output<'_>,
    ) -> Result<()> {
        for draft in self.drafts(file, task, out.position())? {
            let draft = draft?;
            let rows = draft.count();
            self.write(file, out.position(), draft, found, out)?;
            out.advance(rows)?;
        }
        Ok(())
    }

    fn write(
        &self,
        file: &SourceFile,
        row: u64,
        draft: Row<Box<PairDraft>>,
        found: &mut Yield,
        out: &mut Output<'_>,
    ) -> Result<()> {
        let id = self.source.id(file, row)?;
        let draft = match draft {
            Row::Lost { fault, .. } => return found.lost((UNIT, file), id, fault, out),
            Row::Broken { detail, preview } => return found.broken(UNIT, id, detail, &preview, out),
            Row::Whole(draft) => draft,
        };
        out.read(UNIT);
        let missing = match () {
            () if draft.url.trim().is_empty() => Some("no_url"),
            () if self.format.needs_caption() && draft.caption.trim().is_empty() => Some("no_caption"),
            () => None,
        };
        if let Some(reason) = missing {
            found.failed();
            let preview = format!("{}\t{}", draft.url, draft.caption);
            let (key, url) = (draft.key.as_deref(), Some(draft.url.as_str()).filter(|url| !url.is_empty()));
            let removal = Removal { id, key, url, reason, value: String::new(), preview: &preview };
            return out.fail(UNIT, removal);
        }
        out.write(PAIRS, draft.into_pair(id, self.source.name.clone()))?;
        out.keep(UNIT);
        found.record();
        Ok(())
    }
}

fn drafted(names: &ColumnNames, row: Row) -> Row<Box<PairDraft>> {
    row.map(|cells| Box::new(names.draft(cells)))
}

/// Returns the delimiter of a file whose name says that it is a list of URLs alone, but which begins with a header
/// that names a column of URLs.
fn header_delimiter(head: &[u8], wanted: &[Wanted]) -> Option<u8> {
    let line = head.split(|byte| b"\r\n".contains(byte)).next()?;
    let line = String::from_utf8_lossy(line.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(line));
    let is_header = |delimiter: &&u8| {
        let fields: Vec<&str> =
            line.split(char::from(**delimiter)).map(|field| field.trim_matches(['"', ' '])).collect();
        fields.len() > 1 && wanted.first().is_some_and(|urls| fields.iter().any(|field| urls.has_name(field)))
    };
    b",\t;".iter().find(is_header).copied()
}

/// A line of a list of URLs.
fn url_alone(line: &[u8]) -> Result<PairDraft, String> {
    let url = std::str::from_utf8(line).map_err(|_| "not UTF-8".to_owned())?;
    if url.trim().contains('\t') {
        return Err(
            "a second column behind a tab: name the file .tsv, and the columns in its first line".to_owned()
        );
    }
    Ok(PairDraft { url: url.trim().to_owned(), ..PairDraft::default() })
}

impl Stage for Pairs {
    fn name(&self) -> String {
        self.source.name.clone()
    }

    fn inputs(&self) -> Vec<String> {
        vec![self.source.listing()]
    }

    fn settings(&self) -> Result<Value> {
        Ok(json!({ "source": self.source.name, "code": self.source.code, "format": self.format }))
    }

    fn version(&self) -> u32 {
        6
    }

    fn task_identity(&self, inputs: &Inputs, index: u32) -> Result<Option<String>> {
        self.source.identity(inputs, index)
    }

    fn plan(&self, inputs: &Inputs) -> Result<u32> {
        self.source.plan(inputs)
    }

    fn streams(&self) -> Vec<Declared> {
        vec![PAIRS.into()]
    }

    fn run(&self, task: &Task<'_>, out: &mut Output<'_>) -> Result<()> {
        self.source.run(task, UNIT, out, |file, found, out| self.read(task, file, found, out))
    }
}
