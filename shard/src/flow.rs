//! The stages of shards: interleaved documents, features, the tokenizer, packed sequences.

use std::collections::BTreeMap;

use corpus::handle::{Handle, Stages, names};
use corpus::record::{Document, Features, Image, ImageDuplicate, Interleaved, Kind, Page, Pair, Sequence};

use crate::TowerStart;
use crate::features::{self, Compute, Source};
use crate::interleaved::{self, Build};
use crate::pack::{InterleavedConfig, PackInterleaved, PackPairs, PackText, PairConfig, TextConfig};
use crate::tokenizer::{Tokenize, TokenizerConfig};

const INTERLEAVED: &str = "interleaved";
const FEATURES_PAIRS: &str = "features.pairs";
const FEATURES_INTERLEAVED: &str = "features.interleaved";
const TOKENIZER: &str = "tokenizer";
const PACK_TEXT: &str = "pack.text";
const PACK_PAIRS: &str = "pack.pairs";
const PACK_INTERLEAVED: &str = "pack.interleaved";

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
    pairs: Option<Handle<Features>>,
    interleaved: Option<Handle<Features>>,
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

/// Returns the stage that trains the tokenizer on texts and captions, or takes a given one.
pub fn tokenizer_stages(
    config: &TokenizerConfig,
    texts: Option<&Handle<Document>>,
    captions: Option<&Handle<Pair>>,
) -> (Stages, Handle<Model>) {
    let texts = texts.iter().map(|texts| texts.stage().to_owned()).collect();
    let captions = captions.iter().map(|captions| captions.stage().to_owned()).collect();
    let tokenize = Tokenize::new(TOKENIZER, config, texts, captions);
    (vec![Box::new(tokenize)], Handle::new(TOKENIZER))
}

/// Images of pairs to pack.
#[derive(Debug)]
pub struct PackablePairs<'r> {
    /// All passes over the images.
    pub images: &'r [Handle<Image>],
    /// The duplicates among them, which are left out.
    pub duplicates: Option<&'r Handle<ImageDuplicate>>,
    /// How.
    pub config: PairConfig,
}

/// What is packed, each kind with its settings.
#[derive(Debug, Default)]
pub struct Packable<'r> {
    /// Documents of text.
    pub text: Option<(&'r Handle<Document>, TextConfig)>,
    /// Images of pairs.
    pub pairs: Option<PackablePairs<'r>>,
    /// Interleaved documents.
    pub interleaved: Option<(&'r Handle<Interleaved>, InterleavedConfig)>,
}

/// Packed sequences by kind.
pub type Packed = BTreeMap<Kind, Handle<Sequence>>;

/// Returns the stages that pack sequences; images are their features where there are any, else their bytes.
pub fn packing_stages(
    packable: Packable<'_>,
    seed: u64,
    tokenizer: &Handle<Model>,
    features: &FeatureHandles,
) -> (Stages, Packed) {
    let (mut stages, mut packed): (Stages, _) = (Vec::new(), Packed::new());
    let tokenizer = || tokenizer.stage().to_owned();
    let stage_of =
        |handle: &Option<Handle<Features>>| handle.as_ref().map(|handle| handle.stage().to_owned());
    if let Some((documents, config)) = packable.text {
        let documents = documents.stage().to_owned();
        let name = PACK_TEXT.to_owned();
        stages.push(Box::new(PackText { name, tokenizer: tokenizer(), documents, config, seed }));
        packed.insert(Kind::Text, Handle::new(PACK_TEXT));
    }
    if let Some(PackablePairs { images, duplicates, config }) = packable.pairs {
        stages.push(Box::new(PackPairs {
            name: PACK_PAIRS.into(),
            tokenizer: tokenizer(),
            images: names(images),
            duplicates: duplicates.map(|duplicates| duplicates.stage().to_owned()),
            features: stage_of(&features.pairs),
            config,
            seed,
        }));
        packed.insert(Kind::Pairs, Handle::new(PACK_PAIRS));
    }
    if let Some((documents, config)) = packable.interleaved {
        stages.push(Box::new(PackInterleaved {
            name: PACK_INTERLEAVED.into(),
            tokenizer: tokenizer(),
            documents: documents.stage().to_owned(),
            features: stage_of(&features.interleaved),
            config,
        }));
        packed.insert(Kind::Interleaved, Handle::new(PACK_INTERLEAVED));
    }
    (stages, packed)
}
