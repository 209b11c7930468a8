//! The configurations of `configs/`, embedded: `kosmos run sample` works from an installed binary.

const BUILTIN: [(&str, &str); 7] = [
    ("sample", include_str!("../../../configs/sample.toml")),
    ("crawl", include_str!("../../../configs/crawl.toml")),
    ("dedup", include_str!("../../../configs/dedup.toml")),
    ("images", include_str!("../../../configs/images.toml")),
    ("pages", include_str!("../../../configs/pages.toml")),
    ("obelics", include_str!("../../../configs/obelics.toml")),
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

/// Returns the first sentence of a built-in configuration's head, on one line.
pub fn summary(name: &str) -> String {
    let text = find(name).unwrap_or_default();
    let head: Vec<&str> = text.lines().map_while(|line| line.strip_prefix("# ")).collect();
    let head = head.join(" ");
    head.split_inclusive(". ").next().unwrap_or_default().trim_end().to_owned()
}
