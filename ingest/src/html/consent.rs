//! Consent notices: banners that ask for cookies. No page is about its own, and they are rarer
//! among labelled pages than on the web, so that they are told by a rule.

use super::outline::Outline;
use super::signal::Signal;

/// Characters of a notice with all its buttons.
const CHARS_MAX: u32 = 2_000;
/// Of the page's characters, the share that a notice has at most, in percent.
const SHARE_MAX: u32 = 50;
/// What all of them speak of, in most languages by these words.
const SUBJECTS: [&str; 3] = ["cookie", "consent", "gdpr"];
/// And what they say of it, as recipes do not.
const STATEMENTS: [&str; 15] = [
    "accep",
    "akzep",
    "acept",
    "accett",
    "aceit",
    "agree",
    "consent",
    "datenschutz",
    "gdpr",
    "polic",
    "polit",
    "priva",
    "site",
    "verwend",
    "utilis",
];

/// Tells which blocks are part of a notice: within an element that is named like one, or stands
/// over the page like one, and speaks of cookies.
pub(super) fn notices(outline: &Outline) -> Vec<bool> {
    let mut is_notice = vec![false; outline.blocks.len()];
    let page = outline.scopes.first().map_or(0, |scope| scope.totals.chars);
    let mut read = 0;
    for scope in &outline.scopes {
        let chars = scope.totals.chars;
        let is_small = chars <= CHARS_MAX && u64::from(chars) * 100 <= u64::from(page) * u64::from(SHARE_MAX);
        if scope.near[Signal::Consent as usize] != 0 || !is_small {
            continue;
        }
        let range = scope.blocks.0 as usize..scope.blocks.1 as usize;
        // What is within an element that was read is as that is: elements come before those
        // within, and in the order of their blocks.
        if range.end <= read {
            continue;
        }
        read = range.end;
        let Some(blocks) = outline.blocks.get(range.clone()) else { continue };
        let text: String = blocks.iter().map(|block| block.text.to_lowercase() + " ").collect();
        let speaks_of = |words: &[&str]| words.iter().any(|word| text.contains(word));
        if speaks_of(&SUBJECTS) && speaks_of(&STATEMENTS) {
            is_notice[range].fill(true);
        }
    }
    is_notice
}

#[cfg(test)]
mod tests {
    use super::super::parser;
    use super::*;

    fn kept(html: &str) -> Vec<String> {
        let outline = Outline::of(&parser::parse(html));
        let notices = notices(&outline);
        let blocks = outline.blocks.into_iter().zip(notices);
        blocks.filter(|(_, is_notice)| !is_notice).map(|(block, _)| block.text).collect()
    }

    #[test]
    fn a_banner_goes_with_its_buttons() {
        let story = "A story of some length, that is longer than the notice around it is.".repeat(3);
        let html = format!(
            "<div class=cookie-banner><p>Wir verwenden Cookies.</p><button>Alle annehmen</button></div>\
             <p>{story}</p><div role=dialog>Your consent is asked for.</div>"
        );
        assert_eq!(kept(&html), [story]);
    }

    #[test]
    fn a_banner_within_a_banner_goes_with_it_and_one_behind_it_by_itself() {
        let story =
            "A story of some length, that is longer than all of the notices on its page are.".repeat(4);
        let html = format!(
            "<dialog><dialog><p>We use cookies.</dialog><p>Do you agree?</dialog><p>{story}</p>\
             <dialog><p>Stay</dialog><dialog><p>Accept cookies</dialog>"
        );
        assert_eq!(kept(&html), [&story, "Stay"]);
    }

    #[test]
    fn a_recipe_and_an_article_on_cookies_stay() {
        let recipe = "<div class=cookie-recipe><p>Cookies with oats: mix, bake, eat.</p></div><p>Enjoy them while they are warm, with milk.</p>";
        assert_eq!(kept(recipe).len(), 2);
        let article = "<article><p>Regulators look at cookies and consent again.</p></article>";
        assert_eq!(kept(article).len(), 1);
        let dialog = "<div class=modal><p>Subscribe to our letter</p></div><p>Some more text than that.</p>";
        assert_eq!(kept(dialog).len(), 2);
    }
}
