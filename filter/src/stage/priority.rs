//! Which of several sources a record is kept from.

use corpus::SourceCode;
use serde::Serialize;

/// Sources from the most to the least preferred; those that are missing come last, by code.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
#[serde(transparent)]
pub struct SourcePriority(pub Vec<SourceCode>);

impl SourcePriority {
    /// Returns a source's rank; the smaller, the more preferred.
    pub(super) fn rank(&self, source: SourceCode) -> u16 {
        let listed = self.0.iter().position(|code| *code == source);
        // Codes have 8 bits, so a list without repetition has at most 256.
        listed.map_or(256 + u16::from(source.0), |index| index.min(255) as u16)
    }
}
