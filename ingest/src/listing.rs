//! The listing: which files a source has. It gives files their index in ids.

use std::path::Path;

use corpus::record::{FILES, SourceFile};
use corpus::{Declared, Error, Inputs, Output, Result, Stage, Task};
use serde::Serialize;
use serde_json::{Value, json};

use crate::changes::file_state;
use crate::config::{Format, SourceConfig};
use crate::fault::FileFault;
use crate::fetch::source::source_error;
use crate::folder::{Held, SkippedFiles, is_special};
use crate::kind::{self, FileKind};
use crate::lines::{Ends, Line, Lines, rows_of};
use crate::location::{Location, named, shown};
use crate::packed::WINDOW_LOG_DEFAULT;
use crate::pages::sidecar;
use crate::source::{FILE_UNIT, Source};
use crate::{braces, fetch, texts};

/// Bytes of one path in a list of paths.
const PATH_BYTES_MAX: usize = 4 << 10;

/// Kinds of files that are counted in a message about a folder.
const KINDS_SHOWN_MAX: usize = 5;
/// Reason of files in folders that are passed over.
const LEFT_OUT: &str = "left_out";

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

/// What a listing found.
#[derive(Debug, Default)]
pub(crate) struct Listed {
    /// The files in their order.
    pub(crate) files: Vec<String>,
    /// Those of folders that are not among them.
    pub(crate) passed: SkippedFiles,
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

    /// Finds all files.
    ///
    /// # Errors
    /// When a local file or folder that is named is not there, a folder has no file that is read, or a
    /// name says that the file is of another kind.
    pub(crate) fn listed(&self) -> Result<Listed> {
        let mut listed = Listed::default();
        for name in self.names()? {
            match &self.archives {
                Some(archives) if is_path_list(&name) => self.append(archives, &name, &mut listed.files)?,
                _ => self.append_named(name, &mut listed)?,
            }
        }
        let count_max = self.archives.as_ref().and_then(|archives| archives.files_max);
        listed.files.truncate(count_max.map_or(usize::MAX, |count| count as usize));
        if listed.files.is_empty() {
            return Err(self.refused(format!("{} has no files", self.patterns.join(", "))));
        }
        self.check_there(&listed.files)?;
        Ok(listed)
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
            // One that nobody may look at fails where it is read.
            Location::File(path) => path
                .symlink_metadata()
                .is_err_and(|error| error.kind() != std::io::ErrorKind::PermissionDenied),
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
    fn append_named(&self, name: String, listed: &mut Listed) -> Result<()> {
        let is_read = |name: &str| self.is_read(name);
        match self.source.client.locate(&name) {
            Location::File(folder) if folder.is_dir() => {
                let held = Held::of(&folder, &is_read)?;
                if held.files.is_empty() {
                    return Err(self.refused(self.nothing_in(&folder, &held.passed)));
                }
                Self::append_held(held, listed)
            }
            Location::File(pattern) if braces::has_wildcards(&name) && !pattern.exists() => {
                let held = Held::fitting(&pattern, &is_read)?;
                if held.files.is_empty() {
                    return Err(self.refused(format!("no file fits {name}")));
                }
                let first = listed.files.len();
                Self::append_held(held, listed)?;
                listed.files[first..].iter().try_for_each(|file| self.check_kind(file))
            }
            Location::File(path) if is_special(&path) => {
                Err(self.refused(format!("{name} is a device, a pipe or a socket: name a file")))
            }
            _ => {
                self.check_kind(&name)?;
                listed.files.push(name);
                Ok(())
            }
        }
    }

    fn append_held(held: Held, listed: &mut Listed) -> Result<()> {
        for path in held.files {
            listed.files.push(named(&path).map_err(Error::io("name", &path))?);
        }
        listed.passed.add(held.passed);
        Ok(())
    }

    /// Refuses a file whose name says that it is of another kind.
    fn check_kind(&self, name: &str) -> Result<()> {
        match kind::remedy(name, &self.kinds).filter(|_| self.judges_names) {
            Some(remedy) => Err(self.refused(format!("{}: {remedy}", shown(name)))),
            None => Ok(()),
        }
    }

    /// Says what a folder has in place of files that can be read.
    fn nothing_in(&self, folder: &Path, passed: &SkippedFiles) -> String {
        let ends: Vec<&str> = self.kinds.iter().flat_map(|kind| kind.ends()).copied().collect();
        let there = match (passed.ends.is_empty(), passed.told()) {
            (true, None) => "is empty".to_owned(),
            (true, Some(told)) => format!("has no other files; {told}"),
            (false, told) => {
                let told = told.map_or_else(String::new, |told| format!("; {told}"));
                format!("has {}{told}", counted(passed))
            }
        };
        format!("{} {there}; names of files must end with {}", folder.display(), ends.join(" "))
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

    /// Counts files in folders that are left out, and warns of those that may be meant.
    pub(crate) fn tell(passed: &SkippedFiles, task: &Task<'_>, out: &mut Output<'_>) {
        let count = passed.count() as u64;
        if count > 0 {
            out.count_amount(FILE_UNIT, count, LEFT_OUT, count);
        }
        if let Some(told) = passed.told() {
            task.progress.warn(&told);
        }
        if !passed.ends.is_empty() {
            task.progress.log(&format!("left out for their kind: {}", counted(passed)));
        }
    }

    /// Writes a file, and notes what it is like, with those beside it.
    pub(crate) fn write(&self, file: SourceFile, task: &Task<'_>, out: &mut Output<'_>) -> Result<()> {
        let client = &self.source.client;
        out.read(FILE_UNIT);
        out.keep(FILE_UNIT);
        for noted in std::iter::once(file.url.clone()).chain(self.beside(&file.url)) {
            if let Some(state) = file_state(client, &noted, client.checks_files(), task.cancel)? {
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
        if let Location::File(path) = self.source.client.locate(list)
            && is_special(&path)
        {
            return Err(self.refused(format!("{list} is a device, a pipe or a socket: name a file")));
        }
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

/// Counts the kinds of files that are passed over, the commonest first.
fn counted(passed: &SkippedFiles) -> String {
    let mut counts: Vec<(&String, &usize)> = passed.ends.iter().collect();
    counts.sort_by_key(|(_, count)| std::cmp::Reverse(**count));
    let counts = counts.iter().take(KINDS_SHOWN_MAX).map(|(end, count)| format!("{count} {end}"));
    counts.collect::<Vec<String>>().join(", ")
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
        let listed = self.listed()?;
        if out.position() == 0 {
            Self::tell(&listed.passed, task, out);
        }
        for (index, url) in (0_u32..).zip(listed.files).skip(out.position() as usize) {
            self.write(SourceFile { index, url }, task, out)?;
        }
        Ok(())
    }
}
