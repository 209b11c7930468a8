//! The listing: which files a source has. It gives files their index in ids.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use corpus::record::{FILES, SourceFile};
use corpus::{Declared, Error, Inputs, Output, Result, Stage, Task};
use serde::Serialize;
use serde_json::{Value, json};

use crate::changes::file_state;
use crate::config::{Format, SourceConfig};
use crate::fault::FileFault;
use crate::fetch::source::source_error;
use crate::kind::{self, FileKind};
use crate::lines::{Ends, Line, Lines, rows_of};
use crate::location::{Location, shown};
use crate::packed::WINDOW_LOG_DEFAULT;
use crate::pages::sidecar;
use crate::source::{FILE_UNIT, Source};
use crate::{braces, fetch, saved, texts};

/// Bytes of one path in a list of paths.
const PATH_BYTES_MAX: usize = 4 << 10;

/// Kinds of files that are counted in a message about a folder.
const KINDS_SHOWN_MAX: usize = 5;

/// The stage `NAME.files`.
///
/// The ledger notes what each local file is like, which reads it once; of remote files what their servers
/// tell, if `fetch.check_files` is set.
pub struct Listing {
    source: Source,
    patterns: Vec<String>,
    /// Files that the source reads; those of a folder are chosen by it.
    kinds: Vec<FileKind>,
    /// Whether a file whose name says that it is of another kind is refused; otherwise its content decides.
    judges_names: bool,
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
        let kinds = kind::read_by(&config.format);
        let Format::Crawl(crawl) = &config.format else {
            let patterns = config.patterns().to_vec();
            return Self { source, patterns, kinds, judges_names: true, archives: None };
        };
        let (patterns, prefix) = match crawl.snapshot_list() {
            Some((list, prefix)) => (vec![list], prefix),
            None => (config.patterns().to_vec(), crawl.prefix.clone()),
        };
        let archives = Archives { prefix, files_max: crawl.files_max, only: None };
        Self { source, patterns, kinds, judges_names: true, archives: Some(archives) }
    }

    /// Lists files of rows of any format.
    pub(crate) fn of_rows(source: Source, pattern: &str) -> Self {
        let (patterns, kinds) = (vec![pattern.to_owned()], texts::KINDS.to_vec());
        Self { source, patterns, kinds, judges_names: false, archives: None }
    }

    /// Lists the parts of a snapshot's index that are about pages.
    pub(crate) fn of_index(source: Source, list: String, prefix: String, parts_max: Option<u32>) -> Self {
        let archives = Archives { prefix, files_max: parts_max, only: Some("/subset=warc/") };
        let patterns = vec![list];
        Self { source, patterns, kinds: Vec::new(), judges_names: true, archives: Some(archives) }
    }

    fn refused(&self, detail: String) -> Error {
        Error::Settings { stage: self.name(), detail }
    }

    /// Returns all files in their order.
    ///
    /// # Errors
    /// When a local file or folder that is named is not there, a folder has no file that is read, or a
    /// name says that the file is of another kind.
    pub(crate) fn files(&self) -> Result<Vec<String>> {
        let mut files = Vec::new();
        for name in self.names()? {
            match &self.archives {
                Some(archives) if is_path_list(&name) => self.append(archives, &name, &mut files)?,
                _ => self.append_named(name, &mut files)?,
            }
        }
        let count_max = self.archives.as_ref().and_then(|archives| archives.files_max);
        files.truncate(count_max.map_or(usize::MAX, |count| count as usize));
        if files.is_empty() {
            return Err(self.refused(format!("{} has no files", self.patterns.join(", "))));
        }
        self.check_there(&files)?;
        Ok(files)
    }

    /// Returns the names of files, folders and lists, with their braces expanded.
    fn names(&self) -> Result<Vec<String>> {
        let mut names = Vec::new();
        for pattern in &self.patterns {
            names.extend(braces::expand(pattern).map_err(|detail| self.refused(detail))?);
        }
        Ok(names)
    }

    /// Returns whether everything that names files is on this machine.
    pub(crate) fn is_local(&self) -> Result<bool> {
        let is_remote_list = |name: &String| {
            let is_list = self.archives.is_some() && is_path_list(name);
            is_list && matches!(self.source.client.locate(name), Location::Remote(_))
        };
        Ok(!self.names()?.iter().any(is_remote_list))
    }

    /// Checks that the files on this machine are there.
    fn check_there(&self, files: &[String]) -> Result<()> {
        let is_missing = |url: &&String| match self.source.client.locate(url) {
            Location::File(path) => path.symlink_metadata().is_err(),
            Location::Remote(_) => false,
        };
        let mut missing = files.iter().filter(is_missing);
        match (missing.next(), missing.count()) {
            (None, _) => Ok(()),
            (Some(first), 0) => Err(self.refused(format!("no such file or folder: {first}"))),
            (Some(first), more) => {
                let count = more + 1;
                Err(self
                    .refused(format!("{count} of {} files are not there, the first is {first}", files.len())))
            }
        }
    }

    /// Appends a file, those that a name with wildcards stands for, or those of a folder on this machine that are of a
    /// kind that is read.
    fn append_named(&self, name: String, files: &mut Vec<String>) -> Result<()> {
        match self.source.client.locate(&name) {
            Location::File(folder) if folder.is_dir() => {
                let is_wanted = |name: &str| self.is_read(name) && !kind::is_leftover(name);
                let found = saved::files_named(&folder, is_wanted).map_err(Error::io("list", &folder))?;
                if found.is_empty() {
                    let ends: Vec<&str> = self.kinds.iter().flat_map(|kind| kind.ends()).copied().collect();
                    return Err(self.refused(nothing_in(&folder, &ends)?));
                }
                files.extend(found.into_iter().map(|path| self.named(path)).collect::<Result<Vec<_>>>()?);
            }
            Location::File(pattern) if braces::has_wildcards(&name) && !pattern.exists() => {
                let folder = pattern.parent().filter(|folder| !folder.as_os_str().is_empty());
                let folder = folder.unwrap_or(Path::new("."));
                let pattern = pattern.file_name().unwrap_or_default().to_string_lossy();
                let is_wanted = |name: &str| braces::fits(&pattern, name) && !kind::is_leftover(name);
                let found = saved::entries_named(folder, is_wanted).map_err(Error::io("list", folder))?;
                if found.is_empty() {
                    return Err(self.refused(format!("no file fits {name}")));
                }
                for path in found {
                    self.append_named(self.named(path)?, files)?;
                }
            }
            Location::File(path) if saved::is_special(&path) => {
                return Err(self.refused(format!("{name} is a device, a pipe or a socket: name a file")));
            }
            _ => {
                if let Some(remedy) = kind::remedy(&name, &self.kinds).filter(|_| self.judges_names) {
                    return Err(self.refused(format!("{name}: {remedy}")));
                }
                files.push(name);
            }
        }
        Ok(())
    }

    /// Returns a path as listings have it.
    fn named(&self, path: PathBuf) -> Result<String> {
        let name = path.into_os_string().into_string();
        name.map_err(|path| self.refused(format!("the name of {} is not UTF-8", path.display())))
    }

    /// Returns true for names of files of a kind that is read, or failed by its name: a page is not passed over.
    fn is_read(&self, name: &str) -> bool {
        let is_read = |kind| self.kinds.contains(&kind);
        FileKind::of(name)
            .is_some_and(|kind| is_read(kind) || kind == FileKind::Mhtml && is_read(FileKind::Html))
    }

    /// Returns the files that are read with one of HTML.
    fn beside(&self, url: &str) -> Vec<String> {
        let beside = match self.source.client.locate(url) {
            Location::File(path) if self.kinds.contains(&FileKind::Html) => sidecar::beside(&path),
            _ => Vec::new(),
        };
        beside.into_iter().map(|path| path.to_string_lossy().into_owned()).collect()
    }

    /// Warns of files in folders on this machine that are left out, since other programs left them there.
    pub(crate) fn warn_of_leftovers(&self, task: &Task<'_>) -> Result<()> {
        let leftovers = self.leftovers()?;
        if let Some(first) = leftovers.first() {
            let line = format!(
                "{} hidden or unfinished files are left out, the first is {}",
                leftovers.len(),
                first.display()
            );
            task.progress.warn(&line);
        }
        Ok(())
    }

    fn leftovers(&self) -> Result<Vec<PathBuf>> {
        let mut leftovers = Vec::new();
        for name in self.names()? {
            if let Location::File(folder) = self.source.client.locate(&name)
                && folder.is_dir()
            {
                let found = saved::files_named(&folder, kind::is_leftover);
                leftovers.extend(found.map_err(Error::io("list", &folder))?);
            }
        }
        Ok(leftovers)
    }

    /// Writes a file, and notes what it is like, with those beside it.
    pub(crate) fn write(&self, file: SourceFile, out: &mut Output<'_>) -> Result<()> {
        let client = &self.source.client;
        out.read(FILE_UNIT);
        out.keep(FILE_UNIT);
        for noted in std::iter::once(file.url.clone()).chain(self.beside(&file.url)) {
            if let Some(state) = file_state(client, &noted, client.checks_files())? {
                out.note_file(state);
            }
        }
        out.write(FILES, file)?;
        out.advance(1)
    }

    /// Puts a fault of a list of paths as a mistake of the settings: a run cannot do without it.
    fn of_list(&self, list: &str, error: Error) -> Error {
        match FileFault::of_error(error) {
            Ok(fault) => self.refused(format!("{}: {fault}", shown(list))),
            Err(error) => error,
        }
    }

    /// Appends the files of a list of paths.
    fn append(&self, archives: &Archives, list: &str, files: &mut Vec<String>) -> Result<()> {
        let broken = |error: &std::io::Error| self.of_list(list, source_error(list, error));
        let reader: fetch::SourceReader<'_> =
            self.source.client.open(list).map_err(|error| self.of_list(list, error))?;
        let reader = rows_of(reader, WINDOW_LOG_DEFAULT).map_err(|e| broken(&e))?;
        for line in Lines::new(reader, PATH_BYTES_MAX, Ends::Feed) {
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
                // Without the whole list no file has its index.
                Line::Lost(fault) => return Err(broken(&fault.into())),
            }
        }
        Ok(())
    }
}

