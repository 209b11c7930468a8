//! Texts as JSON lines or Parquet.

use std::ops::Range;
use std::path::{Path, PathBuf};

use corpus::record::{DOCUMENTS, Document, DocumentExtras};
use corpus::{Dataset, Part, Split};

use super::text_file::{Columns, Form, TextFile};
use super::{partial, prepare, publish, unfinished};
use crate::{Error, Folder, Result, ordered};

/// The stage whose documents are exported.
const STAGE: &str = "text";
const SPLITS: [Split; 2] = [Split::Train, Split::Validation];

/// How texts are divided among files.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Division {
    /// A file for each part of the run.
    Parts,
    /// So many files of each split, or one for each text if there are fewer.
    Files(u64),
    /// Files of so many bytes before compression; the last text may exceed them.
    Bytes(u64),
}

/// What was written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TextExport {
    /// Texts to train on.
    pub training: u64,
    /// Texts that were held out.
    pub validation: u64,
    /// Files of both.
    pub files: usize,
}

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

/// Writes a run's texts as files per split, `train-00000-of-00012.jsonl.zst`: what `datasets` takes for splits.
///
/// # Errors
/// When the texts are not finished, `out` holds other files, or a file cannot be read or written.
pub fn texts(
    folder: &Folder,
    out: &Path,
    (form, division): (Form, Division),
    workers: usize,
) -> Result<TextExport> {
    let sealed = folder.sealed()?;
    let dataset = sealed.0.get(STAGE).ok_or_else(|| unfinished(STAGE, folder))?;
    prepare(out)?;
    let parts: Vec<Part> = dataset.parts(DOCUMENTS).collect::<corpus::Result<_>>()?;
    let jobs = jobs(&parts, division);
    let file_bytes_max = if let Division::Bytes(bytes) = division { bytes } else { u64::MAX };
    let columns = columns(dataset, &parts)?;
    let export = Export { dataset, parts, form, columns, file_bytes_max, out };
    let mut written: Files = Default::default();
    let work = |job| export.write(&job);
    ordered::map(jobs.into_iter(), workers, work, |files: Result<Files>| {
        written.iter_mut().zip(files?).for_each(|(all, files)| all.extend(files));
        Ok::<_, Error>(())
    })?;
    for (split, files) in SPLITS.iter().zip(&written) {
        for (index, (path, _)) in files.iter().enumerate() {
            let name = format!("{}-{index:05}-of-{:05}{}", split.as_str(), files.len(), form.extension());
            publish(path, out, &name)?;
        }
    }
    let [training, validation] = written.each_ref().map(|files| files.iter().map(|(_, rows)| rows).sum());
    Ok(TextExport { training, validation, files: written.iter().map(Vec::len).sum() })
}

/// Divides the rows of all parts among jobs.
fn jobs(parts: &[Part], division: Division) -> Vec<Job> {
    let sizes = || parts.iter().map(|part| part.rows);
    let pieces = match division {
        Division::Files(files) => even(&sizes().collect::<Vec<_>>(), files),
        Division::Bytes(bytes_max) => full(parts.iter().map(|part| (part.bytes, part.rows)), bytes_max),
        Division::Parts => sizes().enumerate().map(|(part, rows)| vec![(part, 0..rows)]).collect(),
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
fn columns(dataset: &Dataset, parts: &[Part]) -> Result<Columns> {
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
    fn write(&self, job: &Job) -> Result<Files> {
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
                        let name = partial(format_args!("{split}-{:05}-{:05}", job.index, done[place].len()));
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
