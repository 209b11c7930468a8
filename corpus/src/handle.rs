//! Handles: what one part of the flow gives another to read, with the type of its rows.

use std::fmt;
use std::marker::PhantomData;

use crate::Stage;

/// Stages in the order in which they run.
pub type Stages = Vec<Box<dyn Stage>>;

/// A stage whose rows are of this type. A stage that reads them cannot be made without it.
pub struct Handle<R> {
    stage: String,
    row: PhantomData<fn() -> R>,
}

impl<R> Handle<R> {
    /// Returns the handle of a stage that writes such rows.
    pub fn new(stage: impl Into<String>) -> Self {
        Self { stage: stage.into(), row: PhantomData }
    }

    /// Returns the stage's name.
    pub fn stage(&self) -> &str {
        &self.stage
    }
}

impl<R> Clone for Handle<R> {
    fn clone(&self) -> Self {
        Self::new(self.stage.clone())
    }
}

impl<R> fmt::Debug for Handle<R> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.stage, std::any::type_name::<R>())
    }
}

/// Returns the names of the stages.
pub fn names<R>(handles: &[Handle<R>]) -> Vec<String> {
    handles.iter().map(|handle| handle.stage.clone()).collect()
}
