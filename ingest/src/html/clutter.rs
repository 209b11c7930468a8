//! Clutter: what surrounds main content, told by tag, role and name.

use super::dom::Element;

/// How sure it is that an element is clutter.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Clutter {
    /// Nothing says so.
    No,
    /// A name or a role says so; wrong where most of the page is within.
    Likely,
    /// Nothing within can be main content.
    Surely,
}

/// Elements without main content.
const TAGS: [&str; 31] = [
    "applet", "aside", "audio", "button", "canvas", "datalist", "dialog", "embed", "footer", "head",
    "iframe", "input", "label", "link", "map", "menu", "meta", "meter", "nav", "object", "optgroup",
    "option", "progress", "script", "select", "style", "svg", "template", "textarea", "title", "video",
];
/// Elements that are likely clutter, but hold whole pages on some sites.
const LIKELY_TAGS: [&str; 4] = ["fieldset", "form", "header", "noscript"];
/// Elements that are main content whatever their names say.
const MAIN_TAGS: [&str; 4] = ["article", "body", "html", "main"];
/// Values of `role` (WAI-ARIA landmarks and widgets).
const ROLES: [&str; 12] = [
    "alert",
    "alertdialog",
    "banner",
    "complementary",
    "contentinfo",
    "dialog",
    "menu",
    "menubar",
    "navigation",
    "search",
    "tablist",
    "toolbar",
];
/// Words of `class` and `id`.
const WORDS: [&str; 63] = [
    "ad",
    "ads",
    "adsense",
    "advert",
    "advertisement",
    "advertising",
    "banner",
    "breadcrumb",
    "breadcrumbs",
    "byline",
    "comment",
    "comments",
    "consent",
    "cookie",
    "cookies",
    "copyright",
    "dateline",
    "disclaimer",
    "disqus",
    "dropdown",
    "footer",
    "gdpr",
    "infobox",
    "login",
    "masthead",
    "menu",
    "meta",
    "metadata",
    "modal",
    "nav",
    "navbar",
    "navigation",
    "newsletter",
    "outbrain",
    "overlay",
    "pager",
    "pagination",
    "popular",
    "popup",
    "promo",
    "promotion",
    "rating",
    "recommend",
    "recommendations",
    "recommended",
    "related",
    "respond",
    "share",
    "sharing",
    "sidebar",
    "signup",
    "skip",
    "social",
    "sponsor",
    "sponsored",
    "subscribe",
    "subscription",
    "taboola",
    "tags",
    "toolbar",
    "topbar",
    "trending",
    "widget",
];

/// Judges an element by itself.
pub(super) fn judge(element: &Element) -> Clutter {
    let tag = &*element.name.local;
    if TAGS.contains(&tag) || element.attribute("hidden").is_some() {
        return Clutter::Surely;
    }
    if MAIN_TAGS.contains(&tag) {
        return Clutter::No;
    }
    let likely = LIKELY_TAGS.contains(&tag)
        || element.attribute("role").is_some_and(|role| ROLES.contains(&role))
        || element.attribute("aria-hidden") == Some("true")
        || element.attribute("style").is_some_and(is_invisible)
        || ["class", "id"].iter().any(|name| element.attribute(name).is_some_and(is_named));
    if likely { Clutter::Likely } else { Clutter::No }
}

fn is_invisible(style: &str) -> bool {
    let mut declarations = style.split(';').filter_map(|declaration| declaration.split_once(':'));
    declarations.any(|(property, value)| {
        let is = |p: &str, v: &str| {
            property.trim().eq_ignore_ascii_case(p) && value.trim().eq_ignore_ascii_case(v)
        };
        is("display", "none") || is("visibility", "hidden")
    })
}

/// Returns true if and only if one of the words in the names is that of clutter.
fn is_named(names: &str) -> bool {
    words(names).any(|word| WORDS.binary_search(&word.as_str()).is_ok())
}

/// Splits names at anything but letters and digits, and where a capital follows a small letter.
fn words(names: &str) -> impl Iterator<Item = String> + '_ {
    names.split(|c: char| !c.is_ascii_alphanumeric()).flat_map(|name| {
        let mut words = vec![String::new()];
        let mut was_small = false;
        for letter in name.chars() {
            if letter.is_ascii_uppercase() && was_small {
                words.push(String::new());
            }
            was_small = letter.is_ascii_lowercase();
            if let Some(word) = words.last_mut() {
                word.push(letter.to_ascii_lowercase());
            }
        }
        words
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_sorted_for_searching() {
        assert!(WORDS.is_sorted());
    }

    #[test]
    fn names_are_split_into_words() {
        for names in ["site-footer", "shareBar", "post related", "cookie_banner"] {
            assert!(is_named(names), "{names}");
        }
        for names in ["shared", "content", "download", "commentary-text", ""] {
            assert!(!is_named(names), "{names}");
        }
    }

    #[test]
    fn styles_that_hide_are_understood() {
        assert!(is_invisible("color:red; DISPLAY : none"));
        assert!(!is_invisible("display:block"));
    }
}
