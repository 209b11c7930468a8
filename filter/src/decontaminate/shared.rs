//! The n-grams of evaluation sets, held once for all tasks of the stages that look for them.

use std::sync::{Arc, Mutex, PoisonError};

use corpus::record::EVALUATION_NGRAMS;
use corpus::{Inputs, Result};

use super::Index;
use crate::config::DecontaminateConfig;

/// What stages of one run share: what is looked for, and what happens to it.
#[derive(Debug)]
pub struct SharedIndex {
    /// The settings.
    pub config: DecontaminateConfig,
    /// The stage that collected the n-grams.
    pub ngrams: String,
    index: Mutex<Option<Arc<Index>>>,
}

impl SharedIndex {
    /// Reads nothing yet.
    pub fn new(config: DecontaminateConfig, ngrams: &str) -> Self {
        Self { config, ngrams: ngrams.to_owned(), index: Mutex::new(None) }
    }

    /// Returns the n-grams, read if that has not been done.
    ///
    /// # Errors
    /// When they cannot be read.
    pub fn get(&self, inputs: &Inputs) -> Result<Arc<Index>> {
        let mut index = self.index.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(index) = index.as_ref() {
            return Ok(Arc::clone(index));
        }
        let dataset = inputs.get(&self.ngrams)?;
        let count = dataset.summary(EVALUATION_NGRAMS)?.rows;
        let read = Index::new(&self.config, count as usize, dataset.rows(EVALUATION_NGRAMS))?;
        Ok(Arc::clone(index.insert(Arc::new(read))))
    }
}
