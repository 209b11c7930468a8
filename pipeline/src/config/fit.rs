//! Whether the sections of a configuration fit each other.

use std::collections::BTreeSet;

use filter::rule::PairRule;
use ingest::Format;
use shard::tokenizer::{SPECIAL_COUNT, TokenizerConfig};

use super::Config;

/// Checks what no section can check alone; the error names the section and key.
pub(super) fn validate(config: &Config) -> Result<(), String> {
    sections(config)?;
    tower(config)?;
    pair_sources(config)?;
    vocabulary(config)?;
    text_weights(config)
}

/// A mixture that cannot be drawn is told before the corpus is built, not when training begins.
fn text_weights(config: &Config) -> Result<(), String> {
    let Some(train) = config.train.as_ref().filter(|train| !train.text_weights.is_empty()) else {
        return Ok(());
    };
    let (mut sets, mut has_others) = (BTreeSet::new(), false);
    for (name, source) in &config.sources {
        match &source.format {
            Format::Pile(pile) if pile.sets.is_empty() => has_others = true,
            Format::Pile(pile) => sets.extend(pile.sets.iter().map(String::as_str)),
            Format::Crawl(_) | Format::Html(_) | Format::Rows(_) | Format::Text(_) => {
                sets.extend([name.as_str()]);
            }
            Format::Pairs(_) => {}
        }
    }
    let is_set = |name: &str| has_others || sets.contains(name);
    let listed = || sets.iter().copied().collect::<Vec<_>>().join(", ");
    if let Some((name, _)) = train.text_weights.iter().find(|(name, weight)| **weight > 0.0 && !is_set(name))
    {
        return Err(format!(
            "[train] text_weights has {name:?}, which no source has; the sets are {}",
            listed()
        ));
    }
    match sets.iter().find(|name| !train.text_weights.contains_key(**name)) {
        Some(name) => {
            Err(format!("[train] text_weights lacks {name:?} (0 leaves it out); the sets are {}", listed()))
        }
        None => Ok(()),
    }
}

/// A section without the ones it builds on would be silently without effect.
fn sections(config: &Config) -> Result<(), String> {
    let is_there = |name| match name {
        "text" => config.text.is_some(),
        "pairs" => config.pairs.is_some(),
        "images" => config.images.is_some(),
        "tokenizer" => config.tokenizer.is_some(),
        "pack" => config.pack.is_some(),
        _ => config.train.is_some(),
    };
    let needs = [
        ("pairs", config.images.is_some() && config.interleaved.is_none(), "images"),
        (
            "images",
            config.features.is_some() || config.interleaved.is_some() || config.image_duplicates.is_some(),
            "features, interleaved or image_duplicates",
        ),
        ("tokenizer", config.pack.is_some(), "pack"),
        ("pack", config.train.is_some(), "train"),
        ("train", config.evaluate.is_some(), "evaluate"),
    ];
    for (needed, is_needed, by) in needs {
        if is_needed && !is_there(needed) {
            return Err(format!("[{needed}] is missing: [{by}] builds on it"));
        }
    }
    Ok(())
}

/// A tower of random weights would be trained, or frozen, without a word.
fn tower(config: &Config) -> Result<(), String> {
    let uses = [("features", config.features.is_some()), ("train", config.train.is_some())];
    match uses.iter().find(|(_, is_there)| *is_there) {
        Some((section, _)) if config.model.tower.weights.is_none() => Err(format!(
            "[model.tower] weights is missing: [{section}] needs CLIP's weights (weights.file.path = \"FILE.safetensors\", or \
             weights.download.url), unless random ones are asked for (weights.random.seed = 1)"
        )),
        _ => Ok(()),
    }
}

/// A rule for a source that is not there would let everything pass.
fn pair_sources(config: &Config) -> Result<(), String> {
    let sources = config.sources.iter().filter(|(_, source)| matches!(source.format, Format::Pairs(_)));
    let there: Vec<&str> = sources.map(|(name, _)| name.as_str()).collect();
    let rules = config.pairs.iter().flat_map(|pairs| pairs.rules.iter().enumerate());
    for (index, rule) in rules {
        let PairRule::SideMin(rule) = rule else { continue };
        let key = format!("[pairs] rules[{index}].side_min.sources");
        if let Some(unknown) = rule.sources.iter().find(|name| !there.contains(&name.as_str())) {
            return Err(format!("{key} has {unknown:?}, must be sources of pairs: {}", there.join(", ")));
        }
        if rule.sources.is_empty() {
            return Err(format!("{key} is empty, must be sources of pairs: {}", there.join(", ")));
        }
    }
    Ok(())
}

/// The network needs a row for every token; of a given tokenizer this is seen when it is read.
fn vocabulary(config: &Config) -> Result<(), String> {
    let (Some(TokenizerConfig::Train(tokenizer)), Some(_)) = (&config.tokenizer, &config.train) else {
        return Ok(());
    };
    let (pieces, rows) = (tokenizer.vocabulary_size, config.model.decoder.vocabulary_size);
    let tokens = pieces.saturating_add(SPECIAL_COUNT);
    if rows < tokens {
        return Err(format!(
            "[model] decoder.vocabulary_size is {rows}, must be at least {tokens}: tokenizer.train.vocabulary_size \
             is {pieces}, and {SPECIAL_COUNT} special tokens come to them"
        ));
    }
    Ok(())
}
