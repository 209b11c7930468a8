//! Garbage collection: the one place where anything is deleted.
//!
//! It deletes files of our own name pattern only, in a folder that carries our marker, and
//! only of stages that are sealed: old fingerprints, and parts that no entry names.

use std::collections::{BTreeMap, BTreeSet};

use crate::digest::Digest;
use crate::ledger::{Name, folder};
use crate::{Dataset, Error, Fingerprint, Ledger, Result, Store};

/// The file that marks a folder as ours; holds the format version.
pub const MARKER: &str = "kosmos.json";

/// What was deleted, or would be.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Garbage {
    /// Paths within the store with their sizes in bytes.
    pub files: Vec<(String, u64)>,
}

impl Garbage {
    /// Returns the bytes of all files.
    pub fn bytes(&self) -> u64 {
        self.files.iter().map(|(_, bytes)| bytes).sum()
    }
}

/// Finds everything that the current fingerprints of the sealed stages do not need. A part that any current
/// manifest names is needed, whichever stage's folder it is in.
///
/// # Errors
/// When the folder has no marker or the store fails.
pub fn find(store: &Store, current: &BTreeMap<String, Fingerprint>) -> Result<Garbage> {
    if store.get(MARKER)?.is_none() {
        return Err(Error::Settings {
            stage: "gc".to_owned(),
            detail: format!("{store} has no {MARKER}: not a folder of a run"),
        });
    }
    let ledger = Ledger::new(store.clone());
    let (mut needed, mut sealed) = (BTreeSet::new(), Vec::new());
    for (stage, fingerprint) in current {
        if let Some(manifest) = ledger.manifest(stage, fingerprint)? {
            let dataset = Dataset::new(store.clone(), manifest);
            let paths = dataset.parts_of(|_| true).map(|part| part.map(|part| part.path));
            needed.extend(paths.collect::<Result<Vec<_>>>()?);
            sealed.push((stage, format!("{}/", folder(stage, fingerprint))));
        }
    }
    let mut garbage = Garbage::default();
    for (stage, own_ledger) in sealed {
        for top in ["data", "ledger"] {
            for (path, bytes) in store.list(&format!("{top}/{stage}"))? {
                let kept =
                    needed.contains(&path) || path.starts_with(&own_ledger) || is_superseded_mark(&path);
                if !kept && is_ours(&path) {
                    garbage.files.push((path, bytes));
                }
            }
        }
    }
    Ok(garbage)
}

/// Returns true if and only if the path is what tells that a fingerprint's results were given up: without it
/// a later generation would not be found.
fn is_superseded_mark(path: &str) -> bool {
    path.ends_with("/superseded.json")
}

/// Deletes what [`find`] found.
///
/// # Errors
/// When the store refuses.
pub fn sweep(store: &Store, garbage: &Garbage) -> Result<()> {
    store.delete_all(garbage.files.iter().map(|(path, _)| path.as_str()))
}

/// Returns true if and only if the path has the shape of a part, an entry or a manifest.
fn is_ours(path: &str) -> bool {
    let mut fields = path.split('/');
    let (Some(top), Some(_stage), Some(fingerprint)) = (fields.next(), fields.next(), fields.next()) else {
        return false;
    };
    let name = path.rsplit('/').next().unwrap_or_default();
    Fingerprint::parse(fingerprint).is_some()
        && match top {
            "ledger" => Name::parse(path).is_some(),
            "data" => is_part_name(name),
            _ => false,
        }
}

/// Returns true if and only if the name is `task-range-digest16.extension`.
fn is_part_name(name: &str) -> bool {
    let stem = name.split('.').next().unwrap_or_default();
    let fields: Vec<&str> = stem.split('-').collect();
    let digits = |text: &str| !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit());
    let digest_digits = Digest::of(b"").short().len();
    matches!(fields.as_slice(), [task, range, digest]
        if digits(task) && digits(range) && digest.len() == digest_digits
            && digest.bytes().all(|b| b.is_ascii_hexdigit()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_names_of_our_own_pattern_are_garbage() {
        let ours = [
            "data/pile/0123456789abcdef/documents/00012-0-0123456789abcdef.parquet",
            "ledger/pile/0123456789abcdef/00000012-000003.json",
            "ledger/pile/0123456789abcdef.1/00000012-end.json",
            "ledger/pile/0123456789abcdef/sealed.json",
        ];
        let foreign = [
            "data/pile/0123456789abcdef/documents/notes.txt",
            "data/pile/thesis/documents/00012-0-0123456789abcdef.parquet",
            "thesis.tex",
            "ledger/pile/0123456789abcdef/readme.json",
        ];
        assert!(ours.iter().all(|path| is_ours(path)));
        assert!(!foreign.iter().any(|path| is_ours(path)));
    }
}
