//! Pairs: metadata of image-caption sources, by row.

mod layout;

use corpus::record::{Pair, SourceFile};
use corpus::{Inputs, Output, Removal, Result, Stage, Task};
use serde_json::{Value, json};

pub use layout::{Columns, Layout, PairsFormat};
use layout::{ParquetColumns, Reading, TsvOrder};

use crate::fetch::source::source_error;
use crate::lines::{Line, Lines, decompressed};
use crate::rows::{Cells, Row, Rows};
use crate::source::{Source, preview};

/// Unit and stream of this stage.
const PAIRS: &str = "pairs";
/// Bytes of one line of a TSV file.
const LINE_BYTES_MAX: usize = 1 << 20;

/// The stage of a pairs source; one task per file, the id's position is the row.
pub struct Pairs {
    source: Source,
    format: PairsFormat,
}

/// A pair as a row states it.
#[derive(Debug, Default, PartialEq)]
struct Draft {
    url: String,
    caption: String,
    width: Option<u32>,
    height: Option<u32>,
    similarity: Option<f32>,
}

impl Pairs {
    pub(crate) fn new(source: Source, format: PairsFormat) -> Self {
        Self { source, format }
    }

    fn run_tsv(&self, file: &SourceFile, order: TsvOrder, out: &mut Output<'_>) -> Result<()> {
        let broken = |error: &std::io::Error| source_error(&file.url, error);
        let reader = self.source.client.open(&file.url)?;
        let reader = decompressed(reader).map_err(|error| broken(&error))?;
        let first = out.position();
        let lines = Lines::new(reader, LINE_BYTES_MAX);
        for (row, line) in (0_u64..).zip(lines).skip(first as usize) {
            let (draft, preview) = match line.map_err(|error| broken(&error))? {
                Line::Whole(line) => (order.split(&line), preview(&line)),
                Line::TooLong { head, bytes } => (Err(format!("line of {bytes} bytes")), preview(&head)),
            };
            self.write(file, row, draft, &preview, out)?;
            out.advance(1)?;
        }
        Ok(())
    }

    fn run_parquet(
        &self,
        file: &SourceFile,
        task: &Task<'_>,
        columns: &ParquetColumns,
        out: &mut Output<'_>,
    ) -> Result<()> {
        let first = out.position();
        let parquet = self.source.client.parquet(&file.url, &task.scratch)?;
        let rows = Rows::open(&self.source.name, &file.url, parquet, &columns.wanted(), first)?;
        for (row, cells) in (first..).zip(rows) {
            let draft = match cells? {
                Row::Whole(cells) => Ok(Draft::of(cells)),
                Row::Broken(detail) => Err(detail),
            };
            let preview = match &draft {
                Ok(draft) => format!("{}\t{}", draft.url, draft.caption),
                Err(_) => String::new(),
            };
            self.write(file, row, draft, &preview, out)?;
            out.advance(1)?;
        }
        Ok(())
    }

    fn write(
        &self,
        file: &SourceFile,
        row: u64,
        draft: Result<Draft, String>,
        preview: &str,
        out: &mut Output<'_>,
    ) -> Result<()> {
        let id = self.source.id(file, row)?;
        let removal = |reason, value| Removal { id, key: None, reason, value, preview };
        out.read(PAIRS);
        let draft = match draft {
            Err(detail) => return out.fail(PAIRS, removal("row_broken", detail)),
            Ok(draft) if draft.url.trim().is_empty() => {
                return out.fail(PAIRS, removal("no_url", String::new()));
            }
            Ok(draft) if draft.caption.trim().is_empty() => {
                return out.fail(PAIRS, removal("no_caption", String::new()));
            }
            Ok(draft) => draft,
        };
        let pair = Pair {
            id,
            source: self.source.name.clone(),
            url: draft.url,
            caption: draft.caption,
            width: draft.width,
            height: draft.height,
            similarity: draft.similarity,
        };
        out.write(PAIRS, pair)?;
        out.keep(PAIRS);
        Ok(())
    }
}

impl Draft {
    /// Reads the cells in the order of [`ParquetColumns::wanted`].
    fn of(mut cells: Cells) -> Self {
        let side = |number: Option<f64>| {
            let sides = 1.0..=f64::from(u32::MAX);
            number.filter(|n| sides.contains(n)).map(|n| n as u32)
        };
        Self {
            url: cells.text(0).unwrap_or_default(),
            caption: cells.text(1).unwrap_or_default(),
            width: side(cells.number(2)),
            height: side(cells.number(3)),
            similarity: cells.number(4).filter(|n| n.is_finite()).map(|n| n as f32),
        }
    }
}

impl Stage for Pairs {
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
        match self.format.layout.reading() {
            Reading::Tsv(order) => self.run_tsv(&file, order, &mut out)?,
            Reading::Parquet(columns) => self.run_parquet(&file, task, &columns, &mut out)?,
        }
        out.finish()
    }
}
