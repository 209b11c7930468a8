//! The fields of one JSON object, found by a scan: only those that are asked for are understood.
//!
//! Real files hold what RFC 8259 forbids: `NaN` and `Infinity` (Python, pandas), numbers that no float holds, halves of
//! surrogate pairs, raw control characters, bytes that are no UTF-8, a comma before the end. In a column that
//! nobody reads none of it matters; in one that is read, what can be replaced is.

use std::borrow::Cow;

use crate::source::replaced;

/// What stands for what cannot be read.
const REPLACEMENT: char = '\u{FFFD}';

/// The fields, in their order.
#[derive(Debug, Default)]
pub(crate) struct Fields<'t>(Vec<(Cow<'t, str>, &'t [u8])>);

/// The value of a field.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Found {
    /// `null`, and numbers that are none.
    Null,
    /// Text.
    Text(Text),
    /// A number, digit by digit as it stands in the file.
    Number(String),
    /// `true` or `false`.
    Truth(bool),
    /// A list of texts alone.
    Texts(Vec<Text>),
    /// Any other list or an object, as it stands in the file.
    Nested(String),
}

/// A decoded text.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Text {
    /// The text.
    pub(crate) text: String,
    /// Whether bytes of it were no UTF-8, and are replaced.
    pub(crate) has_bad_bytes: bool,
    /// Whether halves of surrogate pairs are replaced.
    pub(crate) has_lone_surrogates: bool,
}

impl<'t> Fields<'t> {
    /// Finds the fields of an object.
    ///
    /// # Errors
    /// Where and why the text is none.
    pub(crate) fn of(text: &'t [u8]) -> Result<Self, String> {
        let mut scan = Scan { text, at: 0 };
        let mut fields = Vec::new();
        scan.object(|name, value| {
            let name = match std::str::from_utf8(name) {
                Ok(name) if !name.contains('\\') => Cow::Borrowed(name),
                _ => Cow::Owned(decode(name)?.text),
            };
            fields.push((name, value));
            Ok(())
        })?;
        match scan.peek() {
            None => Ok(Self(fields)),
            Some(_) => Err(scan.wrong("the end of the row")),
        }
    }

    /// Returns the names.
    pub(crate) fn names(&self) -> impl Iterator<Item = &str> {
        self.0.iter().map(|(name, _)| &**name)
    }

    /// Returns the value of a field; of two of one name the last.
    ///
    /// # Errors
    /// When the value makes no sense.
    pub(crate) fn get(&self, name: &str) -> Result<Option<Found>, String> {
        let found = self.0.iter().rfind(|(known, _)| known == name);
        found.map(|(_, value)| understand(value)).transpose()
    }

    /// Returns a field's text as it stands in the file.
    pub(crate) fn raw(&self, name: &str) -> Option<&'t [u8]> {
        self.0.iter().rfind(|(known, _)| known == name).map(|(_, value)| *value)
    }
}

/// Finds the end of the object that a text begins with; where it goes wrong if it is none, which is the text's end if
/// it breaks off.
pub(super) fn object_end(text: &[u8]) -> Result<usize, usize> {
    let mut scan = Scan { text, at: 0 };
    let found = scan.object(|_, _| Ok(()));
    found.map(|()| scan.at).map_err(|_| scan.at)
}

/// Understands a value.
fn understand(value: &[u8]) -> Result<Found, String> {
    match value {
        b"null" | b"NaN" | b"Infinity" | b"-Infinity" => Ok(Found::Null),
        b"true" => Ok(Found::Truth(true)),
        b"false" => Ok(Found::Truth(false)),
        [b'"', inner @ .., b'"'] => Ok(Found::Text(decode(inner)?)),
        [b'[', ..] => match texts(value)? {
            Some(texts) => Ok(Found::Texts(texts)),
            None => Ok(Found::Nested(replaced(value).into_owned())),
        },
        [b'{', ..] => Ok(Found::Nested(replaced(value).into_owned())),
        [b'-' | b'0'..=b'9', rest @ ..]
            if rest.iter().all(|b| b.is_ascii_digit() || b"+-.eE".contains(b)) =>
        {
            Ok(Found::Number(replaced(value).into_owned()))
        }
        _ => Err(format!("{:?} is no value", replaced(value))),
    }
}

const NULL: &[u8] = b"null";

