//! What the forests are trained with: a page's blocks with their features.
//!
//! The trainer (`forest/train.py`) reads these through `examples/blocks.rs`, so that features
//! are computed in one place alone.

use super::facts::Facts;
use super::feature::{Features, Rows};
use super::outline::Outline;
use super::{Ruby, genre, parser, plain};

/// A page as the forests see it.
#[derive(Debug, Clone, PartialEq)]
pub struct TrainingPage {
    /// The texts of its blocks in reading order.
    pub texts: Vec<String>,
    /// The features of each, all of the same number.
    pub features: Vec<Vec<f32>>,
    /// The features of the page, where judgements of its blocks are given.
    pub page: Option<Vec<f32>>,
}

impl TrainingPage {
    /// Prepares a page; `judged` holds each block's probability by the judge of articles and
    /// by the judge of any page.
    pub fn new(html: &str, judged: Option<[&[f32]; 2]>) -> Self {
        let mut dom = parser::parse(html);
        let facts = Facts::of(&dom);
        plain::simplify(&mut dom, Ruby::default());
        let outline = Outline::of(&dom);
        let features = Features::new(&outline, &facts);
        let rows = |rows: Rows| rows.iter().map(<[f32]>::to_vec).collect::<Vec<_>>();
        let page = judged.map(|judged| rows(genre::features(&outline, &features, judged)).concat());
        let features = rows(features.rows());
        Self { texts: outline.blocks.into_iter().map(|block| block.text).collect(), features, page }
    }
}
