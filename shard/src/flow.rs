//! The stages of shards: interleaved documents, features, the tokenizer; packed sequences are `pack`'s.

use corpus::handle::{Handle, Stages, names};
use corpus::record::{Document, Features, Image, Interleaved, Page, Pair};

use crate::TowerStart;
use crate::features::{self, Compute, Source};
use crate::interleaved::{self, Build};
use crate::tokenizer::{Tokenize, TokenizerConfig};

pub use crate::pack::stage::{Packable, PackablePairs, Packed, packing_stages};

const INTERLEAVED: &str = "interleaved";
const FEATURES_PAIRS: &str = "features.pairs";
const FEATURES_INTERLEAVED: &str = "features.interleaved";
const TOKENIZER: &str = "tokenizer";

/// A tokenizer's model, as the rows of a stage: there is one file of it.
#[derive(Debug, Clone, Copy)]
pub struct Model;

/// Returns the stage that makes documents of pages and their images.
pub fn interleaved_stages(
    config: &interleaved::Config,
    seed: u64,
    pages: &Handle<Page>,
    images: &[Handle<Image>],
) -> (Stages, Handle<Interleaved>) {
    let build = Build {
        name: INTERLEAVED.into(),
        pages: pages.stage().to_owned(),
        images: names(images),
        config: config.clone(),
        seed,
    };
    (vec![Box::new(build)], Handle::new(INTERLEAVED))
}

/// Features of images, by what the images are of.
#[derive(Debug, Clone, Default)]
pub struct FeatureHandles {
    pub(crate) pairs: Option<Handle<Features>>,
    pub(crate) interleaved: Option<Handle<Features>>,
}

/// Returns the stages that compute the features of images.
pub fn feature_stages(
    config: &features::Config,
    (tower, start): (&model::TowerConfig, &TowerStart),
    pairs: Option<&[Handle<Image>]>,
    interleaved: Option<&Handle<Interleaved>>,
) -> (Stages, FeatureHandles) {
    let (mut stages, mut handles): (Stages, _) = (Vec::new(), FeatureHandles::default());
    let mut add = |name: &str, source| {
        stages.push(Box::new(Compute::new(name, source, config.clone(), tower.clone(), start.clone())));
        Some(Handle::new(name))
    };
    if let Some(images) = pairs {
        handles.pairs = add(FEATURES_PAIRS, Source::Pairs(names(images)));
    }
    if let Some(documents) = interleaved {
        let source = Source::Interleaved(documents.stage().to_owned());
        handles.interleaved = add(FEATURES_INTERLEAVED, source);
    }
    (stages, handles)
}

/// Returns the stage that trains the tokenizer on texts and captions, or takes a given one, which must have as many
/// tokens as the network that is trained has rows.
pub fn tokenizer_stages(
    config: &TokenizerConfig,
    texts: Option<&Handle<Document>>,
    captions: Option<&Handle<Pair>>,
    network_rows: Option<u32>,
) -> (Stages, Handle<Model>) {
    let texts = texts.iter().map(|texts| texts.stage().to_owned()).collect();
    let captions = captions.iter().map(|captions| captions.stage().to_owned()).collect();
    let tokenize = Tokenize::new(TOKENIZER, config, (texts, captions), network_rows);
    (vec![Box::new(tokenize)], Handle::new(TOKENIZER))
}