/// Returns the texts of a list that holds nothing else but nulls, which are none.
fn texts(list: &[u8]) -> Result<Option<Vec<Text>>, String> {
    let mut scan = Scan { text: list, at: 1 };
    let mut texts = Vec::new();
    loop {
        match scan.peek() {
            Some(b'"') => texts.push(decode(scan.string()?)?),
            Some(b'n') if scan.text[scan.at..].starts_with(NULL) => scan.at += NULL.len(),
            Some(b']') => return Ok(Some(texts)),
            _ => return Ok(None),
        }
        match scan.peek() {
            Some(b',') => scan.at += 1,
            Some(b']') => {}
            _ => return Ok(None),
        }
    }
}

/// A place in a text.
pub(crate) struct Scan<'t> {
    pub(crate) text: &'t [u8],
    pub(crate) at: usize,
}

impl<'t> Scan<'t> {
    /// Passes over white space; returns the byte behind it.
    pub(crate) fn peek(&mut self) -> Option<u8> {
        let rest = self.text.get(self.at..).unwrap_or_default();
        self.at += rest.iter().take_while(|byte| byte.is_ascii_whitespace()).count();
        self.text.get(self.at).copied()
    }

    /// Passes over an object; says of every field what is between the quotes of its name, and its value.
    ///
    /// # Errors
    /// Where and why there is none.
    fn object(
        &mut self,
        mut field: impl FnMut(&'t [u8], &'t [u8]) -> Result<(), String>,
    ) -> Result<(), String> {
        match self.peek() {
            Some(b'{') => {}
            Some(b'[' | b'"' | b'-' | b'0'..=b'9' | b't' | b'f' | b'n') => {
                return Err("not an object".to_owned());
            }
            _ => return Err("no JSON".to_owned()),
        }
        self.at += 1;
        loop {
            match self.peek() {
                Some(b'}') => break,
                Some(b'"') => {}
                _ => return Err(self.wrong("a name in quotes")),
            }
            let name = self.string()?;
            if self.peek() != Some(b':') {
                return Err(self.wrong("a colon"));
            }
            self.at += 1;
            self.peek();
            field(name, self.value()?)?;
            match self.peek() {
                Some(b',') => self.at += 1,
                Some(b'}') => {}
                _ => return Err(self.wrong("a comma or the end of the object")),
            }
        }
        self.at += 1;
        Ok(())
    }

    pub(super) fn wrong(&self, expected: &str) -> String {
        match self.text.get(self.at) {
            Some(_) => format!("{expected} is missing at byte {}", self.at),
            None => format!("the row ends where {expected} should be"),
        }
    }

    /// Passes over a string; returns what is between its quotes.
    pub(crate) fn string(&mut self) -> Result<&'t [u8], String> {
        let begin = self.at + 1;
        let mut at = begin;
        loop {
            let rest = self.text.get(at..).unwrap_or_default();
            let Some(found) = memchr::memchr2(b'"', b'\\', rest) else {
                self.at = self.text.len();
                return Err("a string does not end".to_owned());
            };
            at += found;
            if self.text[at] == b'"' {
                self.at = at + 1;
                return Ok(&self.text[begin..at]);
            }
            at += 2;
        }
    }

    /// Passes over a number or a literal; returns it.
    pub(super) fn word(&mut self) -> &'t [u8] {
        let rest = self.text.get(self.at..).unwrap_or_default();
        let is_end = |byte: &u8| byte.is_ascii_whitespace() || b"\"{}[]:,".contains(byte);
        let end = rest.iter().position(is_end).unwrap_or(rest.len());
        self.at += end;
        &rest[..end]
    }

    /// Passes over a value; returns its text. Brackets are counted, and nothing else is looked at.
    fn value(&mut self) -> Result<&'t [u8], String> {
        let (begin, mut depth) = (self.at, 0_usize);
        loop {
            match self.text.get(self.at) {
                Some(b'"') => drop(self.string()?),
                Some(b'{' | b'[') => (depth, self.at) = (depth + 1, self.at + 1),
                Some(b'}' | b']') if depth > 0 => (depth, self.at) = (depth - 1, self.at + 1),
                Some(b',' | b'}' | b']') if depth == 0 => break,
                Some(byte) if depth == 0 && byte.is_ascii_whitespace() => break,
                Some(_) if depth > 0 => {
                    let rest = &self.text[self.at..];
                    let end = rest.iter().position(|byte| b"\"{}[]".contains(byte));
                    self.at += end.unwrap_or(rest.len());
                }
                Some(_) => self.at += 1,
                None if depth > 0 => return Err("a list or an object does not end".to_owned()),
                None => break,
            }
            // A string or a bracket that closes ends a value.
            if depth == 0 && b"\"}]".contains(&self.text[self.at - 1]) {
                break;
            }
        }
        match self.at > begin {
            true => Ok(&self.text[begin..self.at]),
            false => Err(self.wrong("a value")),
        }
    }
}

