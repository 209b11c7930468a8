//! The parts of several stages, one after the other.

use crate::ledger::StreamSummary;
use crate::stage::Inputs;
use crate::{Dataset, Error, Part, Result};

/// A part with the dataset that it belongs to.
pub type Placed<'i> = (&'i Dataset, Part);

/// One stream of each of several stages, read as if they were one: parts in the order of the stages, and in each as
/// they stand there. A stage that runs one task per part counts them here.
#[derive(Debug, Clone)]
pub struct Chain<'i>(Vec<(&'i Dataset, &'i StreamSummary)>);

impl<'i> Chain<'i> {
    /// Looks the stages up; `stream` says which of a stage's streams is read.
    ///
    /// # Errors
    /// When a stage is not among the inputs, or `stream` finds none.
    pub fn new<'s>(
        inputs: &'i Inputs,
        stages: impl IntoIterator<Item = &'s String>,
        stream: impl Fn(&'i Dataset) -> Result<&'i StreamSummary>,
    ) -> Result<Self> {
        let of_stage = |stage: &String| {
            let dataset = inputs.get(stage)?;
            Ok((dataset, stream(dataset)?))
        };
        stages.into_iter().map(of_stage).collect::<Result<_>>().map(Self)
    }

    /// Returns the number of parts: of the tasks of a stage that runs one for each.
    ///
    /// # Errors
    /// When there are more than tasks can be.
    pub fn part_count(&self) -> Result<u32> {
        let count = self.0.iter().map(|(_, summary)| summary.part_count).sum::<u64>();
        let stages = || self.0.iter().map(|(dataset, _)| dataset.manifest().stage.as_str());
        u32::try_from(count).map_err(|error| Error::work(&stages().collect::<Vec<_>>().join(", "), error))
    }

    /// Returns the part at an index, `None` behind the last one. One list of parts is read.
    ///
    /// # Errors
    /// When the list cannot be read.
    pub fn part(&self, index: u32) -> Result<Option<Placed<'i>>> {
        let mut left = u64::from(index);
        for &(dataset, summary) in &self.0 {
            match left.checked_sub(summary.part_count) {
                Some(behind) => left = behind,
                None => return Ok(dataset.part_in(summary, left)?.map(|part| (dataset, part))),
            }
        }
        Ok(None)
    }

    /// Returns all parts. A list of parts that cannot be read is an error in its place.
    pub fn parts(self) -> impl Iterator<Item = Result<Placed<'i>>> + use<'i> {
        self.0.into_iter().flat_map(|(dataset, summary)| {
            dataset.parts_in(Ok(summary)).map(move |part| part.map(|part| (dataset, part)))
        })
    }
}
