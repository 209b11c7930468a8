//! WARC (ISO 28500) as crawls write it: plain, or gzip with a member per record or per file.
//!
//! ```text
//! window   Window    bytes of a file with a memory, so that a reader can step back
//! stream   Stream    records' bytes: plain, or the members of a gzip file, with resynchronisation
//! header   Header    the named fields of a record
//! reader   Reader    records and damages, each with its position
//! http     Response  the HTTP message within a response record, decoded
//! ```
//!
//! Damage is data: a reader yields what is wrong and where, and goes on at the next place
//! that opens a record. Only the transport's errors end it.

mod header;
mod http;
mod reader;
mod stream;
mod window;

pub use header::Header;
pub(crate) use http::looks_like_html;
pub use http::{BODY_BYTES_MAX, HttpFault, Response};
pub use reader::{BLOCK_BYTES_MAX, Damage, Entry, HEADER_BYTES_MAX, Reader, Record};

#[cfg(test)]
mod tests;