/// Decodes what is between the quotes of a string.
pub(crate) fn decode(inner: &[u8]) -> Result<Text, String> {
    let mut text = Text::default();
    let mut rest = inner;
    while let Some(at) = memchr::memchr(b'\\', rest) {
        push(&mut text, &rest[..at]);
        let (escape, after) = rest[at + 1..].split_first().ok_or("an escape without end")?;
        rest = after;
        match escape {
            b'"' | b'\\' | b'/' => text.text.push(char::from(*escape)),
            b'b' => text.text.push('\u{8}'),
            b'f' => text.text.push('\u{c}'),
            b'n' => text.text.push('\n'),
            b'r' => text.text.push('\r'),
            b't' => text.text.push('\t'),
            b'u' => rest = push_escaped(&mut text, rest)?,
            other => return Err(format!("\\{} is no escape", char::from(*other).escape_default())),
        }
    }
    push(&mut text, rest);
    Ok(text)
}

fn push(text: &mut Text, bytes: &[u8]) {
    let piece = replaced(bytes);
    text.has_bad_bytes |= matches!(piece, Cow::Owned(_));
    text.text.push_str(&piece);
}

/// Decodes what follows `\u`; returns what follows that.
fn push_escaped<'r>(text: &mut Text, rest: &'r [u8]) -> Result<&'r [u8], String> {
    let (first, mut rest) = hexadecimal(rest)?;
    let mut code = first;
    if (0xd800..0xdc00).contains(&first)
        && let Some(after) = rest.strip_prefix(b"\\u")
        && let Ok((second, after)) = hexadecimal(after)
        && (0xdc00..0xe000).contains(&second)
    {
        code = 0x10000 + ((first - 0xd800) << 10) + (second - 0xdc00);
        rest = after;
    }
    let c = char::from_u32(code);
    text.has_lone_surrogates |= c.is_none();
    text.text.push(c.unwrap_or(REPLACEMENT));
    Ok(rest)
}

