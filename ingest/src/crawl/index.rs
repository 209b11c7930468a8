//! The index: where the wanted records of a snapshot are.

use std::collections::HashMap;

use corpus::record::{FILES, RECORD_LOCATIONS, RecordLocation, SourceFile};
use corpus::{Declared, Inputs, Output, Result, Stage, Task};
use serde_json::{Value, json};

use super::select::{IndexRow, Select};
use crate::fault::FileFault;
use crate::rows::{Cells, ColumnKind, ParquetRows, ROW_BROKEN, Row, Wanted};
use crate::source::{Source, Yield};

/// What is counted: records that are wanted.
const UNIT: &str = RECORD_LOCATIONS.name();

/// The stage `NAME.index`: one task per part of the index, which is read by ranges.
///
/// What the selection leaves out is counted by the rule that does so (units `left_out_RULE`)
/// and not listed: an index has billions of rows.
pub(super) struct Index {
    /// The crawl itself.
    crawl: Source,
    prefix: String,
    select: Select,
}

impl Index {
    pub(super) fn new(crawl: Source, prefix: String, select: Select) -> Self {
        Self { crawl, prefix, select }
    }

    /// Returns the index as a source: its parts are listed like files.
    pub(super) fn source(&self) -> Source {
        Source { name: format!("{}.index", self.crawl.name), ..self.crawl.clone() }
    }

    /// Returns the index of each archive by its path.
    fn archives(&self, task: &Task<'_>) -> Result<HashMap<String, u32>> {
        let files = task.inputs.get(&self.crawl.listing())?;
        let path = |file: SourceFile| {
            let path = file.url.strip_prefix(&self.prefix).unwrap_or(&file.url);
            (path.to_owned(), file.index)
        };
        files.rows(FILES).map(|file| file.map(path)).collect()
    }

    fn read(
        &self,
        task: &Task<'_>,
        (part, archives): (&SourceFile, &HashMap<String, u32>),
        found: &mut Yield,
        out: &mut Output<'_>,
    ) -> Result<()> {
        let source = self.source();
        let parquet = source.client.parquet(&part.url, &task.scratch)?;
        for cells in ParquetRows::open(&source.name, &part.url, parquet, &wanted(), out.position())? {
            let mut taken = 1;
            let picked = match cells? {
                Row::Whole(cells) => pick(cells, &self.select, archives),
                Row::Broken { detail, .. } => Err(broken(detail)),
                Row::Lost { fault, rows } => {
                    taken = rows;
                    Err(fault)
                }
            };
            match picked {
                Ok(picked) => {
                    let unit = match picked {
                        Ok(pick) => {
                            out.write(RECORD_LOCATIONS, pick)?;
                            UNIT.to_owned()
                        }
                        Err(rule) => format!("left_out_{rule}"),
                    };
                    out.read(&unit);
                    out.keep(&unit);
                    found.record();
                }
                Err(fault) => found.lost((UNIT, part), source.id(part, out.position())?, fault, out)?,
            }
            out.advance(taken)?;
        }
        Ok(())
    }
}

fn wanted() -> [Wanted; 8] {
    let text = |name: &str| Wanted::optional(ColumnKind::Text, vec![name.to_owned()]);
    let required = |kind, name: &str| Wanted::required(kind, vec![name.to_owned()]);
    [
        required(ColumnKind::Text, "url"),
        required(ColumnKind::Number, "fetch_status"),
        text("content_languages"),
        Wanted::optional(
            ColumnKind::Text,
            vec!["content_mime_detected".to_owned(), "content_mime_type".to_owned()],
        ),
        text("url_host_registered_domain"),
        required(ColumnKind::Text, "warc_filename"),
        required(ColumnKind::Number, "warc_record_offset"),
        required(ColumnKind::Number, "warc_record_length"),
    ]
}

fn broken(detail: String) -> FileFault {
    FileFault { reason: ROW_BROKEN, detail }
}

/// Returns where a row's record is, or the rule that leaves it out.
///
/// # Errors
/// What is wrong with a row that is wanted.
fn pick(
    mut cells: Cells,
    select: &Select,
    archives: &HashMap<String, u32>,
) -> Result<Result<RecordLocation, &'static str>, FileFault> {
    let row = IndexRow {
        url: cells.text(0).unwrap_or_default(),
        status: cells.number(1),
        languages: cells.text(2),
        mime: cells.text(3),
        domain: cells.text(4),
    };
    if let Some(rule) = select.leaves_out(&row) {
        return Ok(Err(rule));
    }
    let number = |column| cells.number(column).filter(|number| *number >= 0.0).map(|number| number as u64);
    let (offset, length) = (number(6), number(7));
    // Archives beyond `files_max` are not listed.
    let Some(file) = cells.text(5).and_then(|path| archives.get(&path).copied()) else {
        return Ok(Err("not_listed"));
    };
    match (offset, length) {
        (Some(offset), Some(length)) => Ok(Ok(RecordLocation { file, offset, length })),
        _ => Err(broken("no offset or length of a record".to_owned())),
    }
}

impl Stage for Index {
    fn name(&self) -> String {
        self.source().name
    }

    fn inputs(&self) -> Vec<String> {
        vec![self.crawl.listing(), self.source().listing()]
    }

    fn settings(&self) -> Result<Value> {
        Ok(json!({ "prefix": self.prefix, "select": self.select }))
    }

    fn version(&self) -> u32 {
        3
    }

    fn plan(&self, inputs: &Inputs) -> Result<u32> {
        self.source().plan(inputs)
    }

    fn streams(&self) -> Vec<Declared> {
        vec![RECORD_LOCATIONS.into()]
    }

    fn run(&self, task: &Task<'_>, out: &mut Output<'_>) -> Result<()> {
        self.source().run(task, UNIT, out, |part, found, out| {
            self.read(task, (part, &self.archives(task)?), found, out)
        })
    }
}
