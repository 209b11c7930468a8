//! The whole network: tower, resampler and decoder, and one pass through them.
//!
//! Shapes: b rows, s sequence, d width, i images, l latents, m image slots.

use tch::{Device, Kind, Tensor};

use super::{
    Result,
    decoder::{self, Caches, Decoder, ImageVectors},
    documents::Documents,
    loss,
    parameters::Parameters,
    resampler::{self, Resampler},
    shim,
    tower::{self, Tower},
};
use model::{Batch, Config, Loss, Payload, Precision, Settings};

/// One pass through the network: where, in which precision, and with which dropout.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Pass {
    pub(crate) device: Device,
    precision: Precision,
    /// The seed of dropout; none when there is no dropout.
    dropout_seed: Option<u64>,
}

impl Pass {
    pub(crate) fn training(settings: &Settings, device: Device, seed: u64) -> Self {
        Self { device, precision: settings.precision, dropout_seed: Some(seed) }
    }

    pub(crate) fn inference(settings: &Settings, device: Device) -> Self {
        Self { device, precision: settings.precision, dropout_seed: None }
    }

    pub(crate) fn is_training(&self) -> bool {
        self.dropout_seed.is_some()
    }

    /// Runs `body` in the pass's precision.
    pub(crate) fn cast<T>(&self, body: impl FnOnce() -> Result<T>) -> Result<T> {
        match self.precision {
            Precision::F32 => body(),
            Precision::Bf16 => shim::autocast(self.device, body),
        }
    }

    /// Seeds dropout before the first layer.
    fn seed_start(&self) {
        if let Some(seed) = self.dropout_seed {
            // The generator takes any bits as a seed.
            tch::manual_seed(seed as i64);
        }
    }

    /// Seeds dropout before a layer, so that a recomputed layer drops the same.
    pub(crate) fn seed_layer(&self, index: usize) {
        // An odd constant with well-mixed bits (that of splitmix64) keeps layers apart.
        const STRIDE: u64 = 0x9e37_79b9_7f4a_7c15;
        if let Some(seed) = self.dropout_seed {
            let layer = (index as u64 + 1).wrapping_mul(STRIDE);
            tch::manual_seed(seed.wrapping_add(layer) as i64);
        }
    }
}

/// The whole network.
#[derive(Debug)]
pub(crate) struct Network {
    pub(crate) decoder: Decoder,
    pub(crate) resampler: Resampler,
    pub(crate) tower: Tower,
}

impl Network {
    pub(crate) fn new(parameters: &mut Parameters, config: &Config) -> Result<Self> {
        Ok(Self {
            decoder: Decoder::new(parameters.scope(decoder::PREFIX), &config.decoder)?,
            resampler: Resampler::new(parameters.scope(resampler::PREFIX), config)?,
            tower: Tower::new(&mut parameters.scope(tower::PREFIX), &config.tower)?,
        })
    }

    /// Adds the gradient of the batch's summed loss.
    pub(crate) fn accumulate(&self, batch: &Batch<'_>, pass: &Pass) -> Result<Loss> {
        if !batch.loss_mask.contains(&true) {
            return Ok(Loss::default());
        }
        pass.seed_start();
        let (nll_sum, loss) = self.loss(batch, pass)?;
        nll_sum.f_backward()?;
        Ok(loss)
    }

    /// Returns the batch's summed loss, as a scalar to differentiate and as a number.
    pub(crate) fn loss(&self, batch: &Batch<'_>, pass: &Pass) -> Result<(Tensor, Loss)> {
        pass.cast(|| {
            let tokens_bs = tokens(batch.input, batch.row_count, pass)?;
            let documents = match batch.positions {
                [] => None,
                positions => Some(Documents::new(tokens(positions, batch.row_count, pass)?)?),
            };
            let (slots, payload) = (batch.image_slots, batch.payload);
            let hidden_bsd = self.hidden(&tokens_bs, slots, payload, documents.as_ref(), None, pass)?;
            loss::loss(&self.decoder, &hidden_bsd, batch)
        })
    }

    /// Returns the last hidden states of a batch.
    pub(crate) fn hidden(
        &self,
        tokens_bs: &Tensor,
        image_slots: &[bool],
        payload: Payload<'_>,
        documents: Option<&Documents>,
        caches: Option<&mut Caches>,
        pass: &Pass,
    ) -> Result<Tensor> {
        let images = self.images(image_slots, payload, pass)?;
        self.decoder.forward(tokens_bs, images.as_ref(), documents, caches, pass)
    }

    /// Returns the vectors of a payload's images.
    pub(crate) fn image_vectors(&self, payload: Payload<'_>, pass: &Pass) -> Result<Option<Tensor>> {
        let features = match payload {
            Payload::None => return Ok(None),
            Payload::Pixels(pixels) => self.tower.output(&self.tower.pixels(pixels, pass)?)?,
            Payload::Features { tap, values } => {
                self.tower.output_from(tap, &self.tower.stored(values, tap, pass)?)?
            }
        };
        self.resampler.forward(&features, pass.is_training()).map(Some)
    }

    fn images(
        &self,
        image_slots: &[bool],
        payload: Payload<'_>,
        pass: &Pass,
    ) -> Result<Option<ImageVectors>> {
        let Some(vectors_ild) = self.image_vectors(payload, pass)? else { return Ok(None) };
        let slots: Vec<i64> =
            (0_i64..).zip(image_slots).filter_map(|(index, &slot)| slot.then_some(index)).collect();
        Ok(Some(ImageVectors {
            vectors_md: vectors_ild.f_flatten(0, 1)?,
            slots_m: Tensor::f_from_slice(&slots)?.f_to_device(pass.device)?,
        }))
    }
}

/// Returns token ids as a tensor of `rows` rows on the pass's device.
pub(crate) fn tokens(ids: &[u32], rows: usize, pass: &Pass) -> Result<Tensor> {
    // 32 bits are enough for an embedding's index, and tch has no unsigned ones.
    let ids: Vec<i32> = ids.iter().map(|&id| id as i32).collect();
    Tensor::f_from_slice(&ids)?.f_reshape([rows as i64, -1])?.f_to_device(pass.device)?.f_to_kind(Kind::Int64)
}
