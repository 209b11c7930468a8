//! WARC (ISO 28500) and ARC as crawls write them: plain, gzip or zstd with a member per record
//! or per file, lz4.
//!
//! ```text
//! header   Header    the named fields of a record
//! arc      header    the line before a document of an ARC file, as such fields
//! format   Format    where a record begins, in either of them
//! input    Input     bytes that can be looked at ahead, and given back
//! reader   Reader    records and damages, each with its position
//! http     Response  the HTTP message within a response record
//! coding             its body, with chunks and compression undone
//! ```
//!
//! Damage is data: a reader yields what is wrong and where, and goes on at the next place
//! that opens a record; a length that contradicts what follows is a damage too. Only the transport's errors end it.

mod arc;
pub(crate) mod coding;
mod format;
mod header;
mod http;
mod input;
mod reader;

pub use header::{Header, RecordKind};
pub use http::{BODY_BYTES_MAX, HttpFault, Response};
pub use reader::{BLOCK_BYTES_MAX, Damage, Entry, HEADER_BYTES_MAX, Reader, Record};

#[cfg(test)]
mod tests;
