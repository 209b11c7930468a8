//! The stage `pack.pairs`.

use bytes::Bytes;
use corpus::record::{HELD_OUT, IMAGES, Image, SEQUENCES, Sequence};
use corpus::{Chain, Declared, Error, Inputs, Output, Removal, Result, Split, Stage, Task};
use serde_json::{Value, json};

use super::open_tokenizer;
use crate::pack::payload::Payloads;
use crate::pack::{Frame, PairConfig, PairFit, pair, shared};
use crate::tokenizer::{Encoder, Vocabulary};
use images::Duplicates;

/// What is counted: uses of images.
const PAIRS: &str = "pairs";

/// Captions that are cut to their bound, counted beside the pairs.
const CUT: &str = "captions_cut";

/// Images whose pairs may share sequences: of captions of the web 2 % of all tokens are padding then, 7 % with a quarter.
const BLOCK_IMAGES_MAX: u64 = 1_024;
/// Bytes of their payloads, after which a block ends before.
const BLOCK_BYTES_MAX: usize = 128 << 20;

/// Packs pairs: one sequence for every caption of an image.
#[derive(Debug, Clone)]
pub struct PackPairs {
    /// The stage's name.
    pub name: String,
    /// The tokenizer's stage.
    pub tokenizer: String,
    /// The stages whose `images` are packed: all passes, in order.
    pub images: Vec<String>,
    /// The stage that found duplicates among the images, which are left out.
    pub duplicates: Option<String>,
    /// The stage whose `features` are the payload; the encoded images are, if there is none.
    pub features: Option<String>,
    /// How.
    pub config: PairConfig,
    /// Seed of the split.
    pub seed: u64,
}

impl PackPairs {
    /// Returns the parts that are packed, one per task.
    fn chain<'i>(&self, inputs: &'i Inputs) -> Result<Chain<'i>> {
        Chain::new(inputs, &self.images, |pass| pass.summary(IMAGES))
    }

    /// Appends a sequence for every caption of an image. All of them are in one split, as the
    /// image is what must not be seen before.
    fn pack(
        &self,
        (image, payload): (Image, Bytes),
        duplicates: &Duplicates,
        encoder: &mut Encoder<'_>,
        packed: &mut Vec<Sequence>,
        out: &mut Output<'_>,
    ) -> Result<()> {
        let frame = self.frame(encoder.vocabulary());
        let split = Split::of_cluster(self.seed, &image.key, self.config.validation_share);
        let url = Some(image.url.as_str());
        for wanted in image.uses {
            out.read(PAIRS);
            if let Some((representative, reason)) = duplicates.get(image.id) {
                let (key, value) = (wanted.key.as_deref(), representative.to_string());
                out.drop(PAIRS, Removal { id: wanted.id, key, url, reason, value, preview: &image.url })?;
                continue;
            }
            let Some(caption) = &wanted.caption else {
                let removal = Removal {
                    key: wanted.key.as_deref(),
                    url,
                    id: wanted.id,
                    reason: "no_caption",
                    value: String::new(),
                    preview: &image.url,
                };
                out.fail(PAIRS, removal)?;
                continue;
            };
            let joined = encoder.joined_lines(caption);
            let mut caption = joined.map_err(|error| Error::work(&self.name, error))?;
            let caption_max = frame.caption_tokens().min(self.config.caption_tokens_max as usize);
            if caption.len() > caption_max {
                caption.truncate(caption_max);
                out.read(CUT);
                out.keep(CUT);
            }
            packed.push(pair(frame, wanted.id, &caption, payload.clone(), split));
            out.keep(PAIRS);
        }
        Ok(())
    }

    fn frame(&self, vocabulary: &Vocabulary) -> Frame {
        Frame {
            vocabulary: *vocabulary,
            tokens_max: self.config.sequence_tokens_max as usize,
            latent_count: self.config.latent_count as usize,
        }
    }

    /// Writes the sequences of a block of images.
    fn write(&self, packed: Vec<Sequence>, out: &mut Output<'_>) -> Result<()> {
        let is_held_out = |sequence: &Sequence| sequence.split == Split::Validation;
        let (held_out, mut train): (Vec<_>, Vec<_>) = packed.into_iter().partition(is_held_out);
        if self.config.fit == PairFit::Shared {
            train = shared(train, self.config.sequence_tokens_max as usize);
        }
        train.into_iter().chain(held_out).try_for_each(|sequence| out.write(sequence.stream(), sequence))
    }

    /// Packs the images of a part, block after block: what shares sequences is one committed range.
    fn pack_part(
        &self,
        images: impl Iterator<Item = Result<Image>>,
        duplicates: &Duplicates,
        payloads: &mut Payloads<'_>,
        encoder: &mut Encoder<'_>,
        out: &mut Output<'_>,
    ) -> Result<()> {
        let images_max = match self.config.fit {
            PairFit::Alone => 1,
            PairFit::Shared => BLOCK_IMAGES_MAX,
        };
        let (mut packed, mut image_count, mut bytes) = (Vec::new(), 0, 0);
        for image in images {
            let mut image = image?;
            let payload = payloads.next(image.id, 0, std::mem::take(&mut image.image.bytes))?;
            bytes += payload.len();
            self.pack((image, payload), duplicates, encoder, &mut packed, out)?;
            image_count += 1;
            if image_count == images_max || bytes >= BLOCK_BYTES_MAX {
                self.write(std::mem::take(&mut packed), out)?;
                out.advance(std::mem::take(&mut image_count))?;
                bytes = 0;
            }
        }
        match image_count {
            0 => Ok(()),
            _ => self.write(packed, out).and_then(|()| out.advance(image_count)),
        }
    }
}

impl Stage for PackPairs {
    fn name(&self) -> String {
        self.name.clone()
    }

    fn inputs(&self) -> Vec<String> {
        let first = std::iter::once(&self.tokenizer);
        first.chain(&self.images).chain(&self.duplicates).chain(&self.features).cloned().collect()
    }

    fn settings(&self) -> Result<Value> {
        Ok(json!({"config": self.config, "seed": self.seed, "features": self.features.is_some()}))
    }

    fn version(&self) -> u32 {
        2
    }

    fn plan(&self, inputs: &Inputs) -> Result<u32> {
        self.chain(inputs)?.part_count()
    }

    fn streams(&self) -> Vec<Declared> {
        vec![SEQUENCES.into(), HELD_OUT.into()]
    }

    fn run(&self, task: &Task<'_>, out: &mut Output<'_>) -> Result<()> {
        let tokenizer = open_tokenizer(task, &self.tokenizer)?;
        let mut encoder = tokenizer.encoder();
        let features = self.features.as_ref().map(|name| task.inputs.get(name)).transpose()?;
        let mut payloads = Payloads::open(features, task.stage, task.index, out.position() > 0)?;
        if let Some((dataset, part)) = self.chain(task.inputs)?.part(task.index)? {
            let duplicates = match &self.duplicates {
                Some(stage) => Duplicates::of_part(task.inputs.get(stage)?, dataset, &part)?,
                None => Duplicates::default(),
            };
            let images = dataset.open_at::<Image>(&part, out.position())?;
            self.pack_part(images, &duplicates, &mut payloads, &mut encoder, out)?;
        }
        Ok(())
    }
}
