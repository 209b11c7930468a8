//! The stage `pack.interleaved`.

use bytes::Bytes;
use corpus::record::{HELD_OUT, INTERLEAVED, Interleaved, SEQUENCES};
use corpus::{Declared, Error, Inputs, Output, Removal, Result, Stage, Task};
use serde_json::{Value, json};

use super::open_tokenizer;
use crate::pack::payload::Payloads;
use crate::pack::{Frame, InterleavedConfig, Item, interleaved};
use crate::tokenizer::Encoder;

/// What is counted: documents and their images.
const UNITS: (&str, &str) = ("interleaved", "images");

/// Packs interleaved documents: one to a sequence.
#[derive(Debug, Clone)]
pub struct PackInterleaved {
    /// The stage's name.
    pub name: String,
    /// The tokenizer's stage.
    pub tokenizer: String,
    /// The stage whose interleaved `documents` are packed.
    pub documents: String,
    /// The stage whose `features` are the payload; the encoded images are, if there is none.
    pub features: Option<String>,
    /// How.
    pub config: InterleavedConfig,
}

impl PackInterleaved {
    fn pack(
        &self,
        document: Interleaved,
        frame: Frame,
        payloads: &mut Payloads<'_>,
        encoder: &mut Encoder<'_>,
        out: &mut Output<'_>,
    ) -> Result<()> {
        let (unit, image_unit) = UNITS;
        out.read(unit);
        let (id, images) = (document.id, document.images);
        let (mut items, mut image_payloads): (Vec<Item>, Vec<Bytes>) = (Vec::new(), Vec::new());
        for (text, image) in document.texts.into_iter().zip(images) {
            if let Some(text) = text {
                let tokens = encoder.joined_lines(&text).map_err(|error| Error::work(&self.name, error))?;
                items.push(Item::Text(tokens));
            }
            if let Some(image) = image {
                let slot = image_payloads.len() as u16;
                image_payloads.push(payloads.next(id, slot, image.bytes)?);
                items.push(Item::Image);
            }
        }
        let packed = interleaved(frame, id, &items, self.config.images_max as usize);
        for slot in 0..image_payloads.len() {
            out.read(image_unit);
            if slot < packed.image_count {
                out.keep(image_unit);
            } else {
                let removal = Removal {
                    id,
                    key: None,
                    url: document.url.as_deref(),
                    reason: packed.cut,
                    value: slot.to_string(),
                    preview: document.url.as_deref().unwrap_or_default(),
                };
                out.drop(image_unit, removal)?;
            }
        }
        image_payloads.truncate(packed.image_count);
        let sequence = packed.draft.finish(image_payloads, document.split, None);
        out.write(sequence.stream(), sequence)?;
        out.keep(unit);
        Ok(())
    }
}

impl Stage for PackInterleaved {
    fn name(&self) -> String {
        self.name.clone()
    }

    fn inputs(&self) -> Vec<String> {
        let first = [&self.tokenizer, &self.documents];
        first.into_iter().chain(&self.features).cloned().collect()
    }

    fn settings(&self) -> Result<Value> {
        Ok(json!({"config": self.config, "features": self.features.is_some()}))
    }

    fn version(&self) -> u32 {
        2
    }

    fn plan(&self, inputs: &Inputs) -> Result<u32> {
        inputs.get(&self.documents)?.part_count(INTERLEAVED)
    }

    fn streams(&self) -> Vec<Declared> {
        vec![SEQUENCES.into(), HELD_OUT.into()]
    }

    fn run(&self, task: &Task<'_>, out: &mut Output<'_>) -> Result<()> {
        let tokenizer = open_tokenizer(task, &self.tokenizer)?;
        let mut encoder = tokenizer.encoder();
        let frame = Frame {
            vocabulary: *tokenizer.vocabulary(),
            tokens_max: self.config.sequence_tokens_max as usize,
            latent_count: self.config.latent_count as usize,
        };
        let features = self.features.as_ref().map(|name| task.inputs.get(name)).transpose()?;
        let mut payloads = Payloads::open(features, task.stage, task.index, out.position() > 0)?;
        let documents = task.inputs.get(&self.documents)?;
        if let Some(part) = documents.part(INTERLEAVED, task.index)? {
            for document in documents.open_at::<Interleaved>(&part, out.position())? {
                self.pack(document?, frame, &mut payloads, &mut encoder, out)?;
                out.advance(1)?;
            }
        }
        Ok(())
    }
}
