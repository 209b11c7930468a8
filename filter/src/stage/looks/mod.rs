//! The steps of finding duplicates among images, each a stage: links between those that are the
//! same or look alike, and clusters of linked ones.
//!
//! Memory: tasks share `memory_mb`. All else is on disk.

mod clusters;
mod links;

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests;

use corpus::Result;
use corpus::record::{IMAGES, Look};
use corpus::stage::Inputs;

pub use clusters::LookClusters;
pub use links::LookLinks;

/// Source number of the images of evaluation sets, which no configured source may have.
pub const EVALUATION_SOURCE: corpus::SourceCode = corpus::SourceCode(254);

/// Reads what all images look like.
fn looks<'a>(inputs: &'a Inputs, stages: &'a [String]) -> impl Iterator<Item = Result<Look>> + 'a {
    stages.iter().flat_map(move |stage| match inputs.get(stage) {
        Ok(dataset) => {
            Box::new(dataset.rows(IMAGES.view::<Look>())) as Box<dyn Iterator<Item = Result<Look>>>
        }
        Err(error) => Box::new(std::iter::once(Err(error))),
    })
}

/// Returns the first 64 bits of a digest: enough to tell 10^9 files apart.
fn digest_prefix(look: &Look) -> u64 {
    look.sha256.get(..16).and_then(|digits| u64::from_str_radix(digits, 16).ok()).unwrap_or_default()
}
