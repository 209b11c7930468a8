//! The stages of images: the list of what is fetched, and passes over it.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;

use corpus::SourceCode;
use corpus::handle::{Handle, Stages};
use corpus::record::{Image, Page, Pair};
use ingest::{Client, fetch};

use crate::{Config, Evaluation, List, Pass, Uses};

const USES: &str = "images.list.uses";
const LIST: &str = "images.list";
const EVALUATION: &str = "images.evaluation";
/// How the names of passes begin.
pub const PASSES: &str = "images.pass";

/// Returns the name of a pass.
pub fn pass_name(index: u32) -> String {
    format!("{PASSES}{index}")
}

/// Returns the stages that fetch the images of pairs and pages: each URL once, in so many passes.
pub fn image_stages(
    config: &Config,
    (client, fetch): (&Arc<Client>, &fetch::Config),
    passes: u32,
    pairs: Option<&Handle<Pair>>,
    pages: Option<&Handle<Page>>,
) -> (Stages, Vec<Handle<Image>>) {
    let uses = Uses {
        name: USES.into(),
        pairs: pairs.iter().map(|pairs| pairs.stage().to_owned()).collect(),
        pages: pages.iter().map(|pages| pages.stage().to_owned()).collect(),
        memory_mb: config.list_memory_mb,
    };
    let list = List { name: LIST.into(), uses: USES.into(), config: config.clone() };
    let (mut stages, mut images): (Stages, _) = (vec![Box::new(uses), Box::new(list)], Vec::new());
    let mut input = LIST.to_owned();
    for index in 0..passes {
        let name = pass_name(index);
        stages.push(Box::new(Pass {
            name: name.clone(),
            input,
            index,
            config: config.clone(),
            client: client.clone(),
            fetch: fetch.clone(),
        }));
        images.push(Handle::new(name.clone()));
        input = name;
    }
    (stages, images)
}

/// Returns the stage that reads the images of evaluation sets, under ids of this source.
pub fn evaluation_stages(
    config: &Config,
    sets: &BTreeMap<String, PathBuf>,
    source: SourceCode,
) -> (Stages, Handle<Image>) {
    let stage = Evaluation::new(EVALUATION, sets, config, source);
    (vec![Box::new(stage)], Handle::new(EVALUATION))
}
