//! The language decoder: embedding, blocks, final LayerNorm, tied output.
//!
//! Shapes: b rows, s sequence, d width, v vocabulary, n any number of positions, m image
//! slots of the whole batch.

use tch::{Device, Tensor, no_grad};

use super::{
    Result,
    block::{Block, Cache, Places},
    documents::Documents,
    init::Init,
    linear::LayerNorm,
    network::Pass,
    parameters::Scope,
    position::{self, Rotation, sinusoids},
    shim,
};
use model::{DecoderConfig, PADDING_ID};

/// Where the decoder's parameters are.
pub(crate) const PREFIX: &str = "text_model.model";

/// The language decoder.
#[derive(Debug)]
pub(crate) struct Decoder {
    embedding_vd: Tensor,
    blocks: Vec<Block>,
    norm: LayerNorm,
    config: DecoderConfig,
}

/// Image vectors, and where they go in the flattened batch.
pub(crate) struct ImageVectors {
    pub(crate) vectors_md: Tensor,
    pub(crate) slots_m: Tensor,
}

/// The tokens that a row already holds, layer by layer.
#[derive(Debug)]
pub(crate) struct Caches {
    pub(crate) layers: Vec<Cache>,
    pub(crate) token_count: i64,
}

impl Decoder {
    pub(crate) fn new(mut scope: Scope<'_>, config: &DecoderConfig) -> Result<Self> {
        let width = i64::from(config.width);
        let init = Init::Normal { std: (width as f64).sqrt().recip() };
        let shape = [i64::from(config.vocabulary_size), width];
        let embedding_vd = scope.create("embed_tokens.weight", &shape, init)?;
        // The handle that comes back is the row itself.
        let _ = no_grad(|| embedding_vd.f_select(0, i64::from(PADDING_ID))?.f_zero_())?;
        let blocks = (0..config.layer_count)
            .map(|layer| Block::new(scope.child(&format!("layers.{layer}")), config))
            .collect::<Result<_>>()?;
        let norm = LayerNorm::new(scope.child("layer_norm"), width)?;
        Ok(Self { embedding_vd, blocks, norm, config: config.clone() })
    }

    pub(crate) fn sequence_tokens_max(&self) -> u32 {
        self.config.sequence_tokens_max
    }

    /// Returns empty caches.
    pub(crate) fn caches(&self) -> Caches {
        let layers = self.blocks.iter().map(|_| Cache::default()).collect();
        Caches { layers, token_count: 0 }
    }

    /// Returns the last hidden states, normalised.
    ///
    /// Rows are padded on the right, so that causality alone hides padding. `caches`, if any,
    /// hold the tokens before these and take these up. Without `documents` every row is one.
    pub(crate) fn forward(
        &self,
        tokens_bs: &Tensor,
        images: Option<&ImageVectors>,
        documents: Option<&Documents>,
        mut caches: Option<&mut Caches>,
        pass: &Pass,
    ) -> Result<Tensor> {
        let (_, s) = tokens_bs.size2()?;
        let offset = caches.as_ref().map_or(0, |caches| caches.token_count);
        let mut x_bsd = self.embed(tokens_bs, images, (offset, documents), pass)?;
        let places = self.places(offset + s, documents, tokens_bs.device())?;
        for (index, block) in self.blocks.iter().enumerate() {
            let cache = caches.as_mut().and_then(|caches| caches.layers.get_mut(index));
            x_bsd = self.layer(index, block, &x_bsd, &places, cache, pass)?;
        }
        if let Some(caches) = caches {
            caches.token_count += s;
        }
        self.norm.forward(&x_bsd)
    }

    /// Returns the logits of hidden states.
    pub(crate) fn logits(&self, x_nd: &Tensor) -> Result<Tensor> {
        x_nd.f_linear(&self.embedding_vd, None::<&Tensor>)
    }

    fn layer(
        &self,
        index: usize,
        block: &Block,
        x_bsd: &Tensor,
        places: &Places,
        cache: Option<&mut Cache>,
        pass: &Pass,
    ) -> Result<Tensor> {
        if !(pass.is_training() && self.config.activation_checkpointing) {
            pass.seed_layer(index);
            return block.forward(x_bsd, places, cache, pass.is_training());
        }
        let (block, places, pass) = (block.shallow_clone(), places.shallow_clone(), *pass);
        shim::checkpoint(x_bsd, move |x_bsd| {
            pass.seed_layer(index);
            pass.cast(|| block.forward(x_bsd, &places, None, true))
        })
    }

    /// Embeds tokens, puts image vectors into their slots, and scales both alike.
    fn embed(
        &self,
        tokens_bs: &Tensor,
        images: Option<&ImageVectors>,
        (offset, documents): (i64, Option<&Documents>),
        pass: &Pass,
    ) -> Result<Tensor> {
        let (b, s) = tokens_bs.size2()?;
        let d = i64::from(self.config.width);
        let mut x_bsd = Tensor::f_embedding(&self.embedding_vd, tokens_bs, -1, false, false)?;
        if let Some(ImageVectors { vectors_md, slots_m }) = images {
            let vectors_md = vectors_md.f_to_kind(x_bsd.kind())?;
            let flat = x_bsd.f_reshape([b * s, d])?.f_index_copy(0, slots_m, &vectors_md)?;
            x_bsd = flat.f_reshape([b, s, d])?;
        }
        x_bsd = x_bsd.f_mul_scalar((d as f64).sqrt())?;
        if self.config.position.adds_sinusoids() {
            let table_sd = sinusoids(offset, s, d, tokens_bs.device())?;
            x_bsd = x_bsd.f_add(&match documents {
                Some(documents) => position::at(&table_sd, &documents.positions_bs)?,
                None => table_sd,
            })?;
        }
        x_bsd.f_dropout(self.config.dropout, pass.is_training())
    }

    /// Returns what every layer is told beside its input of `s` tokens.
    fn places(&self, s: i64, documents: Option<&Documents>, device: Device) -> Result<Places> {
        let head_width = i64::from(self.config.width / self.config.head_count);
        let rotation = match (self.config.position.rotates(), documents) {
            (false, _) => None,
            (true, None) => Some(Rotation::new(s, head_width, device)?),
            (true, Some(documents)) => {
                Some(Rotation::new(s, head_width, device)?.at(&documents.positions_bs)?)
            }
        };
        Ok(Places {
            rotation,
            visible_b1ss: documents.map(|documents| documents.visible_b1ss.shallow_clone()),
        })
    }
}
