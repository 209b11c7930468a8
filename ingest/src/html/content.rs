//! The content: which blocks of an outline are the page's own.
//!
//! Two forests judge every block: one knows articles, the other pages of any kind. A third
//! tells from what both say which of them to follow (see [`genre`](super::genre)). They were
//! trained on labelled pages by `forest/train.py`, whose head tells of what and how well.

use std::sync::LazyLock;

use super::consent;
use super::facts::Facts;
use super::feature::Features;
use super::forest::Forest;
use super::genre;
use super::outline::{Block, Outline};
use super::tag::Role;

/// Probability from which a block of an article is content.
const ARTICLE_MIN: f32 = 0.55;
/// Bounds of the probability from which a block of any other page is content. Between them
/// the page decides: the best balance of what is lost and what is taken in.
const ANY_MIN: (f32, f32) = (0.3, 0.5);
/// Probability of the judge of articles that is enough where nothing else is content.
const LAST_MIN: f32 = 0.5;

/// Characters of a page that is all content if nothing in it leads elsewhere: the forests know no pages so short.
const PLAIN_CHARS_MAX: u32 = 600;

/// The forests, read once; `forest/train.py` writes them.
static FORESTS: LazyLock<Forests> = LazyLock::new(|| {
    let read = |bytes| Forest::parse(bytes).unwrap_or_default();
    Forests {
        article: read(include_bytes!("../../forest/article.forest")),
        any: read(include_bytes!("../../forest/any.forest")),
        genre: read(include_bytes!("../../forest/genre.forest")),
    }
});

struct Forests {
    article: Forest,
    any: Forest,
    genre: Forest,
}

/// Judges every block; true is content.
pub(super) fn judge(outline: &Outline, facts: &Facts) -> Vec<bool> {
    let forests = &*FORESTS;
    let left_out = left_out(outline);
    if is_plain(outline) {
        return left_out.iter().map(|is_left_out| !is_left_out).collect();
    }
    let features = Features::new(outline, facts);
    let rows = features.rows();
    let article = forests.article.judge(&rows);
    let any = forests.any.judge(&rows);
    let genre = genre::features(outline, &features, [&article, &any]);
    let is_article = forests.genre.judge(&genre).first().is_some_and(|p| *p > genre::ARTICLE_MIN);
    let choose = |judged: &[f32], least: f32| -> Vec<bool> {
        let blocks = judged.iter().zip(&left_out);
        blocks.map(|(probability, is_left_out)| *probability >= least && !is_left_out).collect()
    };
    let content = choose(&article, ARTICLE_MIN);
    if is_article && content.contains(&true) {
        return content;
    }
    let least = best_balance(&features.weights(), &any).clamp(ANY_MIN.0, ANY_MIN.1);
    let content = choose(&any, least);
    match content.contains(&true) {
        true => content,
        // Pages may well have no content of their own: a notice, a form, an empty list.
        false => choose(&article, LAST_MIN),
    }
}

/// Says which blocks are not read whatever they are like: notices, and what the page hides.
fn left_out(outline: &Outline) -> Vec<bool> {
    let is_hidden = |block: &Block| outline.scopes[block.scope as usize].is_hidden;
    let notices = consent::notices(outline).into_iter();
    notices.zip(&outline.blocks).map(|(notice, block)| notice || is_hidden(block)).collect()
}

/// Returns true for a short page without links, headings, and anything but text around its text.
fn is_plain(outline: &Outline) -> bool {
    let is_around =
        |role: Role| matches!(role, Role::Side | Role::Nav | Role::Form | Role::Button | Role::Custom);
    let chars: u32 = outline.blocks.iter().map(|block| block.chars).sum();
    chars <= PLAIN_CHARS_MAX
        && outline.blocks.iter().all(|block| block.links == 0 && block.level == 0)
        && !outline.scopes.iter().any(|scope| is_around(scope.role))
}

/// Returns the probability from which on blocks must be taken for the greatest expected F1.
///
/// With blocks by falling probability p and words w, the F1 expected of the first k is
/// 2 * sum(p * w over k) / (sum(w over k) + sum(p * w over all)).
fn best_balance(weights: &[f32], judged: &[f32]) -> f32 {
    let weight = |index: usize| f64::from(weights[index]);
    let mut order: Vec<usize> = (0..judged.len()).collect();
    order.sort_by(|a, b| judged[*b].total_cmp(&judged[*a]).then(a.cmp(b)));
    let wanted: f64 = order.iter().map(|index| f64::from(judged[*index]) * weight(*index)).sum();
    let (mut right, mut taken, mut best) = (0.0, 0.0, (0.0, 1.0));
    for index in order {
        right += f64::from(judged[index]) * weight(index);
        taken += weight(index);
        let f1 = 2.0 * right / (taken + wanted);
        if f1 > best.0 {
            best = (f1, judged[index]);
        }
    }
    best.1
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_forests_are_whole_and_fit_the_features() {
        let outline = Outline::of(&super::super::parser::parse("<p>a"));
        let facts = Facts::default();
        let features = Features::new(&outline, &facts);
        let rows = features.rows();
        assert_eq!((FORESTS.article.width(), FORESTS.any.width()), (rows.width(), rows.width()));
        let genre = genre::features(&outline, &features, [&[0.5], &[0.5]]);
        assert_eq!(FORESTS.genre.width(), genre.width());
    }

    #[test]
    fn a_short_page_without_links_is_all_content() {
        let judged = |html: &str| {
            let outline = Outline::of(&super::super::parser::parse(html));
            judge(&outline, &Facts::default())
        };
        assert_eq!(
            judged("<div>Opening hours</div><div>Monday to Friday, 9 to 17</div><div>Closed</div>"),
            [true; 3]
        );
        assert!(
            judged("<nav>Home</nav><div>Opening hours</div><div>Monday to Friday, 9 to 17</div>")
                .contains(&false)
        );
    }

    #[test]
    fn the_best_balance_takes_in_what_is_likely_enough() {
        let weights = [4.0, 4.0, 4.0];
        assert_eq!(best_balance(&weights, &[0.9, 0.1, 0.6]), 0.6);
        assert_eq!(best_balance(&weights, &[0.2, 0.02, 0.01]), 0.2);
        assert_eq!(best_balance(&[], &[]), 1.0);
    }
}
