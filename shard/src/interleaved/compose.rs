//! Composing: segments with judged images to alternating texts and images. Pure.

use corpus::record::{Segment, SegmentKind};

use super::{Config, first_sentences, last_sentences};

/// A place of an interleaved document.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Piece {
    /// Text between images; paragraphs are lines. Never empty, never next to another text.
    Text(String),
    /// The image of a slot of the page.
    Image(u16),
}

/// Returns a page's texts and the images of `slots` (ascending) in reading order. Texts are
/// joined by newlines over images that are not there; before the first image the last
/// sentences stay, after the last image the first ones (unilm `wild_loader.py`).
pub fn compose(segments: &[Segment], slots: &[u16], config: &Config) -> Vec<Piece> {
    let mut pieces = Vec::new();
    let mut lines: Vec<&str> = Vec::new();
    let mut image_index = 0_usize;
    for segment in segments {
        if segment.kind != SegmentKind::Image {
            lines.push(segment.text.trim());
            continue;
        }
        let slot = u16::try_from(image_index).ok().filter(|slot| slots.binary_search(slot).is_ok());
        image_index += 1;
        let Some(slot) = slot else {
            continue;
        };
        let text = join(&std::mem::take(&mut lines));
        let is_first = !pieces.iter().any(|piece| matches!(piece, Piece::Image(_)));
        let kept = if is_first { last_sentences(&text, config.sentences_before_max) } else { &text };
        push_text(&mut pieces, kept);
        pieces.push(Piece::Image(slot));
    }
    push_text(&mut pieces, first_sentences(&join(&lines), config.sentences_after_max));
    pieces
}

fn join(lines: &[&str]) -> String {
    let lines: Vec<&str> = lines.iter().copied().filter(|line| !line.is_empty()).collect();
    lines.join("\n")
}

fn push_text(pieces: &mut Vec<Piece>, text: &str) {
    if !text.is_empty() {
        pieces.push(Piece::Text(text.to_owned()));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// `#` is an image, everything else a paragraph.
    fn segments(page: &[&str]) -> Vec<Segment> {
        let segment = |text: &&str| Segment {
            kind: if *text == "#" { SegmentKind::Image } else { SegmentKind::Text },
            text: (*text).to_owned(),
            url: (*text == "#").then(|| "https://img.example/x.png".to_owned()),
        };
        page.iter().map(segment).collect()
    }

    fn shown(page: &[&str], slots: &[u16]) -> Vec<String> {
        let show = |piece| match piece {
            Piece::Text(text) => text,
            Piece::Image(slot) => format!("#{slot}"),
        };
        compose(&segments(page), slots, &Config::default()).into_iter().map(show).collect()
    }

    #[test]
    fn text_between_images_is_whole_and_outside_it_is_cut_to_three_sentences() {
        let page =
            ["One. Two.", "Three. Four.", "#", "A. B. C. D.", "E.", "#", "Five. Six.", "Seven. Eight."];
        let expected = ["Two.\nThree. Four.", "#0", "A. B. C. D.\nE.", "#1", "Five. Six.\nSeven."];
        assert_eq!(shown(&page, &[0, 1]), expected);
    }

    #[test]
    fn a_dropped_image_joins_the_texts_around_it() {
        let page = ["A.", "#", "B.", "#", "C.", "#", "D."];
        assert_eq!(shown(&page, &[0, 2]), ["A.", "#0", "B.\nC.", "#2", "D."]);
        assert_eq!(shown(&page, &[1]), ["A.\nB.", "#1", "C.\nD."]);
    }

    #[test]
    fn images_may_stand_first_last_or_next_to_each_other() {
        assert_eq!(shown(&["#", "#", "A."], &[0, 1]), ["#0", "#1", "A."]);
        assert_eq!(shown(&["A.", "#", " ", "#"], &[0, 1]), ["A.", "#0", "#1"]);
    }

    proptest! {
        #[test]
        fn every_kept_image_is_there_once_in_order_and_no_text_is_empty(
            page in prop::collection::vec("#|[a-d. ]{0,12}", 0..20),
            keep in prop::collection::vec(any::<bool>(), 20),
        ) {
            let page: Vec<&str> = page.iter().map(String::as_str).collect();
            let images = page.iter().filter(|text| **text == "#").count();
            let slots: Vec<u16> = (0..images as u16).filter(|slot| keep[*slot as usize]).collect();
            let pieces = compose(&segments(&page), &slots, &Config::default());
            let found = pieces.iter().filter_map(|piece| match piece {
                Piece::Image(slot) => Some(*slot),
                Piece::Text(_) => None,
            });
            prop_assert_eq!(found.collect::<Vec<_>>(), slots);
            for pair in pieces.windows(2) {
                prop_assert!(!matches!(pair, [Piece::Text(_), Piece::Text(_)]));
            }
            let empty = Piece::Text(String::new());
            prop_assert!(!pieces.contains(&empty));
        }
    }
}
