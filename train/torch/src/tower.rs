//! The vision tower: CLIP's ViT, without its projection.
//!
//! Shapes: i images, c channels, y rows, x columns, f tokens (class token first), t width.

use half::f16;
use tch::{Kind, Tensor};

use super::{
    Result,
    attention::{Attention, AttentionInit, Sight, attend},
    init::Init,
    linear::{LayerNorm, Linear, LinearInit},
    network::Pass,
    parameters::{Parameters, Scope},
    torch,
};
use model::{Array, Error, PIXEL_CHANNELS, Tap, TowerConfig, TowerWeights, Trainable};

/// Where the tower's parameters are.
pub(crate) const PREFIX: &str = "vision_model.model";
/// Standard deviation of initial patch weights (CLIP).
const PATCH_STD: f64 = 0.02;
/// The slope inside QuickGELU (CLIP).
const QUICK_GELU_SLOPE: f64 = 1.702;
/// Least norm that features are divided by (`torch.nn.functional.normalize`).
const NORM_MIN: f64 = 1e-12;

/// The vision tower.
#[derive(Debug)]
pub(crate) struct Tower {
    patches: Tensor,
    class_t: Tensor,
    positions_ft: Tensor,
    first_norm: LayerNorm,
    blocks: Vec<TowerBlock>,
    last_norm: LayerNorm,
    config: TowerConfig,
}

impl Tower {
    pub(crate) fn new(scope: &mut Scope<'_>, config: &TowerConfig) -> Result<Self> {
        let all = config.trainable == Trainable::All;
        let last = config.trainable != Trainable::None;
        let [width, patch] = [config.width, config.patch_side_pixels].map(i64::from);
        let mut embeddings = scope.child("embeddings").trainable(all);
        let shape = [width, PIXEL_CHANNELS as i64, patch, patch];
        let patch_init = Init::Normal { std: PATCH_STD };
        let class_init = Init::Normal { std: (width as f64).sqrt().recip() };
        let position_init = Init::Normal { std: config.position_std };
        let positions = [i64::from(config.tokens()), width];
        Ok(Self {
            class_t: embeddings.create("class_embedding", &[width], class_init)?,
            patches: embeddings.create("patch_embedding.weight", &shape, patch_init)?,
            positions_ft: embeddings.create("position_embedding.weight", &positions, position_init)?,
            // The published names misspell it.
            first_norm: LayerNorm::new(scope.child("pre_layrnorm").trainable(all), width)?,
            blocks: (0..config.layer_count)
                .map(|layer| {
                    let trainable = if layer + 1 == config.layer_count { last } else { all };
                    let name = format!("encoder.layers.{layer}");
                    TowerBlock::new(scope.child(&name).trainable(trainable), config)
                })
                .collect::<Result<_>>()?,
            last_norm: LayerNorm::new(scope.child("post_layernorm").trainable(last), width)?,
            config: config.clone(),
        })
    }

    /// Computes features at a tap, as they are stored.
    pub(crate) fn encode(&self, pixels: &[f32], tap: Tap, pass: &Pass) -> Result<Vec<f16>> {
        let pixels_icyx = self.pixels(pixels, pass)?;
        let features = pass.cast(|| self.tap(&pixels_icyx, tap))?.f_to_kind(Kind::Half)?;
        let mut values = vec![f16::ZERO; features.numel()];
        features.f_contiguous()?.f_copy_data(&mut values, features.numel())?;
        Ok(values)
    }

    /// Returns pixels as a tensor on the pass's device.
    pub(crate) fn pixels(&self, pixels: &[f32], pass: &Pass) -> Result<Tensor> {
        let side = i64::from(self.config.image_side_pixels);
        Tensor::f_from_slice(pixels)?
            .f_reshape([-1, PIXEL_CHANNELS as i64, side, side])?
            .f_to_device(pass.device)
    }

    /// Returns stored features as a float32 tensor on the pass's device.
    pub(crate) fn stored(&self, values: &[f16], tap: Tap, pass: &Pass) -> Result<Tensor> {
        let tokens = i64::from(tap.tokens(&self.config));
        Tensor::f_from_slice(values)?
            .f_reshape([-1, tokens, i64::from(self.config.width)])?
            .f_to_device(pass.device)?
            .f_to_kind(Kind::Float)
    }

    /// Computes features at a tap, in float32.
    pub(crate) fn tap(&self, pixels_icyx: &Tensor, tap: Tap) -> Result<Tensor> {
        let before_ift = self.before_last_block(pixels_icyx)?;
        match tap {
            Tap::BeforeLastBlock => Ok(before_ift),
            Tap::AfterLayerNorm => self.after_norm(&before_ift),
            Tap::Pooled => self.after_norm(&before_ift)?.f_narrow(1, 0, 1),
        }
    }

    /// Returns what the resampler takes: the tower's output, each token of norm 1.
    ///
    /// Without gradients up to what is trained, so that nothing of the frozen part is kept.
    pub(crate) fn output(&self, pixels_icyx: &Tensor) -> Result<Tensor> {
        let before_ift = match self.config.trainable {
            Trainable::All => self.before_last_block(pixels_icyx)?,
            _ => tch::no_grad(|| self.before_last_block(pixels_icyx))?,
        };
        self.output_from(Tap::BeforeLastBlock, &before_ift)
    }

    /// Returns the same from features of a tap.
    pub(crate) fn output_from(&self, tap: Tap, features_ift: &Tensor) -> Result<Tensor> {
        let features_ift = match tap {
            Tap::BeforeLastBlock => self.after_norm(features_ift)?,
            Tap::AfterLayerNorm | Tap::Pooled => features_ift.shallow_clone(),
        };
        let norm = features_ift.f_norm_scalaropt_dim(2, [-1], true)?.f_clamp_min(NORM_MIN)?;
        features_ift.f_div(&norm)
    }