/// Says what a folder has in place of files that can be read.
fn nothing_in(folder: &Path, ends: &[&str]) -> Result<String> {
    let files = saved::files_named(folder, |_| true).map_err(Error::io("list", folder))?;
    let mut counts: BTreeMap<String, usize> = BTreeMap::new();
    for file in &files {
        *counts.entry(kind::end_of(&file.to_string_lossy())).or_default() += 1;
    }
    let mut counts: Vec<(String, usize)> = counts.into_iter().collect();
    counts.sort_by_key(|(_, count)| std::cmp::Reverse(*count));
    let there: Vec<String> =
        counts.iter().take(KINDS_SHOWN_MAX).map(|(end, count)| format!("{count} {end}")).collect();
    let there = if there.is_empty() { "is empty".to_owned() } else { format!("has {}", there.join(", ")) };
    Ok(format!("{} {there}; names of files must end with {}", folder.display(), ends.join(" ")))
}

fn is_path_list(name: &str) -> bool {
    name.ends_with(".paths") || name.ends_with(".paths.gz")
}

impl Stage for Listing {
    fn name(&self) -> String {
        self.source.listing()
    }

    fn settings(&self) -> Result<Value> {
        Ok(json!({ "files": self.patterns, "archives": self.archives }))
    }

    fn version(&self) -> u32 {
        2
    }

    fn plan(&self, _: &Inputs) -> Result<u32> {
        Ok(1)
    }

    fn streams(&self) -> Vec<Declared> {
        vec![FILES.into()]
    }

    fn run(&self, task: &Task<'_>, out: &mut Output<'_>) -> Result<()> {
        let files = self.files()?;
        self.warn_of_leftovers(task)?;
        for (index, url) in (0_u32..).zip(files).skip(out.position() as usize) {
            self.write(SourceFile { index, url }, out)?;
        }
        Ok(())
    }
}
