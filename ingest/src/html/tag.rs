//! Tags: which elements begin a block, which have no text to read, and what part they play.

use super::custom::is_custom;

/// Elements that begin a block of their own.
const BLOCKS: [&str; 51] = [
    "address",
    "article",
    "aside",
    "blockquote",
    "body",
    "button",
    "caption",
    "center",
    "dd",
    "details",
    "dialog",
    "dir",
    "div",
    "dl",
    "dt",
    "fieldset",
    "figcaption",
    "figure",
    "footer",
    "form",
    "h1",
    "h2",
    "h3",
    "h4",
    "h5",
    "h6",
    "header",
    "hgroup",
    "hr",
    "html",
    "legend",
    "li",
    "listing",
    "main",
    "menu",
    "nav",
    "noscript",
    "ol",
    "p",
    "plaintext",
    "pre",
    "section",
    "summary",
    "table",
    "tbody",
    "td",
    "tfoot",
    "th",
    "tr",
    "ul",
    "xmp",
];
/// Elements whose text is not that of the page.
const SKIPPED: [&str; 24] = [
    "applet", "audio", "canvas", "datalist", "embed", "head", "iframe", "input", "link", "map", "meta",
    "meter", "object", "optgroup", "option", "progress", "script", "select", "style", "svg", "template",
    "textarea", "title", "video",
];

/// Returns true if the element begins a block of its own; elements that pages define themselves
/// are taken to do so.
pub(super) fn is_block(tag: &str) -> bool {
    is_standard_block(tag) || is_custom(tag)
}

/// Returns true if the element is a block by the standard.
pub(super) fn is_standard_block(tag: &str) -> bool {
    BLOCKS.binary_search(&tag).is_ok()
}

/// Returns true if and only if nothing within is to be read.
pub(super) fn is_skipped(tag: &str) -> bool {
    SKIPPED.binary_search(&tag).is_ok()
}

/// Returns true if the white space within is that of the text.
pub(super) fn is_raw(tag: &str) -> bool {
    matches!(tag, "listing" | "plaintext" | "pre" | "xmp")
}

/// Returns true if and only if the standard makes elements of the name anew in blocks that begin within them (HTML
/// standard, 13.2.4.3).
pub(super) fn is_formatting(tag: &str) -> bool {
    matches!(
        tag,
        "a" | "b"
            | "big"
            | "code"
            | "em"
            | "font"
            | "i"
            | "nobr"
            | "s"
            | "small"
            | "strike"
            | "strong"
            | "tt"
            | "u"
    )
}

/// The part an element plays, as the forest knows it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
pub(super) enum Role {
    Paragraph,
    Heading,
    Item,
    Quote,
    Code,
    Cell,
    Table,
    List,
    Figure,
    Division,
    Section,
    Article,
    Side,
    Nav,
    Form,
    Button,
    Custom,
    Other,
}

/// Returns the part that an element plays.
pub(super) fn role(tag: &str) -> Role {
    match tag {
        "p" => Role::Paragraph,
        "h1" | "h2" | "h3" | "h4" | "h5" | "h6" | "hgroup" => Role::Heading,
        "li" | "dd" | "dt" => Role::Item,
        "blockquote" => Role::Quote,
        tag if is_raw(tag) => Role::Code,
        "td" | "th" | "caption" => Role::Cell,
        "table" | "tbody" | "tr" | "tfoot" | "thead" => Role::Table,
        "ul" | "ol" | "dl" | "dir" => Role::List,
        "figure" | "figcaption" => Role::Figure,
        "div" | "center" => Role::Division,
        "section" | "details" => Role::Section,
        "article" | "main" => Role::Article,
        "aside" | "footer" | "header" | "address" | "dialog" => Role::Side,
        "nav" | "menu" => Role::Nav,
        "form" | "fieldset" | "legend" | "noscript" => Role::Form,
        "button" | "summary" => Role::Button,
        tag if is_custom(tag) => Role::Custom,
        _ => Role::Other,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lists_are_sorted_for_searching() {
        assert!(BLOCKS.is_sorted() && SKIPPED.is_sorted());
    }
}
