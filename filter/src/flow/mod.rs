//! The stages of filtering: from the sources' rows to those that go on.
//!
//! ```text
//! text     documents and pages  -> documents    rules, duplicates, repeats, evaluation sets, split
//! pairs    pairs                -> pairs        rules, duplicates
//! pages    pages                -> pages        rules, duplicates, before any image is fetched
//! images   images of pairs      -> duplicates   by bytes and by looks
//! ```

mod images;
mod pages;
mod pairs;
mod text;

pub use images::{DUPLICATES, image_duplicate_stages};
pub use pages::page_stages;
pub use pairs::pair_stages;
pub use text::{Evaluation, evaluation_stages, text_stages};

use corpus::handle::Stages;

use crate::config::ExactConfig;
use crate::stage::{ContentKeys, Exact, Rules, SourcePriority};
use crate::subject::Subject;

/// What all families need beside their own section.
#[derive(Debug, Clone)]
pub struct Shared {
    /// The seed of the run.
    pub seed: u64,
    /// The sources, those first whose records are kept of equal ones.
    pub priority: SourcePriority,
}

/// Adds the stage that judges records; returns the stages in whose parts those are that go on: its own, or where all
/// go on as they are, the ones that they came from.
fn add_rules<S: Subject>(
    stages: &mut Stages,
    name: &str,
    inputs: Vec<String>,
    (rules, normalise): (&[S::Rule], bool),
    in_place: bool,
) -> Vec<String>
where
    S::Rule: 'static,
{
    let stage = Rules::<S>::new(name, inputs.clone(), rules.to_vec(), normalise);
    if in_place {
        stages.push(Box::new(stage.keys_only()));
        return inputs;
    }
    stages.push(Box::new(stage));
    vec![name.to_owned()]
}

/// Adds the stages that find records of equal content among those that `OF.rules` let pass.
fn add_exact(stages: &mut Stages, of: &str, exact: &ExactConfig, shared: &Shared) {
    let ExactConfig { partitions, memory_mb, .. } = *exact;
    let keys = format!("{of}.exact.keys");
    let (rules, source_priority) = (format!("{of}.rules"), shared.priority.clone());
    stages.push(Box::new(ContentKeys { name: keys.clone(), rules, memory_mb, source_priority }));
    stages.push(Box::new(Exact { name: format!("{of}.exact"), keys, partitions, memory_mb }));
}
