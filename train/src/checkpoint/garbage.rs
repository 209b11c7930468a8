//! Checkpoints that nobody will continue from: those of other trainings than the current one.

use corpus::{Fingerprint, Store};

use super::{DATA_FILES, FOLDER, STATE};
use crate::Result;

/// Returns the files of other trainings' checkpoints, as paths in the run's store with their sizes in bytes. Only
/// files of our own names are among them.
///
/// # Errors
/// When the store cannot list.
pub fn garbage(store: &Store, current: &Fingerprint) -> Result<Vec<(String, u64)>> {
    let mut found = store.list(FOLDER)?;
    found.retain(|(path, _)| is_ours(path) && training(path) != Some(current.as_str()));
    Ok(found)
}

/// Removes what [`garbage`] found.
///
/// # Errors
/// When the store refuses.
pub fn sweep(store: &Store, files: &[(String, u64)]) -> Result<()> {
    Ok(store.delete_all(files.iter().map(|(path, _)| path.as_str()))?)
}

/// Returns the fingerprint of a path `checkpoints/FINGERPRINT/STEP/FILE`, if it is one.
fn training(path: &str) -> Option<&str> {
    let name = path.strip_prefix(FOLDER)?.strip_prefix('/')?.split('/').next()?;
    Fingerprint::parse(name).map(|_| name)
}

/// Returns true if and only if a path is that of a checkpoint's file.
pub(super) fn is_ours(path: &str) -> bool {
    let mut fields = path.rsplit('/');
    let (Some(name), Some(step), Some(_), Some(FOLDER), None) =
        (fields.next(), fields.next(), fields.next(), fields.next(), fields.next())
    else {
        return false;
    };
    let is_data = |data: &str| match data.split_once('.') {
        Some((stem, extension)) => {
            let digest =
                name.strip_prefix(stem).and_then(|rest| rest.strip_suffix(extension)?.strip_suffix('.'));
            digest.is_some_and(|digest| digest.is_empty() || is_digest(digest))
        }
        None => false,
    };
    step.starts_with("step-")
        && training(path).is_some()
        && (name == STATE || DATA_FILES.into_iter().any(is_data))
}

/// Returns true for `-` and the first digits of a digest.
fn is_digest(text: &str) -> bool {
    text.strip_prefix('-')
        .is_some_and(|digits| digits.len() == 16 && digits.bytes().all(|byte| byte.is_ascii_hexdigit()))
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
            format!("{old}/step-00000002/model-0123456789abcdef.safetensors"),
            format!("{old}/step-00000004-7-0.tmp/optimizer.safetensors"),
            format!("{old}/step-00000002/notes.txt"),
            format!("{old}/step-00000002/model-mine.safetensors"),
            format!("{current}/step-00000002/model.safetensors"),
            "thesis/step-00000002/model.safetensors".to_owned(),
        ] {
            let path = folder.path().join("checkpoints").join(file);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(path, "bytes").unwrap();
        }
        let found = garbage(&store, &Fingerprint::parse(current).unwrap()).unwrap();
        let names: Vec<&str> = found.iter().map(|(name, _)| name.rsplit('/').next().unwrap()).collect();
        assert_eq!(names, ["model-0123456789abcdef.safetensors", "optimizer.safetensors"]);
        sweep(&store, &found).unwrap();
        assert!(folder.path().join(format!("checkpoints/{old}/step-00000002/notes.txt")).exists());
        assert!(!folder.path().join(format!("checkpoints/{old}/step-00000004-7-0.tmp")).exists());
        assert!(
            folder.path().join(format!("checkpoints/{current}/step-00000002/model.safetensors")).exists()
        );
    }
}
