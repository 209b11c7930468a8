//! What reading a page costs, told from its bytes before anything is made of them.
//!
//! The unit is some 20 ns of one core. Labelled pages (490 of them) cost 19 times their compressed bytes on average,
//! and the dearest 65 times.

use super::charset::GUESS_BYTES;
use super::tag::is_block;

/// What every page costs.
const PAGE: u64 = 2_048;
/// What a byte of text costs.
const BYTE: u64 = 2;
/// What a tag costs, and an attribute: making its node takes longer than reading its name.
const TAG: u64 = 32;
/// What a block costs beside its tag: it is judged by itself.
const BLOCK: u64 = 160;
/// What a character reference costs.
const REFERENCE: u64 = 48;

/// Bytes of a name that can be that of a block.
const NAME_BYTES_MAX: usize = 16;

/// Returns what reading a page costs.
pub(crate) fn cost(html: &[u8]) -> u64 {
    let bytes = html.len() as u64;
    // The charset of a page that is not UTF-8 may have to be guessed.
    let guessed = if std::str::from_utf8(html).is_ok() { 0 } else { bytes.min(GUESS_BYTES as u64) };
    let of_markup = |at: usize| match html[at] {
        b'&' => REFERENCE,
        b'<' if begins_block(&html[at + 1..]) => TAG + BLOCK,
        _ => TAG,
    };
    PAGE + BYTE * (bytes + guessed) + memchr::memchr3_iter(b'<', b'=', b'&', html).map(of_markup).sum::<u64>()
}

/// Tells a tag that begins a block by what follows its bracket.
fn begins_block(rest: &[u8]) -> bool {
    let is_name = |byte: &&u8| byte.is_ascii_alphanumeric() || **byte == b'-';
    let length = rest.iter().take(NAME_BYTES_MAX).take_while(is_name).count();
    let mut name = [0; NAME_BYTES_MAX];
    name[..length].copy_from_slice(&rest[..length]);
    name.make_ascii_lowercase();
    length > 0 && std::str::from_utf8(&name[..length]).is_ok_and(is_block)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn blocks_cost_more_than_tags_and_those_more_than_text() {
        for (html, expected) in [
            ("", 0),
            ("text", 4 * BYTE),
            ("<b>x</b>", 8 * BYTE + 2 * TAG),
            ("<P>x", 4 * BYTE + TAG + BLOCK),
            ("<x-y>x</x-y>", 12 * BYTE + 2 * TAG + BLOCK),
            ("<a href=x>", 10 * BYTE + 2 * TAG),
            ("a &amp; b <", 11 * BYTE + REFERENCE + TAG),
        ] {
            assert_eq!(cost(html.as_bytes()), PAGE + expected, "{html}");
        }
        assert_eq!(cost(&[0xe9; 100]), PAGE + 2 * 100 * BYTE);
    }
}
