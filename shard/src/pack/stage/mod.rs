//! The stages that pack: one task per part of what they pack.

mod interleaved;
mod pairs;
#[cfg(test)]
mod tests;
mod text;

pub use interleaved::PackInterleaved;
pub use pairs::PackPairs;
pub use text::PackText;

use corpus::{Error, Result, Task};

use crate::pack::PackError;
use crate::tokenizer::{TOKENIZER_MODEL, Tokenizer};

/// Reads the tokenizer of a sealed stage.
fn open_tokenizer(task: &Task<'_>, input: &str) -> Result<Tokenizer> {
    let model = task.inputs.get(input)?.file(TOKENIZER_MODEL)?;
    let model = model.ok_or_else(|| Error::work(task.stage, PackError::TokenizerMissing))?;
    Tokenizer::parse(&model).map_err(|error| Error::work(task.stage, error))
}
