//! Rows of Parquet, CSV, TSV and JSON lines that hold HTML: each is a page.

use std::io;

use corpus::record::{PAGES, SourceFile};
use corpus::{Declared, Inputs, Output, Result, Stage, Task};
use parquet::file::reader::Length;
use serde_json::{Value, json};

use super::{About, HtmlFormat, PageWriter, UNIT};
use crate::fetch::source::source_error;
use crate::html::address::address;
use crate::inflation::{INFLATED, PageBudget};
use crate::kind;
use crate::lines::counted_rows;
use crate::rows::delimited::DelimitedRows;
use crate::rows::json::JsonRows;
use crate::rows::{Cells, ColumnKind, ParquetRows, Row, Wanted};
use crate::source::Yield;
use crate::webpage::{Body, Refusal, Webpage, guarded};

/// Bytes of one row of text: pages of a crawl have as many at most.
const ROW_BYTES_MAX: usize = 16 << 20;

/// Places of the wanted columns.
const HTML: usize = 0;
const URL: usize = 1;
const ID: usize = 2;
const DATE: usize = 3;

/// The stage of a source of rows that hold HTML; one task per file, the id's position is the row.
pub(super) struct Rows {
    writer: PageWriter,
    column: String,
    format: HtmlFormat,
}

/// The rows of a file from its first on, and what tells the bytes of the file that were read for them: of a file
/// that is not compressed, as many as there may be.
struct Opened<'a> {
    rows: Box<dyn Iterator<Item = Result<Row>> + 'a>,
    /// Bytes of it that were read; none where it is plain, and its pages tell them.
    file_bytes: Box<dyn Fn() -> Option<u64>>,
}

impl Rows {
    pub(super) fn new(writer: PageWriter, column: String, format: HtmlFormat) -> Self {
        Self { writer, column, format }
    }

    /// Returns the columns that must be there: the HTML's in every file; others that are named in the first, so that
    /// a wrong name is noticed.
    fn wanted(&self, file: &SourceFile) -> [Wanted; 4] {
        let HtmlFormat { url, id, date, .. } = &self.format;
        let named = |kind, name: Option<&str>, is_named: bool| {
            let names = name.into_iter().map(str::to_owned).collect();
            match is_named && file.index == 0 {
                true => Wanted::required(kind, names),
                false => Wanted::optional(kind, names),
            }
        };
        [
            Wanted::required(ColumnKind::Bytes, vec![self.column.clone()]),
            named(ColumnKind::Beside, Some(self.format.url()), url.is_some()),
            named(ColumnKind::Id, Some(self.format.id()), id.is_some()),
            named(ColumnKind::Beside, date.as_deref(), date.is_some()),
        ]
    }

