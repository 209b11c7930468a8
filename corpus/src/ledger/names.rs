//! Names of the ledger's objects: they alone tell how far a stage is.

use crate::Fingerprint;

/// What a complete task's object ends with.
const END: &str = "-end";
/// What a shard of a manifest begins with.
const SHARD: &str = "sealed-";

/// What an object of a stage's folder is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Name {
    /// A committed range.
    Range { task: u32, range: u32 },
    /// A complete task.
    End { task: u32 },
    /// The manifest, or a shard of it.
    Seal,
    /// The plan, or the mark of a stage that is run again.
    Stage,
}

impl Name {
    /// Reads the last component of a path; `None` if it is no name of ours.
    pub(crate) fn parse(path: &str) -> Option<Self> {
        let name = path.rsplit('/').next()?.strip_suffix(".json")?;
        if name == "sealed" || name.starts_with(SHARD) {
            return Some(Self::Seal);
        }
        if matches!(name, "plan" | "superseded") {
            return Some(Self::Stage);
        }
        if let Some(task) = name.strip_suffix(END) {
            return Some(Self::End { task: task.parse().ok()? });
        }
        let (task, range) = name.split_once('-')?;
        Some(Self::Range { task: task.parse().ok()?, range: range.parse().ok()? })
    }
}

/// Returns the folder of a stage's entries.
pub fn folder(stage: &str, fingerprint: &Fingerprint) -> String {
    format!("ledger/{stage}/{fingerprint}")
}

/// Returns the path of a stage's manifest.
pub fn sealed_path(stage: &str, fingerprint: &Fingerprint) -> String {
    format!("{}/sealed.json", folder(stage, fingerprint))
}

/// Returns the path of a shard of the manifest in a stage's folder.
pub(super) fn shard_path(folder: &str, stream: &str, index: usize) -> String {
    format!("{folder}/{SHARD}{stream}-{index:06}.json")
}

/// Returns the path of the object that says that a stage was begun.
pub(crate) fn plan_path(stage: &str, fingerprint: &Fingerprint) -> String {
    format!("{}/plan.json", folder(stage, fingerprint))
}

/// Returns the path of the object that says that a stage is run again, under its next generation.
pub(super) fn superseded_path(stage: &str, fingerprint: &Fingerprint) -> String {
    format!("{}/superseded.json", folder(stage, fingerprint))
}

/// Returns the path of a committed range. A last range is named like any other, so that of two attempts
/// of which only one sees the end of its input exactly one counts.
pub(crate) fn range_path(stage: &str, fingerprint: &Fingerprint, task: u32, range: u32) -> String {
    format!("{}/{task:08}-{range:06}.json", folder(stage, fingerprint))
}

/// Returns the path of the object that says that a task is complete.
pub(super) fn end_path(stage: &str, fingerprint: &Fingerprint, task: u32) -> String {
    format!("{}/{task:08}{END}.json", folder(stage, fingerprint))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_told_apart() {
        assert_eq!(Name::parse("a/00000012-000003.json"), Some(Name::Range { task: 12, range: 3 }));
        assert_eq!(Name::parse("a/00000012-end.json"), Some(Name::End { task: 12 }));
        assert_eq!(Name::parse("a/plan.json"), Some(Name::Stage));
        assert_eq!(Name::parse("a/sealed.json"), Some(Name::Seal));
        assert_eq!(Name::parse(&shard_path("a", "documents", 7)), Some(Name::Seal));
        assert_eq!(Name::parse("a/readme.json"), None);
        assert_eq!(Name::parse("a/00000012-000003.json.tmp"), None);
    }
}
