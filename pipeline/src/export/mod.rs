//! A run's results as files that other tools read.
//!
//! ```text
//! texts        texts, divided among files
//! text_file    one file of them: JSON lines or Parquet
//! webdataset   images with their captions, in tar files
//! ```

mod text_file;
mod texts;
mod webdataset;

use std::ffi::OsStr;
use std::fmt::Display;
use std::fs;
use std::path::Path;

pub use text_file::{Compression, Form};
pub use texts::{Division, TextExport, texts};
pub use webdataset::{ImageExport, images};

use crate::{Error, Folder, Result};

/// How the names of files start and end while not all of them are written: no other tool uses both.
const PARTIAL_START: &str = ".kosmos-export-";
const PARTIAL_END: &str = ".partial";

/// The error of a stage that is not there to export from.
fn unfinished(stage: &str, folder: &Folder) -> Error {
    Error::Usage(format!("{} has no finished stage {stage}: run it first", folder.place()))
}

/// Returns what makes an error of a file or folder that cannot be written.
fn unwritten<E: Into<Box<dyn std::error::Error + Send + Sync>>>(path: &Path) -> impl FnOnce(E) -> Error {
    Error::because(move || format!("cannot write {}", path.display()))
}

/// Makes the folder, and removes what an export left that did not end. A folder with anything else in it is
/// refused before a file is removed.
fn prepare(out: &Path) -> Result<()> {
    fs::create_dir_all(out).map_err(unwritten(out))?;
    let mut left = Vec::new();
    for entry in fs::read_dir(out).map_err(unwritten(out))? {
        let entry = entry.map_err(unwritten(out))?;
        if !entry.file_type().map_err(unwritten(out))?.is_file() || !is_partial(&entry.file_name()) {
            let (out, other) = (out.display(), entry.file_name());
            let message = format!("{out} holds other files ({}): name an empty folder", other.display());
            return Err(Error::Usage(message));
        }
        left.push(entry.path());
    }
    left.iter().try_for_each(|path| fs::remove_file(path).map_err(unwritten(path)))
}

/// Returns the name of an unfinished file; `what` is of small letters, digits and dashes.
fn partial(what: impl Display) -> String {
    format!("{PARTIAL_START}{what}{PARTIAL_END}")
}

/// Tells whether a file is named as by [`partial`].
fn is_partial(name: &OsStr) -> bool {
    let what = name.to_str().and_then(|name| name.strip_prefix(PARTIAL_START)?.strip_suffix(PARTIAL_END));
    let is_ours = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
    what.is_some_and(|what| !what.is_empty() && what.bytes().all(is_ours))
}

/// Gives a finished file its name, which nothing else has.
fn publish(path: &Path, out: &Path, name: &str) -> Result<()> {
    let target = out.join(name);
    if target.exists() {
        return Err(Error::Usage(format!("{} was written by something else meanwhile", target.display())));
    }
    fs::rename(path, &target).map_err(unwritten(&target))
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn a_folder_with_files_of_others_is_refused_and_keeps_all_of_them() {
        let folder = tempfile::tempdir().unwrap();
        let out = folder.path();
        let ours = partial("train-00000-00000");
        let others = ["movie.mkv.partial", ".00000.partial", "notes.txt", ".kosmos-export-.partial"];
        for other in others {
            fs::write(out.join(&ours), "ours").unwrap();
            fs::write(out.join(other), "theirs").unwrap();
            let error = prepare(out).unwrap_err().to_string();
            assert!(error.contains("holds other files") && error.contains(other), "{error}");
            assert_eq!(fs::read(out.join(&ours)).unwrap(), b"ours", "{other}");
            assert_eq!(fs::read(out.join(other)).unwrap(), b"theirs");
            fs::remove_file(out.join(other)).unwrap();
        }
        fs::create_dir(out.join(partial("folder"))).unwrap();
        assert!(prepare(out).is_err());
        fs::remove_dir(out.join(partial("folder"))).unwrap();
        prepare(out).unwrap();
        assert_eq!(fs::read_dir(out).unwrap().count(), 0);
    }

    #[test]
    fn a_name_that_something_else_took_is_left_to_it() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join(partial("00000"));
        fs::write(&path, "ours").unwrap();
        fs::write(folder.path().join("00000.tar"), "theirs").unwrap();
        assert!(publish(&path, folder.path(), "00000.tar").is_err());
        assert_eq!(fs::read(folder.path().join("00000.tar")).unwrap(), b"theirs");
        publish(&path, folder.path(), "00001.tar").unwrap();
        assert_eq!(fs::read(folder.path().join("00001.tar")).unwrap(), b"ours");
    }
}
