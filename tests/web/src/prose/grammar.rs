//! The grammar: sentence templates whose slots are filled with words.

use super::words;
use crate::random::{Stream, word};

/// Sentences of a story. `{hero}`, `{friend}` and `{home}` stay the same through it.
const SENTENCES: &[&str] = &[
    "{time} {hero} {move} to the {place} with a {adjective} {thing}.",
    "{hero} {action} the {colour} {thing}, but {friend} {action} the {adjective} one.",
    "The {animal} was {adjective} and sat near the {place} because of the {weather}.",
    "There was a {adjective} {animal} under the {thing} at the {home}.",
    "{friend} said that the {thing} in the {place} belonged to {name}.",
    "When the {weather} came, they {move} to the {home} and closed the {thing}.",
    "{hero} drew a {size} {colour} {shape} on the {thing}.",
    "In the {position} of the picture there is a {size} {colour} {shape}.",
    "On the wall of the {place} {name} painted {number} {colour} {thing}s.",
    "The {family} of {hero} {action} a {colour} {thing} {time}.",
    "{hero} was {feeling}, and the {adjective} {animal} was {feeling} too.",
    "Why did the {animal} go to the {place} {time}?",
    "{name} told {friend} a story about {number} {animal}s and a {adjective} {thing}.",
    "It took {number} hours to walk from the {place} to the {home}.",
    "The {weather} was strong, so the {thing} fell into the {place}.",
    "After that, {friend} and the {animal} {move} through the {place}.",
    "Nobody in the {home} knew where the {colour} {thing} was.",
    "{hero} put the {shape} next to the {colour} {thing} and smiled.",
    "Every {animal} at the {place} {action} something {adjective}.",
    "{friend} asked whether the {shape} was {colour} or {colour}.",
    "They all liked the {adjective} {place}, where {name} {action} a {thing}.",
    "A {size} {shape} is not the same as a {adjective} {thing}, said the {family}.",
    "{time} the {weather} was gone and the {place} looked {adjective}.",
    "The {colour} {thing} of {name} is older than the {adjective} {place}.",
    "{hero} has {number} {animal}s, and they live behind the {home}.",
    "If you look at the {place}, you can see the {colour} {thing} of the {family}.",
    "{name} {action} it {time}, then gave it to the {family} of {friend}.",
    "The {animal} {action} the {thing} while {hero} slept in the {place}.",
    "We should have told {name} about the {adjective} {thing} and the {weather}.",
    "{friend} wanted to count every {shape}, but there were only {number}.",
];

/// What stays the same through one story.
#[derive(Debug, Clone)]
pub(crate) struct Cast {
    hero: &'static str,
    friend: &'static str,
    home: &'static str,
}

impl Cast {
    /// Draws hero, friend and home.
    pub(crate) fn draw(stream: &mut Stream) -> Self {
        Self {
            hero: word(words::NAMES, stream),
            friend: word(words::NAMES, stream),
            home: word(words::PLACES, stream),
        }
    }

    /// Fills one random sentence.
    pub(super) fn sentence(&self, stream: &mut Stream) -> String {
        fill(word(SENTENCES, stream), self, stream)
    }
}

/// Fills the slots of `template`, makes `a` an `an` before a vowel, and starts with a
/// capital letter.
pub(crate) fn fill(template: &str, cast: &Cast, stream: &mut Stream) -> String {
    let mut text = String::with_capacity(template.len() * 2);
    let mut rest = template;
    while let Some((before, after)) = rest.split_once('{') {
        text.push_str(before);
        let Some((slot, tail)) = after.split_once('}') else {
            rest = after;
            break;
        };
        let chosen = match slot {
            "hero" => cast.hero,
            "friend" => cast.friend,
            "home" => cast.home,
            _ => word(words::list(slot), stream),
        };
        push_word(&mut text, chosen);
        rest = tail;
    }
    text.push_str(rest);
    capitalised(&text)
}

fn push_word(text: &mut String, word: &str) {
    let vowel = word.starts_with(['a', 'e', 'i', 'o', 'u']);
    let article = text == "A " || text.ends_with(" a ") || text.ends_with(" A ");
    if vowel && article {
        text.pop();
        text.push_str("n ");
    }
    text.push_str(word);
}

fn capitalised(text: &str) -> String {
    let mut letters = text.chars();
    letters.next().map(|first| first.to_uppercase().chain(letters).collect()).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::random::stream;

    #[test]
    fn every_slot_of_every_sentence_has_words() {
        for sentence in SENTENCES {
            for slot in sentence.split('{').skip(1) {
                let name = slot.split('}').next().unwrap_or_default();
                let known = ["hero", "friend", "home"].contains(&name);
                assert!(known || !words::list(name).is_empty(), "{name}");
            }
        }
    }

    #[test]
    fn an_article_fits_the_word_after_it() {
        let mut text = String::from("A ");
        push_word(&mut text, "old");
        assert_eq!(text, "An old");
        let cast = Cast::draw(&mut stream(1, "cast", 0));
        let filled = fill("see a {colour} cup", &cast, &mut stream(1, "fill", 3));
        assert!(filled.starts_with("See a"), "{filled}");
        assert!(!filled.contains(" a orange"), "{filled}");
    }
}
