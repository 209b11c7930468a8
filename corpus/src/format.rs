//! The format of a run's folder: one number, in the folder's marker and in every object of its ledger.
//!
//! | format | what changed | what is done with it |
//! |---|---|---|
//! | 1 | the first | refused: its parts were made by stages that are gone |
//! | 2 | ranges chain by their first and last position; tasks have a mark of their end | `kosmos migrate` |
//! | 3 | manifests list their parts in shards; plans and manifests name all streams; entries as before | read |

/// The format that is written.
pub const FORMAT: u32 = 3;
/// The oldest format that is carried over: its entries and ends of tasks are read as they are.
pub const MIGRATED_SINCE: u32 = 2;

/// What the ledger holds, each with the oldest format that is read.
pub(crate) trait Versioned: serde::de::DeserializeOwned {
    /// The oldest format whose objects of this type are read.
    const SINCE: u32;
}

/// Returns why an object of this format is not read; `None` if it is.
pub fn refusal(format: u32, since: u32) -> Option<String> {
    match format {
        _ if format > FORMAT => {
            Some(format!("format {format} is of a newer kosmos; this one reads up to format {FORMAT}"))
        }
        _ if format < MIGRATED_SINCE => Some(format!("format {format} is of a kosmos that is too old")),
        _ if format < since => Some(format!(
            "format {format} is of an older kosmos; `kosmos migrate DIR` carries the folder over"
        )),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn older_and_newer_formats_are_told_apart() {
        assert_eq!((refusal(FORMAT, FORMAT), refusal(2, MIGRATED_SINCE)), (None, None));
        assert!(refusal(2, FORMAT).is_some_and(|why| why.contains("kosmos migrate")));
        assert!(refusal(FORMAT + 1, FORMAT).is_some_and(|why| why.contains("newer")));
    }
}
