//! Checkpoints that nobody will continue from: those of other trainings than the current one.

use std::path::Path;

use corpus::{Fingerprint, Store};

use super::{DATA_FILES, FOLDER, STATE};
use crate::{Error, Result};

/// Returns the files of other trainings' checkpoints, as paths in the run's folder with their sizes in
/// bytes. Only files of our own names are among them.
///
/// # Errors
/// When a folder cannot be listed.
pub fn garbage(store: &Store, current: &Fingerprint) -> Result<Vec<(String, u64)>> {
    let mut found = Vec::new();
    for training in folders(&store.folder().join(FOLDER))? {
        if training == current.as_str() || Fingerprint::parse(&training).is_none() {
            continue;
        }
        let path = format!("{FOLDER}/{training}");
        for step in folders(&store.folder().join(&path))?.into_iter().filter(|name| name.starts_with("step-"))
        {
            for file in DATA_FILES.into_iter().chain([STATE]) {
                let file = format!("{path}/{step}/{file}");
                if let Ok(metadata) = std::fs::metadata(store.folder().join(&file)) {
                    found.push((file, metadata.len()));
                }
            }
        }
    }
    Ok(found)
}

/// Removes what [`garbage`] found, and folders that are empty after it.
///
/// # Errors
/// When the disk refuses.
pub fn sweep(store: &Store, files: &[(String, u64)]) -> Result<()> {
    for (file, _) in files {
        let path = store.folder().join(file);
        std::fs::remove_file(&path).map_err(Error::io("remove", &path))?;
        // Of a step, then of its training; whichever still holds something stays.
        for folder in path.ancestors().skip(1).take(2) {
            let _ = std::fs::remove_dir(folder);
        }
    }
    Ok(())
}

/// Returns the names of the folders in a folder; none where it is not there.
fn folders(path: &Path) -> Result<Vec<String>> {
    let entries = match std::fs::read_dir(path) {
        Ok(entries) => entries,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(Vec::new()),
        Err(error) => return Err(Error::io("list", path)(error)),
    };
    let mut names = Vec::new();
    for entry in entries {
        let entry = entry.map_err(Error::io("list", path))?;
        if entry.file_type().map_err(Error::io("read", path))?.is_dir() {
            names.extend(entry.file_name().into_string().ok());
        }
    }
    names.sort();
    Ok(names)
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn only_files_of_other_trainings_are_garbage() {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::local(folder.path()).unwrap();
        let (old, current) = ("0123456789abcdef", "fedcba9876543210");
        for file in [
            format!("{old}/step-00000002/model.safetensors"),
            format!("{old}/step-00000004-7-0.tmp/optimizer.safetensors"),
            format!("{old}/step-00000002/notes.txt"),
            format!("{current}/step-00000002/model.safetensors"),
            "thesis/step-00000002/model.safetensors".to_owned(),
        ] {
            let path = folder.path().join("checkpoints").join(file);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(path, "bytes").unwrap();
        }
        let found = garbage(&store, &Fingerprint::parse(current).unwrap()).unwrap();
        let names: Vec<&str> = found.iter().map(|(name, _)| name.rsplit('/').next().unwrap()).collect();
        assert_eq!(names, ["model.safetensors", "optimizer.safetensors"]);
        sweep(&store, &found).unwrap();
        assert!(folder.path().join(format!("checkpoints/{old}/step-00000002/notes.txt")).exists());
        assert!(!folder.path().join(format!("checkpoints/{old}/step-00000004-7-0.tmp")).exists());
        assert!(
            folder.path().join(format!("checkpoints/{current}/step-00000002/model.safetensors")).exists()
        );
    }
}
