//! Amounts by kind, as a configuration has them: `{ text_sequences = 8, interleaved = { tokens = 200000 } }`.

use std::borrow::Cow;
use std::fmt;

use corpus::record::Kind;
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::de::{Error, MapAccess, Visitor};
use serde::ser::SerializeMap;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use serde_json::json;

/// How much of a kind: a number of sequences, or of tokens.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(untagged)]
pub enum Amount {
    /// So many sequences.
    Sequences(u32),
    /// Sequences of so many tokens.
    Tokens(Tokens),
}

/// A number of tokens.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Tokens {
    /// How many.
    pub tokens: u64,
}

impl Amount {
    /// Nothing.
    pub const NONE: Self = Self::Sequences(0);

    /// Returns so many tokens.
    pub const fn tokens(tokens: u64) -> Self {
        Self::Tokens(Tokens { tokens })
    }

    /// Returns the number, whatever it counts.
    pub fn count(self) -> u64 {
        match self {
            Self::Sequences(count) => count.into(),
            Self::Tokens(Tokens { tokens }) => tokens,
        }
    }

    /// Returns true if and only if so many sequences of so many tokens are no less.
    pub fn is_reached(self, sequences: u64, tokens: u64) -> bool {
        match self {
            Self::Sequences(count) => sequences >= count.into(),
            Self::Tokens(wanted) => tokens >= wanted.tokens,
        }
    }

    /// Returns true if and only if so many rows, each padded to so many columns, are no more. One row never is.
    pub fn holds(self, rows: usize, columns: usize) -> bool {
        rows <= 1
            || match self {
                Self::Sequences(count) => rows <= count as usize,
                Self::Tokens(Tokens { tokens }) => rows.saturating_mul(columns) as u64 <= tokens,
            }
    }
}

/// How much of each kind; nothing of those that are not named.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Amounts([Amount; Kind::ALL.len()]);

impl Amounts {
    /// Returns so much of these kinds.
    pub fn new(amounts: &[(Kind, Amount)]) -> Self {
        amounts.iter().fold(Self::default(), |all, (kind, amount)| all.with(*kind, *amount))
    }

    /// Returns so many sequences of these kinds.
    pub fn of_sequences(counts: &[(Kind, u32)]) -> Self {
        counts.iter().fold(Self::default(), |all, (kind, count)| all.with(*kind, Amount::Sequences(*count)))
    }

    /// Returns what the function gives for each kind.
    pub fn by_kind(amount: impl Fn(Kind) -> Amount) -> Self {
        Kind::ALL.iter().fold(Self::default(), |all, kind| all.with(*kind, amount(*kind)))
    }

    /// Returns the same with another amount of one kind.
    #[must_use]
    pub fn with(mut self, kind: Kind, amount: Amount) -> Self {
        self.0[kind as usize] = amount;
        self
    }

    /// Returns the amount of a kind.
    pub fn of(&self, kind: Kind) -> Amount {
        self.0[kind as usize]
    }

    /// Returns the kinds of which there is some, in their order.
    pub fn kinds(&self) -> impl Iterator<Item = Kind> + use<'_> {
        Kind::ALL.iter().copied().filter(|kind| self.of(*kind).count() > 0)
    }
}

impl Default for Amounts {
    fn default() -> Self {
        Self([Amount::NONE; Kind::ALL.len()])
    }
}

impl Serialize for Amounts {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(Some(Kind::ALL.len()))?;
        Kind::ALL.iter().try_for_each(|kind| map.serialize_entry(kind.key(), &self.of(*kind)))?;
        map.end()
    }
}

impl<'de> Deserialize<'de> for Amounts {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct ByKey;
        impl<'de> Visitor<'de> for ByKey {
            type Value = Amounts;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("amounts by kind")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Amounts, A::Error> {
                let mut amounts = Amounts::default();
                while let Some(key) = map.next_key::<String>()? {
                    let kind = Kind::ALL.iter().find(|kind| kind.key() == key);
                    let keys = || Kind::ALL.iter().map(|kind| kind.key()).collect::<Vec<_>>().join(", ");
                    let kind = kind.ok_or_else(|| {
                        A::Error::custom(format!("unknown kind `{key}`, there are {}", keys()))
                    })?;
                    let amount = map.next_value().map_err(|_| {
                        A::Error::custom(format!(
                            "`{key}` is a number of sequences, or {{ tokens = NUMBER }}"
                        ))
                    })?;
                    amounts = amounts.with(*kind, amount);
                }
                Ok(amounts)
            }
        }
        deserializer.deserialize_map(ByKey)
    }
}

impl JsonSchema for Amounts {
    fn schema_name() -> Cow<'static, str> {
        "Amounts".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        let described = |kind: &Kind| {
            let meaning = format!("Sequences of the kind `{kind}`, or `{{ tokens = NUMBER }}`.");
            let number = json!({"type": "integer", "minimum": 0});
            let tokens = json!({
                "type": "object",
                "description": format!("Tokens of the kind `{kind}`."),
                "properties": {"tokens": number},
                "required": ["tokens"],
            });
            (kind.key().to_owned(), json!({"anyOf": [number, tokens], "default": 0, "description": meaning}))
        };
        let properties: serde_json::Map<_, _> = Kind::ALL.iter().map(described).collect();
        json_schema!({"type": "object", "properties": properties})
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn kinds_have_the_keys_of_a_configuration_and_a_misspelt_one_is_told() {
        let amounts: Amounts = toml::from_str("text_sequences = 8\npairs = { tokens = 500000 }").unwrap();
        let expected =
            Amounts::new(&[(Kind::Text, Amount::Sequences(8)), (Kind::Pairs, Amount::tokens(500_000))]);
        assert_eq!(amounts, expected);
        assert_eq!(amounts.kinds().collect::<Vec<_>>(), [Kind::Text, Kind::Pairs]);
        let json = serde_json::to_value(amounts).unwrap();
        let expected =
            serde_json::json!({"text_sequences": 8, "pairs": {"tokens": 500_000}, "interleaved": 0});
        assert_eq!(json, expected);
        assert_eq!(serde_json::from_value::<Amounts>(json).unwrap(), amounts);
        let refused = |text| toml::from_str::<Amounts>(text).unwrap_err().to_string();
        let error = refused("texts = 8");
        assert!(
            error.contains("unknown kind `texts`, there are text_sequences, pairs, interleaved"),
            "{error}"
        );
        for wrong in ["pairs = -1", "pairs = 4294967296", "pairs = { token = 3 }", "pairs = \"8\""] {
            let error = refused(wrong);
            assert!(error.contains("`pairs` is a number of sequences, or { tokens = NUMBER }"), "{error}");
        }
    }

    #[test]
    fn an_amount_is_reached_by_sequences_or_by_tokens() {
        let reached =
            |amount: Amount| [(0, 0), (2, 99), (2, 100), (3, 101)].map(|(s, t)| amount.is_reached(s, t));
        assert_eq!(reached(Amount::Sequences(3)), [false, false, false, true]);
        assert_eq!(reached(Amount::tokens(100)), [false, false, true, true]);
        assert_eq!(reached(Amount::NONE), [true; 4]);
    }

    #[test]
    fn a_pass_holds_rows_or_tokens_with_their_padding_and_always_one_row() {
        let held = |amount: Amount| [(1, 1_000), (2, 50), (2, 51), (3, 10)].map(|(r, c)| amount.holds(r, c));
        assert_eq!(held(Amount::Sequences(2)), [true, true, true, false]);
        assert_eq!(held(Amount::tokens(100)), [true, true, false, true]);
    }
}
