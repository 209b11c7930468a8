//! Stages `features.pairs` and `features.interleaved`: one row of features per image, in the
//! images' order and parts.

use std::sync::{Mutex, PoisonError};

use bytes::Bytes;
use corpus::record::{EncodedImage, FEATURES, Features, IMAGES, INTERLEAVED, Image, Interleaved};
use corpus::stage::Resources;
use corpus::{Chain, Dataset, Declared, Error, Id, Inputs, Output, Part, Result, Stage, Task};
use half::f16;
use model::{Tower, TowerConfig, Trainable};
use serde_json::{Value, json};

use super::{Config, preprocess};
use crate::TowerStart;
use images::{Fault, Preprocess};

/// The unit that is counted.
const UNIT: &str = "images";
/// Mebibytes of a tower of CLIP's largest size, and of a batch of its images.
const MEMORY_MB: u32 = 8_192;

/// Whose images are computed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Source {
    /// The `images` of these stages, part by part.
    Pairs(Vec<String>),
    /// The images within the `documents` of this stage, part by part.
    Interleaved(String),
}

/// The stage. The tower is built when a task first needs it, and shared by all tasks.
#[derive(Debug)]
pub struct Compute {
    name: String,
    source: Source,
    config: Config,
    tower_config: TowerConfig,
    start: TowerStart,
    tower: Mutex<Option<Box<dyn Tower>>>,
}

impl Compute {
    /// Returns the stage.
    pub fn new(name: &str, source: Source, config: Config, tower: TowerConfig, start: TowerStart) -> Self {
        Self {
            name: name.to_owned(),
            source,
            config,
            // What is trained later changes no feature.
            tower_config: TowerConfig { trainable: Trainable::None, ..tower },
            start,
            tower: Mutex::new(None),
        }
    }
}

impl Stage for Compute {
    fn name(&self) -> String {
        self.name.clone()
    }

    fn inputs(&self) -> Vec<String> {
        let tower = self.start.input().map(str::to_owned);
        self.image_stages().into_iter().chain(tower).collect()
    }

    fn settings(&self) -> Result<Value> {
        let Config { tap, batch_images, precision, preprocess, .. } = &self.config;
        let weights = match &self.start {
            TowerStart::Random { seed } => json!({ "random": seed }),
            TowerStart::File(_) => json!({ "digest": self.start.digest(&self.name)? }),
            TowerStart::Downloaded { stage } => json!({ "stage": stage }),
        };
        Ok(json!({
            "tap": tap,
            "batch_images": batch_images,
            "precision": precision,
            "preprocess": preprocess,
            "weights": weights,
            "tower": self.tower_config,
        }))
    }

    fn plan(&self, inputs: &Inputs) -> Result<u32> {
        self.chain(inputs)?.part_count()
    }

    fn streams(&self) -> Vec<Declared> {
        vec![FEATURES.into()]
    }

    fn resources(&self) -> Resources {
        let settings = self.config.settings();
        let (cpus, gpus) = (settings.thread_count, settings.device.gpus());
        Resources { cpus, gpus, ..Resources::with_memory_mb(MEMORY_MB) }
    }

    fn computes_tensors(&self) -> bool {
        true
    }

    fn run(&self, task: &Task<'_>, out: &mut Output<'_>) -> Result<()> {
        if let Some((dataset, part)) = self.chain(task.inputs)?.part(task.index)? {
            let mut batch = Batch::default();
            for images in self.images(dataset, &part, out.position())? {
                batch.add(images?, self.tower_config.image_side_pixels, self.config.preprocess)?;
                if batch.places.len() >= self.config.batch_images as usize {
                    self.compute(task, out, std::mem::take(&mut batch))?;
                }
            }
            self.compute(task, out, batch)?;
        }
        Ok(())
    }
}

/// An image and its place: the id of its first use, or of its document and the place there.
type Placed = (Id, u16, EncodedImage);

