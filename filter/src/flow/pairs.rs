//! Pairs: rules, then duplicates by URL and caption.

use corpus::handle::{Handle, Stages, names};
use corpus::record::Pair;

use super::{Shared, add_exact, add_rules};
use crate::config::PairsConfig;
use crate::stage::{Deduplicated, Representatives};

const PAIRS: &str = "pairs";
const RULES: &str = "pairs.rules";
const EXACT: &str = "pairs.exact";
const REPRESENTATIVES: &str = "pairs.representatives";

/// Returns the stages that judge pairs and keep one of equal ones.
pub fn pair_stages(config: &PairsConfig, shared: &Shared, pairs: &[Handle<Pair>]) -> (Stages, Handle<Pair>) {
    let mut stages: Stages = Vec::new();
    let (rules, in_place) = ((&config.rules[..], config.exact.normalise), config.rules.is_empty());
    let records = add_rules::<Pair>(&mut stages, RULES, names(pairs), rules, in_place);
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
