//! A stream: the training sequences of one kind, its sources mixed by weight.

use std::collections::BTreeMap;

use corpus::record::{SEQUENCES, Sequence};
use corpus::{Dataset, Part, SourceCode};
use serde::{Deserialize, Serialize};

use crate::mixture::Mixture;
use crate::sampler::{Position, Rank};
use crate::source::Source;
use crate::{Config, Error, Kind, Result};

/// The name under which sources are taken together, where no weights tell them apart.
const ALL: &str = "all";

/// How far a source was used.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct SourceState {
    /// Sequences drawn from it.
    pub drawn: u64,
    /// Where the next one is found.
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
    /// Text is told apart by source if `text_weights` are given: a part belongs to the source
    /// of its first document, for packing never crosses the files of a source.
    ///
    /// # Errors
    /// When a part cannot be read, a source has no weight, or there is nothing to train on.
    pub fn open(
        config: &Config,
        (kind, dataset): (Kind, &Dataset),
        codes: &BTreeMap<String, SourceCode>,
        rank: Rank,
        state: &StreamState,
    ) -> Result<Self> {
        let weighted = kind == Kind::Text && !config.text_weights.is_empty();
        let parts_by_source = match weighted {
            true => by_source(dataset, codes)?,
            false => {
                BTreeMap::from([(ALL.to_owned(), filled_parts(dataset).collect::<corpus::Result<_>>()?)])
            }
        };
        let (mut names, mut sources) = (Vec::new(), Vec::new());
        let (mut weights, mut drawn) = (Vec::new(), Vec::new());
        for (name, parts) in parts_by_source {
            let weight = match weighted {
                true => weight_of(config, &name)?,
                false => 1.0,
            };
            // Nothing is drawn from it, so it need not be there in enough blocks.
            if weight == 0.0 {
                continue;
            }
            let begin = state.get(&name).copied().unwrap_or_default();
            let parts = (dataset.clone(), parts);
            sources.push(Source::open(config, (kind, &name), parts, rank, begin.position)?);
            names.push(name);
            weights.push(weight);
            drawn.push(begin.drawn);
        }
        if sources.is_empty() {
            let reason = "no source has a positive weight and a row".to_owned();
            return Err(Error::NoSequences { kind, reason });
        }
        Ok(Self { names, sources, mixture: Mixture::new(&weights, &drawn) })
    }

    /// Returns the next training sequence.
    ///
    /// # Errors
    /// As [`Source::next_sequence`].
    pub fn next_sequence(&mut self) -> Result<Sequence> {
        let source = self.mixture.draw();
        match self.sources.get_mut(source) {
            Some(source) => source.next_sequence(),
            None => Err(Error::LoaderEnded),
        }
    }

    /// Returns how far its sources were used.
    pub fn state(&self) -> StreamState {
        let drawn = self.mixture.drawn().iter();
        std::iter::zip(&self.names, std::iter::zip(&self.sources, drawn))
            .map(|(name, (source, &drawn))| {
                (name.clone(), SourceState { drawn, position: source.position() })
            })
            .collect()
    }
}

fn filled_parts(dataset: &Dataset) -> impl Iterator<Item = corpus::Result<Part>> + use<'_> {
    dataset.parts(SEQUENCES).filter(|part| !matches!(part, Ok(part) if part.rows == 0))
}

/// Returns the parts of each source; reads one row of every part.
fn by_source(dataset: &Dataset, codes: &BTreeMap<String, SourceCode>) -> Result<BTreeMap<String, Vec<Part>>> {
    let mut parts: BTreeMap<String, Vec<Part>> = BTreeMap::new();
    for part in filled_parts(dataset) {
        let part = part?;
        let first = dataset.open::<Sequence>(&part)?.next().transpose()?;
        let Some(span) = first.as_ref().and_then(|row| row.spans.first()) else { continue };
        let code = span.id.source();
        let Some((name, _)) = codes.iter().find(|(_, known)| **known == code) else {
            let reason = format!("source code {} of {} is not in the config", code.0, part.path);
            return Err(Error::NoSequences { kind: Kind::Text, reason });
        };
        parts.entry(name.clone()).or_default().push(part);
    }
    Ok(parts)
}

fn weight_of(config: &Config, name: &str) -> Result<f64> {
    config.text_weights.get(name).copied().ok_or_else(|| Error::Config {
        section: "train",
        key: "text_weights",
        reason: format!("source {name} has sequences but no weight (0 leaves it out)"),
    })
}
