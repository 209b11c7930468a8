//! Streams: where a stage's rows go, by name and with the type of its rows.
//!
//! A stream is a constant beside its record. Who writes and who reads name the same constant, and a stage declares
//! which streams it writes: an undeclared one cannot be written, an unknown one cannot be read.

use std::marker::PhantomData;

use serde::{Deserialize, Serialize};

use crate::Stage;
use crate::record::{DROPPED, FAILED};
use crate::table::Record;

/// A named table of a stage's output, with rows of one type.
pub struct Stream<R> {
    name: &'static str,
    row: PhantomData<fn() -> R>,
}

impl<R: Record> Stream<R> {
    /// Returns the stream of this name.
    pub const fn new(name: &'static str) -> Self {
        Self { name, row: PhantomData }
    }

    /// Returns the name, which is also that of a folder.
    pub const fn name(self) -> &'static str {
        self.name
    }

    /// Returns the stream as rows with some of its table's columns. It does not compile for another table.
    #[must_use]
    pub const fn view<V: Record>(self) -> Stream<V> {
        const { assert!(is_same(R::TABLE, V::TABLE), "a view is of the stream's own table") };
        Stream::new(self.name)
    }
}

const fn is_same(one: &str, other: &str) -> bool {
    let (one, other) = (one.as_bytes(), other.as_bytes());
    let mut index = 0;
    while index < one.len() && index < other.len() && one[index] == other[index] {
        index += 1;
    }
    index == one.len() && index == other.len()
}

impl<R> Clone for Stream<R> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<R> Copy for Stream<R> {}

impl<R: Record> std::fmt::Debug for Stream<R> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} of {}", self.name, R::TABLE)
    }
}

/// A file of a stage's output that is no table: a model, weights, scores.
#[derive(Debug, Clone, Copy)]
pub struct FileStream {
    /// The name, which is also that of a folder.
    pub name: &'static str,
    /// What the file's name ends with, without the dot.
    pub extension: &'static str,
    /// The media type.
    pub media_type: &'static str,
}

/// A stream as a plan and a manifest name it.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Declared {
    /// The name.
    pub stream: String,
    /// Record type and version, such as `document/2`; the media type for other files.
    pub table: String,
}

impl<R: Record> From<Stream<R>> for Declared {
    fn from(stream: Stream<R>) -> Self {
        Self { stream: stream.name.to_owned(), table: R::TABLE.to_owned() }
    }
}

impl From<FileStream> for Declared {
    fn from(file: FileStream) -> Self {
        Self { stream: file.name.to_owned(), table: file.media_type.to_owned() }
    }
}

/// Returns all streams of a stage, sorted: those it declares, and those of what every stage may remove.
pub fn streams_of(stage: &dyn Stage) -> Vec<Declared> {
    let mut streams = stage.streams();
    streams.extend([DROPPED.into(), FAILED.into()]);
    streams.sort();
    streams.dedup();
    streams
}
