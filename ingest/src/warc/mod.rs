//! WARC (ISO 28500) and ARC as crawls write them: plain, gzip or zstd with a member per record
//! or per file, lz4.
//!
//! ```text
//! source   Source    a file's bytes; lz4 undone
//! window   Window    bytes with a memory, so that a reader can step back
//! member   Member    decoders of one gzip or zstd member at a time
//! stream   Stream    records' bytes: plain, or the members of a file, with resynchronisation
//! header   Header    the named fields of a record
//! arc      header    the line before a document of an ARC file, as such fields
//! reader   Reader    records and damages, each with its position
//! http     Response  the HTTP message within a response record, decoded
//! ```
//!
//! Damage is data: a reader yields what is wrong and where, and goes on at the next place
//! that opens a record. Only the transport's errors end it.

mod arc;
mod header;
mod http;
mod member;
mod reader;
mod source;
mod stream;
mod window;

pub use header::{Header, Kind};
pub(crate) use http::looks_like_html;
pub use http::{BODY_BYTES_MAX, HttpFault, Response};
pub use reader::{BLOCK_BYTES_MAX, Damage, Entry, HEADER_BYTES_MAX, Reader, Record};

#[cfg(test)]
mod tests;
