//! Texts as JSON lines or Parquet.

use std::ops::Range;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use corpus::record::{DOCUMENTS, Document, DocumentExtras};
use corpus::{Dataset, Inputs, Part, Split};
use pipeline::number::grouped;

use super::text_file::{Columns, Form, TextFile};
use super::{Compression, ExportArgs, ExportFormat};
use super::{partial, prepare, publish, unfinished};
use crate::ordered;
use crate::print::say;

/// The stage whose documents are exported, and their stream.
const STAGE: &str = "text";
const SPLITS: [Split; 2] = [Split::Train, Split::Validation];

/// Files of each split.
type Files = [Vec<(PathBuf, u64)>; SPLITS.len()];

/// What one worker writes into files of its own: rows of parts, in order.
struct Job {
    index: usize,
    pieces: Vec<(usize, Range<u64>)>,
}

/// What is exported.
struct Export<'d> {
    dataset: &'d Dataset,
    parts: Vec<Part>,
    form: Form,
    columns: Columns,
    file_bytes_max: u64,
    out: &'d Path,
}

/// Writes files per split, `train-00000-of-00012.jsonl.zst`: what `datasets` takes for splits. Without other wishes
/// there is one per part.
pub(super) fn export(sealed: &Inputs, arguments: &ExportArgs) -> anyhow::Result<ExitCode> {
    let dataset = sealed.0.get(STAGE).ok_or_else(|| unfinished(STAGE, &arguments.run))?;
    prepare(&arguments.out)?;
    let workers =
        arguments.workers.unwrap_or_else(|| std::thread::available_parallelism().map_or(1, usize::from));
    let parts: Vec<Part> = dataset.parts(DOCUMENTS).collect::<corpus::Result<_>>()?;
    let form = match arguments.format {
        ExportFormat::Parquet => Form::Parquet,
        _ => Form::JsonLines(arguments.compression.unwrap_or(Compression::Zstd)),
    };
    let jobs = jobs(&parts, arguments);
    let file_bytes_max = arguments.file_bytes.unwrap_or(u64::MAX);
    let columns = columns(dataset, &parts)?;
    let export = Export { dataset, parts, form, columns, file_bytes_max, out: &arguments.out };
    let mut written: Files = Default::default();
    ordered::map(
        jobs.into_iter(),
        workers,
        |job| export.write(&job),
        |files: anyhow::Result<Files>| {
            written.iter_mut().zip(files?).for_each(|(all, files)| all.extend(files));
            anyhow::Ok(())
        },
    )?;
    for (split, files) in SPLITS.iter().zip(&written) {
        for (index, (path, _)) in files.iter().enumerate() {
            let name = format!("{}-{index:05}-of-{:05}{}", split.as_str(), files.len(), form.extension());
            publish(path, &arguments.out, &name)?;
        }
    }
    let rows = |split: usize| grouped(written[split].iter().map(|(_, rows)| rows).sum());
    say!(
        "{} training and {} validation texts in {} files in {}",
        rows(0),
        rows(1),
        written.iter().map(Vec::len).sum::<usize>(),
        arguments.out.display()
    )?;
    Ok(ExitCode::SUCCESS)
}

/// Divides the rows of all parts among jobs.
fn jobs(parts: &[Part], arguments: &ExportArgs) -> Vec<Job> {
    let sizes = || parts.iter().map(|part| part.rows);
    let pieces = match (arguments.files, arguments.file_bytes) {
        (Some(files), _) => even(&sizes().collect::<Vec<_>>(), files.into()),
        (_, Some(bytes_max)) => full(parts.iter().map(|part| (part.bytes, part.rows)), bytes_max),
        _ => sizes().enumerate().map(|(part, rows)| vec![(part, 0..rows)]).collect(),
    };
    pieces.into_iter().enumerate().map(|(index, pieces)| Job { index, pieces }).collect()
}

