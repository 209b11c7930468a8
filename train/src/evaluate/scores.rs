//! Everything that an evaluation measures: a further measurement is a file of its own and an entry of the two lists here.

use std::collections::BTreeMap;

use corpus::Output;
use model::Learner;
use serde::{Deserialize, Serialize};

use crate::evaluate::captions::{self, CaptionScores};
use crate::evaluate::held_out::HeldOut;
use crate::evaluate::losses::{self, KindLoss};
use crate::{Kind, Result};

/// Everything that the evaluation measures; written as JSON.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Scores {
    /// Captions of held-out pairs.
    #[serde(flatten)]
    pub captions: CaptionScores,
    /// Loss on held-out sequences, by kind; kinds without any are left out.
    pub losses: BTreeMap<Kind, KindLoss>,
}

impl Scores {
    /// Measures everything.
    ///
    /// # Errors
    /// When a row cannot be what packing writes, or the network fails.
    pub(crate) fn measure(
        data: &HeldOut<'_>,
        learner: &mut dyn Learner,
        out: &mut Output<'_>,
    ) -> Result<Self> {
        let losses = losses::measure(data, learner)?;
        Ok(Self { captions: captions::measure(data, learner, out)?, losses })
    }
}
