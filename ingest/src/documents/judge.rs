//! From one record of a text source to a document, or the reason why there is none; pure.

use serde_json::{Map, Value};

use super::{PileFormat, RowsFormat};
use crate::source::value;

/// A document without its address.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Draft {
    pub(super) source: String,
    pub(super) text: String,
    pub(super) url: Option<String>,
    pub(super) date: Option<String>,
    pub(super) key: Option<String>,
}

/// What becomes of a record.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Judgement {
    Keep(Draft),
    Drop { reason: &'static str, value: String },
    Fail { reason: &'static str, value: String },
}

impl Judgement {
    pub(super) fn fail(reason: &'static str, value: impl Into<String>) -> Self {
        let value = value.into();
        Self::Fail { reason, value }
    }
}

/// Judges a draft by its text alone.
pub(super) fn text(draft: Draft) -> Judgement {
    match draft.text.trim().is_empty() {
        true => Judgement::fail("no_text", ""),
        false => Judgement::Keep(draft),
    }
}

/// Judges a line of The Pile.
pub(super) fn pile(line: &[u8], format: &PileFormat) -> Judgement {
    let mut object = match object(line) {
        Ok(object) => object,
        Err(judgement) => return judgement,
    };
    let set = set_name(object.get("meta")).unwrap_or_default();
    let Some(body) = take_string(&mut object, super::PILE_TEXT) else {
        return Judgement::fail("no_text", value(&set));
    };
    if !format.sets.is_empty() && !format.sets.contains(&set) {
        return Judgement::Drop { reason: "set", value: set };
    }
    text(Draft { source: set, text: body, url: None, date: None, key: None })
}

/// Judges a line of JSON with named fields.
pub(super) fn json(line: &[u8], source: &str, format: &RowsFormat) -> Judgement {
    let mut object = match object(line) {
        Ok(object) => object,
        Err(judgement) => return judgement,
    };
    let body = take_string(&mut object, &format.text);
    let url = take_string(&mut object, format.url());
    let date = format.date.as_ref().and_then(|name| take_string(&mut object, name));
    let key = object.get(format.id()).and_then(shown);
    text(Draft { source: source.to_owned(), text: body.unwrap_or_default(), url, date, key })
}

/// Judges plain text; what is not UTF-8 is replaced.
pub(super) fn plain(line: &[u8], source: &str) -> Judgement {
    text(Draft {
        source: source.to_owned(),
        text: String::from_utf8_lossy(line).into_owned(),
        url: None,
        date: None,
        key: None,
    })
}

fn object(line: &[u8]) -> Result<Map<String, Value>, Judgement> {
    match serde_json::from_slice(line) {
        Ok(Value::Object(object)) => Ok(object),
        Ok(_) => Err(Judgement::fail("no_text", "not an object")),
        Err(error) => Err(Judgement::fail("json", error.to_string())),
    }
}

/// Writes an id as text.
fn shown(value: &Value) -> Option<String> {
    match value {
        Value::String(text) => Some(text.clone()),
        Value::Number(number) => Some(number.to_string()),
        _ => None,
    }
}

fn take_string(object: &mut Map<String, Value>, name: &str) -> Option<String> {
    match object.get_mut(name)?.take() {
        Value::String(text) => Some(text),
        _ => None,
    }
}

fn set_name(meta: Option<&Value>) -> Option<String> {
    let inner;
    let meta = match meta? {
        Value::String(text) => {
            inner = serde_json::from_str::<Value>(text).ok()?;
            &inner
        }
        meta => meta,
    };
    Some(meta.get("pile_set_name")?.as_str()?.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn word(judgement: Judgement) -> &'static str {
        match judgement {
            Judgement::Keep(_) => "kept",
            Judgement::Drop { reason, .. } | Judgement::Fail { reason, .. } => reason,
        }
    }

    #[test]
    fn meta_is_an_object_or_a_json_string() {
        let format = PileFormat { sets: vec!["Pile-CC".into()] };
        for line in [
            r#"{"text":"a","meta":{"pile_set_name":"Pile-CC"}}"#,
            r#"{"meta":"{\"pile_set_name\":\"Pile-CC\"}","text":"a"}"#,
        ] {
            let draft =
                Draft { source: "Pile-CC".into(), text: "a".into(), url: None, date: None, key: None };
            assert_eq!(pile(line.as_bytes(), &format), Judgement::Keep(draft));
        }
        for line in [
            r#"{"text":"a","meta":{"pile_set_name":"Github"}}"#,
            r#"{"text":"a","meta":"not json"}"#,
            r#"{"text":"a"}"#,
        ] {
            assert_eq!(word(pile(line.as_bytes(), &format)), "set", "{line}");
        }
        assert_eq!(word(pile(br#"{"text":"a"}"#, &PileFormat::default())), "kept");
    }

    #[test]
    fn a_broken_line_says_why() {
        let judge = |line: &[u8]| word(json(line, "s", &RowsFormat::default()));
        assert_eq!(judge(br#"{"text":"a""#), "json");
        assert_eq!(judge(b"\xff"), "json");
        assert_eq!(judge(br#"{"text":1}"#), "no_text");
        assert_eq!(judge(br#"{"text":" "}"#), "no_text");
        assert_eq!(judge(b"[1]"), "no_text");
        assert_eq!(judge(&b"[".repeat(100_000)), "json");
    }

    #[test]
    fn named_fields_are_taken() {
        let name = |name: &str| Some(name.to_owned());
        let format =
            RowsFormat { text: "body".into(), id: name("n"), url: name("link"), date: name("missing") };
        let (source, text, url) = ("s".into(), "t".into(), name("u"));
        let draft = Draft { source, text, url, date: None, key: name("17") };
        let judgement = json(br#"{"body":"t","link":"u","text":"no","n":17}"#, "s", &format);
        assert_eq!(judgement, Judgement::Keep(draft));
    }
}
