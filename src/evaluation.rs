//! Evaluation sets: what `[text.decontaminate]` names is read as `ingest` reads files.

use std::sync::Arc;

use filter::config::{DecontaminateConfig, key_of_set};
use filter::stage::looks::EVALUATION_SOURCE;
use ingest::Client;
use ingest::evaluation::{EvaluationSet, EvaluationSets};

use crate::names;

/// Returns the evaluation sets of a configuration.
pub(crate) fn sets(config: &DecontaminateConfig, client: &Arc<Client>) -> EvaluationSets {
    let sets = config.sets.iter().map(|(name, set)| EvaluationSet {
        name: name.clone(),
        key: key_of_set(name),
        path: set.path.clone(),
        fields: set.fields.clone(),
    });
    EvaluationSets::new(names::EVALUATION_SETS, EVALUATION_SOURCE, client, sets.collect())
}
