//! Compressed files, read past their damage: gzip and zstd member by member, lz4, xz and bzip2 as one piece.
//!
//! ```text
//! full      Full       reads that do not depend on how the transport cuts them
//! source    Source     a file's bytes; lz4, xz and bzip2 undone
//! hidden    hidden     a compressed file, told by a member behind its damaged beginning
//! window    Window     bytes with a memory, so that a reader can step back
//! member    Member     decoders of one gzip or zstd member at a time
//! stream    Stream     a plain file, or the members of a compressed one, with resynchronisation
//! unpacked  Unpacked   the same as one sequence of bytes, for readers of rows, whose number is bounded
//! ```

mod full;
mod hidden;
mod member;
mod source;
mod stream;
mod unpacked;
mod window;

pub(crate) use full::Full;
pub(crate) use member::{Coding, WINDOW_LOG_DEFAULT};
pub(crate) use stream::{Corrupt, ReadError, Stream};
pub(crate) use unpacked::{Metered, Unpacked};

/// Returns true if and only if a file that begins so is compressed.
pub(crate) fn is_packed(head: &[u8]) -> bool {
    member::Coding::of(head).is_some() || source::is_whole_packed(head)
}

/// Returns true if a file that begins so was compressed, and its very first bytes are damaged.
pub(crate) fn is_packed_behind(head: &[u8]) -> bool {
    hidden::is_binary(head) && hidden::hidden(head).is_some()
}
