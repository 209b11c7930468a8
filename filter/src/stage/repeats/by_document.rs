//! What was found in documents, read along with them.

use std::iter::Peekable;

use corpus::record::{REPEATS, Repeat};
use corpus::sort::Merge;
use corpus::{Dataset, Id, Part, Result, Task};

/// The repeats of a part's documents, in their order; holds those of one document.
pub(super) struct ByDocument<'t> {
    repeats: Peekable<Merge<'t, Repeat>>,
}

impl<'t> ByDocument<'t> {
    /// Opens what a stage found in the documents of a part.
    ///
    /// # Errors
    /// When a part cannot be read.
    pub(super) fn open(task: &'t Task<'_>, stage: &str, documents: &Dataset, part: &Part) -> Result<Self> {
        let ids = documents.id_range(part, "id")?;
        let range = ids.start().to_bits()..=ids.end().to_bits();
        let repeats = Merge::new(task.inputs.get(stage)?, REPEATS, range, task.cancel)?.peekable();
        Ok(Self { repeats })
    }

    /// Takes those of a document, past those of documents before it.
    ///
    /// # Errors
    /// When a part cannot be read.
    pub(super) fn take(&mut self, id: Id) -> Result<Vec<Repeat>> {
        while self.repeats.next_if(|row| matches!(row, Ok(repeat) if repeat.id < id)).is_some() {}
        let mut found = Vec::new();
        while let Some(repeat) = self.repeats.next_if(|row| !matches!(row, Ok(repeat) if repeat.id > id)) {
            found.push(repeat?);
        }
        Ok(found)
    }
}
