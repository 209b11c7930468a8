//! The listing: which files a source has. It gives files their index in ids.

use std::io::BufRead;
use std::path::PathBuf;

use corpus::record::SourceFile;
use corpus::{Error, Inputs, Result, Stage, Task};
use serde::Serialize;
use serde_json::{Value, json};

use crate::config::{Format, SourceConfig};
use crate::fetch::source::source_error;
use crate::lines::{Line, Lines, decompressed};
use crate::location::Location;
use crate::source::{FILES, Source};
use crate::{braces, fetch, saved};

/// Bytes of one path in a list of paths.
const PATH_BYTES_MAX: usize = 4 << 10;

/// Ends of the names of files of texts and rows.
const ROWS_ENDS: [&str; 10] = [
    ".jsonl",
    ".jsonl.gz",
    ".jsonl.zst",
    ".json",
    ".json.gz",
    ".json.zst",
    ".parquet",
    ".txt",
    ".txt.gz",
    ".txt.zst",
];
/// Further ones of lists of URLs.
const LIST_ENDS: [&str; 6] = [".csv", ".csv.gz", ".csv.zst", ".tsv", ".tsv.gz", ".tsv.zst"];

/// The stage `NAME.files`.
pub struct Listing {
    source: Source,
    patterns: Vec<String>,
    /// How the names of files end that a folder stands for.
    ends: Vec<&'static str>,
    archives: Option<Archives>,
}

/// What a listing of archives knows beyond its patterns.
#[derive(Debug, Clone, Serialize)]
struct Archives {
    /// What the paths of a list are appended to.
    prefix: String,
    /// Files taken at most.
    files_max: Option<u32>,
    /// What a path must contain to be taken.
    only: Option<&'static str>,
}

impl Listing {
    pub(crate) fn new(source: Source, config: &SourceConfig) -> Self {
        let Format::Crawl(crawl) = &config.format else {
            let lists: &[&str] = if matches!(config.format, Format::Pairs(_)) { &LIST_ENDS } else { &[] };
            let ends = [&ROWS_ENDS, lists].concat();
            return Self { source, patterns: config.patterns().to_vec(), ends, archives: None };
        };
        let (patterns, prefix) = match crawl.snapshot_list() {
            Some((list, prefix)) => (vec![list], prefix),
            None => (config.patterns().to_vec(), crawl.prefix.clone()),
        };
        let archives = Archives { prefix, files_max: crawl.files_max, only: None };
        Self { source, patterns, ends: saved::ARCHIVE_ENDS.to_vec(), archives: Some(archives) }
    }

    /// Lists the parts of a snapshot's index that are about pages.
    pub(crate) fn of_index(source: Source, list: String, prefix: String, parts_max: Option<u32>) -> Self {
        let archives = Archives { prefix, files_max: parts_max, only: Some("/subset=warc/") };
        Self { source, patterns: vec![list], ends: Vec::new(), archives: Some(archives) }
    }

    /// Returns all files in their order.
    fn files(&self) -> Result<Vec<String>> {
        let mut files = Vec::new();
        for pattern in &self.patterns {
            let names =
                braces::expand(pattern).map_err(|detail| Error::Settings { stage: self.name(), detail })?;
            for name in names {
                match &self.archives {
                    Some(archives) if is_path_list(&name) => self.append(archives, &name, &mut files)?,
                    _ => self.append_folder(name, &mut files)?,
                }
            }
        }
        let count_max = self.archives.as_ref().and_then(|archives| archives.files_max);
        files.truncate(count_max.map_or(usize::MAX, |count| count as usize));
        Ok(files)
    }

    /// Appends a file, or those of a folder on this machine that end as such files do.
    fn append_folder(&self, name: String, files: &mut Vec<String>) -> Result<()> {
        match self.source.client.locate(&name) {
            Location::File(folder) if folder.is_dir() => {
                let found = saved::files_ending(&folder, &self.ends).map_err(Error::io("list", &folder))?;
                let shown = |path: PathBuf| {
                    path.into_os_string().into_string().map_err(|path| Error::Settings {
                        stage: self.name(),
                        detail: format!("the name of {} is not UTF-8", path.display()),
                    })
                };
                files.extend(found.into_iter().map(shown).collect::<Result<Vec<_>>>()?);
            }
            _ => files.push(name),
        }
        Ok(())
    }

    /// Appends the files of a list of paths.
    fn append(&self, archives: &Archives, list: &str, files: &mut Vec<String>) -> Result<()> {
        let broken = |error: &std::io::Error| source_error(list, error);
        let reader: fetch::SourceReader<'_> = self.source.client.open(list)?;
        let reader: Box<dyn BufRead + '_> = decompressed(reader).map_err(|e| broken(&e))?;
        for line in Lines::new(reader, PATH_BYTES_MAX) {
            if files.len() > corpus::id::FILE_INDEX_MAX as usize {
                return Err(Error::Settings {
                    stage: self.name(),
                    detail: format!("{list} lists more files than ids hold; set files_max"),
                });
            }
            match line.map_err(|e| broken(&e))? {
                Line::Whole(path) => match std::str::from_utf8(&path) {
                    Ok(path) if path.is_empty() || archives.only.is_some_and(|part| !path.contains(part)) => {
                    }
                    Ok(path) => files.push(format!("{}{path}", archives.prefix)),
                    Err(_) => return Err(broken(&std::io::Error::other("a path is not UTF-8"))),
                },
                Line::TooLong { .. } => {
                    return Err(broken(&std::io::Error::other("a path is too long")));
                }
            }
        }
        Ok(())
    }
}

fn is_path_list(name: &str) -> bool {
    name.ends_with(".paths") || name.ends_with(".paths.gz")
}

impl Stage for Listing {
    fn name(&self) -> String {
        self.source.listing()
    }

    fn settings(&self) -> Value {
        json!({ "files": self.patterns, "archives": self.archives })
    }

    fn plan(&self, _: &Inputs) -> Result<u32> {
        Ok(1)
    }

    fn run(&self, task: &Task<'_>) -> Result<()> {
        let mut out = task.output()?;
        if out.is_done() {
            return Ok(());
        }
        let files = self.files()?;
        for (index, url) in (0_u32..).zip(files).skip(out.position() as usize) {
            out.read(FILES);
            out.keep(FILES);
            out.write(FILES, SourceFile { index, url })?;
            out.advance(1)?;
        }
        out.finish()
    }
}
