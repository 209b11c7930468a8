//! Real files from the web, when the machine has them; they are not part of the repository.

use std::path::PathBuf;

/// Returns the folder of real files, or prints that the test is skipped.
pub(crate) fn open_data(test: &str) -> Option<PathBuf> {
    let folder = super::repository().join("../shared/data/open");
    if folder.is_dir() {
        return Some(folder);
    }
    eprintln!("skipped: {test}: {} is not there", folder.display());
    None
}

/// Returns the regular files of a folder, sorted, those of its subfolders too.
pub(crate) fn files(folder: &std::path::Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    let mut folders = vec![folder.to_owned()];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).into_iter().flatten().flatten() {
            let path = entry.path();
            if path.is_dir() { folders.push(path) } else { found.push(path) }
        }
    }
    found.sort();
    found
}
