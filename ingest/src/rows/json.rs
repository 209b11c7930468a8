//! Rows of JSON: an object a line, or one array of objects as `pandas` and `json.dump` write.

use std::io::{self, BufRead};

use serde_json::Value;

use super::{Cells, ROW_BYTES_MAX, Row, Wanted};
use crate::lines::{Line, Lines, pass_over_mark};
use crate::source::preview;

/// Iterator over the rows of a file; holds one row of at most [`ROW_BYTES_MAX`] bytes.
pub struct JsonRows<R> {
    texts: Texts<R>,
    wanted: Vec<Wanted>,
}

/// The texts of the objects.
enum Texts<R> {
    Lines(Lines<R>),
    Array(Elements<R>),
}

impl<R: BufRead> JsonRows<R> {
    /// Reads a file of either form, told by its first character.
    ///
    /// # Errors
    /// When it cannot be read.
    pub fn open(mut reader: R, wanted: &[Wanted]) -> io::Result<Self> {
        pass_over_mark(&mut reader)?;
        let is_array = first_character(&mut reader)? == Some(b'[');
        let texts = if is_array {
            reader.consume(1);
            Texts::Array(Elements { reader, done: false })
        } else {
            Texts::Lines(Lines::new(reader, ROW_BYTES_MAX))
        };
        Ok(Self { texts, wanted: wanted.to_vec() })
    }
}

impl<R: BufRead> Iterator for JsonRows<R> {
    type Item = io::Result<Row>;

    fn next(&mut self) -> Option<Self::Item> {
        loop {
            let text = match &mut self.texts {
                Texts::Lines(lines) => lines.next()?,
                Texts::Array(elements) => elements.read().transpose()?,
            };
            return Some(Ok(match text {
                Ok(Line::Whole(text)) if text.trim_ascii().is_empty() => continue,
                Ok(Line::Whole(text)) => row(&text, &self.wanted),
                Ok(Line::TooLong { head, bytes }) => {
                    Row::Broken { detail: format!("row of {bytes} bytes"), preview: preview(&head) }
                }
                Err(error) => return Some(Err(error)),
            }));
        }
    }
}

fn row(text: &[u8], wanted: &[Wanted]) -> Row {
    let detail = match serde_json::from_slice(text) {
        Ok(Value::Object(object)) => return Row::Whole(Cells::of_object(wanted, &object)),
        Ok(_) => "not an object".to_owned(),
        Err(error) => error.to_string(),
    };
    Row::Broken { detail, preview: preview(text) }
}

/// Passes over white space; the character after it stays to be read.
fn first_character(reader: &mut impl BufRead) -> io::Result<Option<u8>> {
    loop {
        let buffer = reader.fill_buf()?;
        if buffer.is_empty() {
            return Ok(None);
        }
        let blank = buffer.iter().take_while(|byte| byte.is_ascii_whitespace()).count();
        let first = buffer.get(blank).copied();
        reader.consume(blank);
        if first.is_some() {
            return Ok(first);
        }
    }
}

/// The elements of one array, whose bracket was passed, as texts: cut out without being understood.
struct Elements<R> {
    reader: R,
    done: bool,
}

/// Where the text of an element is.
#[derive(Default)]
struct Place {
    depth: usize,
    in_string: bool,
    escaped: bool,
}

impl Place {
    /// Takes a byte; returns true if the element ends before it.
    fn ends_before(&mut self, byte: u8) -> bool {
        if self.in_string {
            self.in_string = self.escaped || byte != b'"';
            self.escaped = !self.escaped && byte == b'\\';
            return false;
        }
        match byte {
            b'"' => self.in_string = true,
            b'{' | b'[' => self.depth += 1,
            b'}' | b']' if self.depth > 0 => self.depth -= 1,
            b',' | b']' => return self.depth == 0,
            _ => {}
        }
        false
    }
}

impl<R: BufRead> Elements<R> {
    /// Reads up to the next comma of the array, or its end.
    fn read(&mut self) -> io::Result<Option<Line>> {
        if self.done {
            return Ok(None);
        }
        let mut place = Place::default();
        let (mut text, mut bytes) = (Vec::new(), 0_u64);
        loop {
            let buffer = self.reader.fill_buf()?;
            if buffer.is_empty() {
                self.done = true;
                break;
            }
            let end = buffer.iter().position(|byte| place.ends_before(*byte));
            let length = end.unwrap_or(buffer.len());
            let room = ROW_BYTES_MAX.saturating_sub(text.len());
            text.extend_from_slice(&buffer[..length.min(room)]);
            bytes += length as u64;
            self.done = end.is_some_and(|end| buffer.get(end) == Some(&b']'));
            self.reader.consume(length + usize::from(end.is_some()));
            if end.is_some() {
                break;
            }
        }
        Ok(match bytes {
            0 if self.done => None,
            bytes if bytes > ROW_BYTES_MAX as u64 => Some(Line::TooLong { head: text, bytes }),
            _ => Some(Line::Whole(text)),
        })
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::super::testing::{shown_row, url_and_number};
    use super::*;
    use proptest::prelude::*;
    use serde_json::json;
    use std::io::BufReader;

    fn rows(text: &str) -> Vec<String> {
        // A small buffer, so that rows lie across its borders.
        let reader = BufReader::with_capacity(7, text.as_bytes());
        JsonRows::open(reader, &url_and_number()).unwrap().map(|row| shown_row(row.unwrap())).collect()
    }

    #[test]
    fn lines_and_arrays_give_the_same_rows() {
        let expected = ["http://a/1|1", "http://a/],\"|2.5", "http://a/3|"];
        assert_eq!(
            rows(
                "{\"url\":\"http://a/1\",\"n\":\"1\"}\n{\"url\":\"http://a/],\\\"\",\"n\":2.5}\n\n{\"URL\":\"http://a/3\"}"
            ),
            expected
        );
        let array = " [\n {\"url\":\"http://a/1\",\"n\":1},{\"x\":[{},[]],\"url\":\"http://a/],\\\"\",\"n\":2.5} ,\n{\"URL\":\"http://a/3\"}\n]\n";
        assert_eq!(rows(array), expected);
        assert_eq!(rows("[]"), Vec::<String>::new());
        assert_eq!(rows(""), Vec::<String>::new());
    }

    #[test]
    fn what_is_no_object_is_a_broken_row() {
        let found = rows("[1, {\"url\": \"u\"}, {\"url\":");
        assert_eq!(found[..2], ["not an object", "u|"]);
        assert!(found[2].contains("EOF"), "{found:?}");
        let long = format!("[{{\"url\":\"{}\"}},{{\"url\":\"u\"}}]", "x".repeat(ROW_BYTES_MAX));
        assert_eq!(rows(&long), [format!("row of {} bytes", ROW_BYTES_MAX + 10), "u|".to_owned()]);
    }

    proptest! {
        #[test]
        fn any_array_of_objects_comes_back(urls in proptest::collection::vec("\\PC{0,12}", 0..8)) {
            let array: Vec<_> = urls.iter().map(|url| json!({"url": url, "x": [url, {"y": url}]})).collect();
            let expected: Vec<String> = urls.iter().map(|url| format!("{url}|")).collect();
            prop_assert_eq!(rows(&serde_json::to_string(&array).unwrap()), expected.clone());
            prop_assert_eq!(rows(&serde_json::to_string_pretty(&array).unwrap()), expected);
        }

        #[test]
        fn any_text_ends(text in "[\\[\\]{},\"\\\\a \n]{0,60}") {
            prop_assert!(rows(&text).len() <= text.len() + 1);
        }
    }
}
