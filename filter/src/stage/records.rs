//! Where a stage finds its records: in the parts of one stage or several.

use corpus::stage::Inputs;
use corpus::{Chain, Result};

use crate::subject::Subject;

/// Returns the parts that hold records.
///
/// # Errors
/// When a stage is not among the inputs, or has no such records.
pub(super) fn records<'i, S: Subject>(inputs: &'i Inputs, stages: &[String]) -> Result<Chain<'i>> {
    Chain::new(inputs, stages, S::stream)
}
