//! A stream: the training sequences of one kind, text mixed by the weights of its sets.

use std::collections::BTreeMap;
use std::sync::Arc;

use corpus::record::{SEQUENCES, Sequence, SequenceSource};
use corpus::{Dataset, Part};
use serde::{Deserialize, Serialize};

use crate::mixture::Mixture;
use crate::sampler::{Block, Position, Rank};
use crate::source::{Source, SourceRows};
use crate::{Config, Error, Kind, Result};

/// The name under which all sequences are taken together, where no weights tell them apart.
const ALL: &str = "all";

/// How far a source was used.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct SourceState {
    /// Tokens drawn from it.
    pub tokens: u64,
    /// Where its next sequence is found.
    pub position: Position,
}

/// How far a stream's sources were used, by name.
pub type StreamState = BTreeMap<String, SourceState>;

/// Gives the training sequences of one kind without end.
#[derive(Debug)]
pub struct Stream {
    names: Vec<String>,
    sources: Vec<Source>,
    mixture: Mixture,
}

impl Stream {
    /// Opens a kind's dataset at a state; sources that the state does not name begin anew.
    ///
    /// With `text_weights` the sets of text are sources of their own, each by its share of tokens.
    ///
    /// # Errors
    /// When a part cannot be read, a set has no weight, a weight has no set, or there is nothing to train on.
    pub fn open(
        config: &Config,
        (kind, dataset): (Kind, &Dataset),
        rank: Rank,
        state: &StreamState,
    ) -> Result<Self> {
        let weights = Some(&config.text_weights).filter(|weights| kind == Kind::Text && !weights.is_empty());
        let parts: Arc<[Part]> = filled_parts(dataset).collect::<corpus::Result<_>>()?;
        let runs = match weights {
            Some(weights) => matched(sets(dataset, &parts)?, weights)?,
            None => BTreeMap::from([(ALL.to_owned(), (all(&parts), 1.0))]),
        };
        let (mut names, mut sources) = (Vec::new(), Vec::new());
        let (mut shares, mut drawn) = (Vec::new(), Vec::new());
        for (name, (runs, weight)) in runs {
            // Nothing is drawn from the one, so it need not be there in enough blocks.
            if weight == 0.0 || runs.is_empty() {
                continue;
            }
            let begin = state.get(&name).copied().unwrap_or_default();
            let rows = SourceRows { dataset: dataset.clone(), parts: parts.clone(), runs };
            sources.push(Source::open(config, (kind, &name), rows, rank, begin.position)?);
            names.push(name);
            shares.push(weight);
            drawn.push(begin.tokens);
        }
        if sources.is_empty() {
            let reason = "no row is for training: check what was packed, and the validation share".to_owned();
            return Err(Error::NoSequences { kind, reason });
        }
        Ok(Self { names, sources, mixture: Mixture::new(&shares, &drawn) })
    }

    /// Returns the next training sequence.
    ///
    /// # Errors
    /// As [`Source::next_sequence`].
    pub fn next_sequence(&mut self) -> Result<Sequence> {
        let next = self.mixture.next();
        let source = self.sources.get_mut(next).ok_or(Error::LoaderEnded)?;
        let sequence = source.next_sequence()?;
        self.mixture.drew(next, sequence.tokens.len() as u64);
        Ok(sequence)
    }

    /// Returns how far its sources were used.
    pub fn state(&self) -> StreamState {
        let drawn = self.mixture.tokens().iter();
        std::iter::zip(&self.names, std::iter::zip(&self.sources, drawn))
            .map(|(name, (source, &tokens))| {
                (name.clone(), SourceState { tokens, position: source.position() })
            })
            .collect()
    }
}

fn filled_parts(dataset: &Dataset) -> impl Iterator<Item = corpus::Result<Part>> + use<'_> {
    dataset.parts(SEQUENCES).filter(|part| !matches!(part, Ok(part) if part.rows == 0))
}

/// Returns all rows.
fn all(parts: &[Part]) -> Vec<Block> {
    let whole = |(part, Part { rows, .. }): (usize, &Part)| Block { part, row_start: 0, row_count: *rows };
    parts.iter().enumerate().map(whole).collect()
}

/// Returns the runs of rows of each set; reads one column of every part.
fn sets(dataset: &Dataset, parts: &[Part]) -> Result<BTreeMap<String, Vec<Block>>> {
    let mut sets: BTreeMap<String, Vec<Block>> = BTreeMap::new();
    for (index, part) in parts.iter().enumerate() {
        let rows: Vec<SequenceSource> = dataset.open_columns(part)?.collect::<corpus::Result<_>>()?;
        let mut row_start = 0;
        for run in rows.chunk_by(|one, other| one.source == other.source) {
            let name = run.first().and_then(|row| row.source.clone()).unwrap_or_default();
            let row_count = run.len() as u64;
            sets.entry(name).or_default().push(Block { part: index, row_start, row_count });
            row_start += row_count;
        }
    }
    Ok(sets)
}

/// Returns the rows of each set with its weight; neither is without the other.
fn matched(
    sets: BTreeMap<String, Vec<Block>>,
    weights: &BTreeMap<String, f64>,
) -> Result<BTreeMap<String, (Vec<Block>, f64)>> {
    let refused = |reason| Error::Config { section: "train", key: "text_weights", reason };
    let names = sets.keys().cloned().collect::<Vec<_>>().join(", ");
    if let Some((name, _)) = weights.iter().find(|(name, weight)| **weight > 0.0 && !sets.contains_key(*name))
    {
        return Err(refused(format!(
            "{name} has a weight but no sequence to train on; the sets are {names}"
        )));
    }
    let weighted = sets.into_iter().map(|(name, runs)| match weights.get(&name) {
        Some(weight) => Ok((name, (runs, *weight))),
        None => Err(refused(format!(
            "{name} has sequences but no weight (0 leaves it out); the sets are {names}"
        ))),
    });
    weighted.collect()
}
