//! Special tags in captions: Conceptual 12M writes `<PERSON>` where a name was.

use corpus::record::Pair;
use serde::{Deserialize, Serialize};

use super::Finding;

/// Drops captions with a special tag such as `<PERSON>`; the reason is `person_tag`.
///
/// KOSMOS-1 does so for Conceptual Captions (B.1.2). A tag is `<`, then capital letters and
/// underscores, then `>`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct PersonTag {
    /// The sources that the rule applies to. Other pairs pass, but are counted.
    pub sources: Vec<String>,
}

impl PersonTag {
    /// Counts the tags of a caption.
    pub fn judge(&self, pair: &Pair) -> Finding<'static> {
        let tags = count_tags(&pair.caption);
        let passed = tags == 0 || !self.sources.contains(&pair.source);
        Finding::new("person_tag", tags as f64, passed)
    }
}

fn count_tags(caption: &str) -> usize {
    let is_tag = |name: &str| !name.is_empty() && name.bytes().all(|b| b.is_ascii_uppercase() || b == b'_');
    caption
        .split('<')
        .skip(1)
        .filter_map(|rest| rest.split_once('>'))
        .filter(|(name, _)| is_tag(name))
        .count()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::subject::tests::pair;

    #[test]
    fn only_tags_of_capitals_count() {
        let cases = [
            ("<PERSON> and <PERSON> at sea", 2),
            ("<LAST_NAME>", 1),
            ("<<PERSON>", 1),
            ("a < b > c <b>bold</b> <> <Person> PERSON <PERSON", 0),
        ];
        for (caption, expected) in cases {
            assert_eq!(count_tags(caption), expected, "{caption}");
        }
    }

    #[test]
    fn only_the_named_sources_are_dropped() {
        let rule = PersonTag { sources: vec!["cc12m".into()] };
        assert!(!rule.judge(&pair("cc12m", "<PERSON> sings")).passed);
        let other = rule.judge(&pair("coyo", "<PERSON> sings"));
        assert_eq!((other.passed, other.value), (true, 1.0));
        assert!(rule.judge(&pair("cc12m", "a bird sings")).passed);
    }
}
