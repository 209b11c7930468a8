//! What an evaluation found, for people: shares, losses, and a few captions.

use corpus::Dataset;
use corpus::record::CAPTIONS;
use pipeline::number::grouped;
use serde::Deserialize;
use train::SCORES;

use crate::print::say;
use crate::table::Table;

/// Captions that are shown.
const CAPTIONS_SHOWN: usize = 5;

/// The part of the file `scores` that is shown.
#[derive(Debug, Deserialize)]
struct Scores {
    words: std::collections::BTreeMap<String, WordScore>,
}

#[derive(Debug, Deserialize)]
struct WordScore {
    named: u64,
    agreed: u64,
    share: Option<f64>,
}

/// Prints the scores and the first captions of a sealed evaluation.
pub(crate) fn print(evaluation: &Dataset) -> anyhow::Result<()> {
    let bytes = evaluation.file(SCORES)?.unwrap_or_default();
    let scores: Scores = serde_json::from_slice(&bytes)?;
    say!("captions of images that were not trained on:")?;
    for (group, score) in &scores.words {
        let share = score.share.map_or_else(String::new, |share| format!(" = {:.1} %", share * 100.0));
        say!("  {group} right in {} of {}{share}", grouped(score.agreed), grouped(score.named))?;
    }
    let mut table = Table::new(&["the source says", "the model says"]);
    for row in evaluation.rows(CAPTIONS).take(CAPTIONS_SHOWN) {
        let row = row?;
        table.push([row.reference, row.caption]);
    }
    say!("\n{table}")?;
    Ok(())
}
