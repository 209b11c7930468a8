//! One layer of the decoder: Magneto's (arXiv 2210.06423), a pre-LN transformer with a
//! second LayerNorm inside each branch, before its last projection.
//!
//! Shapes: b rows, s sequence, d width, h heads, k head width.

use tch::Tensor;

use super::{
    Result,
    attention::{Attention, AttentionInit, Sight, attend},
    init::Init,
    linear::{LayerNorm, Linear, LinearInit},
    parameters::Scope,
    position::Rotation,
};
use model::{DecoderConfig, Initialisation};

/// One layer of the decoder.
#[derive(Debug)]
pub(crate) struct Block {
    attention: Attention,
    attention_norm: LayerNorm,
    attention_inner_norm: LayerNorm,
    expand: Linear,
    contract: Linear,
    feed_forward_norm: LayerNorm,
    feed_forward_inner_norm: LayerNorm,
    dropout: f64,
    attention_dropout: f64,
}

/// What every layer is told beside its input.
#[derive(Debug)]
pub(crate) struct Places {
    /// How queries and keys turn.
    pub(crate) rotation: Option<Rotation>,
    /// Which keys a query sees, if rows are of several documents.
    pub(crate) visible_b1ss: Option<Tensor>,
}

impl Places {
    pub(crate) fn shallow_clone(&self) -> Self {
        Self {
            rotation: self.rotation.as_ref().map(Rotation::shallow_clone),
            visible_b1ss: self.visible_b1ss.as_ref().map(Tensor::shallow_clone),
        }
    }
}

/// The keys (before rotation, which depends on the length) and values of the tokens so far.
#[derive(Debug, Default)]
pub(crate) struct Cache {
    keys_values_bhsk: Option<(Tensor, Tensor)>,
}

impl Cache {
    /// Appends new keys and values, and returns all.
    fn append(&mut self, k_bhsk: Tensor, v_bhsk: Tensor) -> Result<(Tensor, Tensor)> {
        let all = match &self.keys_values_bhsk {
            None => (k_bhsk, v_bhsk),
            Some((k, v)) => (Tensor::f_cat(&[k, &k_bhsk], 2)?, Tensor::f_cat(&[v, &v_bhsk], 2)?),
        };
        self.keys_values_bhsk = Some((all.0.shallow_clone(), all.1.shallow_clone()));
        Ok(all)
    }

    /// Keeps the given rows, in the given order.
    pub(crate) fn select(&mut self, rows_b: &Tensor) -> Result<()> {
        if let Some((k, v)) = &mut self.keys_values_bhsk {
            (*k, *v) = (k.f_index_select(0, rows_b)?, v.f_index_select(0, rows_b)?);
        }
        Ok(())
    }
}

impl Block {
    pub(crate) fn new(mut scope: Scope<'_>, config: &DecoderConfig) -> Result<Self> {
        let [width, ffn] = [config.width, config.ffn_width].map(i64::from);
        let gain = (2.0 * f64::from(config.layer_count)).ln().sqrt();
        let plain = linear_init(config.initialisation, width, width, 1.0);
        let gained = linear_init(config.initialisation, width, width, gain);
        let init = AttentionInit { query: plain, key: plain, value: gained, output: gained };
        let expand = linear_init(config.initialisation, width, ffn, gain);
        let contract = linear_init(config.initialisation, ffn, width, gain);
        let heads = i64::from(config.head_count);
        Ok(Self {
            attention: Attention::new(scope.child("self_attn"), width, heads, init)?,
            attention_inner_norm: LayerNorm::new(scope.child("self_attn.inner_attn_ln"), width)?,
            attention_norm: LayerNorm::new(scope.child("self_attn_layer_norm"), width)?,
            expand: Linear::new(scope.child("ffn.fc1"), width, ffn, expand)?,
            contract: Linear::new(scope.child("ffn.fc2"), ffn, width, contract)?,
            feed_forward_inner_norm: LayerNorm::new(scope.child("ffn.ffn_layernorm"), ffn)?,
            feed_forward_norm: LayerNorm::new(scope.child("final_layer_norm"), width)?,
            dropout: config.dropout,
            attention_dropout: config.attention_dropout,
        })
    }

