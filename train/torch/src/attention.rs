//! Multi-head attention: what the decoder, the vision tower and the resampler share.
//!
//! Shapes: b rows, s sequence, d width, h heads, k head width.

use tch::Tensor;

use super::{
    Result,
    linear::{Linear, LinearInit},
    parameters::Scope,
};

/// The four projections of multi-head attention.
#[derive(Debug)]
pub(crate) struct Attention {
    pub(crate) query: Linear,
    pub(crate) key: Linear,
    pub(crate) value: Linear,
    pub(crate) output: Linear,
    head_count: i64,
}

/// How the four projections start.
#[derive(Debug, Clone, Copy)]
pub(crate) struct AttentionInit {
    pub(crate) query: LinearInit,
    pub(crate) key: LinearInit,
    pub(crate) value: LinearInit,
    pub(crate) output: LinearInit,
}

impl Attention {
    pub(crate) fn new(
        mut scope: Scope<'_>,
        width: i64,
        head_count: i64,
        init: AttentionInit,
    ) -> Result<Self> {
        let mut linear = |name, init| Linear::new(scope.child(name), width, width, init);
        Ok(Self {
            query: linear("q_proj", init.query)?,
            key: linear("k_proj", init.key)?,
            value: linear("v_proj", init.value)?,
            output: linear("out_proj", init.output)?,
            head_count,
        })
    }

    /// Projects and splits into heads.
    pub(crate) fn heads(&self, projection: &Linear, x_bsd: &Tensor) -> Result<Tensor> {
        let (b, s, d) = x_bsd.size3()?;
        projection.forward(x_bsd)?.f_reshape([b, s, self.head_count, d / self.head_count])?.f_transpose(1, 2)
    }

    pub(crate) fn shallow_clone(&self) -> Self {
        Self {
            query: self.query.shallow_clone(),
            key: self.key.shallow_clone(),
            value: self.value.shallow_clone(),
            output: self.output.shallow_clone(),
            head_count: self.head_count,
        }
    }
}

/// What a query sees.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Sight<'a> {
    /// Every key.
    All,
    /// The keys up to its own.
    Causal,
    /// The keys where this is true, `[row, 1, query, key]`.
    Mask(&'a Tensor),
}

/// Attends with softmax(q k / sqrt(head width)) v, and joins the heads.
///
/// A causal one needs as many queries as keys.
pub(crate) fn attend(
    q_bhsk: &Tensor,
    k_bhsk: &Tensor,
    v_bhsk: &Tensor,
    dropout: f64,
    sight: Sight<'_>,
) -> Result<Tensor> {
    let (b, h, s, k) = q_bhsk.size4()?;
    let (mask, causal) = match sight {
        Sight::All => (None, false),
        Sight::Causal => (None, true),
        Sight::Mask(visible_b1ss) => (Some(visible_b1ss), false),
    };
    Tensor::f_scaled_dot_product_attention(q_bhsk, k_bhsk, v_bhsk, mask, dropout, causal, None, false)?
        .f_transpose(1, 2)?
        .f_reshape([b, s, h * k])
}
