//! Small sequences, a network and a tokenizer for them: for the tests here, and for those of the crate `torch`, which
//! have this file as a module. What it names of this crate its parent has imported.

use bytes::Bytes;
use corpus::record::{Kind, Sequence, Span};
use corpus::{Id, Split};
use half::f16;
use model::TowerConfig;
use shard::tokenizer::{TrainingConfig, Words, train};

use super::{Amounts, Config};

/// `<image>` of the tests' vocabulary, and `</image>` after it.
const IMAGE: u32 = 9;
pub(crate) const LATENT_COUNT: u32 = 2;

/// A tower of 5 tokens of width 4, for images of 8 x 8 pixels; 2 slots an image.
pub(crate) fn tower() -> TowerConfig {
    TowerConfig {
        image_side_pixels: 8,
        patch_side_pixels: 4,
        width: 4,
        layer_count: 2,
        head_count: 2,
        mlp_width: 8,
        ..TowerConfig::default()
    }
}

/// Returns the set of a text: ids of the second source are of the web.
fn set(id: u64) -> String {
    if Id::from_bits(id).source().0 == 2 { "web" } else { "books" }.to_owned()
}

/// A sequence of text: `<s>`, tokens that tell the id, `</s>`.
pub(crate) fn text(id: u64, length: usize) -> Sequence {
    let mut tokens = vec![20 + (id % 10) as u32; length];
    tokens[0] = 0;
    tokens[length - 1] = 2;
    let mut loss_mask = vec![true; length];
    loss_mask[length - 1] = false;
    let span = Span { id: Id::from_bits(id), start: 0, end: length as u32 };
    let (image_starts, payloads, spans) = (Vec::new(), Vec::new(), vec![span]);
    Sequence { tokens, loss_mask, image_starts, payloads, spans, split: Split::Train, source: Some(set(id)) }
}

/// A pair whose features are all the id.
pub(crate) fn pair(id: u64, caption: &[u32]) -> Sequence {
    let tokens = [&[0, IMAGE, IMAGE, IMAGE, IMAGE + 1], caption, &[2]].concat();
    let mut loss_mask = vec![false; tokens.len()];
    loss_mask[4..=4 + caption.len()].fill(true);
    let value = f16::from_f32(id as f32).to_le_bytes();
    let count = tower().tokens() as usize * tower().width as usize;
    Sequence {
        spans: vec![Span { id: Id::from_bits(id), start: 0, end: tokens.len() as u32 }],
        tokens,
        loss_mask,
        image_starts: vec![2],
        payloads: vec![Bytes::from(value.repeat(count))],
        split: Split::Train,
        source: None,
    }
}

/// The same, held out.
pub(crate) fn held_out(sequence: Sequence) -> Sequence {
    Sequence { split: Split::Validation, ..sequence }
}

/// A tokenizer of a few words.
pub(crate) fn tokenizer_file() -> Vec<u8> {
    let mut words = Words::new().unwrap();
    words.add("a red circle a blue circle two red squares two blue squares");
    let config = TrainingConfig { vocabulary_size: 40, input_bytes_max: 1_000 };
    train(&words, &config).unwrap()
}

/// A network of a few thousand parameters, for the tower of the tests.
pub(crate) fn network() -> model::Config {
    model::Config {
        decoder: model::DecoderConfig {
            vocabulary_size: 64,
            layer_count: 1,
            width: 8,
            ffn_width: 16,
            head_count: 2,
            sequence_tokens_max: 32,
            ..model::DecoderConfig::default()
        },
        resampler: model::ResamplerConfig {
            latent_count: LATENT_COUNT,
            head_count: 2,
            ..model::ResamplerConfig::default()
        },
        tower: tower(),
    }
}

/// A config of small steps: one text row and three pairs (two micro-batches) each.
pub(crate) fn config(steps: u64) -> Config {
    Config {
        steps,
        learning_rate: 0.1,
        warmup_steps: 2.min(steps - 1),
        batch: Amounts::of_sequences(&[(Kind::Text, 1), (Kind::Pairs, 3)]),
        micro_batch: Some(Amounts::of_sequences(&[(Kind::Text, 1), (Kind::Pairs, 2)])),
        checkpoint_steps: 4,
        evaluate_steps: 3,
        validation_rows: 2,
        log_steps: 2,
        nonfinite_steps_max: 3,
        block_bytes_max: 2_000,
        window_blocks: 2,
        ..Config::default()
    }
}
