//! A small unigram model trained on the corpus at hand, for runs that are not the full one.
//!
//! Texts are normalised as KOSMOS-1's tokenizer does it: by SentencePiece's rules `nmt_nfkc`, whose compiled form,
//! `nmt_nfkc.bin`, is `data/nmt_nfkc.bin` of google/sentencepiece 0.2.3 (Apache License 2.0).
//!
//! The expectation maximisation is that of the `tokenizers` crate. Its result depends on hash
//! order and on the number of threads, both of which are taken out here: same words, same bytes.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use serde::{Deserialize, Serialize};
use tokenizers::models::unigram::{Unigram, UnigramTrainer};

use corpus::crash::caught;

use crate::tokenizer::file::{ModelFile, NormalizerSpec};
use crate::tokenizer::normalizer::Normalizer;
use crate::tokenizer::segmenter::UserDefined;
use crate::tokenizer::{PIECE_COUNT_MAX, SPACE_SYMBOL, TokenizerError};

/// Characters of a word at most: longer ones (addresses, encoded data) teach nothing.
const WORD_CHARS_MAX: usize = 64;
/// Share of all characters that get a piece of their own; the rest are unknown, as in SentencePiece.
const CHARACTER_COVERAGE: f64 = 0.9995;
/// Share of the vocabulary that single characters may take.
const ALPHABET_SHARE_MAX: f64 = 0.5;
/// Pieces that every model begins with: `<unk>`, `<s>`, `</s>`.
const FIRST_PIECES: u32 = 3;
/// The character map of `nmt_nfkc`.
const NMT_NFKC: &[u8] = include_bytes!("nmt_nfkc.bin");
/// What the trainer adds to the score of each further character that it had lost.
const LOST_CHARACTER_STEP: f64 = 0.0001;

/// How a small tokenizer is trained.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct TrainingConfig {
    /// Number of SentencePiece ids, including the first three. If the text yields fewer, the stage reports
    /// it.
    pub vocabulary_size: u32,
    /// Maximum bytes of documents to read, and the same again of captions.
    #[serde(default = "default_input_bytes_max")]
    pub input_bytes_max: u64,
}

/// Default of [`TrainingConfig::input_bytes_max`]: minutes of training on one core.
const INPUT_BYTES_MAX: u64 = 16 << 20;
/// Fewest ids that make a vocabulary.
const VOCABULARY_SIZE_MIN: u32 = 32;

fn default_input_bytes_max() -> u64 {
    INPUT_BYTES_MAX
}

impl TrainingConfig {
    /// Checks the bounds.
    ///
    /// # Errors
    /// When a value is outside its bounds; the text names the key.
    pub fn validate(&self) -> Result<(), String> {
        let sizes = VOCABULARY_SIZE_MIN..=PIECE_COUNT_MAX as u32;
        if !sizes.contains(&self.vocabulary_size) {
            return Err(format!(
                "vocabulary_size is {}, must be from {VOCABULARY_SIZE_MIN} to {PIECE_COUNT_MAX}",
                self.vocabulary_size
            ));
        }
        if self.input_bytes_max == 0 {
            return Err("input_bytes_max must be at least 1, is 0".to_owned());
        }
        Ok(())
    }
}

/// Words with their counts: what a model is trained on.
#[derive(Debug)]
pub struct Words {
    normalizer: Normalizer,
    normalized: Vec<u8>,
    counts: BTreeMap<String, u32>,
}

impl Words {
    /// Begins without words.
    ///
    /// # Errors
    /// None: the rules of normalisation are part of the program.
    pub fn new() -> Result<Self, TokenizerError> {
        let normalizer = Normalizer::new(&normalizer_spec(), Arc::new(UserDefined::none()))?;
        Ok(Self { normalizer, normalized: Vec::new(), counts: BTreeMap::new() })
    }

    /// Adds the words of a text, normalised.
    pub fn add(&mut self, text: &str) {
        self.normalized.clear();
        self.normalizer.normalize(text, &mut self.normalized);
        let text = String::from_utf8_lossy(&self.normalized);
        let is_between = |c: char| c.is_whitespace() || c.is_control() || SPACE_SYMBOL.contains(c);
        let words = text.split(is_between).filter(|word| !word.is_empty());
        for word in words.filter(|word| word.chars().count() <= WORD_CHARS_MAX) {
            match self.counts.get_mut(word) {
                Some(count) => *count = count.saturating_add(1),
                None => drop(self.counts.insert(word.to_owned(), 1)),
            }
        }
    }

