//! Names of stages: those that a configuration can have, and those that no source may take.

use crate::config::Config;

/// Every stage that is not a source's, and is no pass over images.
const FIXED: [&str; 49] = [
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
    "train",
    "evaluate",
    "text.representatives",
    "text.lines.representatives",
    "text.sentences.representatives",
    "text.words.representatives",
    "pairs.representatives",
];

/// What the stages of a source are called beside the source itself.
const OF_SOURCE: [&str; 3] = [".files", ".index.files", ".index"];

/// How the names of passes over images begin.
pub(crate) const PASSES: &str = "images.pass";

/// Returns the name of a pass over images.
pub(crate) fn pass(index: u32) -> String {
    format!("{PASSES}{index}")
}

/// Returns true if and only if a source of this name would be taken for a stage or a group of stages.
pub(crate) fn is_reserved(source: &str) -> bool {
    FIXED.iter().any(|name| name.split('.').next() == Some(source))
}

/// Returns the names that stages of a configuration can have, without opening anything that it names.
pub(crate) fn possible(config: &Config, retry_passes: u32) -> Vec<String> {
    let mut names = Vec::new();
    for source in config.sources.keys() {
        names.push(source.clone());
        names.extend(OF_SOURCE.iter().map(|end| format!("{source}{end}")));
    }
    names.extend(FIXED.iter().map(|&name| name.to_owned()));
    let passes = config.images.as_ref().map_or(0, |images| images.passes + retry_passes);
    names.extend((0..passes).map(pass));
    names
}
