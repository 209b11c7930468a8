#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::collections::BTreeSet;

use super::*;
use crate::random::stream;

fn words(text: &str) -> usize {
    text.split_whitespace().count()
}

#[test]
fn stories_are_english_of_forty_to_220_words_and_all_differ() {
    let mut seen = BTreeSet::new();
    for index in 0..600 {
        let text = Prose::story(&mut stream(1, "story", index)).text();
        let count = words(&text);
        assert!((STORY_WORDS_MIN..=STORY_WORDS_MAX).contains(&count), "{count}: {text}");
        assert_eq!(whatlang::detect_lang(&text), Some(whatlang::Lang::Eng), "{text}");
        assert!(seen.insert(text));
    }
}

#[test]
fn other_languages_are_long_enough_and_not_english() {
    for language in Language::ALL {
        for index in 0..40 {
            let text = Prose::foreign(language, &mut stream(1, "foreign", index)).text();
            assert!(text.chars().count() > 150, "{text}");
            assert_ne!(whatlang::detect_lang(&text), Some(whatlang::Lang::Eng), "{text}");
        }
    }
}

#[test]
fn stories_share_few_shingles_and_near_duplicates_many() {
    let stories: Vec<Prose> = (0..120).map(|index| Prose::story(&mut stream(1, "story", index))).collect();
    for (index, story) in stories.iter().enumerate() {
        let near = story.near(&mut stream(1, "near", index as u64));
        let similarity = jaccard(&story.text(), &near.text());
        assert!((0.5..1.0).contains(&similarity), "{similarity}");
        for other in stories.iter().skip(index + 1) {
            assert!(jaccard(&story.text(), &other.text()) < 0.2);
        }
    }
}

#[test]
fn short_text_is_under_twenty_words_and_spam_is_mostly_symbols() {
    for index in 0..50 {
        assert!(words(&Prose::short(&mut stream(1, "short", index)).text()) <= 12);
        let spam = Prose::spam(&mut stream(1, "spam", index)).text();
        let symbols = spam.matches(['#', '🎉', '🔥']).count() + spam.matches("https://").count();
        assert!(words(&spam) >= 40);
        assert!(symbols * 5 > words(&spam), "{spam}");
    }
}
