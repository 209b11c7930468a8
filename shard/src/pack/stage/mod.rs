//! The stages that pack: one task per part of what they pack.

mod interleaved;
mod pairs;
#[cfg(test)]
mod tests;
mod text;

pub use interleaved::PackInterleaved;
pub use pairs::PackPairs;
pub use text::PackText;

use corpus::{Dataset, Error, Part, Result, Task};

use crate::pack::PackError;
use crate::tokenizer::{MODEL_STREAM, Tokenizer};

/// Stream that all of them write.
const SEQUENCES: &str = "sequences";

/// Reads the tokenizer of a sealed stage.
fn open_tokenizer(task: &Task<'_>, input: &str) -> Result<Tokenizer> {
    let model = task.inputs.get(input)?.file(MODEL_STREAM)?;
    let model = model.ok_or_else(|| Error::work(task.stage, PackError::TokenizerMissing))?;
    Tokenizer::parse(&model).map_err(|error| Error::work(task.stage, error))
}

/// Returns the part that is a task's input; tasks count the parts of all datasets in order.
fn part_of<'d>(datasets: &[&'d Dataset], stream: &'d str, task: u32) -> Option<(&'d Dataset, &'d Part)> {
    let mut parts =
        datasets.iter().flat_map(|dataset| dataset.parts(stream).map(move |part| (*dataset, part)));
    parts.nth(task as usize)
}