    /// Computes the layer for new tokens, which attend to those of the cache and to each other.
    ///
    /// With a filled cache there may be one new token.
    pub(crate) fn forward(
        &self,
        x_bsd: &Tensor,
        places: &Places,
        cache: Option<&mut Cache>,
        training: bool,
    ) -> Result<Tensor> {
        let attended = self.attend(x_bsd, places, cache, training)?;
        let x_bsd = x_bsd.f_add(&attended.f_dropout(self.dropout, training)?)?;
        let inner = self.expand.forward(&self.feed_forward_norm.forward(&x_bsd)?)?;
        let inner = self.feed_forward_inner_norm.forward(&inner.f_gelu("none")?)?;
        let out_bsd = self.contract.forward(&inner)?;
        x_bsd.f_add(&out_bsd.f_dropout(self.dropout, training)?)
    }

    fn attend(
        &self,
        x_bsd: &Tensor,
        places: &Places,
        cache: Option<&mut Cache>,
        training: bool,
    ) -> Result<Tensor> {
        let attention = &self.attention;
        let x_bsd = self.attention_norm.forward(x_bsd)?;
        let mut q_bhsk = attention.heads(&attention.query, &x_bsd)?;
        let mut k_bhsk = attention.heads(&attention.key, &x_bsd)?;
        let mut v_bhsk = attention.heads(&attention.value, &x_bsd)?;
        if let Some(cache) = cache {
            (k_bhsk, v_bhsk) = cache.append(k_bhsk, v_bhsk)?;
        }
        if let Some(rotation) = &places.rotation {
            q_bhsk = rotation.query(&q_bhsk)?;
            k_bhsk = rotation.key(&k_bhsk)?;
        }
        let dropout = if training { self.attention_dropout } else { 0.0 };
        let sight = match &places.visible_b1ss {
            Some(visible_b1ss) => Sight::Mask(visible_b1ss),
            None if q_bhsk.size4()?.2 > 1 => Sight::Causal,
            None => Sight::All,
        };
        let attended = attend(&q_bhsk, &k_bhsk, &v_bhsk, dropout, sight)?;
        attention.output.forward(&self.attention_inner_norm.forward(&attended)?)
    }

    pub(crate) fn shallow_clone(&self) -> Self {
        Self {
            attention: self.attention.shallow_clone(),
            attention_norm: self.attention_norm.shallow_clone(),
            attention_inner_norm: self.attention_inner_norm.shallow_clone(),
            expand: self.expand.shallow_clone(),
            contract: self.contract.shallow_clone(),
            feed_forward_norm: self.feed_forward_norm.shallow_clone(),
            feed_forward_inner_norm: self.feed_forward_inner_norm.shallow_clone(),
            dropout: self.dropout,
            attention_dropout: self.attention_dropout,
        }
    }
}

fn linear_init(kind: Initialisation, fan_in: i64, fan_out: i64, gain: f64) -> LinearInit {
    match kind {
        Initialisation::Torchscale => {
            let init = Init::Uniform { bound: gain / (fan_in as f64).sqrt() };
            LinearInit { weight: init, bias: init }
        }
        Initialisation::Magneto => {
            LinearInit { weight: Init::xavier_normal(fan_in, fan_out, gain), bias: Init::Constant(0.0) }
        }
    }
}

#[cfg(test)]
#[allow(clippy::panic)]
mod tests {
    use super::*;

    #[test]
    fn torchscales_bounds_are_those_of_the_full_size() {
        let gain = 48_f64.ln().sqrt();
        let bound = |fan_in, gain| match linear_init(Initialisation::Torchscale, fan_in, 1, gain).bias {
            Init::Uniform { bound } => bound,
            other => panic!("{other:?}"),
        };
        assert!((bound(2048, 1.0) - 0.022_097_1).abs() < 1e-7);
        assert!((bound(2048, gain) - 0.043_476_8).abs() < 1e-7);
        assert!((bound(8192, gain) - 0.021_738_4).abs() < 1e-7);
    }
}
