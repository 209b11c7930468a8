//! The identity of what a stage will write: its settings, its inputs, its format.

use std::fmt;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::Manifest;
use crate::digest::{Digest, Hasher};

/// Version of what all tables have in common; raised when equal settings give other bytes in every stage.
const TABLES_FORMAT: u32 = 2;

/// Sixteen hexadecimal digits: equal fingerprints promise equal bytes. A stage that is run again although
/// nothing changed gets a generation: `0123456789abcdef.1`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Fingerprint(String);

impl Fingerprint {
    /// Computes the fingerprint of a stage from its settings and its sealed inputs.
    ///
    /// Mirrors, ports, workers, folders and secrets must not be in `settings`.
    pub fn new(stage: &str, format_version: u32, settings: &Value, inputs: &[&Manifest]) -> Self {
        let mut text = format!("{TABLES_FORMAT}\n{stage}\n{format_version}\n");
        write_canonical(settings, &mut text);
        for input in inputs {
            text.push_str(&format!("\n{} {}", input.stage, input.content));
        }
        let mut hasher = Hasher::default();
        hasher.update(text.as_bytes());
        Self(hasher.finish().short().to_owned())
    }

    /// Reads a fingerprint back from a ledger path.
    pub fn parse(text: &str) -> Option<Self> {
        let (digits, generation) = text.split_once('.').map_or((text, None), |(d, g)| (d, Some(g)));
        let is_valid = digits.len() == 16 && digits.bytes().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f'));
        let is_number = |text: &str| text.parse::<u32>().is_ok_and(|n| n > 0 && n.to_string() == text);
        (is_valid && generation.is_none_or(is_number)).then(|| Self(text.to_owned()))
    }

    /// Returns the sixteen digits without the generation.
    pub fn digits(&self) -> &str {
        self.0.split('.').next().unwrap_or_default()
    }

    /// Returns the generation: how often the stage was run again with the same settings and inputs.
    pub fn generation(&self) -> u32 {
        self.0.split_once('.').and_then(|(_, generation)| generation.parse().ok()).unwrap_or_default()
    }

    /// Returns the fingerprint of the next run with the same settings and inputs.
    #[must_use]
    pub fn next_generation(&self) -> Self {
        Self(format!("{}.{}", self.digits(), self.generation() + 1))
    }

    /// Returns the sixteen digits, and the generation behind a dot unless it is the first.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Fingerprint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// The digest that stands for a dataset's content: its parts' streams and digests, in order.
#[derive(Default)]
pub(crate) struct ContentHasher(Hasher);

impl ContentHasher {
    pub(crate) fn update(&mut self, part: &crate::Part) {
        self.0.update(part.stream.as_bytes());
        self.0.update(b" ");
        self.0.update(part.digest.as_str().as_bytes());
        self.0.update(b"\n");
    }

    pub(crate) fn finish(self) -> Digest {
        self.0.finish()
    }
}

/// Writes JSON with sorted keys, since the order of a map depends on how `serde_json` was built.
fn write_canonical(value: &Value, out: &mut String) {
    match value {
        Value::Object(map) => {
            let mut keys: Vec<&String> = map.keys().collect();
            keys.sort();
            out.push('{');
            for key in keys {
                out.push_str(&Value::from(key.as_str()).to_string());
                out.push(':');
                write_canonical(&map[key], out);
                out.push(',');
            }
            out.push('}');
        }
        Value::Array(items) => {
            out.push('[');
            for item in items {
                write_canonical(item, out);
                out.push(',');
            }
            out.push(']');
        }
        scalar => out.push_str(&scalar.to_string()),
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn the_order_of_keys_does_not_matter_and_every_value_does() {
        let of = |v: &Value| Fingerprint::new("text.rules", 1, v, &[]);
        let a: Value = serde_json::from_str(r#"{"a":1,"b":[1,{"c":2,"d":3}]}"#).unwrap();
        let b: Value = serde_json::from_str(r#"{"b":[1,{"d":3,"c":2}],"a":1}"#).unwrap();
        assert_eq!(of(&a), of(&b));
        assert_ne!(of(&a), of(&json!({"a": 1, "b": [1, {"c": 2, "d": 4}]})));
        assert_ne!(of(&a), Fingerprint::new("text.rules", 2, &a, &[]));
        assert_eq!(Fingerprint::parse(of(&a).as_str()), Some(of(&a)));
        assert_eq!(Fingerprint::parse("../../../etc/pass"), None);
    }

    #[test]
    fn generations_follow_each_other() {
        let first = Fingerprint::parse("0123456789abcdef").unwrap();
        let third = first.next_generation().next_generation();
        assert_eq!((first.generation(), third.as_str()), (0, "0123456789abcdef.2"));
        assert_eq!(Fingerprint::parse(third.as_str()), Some(third));
        for wrong in ["0123456789abcdef.", "0123456789abcdef.0", "0123456789abcdef.01", "0123456789abcde.1"] {
            assert_eq!(Fingerprint::parse(wrong), None, "{wrong}");
        }
    }
}
