//! The genre: whether a page is an article, told by what it is like as a whole and by what
//! two judges say of its blocks.

use super::feature::{Features, Rows};
use super::outline::Outline;

/// Probability from which a page is read as an article.
pub(super) const ARTICLE_MIN: f32 = 0.4;
/// Probability from which a block counts as chosen by a judge.
const CHOSEN_MIN: f32 = 0.5;

/// What one judge says of a page.
#[derive(Debug, Default)]
struct Opinion {
    words: f32,
    blocks: f32,
    longest: f32,
    link_share: f32,
    likely: f32,
    sure: f32,
}

/// Returns the features of a page as one row; `judged` holds by judge (of articles, of any
/// page) the probability of each block.
pub(super) fn features(outline: &Outline, features: &Features<'_>, judged: [&[f32]; 2]) -> Rows {
    let weights = features.weights();
    let words = weights.iter().sum::<f32>().max(1.0);
    let mut row = Vec::new();
    features.page(&mut row);
    for judged in judged {
        let mut opinion = Opinion::default();
        for ((block, probability), weight) in outline.blocks.iter().zip(judged).zip(&weights) {
            opinion.likely += probability * weight;
            opinion.sure += (probability - CHOSEN_MIN).abs() * weight;
            if *probability > CHOSEN_MIN {
                opinion.words += weight;
                opinion.blocks += 1.0;
                opinion.longest = opinion.longest.max(*weight);
                opinion.link_share += block.link_chars as f32 / block.chars.max(1) as f32;
            }
        }
        let blocks = opinion.blocks.max(1.0);
        row.extend([
            opinion.likely / words,
            opinion.sure / words,
            opinion.words,
            opinion.words / words,
            opinion.blocks,
            opinion.longest,
            opinion.words / blocks,
            opinion.link_share / blocks,
        ]);
    }
    let (mut both, mut either) = (0.0, 0.0);
    for ((one, other), weight) in judged[0].iter().zip(judged[1]).zip(&weights) {
        let (one, other) = (*one > CHOSEN_MIN, *other > CHOSEN_MIN);
        both += if one && other { *weight } else { 0.0 };
        either += if one || other { *weight } else { 0.0 };
    }
    row.push(both / f32::max(either, 1.0));
    Rows::new(row, 1)
}
