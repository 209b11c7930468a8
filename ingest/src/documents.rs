//! Documents: text sources whose records are texts already.

mod format;
mod judge;

use std::io;

use corpus::record::{DOCUMENTS, Document, SourceFile};
use corpus::{Declared, Inputs, Output, Removal, Result, Stage, Task};
use serde_json::{Value, json};

pub use format::{DocumentFormat, PileFormat, RowsFormat, Separator, TextFormat};
use judge::{DocumentDraft, Judgement};

use crate::fetch::source::source_error;
use crate::lines::{Blocks, Ends, Line, Lines, look, pass_over_mark};
use crate::rows::json::JsonTexts;
use crate::rows::{ColumnKind, ParquetRows, ROW_BROKEN, Row, Wanted};
use crate::source::{Source, Yield, preview};

/// What is counted.
const UNIT: &str = DOCUMENTS.name();
/// The field of The Pile's texts.
const PILE_TEXT: &str = "text";
/// Unit: documents of which characters could not be read and stand as U+FFFD.
const REPLACED: &str = "documents_with_replacements";
/// Bytes of one line or block: the longest books of The Pile are below.
pub const LINE_BYTES_MAX: usize = 16 << 20;

/// The stage of a text source; one task per file, the id's position is the row.
pub struct Documents {
    source: Source,
    format: DocumentFormat,
}

/// The texts of a file's records, in their order.
type Texts<'a> = Box<dyn Iterator<Item = io::Result<Line>> + 'a>;

impl Documents {
    pub(crate) fn new(source: Source, format: DocumentFormat) -> Self {
        Self { source, format }
    }

    /// Returns the columns that must be there: the text's in every file; those of id, URL and date in the
    /// first, so that a wrong name is noticed, while files without any of them may follow.
    fn wanted(format: &RowsFormat, file: &SourceFile) -> [Wanted; 4] {
        let named = |kind, name: Option<&str>, is_named: bool| {
            let names: Vec<String> = name.iter().map(|&name| name.to_owned()).collect();
            match is_named && file.index == 0 {
                true => Wanted::required(kind, names),
                false => Wanted::optional(kind, names),
            }
        };
        // In the order of `judge::Place`.
        [
            Wanted::required(ColumnKind::Prose, vec![format.text.clone()]),
            named(ColumnKind::Beside, Some(format.url()), format.url.is_some()),
            named(ColumnKind::Beside, format.date.as_deref(), format.date.is_some()),
            named(ColumnKind::Id, Some(format.id()), format.id.is_some()),
        ]
    }

    fn read(
        &self,
        task: &Task<'_>,
        file: &SourceFile,
        found: &mut Yield,
        out: &mut Output<'_>,
    ) -> Result<()> {
        let name = self.source.name.as_str();
        match &self.format {
            DocumentFormat::Pile(format) => {
                let wanted = [Wanted::required(ColumnKind::Prose, vec![PILE_TEXT.to_owned()])];
                let texts = self.json_texts(file, &wanted)?;
                self.read_texts(file, texts, |line| judge::pile(line, &wanted, format), found, out)
            }
            DocumentFormat::Rows(format) if self.source.is_parquet(file) => {
                self.read_parquet(file, task, format, found, out)
            }
            DocumentFormat::Rows(format) => {
                let wanted = Self::wanted(format, file);
                let texts = self.json_texts(file, &wanted)?;
                self.read_texts(file, texts, |line| judge::json(line, &wanted, name), found, out)
            }
            DocumentFormat::Text(format) => {
                let texts = self.plain_texts(file, format.separator)?;
                self.read_texts(file, texts, |line| judge::plain(line, name), found, out)
            }
        }
    }

