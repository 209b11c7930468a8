//! What can be wrong with a tokenizer model.

/// A tokenizer model that cannot be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum TokenizerError {
    /// The file is above [`MODEL_BYTES_MAX`](crate::tokenizer::MODEL_BYTES_MAX).
    #[error("tokenizer model of {bytes} bytes is above {bytes_max}")]
    TooLarge {
        /// Its size.
        bytes: u64,
        /// The bound.
        bytes_max: u64,
    },
    /// The protobuf ends early or is not one.
    #[error("tokenizer model is no protobuf at byte {offset} of {message}: {detail}")]
    Protobuf {
        /// The message that was being read.
        message: &'static str,
        /// Bytes from the message's start.
        offset: usize,
        /// What is wrong.
        detail: &'static str,
    },
    /// The protobuf is readable, but no unigram model can be like that.
    #[error("tokenizer model has an impossible piece {index}: {detail}")]
    Piece {
        /// The piece's id.
        index: usize,
        /// What is wrong.
        detail: &'static str,
    },
    /// The precompiled character map of the normaliser is damaged.
    #[error("tokenizer model has a damaged character map: {detail}")]
    CharacterMap {
        /// What is wrong.
        detail: &'static str,
    },
    /// A kind of model that this tokenizer does not read.
    #[error("tokenizer model is not supported: {detail}")]
    Unsupported {
        /// What it asks for.
        detail: &'static str,
    },
    /// A `tokenizer.json` that cannot be used.
    #[error("tokenizer.json: {detail}")]
    Json {
        /// What is wrong.
        detail: String,
    },
    /// A text could not be encoded, or ids decoded, by a `tokenizer.json`.
    #[error("the tokenizer failed on a text: {detail}")]
    Failed {
        /// What it says.
        detail: String,
    },
    /// A small model could not be trained.
    #[error("tokenizer cannot be trained: {detail}")]
    Training {
        /// What is wrong.
        detail: String,
    },
}
