//! Folders of this machine: the files in them and below, and those that are passed over.

use std::collections::BTreeMap;
use std::fs::DirEntry;
use std::path::{Component, Path, PathBuf};

use corpus::{Error, Result};

use crate::{braces, kind};

/// Folders within folders that are looked into.
const DEPTH_MAX: usize = 64;
/// Where files are what the kernel tells, some of which never end.
const KERNEL_FOLDERS: [&str; 2] = ["/proc", "/sys"];
/// Folders below a source's own that programs keep beside its files; hidden ones are passed over, too.
const OF_PROGRAMS: [&str; 4] = ["_temporary", "_delta_log", "_spark_metadata", "__MACOSX"];

/// Returns the files in a folder and in those below it, in the order of their paths: hidden and unfinished ones are left
/// out, links to folders are not followed.
///
/// # Errors
/// When one of the folders cannot be listed; it is named.
pub fn files_below(folder: &Path) -> Result<Vec<PathBuf>> {
    let mut files = Held::of(folder, &|_| true)?.files;
    files.sort();
    Ok(files)
}

/// What a folder and those below it hold, in the order of their names.
#[derive(Debug, Default)]
pub(crate) struct Held {
    /// The files that are read. A link that leads nowhere is a file that is missing.
    pub(crate) files: Vec<PathBuf>,
    /// What is not.
    pub(crate) passed: SkippedFiles,
}

/// Files that are passed over, by how their names end, and those of them that somebody may miss.
#[derive(Debug, Default)]
pub(crate) struct SkippedFiles {
    /// All of them.
    pub(crate) ends: BTreeMap<String, usize>,
    /// How many there are for a reason other than their kind, and the first of them.
    told: BTreeMap<Why, (usize, PathBuf)>,
}

/// Why a file is passed over.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Why {
    Leftover,
    Special,
    LinkToFolder,
    TooDeep,
}

impl Why {
    fn words(self) -> &'static str {
        match self {
            Self::Leftover => "hidden or unfinished files, or folders of them",
            Self::Special => "pipes, sockets or devices",
            Self::LinkToFolder => "links to folders, which are not followed",
            Self::TooDeep => "folders too deep below the source's",
        }
    }
}

impl SkippedFiles {
    /// Returns how many files there are.
    pub(crate) fn count(&self) -> usize {
        let told: usize = self.told.values().map(|(count, _)| count).sum();
        self.ends.values().sum::<usize>() + told
    }

    /// Says what is passed over although it may be meant; none if there is no such file.
    pub(crate) fn told(&self) -> Option<String> {
        let told = |(why, (count, first)): (&Why, &(usize, PathBuf))| {
            format!("{count} {}, the first is {}", why.words(), first.display())
        };
        let told: Vec<String> = self.told.iter().map(told).collect();
        (!told.is_empty()).then(|| format!("left out: {}", told.join("; ")))
    }

    /// Adds those of another folder.
    pub(crate) fn add(&mut self, other: Self) {
        for (end, count) in other.ends {
            *self.ends.entry(end).or_default() += count;
        }
        for (why, (count, first)) in other.told {
            self.told.entry(why).or_insert((0, first)).0 += count;
        }
    }

    fn note(&mut self, why: Why, path: PathBuf) {
        self.told.entry(why).or_insert((0, path)).0 += 1;
    }
}

impl Held {
    /// Looks into a folder and those below it for files whose names are read. Links to folders are not followed.
    ///
    /// # Errors
    /// When one of the folders cannot be listed; it is named.
    pub(crate) fn of(folder: &Path, is_read: &dyn Fn(&str) -> bool) -> Result<Self> {
        let mut held = Self::default();
        held.look_into(folder, 0, is_read)?;
        Ok(held)
    }

