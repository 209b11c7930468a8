//! A compressed file whose first bytes are damaged: told by a member that follows them.

use memchr::memmem;

use super::member::{Coding, Member, WINDOW_LOG_DEFAULT};
use crate::container;

/// Bytes in which the first sound member must begin.
pub(crate) const HIDDEN_BYTES: usize = 1 << 20;
/// Bytes of which one must be no text: no text file begins so, but in UTF-16, which hides no member.
const HEAD_BYTES: usize = 8;
/// Places that are looked at.
const PLACES_MAX: usize = 256;

/// Returns whether a file that begins so is neither text nor known to be something else.
pub(crate) fn is_binary(head: &[u8]) -> bool {
    let is_control = |byte: &u8| byte.is_ascii_control() && !byte.is_ascii_whitespace();
    head.iter().take(HEAD_BYTES).any(is_control) && container::foreign(head).is_none()
}

/// Returns the coding of the first member among the bytes that decompresses.
pub(crate) fn hidden(bytes: &[u8]) -> Option<Coding> {
    [Coding::Gzip, Coding::Zstd].into_iter().find(|coding| {
        let places = memmem::find_iter(bytes, coding.magic()).take(PLACES_MAX);
        places.filter_map(|at| bytes.get(at..)).any(|bytes| begins_member(*coding, bytes))
    })
}

fn begins_member(coding: Coding, bytes: &[u8]) -> bool {
    if !coding.is_member(bytes) {
        return false;
    }
    Member::new(coding, &[], WINDOW_LOG_DEFAULT).is_ok_and(|mut member| {
        let (output, is_sound) = member.probe(bytes);
        is_sound && !output.is_empty()
    })
}
