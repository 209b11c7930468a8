//! Rows of several documents: where each token stands in its own, and which ones it may see.
//!
//! Shapes: b rows, s sequence.

use tch::{Kind, Tensor};

use super::Result;

/// The documents of a batch's rows.
#[derive(Debug)]
pub(crate) struct Documents {
    /// Each token's place in its document, from 0.
    pub(crate) positions_bs: Tensor,
    /// True where a query (next to last dimension) may see a key: one of its document that is not after it. Of one
    /// head, for all.
    pub(crate) visible_b1ss: Tensor,
}

impl Documents {
    /// Takes the positions of a batch's tokens, each document's from 0.
    pub(crate) fn new(positions_bs: Tensor) -> Result<Self> {
        let (_, s) = positions_bs.size2()?;
        let places_s = Tensor::f_arange(s, (Kind::Int64, positions_bs.device()))?;
        let first_bs = places_s.f_sub(&positions_bs)?;
        let (queries, keys) = (places_s.f_unsqueeze(1)?, places_s.f_unsqueeze(0)?);
        let in_document = keys.f_ge_tensor(&first_bs.f_unsqueeze(2)?)?;
        let visible_b1ss = in_document.f_logical_and(&keys.f_le_tensor(&queries)?)?.f_unsqueeze(1)?;
        Ok(Self { positions_bs, visible_b1ss })
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn a_token_sees_its_own_document_up_to_itself() {
        let positions = Tensor::from_slice(&[0_i64, 1, 0, 1, 0, 0, 1, 2]).reshape([2, 4]);
        let documents = Documents::new(positions).unwrap();
        let seen = Vec::<i64>::try_from(documents.visible_b1ss.to_kind(Kind::Int64).flatten(0, -1)).unwrap();
        let first = [1, 0, 0, 0, 1, 1, 0, 0, 0, 0, 1, 0, 0, 0, 1, 1];
        let second = [1, 0, 0, 0, 0, 1, 0, 0, 0, 1, 1, 0, 0, 1, 1, 1];
        assert_eq!(seen, [first, second].concat());
        assert_eq!(documents.visible_b1ss.size(), [2, 1, 4, 4]);
    }
}
