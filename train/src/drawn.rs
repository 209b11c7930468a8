//! What training really drew: the shares of the sets, and the tokens of a step.

use std::collections::BTreeMap;
use std::fmt;

use serde::{Deserialize, Serialize};

use crate::checkpoint::State;
use crate::loader::LoaderState;
use crate::stream::{SourceState, StreamState};
use crate::{Amount, Config, Kind};

/// Tokens that were drawn from a source.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Drawn {
    /// Tokens of its sequences, without padding.
    pub tokens: u64,
    /// Their share of the tokens of their kind.
    pub share: f64,
}

/// Returns what was drawn, by kind and set; of kinds that are not mixed there is one, `all`.
pub fn shares(state: &LoaderState) -> BTreeMap<Kind, BTreeMap<String, Drawn>> {
    let of_kind = |(kind, sources): (&Kind, &StreamState)| {
        let total = tokens(sources);
        let drawn = |(name, source): (&String, &SourceState)| {
            let share = source.tokens as f64 / total.max(1) as f64;
            (name.clone(), Drawn { tokens: source.tokens, share })
        };
        (*kind, sources.iter().map(drawn).collect())
    };
    state.iter().map(of_kind).collect()
}

/// A kind's part of a step.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct StepPart {
    /// What was asked for.
    pub asked: Amount,
    /// Tokens that a step had on average, without padding.
    pub tokens_per_step: f64,
}

impl fmt::Display for StepPart {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { asked, tokens_per_step } = self;
        let unit = if let Amount::Tokens(_) = asked { "tokens" } else { "sequences" };
        write!(f, "{tokens_per_step:.0} tokens ({unit} asked for: {})", asked.count())
    }
}

/// Returns each kind's part of the steps so far.
pub fn step_parts(config: &Config, state: &State) -> BTreeMap<Kind, StepPart> {
    let part = |(kind, sources): (&Kind, &StreamState)| {
        let tokens_per_step = tokens(sources) as f64 / state.step.max(1) as f64;
        (*kind, StepPart { asked: config.batch.of(*kind), tokens_per_step })
    };
    state.loader.iter().map(part).collect()
}

fn tokens(sources: &StreamState) -> u64 {
    sources.values().map(|source| source.tokens).sum()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Amounts;

    #[test]
    fn tokens_of_a_step_are_told_beside_what_was_asked_for() {
        let source = |tokens| SourceState { tokens, ..SourceState::default() };
        let text = StreamState::from([("a".to_owned(), source(250)), ("b".to_owned(), source(750))]);
        let pairs = StreamState::from([("all".to_owned(), source(84))]);
        let loader = LoaderState::from([(Kind::Text, text), (Kind::Pairs, pairs)]);
        let batch = Amounts::new(&[(Kind::Text, Amount::tokens(240)), (Kind::Pairs, Amount::Sequences(1))]);
        let (config, state) =
            (Config { batch, ..Config::default() }, State { step: 4, loader, ..State::default() });
        let parts = step_parts(&config, &state);
        assert_eq!(parts[&Kind::Text].to_string(), "250 tokens (tokens asked for: 240)");
        assert_eq!(parts[&Kind::Pairs].to_string(), "21 tokens (sequences asked for: 1)");
        let json = serde_json::to_value(&parts[&Kind::Text]).unwrap_or_default();
        assert_eq!(json, serde_json::json!({"asked": {"tokens": 240}, "tokens_per_step": 250.0}));
        let shares = shares(&state.loader);
        assert_eq!(shares[&Kind::Text]["b"], Drawn { tokens: 750, share: 0.75 });
    }
}
