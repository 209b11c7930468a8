//! Words and labels, and the rows of the input matrix that a text is the sum of.

use std::collections::HashMap;
use std::io::{Read, Write};

use super::settings::Settings;
use super::source::Source;
use super::{Error, Result};

/// What stands for a line's end (`Dictionary::EOS`).
const END: &[u8] = b"</s>";
/// What a label begins with; model files do not state it.
const LABEL_PREFIX: &[u8] = b"__label__";
/// Bytes of a word at most.
const WORD_BYTES_MAX: usize = 64 << 10;
/// A sum of label counts that fastText's Huffman tree can tell from an empty node.
pub(super) const COUNTS_MAX: u64 = 1_000_000_000_000_000;

/// The dictionary of a model.
#[derive(Debug)]
pub(super) struct Dictionary {
    /// Words, then labels; a word's index is its row.
    ids: HashMap<Box<[u8]>, u32>,
    word_count: u32,
    labels: Vec<Label>,
    /// Where a pruned model keeps the bucket of a hash; `None` where it keeps them all.
    kept_buckets: Option<HashMap<u32, u32>>,
    shape: Settings,
}

/// A label and how many training lines had it.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Label {
    pub(super) name: String,
    pub(super) count: u64,
}

/// What a text is turned into rows with; reused from text to text.
#[derive(Debug, Default)]
pub(super) struct Lines {
    /// Rows of the input matrix.
    pub(super) rows: Vec<u32>,
    hashes: Vec<i32>,
    word: Vec<u8>,
}

impl Dictionary {
    /// Makes the dictionary of a model that is to be trained: words and labels, each once.
    pub(super) fn new(words: Vec<Vec<u8>>, labels: Vec<Label>, shape: Settings) -> Self {
        let word_count = u32::try_from(words.len()).unwrap_or(u32::MAX);
        let names = labels.iter().map(|label| label.name.clone().into_bytes());
        let ids = words.into_iter().chain(names).zip(0..).map(|(word, id)| (word.into_boxed_slice(), id));
        Self { ids: ids.collect(), word_count, labels, kept_buckets: None, shape }
    }

    pub(super) fn read(source: &mut Source<impl Read>, shape: &Settings) -> Result<Self> {
        let entries = source.count32("entries")?;
        let (word_count, label_count) = (source.count32("words")?, source.count32("labels")?);
        let _tokens = source.i64()?;
        let pruned = source.i64()?;
        if u64::from(word_count) + u64::from(label_count) != u64::from(entries) || label_count == 0 {
            return Err(Error::format(format!(
                "states {word_count} words and {label_count} labels among {entries} entries"
            )));
        }
        let (mut ids, mut labels) = (HashMap::new(), Vec::new());
        for id in 0..entries {
            let word = source.string(WORD_BYTES_MAX)?;
            let count = source.count64("occurrences of a word")?;
            let is_label = source.bool()?;
            if is_label != (id >= word_count) {
                return Err(Error::format("has a label among its words"));
            }
            if is_label {
                labels.push(Label { name: String::from_utf8_lossy(&word).into_owned(), count });
            }
            ids.insert(word.into_boxed_slice(), id);
        }
        let sum = labels.iter().try_fold(0_u64, |sum, label| sum.checked_add(label.count));
        if sum.is_none_or(|sum| sum >= COUNTS_MAX) {
            return Err(Error::format("states more training lines than there can be"));
        }
        let kept_buckets = if pruned < 0 { None } else { Some(read_kept(source, pruned.unsigned_abs())?) };
        Ok(Self { ids, word_count, labels, kept_buckets, shape: shape.clone() })
    }

    /// Writes the dictionary of a model that is not pruned; `counts` are those of the words, and
    /// `tokens` all words read in training.
    pub(super) fn write(&self, counts: &[u64], tokens: u64, out: &mut impl Write) -> std::io::Result<()> {
        let mut entries: Vec<_> = self.ids.iter().collect();
        entries.sort_unstable_by_key(|(_, id)| **id);
        let label_count = self.labels.len();
        for count in [entries.len(), self.word_count as usize, label_count] {
            out.write_all(&i32::try_from(count).unwrap_or(i32::MAX).to_le_bytes())?;
        }
        out.write_all(&tokens.to_le_bytes())?;
        out.write_all(&(-1_i64).to_le_bytes())?;
        let counts = counts.iter().copied().chain(self.labels.iter().map(|label| label.count));
        for ((word, id), count) in entries.into_iter().zip(counts) {
            out.write_all(word)?;
            out.write_all(&[0])?;
            out.write_all(&count.to_le_bytes())?;
            out.write_all(&[u8::from(*id >= self.word_count)])?;
        }
        Ok(())
    }

    /// Returns the rows of the input matrix that the dictionary can name.
    pub(super) fn row_count(&self) -> u64 {
        let buckets = match &self.kept_buckets {
            Some(kept) => kept.len() as u64,
            None if self.shape.has_ngrams() => u64::from(self.shape.buckets),
            None => 0,
        };
        u64::from(self.word_count) + buckets
    }

    pub(super) fn is_pruned(&self) -> bool {
        self.kept_buckets.is_some()
    }

    pub(super) fn labels(&self) -> &[Label] {
        &self.labels
    }