    /// Returns the characters that get pieces: the most frequent ones up to the coverage.
    fn alphabet(&self, vocabulary_size: u32) -> BTreeSet<char> {
        let mut counts: BTreeMap<char, u64> = BTreeMap::new();
        for (word, count) in &self.counts {
            for c in word.chars() {
                *counts.entry(c).or_default() += u64::from(*count);
            }
        }
        let total: u64 = counts.values().sum();
        let mut by_count: Vec<(char, u64)> = counts.into_iter().collect();
        by_count.sort_by_key(|(c, count)| (std::cmp::Reverse(*count), *c));
        let (mut alphabet, mut covered) = (BTreeSet::new(), 0_u64);
        for (c, count) in
            by_count.into_iter().take((f64::from(vocabulary_size) * ALPHABET_SHARE_MAX) as usize)
        {
            if covered as f64 >= CHARACTER_COVERAGE * total as f64 {
                break;
            }
            covered += count;
            alphabet.insert(c);
        }
        alphabet
    }

    /// Returns the words as the trainer wants them, characters outside the alphabet cut out.
    fn sentences(&self, alphabet: &BTreeSet<char>) -> Vec<(String, u32)> {
        let mut sentences: BTreeMap<String, u32> = BTreeMap::new();
        for (word, count) in &self.counts {
            let marked = format!("{SPACE_SYMBOL}{word}");
            let fragments = marked.split(|c| !alphabet.contains(&c) && !SPACE_SYMBOL.contains(c));
            for fragment in fragments.filter(|fragment| !fragment.is_empty()) {
                let sum = sentences.entry(fragment.to_owned()).or_default();
                *sum = sum.saturating_add(*count);
            }
        }
        sentences.into_iter().collect()
    }
}

/// Trains a model and returns its `.model` file, which SentencePiece reads as well.
///
/// # Errors
/// When there are no words, or the trainer fails on them.
pub fn train(words: &Words, config: &TrainingConfig) -> Result<Vec<u8>, TokenizerError> {
    let failed = |detail: String| TokenizerError::Training { detail };
    let alphabet = words.alphabet(config.vocabulary_size);
    let sentences = words.sentences(&alphabet);
    if alphabet.is_empty() {
        return Err(failed("there are no words to train on".to_owned()));
    }
    let trainer = UnigramTrainer::builder()
        .show_progress(false)
        .vocab_size(config.vocabulary_size.saturating_sub(FIRST_PIECES))
        .build()
        .map_err(|error| failed(error.to_string()))?;
    // One thread: the trainer's sums are grouped by the number of threads.
    let pool =
        rayon::ThreadPoolBuilder::new().num_threads(1).build().map_err(|error| failed(error.to_string()))?;
    let mut model = Unigram::default();
    let trained = pool.install(|| caught(|| trainer.do_train(sentences, &mut model)));
    match trained {
        Ok(Ok(_)) => {}
        Ok(Err(error)) => return Err(failed(error.to_string())),
        Err(message) => return Err(failed(format!("the trainer gave up on these words: {message}"))),
    }
    let pieces = ModelFile::of_pieces(canonical(model.iter().cloned().collect()));
    Ok(ModelFile { normalizer: normalizer_spec(), ..pieces }.encode())
}

fn normalizer_spec() -> NormalizerSpec {
    NormalizerSpec { precompiled_charsmap: NMT_NFKC.to_vec(), ..NormalizerSpec::default() }
}