fn hexadecimal(rest: &[u8]) -> Result<(u32, &[u8]), String> {
    let (digits, after) = rest.split_at_checked(4).ok_or("\\u without four digits")?;
    let digits =
        std::str::from_utf8(digits).ok().filter(|digits| digits.bytes().all(|b| b.is_ascii_hexdigit()));
    let code = digits.and_then(|digits| u32::from_str_radix(digits, 16).ok());
    code.map(|code| (code, after)).ok_or_else(|| "\\u without four digits".to_owned())
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use serde_json::{Value, json};

    fn get(text: &str, name: &str) -> Found {
        Fields::of(text.as_bytes()).unwrap().get(name).unwrap().unwrap()
    }

    fn plain(text: &str) -> Text {
        Text { text: text.to_owned(), ..Text::default() }
    }

    #[test]
    fn what_nobody_reads_may_hold_anything() {
        for other in [
            "NaN",
            "-Infinity",
            "1e400",
            "\"\\ud83d\"",
            "\"\u{1}\t\"",
            "\"}],{\\\"\"",
            "[NaN, {\"x\": [\"]\"]}]",
            "{\"a\": {}}",
            "undefined",
        ] {
            let text = format!("{{\"x\": {other}, \"text\": \"t\" , \"y\":{other}}}");
            assert_eq!(get(&text, "text"), Found::Text(plain("t")), "{text}");
        }
        let deep = format!("{{\"x\":{}{},\"text\":\"t\"}}", "[".repeat(100_000), "]".repeat(100_000));
        assert_eq!(get(&deep, "text"), Found::Text(plain("t")));
    }

    #[test]
    fn what_can_be_replaced_is() {
        let text = get(r#"{"t": "a\ud83d b\ud83d\ude00 \udce2\u00e9"}"#, "t");
        let expected = Text {
            text: "a\u{fffd} b\u{1f600} \u{fffd}é".into(),
            has_lone_surrogates: true,
            ..Text::default()
        };
        assert_eq!(text, Found::Text(expected));
        let fields = [b"{\"t\":\"a\xff\tb\x01\"}".as_slice(), b""].concat();
        let found = Fields::of(&fields).unwrap().get("t").unwrap().unwrap();
        let expected = Text { text: "a\u{fffd}\tb\u{1}".into(), has_bad_bytes: true, ..Text::default() };
        assert_eq!(found, Found::Text(expected));
    }

    #[test]
    fn values_are_what_they_are() {
        assert_eq!(
            get(r#"{"n": 340282366920938463463374607431768211456}"#, "n"),
            Found::Number("340282366920938463463374607431768211456".into())
        );
        assert_eq!(get(r#"{"n": -1.50e3}"#, "n"), Found::Number("-1.50e3".into()));
        assert_eq!(get(r#"{"n": NaN}"#, "n"), Found::Null);
        assert_eq!(get(r#"{"n": true}"#, "n"), Found::Truth(true));
        assert_eq!(get(r#"{"n": ["a", "b"]}"#, "n"), Found::Texts(vec![plain("a"), plain("b")]));
        assert_eq!(get(r#"{"n": ["a", null, "b"]}"#, "n"), Found::Texts(vec![plain("a"), plain("b")]));
        assert_eq!(get(r#"{"n": ["a", 1]}"#, "n"), Found::Nested(r#"["a", 1]"#.into()));
        assert_eq!(get(r#"{"n": 1, "n": 2,}"#, "n"), Found::Number("2".into()));
        assert_eq!(get(r#"{"\u006e": "x"}"#, "n"), Found::Text(plain("x")));
    }

    #[test]
    fn what_is_no_object_is_told() {
        for (text, problem) in [
            ("", "no JSON"),
            ("[1]", "not an object"),
            ("{\"a\": 1", "comma or the end"),
            ("{\"a\"", "colon"),
            ("{\"a\": \"x", "does not end"),
            ("{\"a\": [1, 2", "does not end"),
            ("{a: 1}", "a name in quotes is missing at byte 1"),
            ("{\"a\": }", "a value"),
            ("{} x", "the end of the row"),
        ] {
            let error = Fields::of(text.as_bytes()).unwrap_err();
            assert!(error.contains(problem), "{text}: {error}");
        }
        assert!(Fields::of(b"{\"a\": undefined}").unwrap().get("a").is_err());
        assert!(Fields::of(b"{\"a\": \"\\x\"}").unwrap().get("a").is_err());
    }

    fn any_json() -> impl Strategy<Value = Value> {
        let leaf = prop_oneof![
            Just(Value::Null),
            any::<bool>().prop_map(Value::from),
            any::<i64>().prop_map(Value::from),
            "\\PC{0,8}".prop_map(Value::from),
            "[\"\\\\\n\t/]{0,4}".prop_map(Value::from),
        ];
        leaf.prop_recursive(3, 20, 4, |inner| {
            prop_oneof![
                proptest::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
                proptest::collection::btree_map("[a-c\"]{0,2}", inner, 0..4).prop_map(|map| json!(map)),
            ]
        })
    }

    proptest! {
        #[test]
        fn what_is_json_is_read_as_a_parser_reads_it(map in proptest::collection::btree_map("\\PC{0,4}", any_json(), 0..6), pretty: bool) {
            let text = match pretty {
                true => serde_json::to_string_pretty(&map),
                false => serde_json::to_string(&map),
            };
            let text = text.unwrap();
            let fields = Fields::of(text.as_bytes()).unwrap();
            prop_assert_eq!(fields.names().count(), map.len());
            for (name, value) in &map {
                let raw: Value = serde_json::from_slice(fields.raw(name).unwrap()).unwrap();
                prop_assert_eq!(&raw, value);
                match (fields.get(name).unwrap().unwrap(), value) {
                    (Found::Text(text), Value::String(value)) => prop_assert_eq!(&text.text, value),
                    (Found::Number(digits), Value::Number(value)) => prop_assert_eq!(digits, value.to_string()),
                    (Found::Truth(truth), value) => prop_assert_eq!(Some(truth), value.as_bool()),
                    (Found::Null, value) => prop_assert!(value.is_null()),
                    (Found::Texts(texts), value) => {
                        let items = value.as_array().unwrap().iter().filter(|item| !item.is_null());
                        prop_assert_eq!(texts.len(), items.count());
                    }
                    (Found::Nested(_), value) => prop_assert!(value.is_array() || value.is_object()),
                    (found, value) => prop_assert!(false, "{:?} for {}", found, value),
                }
            }
        }

        #[test]
        fn any_bytes_end(bytes in proptest::collection::vec(prop_oneof![prop::sample::select(b"{}[]\":,\\u1 ".to_vec()), any::<u8>()], 0..60)) {
            if let Ok(fields) = Fields::of(&bytes) {
                let names: Vec<String> = fields.names().map(str::to_owned).collect();
                for name in names {
                    let _ = fields.get(&name);
                }
            }
        }
    }
}