    fn before_last_block(&self, pixels_icyx: &Tensor) -> Result<Tensor> {
        let (images, ..) = pixels_icyx.size4()?;
        let patch = i64::from(self.config.patch_side_pixels);
        let none = None::<&Tensor>;
        let patches_ift = pixels_icyx
            .f_conv2d(&self.patches, none, [patch, patch], [0, 0], [1, 1], 1)?
            .f_flatten(2, -1)?
            .f_transpose(1, 2)?;
        let class_ift = self
            .class_t
            .f_to_kind(patches_ift.kind())?
            .f_expand([images, 1, i64::from(self.config.width)], false)?;
        let tokens_ift = Tensor::f_cat(&[class_ift, patches_ift], 1)?.f_add(&self.positions_ft)?;
        let mut x_ift = self.first_norm.forward(&tokens_ift)?;
        let before_last = self.blocks.len().saturating_sub(1);
        for block in self.blocks.iter().take(before_last) {
            x_ift = block.forward(&x_ift)?;
        }
        x_ift.f_to_kind(Kind::Float)
    }

    fn after_norm(&self, before_ift: &Tensor) -> Result<Tensor> {
        let mut x_ift = before_ift.shallow_clone();
        if let Some(block) = self.blocks.last() {
            x_ift = block.forward(&x_ift)?;
        }
        self.last_norm.forward(&x_ift)?.f_to_kind(Kind::Float)
    }
}

/// One layer: a pre-LN transformer with QuickGELU.
#[derive(Debug)]
struct TowerBlock {
    attention: Attention,
    attention_norm: LayerNorm,
    expand: Linear,
    contract: Linear,
    mlp_norm: LayerNorm,
}

impl TowerBlock {
    /// Makes the block with CLIP's initialisation.
    fn new(mut scope: Scope<'_>, config: &TowerConfig) -> Result<Self> {
        let [width, mlp] = [config.width, config.mlp_width].map(i64::from);
        let width_std = (width as f64).sqrt().recip();
        let deep_std = width_std / (2.0 * f64::from(config.layer_count)).sqrt();
        let expand_std = (2.0 * width as f64).sqrt().recip();
        let [input, output, expand] = [deep_std, width_std, expand_std].map(LinearInit::normal);
        let init = AttentionInit { query: input, key: input, value: input, output };
        let heads = i64::from(config.head_count);
        Ok(Self {
            attention: Attention::new(scope.child("self_attn"), width, heads, init)?,
            attention_norm: LayerNorm::new(scope.child("layer_norm1"), width)?,
            expand: Linear::new(scope.child("mlp.fc1"), width, mlp, expand)?,
            contract: Linear::new(scope.child("mlp.fc2"), mlp, width, input)?,
            mlp_norm: LayerNorm::new(scope.child("layer_norm2"), width)?,
        })
    }

    fn forward(&self, x_ift: &Tensor) -> Result<Tensor> {
        let attention = &self.attention;
        let normed = self.attention_norm.forward(x_ift)?;
        let attended = attend(
            &attention.heads(&attention.query, &normed)?,
            &attention.heads(&attention.key, &normed)?,
            &attention.heads(&attention.value, &normed)?,
            0.0,
            Sight::All,
        )?;
        let x_ift = x_ift.f_add(&attention.output.forward(&attended)?)?;
        let inner = self.expand.forward(&self.mlp_norm.forward(&x_ift)?)?;
        let gate = inner.f_mul_scalar(QUICK_GELU_SLOPE)?.f_sigmoid()?;
        x_ift.f_add(&self.contract.forward(&inner.f_mul(&gate)?)?)
    }
}

/// Overwrites the parameters below `prefix`; checks every name and shape first.
pub(crate) fn load(parameters: &Parameters, prefix: &str, weights: &TowerWeights) -> model::Result<()> {
    let mut pairs = Vec::new();
    for parameter in parameters.iter() {
        let Some(name) = below(prefix, &parameter.name) else { continue };
        let failure = |reason: String| Error::Weight { name: name.to_owned(), reason };
        let array = weights.arrays.get(name).ok_or_else(|| failure("is missing".to_owned()))?;
        let (shape, len) = (parameter.shape(), parameter.tensor.numel());
        if array.shape != shape || array.values.len() != len {
            let found = &array.shape;
            return Err(failure(format!("has shape {found:?}, the config needs {shape:?}")));
        }
        pairs.push((parameter, &array.values));
    }
    for (parameter, values) in pairs {
        parameter.fill(values).map_err(torch("load the vision tower"))?;
    }
    Ok(())
}

/// Copies the parameters below `prefix`.
pub(crate) fn weights(parameters: &Parameters, prefix: &str) -> Result<TowerWeights> {
    let mut weights = TowerWeights::default();
    for parameter in parameters.iter() {
        let Some(name) = below(prefix, &parameter.name) else { continue };
        let mut values = vec![0.0; parameter.tensor.numel()];
        let tensor = parameter.tensor.f_detach()?.f_contiguous()?;
        tensor.f_copy_data(&mut values, tensor.numel())?;
        weights.arrays.insert(name.to_owned(), Array { shape: parameter.shape(), values });
    }
    Ok(weights)
}

fn below<'a>(prefix: &str, name: &'a str) -> Option<&'a str> {
    name.strip_prefix(prefix)?.strip_prefix('.')
}
