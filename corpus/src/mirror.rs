//! Mirrors: the same configuration runs against the public hosts, a site's mirror or a test server.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

/// A map from URL prefixes to the prefixes that stand for them; the longest match wins.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Mirrors(pub BTreeMap<String, String>);

impl Mirrors {
    /// Returns the URL to ask for, and whether a mirror was applied.
    pub fn apply(&self, url: &str) -> (String, bool) {
        let longest = self
            .0
            .iter()
            .filter(|(prefix, _)| url.starts_with(prefix.as_str()))
            .max_by_key(|(prefix, _)| prefix.len());
        match longest {
            Some((prefix, mirror)) => (format!("{mirror}{}", &url[prefix.len()..]), true),
            None => (url.to_owned(), false),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_longest_prefix_wins_and_others_stay() {
        let pair = |a: &str, b: &str| (a.to_owned(), b.to_owned());
        let mirrors = Mirrors(BTreeMap::from([
            pair("https://a.example/", "http://127.0.0.1:1/a/"),
            pair("https://a.example/big/", "file:///data/"),
        ]));
        assert_eq!(mirrors.apply("https://a.example/x").0, "http://127.0.0.1:1/a/x");
        assert_eq!(mirrors.apply("https://a.example/big/y").0, "file:///data/y");
        assert_eq!(mirrors.apply("https://b.example/x"), ("https://b.example/x".into(), false));
    }
}
