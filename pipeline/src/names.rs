//! Names of stages: those that a configuration can have, and those that no source may take.

use crate::config::Config;

/// Every stage that is not a source's, and is no pass over images.
const FIXED: [&str; 53] = [
    "text.evaluation.files",
    EVALUATION_SETS,
    "text.ngrams",
    "text.rules",
    "text.exact.keys",
    "text.exact",
    "text.near.keys",
    "text.near.links",
    "text.near.verified",
    "text.near",
    "text.deduplicated",
    "text.lines.anchors",
    "text.lines.shared",
    "text.lines.keys",
    "text.lines.found",
    "text.lines",
    "text.sentences.anchors",
    "text.sentences.shared",
    "text.sentences.keys",
    "text.sentences.found",
    "text.sentences",
    "text.words.anchors",
    "text.words.shared",
    "text.words.keys",
    "text.words.found",
    "text.words",
    "text.matches",
    "text.contamination",
    "text",
    "pairs.rules",
    "pairs.exact.keys",
    "pairs.exact",
    "pairs",
    "interleaved.select",
    "images.list.uses",
    "images.list",
    "images.evaluation",
    "images.duplicates.links",
    "images.duplicates",
    "interleaved",
    "features.pairs",
    "features.interleaved",
    "tokenizer",
    "pack.text",
    "pack.pairs",
    "pack.interleaved",
    TRAIN,
    "evaluate",
    "text.representatives",
    "text.lines.representatives",
    "text.sentences.representatives",
    "text.words.representatives",
    "pairs.representatives",
];

/// What the stages of a source are called beside the source itself.
const OF_SOURCE: [&str; 3] = [".files", ".index.files", ".index"];

/// The stage that reads the items of evaluation sets.
pub(crate) const EVALUATION_SETS: &str = "text.evaluation";
/// The stage that trains, whose checkpoints are in folders named by its fingerprint.
pub const TRAIN: &str = "train";
/// How the names of passes over images begin.
pub const PASSES: &str = "images.pass";

/// Returns the name of a pass over images.
pub fn pass(index: u32) -> String {
    format!("{PASSES}{index}")
}

/// Returns true if and only if a source of this name would be taken for a stage or a group of stages.
pub fn is_reserved(source: &str) -> bool {
    FIXED.iter().any(|name| name.split('.').next() == Some(source))
}

/// Returns the names that stages of a configuration can have, without opening anything that it names.
pub fn possible(config: &Config, retry_passes: u32) -> Vec<String> {
    let mut names = Vec::new();
    for source in config.sources.keys() {
        names.push(source.clone());
        names.extend(OF_SOURCE.iter().map(|end| format!("{source}{end}")));
    }
    names.extend(FIXED.iter().filter(|name| has(config, name)).map(|&name| name.to_owned()));
    let passes = config.images.as_ref().map_or(0, |images| images.passes + retry_passes);
    names.extend((0..passes).map(pass));
    names
}

/// Returns whether the section is there that makes a stage.
fn has(config: &Config, stage: &str) -> bool {
    let mut steps = stage.split('.');
    let (section, step) = (steps.next().unwrap_or_default(), steps.next());
    let pack = |is_any: bool| config.pack.is_some() && is_any;
    match (section, step) {
        ("text", Some("near")) => config.text.as_ref().is_some_and(|text| text.near.is_some()),
        ("text", Some("evaluation" | "ngrams" | "matches" | "contamination")) => {
            config.text.as_ref().is_some_and(|text| text.decontaminate.is_some())
        }
        ("text", Some(unit @ ("lines" | "sentences" | "words"))) => {
            let repeats = config.text.iter().flat_map(|text| &text.repeats);
            repeats.map(|repeats| repeats.unit.name()).any(|name| name == unit)
        }
        ("text", _) => config.text.is_some(),
        ("pairs", _) => config.pairs.is_some(),
        ("interleaved", _) => config.interleaved.is_some(),
        ("images", Some("duplicates" | "evaluation")) => config.image_duplicates.is_some(),
        ("images", _) => config.images.is_some(),
        ("features", _) => config.features.is_some(),
        ("tokenizer", _) => config.tokenizer.is_some(),
        ("pack", Some("text")) => pack(config.text.is_some()),
        ("pack", Some("pairs")) => pack(config.pairs.is_some()),
        ("pack", _) => pack(config.interleaved.is_some()),
        (TRAIN, _) => config.train.is_some(),
        _ => config.evaluate.is_some(),
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use std::path::Path;

    use super::*;
    use crate::config::load_based;
    use crate::{Context, Flow};

    /// A name that is missing here would be refused by `--until`.
    #[test]
    fn every_stage_has_a_name_that_is_possible() {
        let repeats = r#"text.repeats=[{unit="lines"},{unit="sentences"},{unit="words",run=50}]"#;
        let near = ["text.near.jaccard_min=0.8", repeats, "image_duplicates={}"];
        let sets = ["text.decontaminate.sets.a.path=a.jsonl"];
        let cases: [(&str, &[&str], usize); 5] = [
            ("sample", &[], 30),
            ("dedup", &sets, 16),
            ("sample", &near[1..], 40),
            ("dedup", &near[..2], 20),
            ("images", &near[2..], 8),
        ];
        for (config, set, count_min) in cases {
            let set_repeats = set.contains(&repeats);
            let set: Vec<String> = set.iter().map(|&set| set.to_owned()).collect();
            let config = load_based(config, &set, Path::new(".")).unwrap().config;
            let flow = Flow::new(&config, &Context::offline(&config).unwrap(), 1).unwrap();
            let possible = possible(&config, 1);
            let unknown: Vec<String> = flow
                .stages
                .iter()
                .map(|stage| stage.name())
                .filter(|name| !possible.contains(name))
                .collect();
            assert_eq!(unknown, Vec::<String>::new());
            assert!(flow.stages.len() >= count_min, "{}", flow.stages.len());
            // A list of names that cannot be is of no help.
            assert!(!possible.iter().any(|name| name.starts_with("text.sentences")) || set_repeats);
            assert_eq!(possible.iter().any(|name| name == EVALUATION_SETS), set_sets);
        }
        assert!(is_reserved("text") && is_reserved("images") && !is_reserved("pile"));
    }
}
