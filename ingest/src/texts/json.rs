//! The texts within JSON at any depth, read as `rows::fields` reads objects: leniently.

use super::SeenFields;
use crate::rows::fields::{Fields, Scan, decode};

/// Returns the texts in the wanted fields of a row. A row may be a text or a list, which has no fields: it is read if
/// all are wanted.
///
/// # Errors
/// Why the row cannot be read.
pub(super) fn of_row(row: &[u8], seen: &mut SeenFields<'_>) -> Result<Vec<String>, String> {
    let mut texts = Vec::new();
    if !matches!(row.trim_ascii_start().first(), Some(b'"' | b'[')) {
        let fields = Fields::of(row)?;
        seen.note(fields.names());
        let wanted: Vec<&str> = fields.names().filter(|name| seen.is_wanted(name)).collect();
        for value in wanted.into_iter().filter_map(|name| fields.raw(name)) {
            append(value, &mut texts)?;
        }
        return Ok(texts);
    }
    // As a value it must be whole, too.
    let named = [b"{\"\":", row, b"}"].concat();
    let value = Fields::of(&named)?.raw("").unwrap_or_default();
    if seen.wanted().is_empty() {
        append(value, &mut texts)?;
    }
    Ok(texts)
}

/// Appends the texts within a value: its strings that are not names.
fn append(value: &[u8], texts: &mut Vec<String>) -> Result<(), String> {
    let mut scan = Scan { text: value, at: 0 };
    while let Some(found) = memchr::memchr(b'"', &value[scan.at..]) {
        scan.at += found;
        let inner = scan.string()?;
        if scan.peek() != Some(b':') {
            let decoded = decode(inner)?;
            if decoded.has_bad_bytes {
                // With other letters in its place nothing would be found of it.
                return Err("not UTF-8".to_owned());
            }
            texts.push(decoded.text);
        }
    }
    Ok(())
}

/// Appends the texts within a cell of a table. Bytes within a list or a struct, such as those of an image, are shown as
/// a text that is none.
///
/// # Errors
/// Why it cannot be read.
pub(super) fn append_cell(cell: &[u8], texts: &mut Vec<String>) -> Result<(), String> {
    append(cell, texts)?;
    texts.retain(|text| !text.contains('\0'));
    Ok(())
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    fn read(row: &str, wanted: &[&str]) -> Result<Vec<String>, String> {
        let wanted: Vec<String> = wanted.iter().map(|&name| name.to_owned()).collect();
        of_row(row.as_bytes(), &mut SeenFields::new(&wanted))
    }

    #[test]
    fn texts_are_found_at_any_depth_whatever_stands_beside_them() {
        let row = r#"{"q": "one", "n": NaN, "x": {"a": ["two", {"b" : "th\u0072ee"}], "c": [Infinity, [["four"]]]}}"#;
        assert_eq!(read(row, &[]).unwrap(), ["one", "two", "three", "four"]);
        assert_eq!(read(row, &["x"]).unwrap(), ["two", "three", "four"]);
        assert_eq!(read(row, &["n", "missing"]).unwrap(), Vec::<String>::new());
        let deep = format!("{{\"q\": {}\"deep\"{}}}", "[".repeat(100_000), "]".repeat(100_000));
        assert_eq!(read(&deep, &[]).unwrap(), ["deep"]);
    }

    #[test]
    fn a_row_may_be_a_text_or_a_list_without_fields() {
        assert_eq!(read(" \"a: \\\"b\\\"\"", &[]).unwrap(), ["a: \"b\""]);
        assert_eq!(read("[\"one\", 2, {\"x\": \"two\"}]", &[]).unwrap(), ["one", "two"]);
        assert_eq!(read("\"one\"", &["q"]).unwrap(), Vec::<String>::new());
        let latin = b"{\"q\": \"caf\xe9\", \"n\": \"\xe9\"}";
        assert_eq!(of_row(latin, &mut SeenFields::new(&[])).unwrap_err(), "not UTF-8");
        for broken in ["\"one", "[\"one\"", "[\"one\"]]", "plain text", "7", "{\"q\": ", "{\"q\": \"\\x\"}"] {
            assert!(read(broken, &[]).is_err(), "{broken}");
        }
    }

    #[test]
    fn a_row_may_hold_any_character() {
        assert_eq!(read(r#"{"q": "a\u0000b"}"#, &[]).unwrap(), ["a\0b"]);
    }

    #[test]
    fn bytes_of_a_column_are_no_text() {
        let mut texts = Vec::new();
        append_cell(br#"{"bytes": "\ufffdPNG\u0000\u0000", "n": 1, "c": ["a", null]}"#, &mut texts).unwrap();
        assert_eq!(texts, ["a"]);
    }
}
