//! Documents: text sources whose records are texts already.

mod format;
mod judge;

use corpus::record::{Document, SourceFile};
use corpus::{Inputs, Output, Removal, Result, Stage, Task};
use serde_json::{Value, json};

pub use format::{DocumentFormat, PileFormat, RowsFormat, Separator, TextFormat};
use judge::{Draft, Judgement};

use crate::fetch::source::source_error;
use crate::lines::{Blocks, Line, Lines, decompressed};
use crate::rows::{Kind, ParquetRows, Row, Wanted};
use crate::source::{Source, preview};

/// Unit and stream of this stage.
const DOCUMENTS: &str = "documents";
/// Bytes of one line or block: the longest books of The Pile are below.
pub const LINE_BYTES_MAX: usize = 16 << 20;

/// The stage of a text source; one task per file, the id's position is the row.
pub struct Documents {
    source: Source,
    format: DocumentFormat,
}

impl Documents {
    pub(crate) fn new(source: Source, format: DocumentFormat) -> Self {
        Self { source, format }
    }

    fn run_lines(
        &self,
        file: &SourceFile,
        out: &mut Output<'_>,
        judge: impl Fn(&[u8]) -> Judgement,
        separator: Separator,
    ) -> Result<()> {
        let broken = |error: &std::io::Error| source_error(&file.url, error);
        let reader = self.source.client.open(&file.url)?;
        let reader = decompressed(reader).map_err(|error| broken(&error))?;
        let lines: Box<dyn Iterator<Item = std::io::Result<Line>>> = match separator {
            Separator::Line => Box::new(Lines::new(reader, LINE_BYTES_MAX)),
            Separator::BlankLine => Box::new(Blocks::new(reader, LINE_BYTES_MAX)),
        };
        let first = out.position();
        for (row, line) in (0_u64..).zip(lines).skip(first as usize) {
            match line.map_err(|error| broken(&error))? {
                Line::Whole(line) if line.trim_ascii().is_empty() => {}
                Line::Whole(line) => {
                    let judgement = judge(&line);
                    self.write(file, row, judgement, &preview(&line), out)?;
                }
                Line::TooLong { head, bytes } => {
                    let judgement = Judgement::fail("line_too_long", bytes.to_string());
                    self.write(file, row, judgement, &preview(&head), out)?;
                }
            }
            out.advance(1)?;
        }
        Ok(())
    }

    fn run_parquet(
        &self,
        file: &SourceFile,
        task: &Task<'_>,
        format: &RowsFormat,
        out: &mut Output<'_>,
    ) -> Result<()> {
        let names = |name: &Option<String>| name.iter().cloned().collect();
        let wanted = [
            Wanted::required(Kind::Text, vec![format.text.clone()]),
            Wanted::optional(Kind::Text, names(&format.url)),
            Wanted::optional(Kind::Text, names(&format.date)),
            Wanted::optional(Kind::Text, names(&format.id)),
        ];
        let parquet = self.source.client.parquet(&file.url, &task.scratch)?;
        let first = out.position();
        for (row, cells) in
            (first..).zip(ParquetRows::open(&self.source.name, &file.url, parquet, &wanted, first)?)
        {
            let judgement = match cells? {
                Row::Whole(mut cells) => judge::text(Draft {
                    source: self.source.name.clone(),
                    text: cells.text(0).unwrap_or_default(),
                    url: cells.text(1),
                    date: cells.text(2),
                    key: cells.text(3),
                }),
                Row::Broken { detail, .. } => Judgement::fail("row_broken", detail),
            };
            self.write(file, row, judgement, "", out)?;
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
        out: &mut Output<'_>,
    ) -> Result<()> {
        let id = self.source.id(file, row)?;
        let removal = |reason, value| Removal { id, key: None, url: None, reason, value, preview };
        out.read(DOCUMENTS);
        match judgement {
            Judgement::Keep(draft) => {
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
                out.keep(DOCUMENTS);
                Ok(())
            }
            Judgement::Drop { reason, value } => out.drop(DOCUMENTS, removal(reason, value)),
            Judgement::Fail { reason, value } => out.fail(DOCUMENTS, removal(reason, value)),
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

    fn settings(&self) -> Value {
        json!({ "source": self.source.name, "code": self.source.code, "format": self.format })
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
        let name = self.source.name.as_str();
        match &self.format {
            DocumentFormat::Pile(format) => {
                let judge = |line: &[u8]| judge::pile(line, format);
                self.run_lines(&file, &mut out, judge, Separator::Line)?;
            }
            DocumentFormat::Rows(format) if RowsFormat::is_parquet(&file.url) => {
                self.run_parquet(&file, task, format, &mut out)?;
            }
            DocumentFormat::Rows(format) => {
                let judge = |line: &[u8]| judge::json(line, name, format);
                self.run_lines(&file, &mut out, judge, Separator::Line)?;
            }
            DocumentFormat::Text(format) => {
                let judge = |line: &[u8]| judge::plain(line, name);
                self.run_lines(&file, &mut out, judge, format.separator)?;
            }
        }
        out.finish()
    }
}