    /// Finds what a path with wildcards stands for; folders among it are looked into.
    ///
    /// # Errors
    /// When a folder cannot be listed; it is named.
    pub(crate) fn fitting(pattern: &Path, is_read: &dyn Fn(&str) -> bool) -> Result<Self> {
        let mut held = Self::default();
        for path in found(pattern)? {
            let name = path.file_name().unwrap_or_default().to_string_lossy();
            if kind::is_leftover(&name) {
                held.passed.note(Why::Leftover, path);
            } else if path.is_dir() {
                let below = Self::of(&path, is_read)?;
                held.files.extend(below.files);
                held.passed.add(below.passed);
            } else if is_special(&path) {
                held.passed.note(Why::Special, path);
            } else {
                held.files.push(path);
            }
        }
        Ok(held)
    }

    fn look_into(&mut self, folder: &Path, depth: usize, is_read: &dyn Fn(&str) -> bool) -> Result<()> {
        for entry in sorted(folder)? {
            let path = entry.path();
            let kind = entry.file_type().map_err(Error::io("read", &path))?;
            let name = entry.file_name();
            let name = name.to_string_lossy();
            if kind.is_dir() {
                match name.starts_with('.') || OF_PROGRAMS.contains(&&*name) {
                    true => self.passed.note(Why::Leftover, path),
                    false if depth < DEPTH_MAX => self.look_into(&path, depth + 1, is_read)?,
                    false => self.passed.note(Why::TooDeep, path),
                }
            } else if kind.is_symlink() && path.is_dir() {
                self.passed.note(Why::LinkToFolder, path);
            } else if kind::is_leftover(&name) {
                self.passed.note(Why::Leftover, path);
            } else if !is_read(&name) {
                *self.passed.ends.entry(kind::end_of(&name)).or_default() += 1;
            } else if !kind.is_file() && is_special(&path) {
                self.passed.note(Why::Special, path);
            } else {
                self.files.push(path);
            }
        }
        Ok(())
    }
}

/// Returns true for pipes, sockets, devices and files of the kernel: reading them may never end.
pub(crate) fn is_special(path: &Path) -> bool {
    let is_kernel_s = |path: PathBuf| KERNEL_FOLDERS.iter().any(|folder| path.starts_with(folder));
    std::fs::metadata(path).is_ok_and(|metadata| !metadata.is_file() && !metadata.is_dir())
        || path.canonicalize().is_ok_and(is_kernel_s)
}

/// Returns what is there of what a path with wildcards in any of its parts stands for, in the order of a shell.
fn found(pattern: &Path) -> Result<Vec<PathBuf>> {
    let mut found = vec![PathBuf::new()];
    let mut parts = pattern.components().peekable();
    while let Some(part) = parts.next() {
        let name = part.as_os_str().to_string_lossy();
        let is_pattern = matches!(part, Component::Normal(_)) && braces::has_wildcards(&name);
        let mut next = Vec::new();
        for base in found {
            if !is_pattern {
                next.push(base.join(part));
                continue;
            }
            let folder = if base.as_os_str().is_empty() { Path::new(".") } else { &*base };
            for entry in sorted(folder)? {
                let entry = entry.file_name();
                if fits(&name, &entry.to_string_lossy()) {
                    next.push(base.join(entry));
                }
            }
        }
        // Behind a folder's name there are folders alone.
        let is_last = parts.peek().is_none();
        next.retain(|path| if is_last { path.symlink_metadata().is_ok() } else { path.is_dir() });
        found = next;
    }
    Ok(found)
}

/// As in a shell, a hidden file is meant only where its dot is written.
fn fits(pattern: &str, name: &str) -> bool {
    (!name.starts_with('.') || pattern.starts_with('.')) && braces::fits(pattern, name)
}