    /// Finds the rows of a text, as `Dictionary::getLine` does of a line: those of its words,
    /// their character n-grams, its end, and its word n-grams. Line ends are spaces.
    pub(super) fn rows_of(&self, text: &str, lines: &mut Lines) {
        lines.rows.clear();
        lines.hashes.clear();
        for token in tokens(text) {
            let hash = hash(token);
            let id = self.ids.get(token).copied();
            let is_word = id.map_or_else(|| !token.starts_with(LABEL_PREFIX), |id| id < self.word_count);
            if is_word {
                self.push_word(token, id, lines);
                // fastText keeps these hashes as signed numbers.
                lines.hashes.push(hash.cast_signed());
            }
            if token == END {
                break;
            }
        }
        self.push_word_ngrams(lines);
    }

    fn push_word(&self, token: &[u8], id: Option<u32>, lines: &mut Lines) {
        lines.rows.extend(id);
        if token == END || self.shape.char_ngram_max == 0 {
            return;
        }
        lines.word.clear();
        lines.word.push(b'<');
        lines.word.extend_from_slice(token);
        lines.word.push(b'>');
        let Lines { rows, word, .. } = lines;
        for start in 0..word.len() {
            if !is_continuation(word[start]) {
                self.push_char_ngrams(word, start, rows);
            }
        }
    }

    /// Pushes the character n-grams that begin at `start` of a word in its brackets. A bracket
    /// alone is none.
    fn push_char_ngrams(&self, word: &[u8], start: usize, rows: &mut Vec<u32>) {
        let (mut hash, mut end) = (HASH_START, start);
        for characters in 1..=self.shape.char_ngram_max {
            if end >= word.len() {
                return;
            }
            loop {
                hash = hash_step(hash, word[end]);
                end += 1;
                if end >= word.len() || !is_continuation(word[end]) {
                    break;
                }
            }
            let is_bracket = characters == 1 && (start == 0 || end == word.len());
            if characters >= self.shape.char_ngram_min && !is_bracket {
                self.push_hash(u64::from(hash), rows);
            }
        }
    }

    fn push_word_ngrams(&self, lines: &mut Lines) {
        /// fastText's multiplier of word n-grams.
        const MULTIPLIER: u64 = 116_049_371;
        let signed = |hash: i32| i64::from(hash).cast_unsigned();
        for (start, first) in lines.hashes.iter().enumerate() {
            let mut hash = signed(*first);
            let more = (self.shape.word_ngrams as usize).saturating_sub(1);
            for next in lines.hashes.iter().skip(start + 1).take(more) {
                hash = hash.wrapping_mul(MULTIPLIER).wrapping_add(signed(*next));
                self.push_hash(hash, &mut lines.rows);
            }
        }
    }

    fn push_hash(&self, hash: u64, rows: &mut Vec<u32>) {
        // Below the number of buckets, which is a `u32` and, where there are n-grams, not zero.
        let bucket = (hash % u64::from(self.shape.buckets)) as u32;
        let kept = match &self.kept_buckets {
            None => Some(bucket),
            Some(kept) => kept.get(&bucket).copied(),
        };
        rows.extend(kept.map(|bucket| self.word_count + bucket));
    }
}

/// Reads which buckets a pruned model keeps, and where.
fn read_kept(source: &mut Source<impl Read>, count: u64) -> Result<HashMap<u32, u32>> {
    let mut kept = HashMap::new();
    for _ in 0..count {
        let (bucket, place) = (source.count32("as a bucket")?, source.count32("as a place")?);
        if u64::from(place) >= count || kept.insert(bucket, place).is_some() {
            return Err(Error::format("keeps a bucket twice, or at a place it does not have"));
        }
    }
    Ok(kept)
}

/// Returns the words of a text and its end.
pub(super) fn tokens(text: &str) -> impl Iterator<Item = &[u8]> {
    let is_separator = |byte: &u8| matches!(byte, b' ' | b'\n' | b'\r' | b'\t' | 0x0b | 0x0c | 0);
    let words = text.as_bytes().split(is_separator).filter(|word| !word.is_empty());
    words.chain(std::iter::once(END))
}

fn is_continuation(byte: u8) -> bool {
    byte & 0xC0 == 0x80
}

const HASH_START: u32 = 2_166_136_261;

/// One step of FNV-1a, with bytes as signed numbers as fastText has them.
fn hash_step(hash: u32, byte: u8) -> u32 {
    (hash ^ i32::from(byte.cast_signed()).cast_unsigned()).wrapping_mul(16_777_619)
}

fn hash(word: &[u8]) -> u32 {
    word.iter().fold(HASH_START, |hash, byte| hash_step(hash, *byte))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bytes_beyond_ascii_are_hashed_as_signed() {
        assert_eq!(hash(b""), HASH_START);
        // FNV-1a of "a" by its specification; of "é" by fastText, which differs from it.
        assert_eq!(hash(b"a"), 0xE40C_292C);
        let unsigned = |hash: u32, byte: u8| (hash ^ u32::from(byte)).wrapping_mul(16_777_619);
        assert_ne!(hash("é".as_bytes()), "é".bytes().fold(HASH_START, unsigned));
    }

    #[test]
    fn a_text_ends_in_a_token_of_its_own() {
        let found: Vec<_> = tokens("a\tb\u{b}\u{0}c \n").collect();
        assert_eq!(found, [b"a".as_slice(), b"b", b"c", END]);
        assert_eq!(tokens("").collect::<Vec<_>>(), [END]);
    }
}
