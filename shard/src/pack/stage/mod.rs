//! The stages that pack: one task per part of what they pack. A further kind is a file here, and its entries in this one.

mod interleaved;
mod pairs;
#[cfg(test)]
mod tests;
mod text;

use std::collections::BTreeMap;

use corpus::handle::{Handle, Stages, names};
use corpus::record::{Document, Features, Image, ImageDuplicate, Interleaved, Kind, Sequence};
use corpus::{Error, Result, Task};
use serde::Deserialize;

pub use self::interleaved::PackInterleaved;
pub use self::pairs::PackPairs;
pub use self::text::PackText;
use crate::flow::{FeatureHandles, Model};
use crate::pack::{InterleavedConfig, PackError, PairConfig, PairFit, TextConfig, TextFit};
use crate::tokenizer::{TOKENIZER_MODEL, Tokenizer};

const PACK_TEXT: &str = "pack.text";
const PACK_PAIRS: &str = "pack.pairs";
const PACK_INTERLEAVED: &str = "pack.interleaved";

/// Section `[pack]`: how sequences are packed. Their length and the slots of an image are the model's
/// (`model.decoder.sequence_tokens_max`, `model.resampler.latent_count`).
#[derive(Debug, Clone, Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct PackConfig {
    /// Number of documents that are shuffled and packed together, separately from all others.
    pub shuffle_documents: u32,
    /// Where a document of text goes: behind the one before as in KOSMOS-1 (`next`), so that many run on into the next
    /// sequence, or whole into the sequence that it fills best (`best`), which cuts only what is longer than one.
    pub text_fit: TextFit,
    /// Maximum tokens of a pair's caption; longer ones are cut, and counted (`captions_cut`). Ours: the paper states no
    /// bound, and one caption of 2,048 tokens would pad all others of its batch to its length.
    pub caption_tokens_max: u32,
    /// Which pairs are in a sequence: one as in KOSMOS-1 (`alone`), or as many as fit (`shared`), each of which attends to
    /// itself alone. Then nearly nothing is padded, and `train.batch.pairs` counts such sequences. Held-out pairs are
    /// always alone.
    pub pair_fit: PairFit,
    /// Share of the pairs' images held out, with all their captions.
    pub validation_share: f64,
}

impl Default for PackConfig {
    fn default() -> Self {
        Self {
            shuffle_documents: TextConfig::default().shuffle_documents,
            text_fit: TextFit::Next,
            caption_tokens_max: PairConfig::default().caption_tokens_max,
            pair_fit: PairFit::Alone,
            validation_share: PairConfig::default().validation_share,
        }
    }
}

impl PackConfig {
    fn text(&self, model: &model::Config) -> TextConfig {
        TextConfig {
            sequence_tokens_max: model.decoder.sequence_tokens_max,
            shuffle_documents: self.shuffle_documents,
            fit: self.text_fit,
        }
    }

    fn pairs(&self, model: &model::Config) -> PairConfig {
        PairConfig {
            sequence_tokens_max: model.decoder.sequence_tokens_max,
            latent_count: model.resampler.latent_count,
            caption_tokens_max: self.caption_tokens_max,
            fit: self.pair_fit,
            validation_share: self.validation_share,
        }
    }

    /// Checks the bounds, and that the model's sizes leave room for an image and its text.
    ///
    /// # Errors
    /// When a value is outside its bounds; the text names the key.
    pub fn validate(&self, model: &model::Config) -> Result<(), String> {
        self.text(model).validate()?;
        self.pairs(model).validate()?;
        interleaved(model, InterleavedConfig::default().images_max).validate()
    }
}

fn interleaved(model: &model::Config, images_max: u32) -> InterleavedConfig {
    InterleavedConfig {
        sequence_tokens_max: model.decoder.sequence_tokens_max,
        latent_count: model.resampler.latent_count,
        images_max,
    }
}

/// Images of pairs to pack.
#[derive(Debug)]
pub struct PackablePairs<'r> {
    /// All passes over the images.
    pub images: &'r [Handle<Image>],
    /// The duplicates among them, which are left out.
    pub duplicates: Option<&'r Handle<ImageDuplicate>>,
}

/// What is packed, by kind.
#[derive(Debug, Default)]
pub struct Packable<'r> {
    /// Documents of text.
    pub text: Option<&'r Handle<Document>>,
    /// Images of pairs.
    pub pairs: Option<PackablePairs<'r>>,
    /// Interleaved documents, and the images that one has at most: they were chosen when it was built.
    pub interleaved: Option<(&'r Handle<Interleaved>, u32)>,
}

/// Packed sequences by kind.
pub type Packed = BTreeMap<Kind, Handle<Sequence>>;

/// Returns the stages that pack sequences; images are their features where there are any, else their bytes.
pub fn packing_stages(
    packable: Packable<'_>,
    (config, model): (&PackConfig, &model::Config),
    seed: u64,
    tokenizer: &Handle<Model>,
    features: &FeatureHandles,
) -> (Stages, Packed) {
    let (mut stages, mut packed): (Stages, _) = (Vec::new(), Packed::new());
    let tokenizer = || tokenizer.stage().to_owned();
    let stage_of =
        |handle: &Option<Handle<Features>>| handle.as_ref().map(|handle| handle.stage().to_owned());
    if let Some(documents) = packable.text {
        stages.push(Box::new(PackText {
            name: PACK_TEXT.into(),
            tokenizer: tokenizer(),
            documents: documents.stage().to_owned(),
            config: config.text(model),
            seed,
        }));
        packed.insert(Kind::Text, Handle::new(PACK_TEXT));
    }
    if let Some(PackablePairs { images, duplicates }) = packable.pairs {
        stages.push(Box::new(PackPairs {
            name: PACK_PAIRS.into(),
            tokenizer: tokenizer(),
            images: names(images),
            duplicates: duplicates.map(|duplicates| duplicates.stage().to_owned()),
            features: stage_of(&features.pairs),
            config: config.pairs(model),
            seed,
        }));
        packed.insert(Kind::Pairs, Handle::new(PACK_PAIRS));
    }
    if let Some((documents, images_max)) = packable.interleaved {
        stages.push(Box::new(PackInterleaved {
            name: PACK_INTERLEAVED.into(),
            tokenizer: tokenizer(),
            documents: documents.stage().to_owned(),
            features: stage_of(&features.interleaved),
            config: interleaved(model, images_max),
        }));
        packed.insert(Kind::Interleaved, Handle::new(PACK_INTERLEAVED));
    }
    (stages, packed)
}

/// Reads the tokenizer of a sealed stage.
fn open_tokenizer(task: &Task<'_>, input: &str) -> Result<Tokenizer> {
    let model = task.inputs.get(input)?.file(TOKENIZER_MODEL)?;
    let model = model.ok_or_else(|| Error::work(task.stage, PackError::TokenizerMissing))?;
    Tokenizer::parse(&model).map_err(|error| Error::work(task.stage, error))
}
