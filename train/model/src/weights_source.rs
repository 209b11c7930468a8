//! Where the vision tower's weights come from.

use std::path::PathBuf;

use serde::{Deserialize, Serialize};

/// Hexadecimal digits of a SHA-256.
const DIGEST_DIGITS: usize = 64;

/// What a URL may begin with.
const SCHEMES: [&str; 3] = ["https://", "http://", "file://"];

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
    /// Such a file at a URL, downloaded once by a stage of its own (`tower`).
    Download {
        /// The URL.
        url: String,
        /// Its SHA-256, as for a file.
        sha256: Option<String>,
    },
}

impl WeightsSource {
    /// Says what is wrong with it.
    pub(crate) fn fault(&self) -> Option<String> {
        match self {
            Self::File { sha256: Some(digest), .. } | Self::Download { sha256: Some(digest), .. }
                if digest.len() != DIGEST_DIGITS || !digest.bytes().all(|byte| byte.is_ascii_hexdigit()) =>
            {
                Some(format!("sha256 is {digest:?}, must be {DIGEST_DIGITS} hexadecimal digits"))
            }
            Self::Download { url, .. } if !SCHEMES.iter().any(|scheme| url.starts_with(scheme)) => {
                Some(format!("url is {url:?}, must begin with one of {}", SCHEMES.join(", ")))
            }
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_digest_that_is_none_and_a_url_that_is_none_are_told() {
        let url = |url: &str, sha256: Option<&str>| {
            WeightsSource::Download { url: url.to_owned(), sha256: sha256.map(str::to_owned) }.fault()
        };
        assert_eq!(url("https://host/model.safetensors", Some(&"aB".repeat(32))), None);
        assert!(
            url("model.safetensors", None)
                .is_some_and(|fault| fault.contains("must begin with one of https://"))
        );
        assert!(
            url("https://host/model", Some("12")).is_some_and(|fault| fault.contains("sha256 is \"12\""))
        );
        let file = WeightsSource::File { path: "model".into(), sha256: Some("g".repeat(64)) };
        assert!(file.fault().is_some());
    }
}
