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
use corpus::record::{IMAGES, ImageHash};
use corpus::stage::Inputs;

pub use clusters::ImageClusters;
pub use links::ImageLinks;

/// Source number of the images of evaluation sets, which no configured source may have.
pub const EVALUATION_SOURCE: corpus::SourceCode = corpus::SourceCode(254);

/// Reads the hashes of all images.
fn image_hashes<'a>(
    inputs: &'a Inputs,
    stages: &'a [String],
) -> impl Iterator<Item = Result<ImageHash>> + 'a {
    stages.iter().flat_map(move |stage| match inputs.get(stage) {
        Ok(dataset) => {
            Box::new(dataset.rows(IMAGES.view::<ImageHash>())) as Box<dyn Iterator<Item = Result<ImageHash>>>
        }
        Err(error) => Box::new(std::iter::once(Err(error))),
    })
}

/// Returns the first 64 bits of a digest: enough to tell 10^9 files apart.
fn digest_prefix(image: &ImageHash) -> u64 {
    image.sha256.get(..16).and_then(|digits| u64::from_str_radix(digits, 16).ok()).unwrap_or_default()
}
