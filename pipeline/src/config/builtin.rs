//! The configurations of `configs/`, embedded: `kosmos run sample` works from an installed binary.

const BUILTIN: [(&str, &str); 6] = [
    ("sample", include_str!("../../../configs/sample.toml")),
    ("crawl", include_str!("../../../configs/crawl.toml")),
    ("dedup", include_str!("../../../configs/dedup.toml")),
    ("images", include_str!("../../../configs/images.toml")),
    ("pages", include_str!("../../../configs/pages.toml")),
    ("kosmos1", include_str!("../../../configs/kosmos1.toml")),
];

/// Returns the names.
pub fn names() -> impl Iterator<Item = &'static str> {
    BUILTIN.iter().map(|(name, _)| *name)
}

/// Returns the text of a built-in configuration.
pub fn find(name: &str) -> Option<&'static str> {
    BUILTIN.iter().find(|(known, _)| *known == name).map(|(_, text)| *text)
}
