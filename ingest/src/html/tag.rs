//! Tags: which elements begin a block, which have no text to read, and what part they play.

/// Elements that begin a block of their own.
const BLOCKS: [&str; 48] = [
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
    "main",
    "menu",
    "nav",
    "noscript",
    "ol",
    "p",
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
];
/// Elements whose text is not that of the page.
const SKIPPED: [&str; 25] = [
    "applet", "audio", "canvas", "datalist", "embed", "head", "iframe", "input", "link", "map", "meta",
    "meter", "object", "optgroup", "option", "progress", "rp", "script", "select", "style", "svg",
    "template", "textarea", "title", "video",
];

/// Returns true if and only if the element begins a block of its own; elements that pages
/// define themselves (their names have a hyphen) are taken to do so.
pub(super) fn is_block(tag: &str) -> bool {
    BLOCKS.binary_search(&tag).is_ok() || tag.contains('-')
}

/// Returns true if and only if nothing within is to be read.
pub(super) fn is_skipped(tag: &str) -> bool {
    SKIPPED.binary_search(&tag).is_ok()
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
        "pre" => Role::Code,
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
        tag if tag.contains('-') => Role::Custom,
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
