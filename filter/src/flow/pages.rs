//! Pages: rules, before any of their images is fetched.

use corpus::handle::{Handle, Stages, names};
use corpus::record::Page;

use crate::config::InterleavedConfig;
use crate::stage::Rules;

const SELECT: &str = "interleaved.select";

/// Returns the stages that choose the pages of which interleaved documents are made.
pub fn page_stages(config: &InterleavedConfig, pages: &[Handle<Page>]) -> (Stages, Handle<Page>) {
    let select = Rules::<Page>::new(SELECT, names(pages), config.rules.clone(), false);
    (vec![Box::new(select)], Handle::new(SELECT))
}