/// A batch ends with a row of the input, so that a resumed task has the same batches.
#[derive(Debug, Default)]
struct Batch {
    row_count: u64,
    places: Vec<(Id, u16)>,
    /// `[image, channel, row, column]`.
    pixels: Vec<f32>,
}

impl Batch {
    fn add(&mut self, images: Vec<Placed>, side: u32, how: Preprocess) -> Result<()> {
        self.row_count += 1;
        for (id, slot, image) in images {
            preprocess(&image.bytes, side, how, &mut self.pixels)
                .map_err(|source| Error::work("features", StoredImageError { id, slot, source }))?;
            self.places.push((id, slot));
        }
        Ok(())
    }
}

/// A stored image does not decode: a part was damaged after it was written.
#[derive(Debug, thiserror::Error)]
#[error("stored image {slot} of {id} does not decode")]
struct StoredImageError {
    id: Id,
    slot: u16,
    source: Fault,
}

impl Compute {
    fn image_stages(&self) -> Vec<String> {
        match &self.source {
            Source::Pairs(stages) => stages.clone(),
            Source::Interleaved(stage) => vec![stage.clone()],
        }
    }

    /// Returns the parts whose images are computed.
    fn chain<'i>(&self, inputs: &'i Inputs) -> Result<Chain<'i>> {
        Chain::new(inputs, &self.image_stages(), |dataset| match &self.source {
            Source::Pairs(_) => dataset.summary(IMAGES),
            Source::Interleaved(_) => dataset.summary(INTERLEAVED),
        })
    }

    /// Reads the images of a part, row by row.
    fn images(
        &self,
        dataset: &Dataset,
        part: &Part,
        position: u64,
    ) -> Result<Box<dyn Iterator<Item = Result<Vec<Placed>>>>> {
        Ok(match &self.source {
            Source::Pairs(_) => {
                let rows = dataset.open_at::<Image>(part, position)?;
                Box::new(rows.map(|row| row.map(|image| vec![(image.id, 0, image.image)])))
            }
            Source::Interleaved(_) => {
                let rows = dataset.open_at::<Interleaved>(part, position)?;
                Box::new(rows.map(|row| row.map(placed)))
            }
        })
    }

    /// Computes, counts and writes a batch.
    fn compute(&self, task: &Task<'_>, out: &mut Output<'_>, batch: Batch) -> Result<()> {
        if batch.row_count == 0 {
            return Ok(());
        }
        let features = self.features(task, &batch)?;
        let tokens = self.config.tap.tokens(&self.tower_config);
        let image_len = (tokens as usize * self.tower_config.width as usize).max(1);
        for _ in &batch.places {
            out.read(UNIT);
        }
        for ((id, slot), values) in batch.places.into_iter().zip(features.chunks(image_len)) {
            out.keep(UNIT);
            let values: Bytes = values.iter().flat_map(|value| value.to_le_bytes()).collect();
            out.write(FEATURES, Features { id, slot, values })?;
        }
        out.advance(batch.row_count)
    }

    fn features(&self, task: &Task<'_>, batch: &Batch) -> Result<Vec<f16>> {
        let failed = |error| Error::work(&self.name, error);
        // A panic elsewhere leaves the tower as it was: it is only read.
        let mut tower = self.tower.lock().unwrap_or_else(PoisonError::into_inner);
        let tower = match &mut *tower {
            Some(tower) => tower,
            none => {
                let (backend, settings) = (model::backend().map_err(failed)?, self.config.settings());
                none.insert(self.start.open(task, backend, &self.tower_config, &settings)?)
            }
        };
        tower.features(&batch.pixels, batch.places.len(), self.config.tap).map_err(failed)
    }
}

/// Returns a document's images with their places among its images.
fn placed(document: Interleaved) -> Vec<Placed> {
    let images = document.images.into_iter().flatten();
    (0..=u16::MAX).zip(images).map(|(slot, image)| (document.id, slot, image)).collect()
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::panic)]
mod tests;