    fn open<'a>(&'a self, task: &Task<'_>, file: &'a SourceFile) -> Result<Opened<'a>> {
        let (source, wanted) = (&self.writer.source, self.wanted(file));
        let place = (source.name.as_str(), file.url.as_str());
        if source.is_parquet(file) {
            let parquet = source.client.parquet(&file.url, &task.scratch)?;
            let bytes = Length::len(&parquet);
            let rows = ParquetRows::open(place.0, place.1, parquet, &wanted, 0)?;
            return Ok(Opened { rows: Box::new(rows), file_bytes: Box::new(move || Some(bytes)) });
        }
        let broken = |error: &io::Error| source_error(&file.url, error);
        let reader = source.client.open(&file.url)?;
        let (reader, taken) =
            counted_rows(reader, source.client.zstd_window_log_max()).map_err(|error| broken(&error))?;
        let rows: Box<dyn Iterator<Item = io::Result<Row>> + 'a> = match kind::delimiter(&file.url) {
            Some(delimiter) => {
                let form = (delimiter, ROW_BYTES_MAX);
                Box::new(DelimitedRows::open(place, reader, form, &wanted, broken)?)
            }
            None => Box::new(JsonRows::open(place, reader, ROW_BYTES_MAX, &wanted)?),
        };
        Ok(Opened {
            rows: Box::new(rows.map(move |row| row.map_err(|error| broken(&error)))),
            file_bytes: Box::new(move || taken.as_ref().map(|taken| taken.get())),
        })
    }

    /// Reads a file from its beginning, so that what its pages cost is the same after an interruption, and passes
    /// over what is committed.
    fn read(
        &self,
        task: &Task<'_>,
        file: &SourceFile,
        found: &mut Yield,
        out: &mut Output<'_>,
    ) -> Result<()> {
        let Opened { rows, file_bytes } = self.open(task, file)?;
        let (first, mut at, mut page_bytes) = (out.position(), 0, 0);
        let mut budget = match file_bytes() {
            Some(_) => PageBudget::default(),
            None => PageBudget::of_plain_rows(),
        };
        for row in rows {
            let (row, is_new) = (row?, at >= first);
            let count = row.count();
            let id = self.writer.source.id(file, at)?;
            match row {
                Row::Whole(cells) => {
                    let before = file_bytes().unwrap_or(page_bytes);
                    let (body, [url, key, date], length) = self.body(cells, (before, &mut budget));
                    page_bytes += length;
                    if is_new {
                        let page = body.and_then(|body| guarded(task, id, || body.read(self.writer.ruby)));
                        self.write(About { id, key, url, date }, page, found, out)?;
                    }
                }
                Row::Broken { detail, preview } if is_new => {
                    found.broken(UNIT, id, detail, &preview, out)?;
                }
                Row::Lost { fault, .. } if is_new => {
                    found.lost((UNIT, file), id, fault, out)?;
                }
                Row::Broken { .. } | Row::Lost { .. } => {}
            }
            at += count;
            if is_new {
                out.advance(count)?;
            }
        }
        Ok(())
    }

    /// Returns the page of a row, having taken what reading it costs, its URL, id and date, and its bytes.
    fn body(
        &self,
        mut cells: Cells,
        (file_bytes, budget): (u64, &mut PageBudget),
    ) -> (Result<Body<'static>, Refusal>, [Option<String>; 3], u64) {
        let url = cells.text(URL).and_then(|url| address(&url, None)).map(String::from);
        let (html, content_type) = match cells.bytes(HTML) {
            Some(bytes) => (bytes, "text/html"),
            // A text was decoded already, whatever it says of its charset.
            None => (cells.text(HTML).unwrap_or_default().into_bytes(), "text/html; charset=utf-8"),
        };
        let length = html.len() as u64;
        let body = match budget.take(file_bytes, &html) {
            Err(detail) => Err(Refusal::Fail(INFLATED, detail)),
            Ok(()) if html.trim_ascii().is_empty() => Err(Refusal::Fail("no_text", String::new())),
            Ok(()) => Body::of_saved(html, content_type, url.as_deref()),
        };
        (body, [url, cells.text(ID), cells.text(DATE)], length)
    }

    fn write(
        &self,
        about: About,
        page: Result<Webpage, Refusal>,
        found: &mut Yield,
        out: &mut Output<'_>,
    ) -> Result<()> {
        match &page {
            Err(Refusal::Fail(..)) => found.failed(),
            Ok(_) | Err(Refusal::Drop(..)) => found.record(),
        }
        self.writer.write(about, page, out)
    }
}

impl Stage for Rows {
    fn name(&self) -> String {
        self.writer.source.name.clone()
    }

    fn inputs(&self) -> Vec<String> {
        vec![self.writer.source.listing()]
    }

    fn settings(&self) -> Result<Value> {
        let source = &self.writer.source;
        Ok(json!({ "source": source.name, "code": source.code, "format": self.format }))
    }

    fn version(&self) -> u32 {
        2
    }

    fn task_identity(&self, inputs: &Inputs, index: u32) -> Result<Option<String>> {
        self.writer.source.identity(inputs, index)
    }

    fn plan(&self, inputs: &Inputs) -> Result<u32> {
        self.writer.source.plan(inputs)
    }

    fn streams(&self) -> Vec<Declared> {
        vec![PAGES.into()]
    }

    fn guards_records(&self) -> bool {
        true
    }

    fn run(&self, task: &Task<'_>, out: &mut Output<'_>) -> Result<()> {
        self.writer.source.run(task, UNIT, out, |file, found, out| self.read(task, file, found, out))
    }
}
