//! Which stages are run.

use corpus::Stage;

use crate::config::nearest;
use crate::{Error, Flow, Result};

/// Largest distance at which a stage is suggested for a misspelt one.
const SUGGESTION_DISTANCE_MAX: usize = 3;

/// Which stages are run.
#[derive(Debug, Clone, Default)]
pub struct Selection {
    /// The last stage, if not all.
    pub until: Option<String>,
    /// One stage alone.
    pub only: Option<String>,
    /// Stages that are run again although their results are there.
    pub rebuild: Vec<String>,
}

impl Selection {
    /// Returns the stages of a flow that are selected.
    pub fn stages<'f>(&self, flow: &'f Flow) -> impl Iterator<Item = &'f dyn Stage> {
        let position = |name: &String| flow.stages.iter().position(|stage| stage.name() == *name);
        let end = self.until.as_ref().and_then(position).map_or(flow.stages.len(), |last| last + 1);
        let is_selected = |stage: &&'f dyn Stage| self.only.as_ref().is_none_or(|only| *only == stage.name());
        flow.stages.iter().take(end).map(AsRef::as_ref).filter(is_selected)
    }

    /// Refuses names that are not among those of the stages.
    ///
    /// # Errors
    /// [`Error::Usage`] with what may have been meant.
    pub fn check(&self, names: &[String]) -> Result<()> {
        let asked = self.until.iter().chain(&self.only).chain(&self.rebuild);
        for name in asked {
            if !names.contains(name) {
                let near = nearest(name, names.iter().map(String::as_str), SUGGESTION_DISTANCE_MAX);
                let there = || format!("there are: {}", names.join(", "));
                let remedy = near.map_or_else(there, |known| format!("did you mean {known}?"));
                return Err(Error::usage(format!("no stage {name:?}; {remedy}")));
            }
        }
        Ok(())
    }
}