/// Divides rows evenly: the pieces of parts for each of so many files, or for each row if there are fewer.
fn even(parts: &[u64], files: u64) -> Vec<Vec<(usize, Range<u64>)>> {
    let total: u64 = parts.iter().sum();
    let files = files.min(total);
    let border = |file: u64| (u128::from(total) * u128::from(file) / u128::from(files.max(1))) as u64;
    let pieces = |file: u64| {
        let (start, end) = (border(file), border(file + 1));
        let mut first = 0;
        let mut pieces = Vec::new();
        for (part, rows) in parts.iter().enumerate() {
            let range = start.max(first)..end.min(first + rows);
            if !range.is_empty() {
                pieces.push((part, range.start - first..range.end - first));
            }
            first += rows;
        }
        pieces
    };
    (0..files).map(pieces).collect()
}

/// Groups parts of at most so many bytes as they are stored, or of one part: a file of more bytes is split, one of
/// less would stay small.
fn full(parts: impl Iterator<Item = (u64, u64)>, bytes_max: u64) -> Vec<Vec<(usize, Range<u64>)>> {
    let mut groups: Vec<Vec<(usize, Range<u64>)>> = Vec::new();
    let mut sum = 0_u64;
    for (part, (bytes, rows)) in parts.enumerate() {
        sum = sum.saturating_add(bytes);
        match groups.last_mut() {
            Some(group) if sum <= bytes_max => group.push((part, 0..rows)),
            _ => {
                sum = bytes;
                groups.push(vec![(part, 0..rows)]);
            }
        }
    }
    groups
}

/// Returns which of the columns that not every document has are there at all.
fn columns(dataset: &Dataset, parts: &[Part]) -> anyhow::Result<Columns> {
    let mut columns = Columns::default();
    for part in parts {
        for row in dataset.open::<DocumentExtras>(part)? {
            let DocumentExtras { url, date, language } = row?;
            columns.url |= url.is_some();
            columns.date |= date.is_some();
            columns.language |= language.is_some();
            if columns.are_all() {
                return Ok(columns);
            }
        }
    }
    Ok(columns)
}

impl Export<'_> {
    /// Writes the documents of a job; returns its files of each split with their rows.
    fn write(&self, job: &Job) -> anyhow::Result<Files> {
        let mut done: Files = Default::default();
        let mut open: [Option<TextFile>; SPLITS.len()] = Default::default();
        for (part, range) in &job.pieces {
            let Some(part) = self.parts.get(*part) else { continue };
            let rows = usize::try_from(range.end - range.start).unwrap_or(usize::MAX);
            for row in self.dataset.open_at::<Document>(part, range.start)?.take(rows) {
                let document = row?;
                let place = usize::from(document.split == Some(Split::Validation));
                let mut file = match open[place].take() {
                    Some(file) => file,
                    None => {
                        let split = SPLITS[place].as_str();
                        let name = partial(&format!("{split}-{:05}-{:05}", job.index, done[place].len()));
                        TextFile::create(&self.out.join(name), self.form, self.columns)?
                    }
                };
                file.push(document)?;
                match file.bytes() >= self.file_bytes_max {
                    true => done[place].push(file.finish()?),
                    false => open[place] = Some(file),
                }
            }
        }
        for (done, file) in done.iter_mut().zip(open) {
            done.extend(file.map(TextFile::finish).transpose()?);
        }
        Ok(done)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_are_divided_evenly_whatever_the_parts() {
        assert_eq!(even(&[3, 0, 5], 3), [vec![(0, 0..2)], vec![(0, 2..3), (2, 0..2)], vec![(2, 2..5)]]);
        assert_eq!(even(&[2], 5), [vec![(0, 0..1)], vec![(0, 1..2)]]);
        assert!(even(&[], 2).is_empty());
        for files in 1..20 {
            let sizes = even(&[7, 1, 12, 3], files).into_iter();
            let sizes: Vec<u64> =
                sizes.map(|file| file.into_iter().map(|(_, rows)| rows.end - rows.start).sum()).collect();
            assert_eq!((sizes.len() as u64, sizes.iter().sum::<u64>()), (files, 23));
            assert!(sizes.iter().all(|size| size.abs_diff(23 / files) <= 1), "{sizes:?}");
        }
    }

    #[test]
    fn small_parts_share_a_file_and_a_large_one_has_its_own() {
        let parts = [(10, 1), (10, 2), (30, 3), (5, 4)];
        let groups = full(parts.into_iter(), 20);
        assert_eq!(groups, [vec![(0, 0..1), (1, 0..2)], vec![(2, 0..3)], vec![(3, 0..4)]]);
    }
}
