//! Where the vision tower's weights come from.

use std::path::PathBuf;

use serde::{Deserialize, Serialize};

/// Hexadecimal digits of a SHA-256.
const DIGEST_DIGITS: usize = 64;

/// Where the vision tower's weights come from.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum WeightsSource {
    /// CLIP's random initialisation, for tests and samples.
    Random {
        /// The seed.
        seed: u64,
    },
    /// A safetensors file in the layout of Hugging Face's `CLIPVisionModel` or `CLIPModel`.
    File {
        /// The file.
        path: PathBuf,
        /// Its SHA-256 in hexadecimal, as `sha256sum` prints it. A file with other bytes is refused.
        sha256: Option<String>,
    },
}

impl WeightsSource {
    /// Says what is wrong with it.
    pub(crate) fn fault(&self) -> Option<String> {
        match self {
            Self::File { sha256: Some(digest), .. }
                if digest.len() != DIGEST_DIGITS || !digest.bytes().all(|byte| byte.is_ascii_hexdigit()) =>
            {
                Some(format!("sha256 is {digest:?}, must be {DIGEST_DIGITS} hexadecimal digits"))
            }
            _ => None,
        }
    }
}
