//! What reading a page costs, told from its bytes before anything is made of them.
//!
//! The unit is some 20 ns of one core. Labelled pages (490 of them) cost 22 times their compressed bytes on average,
//! and the dearest 75 times.

use super::charset::GUESS_BYTES;
use super::tag::{is_block, is_formatting};

/// What every page costs.
const PAGE: u64 = 2_048;
/// What a byte of ASCII costs, and what any other: they are decoded, and looked up in tables.
const ASCII: u8 = 2;
const OTHER: u8 = 4;
/// What line ends cost, which the tokenizer takes one by one; slashes, which may be many in a tag; and NUL, which is
/// an error each time.
const LINE_END: u8 = 8;
const SLASH: u8 = 10;
const NUL: u8 = 16;
/// What a tag costs, and an attribute: making its node takes longer than reading its name.
const TAG: u8 = 40;
/// What a character reference costs.
const REFERENCE: u8 = 50;
/// What a block costs beside its tag: it is judged by itself. Where one ends, another may begin.
const BLOCK: u64 = 160;
const BLOCK_END: u64 = 64;
/// What each open element of formatting costs in a block: it is made again there. So many are made at most.
const FORMATTING: u64 = 40;
const FORMATTING_MAX: u64 = 16;

/// Bytes of a name that can be that of a block.
const NAME_BYTES_MAX: usize = 16;

/// What each byte costs.
const BYTES: [u8; 256] = {
    let mut costs = [ASCII; 256];
    let mut byte = 0x80;
    while byte < costs.len() {
        costs[byte] = OTHER;
        byte += 1;
    }
    costs[0] = NUL;
    costs[b'\n' as usize] = LINE_END;
    costs[b'\r' as usize] = LINE_END;
    costs[b'/' as usize] = SLASH;
    costs[b'<' as usize] = TAG;
    costs[b'=' as usize] = TAG;
    costs[b'&' as usize] = REFERENCE;
    costs
};

/// Returns what reading a page costs; of one above `most` no more than that it is.
pub(crate) fn cost(html: &[u8], most: u64) -> u64 {
    let bytes: u64 = html.iter().map(|byte| u64::from(BYTES[usize::from(*byte)])).sum();
    // The charset of a page that is not UTF-8 may have to be guessed.
    let is_utf8 = std::str::from_utf8(html).is_ok();
    let guessed = if is_utf8 { 0 } else { u64::from(OTHER) * html.len().min(GUESS_BYTES) as u64 };
    match PAGE + bytes + guessed {
        cost if cost > most => cost,
        cost => cost + of_blocks(html),
    }
}

/// Returns what blocks cost, and the formatting that is open where they begin.
fn of_blocks(html: &[u8]) -> u64 {
    let (mut cost, mut open) = (0, 0_u64);
    for at in memchr::memchr_iter(b'<', html) {
        let rest = &html[at + 1..];
        let (is_end, rest) = rest.strip_prefix(b"/").map_or((false, rest), |rest| (true, rest));
        let mut name = [0; NAME_BYTES_MAX];
        let name = name_of(rest, &mut name);
        match (is_end, is_formatting(name)) {
            (false, true) => open += 1,
            (true, true) => open = open.saturating_sub(1),
            (true, false) if is_block(name) => cost += BLOCK_END,
            (false, false) if is_block(name) => cost += BLOCK + FORMATTING * open.min(FORMATTING_MAX),
            _ => {}
        }
    }
    cost
}

/// Returns the name of a tag by what follows its bracket, in small letters.
fn name_of<'n>(rest: &[u8], name: &'n mut [u8; NAME_BYTES_MAX]) -> &'n str {
    let is_name = |byte: &&u8| byte.is_ascii_alphanumeric() || **byte == b'-';
    let length = rest.iter().take(NAME_BYTES_MAX).take_while(is_name).count();
    name[..length].copy_from_slice(&rest[..length]);
    name.make_ascii_lowercase();
    std::str::from_utf8(&name[..length]).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(html: &str) -> u64 {
        cost(html.as_bytes(), u64::MAX) - PAGE
    }

    #[test]
    fn blocks_cost_more_than_tags_and_those_more_than_text() {
        let (ascii, slash, tag) = (u64::from(ASCII), u64::from(SLASH), u64::from(TAG));
        assert_eq!((of(""), of("text")), (0, 4 * ascii));
        assert_eq!(of("<b>x</b>"), 5 * ascii + slash + 2 * tag);
        assert_eq!(of("<P>x"), 3 * ascii + tag + BLOCK);
        assert_eq!(of("<x-y>x</x-y>"), 9 * ascii + slash + 2 * tag + BLOCK + BLOCK_END);
        assert_eq!(of("<a href=x>"), 8 * ascii + 2 * tag);
        assert_eq!(of("a &amp; b"), 8 * ascii + u64::from(REFERENCE));
        assert_eq!(of("é\n\0"), u64::from(2 * OTHER + LINE_END + NUL));
        assert_eq!(cost(&[0xe9; 100], u64::MAX), PAGE + 200 * u64::from(OTHER));
    }

    #[test]
    fn formatting_that_stays_open_costs_again_in_every_block() {
        let closed = of("<b>x</b><p>y");
        assert_eq!(of("<b>x<p>y") + 2 * u64::from(ASCII) + u64::from(SLASH + TAG), closed + FORMATTING);
        let blocks = |count: usize| of(&("<i>".repeat(100) + &"<p>".repeat(count)));
        assert_eq!(blocks(2) - blocks(1), blocks(1) - blocks(0));
        assert!(blocks(1) - blocks(0) > FORMATTING * FORMATTING_MAX);
    }
}
