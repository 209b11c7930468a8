//! Names that no source may take, since stages have them.

/// How the names of stages begin that are not a source's.
const GROUPS: [&str; 9] =
    ["text", "pairs", "interleaved", "images", "features", "tokenizer", "pack", "train", "evaluate"];

/// Returns true if and only if a source of this name would be taken for a stage or a group of stages.
pub(crate) fn is_reserved(source: &str) -> bool {
    GROUPS.contains(&source)
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use std::path::Path;

    use super::*;
    use crate::config::load_based;
    use crate::{Context, Flow};

    #[test]
    fn all_stages_but_those_of_sources_have_reserved_names() {
        let repeats = r#"text.repeats=[{unit="lines"},{unit="sentences"},{unit="words",run=50}]"#;
        let sets = "text.decontaminate.sets.a.path=missing.jsonl";
        let further = ["text.near.jaccard_min=0.8", repeats, "image_duplicates={}", sets];
        let cases: [(&str, &[&str], usize); 4] = [
            ("sample", &[], 30),
            ("sample", &further[1..], 40),
            ("dedup", &[further[0], further[1], sets], 20),
            ("images", &further[2..3], 8),
        ];
        for (config, set, count_min) in cases {
            let set: Vec<String> = set.iter().map(|&set| set.to_owned()).collect();
            let config = load_based(config, &set, Path::new(".")).unwrap().config;
            let names = Flow::new(&config, &Context::offline(&config).unwrap(), 1).unwrap().names();
            assert!(names.len() >= count_min, "{}", names.len());
            for name in &names {
                let group = name.split('.').next().unwrap_or_default();
                assert_ne!(is_reserved(group), config.sources.contains_key(group), "{name}");
            }
        }
    }
}
