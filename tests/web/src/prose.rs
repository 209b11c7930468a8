//! Prose: simple English stories from a seeded grammar of a few hundred words, and
//! what is planted between them.

mod foreign;
mod grammar;
mod words;

use std::collections::BTreeSet;

use rand::RngExt;
use rand::seq::{IndexedMutRandom, SliceRandom};

pub(crate) use foreign::Language;
pub(crate) use grammar::{Cast, fill};

use crate::random::{Stream, word};

/// Fewest words of a story that is to be kept.
const STORY_WORDS_MIN: usize = 40;
/// Most words of a story.
const STORY_WORDS_MAX: usize = 220;
/// Words of one shingle of the near-duplicates' Jaccard.
const SHINGLE_WORDS: usize = 5;

/// Text as paragraphs; [`Prose::text`] joins them.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Prose {
    pub(crate) paragraphs: Vec<String>,
}

impl Prose {
    /// Tells a story of 40 to 220 words in paragraphs of two to six sentences.
    pub(crate) fn story(stream: &mut Stream) -> Self {
        let cast = Cast::draw(stream);
        let target = stream.random_range(STORY_WORDS_MIN + 15..STORY_WORDS_MAX - 15);
        let mut paragraphs = Vec::new();
        let mut words = 0;
        while words < target {
            let mut sentences = Vec::new();
            for _ in 0..stream.random_range(2..=6) {
                if words < target {
                    let sentence = cast.sentence(stream);
                    words += sentence.split(' ').count();
                    sentences.push(sentence);
                }
            }
            paragraphs.push(sentences.join(" "));
        }
        Self { paragraphs }
    }

    /// Puts everything into one paragraph.
    pub(crate) fn single(self) -> Self {
        Self { paragraphs: vec![self.paragraphs.join(" ")] }
    }

    /// Tells 8 to 12 English words: fewer than any rule wants.
    pub(crate) fn short(stream: &mut Stream) -> Self {
        let story = Self::story(stream).single().text();
        let count = stream.random_range(8..=12);
        let words: Vec<&str> = story.split(' ').take(count).collect();
        let text = words.join(" ");
        Self { paragraphs: vec![format!("{}.", text.trim_end_matches(['.', ',']))] }
    }

    /// Advertises: per line about ten words, two hashtags, two emoji and a URL.
    pub(crate) fn spam(stream: &mut Stream) -> Self {
        let cast = Cast::draw(stream);
        let lines = (0..stream.random_range(6..12)).map(|_| {
            let number: u32 = stream.random_range(1000..10_000);
            let start = fill("{name} likes the new {thing}", &cast, stream);
            let tags = [
                word(words::TAGS, stream),
                word(words::TAGS, stream),
                word(words::EMOJI, stream),
                word(words::EMOJI, stream),
            ]
            .join(" ");
            format!("{start} {tags} https://spam.example/{number}")
        });
        Self { paragraphs: lines.collect() }
    }

    /// Writes in a language that is not English, one paragraph of shuffled sentences.
    pub(crate) fn foreign(language: Language, stream: &mut Stream) -> Self {
        let mut sentences = language.sentences().to_vec();
        sentences.shuffle(stream);
        sentences.truncate(7);
        Self { paragraphs: vec![sentences.join(language.space())] }
    }

    /// Changes one word in about fifty and leaves the rest.
    pub(crate) fn near(&self, stream: &mut Stream) -> Self {
        let changes = 1 + self.text().split_whitespace().count() / 50;
        let mut near = self.clone();
        while near == *self {
            for _ in 0..changes {
                if let Some(paragraph) = near.paragraphs.choose_mut(stream) {
                    change_word(paragraph, stream);
                }
            }
        }
        near
    }

    /// Joins the paragraphs by a newline.
    pub(crate) fn text(&self) -> String {
        self.paragraphs.join("\n")
    }
}

/// Puts an adjective in the place of one word after the first.
fn change_word(paragraph: &mut String, stream: &mut Stream) {
    let mut words: Vec<&str> = paragraph.split(' ').collect();
    let at = stream.random_range(1..words.len().max(2));
    if let Some(old) = words.get_mut(at) {
        *old = other_word(old, stream);
    }
    *paragraph = words.join(" ");
}

/// Chooses an adjective that is not `old`.
fn other_word(old: &str, stream: &mut Stream) -> &'static str {
    loop {
        let new = word(words::ADJECTIVES, stream);
        if new != old {
            return new;
        }
    }
}

/// Counts the exact Jaccard similarity of two texts over their sets of five-word
/// shingles; a word is a run of letters or digits, lower-cased.
pub(crate) fn jaccard(left: &str, right: &str) -> f64 {
    let (left, right) = (shingles(left), shingles(right));
    let shared = left.intersection(&right).count();
    let all = left.len() + right.len() - shared;
    if all == 0 {
        return 0.0;
    }
    shared as f64 / all as f64
}

fn shingles(text: &str) -> BTreeSet<Vec<String>> {
    let words: Vec<String> = text
        .split(|c: char| !c.is_alphanumeric())
        .filter(|word| !word.is_empty())
        .map(str::to_lowercase)
        .collect();
    words.windows(SHINGLE_WORDS).map(<[String]>::to_vec).collect()
}

#[cfg(test)]
mod tests;
