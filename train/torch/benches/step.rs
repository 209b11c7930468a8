//! Milliseconds per training step at the sample's size, by kind of micro-batch.
//!
//! `cargo bench -p torch` prints, for captions (pixels and precomputed features), text and
//! interleaved rows, the best and the mean of some steps on one and on two threads.
#![allow(clippy::print_stdout)]

use std::time::Instant;

use model::{
    Batch, Config, DecoderConfig, Learner, OptimizerConfig, Payload, ResamplerConfig,
    ResamplerInitialisation, Settings, Tap, TowerConfig,
};
use torch::Model;

const LATENTS: usize = 8;
const STEPS: u64 = 10;

fn config() -> Config {
    Config {
        decoder: DecoderConfig {
            vocabulary_size: 300,
            layer_count: 2,
            width: 128,
            ffn_width: 512,
            head_count: 4,
            sequence_tokens_max: 128,
            dropout: 0.0,
            attention_dropout: 0.0,
            ..Default::default()
        },
        resampler: ResamplerConfig {
            latent_count: LATENTS as u32,
            head_count: 4,
            dropout: 0.0,
            initialisation: ResamplerInitialisation::UnitNormal,
        },
        tower: TowerConfig {
            image_side_pixels: 32,
            patch_side_pixels: 8,
            width: 64,
            layer_count: 3,
            head_count: 4,
            mlp_width: 256,
            ..Default::default()
        },
    }
}

/// Rows of `images` images, each followed by text up to `columns` tokens.
struct Rows {
    count: usize,
    columns: usize,
    ids: Vec<u32>,
    loss_mask: Vec<bool>,
    image_slots: Vec<bool>,
    pixels: Vec<f32>,
    features: Vec<half::f16>,
}

impl Rows {
    fn new(count: usize, columns: usize, images: usize) -> Self {
        let len = count * columns;
        let slot = |index: usize| {
            let column = index % columns;
            let span = columns / images.max(1);
            column / span < images && (2..2 + LATENTS).contains(&(column % span))
        };
        let image_slots: Vec<bool> = (0..len).map(slot).collect();
        let tokens = config().tower_tokens() as usize;
        Self {
            count,
            columns,
            ids: (0..len).map(|index| 4 + (index * 17 % 290) as u32).collect(),
            loss_mask: image_slots.iter().map(|slot| !slot).collect(),
            image_slots,
            pixels: (0..count * images * 3 * 32 * 32).map(|i| (i as f32).sin()).collect(),
            features: vec![half::f16::from_f32(0.5); count * images * tokens * 64],
        }
    }

    fn batch<'a>(&'a self, payload: Payload<'a>) -> Batch<'a> {
        Batch {
            row_count: self.count,
            column_count: self.columns,
            input: &self.ids,
            target: &self.ids,
            loss_mask: &self.loss_mask,
            image_slots: &self.image_slots,
            positions: &[],
            payload,
        }
    }
}

fn measure(name: &str, model: &mut Model, batches: &[Batch<'_>]) -> Result<(), model::Error> {
    let mut times = Vec::new();
    for seed in 0..STEPS {
        let start = Instant::now();
        let mut tokens = 0;
        for batch in batches {
            tokens += model.accumulate(batch, seed)?.token_count;
        }
        model.step(1e-3, tokens)?;
        times.push(start.elapsed().as_secs_f64() * 1e3);
    }
    let best = times.iter().copied().fold(f64::INFINITY, f64::min);
    let mean = times.iter().sum::<f64>() / times.len() as f64;
    println!("  {name:<38} best {best:7.1} ms   mean {mean:7.1} ms");
    Ok(())
}

fn main() -> Result<(), model::Error> {
    for thread_count in [1, 2] {
        println!("{thread_count} thread(s)");
        let settings = Settings { thread_count, ..Default::default() };
        let mut model = Model::new(&config(), &OptimizerConfig::default(), &settings)?;
        let captions = Rows::new(64, 32, 1);
        let text = Rows::new(12, 128, 0);
        let interleaved = Rows::new(8, 96, 2);
        let features = |rows: &Rows| -> Payload<'static> {
            let values = Box::leak(rows.features.clone().into_boxed_slice());
            Payload::Features { tap: Tap::BeforeLastBlock, values }
        };
        let with_features = captions.batch(features(&captions));
        let text = text.batch(Payload::None);
        let interleaved = interleaved.batch(features(&interleaved));
        measure("64 captions, features", &mut model, &[with_features])?;
        let pixels = captions.batch(Payload::Pixels(&captions.pixels));
        measure("64 captions, pixels", &mut model, &[pixels])?;
        measure("12 texts of 128 tokens", &mut model, &[text])?;
        measure("8 interleaved, 2 images each, features", &mut model, &[interleaved])?;
        measure("all three, features", &mut model, &[with_features, text, interleaved])?;
    }
    Ok(())
}