fn sorted(folder: &Path) -> Result<Vec<DirEntry>> {
    let entries = std::fs::read_dir(folder).and_then(Iterator::collect);
    let mut entries: Vec<DirEntry> = entries.map_err(Error::io("list", folder))?;
    entries.sort_by_key(DirEntry::file_name);
    Ok(entries)
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use std::fs;
    use std::os::unix::fs::symlink;

    use super::*;

    /// Makes files, and returns the folder.
    fn folder(files: &[&str]) -> tempfile::TempDir {
        let folder = tempfile::tempdir().unwrap();
        for file in files {
            let path = folder.path().join(file);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, "x").unwrap();
        }
        folder
    }

    fn names(held: &Held, root: &Path) -> Vec<String> {
        let name = |path: &PathBuf| path.strip_prefix(root).unwrap().to_string_lossy().into_owned();
        held.files.iter().map(name).collect()
    }

    fn is_json(name: &str) -> bool {
        name.ends_with(".jsonl")
    }

    #[test]
    fn pipes_and_files_of_the_kernel_are_not_read() {
        let folder = tempfile::tempdir().unwrap();
        let root = folder.path();
        std::fs::write(root.join("a.json"), "{}").unwrap();
        for (name, target) in [("kmsg", "/proc/kmsg"), ("mem", "/proc/self/mem"), ("zero", "/dev/zero")] {
            let link = root.join(format!("{name}.json"));
            std::os::unix::fs::symlink(target, &link).unwrap();
            assert!(is_special(&link), "{name}");
        }
        std::os::unix::fs::symlink(root.join("a.json"), root.join("b.json")).unwrap();
        let held = Held::of(root, &|name| name.ends_with(".json")).unwrap();
        assert_eq!(names(&held, root), ["a.json", "b.json"]);
    }

    #[test]
    fn what_is_passed_over_is_counted_and_told() {
        let folder = folder(&[
            "a.jsonl",
            "b/c.jsonl",
            "b/._c.jsonl",
            ".cache/d.jsonl",
            "b/_temporary/0/e.jsonl",
            "f.jsonl.tmp",
            "g.csv",
            "h.csv",
        ]);
        let root = folder.path();
        symlink("b", root.join("i")).unwrap();
        symlink("/dev/null", root.join("j.jsonl")).unwrap();
        symlink("nowhere", root.join("k.jsonl")).unwrap();
        let held = Held::of(root, &is_json).unwrap();
        assert_eq!(names(&held, root), ["a.jsonl", "b/c.jsonl", "k.jsonl"]);
        assert_eq!(held.passed.ends, BTreeMap::from([(".csv".to_owned(), 2)]));
        assert_eq!(held.passed.count(), 8);
        let told = held.passed.told().unwrap();
        for words in ["4 hidden or unfinished", ".cache;", "1 pipes", "j.jsonl", "1 links to folders", "/i"] {
            assert!(told.contains(words), "{told}");
        }
        assert_eq!(Held::of(&root.join("b/_temporary/0"), &is_json).unwrap().passed.told(), None);
    }

    #[test]
    fn wildcards_may_stand_in_any_part_of_a_path() {
        let folder = folder(&[
            "b/x/1.jsonl",
            "b/x/2.txt",
            "a/x/1.jsonl",
            "a/y/1.jsonl",
            ".c/x/1.jsonl",
            "d",
            "a/x/.1.jsonl",
        ]);
        let root = folder.path();
        let found = |pattern: &str| names(&Held::fitting(&root.join(pattern), &is_json).unwrap(), root);
        assert_eq!(found("*/x/*.jsonl"), ["a/x/1.jsonl", "b/x/1.jsonl"]);
        assert_eq!(found("?/*/1.*"), ["a/x/1.jsonl", "a/y/1.jsonl", "b/x/1.jsonl"]);
        assert_eq!(found("*/y"), ["a/y/1.jsonl"], "a folder stands for its files");
        assert_eq!(found("b/x/*"), ["b/x/1.jsonl", "b/x/2.txt"], "what is named is meant");
        assert_eq!(found(".c/*/*"), [".c/x/1.jsonl"]);
        assert_eq!(found("*/z/*"), Vec::<String>::new());
    }

    #[test]
    fn a_folder_that_cannot_be_listed_is_named_itself() {
        let folder = folder(&["a/b/c.jsonl"]);
        let closed = folder.path().join("a/b");
        fs::set_permissions(&closed, std::os::unix::fs::PermissionsExt::from_mode(0o0)).unwrap();
        let held = Held::of(folder.path(), &is_json);
        // Nothing is closed to root.
        if let Err(error) = held {
            assert_eq!(error.to_string(), format!("cannot list {}", closed.display()));
        }
    }
}
