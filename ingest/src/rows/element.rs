//! Elements of an array in JSON, cut out one by one: the array may be larger than memory.

use std::io::{self, BufRead};

use crate::lines::Line;

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

/// One element of an array, cut out without being understood.
pub(super) struct Element {
    /// Its text; none where there is only the end of the array.
    pub(super) text: Option<Line>,
    pub(super) is_last: bool,
}

/// Reads up to the next comma of the array, or its end.
///
/// # Errors
/// The transport's.
pub(super) fn element(reader: &mut impl BufRead, text_bytes_max: usize) -> io::Result<Element> {
    let mut place = Place::default();
    let (mut text, mut bytes) = (Vec::new(), 0_u64);
    let is_last = loop {
        let buffer = match reader.fill_buf() {
            Ok(buffer) => buffer,
            Err(error) => {
                return Ok(Element { text: Some(Line::lost(error, text.len())?), is_last: false });
            }
        };
        if buffer.is_empty() {
            break true;
        }
        let end = buffer.iter().position(|byte| place.ends_before(*byte));
        let length = end.unwrap_or(buffer.len());
        let room = text_bytes_max.saturating_sub(text.len());
        text.extend_from_slice(&buffer[..length.min(room)]);
        bytes += length as u64;
        let last = end.map(|end| buffer.get(end) == Some(&b']'));
        reader.consume(length + usize::from(end.is_some()));
        if let Some(is_last) = last {
            break is_last;
        }
    };
    let text = match bytes {
        0 if is_last => None,
        bytes if bytes > text_bytes_max as u64 => Some(Line::TooLong { head: text, bytes }),
        _ => Some(Line::Whole(text)),
    };
    Ok(Element { text, is_last })
}
