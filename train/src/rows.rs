//! Numbers of sequences by kind, as a configuration has them: `{ text_sequences = 8, pairs = 192 }`.

use std::borrow::Cow;
use std::fmt;

use corpus::record::Kind;
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::de::{Error, MapAccess, Visitor};
use serde::ser::SerializeMap;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use serde_json::json;

/// How many sequences of each kind; none of those that are not named.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Rows([u32; Kind::ALL.len()]);

impl Rows {
    /// Returns so many of these kinds.
    pub fn new(rows: &[(Kind, u32)]) -> Self {
        rows.iter().fold(Self::default(), |all, (kind, count)| all.with(*kind, *count))
    }

    /// Returns what the function gives for each kind.
    pub fn by_kind(count: impl Fn(Kind) -> u32) -> Self {
        Kind::ALL.iter().fold(Self::default(), |all, kind| all.with(*kind, count(*kind)))
    }

    /// Returns the same with another number of one kind.
    #[must_use]
    pub fn with(mut self, kind: Kind, count: u32) -> Self {
        self.0[kind as usize] = count;
        self
    }

    /// Returns the number of a kind.
    pub fn of(&self, kind: Kind) -> u32 {
        self.0[kind as usize]
    }
}

impl Serialize for Rows {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(Some(Kind::ALL.len()))?;
        Kind::ALL.iter().try_for_each(|kind| map.serialize_entry(kind.key(), &self.of(*kind)))?;
        map.end()
    }
}

impl<'de> Deserialize<'de> for Rows {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct ByKey;
        impl<'de> Visitor<'de> for ByKey {
            type Value = Rows;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("numbers of sequences by kind")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Rows, A::Error> {
                let mut rows = Rows::default();
                while let Some(key) = map.next_key::<String>()? {
                    let kind = Kind::ALL.iter().find(|kind| kind.key() == key);
                    let keys = || Kind::ALL.iter().map(|kind| kind.key()).collect::<Vec<_>>().join(", ");
                    let kind = kind.ok_or_else(|| {
                        A::Error::custom(format!("unknown kind `{key}`, there are {}", keys()))
                    })?;
                    rows = rows.with(*kind, map.next_value()?);
                }
                Ok(rows)
            }
        }
        deserializer.deserialize_map(ByKey)
    }
}

impl JsonSchema for Rows {
    fn schema_name() -> Cow<'static, str> {
        "Rows".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        let described = |kind: &Kind| {
            let meaning = format!("Sequences of the kind `{kind}`.");
            (
                kind.key().to_owned(),
                json!({"type": "integer", "minimum": 0, "default": 0, "description": meaning}),
            )
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
        let rows: Rows = toml::from_str("text_sequences = 8\npairs = 192").unwrap();
        assert_eq!(rows, Rows::new(&[(Kind::Text, 8), (Kind::Pairs, 192)]));
        let json = serde_json::to_value(rows).unwrap();
        assert_eq!(json, serde_json::json!({"text_sequences": 8, "pairs": 192, "interleaved": 0}));
        let error = toml::from_str::<Rows>("texts = 8").unwrap_err().to_string();
        assert!(
            error.contains("unknown kind `texts`, there are text_sequences, pairs, interleaved"),
            "{error}"
        );
    }
}
