//! Pairs: rules, then duplicates by URL and caption.

use corpus::handle::{Handle, Stages, names};
use corpus::record::Pair;

use super::{Shared, add_exact};
use crate::config::PairsConfig;
use crate::stage::{Deduplicated, Representatives, Rules};

const PAIRS: &str = "pairs";
const RULES: &str = "pairs.rules";
const EXACT: &str = "pairs.exact";
const REPRESENTATIVES: &str = "pairs.representatives";

/// Returns the stages that judge pairs and keep one of equal ones.
pub fn pair_stages(config: &PairsConfig, shared: &Shared, pairs: &[Handle<Pair>]) -> (Stages, Handle<Pair>) {
    let mut stages: Stages = Vec::new();
    let rules = Rules::<Pair>::new(RULES, names(pairs), config.rules.clone(), config.exact.normalise);
    let records = match config.rules.is_empty() {
        // All go on as they are, so they are read where they were.
        true => {
            stages.push(Box::new(rules.keys_only()));
            names(pairs)
        }
        false => {
            stages.push(Box::new(rules));
            vec![RULES.to_owned()]
        }
    };
    add_exact(&mut stages, PAIRS, &config.exact, shared);
    let memory_mb = config.exact.memory_mb;
    stages.push(Box::new(Representatives::<Pair>::new(
        REPRESENTATIVES,
        records.clone(),
        &[EXACT],
        memory_mb,
    )));
    let deduplicated = Deduplicated::<Pair>::new(PAIRS, records, EXACT, None);
    stages.push(Box::new(deduplicated.with_names(REPRESENTATIVES, None)));
    (stages, Handle::new(PAIRS))
}
