//! The words that stories are made of, by slot.

pub(super) const NAMES: &[&str] = &[
    "Anna", "Ben", "Clara", "David", "Emma", "Finn", "Grace", "Henry", "Lucy", "Jack", "Mary", "Oscar",
    "Paul", "Rose", "Sam", "Tom",
];
pub(super) const ANIMALS: &[&str] =
    &["dog", "cat", "hen", "bird", "horse", "rabbit", "bear", "frog", "duck", "cow", "pig", "goat"];
pub(super) const PLACES: &[&str] = &[
    "garden", "forest", "river", "village", "market", "school", "house", "hill", "lake", "beach", "road",
    "bridge", "field", "town", "kitchen", "park", "farm", "shop",
];
pub(super) const THINGS: &[&str] = &[
    "cup", "ball", "picture", "window", "door", "table", "chair", "book", "letter", "flag", "kite", "boat",
    "lamp", "stone", "tree", "flower", "basket", "hat", "clock", "bag",
];
pub(super) const ADJECTIVES: &[&str] = &[
    "little",
    "big",
    "old",
    "young",
    "quiet",
    "warm",
    "cold",
    "bright",
    "dark",
    "happy",
    "tired",
    "kind",
    "brave",
    "heavy",
    "light",
    "round",
    "clean",
    "new",
    "strange",
    "beautiful",
];
pub(super) const WEATHER: &[&str] = &["rain", "snow", "wind", "sun", "fog", "storm"];
pub(super) const TIMES: &[&str] = &[
    "in the morning",
    "at night",
    "after lunch",
    "before dinner",
    "on Monday",
    "every day",
    "last summer",
    "in the evening",
    "on Friday",
    "a week later",
    "that afternoon",
    "in winter",
];
pub(super) const ACTIONS: &[&str] = &[
    "painted",
    "carried",
    "opened",
    "found",
    "watched",
    "wanted",
    "made",
    "bought",
    "moved",
    "cleaned",
    "lost",
    "dropped",
    "liked",
    "needed",
    "held",
    "remembered",
];
pub(super) const MOVES: &[&str] =
    &["walked", "ran", "went", "came back", "drove", "followed the road", "hurried"];
pub(super) const FEELINGS: &[&str] = &["glad", "sad", "sure", "afraid", "proud", "angry", "calm"];
pub(super) const NUMBERS: &[&str] = &["two", "three", "four", "five", "six", "seven", "ten"];
pub(super) const FAMILY: &[&str] = &["mother", "father", "sister", "brother", "friend", "teacher"];
pub(super) const COLOURS: &[&str] = &["red", "green", "blue", "yellow", "purple", "orange", "black", "white"];
pub(super) const SHAPES: &[&str] = &["circle", "square", "triangle", "cross"];
pub(super) const SIZES: &[&str] = &["large", "small"];
pub(super) const POSITIONS: &[&str] = &["center", "top left", "top right", "bottom left", "bottom right"];
pub(super) const TAGS: &[&str] =
    &["#sale", "#new", "#best", "#free", "#shop", "#today", "#love", "#win", "#deal", "#follow"];
pub(super) const EMOJI: &[&str] = &["🎉", "🔥", "😀", "👍", "🚀", "💯", "🎁", "😍"];

/// Names the words a slot of a template may take; an unknown slot has none.
pub(super) fn list(slot: &str) -> &'static [&'static str] {
    match slot {
        "name" => NAMES,
        "animal" => ANIMALS,
        "place" => PLACES,
        "thing" => THINGS,
        "adjective" => ADJECTIVES,
        "weather" => WEATHER,
        "time" => TIMES,
        "action" => ACTIONS,
        "move" => MOVES,
        "feeling" => FEELINGS,
        "number" => NUMBERS,
        "family" => FAMILY,
        "colour" => COLOURS,
        "shape" => SHAPES,
        "size" => SIZES,
        "position" => POSITIONS,
        _ => &[],
    }
}
