//! Where a stage finds its records: in the parts of one stage or several.

use corpus::stage::Inputs;
use corpus::{Dataset, Error, Part, Result};

use crate::subject::Subject;

/// A part with the dataset it is of.
pub(super) type Placed<'i> = (&'i Dataset, Part);

/// Returns the parts of stages that hold records, in the order of the stages and of their input.
pub(super) fn parts<'i, S: Subject>(
    inputs: &'i Inputs,
    stages: &'i [String],
) -> impl Iterator<Item = Result<Placed<'i>>> + use<'i, S> {
    let of_stage = |stage: &'i String| {
        let dataset = inputs.get(stage);
        let parts = dataset.map(|dataset| (dataset, dataset.parts_in(S::stream(dataset))));
        let (parts, missing) = match parts {
            Ok((dataset, parts)) => (Some(parts.map(move |part| part.map(|part| (dataset, part)))), None),
            Err(error) => (None, Some(Err(error))),
        };
        missing.into_iter().chain(parts.into_iter().flatten())
    };
    stages.iter().flat_map(of_stage)
}

/// Returns the number of those parts: of the tasks of a stage that runs one for each.
///
/// # Errors
/// When a stage is not among the inputs, or has no such records.
pub(super) fn part_count<S: Subject>(inputs: &Inputs, stages: &[String]) -> Result<u32> {
    let mut count = 0;
    for stage in stages {
        count += S::stream(inputs.get(stage)?)?.part_count;
    }
    u32::try_from(count).map_err(|error| Error::work(&stages.join(", "), error))
}

/// Returns the part of a task, `None` behind the last one.
///
/// # Errors
/// As [`part_count`], and when the list of parts cannot be read.
pub(super) fn part<'i, S: Subject>(
    inputs: &'i Inputs,
    stages: &[String],
    task: u32,
) -> Result<Option<Placed<'i>>> {
    let mut left = u64::from(task);
    for stage in stages {
        let dataset = inputs.get(stage)?;
        let summary = S::stream(dataset)?;
        match left.checked_sub(summary.part_count) {
            Some(behind) => left = behind,
            None => return Ok(dataset.part_in(summary, left)?.map(|part| (dataset, part))),
        }
    }
    Ok(None)
}
