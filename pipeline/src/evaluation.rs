//! Evaluation sets: what `[text.decontaminate]` names is read as `ingest` reads files.

use std::sync::Arc;

use filter::config::{DecontaminateConfig, key_of_set};
use filter::stage::image_hashes::EVALUATION_SOURCE;
use ingest::Client;
use ingest::evaluation::{EvaluationSet, EvaluationSets};

/// The stage that reads the items of evaluation sets.
pub const SETS: &str = "text.evaluation";

/// Returns the evaluation sets of a configuration.
pub fn sets(config: &DecontaminateConfig, client: &Arc<Client>) -> EvaluationSets {
    let sets = config.sets.iter().map(|(name, set)| EvaluationSet {
        name: name.clone(),
        key: key_of_set(name),
        path: set.path.clone(),
        fields: set.fields.clone(),
    });
    EvaluationSets::new(SETS, EVALUATION_SOURCE, client, sets.collect())
}
