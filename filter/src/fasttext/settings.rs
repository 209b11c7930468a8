//! The settings a model was trained with, as its file's head holds them.

use std::io::{Read, Write};

use super::source::Source;
use super::{Error, Result};

/// The first four bytes of a model file (`FASTTEXT_FILEFORMAT_MAGIC_INT32`).
const MAGIC: i32 = 793_712_314;
/// The version that is written now.
const VERSION: i32 = 12;
/// The version whose supervised models had no character n-grams, whatever their head says.
const VERSION_WITHOUT_NGRAMS: i32 = 11;
/// The code of a supervised model (`model_name::sup`).
const SUPERVISED: i32 = 3;
/// Numbers in a vector at most.
const DIMENSION_MAX: u32 = 1 << 14;
/// Words of a word n-gram, and characters of a character n-gram, at most.
const NGRAM_MAX: u32 = 64;

/// How probabilities are made of a text's vector (`loss_name`).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Loss {
    /// One probability at each node of a Huffman tree over the labels.
    HierarchicalSoftmax,
    /// An independent probability for each label, trained against samples of the others.
    NegativeSampling,
    /// Probabilities that sum to one.
    Softmax,
    /// An independent probability for each label.
    OneVersusAll,
}

impl Loss {
    fn from_code(code: i32) -> Result<Self> {
        match code {
            1 => Ok(Self::HierarchicalSoftmax),
            2 => Ok(Self::NegativeSampling),
            3 => Ok(Self::Softmax),
            4 => Ok(Self::OneVersusAll),
            _ => Err(Error::format(format!("has the unknown loss {code}"))),
        }
    }

    fn code(self) -> i32 {
        match self {
            Self::HierarchicalSoftmax => 1,
            Self::NegativeSampling => 2,
            Self::Softmax => 3,
            Self::OneVersusAll => 4,
        }
    }
}

/// What of a model's settings matters for a prediction.
#[derive(Debug, Clone, PartialEq)]
pub struct Settings {
    /// Numbers in a vector.
    pub dimension: u32,
    /// The loss.
    pub loss: Loss,
    /// Rows shared by all n-grams, by hash.
    pub buckets: u32,
    /// Words of a word n-gram at most; 1 is none.
    pub word_ngrams: u32,
    /// Characters of a character n-gram at least.
    pub char_ngram_min: u32,
    /// Characters of a character n-gram at most; 0 is none.
    pub char_ngram_max: u32,
}

impl Settings {
    /// Reads the head of a model file.
    pub(super) fn read(source: &mut Source<impl Read>) -> Result<Self> {
        let (magic, version) = (source.i32()?, source.i32()?);
        if magic != MAGIC {
            return Err(Error::format("does not begin like a fastText model"));
        }
        if version != VERSION && version != VERSION_WITHOUT_NGRAMS {
            return Err(Error::format(format!("has the unknown version {version}")));
        }
        let dimension = source.count32("numbers in a vector")?;
        let [_window, _epochs, _count_min, _negatives] =
            [source.i32()?, source.i32()?, source.i32()?, source.i32()?];
        let word_ngrams = source.count32("words in an n-gram")?;
        let loss = Loss::from_code(source.i32()?)?;
        let model = source.i32()?;
        let buckets = source.count32("buckets")?;
        let char_ngram_min = source.count32("characters in an n-gram")?;
        let char_ngram_max = source.count32("characters in an n-gram")?;
        let (_rate_updates, _sampling) = (source.i32()?, source.f64()?);
        if model != SUPERVISED {
            return Err(Error::format("has word vectors and no labels: it is not a classifier"));
        }
        let char_ngram_max = if version == VERSION_WITHOUT_NGRAMS { 0 } else { char_ngram_max };
        let settings = Self { dimension, loss, buckets, word_ngrams, char_ngram_min, char_ngram_max };
        settings.validate().map_err(Error::format)?;
        Ok(settings)
    }

    /// Checks the bounds.
    pub(super) fn validate(&self) -> std::result::Result<(), String> {
        if !(1..=DIMENSION_MAX).contains(&self.dimension) {
            return Err(format!("has vectors of {} numbers, at most {DIMENSION_MAX}", self.dimension));
        }
        let ngrams = self.word_ngrams.max(self.char_ngram_max);
        if ngrams > NGRAM_MAX {
            return Err(format!("has n-grams of {ngrams}, at most {NGRAM_MAX}"));
        }
        if self.has_ngrams() && self.buckets == 0 {
            return Err("has n-grams but no buckets for them".to_owned());
        }
        Ok(())
    }

    /// Writes the head of a model file; what a prediction does not need is written as fastText's
    /// defaults.
    pub(super) fn write(&self, out: &mut impl Write) -> std::io::Result<()> {
        let (window, epochs, count_min, negatives, rate_updates, sampling) = (5, 5, 1, 5, 100, 1e-4_f64);
        // Each fits: the bounds are checked where settings are made.
        let stated = |value: u32| i32::try_from(value).unwrap_or(i32::MAX);
        let head = [MAGIC, VERSION, stated(self.dimension), window, epochs, count_min, negatives];
        let shape = [stated(self.word_ngrams), self.loss.code(), SUPERVISED, stated(self.buckets)];
        let ngrams = [stated(self.char_ngram_min), stated(self.char_ngram_max), rate_updates];
        for number in head.iter().chain(&shape).chain(&ngrams) {
            out.write_all(&number.to_le_bytes())?;
        }
        out.write_all(&sampling.to_le_bytes())
    }

    /// Tells whether anything is hashed into buckets.
    pub(super) fn has_ngrams(&self) -> bool {
        self.word_ngrams > 1 || self.char_ngram_max > 0
    }
}
