//! Where a stage finds its records: in the parts of one stage or several.

use corpus::stage::Inputs;
use corpus::{Dataset, Part, Result};

use crate::subject::Subject;

/// Returns the parts of stages that hold records, in the order of the stages and of their input.
///
/// # Errors
/// When a stage is not among the inputs.
pub(super) fn parts<'i, S: Subject>(
    inputs: &'i Inputs,
    stages: &[String],
) -> Result<Vec<(&'i Dataset, &'i Part)>> {
    let mut parts = Vec::new();
    for stage in stages {
        let dataset = inputs.get(stage)?;
        parts.extend(S::parts(dataset).into_iter().map(|part| (dataset, part)));
    }
    Ok(parts)
}