    fn json_texts<'a>(&'a self, file: &SourceFile, wanted: &[Wanted]) -> Result<Texts<'a>> {
        let place = (self.source.name.as_str(), file.url.as_str());
        Ok(Box::new(JsonTexts::open(place, self.source.open_rows(file)?, LINE_BYTES_MAX, wanted)?))
    }

    fn plain_texts<'a>(&'a self, file: &SourceFile, separator: Separator) -> Result<Texts<'a>> {
        let mut reader = self.source.open_text(file)?;
        let lost = match pass_over_mark(&mut reader) {
            Ok(()) => None,
            Err(error) => Some(Line::lost(error, 0).map_err(|error| source_error(&file.url, &error))?),
        };
        let lost = lost.into_iter().map(Ok);
        let (ends, reader) = look(reader, Ends::of_text);
        Ok(match separator {
            Separator::Line => Box::new(lost.chain(Lines::new(reader, LINE_BYTES_MAX, ends))),
            Separator::BlankLine => Box::new(lost.chain(Blocks::new(reader, LINE_BYTES_MAX, ends))),
        })
    }

    fn read_texts(
        &self,
        file: &SourceFile,
        texts: Texts<'_>,
        judge: impl Fn(&[u8]) -> Judgement,
        found: &mut Yield,
        out: &mut Output<'_>,
    ) -> Result<()> {
        let first = out.position();
        for (row, line) in (0_u64..).zip(texts).skip(usize::try_from(first).unwrap_or(usize::MAX)) {
            match line.map_err(|error| source_error(&file.url, &error))? {
                Line::Whole(line) if line.trim_ascii().is_empty() => {}
                Line::Whole(line) => {
                    let judgement = judge(&line);
                    self.write(file, row, judgement, &preview(&line), found, out)?;
                }
                Line::TooLong { head, bytes } => {
                    let judgement = Judgement::fail("line_too_long", bytes.to_string());
                    self.write(file, row, judgement, &preview(&head), found, out)?;
                }
                Line::Lost(fault) => found.lost((UNIT, file), self.source.id(file, row)?, fault, out)?,
            }
            out.advance(1)?;
        }
        Ok(())
    }

    fn read_parquet(
        &self,
        file: &SourceFile,
        task: &Task<'_>,
        format: &RowsFormat,
        found: &mut Yield,
        out: &mut Output<'_>,
    ) -> Result<()> {
        let parquet = self.source.client.parquet(&file.url, &task.scratch)?;
        let (first, wanted) = (out.position(), Self::wanted(format, file));
        let rows = ParquetRows::open(&self.source.name, &file.url, parquet, &wanted, first)?;
        for cells in rows {
            let row = out.position();
            let (judgement, preview) = match cells? {
                Row::Whole(cells) => {
                    (judge::text(DocumentDraft::of(cells, &self.source.name)), String::new())
                }
                Row::Broken { detail, preview } => (Judgement::fail(ROW_BROKEN, detail), preview),
                Row::Lost { fault, rows } => {
                    found.lost((UNIT, file), self.source.id(file, row)?, fault, out)?;
                    out.advance(rows)?;
                    continue;
                }
            };
            self.write(file, row, judgement, &preview, found, out)?;
            out.advance(1)?;
        }
        Ok(())
    }

    fn write(
        &self,
        file: &SourceFile,
        row: u64,
        judgement: Judgement,
        preview: &str,
        found: &mut Yield,
        out: &mut Output<'_>,
    ) -> Result<()> {
        let id = self.source.id(file, row)?;
        let removal = |reason, value| Removal { id, key: None, url: None, reason, value, preview };
        out.read(UNIT);
        match judgement {
            Judgement::Keep(draft) => {
                if draft.is_replaced {
                    out.read(REPLACED);
                    out.keep(REPLACED);
                }
                let document = Document {
                    key: draft.key,
                    id,
                    source: draft.source,
                    url: draft.url,
                    date: draft.date,
                    language: None,
                    text: draft.text,
                    split: None,
                };
                out.write(DOCUMENTS, document)?;
                out.keep(UNIT);
                found.record();
                Ok(())
            }
            Judgement::Drop { reason, value } => {
                found.record();
                out.drop(UNIT, removal(reason, value))
            }
            Judgement::Fail { reason, value } => {
                found.failed();
                out.fail(UNIT, removal(reason, value))
            }
        }
    }
}

impl Stage for Documents {
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
        3
    }

    fn task_identity(&self, inputs: &Inputs, index: u32) -> Result<Option<String>> {
        self.source.identity(inputs, index)
    }

    fn plan(&self, inputs: &Inputs) -> Result<u32> {
        self.source.plan(inputs)
    }

    fn streams(&self) -> Vec<Declared> {
        vec![DOCUMENTS.into()]
    }

    fn run(&self, task: &Task<'_>, out: &mut Output<'_>) -> Result<()> {
        self.source.run(task, UNIT, out, |file, found, out| self.read(task, file, found, out))
    }
}
