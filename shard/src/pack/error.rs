//! What can go wrong in packing.

use corpus::Id;

/// Features that do not belong to the images they should belong to: a fault of ours.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum PackError {
    /// The next features are those of another image.
    #[error("features of {found_id} slot {found_slot} where those of {id} slot {slot} should be")]
    FeaturesMisaligned {
        /// The image's first use.
        id: Id,
        /// Its place in the document.
        slot: u16,
        /// What the features are of.
        found_id: Id,
        /// Its place in its document.
        found_slot: u16,
    },
    /// There are fewer features than images.
    #[error("no features for {id} slot {slot}")]
    FeaturesMissing {
        /// The image's first use.
        id: Id,
        /// Its place in the document.
        slot: u16,
    },
    /// The tokenizer's dataset has no model.
    #[error("the tokenizer's dataset has no file of the stream model")]
    TokenizerMissing,
}
