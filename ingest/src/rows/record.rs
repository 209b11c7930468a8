//! One row of CSV or TSV: how it is read line by line, and its fields.

use std::borrow::Cow;

use csv_core::{ReadRecordResult, Reader, ReaderBuilder};

/// The fields of a row, in one piece of memory.
pub(super) struct Fields {
    /// What the fields are parts of; bytes if one of them is not UTF-8.
    held: Result<String, Vec<u8>>,
    /// Where each begins and ends in it.
    spans: Vec<(usize, usize)>,
}

impl Default for Fields {
    fn default() -> Self {
        Self { held: Ok(String::new()), spans: Vec::new() }
    }
}

impl Fields {
    fn new(bytes: Vec<u8>, spans: Vec<(usize, usize)>) -> Self {
        // Halves of a character in two fields make a whole one together.
        let is_whole = |text: &String| spans.iter().all(|(_, end)| text.is_char_boundary(*end));
        let held = match String::from_utf8(bytes) {
            Ok(text) if is_whole(&text) => Ok(text),
            Ok(text) => Err(text.into_bytes()),
            Err(error) => Err(error.into_bytes()),
        };
        Self { held, spans }
    }

    /// Takes a line without quoting and without its end apart.
    pub(super) fn of_line(line: Vec<u8>, delimiter: u8) -> Self {
        let mut spans = Vec::with_capacity(8);
        let mut begin = 0;
        for end in memchr::memchr_iter(delimiter, &line) {
            spans.push((begin, end));
            begin = end + 1;
        }
        spans.push((begin, line.len()));
        Self::new(line, spans)
    }

    /// Takes a line apart whose quoted fields end in it and hold no quotes, as nearly all do; none of another line.
    pub(super) fn of_quoted_line(line: &[u8], delimiter: u8) -> Option<Self> {
        let (mut spans, mut at) = (Vec::with_capacity(8), 0);
        loop {
            let rest = line.get(at..)?;
            let (begin, end, behind) = match rest.first() {
                Some(b'"') => {
                    let end = at + 1 + memchr::memchr(b'"', &rest[1..])?;
                    (at + 1, end, end + 1)
                }
                _ => {
                    let end = at + memchr::memchr(delimiter, rest).unwrap_or(rest.len());
                    (at, end, end)
                }
            };
            spans.push((begin, end));
            match line.get(behind) {
                None => return Some(Self::new(line.to_vec(), spans)),
                Some(byte) if *byte == delimiter => at = behind + 1,
                Some(_) => return None,
            }
        }
    }

    pub(super) fn len(&self) -> usize {
        self.spans.len()
    }

    pub(super) fn is_text(&self) -> bool {
        self.held.is_ok()
    }

    /// Returns a field; none where there is none, or one of them is not UTF-8.
    pub(super) fn get(&self, place: usize) -> Option<&str> {
        let (begin, end) = self.spans.get(place)?;
        self.held.as_ref().ok()?.get(*begin..*end)
    }

    /// Returns the fields one after the other: of a line that was taken apart the line.
    pub(super) fn bytes(&self) -> &[u8] {
        self.held.as_ref().map_or_else(Vec::as_slice, String::as_bytes)
    }

    /// Returns all fields, with U+FFFD in place of what is not UTF-8.
    pub(super) fn texts(&self) -> impl Iterator<Item = Cow<'_, str>> {
        let bytes = self.bytes();
        let of_span = |(begin, end): &(usize, usize)| bytes.get(*begin..*end).unwrap_or_default();
        self.spans.iter().map(move |span| String::from_utf8_lossy(of_span(span)))
    }
}

/// Bytes by which the room for a row's fields grows at least.
const ROOM_BYTES: usize = 1 << 10;

/// A row that is being read, line by line.
pub(super) struct Record {
    reader: Reader,
    bytes: Vec<u8>,
    byte_count: usize,
    ends: Vec<usize>,
    end_count: usize,
}

impl Record {
    pub(super) fn new(delimiter: u8) -> Self {
        let reader = ReaderBuilder::new().delimiter(delimiter).build();
        Self { reader, bytes: Vec::new(), byte_count: 0, ends: vec![0; 16], end_count: 0 }
    }

    /// Begins another row.
    pub(super) fn clear(&mut self) {
        self.reader.reset();
        (self.byte_count, self.end_count) = (0, 0);
    }

    /// Adds a line with its end. Returns how much of it the row has, and whether it ends there.
    pub(super) fn push(&mut self, line: &[u8]) -> (usize, bool) {
        let mut input = line;
        loop {
            if self.bytes.len() == self.byte_count {
                self.bytes.resize(self.byte_count + ROOM_BYTES.max(self.byte_count), 0);
            }
            let (bytes, ends) = (&mut self.bytes[self.byte_count..], &mut self.ends[self.end_count..]);
            let (result, read, written, ended) = self.reader.read_record(input, bytes, ends);
            input = &input[read..];
            self.byte_count += written;
            self.end_count += ended;
            match result {
                ReadRecordResult::OutputEndsFull => self.ends.resize(self.ends.len() * 2, 0),
                ReadRecordResult::Record => return (line.len() - input.len(), true),
                ReadRecordResult::InputEmpty | ReadRecordResult::End => return (line.len(), false),
                ReadRecordResult::OutputFull => {}
            }
        }
    }

    /// Returns the fields of the whole row.
    pub(super) fn fields(&self) -> Fields {
        let ends = &self.ends[..self.end_count];
        let begins = std::iter::once(0).chain(ends.iter().copied());
        let spans = begins.zip(ends.iter().copied()).collect();
        Fields::new(self.bytes[..self.byte_count].to_vec(), spans)
    }
}
