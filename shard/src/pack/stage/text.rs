//! The stage `pack.text`.

use corpus::random;
use corpus::record::{DOCUMENTS, Document, HELD_OUT, SEQUENCES, Sequence};
use corpus::{Declared, Error, Inputs, Output, Result, Split, Stage, Task};
use serde_json::{Value, json};

use super::open_tokenizer;
use crate::pack::{BestFit, Frame, TextConfig, TextFit, TextPacker};
use crate::tokenizer::{Encoder, TokenizerError};

/// What is counted.
const UNIT: &str = DOCUMENTS.name();
/// Bytes of text that are shuffled together at most, whatever the number of documents.
const SHUFFLE_BYTES_MAX: usize = 64 << 20;

/// Packs documents; each part of its input is packed alone.
///
/// Documents are shuffled within blocks. A block is packed without any other and is one
/// committed range, so that a task which was killed goes on at a block and makes the same
/// sequences. Within a block the documents of a set are packed together, so that a sequence
/// holds one set, and sets can be mixed by weight.
#[derive(Debug, Clone)]
pub struct PackText {
    /// The stage's name.
    pub name: String,
    /// The tokenizer's stage.
    pub tokenizer: String,
    /// The stage whose `documents` are packed.
    pub documents: String,
    /// How.
    pub config: TextConfig,
    /// Seed of the order of documents.
    pub seed: u64,
}

impl PackText {
    /// Writes the sequences of a block, set after set.
    fn pack(&self, encoder: &mut Encoder<'_>, mut block: Vec<Document>, out: &mut Output<'_>) -> Result<()> {
        block.sort_by_cached_key(|document| {
            let key = document.id.to_bits();
            (document.source.clone(), random::hash(self.seed, "pack", &key.to_le_bytes()), key)
        });
        for set in block.chunk_by(|one, other| one.source == other.source) {
            self.pack_set(encoder, set, out)?;
        }
        out.advance(block.len() as u64)
    }

    /// Writes the sequences of a block's documents of one set.
    fn pack_set(&self, encoder: &mut Encoder<'_>, set: &[Document], out: &mut Output<'_>) -> Result<()> {
        let frame = Frame {
            vocabulary: *encoder.vocabulary(),
            tokens_max: self.config.sequence_tokens_max as usize,
            latent_count: 0,
        };
        let source = set.first().map_or("", |document| document.source.as_str());
        let packer = |split| Packer::new(self.config.fit, frame, split, source);
        let (mut train, mut validation) = (packer(Split::Train), packer(Split::Validation));
        let mut full = Vec::new();
        for document in set {
            out.read(UNIT);
            let packer = match document.split {
                Some(Split::Validation) => &mut validation,
                Some(Split::Train) | None => &mut train,
            };
            let pushed = packer.push(document, encoder, &mut full);
            pushed.map_err(|error| Error::work(&self.name, error))?;
            write(&mut full, out)?;
            out.keep(UNIT);
        }
        train.flush(&mut full);
        validation.flush(&mut full);
        write(&mut full, out)
    }
}

/// Packs documents as configured.
enum Packer {
    Next(TextPacker),
    Best(BestFit),
}

impl Packer {
    fn new(fit: TextFit, frame: Frame, split: Split, source: &str) -> Self {
        match fit {
            TextFit::Next => Self::Next(TextPacker::new(frame, split, source)),
            TextFit::Best => Self::Best(BestFit::new(frame, split, source)),
        }
    }

    fn push(
        &mut self,
        document: &Document,
        encoder: &mut Encoder<'_>,
        full: &mut Vec<Sequence>,
    ) -> std::result::Result<(), TokenizerError> {
        match self {
            Self::Next(packer) => packer.push(document.id, &document.text, encoder, full),
            Self::Best(packer) => packer.push(document.id, &document.text, encoder),
        }
    }

    fn flush(&mut self, full: &mut Vec<Sequence>) {
        match self {
            Self::Next(packer) => packer.flush(full),
            Self::Best(packer) => packer.flush(full),
        }
    }
}

fn write(full: &mut Vec<Sequence>, out: &mut Output<'_>) -> Result<()> {
    full.drain(..).try_for_each(|sequence| out.write(sequence.stream(), sequence))
}

impl Stage for PackText {
    fn name(&self) -> String {
        self.name.clone()
    }

    fn inputs(&self) -> Vec<String> {
        vec![self.tokenizer.clone(), self.documents.clone()]
    }

    fn settings(&self) -> Result<Value> {
        Ok(json!({"config": self.config, "seed": self.seed}))
    }

    fn version(&self) -> u32 {
        2
    }

    fn plan(&self, inputs: &Inputs) -> Result<u32> {
        inputs.get(&self.documents)?.part_count(DOCUMENTS)
    }

    fn streams(&self) -> Vec<Declared> {
        vec![SEQUENCES.into(), HELD_OUT.into()]
    }

    fn run(&self, task: &Task<'_>, out: &mut Output<'_>) -> Result<()> {
        out.set_range_records_max(self.config.shuffle_documents.into());
        let tokenizer = open_tokenizer(task, &self.tokenizer)?;
        let mut encoder = tokenizer.encoder();
        let documents = task.inputs.get(&self.documents)?;
        if let Some(part) = documents.part(DOCUMENTS, task.index)? {
            let (mut block, mut block_bytes) = (Vec::new(), 0);
            for document in documents.open_at::<Document>(&part, out.position())? {
                let document = document?;
                block_bytes += document.text.len();
                block.push(document);
                if block.len() >= self.config.shuffle_documents as usize || block_bytes >= SHUFFLE_BYTES_MAX {
                    self.pack(&mut encoder, std::mem::take(&mut block), out)?;
                    block_bytes = 0;
                }
            }
            self.pack(&mut encoder, block, out)?;
        }
        Ok(())
    }
}
