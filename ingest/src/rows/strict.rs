//! Values of a row as JSON that every reader takes.

use std::collections::BTreeMap;

use serde::de::IgnoredAny;
use serde_json::Value;

use super::fields::{Fields, Scan, decode};
use crate::source::replaced;

/// Nested lists and objects that are kept as such; what is deeper is a text, since readers have bounds of their own.
const DEPTH_MAX: usize = 64;

/// Returns a value as JSON (RFC 8259): numbers digit by digit, `NaN` and infinities as null, halves of surrogate pairs and
/// bytes that are no UTF-8 as U+FFFD, without white space; what cannot be mended so as one string. None for null.
pub(super) fn json(value: &[u8]) -> Option<String> {
    let value = replaced(value);
    let json = nested(&value).ok().filter(|json| is_json(json));
    Some(json.unwrap_or_else(|| quoted(&value))).filter(|json| json != NULL)
}

/// Returns the fields of an object, by name: their values are JSON. None of what is no object.
pub fn fields(object: &str) -> BTreeMap<String, String> {
    let fields = Fields::of(object.as_bytes()).unwrap_or_default();
    let field = |name: &str| Some((name.to_owned(), replaced(fields.raw(name)?).into_owned()));
    fields.names().filter_map(field).collect()
}

/// Writes an object of fields whose values are JSON.
pub fn object(fields: &BTreeMap<String, String>) -> String {
    let fields: Vec<String> =
        fields.iter().map(|(name, value)| format!("{}:{value}", quoted(name))).collect();
    format!("{{{}}}", fields.join(","))
}

const NULL: &str = "null";

/// Returns a text as JSON.
pub(super) fn quoted(text: &str) -> String {
    Value::from(text).to_string()
}

fn is_json(text: &str) -> bool {
    serde_json::from_str::<IgnoredAny>(text).is_ok()
}

/// Writes a number, a list or an object again, word by word.
fn nested(value: &str) -> Result<String, String> {
    let mut scan = Scan { text: value.as_bytes(), at: 0 };
    let mut json = String::with_capacity(value.len());
    let mut depth = 0;
    while let Some(byte) = scan.peek() {
        match byte {
            b'"' => {
                json.push_str(&quoted(&decode(scan.string()?)?.text));
                continue;
            }
            b'[' | b'{' if depth == DEPTH_MAX => return Err(format!("deeper than {DEPTH_MAX}")),
            b'[' | b'{' => depth += 1,
            b']' | b'}' => {
                depth = depth.saturating_sub(1);
                // A comma before the end.
                let kept = json.strip_suffix(',').map(str::len);
                json.truncate(kept.unwrap_or(json.len()));
            }
            b':' | b',' => {}
            _ if !json.is_empty() && !json.ends_with(['[', '{', ':', ',']) => {
                return Err(scan.wrong("a comma"));
            }
            _ => {
                json.push_str(&literal(scan.word()));
                continue;
            }
        }
        json.push(char::from(byte));
        scan.at += 1;
    }
    Ok(json)
}

/// Returns a number or a word as JSON.
fn literal(word: &[u8]) -> String {
    let word = String::from_utf8_lossy(word);
    match &*word {
        "NaN" | "Infinity" | "-Infinity" => NULL.to_owned(),
        word if is_json(word) => word.to_owned(),
        word => quoted(word),
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn of(value: &str) -> Option<String> {
        let row = format!("{{\"x\":{value}}}");
        json(Fields::of(row.as_bytes()).unwrap().raw("x").unwrap())
    }

    #[test]
    fn values_are_written_as_they_stand_and_what_json_forbids_is_mended() {
        for (value, expected) in [
            ("340282366920938463463374607431768211456", "340282366920938463463374607431768211456"),
            ("[ 18446744073709551616, 1.50 , 1e400 ]", "[18446744073709551616,1.50,1e400]"),
            ("1e400", "1e400"),
            ("{\"b\": NaN, \"a\": [-Infinity, true, ]}", "{\"b\":null,\"a\":[null,true]}"),
            ("[1, \"half \\ud83d\"]", "[1,\"half \u{fffd}\"]"),
            ("{\"a\": \"\u{1}\\/\"}", "{\"a\":\"\\u0001/\"}"),
            ("[0x1F, undefined]", "[\"0x1F\",\"undefined\"]"),
            ("[\"a\", null]", "[\"a\",null]"),
            ("0123", "\"0123\""),
            ("[1 2]", "\"[1 2]\""),
            ("[\"\\x\", 1]", "\"[\\\"\\\\x\\\", 1]\""),
        ] {
            assert_eq!(of(value).as_deref(), Some(expected), "{value}");
        }
        assert_eq!((of("null"), of("NaN")), (None, None));
    }

    #[test]
    fn an_object_is_written_as_it_was_read() {
        let object_of = |text: &str| object(&fields(text));
        let text = r#"{"a":18446744073709551616,"b\"":"x","c":[1.50]}"#;
        assert_eq!(object_of(text), text);
        assert_eq!((object_of("{}").as_str(), object_of("[1]").as_str()), ("{}", "{}"));
    }

    #[test]
    fn what_is_too_deep_is_a_text() {
        let nested = |depth: usize| format!("{}1{}", "[".repeat(depth), "]".repeat(depth));
        assert_eq!(of(&nested(DEPTH_MAX)), Some(nested(DEPTH_MAX)));
        assert_eq!(of(&nested(DEPTH_MAX + 1)), Some(format!("\"{}\"", nested(DEPTH_MAX + 1))));
    }

    proptest! {
        #[test]
        fn whatever_stands_in_a_row_becomes_json(value in "[\\[\\]{}:,\"\\\\a-z0-9.eE+\\- \u{1}]{0,40}") {
            let row = format!("{{\"x\":[{value}]}}");
            let fields = Fields::of(row.as_bytes()).unwrap_or_default();
            let json = fields.raw("x").and_then(json).unwrap_or_else(|| NULL.to_owned());
            prop_assert!(is_json(&json), "{} of {}", json, row);
        }
    }
}
