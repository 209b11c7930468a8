//! Hidden text: a value of the configuration that may be a secret. It is used, and never shown.

use std::fmt;

use serde::{Deserialize, Serialize, Serializer};

/// What is shown in its place.
const SHOWN: &str = "(hidden)";

/// Text that is never shown in logs or errors.
#[derive(Clone, PartialEq, Eq, Deserialize, schemars::JsonSchema)]
#[serde(transparent)]
pub struct Hidden(String);

impl Hidden {
    /// Returns the text.
    pub(super) fn get(&self) -> &str {
        &self.0
    }
}

impl From<&str> for Hidden {
    fn from(text: &str) -> Self {
        Self(text.to_owned())
    }
}

impl fmt::Debug for Hidden {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(SHOWN)
    }
}

impl Serialize for Hidden {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(SHOWN)
    }
}
