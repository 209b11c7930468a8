//! Pages: rules and duplicates, before any of their images is fetched.

use corpus::handle::{Handle, Stages, names};
use corpus::record::Page;

use super::{Shared, add_exact, add_rules};
use crate::config::InterleavedConfig;
use crate::stage::{Deduplicated, Representatives, Rules};

const SELECT: &str = "interleaved.select";
/// What the stages of duplicates are named after.
const INTERLEAVED: &str = "interleaved";
const RULES: &str = "interleaved.rules";
const EXACT: &str = "interleaved.exact";
const REPRESENTATIVES: &str = "interleaved.representatives";

/// Returns the stages that choose the pages of which interleaved documents are made.
pub fn page_stages(
    config: &InterleavedConfig,
    shared: &Shared,
    pages: &[Handle<Page>],
) -> (Stages, Handle<Page>) {
    let mut stages: Stages = Vec::new();
    match &config.exact {
        None => {
            let select = Rules::<Page>::new(SELECT, names(pages), config.rules.clone(), false);
            stages.push(Box::new(select.without_keys()));
        }
        Some(exact) => {
            let (rules, in_place) = ((&config.rules[..], exact.normalise), config.rules.is_empty());
            let records = add_rules::<Page>(&mut stages, RULES, names(pages), rules, in_place);
            add_exact(&mut stages, INTERLEAVED, exact, shared);
            let memory_mb = exact.memory_mb;
            stages.push(Box::new(Representatives::<Page>::new(
                REPRESENTATIVES,
                records.clone(),
                &[EXACT],
                memory_mb,
            )));
            let select = Deduplicated::<Page>::new(SELECT, records, EXACT, None);
            stages.push(Box::new(select.with_names(REPRESENTATIVES, None)));
        }
    }
    (stages, Handle::new(SELECT))
}
