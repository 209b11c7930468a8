//! The listing of evaluation sets: their files, one set after the other.

use corpus::record::{EVALUATION_FILES, EvaluationFiles, FILES, SourceFile};
use corpus::{Declared, Error, Inputs, Output, Result, Stage, Task};
use serde_json::{Value, json};

use super::{EvaluationSet, EvaluationSets};
use crate::listing::{Listed, Listing};

/// The stage `NAME.files`.
pub(super) struct Files(pub(super) EvaluationSets);

impl Files {
    /// Writes the files of a set, and whose they are; returns the index behind the last one.
    fn write(&self, set: &EvaluationSet, first: u32, task: &Task<'_>, out: &mut Output<'_>) -> Result<u32> {
        let (listing, Listed { files, passed }) = (self.0.listing(set), self.0.listed(set)?);
        let count = u32::try_from(files.len()).map_err(|error| Error::work(task.stage, error))?;
        if u64::from(first) >= out.position() {
            Listing::tell(&passed, task, out);
            out.write(EVALUATION_FILES, EvaluationFiles { set: set.name.clone(), first, count })?;
        }
        for (index, url) in (first..).zip(files) {
            // What an attempt before has committed is passed over.
            if u64::from(index) >= out.position() {
                listing.write(SourceFile { index, url }, task, out)?;
            }
        }
        Ok(first.saturating_add(count))
    }
}

impl Stage for Files {
    fn name(&self) -> String {
        self.0.source.listing()
    }

    fn settings(&self) -> Result<Value> {
        let paths = self.0.sets.iter().map(|set| (set.name.clone(), set.path.clone().into()));
        Ok(json!({ "sets": paths.collect::<serde_json::Map<_, _>>() }))
    }

    fn plan(&self, _: &Inputs) -> Result<u32> {
        Ok(1)
    }

    fn streams(&self) -> Vec<Declared> {
        vec![EVALUATION_FILES.into(), FILES.into()]
    }

    fn run(&self, task: &Task<'_>, out: &mut Output<'_>) -> Result<()> {
        let mut first = 0;
        for set in &self.0.sets {
            first = self.write(set, first, task, out)?;
        }
        Ok(())
    }
}
