//! The resampler: turns any number of feature tokens into a fixed number of image vectors.
//!
//! Not Flamingo's: one linear layer and one cross-attention from learned latent queries, to
//! the features and to the queries themselves; no LayerNorm, residual or feed-forward
//! (unilm `connector.py`).
//!
//! Shapes: i images, f feature tokens, t tower width, l latents, d model width.

use tch::Tensor;

use super::{
    Result,
    attention::{Attention, AttentionInit, Sight, attend},
    init::Init,
    linear::{Linear, LinearInit},
    parameters::Scope,
};
use model::{Config, ResamplerInitialisation};

/// Where the resampler's parameters are.
pub(crate) const PREFIX: &str = "image_to_text_projection";
/// Standard deviation of latent queries under `unit_normal`.
const SMALL_LATENT_STD: f64 = 0.1;

/// The resampler.
#[derive(Debug)]
pub(crate) struct Resampler {
    latents_ld: Tensor,
    dense: Linear,
    attention: Attention,
    dropout: f64,
}

impl Resampler {
    pub(crate) fn new(mut scope: Scope<'_>, config: &Config) -> Result<Self> {
        let [tower, width] = [config.tower.width, config.decoder.width].map(i64::from);
        let (latent_std, dense) = match config.resampler.initialisation {
            ResamplerInitialisation::Paper => (1.0, LinearInit::torch(tower)),
            ResamplerInitialisation::UnitNormal => (SMALL_LATENT_STD, LinearInit::normal(1.0)),
        };
        let shape = [i64::from(config.resampler.latent_count), width];
        let latents = Init::Normal { std: latent_std };
        let heads = i64::from(config.resampler.head_count);
        Ok(Self {
            latents_ld: scope.create("latent_query", &shape, latents)?,
            dense: Linear::new(scope.child("dense"), tower, width, dense)?,
            attention: Attention::new(scope.child("x_attn"), width, heads, fairseq(width))?,
            dropout: config.resampler.dropout,
        })
    }

    /// Returns the image vectors of normalised features.
    pub(crate) fn forward(&self, features_ift: &Tensor, training: bool) -> Result<Tensor> {
        let keys_ifd = self.dense.forward(features_ift)?;
        let (l, d) = self.latents_ld.size2()?;
        let queries_ild = self
            .latents_ld
            .f_to_kind(keys_ifd.kind())?
            .f_unsqueeze(0)?
            .f_expand([keys_ifd.size3()?.0, l, d], false)?;
        let keys_ifd = Tensor::f_cat(&[&keys_ifd, &queries_ild], 1)?;
        let attention = &self.attention;
        let attended_ild = attend(
            &attention.heads(&attention.query, &queries_ild)?,
            &attention.heads(&attention.key, &keys_ifd)?,
            &attention.heads(&attention.value, &keys_ifd)?,
            if training { self.dropout } else { 0.0 },
            Sight::All,
        )?;
        attention.output.forward(&attended_ild)
    }
}

/// fairseq's `MultiheadAttention.reset_parameters`.
fn fairseq(width: i64) -> AttentionInit {
    let gain = std::f64::consts::FRAC_1_SQRT_2;
    let input =
        LinearInit { weight: Init::xavier_uniform(width, width, gain), bias: Init::torch_linear(width) };
    let output = LinearInit { weight: Init::xavier_uniform(width, width, 1.0), bias: Init::Constant(0.0) };
    AttentionInit { query: input, key: input, value: input, output }
}
