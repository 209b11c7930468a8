//! A text's words: what stands between white space, with the marks at it.
//!
//! That is what the papers mean whose rules count words (Rae et al., arXiv 2112.11446, A.1.1). Where a script puts no
//! spaces between words (Chinese, Japanese, Thai, Lao, Khmer, Burmese), a dictionary finds them (ICU4X, the data of ICU);
//! there, too, marks belong to the word before them.

use std::sync::LazyLock;

use icu_segmenter::options::WordBreakInvariantOptions;
use icu_segmenter::{WordSegmenter, WordSegmenterBorrowed};

use crate::bits::{BLOCK_BYTES, bits};
use crate::scripts::has_unspaced;

/// Bytes of a text for each word that there is room for at first.
const WORD_BYTES: usize = 6;

static DICTIONARY: LazyLock<WordSegmenterBorrowed<'static>> =
    LazyLock::new(|| WordSegmenter::new_dictionary(WordBreakInvariantOptions::default()));

/// Returns the words in order.
pub fn words(text: &str) -> Vec<&str> {
    let mut words = Vec::with_capacity(text.len() / WORD_BYTES);
    split(text, |word| words.push(word));
    words
}

/// Returns the number of words.
pub fn count(text: &str) -> usize {
    if text.is_ascii() {
        return count_ascii(text.as_bytes());
    }
    let mut count = 0;
    split(text, |_| count += 1);
    count
}

fn count_ascii(bytes: &[u8]) -> usize {
    // Without branches, so that many bytes are looked at together.
    let is_space = |byte: &u8| u8::from(is_space(*byte));
    let first = bytes.first().map_or(0, |byte| usize::from(1 - is_space(byte)));
    let begins = |pair: (&u8, &u8)| is_space(pair.0) & (1 - is_space(pair.1));
    let blocks = bytes.chunks(128).zip(bytes.get(1..).unwrap_or_default().chunks(128));
    first + blocks.map(|(a, b)| usize::from(a.iter().zip(b).map(begins).sum::<u8>())).sum::<usize>()
}

/// Returns true if and only if a byte is white space of ASCII.
fn is_space(byte: u8) -> bool {
    (byte.wrapping_sub(b'\t') < 5) | (byte == b' ')
}

fn split<'t>(text: &'t str, mut push: impl FnMut(&'t str)) {
    if text.is_ascii() {
        return split_ascii(text, push);
    }
    let has_unspaced = has_unspaced(text);
    split_ascii(text, |run| match run.is_ascii() {
        true => push(run),
        false => {
            run.split_whitespace().for_each(|run| match has_unspaced && crate::scripts::has_unspaced(run) {
                true => segment(run, &mut push),
                false => push(run),
            })
        }
    });
}

/// Splits at white space of ASCII.
fn split_ascii<'t>(text: &'t str, mut push: impl FnMut(&'t str)) {
    let (mut begin, mut is_within) = (0, 0_u64);
    for (place, block) in text.as_bytes().chunks(BLOCK_BYTES).enumerate() {
        // Bytes beyond the last one are none of a word.
        let words = !bits(block, is_space) & (u64::MAX >> (BLOCK_BYTES - block.len()));
        let mut changes = words ^ (words << 1 | is_within);
        is_within = words >> 63;
        while changes != 0 {
            let at = place * BLOCK_BYTES + changes.trailing_zeros() as usize;
            match text.as_bytes().get(at).is_some_and(|byte| !is_space(*byte)) {
                true => begin = at,
                false => push(&text[begin..at]),
            }
            changes &= changes - 1;
        }
    }
    if is_within == 1 {
        push(&text[begin..]);
    }
}

/// Splits a run without white space by the dictionary; marks stay with the word before them, the first with the first.
fn segment<'t>(run: &'t str, push: &mut impl FnMut(&'t str)) {
    let (mut begin, mut end, mut has_word) = (0, 0, false);
    for (boundary, kind) in DICTIONARY.segment_str(run).iter_with_word_type() {
        if kind.is_word_like() {
            if has_word {
                push(&run[begin..end]);
                begin = end;
            }
            has_word = true;
        }
        end = boundary;
    }
    push(&run[begin..]);
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn words_are_between_spaces_and_keep_their_marks() {
        assert_eq!(
            words("“Don't”, he said --\u{A0}3.14\n\ta_b\u{3000}é "),
            ["“Don't”,", "he", "said", "--", "3.14", "a_b", "é"]
        );
        assert_eq!(words(&"a ".repeat(100)).len(), 100);
        assert_eq!(words(&"a".repeat(130)), [&"a".repeat(130)]);
    }

    #[test]
    fn scripts_without_spaces_are_segmented() {
        let cases: [(&str, &[&str]); 5] = [
            ("“这座旧桥建在河边，商人。”", &["“这", "座", "旧", "桥", "建", "在", "河", "边，", "商人。”"]),
            ("古い橋を渡って、町へ", &["古い", "橋", "を", "渡", "って、", "町", "へ"]),
            ("สะพานเก่าถูกสร้าง 12", &["สะพาน", "เก่า", "ถูก", "สร้าง", "12"]),
            ("HTML文件3个 and more", &["HTML", "文件", "3", "个", "and", "more"]),
            ("한국어 문장입니다.", &["한국어", "문장입니다."]),
        ];
        for (text, expected) in cases {
            assert_eq!(words(text), expected);
        }
    }

    proptest! {
        #[test]
        fn spaced_text_is_split_at_white_space(text in "([a-c.’é \n\u{A0}\u{2003}\u{B}-]{0,40}|x{60,70}){0,5}") {
            prop_assert_eq!(words(&text), text.split_whitespace().collect::<Vec<_>>());
            prop_assert_eq!(count(&text), text.split_whitespace().count());
        }

        #[test]
        fn nothing_but_white_space_is_lost(text in "[ a.。，“”这座旧桥建在สะพานเก่าထိုင်းかなកម្ពុជា\u{200B}\u{3000}]{0,40}") {
            let plain: String = text.split_whitespace().collect();
            prop_assert_eq!(words(&text).concat(), plain);
        }
    }
}
