//! What the published rules count, and what they say of scripts without spaces.

use serde::{Deserialize, Serialize};

use super::Finding;
use crate::scripts::Script;
use crate::text::Text;

/// What to do with texts mostly in a script without spaces: Chinese, Japanese, Thai, Lao, Khmer, Burmese.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Unspaced {
    /// Judge them by the words that a dictionary finds.
    #[default]
    Judge,
    /// Let them pass: the rule does not apply, but its values are recorded.
    Pass,
}

impl Unspaced {
    /// Returns true if and only if a text passes whatever it is.
    pub(super) fn passes(self, text: &Text<'_>) -> bool {
        self == Self::Pass && text.script() == Script::Unspaced
    }

    /// Lets all findings pass if the text does.
    pub(super) fn apply(self, text: &Text<'_>, findings: &mut [Finding<'_>]) {
        if self.passes(text) {
            findings.iter_mut().for_each(|finding| finding.passed = true);
        }
    }
}
