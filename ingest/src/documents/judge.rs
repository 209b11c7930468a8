//! From one record of a text source to a document, or the reason why there is none; pure.

use super::PileFormat;
use crate::rows::fields::{Fields, Found};
use crate::rows::{Cells, Wanted};
use crate::source::{replaced, value};

/// A document without its address.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct DocumentDraft {
    pub(super) source: String,
    pub(super) text: String,
    pub(super) url: Option<String>,
    pub(super) date: Option<String>,
    pub(super) key: Option<String>,
    /// Whether characters of the text could not be read, and are replaced.
    pub(super) is_replaced: bool,
}

/// What becomes of a record.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Judgement {
    Keep(DocumentDraft),
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
pub(super) fn text(draft: DocumentDraft) -> Judgement {
    match draft.text.trim().is_empty() {
        true => Judgement::fail("no_text", ""),
        false => Judgement::Keep(draft),
    }
}

/// Judges a line of The Pile; its text is wanted alone.
pub(super) fn pile(line: &[u8], wanted: &[Wanted], format: &PileFormat) -> Judgement {
    let fields = match Fields::of(line) {
        Ok(fields) => fields,
        Err(detail) => return no_object(detail),
    };
    let set = set_name(&fields).unwrap_or_default();
    // Its texts are strings; anything else is of another file.
    if let Ok(Some(Found::Number(_) | Found::Truth(_))) = fields.get(super::PILE_TEXT) {
        return Judgement::fail("no_text", value(&set));
    }
    match Cells::of_fields(wanted, &fields).map(|cells| DocumentDraft::of(cells, &set)) {
        Err(detail) => Judgement::fail("json", detail),
        Ok(draft) if draft.text.trim().is_empty() => Judgement::fail("no_text", value(&set)),
        Ok(_) if !format.sets.is_empty() && !format.sets.contains(&set) => {
            Judgement::Drop { reason: "set", value: set }
        }
        Ok(draft) => text(draft),
    }
}

/// Judges a line of JSON by its wanted fields.
pub(super) fn json(line: &[u8], wanted: &[Wanted], source: &str) -> Judgement {
    let fields = match Fields::of(line) {
        Ok(fields) => fields,
        Err(detail) => return no_object(detail),
    };
    match Cells::of_fields(wanted, &fields) {
        Ok(cells) => text(DocumentDraft::of(cells, source)),
        Err(detail) => Judgement::fail("json", detail),
    }
}

/// Judges plain text; what is not UTF-8 is replaced.
pub(super) fn plain(line: &[u8], source: &str) -> Judgement {
    let line = replaced(line);
    let is_replaced = matches!(line, std::borrow::Cow::Owned(_));
    text(DocumentDraft {
        source: source.to_owned(),
        text: line.into_owned(),
        is_replaced,
        ..DocumentDraft::default()
    })
}

fn no_object(detail: String) -> Judgement {
    match detail.as_str() {
        "not an object" => Judgement::fail("no_text", detail),
        _ => Judgement::fail("json", detail),
    }
}

/// Where what stands in the cells of a row.
enum Place {
    Text,
    Url,
    Date,
    Id,
}

impl DocumentDraft {
    /// Takes what is there of the cells of a row.
    pub(super) fn of(mut cells: Cells, source: &str) -> Self {
        let is_replaced = cells.is_replaced(Place::Text as usize);
        let mut text = |place: Place| cells.text(place as usize);
        Self {
            source: source.to_owned(),
            text: text(Place::Text).unwrap_or_default(),
            url: text(Place::Url),
            date: text(Place::Date),
            key: text(Place::Id),
            is_replaced,
        }
    }
}

fn set_name(fields: &Fields<'_>) -> Option<String> {
    let meta = match fields.get("meta").ok()?? {
        Found::Text(text) => text.text,
        Found::Nested(text) => text,
        _ => return None,
    };
    match Fields::of(meta.as_bytes()).ok()?.get("pile_set_name").ok()?? {
        Found::Text(set) => Some(set.text),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use corpus::record::SourceFile;

    use super::super::{Documents, RowsFormat};
    use super::*;
    use crate::rows::ColumnKind;

    fn json(line: &[u8], format: &RowsFormat) -> Judgement {
        let file = SourceFile { index: 1, url: String::new() };
        super::json(line, &Documents::wanted(format, &file), "s")
    }

    fn pile(line: &[u8], format: &PileFormat) -> Judgement {
        super::pile(line, &[Wanted::required(ColumnKind::Prose, vec!["text".to_owned()])], format)
    }

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
                DocumentDraft { source: "Pile-CC".into(), text: "a".into(), ..DocumentDraft::default() };
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
        assert_eq!(word(pile(br#"{"text":5}"#, &PileFormat::default())), "no_text");
    }

    #[test]
    fn a_broken_line_says_why() {
        let judge = |line: &[u8]| word(json(line, &RowsFormat::default()));
        assert_eq!(judge(br#"{"text":"a""#), "json");
        assert_eq!(judge(b"\xff"), "json");
        assert_eq!(judge(br#"{"text":null}"#), "no_text");
        assert_eq!(judge(br#"{"text":{"a":1}}"#), "no_text");
        assert_eq!(judge(br#"{"text":" "}"#), "no_text");
        assert_eq!(judge(b"[1]"), "no_text");
        assert_eq!(judge(&b"[".repeat(100_000)), "no_text");
    }

    #[test]
    fn named_fields_are_taken() {
        let name = |name: &str| Some(name.to_owned());
        let format =
            RowsFormat { text: "body".into(), id: name("n"), url: name("link"), date: name("missing") };
        let (source, text, url) = ("s".into(), "t".into(), name("u"));
        let draft = DocumentDraft { source, text, url, key: name("17"), ..DocumentDraft::default() };
        let judgement = json(br#"{"body":"t","link":"u","text":"no","n":17}"#, &format);
        assert_eq!(judgement, Judgement::Keep(draft));
    }

    #[test]
    fn rows_are_read_that_json_forbids() {
        let draft = |line: &[u8]| match json(line, &RowsFormat::default()) {
            Judgement::Keep(draft) => (draft.text, draft.key.unwrap_or_default(), draft.is_replaced),
            other => (word(other).to_owned(), String::new(), false),
        };
        let text = |text: &str, key: &str, is_replaced| (text.to_owned(), key.to_owned(), is_replaced);
        assert_eq!(draft(br#"{"id":"a","text":"t","ppl":NaN,"x":1e400}"#), text("t", "a", false));
        assert_eq!(draft(br#"{"id":7,"text":"t \ud83d again"}"#), text("t \u{fffd} again", "7", true));
        assert_eq!(draft(b"{\"text\":\"a\xffb\"}"), text("a\u{fffd}b", "", true));
        assert_eq!(draft(br#"{"id":7.0,"text":"t"}"#), text("t", "7", false));
        assert_eq!(draft(br#"{"id":true,"text":1.50}"#), text("1.5", "true", false));
        assert_eq!(draft(br#"{"text":false}"#), text("false", "", false));
        let big = br#"{"id":340282366920938463463374607431768211456,"text":"t"}"#;
        assert_eq!(draft(big), text("t", "340282366920938463463374607431768211456", false));
        let url = json(br#"{"text":"t","url":["u","v"]}"#, &RowsFormat::default());
        assert!(matches!(url, Judgement::Keep(DocumentDraft { url: None, .. })), "beside the text");
        assert_eq!(draft(br#"{"id":{"a":1},"text":["one","two"]}"#), text("one\ntwo", "{\"a\":1}", false));
        assert_eq!(draft(br#"{"text":{"body":"t"}}"#).0, "no_text");
    }
}
