//! Texts as JSON lines or Parquet.

use std::fs::{self, File};
use std::io::{BufWriter, Write};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::Context;
use corpus::record::{Document, ExportedText};
use corpus::{Dataset, Inputs, Part, Split, table};

use super::{PARTIAL, prepare, unfinished};
use crate::cli::ExportArgs;
use crate::number::grouped;
use crate::ordered;
use crate::print::say;

/// The stage whose documents are exported, and their stream.
const STAGE: &str = "text";
const STREAM: &str = "documents";
const SPLITS: [Split; 2] = [Split::Train, Split::Validation];

/// In which form texts are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Form {
    JsonLines,
    Parquet,
}

impl Form {
    /// Returns how its files' names end.
    fn extension(self) -> &'static str {
        match self {
            Self::JsonLines => ".jsonl.zst",
            Self::Parquet => ".parquet",
        }
    }
}

/// Writes a file per part and split, `train-00000-of-00012.jsonl.zst`: what `datasets` takes for splits.
pub(super) fn export(sealed: &Inputs, form: Form, arguments: &ExportArgs) -> anyhow::Result<ExitCode> {
    let dataset = sealed.0.get(STAGE).ok_or_else(|| unfinished(STAGE, &arguments.dir))?;
    prepare(&arguments.out)?;
    let workers =
        arguments.workers.unwrap_or_else(|| std::thread::available_parallelism().map_or(1, usize::from));
    let parts: Vec<(usize, &Part)> = dataset.parts(STREAM).enumerate().collect();
    let mut written = [const { Vec::new() }; SPLITS.len()];
    let mut rows = [0_u64; SPLITS.len()];
    ordered::map(
        parts.into_iter(),
        workers,
        |(index, part)| write_part(dataset, part, index, form, &arguments.out),
        |result: anyhow::Result<Vec<Option<(PathBuf, u64)>>>| {
            for (place, file) in result?.into_iter().enumerate() {
                if let Some((path, count)) = file {
                    written[place].push(path);
                    rows[place] += count;
                }
            }
            anyhow::Ok(())
        },
    )?;
    for (split, files) in SPLITS.iter().zip(&written) {
        for (index, path) in files.iter().enumerate() {
            let name = format!("{}-{index:05}-of-{:05}{}", split.as_str(), files.len(), form.extension());
            fs::rename(path, arguments.out.join(&name)).with_context(|| format!("cannot name {name}"))?;
        }
    }
    let files = written.iter().map(Vec::len).sum::<usize>();
    say!(
        "{} training and {} validation texts in {files} files in {}",
        grouped(rows[0]),
        grouped(rows[1]),
        arguments.out.display()
    )?;
    Ok(ExitCode::SUCCESS)
}

/// Writes the documents of a part; returns a file and its rows for each split that has some.
fn write_part(
    dataset: &Dataset,
    part: &Part,
    index: usize,
    form: Form,
    out: &Path,
) -> anyhow::Result<Vec<Option<(PathBuf, u64)>>> {
    let mut files: Vec<Option<TextFile>> = SPLITS.iter().map(|_| None).collect();
    for row in dataset.open::<Document>(part)? {
        let document = row?;
        let place = usize::from(document.split == Some(Split::Validation));
        let file = match &mut files[place] {
            Some(file) => file,
            none => {
                let path = out.join(format!(".{}-{index:05}{PARTIAL}", SPLITS[place].as_str()));
                none.insert(TextFile::create(&path, form)?)
            }
        };
        file.push(document)?;
    }
    files.into_iter().map(|file| file.map(TextFile::finish).transpose()).collect()
}

/// A file of texts in either format.
struct TextFile {
    path: PathBuf,
    rows: u64,
    format: Format,
}

enum Format {
    JsonLines(BufWriter<zstd::Encoder<'static, File>>),
    Parquet(Box<table::Writer<ExportedText>>),
}

impl TextFile {
    fn create(path: &Path, form: Form) -> anyhow::Result<Self> {
        let format = match form {
            Form::JsonLines => {
                let file = File::create(path).with_context(|| format!("cannot write {}", path.display()))?;
                Format::JsonLines(BufWriter::new(zstd::Encoder::new(file, zstd::DEFAULT_COMPRESSION_LEVEL)?))
            }
            Form::Parquet => Format::Parquet(Box::new(table::Writer::create(path)?)),
        };
        Ok(Self { path: path.to_owned(), rows: 0, format })
    }

    fn push(&mut self, document: Document) -> anyhow::Result<()> {
        let Document { id, key, source, url, date, language, text, .. } = document;
        let row =
            ExportedText { id: key.unwrap_or_else(|| id.to_string()), text, source, url, date, language };
        self.rows += 1;
        match &mut self.format {
            Format::JsonLines(out) => {
                serde_json::to_writer(&mut *out, &row)?;
                out.write_all(b"\n")?;
            }
            Format::Parquet(out) => out.push(row)?,
        }
        Ok(())
    }

    fn finish(self) -> anyhow::Result<(PathBuf, u64)> {
        match self.format {
            Format::JsonLines(out) => {
                let encoder = out.into_inner().map_err(std::io::IntoInnerError::into_error)?;
                encoder.finish()?.sync_all()?;
            }
            Format::Parquet(out) => {
                out.finish()?;
            }
        }
        Ok((self.path, self.rows))
    }
}