/// Takes the hash order out of the trainer's result.
///
/// The trainer gives characters that it lost the lowest score and adds one more step for each,
/// in hash order. Here all of them get the lowest score, and equals are sorted by their text.
fn canonical(pieces: Vec<(String, f64)>) -> Vec<(String, f32)> {
    let lowest = pieces.iter().fold(f64::MAX, |lowest, (_, score)| lowest.min(*score));
    let mut steps = BTreeSet::new();
    let mut penalty = 0.0;
    for _ in &pieces {
        steps.insert((lowest + penalty).to_bits());
        penalty += LOST_CHARACTER_STEP;
    }
    let mut pieces: Vec<(String, f32)> = pieces
        .into_iter()
        .map(|(text, score)| {
            let was_lost = text.chars().nth(1).is_none() && steps.contains(&score.to_bits());
            (text, if was_lost { lowest } else { score } as f32)
        })
        .collect();
    pieces.sort_by(|(a, a_score), (b, b_score)| b_score.total_cmp(a_score).then_with(|| a.cmp(b)));
    pieces
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use crate::tokenizer::Tokenizer;

    fn words() -> Words {
        let mut words = Words::new().unwrap();
        for size in ["small", "large", "tiny"] {
            for colour in ["red", "green", "blue", "yellow"] {
                for shape in ["circle", "square", "triangle"] {
                    words.add(&format!(
                        "A {size} {colour} {shape} on a box: what a {shape}!\nJust {size}, quite {colour}."
                    ));
                }
            }
        }
        words.add("zyx Ω");
        words
    }

    #[test]
    fn two_trainings_give_the_same_bytes() {
        let config = TrainingConfig { vocabulary_size: 90, input_bytes_max: 1 };
        let first = train(&words(), &config).unwrap();
        for _ in 0..3 {
            assert_eq!(train(&words(), &config).unwrap(), first);
        }
    }

    #[test]
    fn texts_are_normalised_as_kosmos_1_does_it() {
        let config = TrainingConfig { vocabulary_size: 90, input_bytes_max: 1 };
        let model = Tokenizer::parse(&train(&words(), &config).unwrap()).unwrap();
        assert_eq!(model.ids("ｓｍａｌｌ\u{00a0}ｒｅｄ\nﬁ\u{200b}ve"), model.ids("small red fi ve"));
        let wide = words().counts;
        let mut narrow = Words::new().unwrap();
        narrow.add("ｃｉｒｃｌｅ");
        assert!(narrow.counts.keys().all(|word| wide.contains_key(word)), "{:?}", narrow.counts);
    }

    #[test]
    fn lost_characters_have_one_order_whatever_the_hashes_say() {
        let trained = |lost: [&str; 3]| {
            let lost = lost.into_iter().zip([-9.0, -9.0 + 0.0001, -9.0 + 0.0002]);
            let kept = [("ab", -1.0), ("y", -2.0)];
            canonical(lost.chain(kept).map(|(text, score)| (text.to_owned(), score)).collect())
        };
        let expected = [("ab", -1.0), ("y", -2.0), ("q", -9.0), ("w", -9.0), ("x", -9.0)];
        let expected = expected.map(|(text, score)| (text.to_owned(), score));
        assert_eq!(trained(["q", "w", "x"]), expected);
        assert_eq!(trained(["x", "q", "w"]), expected);
    }

    #[test]
    fn a_trained_model_encodes_what_it_saw() {
        let config = TrainingConfig { vocabulary_size: 90, input_bytes_max: 1 };
        let model = Tokenizer::parse(&train(&words(), &config).unwrap()).unwrap();
        assert!(model.vocabulary().size() <= 97);
        let text = "a tiny blue square on a box";
        let ids = model.ids(text);
        assert_eq!(model.decode(&ids).unwrap(), text);
        assert!(ids.len() * 2 < text.len(), "{ids:?}");
        assert_eq!(model.ids("漢字"), [ids_of_space(&model), 0]);
    }

    fn ids_of_space(model: &Tokenizer) -> u32 {
        *model.ids("漢").first().unwrap()
    }

    #[test]
    fn a_vocabulary_is_never_larger_than_asked() {
        let mut words = words();
        words.add(&('一'..'龥').step_by(7).map(|c| format!("{c} ")).collect::<String>());
        let config = TrainingConfig { vocabulary_size: 60, input_bytes_max: 1 };
        let model = Tokenizer::parse(&train(&words, &config).unwrap()).unwrap();
        assert!(model.vocabulary().size() <= 67, "{}", model.vocabulary().size());
    }

    #[test]
    fn bounds_and_defaults_are_the_documented_ones() {
        let config: TrainingConfig = serde_json::from_str(r#"{"vocabulary_size": 32}"#).unwrap();
        assert_eq!(config, TrainingConfig { vocabulary_size: 32, input_bytes_max: 16 << 20 });
        assert_eq!(config.validate(), Ok(()));
        let sized = |vocabulary_size| TrainingConfig { vocabulary_size, ..config.clone() }.validate();
        assert!(sized(31).unwrap_err().starts_with("vocabulary_size is 31, must be from 32"));
        assert_eq!(sized(PIECE_COUNT_MAX as u32), Ok(()));
        assert!(sized(PIECE_COUNT_MAX as u32 + 1).is_err());
        assert!(TrainingConfig { input_bytes_max: 0, ..config.clone() }.validate().is_err());
        assert!(serde_json::from_str::<TrainingConfig>("{}").is_err());
    }

    #[test]
    fn nothing_to_train_on_is_an_error() {
        let config = TrainingConfig { vocabulary_size: 60, input_bytes_max: 1 };
        let error = train(&Words::new().unwrap(), &config).unwrap_err();
        assert!(matches!(error, TokenizerError::Training { .. }));
    }
}
