//! fastText classifiers: models are read, and asked for the labels of a text.
//!
//! ```text
//! source       Source       little-endian numbers, never more than the file has
//! settings     Settings     the head of a model file
//! dictionary   Dictionary   words and labels; a text -> rows
//! matrix       Matrix       dense or product-quantised weights
//! head         Head         a vector -> labels: softmax, logistic, Huffman tree
//! train        Trainer      examples -> a model
//! ```
//!
//! A text's vector is the mean of the input matrix's rows for its words, their character n-grams
//! and its word n-grams (Joulin et al. 2016, "Bag of Tricks for Efficient Text Classification";
//! quantised models: Joulin et al. 2016, "FastText.zip"). The file format is that of fastText
//! 0.9: versions 11 and 12, `.bin` and `.ftz`. This is our own code because the heart of language
//! identification, a quantised model with a hierarchical softmax, must agree with fastText to the
//! last label; `tests/golden/fasttext.py` makes what it is tested with.

mod dictionary;
mod head;
mod matrix;
mod settings;
mod source;
#[cfg(test)]
mod tests;
pub mod train;

use std::fs::File;
use std::io::{BufReader, Read};
use std::path::Path;

use dictionary::{Dictionary, Lines};
use head::{Best, Head};
use matrix::Matrix;
pub use settings::{Loss, Settings};
use source::Source;

/// Bytes of a model file at most.
pub const MODEL_BYTES_MAX: u64 = 16 << 30;

/// Why a model cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The file cannot be read, or ends early.
    #[error("the model cannot be read: {0}")]
    Io(#[from] std::io::Error),
    /// The file is not a fastText classifier, or one that contradicts itself.
    #[error("the model {0}")]
    Format(String),
}

impl Error {
    fn format(detail: impl Into<String>) -> Self {
        Self::Format(detail.into())
    }
}

type Result<T> = std::result::Result<T, Error>;

/// A label that a model gives a text.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Prediction<'m> {
    /// The label, with its prefix (`__label__en`).
    pub label: &'m str,
    /// Its probability as fastText's Python package states it: up to 1e-5 above one.
    pub probability: f32,
}

/// A model in memory; threads share it.
#[derive(Debug)]
pub struct Model {
    settings: Settings,
    dictionary: Dictionary,
    input: Matrix,
    output: Matrix,
    head: Head,
}

/// Memory of a prediction, to be reused for the next.
#[derive(Debug, Default)]
pub struct Scratch {
    lines: Lines,
    vector: Vec<f32>,
    scores: Vec<f32>,
}

impl Model {
    /// Reads a model file.
    ///
    /// # Errors
    /// When the file cannot be read, is larger than [`MODEL_BYTES_MAX`], or is not a supervised
    /// model whose parts fit each other.
    pub fn open(path: &Path) -> Result<Self> {
        let file = File::open(path)?;
        let bytes = file.metadata()?.len();
        Self::read(BufReader::new(file), bytes)
    }

    /// Reads a model of `bytes` bytes; memory is a small multiple of them.
    ///
    /// # Errors
    /// As [`Self::open`].
    pub fn read(reader: impl Read, bytes: u64) -> Result<Self> {
        if bytes > MODEL_BYTES_MAX {
            return Err(Error::format(format!("has {bytes} bytes, at most {MODEL_BYTES_MAX} are read")));
        }
        let source = &mut Source::new(reader, bytes);
        let settings = Settings::read(source)?;
        let dictionary = Dictionary::read(source, &settings)?;
        let quantised = source.bool()?;
        if dictionary.is_pruned() && !quantised {
            return Err(Error::format("is pruned but not quantised, which early versions wrote wrongly"));
        }
        let input = Matrix::read(source, quantised, settings.dimension)?;
        let quantised_output = source.bool()?;
        let output = Matrix::read(source, quantised && quantised_output, settings.dimension)?;
        Self::of_parts(settings, dictionary, input, output)
    }

    fn of_parts(settings: Settings, dictionary: Dictionary, input: Matrix, output: Matrix) -> Result<Self> {
        let (rows, labels) = (input.rows() as u64, dictionary.labels());
        if rows < dictionary.row_count() {
            return Err(Error::format(format!(
                "has {rows} rows for {} words and n-grams",
                dictionary.row_count()
            )));
        }
        if output.rows() != labels.len() {
            return Err(Error::format(format!("has {} rows for {} labels", output.rows(), labels.len())));
        }
        let head = Head::new(settings.loss, labels);
        Ok(Self { settings, dictionary, input, output, head })
    }

    /// Returns the settings.
    pub fn settings(&self) -> &Settings {
        &self.settings
    }

    /// Returns all labels, the most frequent in training first.
    pub fn labels(&self) -> impl Iterator<Item = &str> {
        self.dictionary.labels().iter().map(|label| label.name.as_str())
    }

    /// Returns the `count_max` most probable labels of a text, best first, that have at least
    /// `probability_min`: what Python's `predict(text, k, threshold)` returns for the text with
    /// spaces for line ends. A text in which the model knows nothing has none.
    pub fn predict(
        &self,
        text: &str,
        count_max: usize,
        probability_min: f32,
        scratch: &mut Scratch,
    ) -> Vec<Prediction<'_>> {
        self.dictionary.rows_of(text, &mut scratch.lines);
        if scratch.lines.rows.is_empty() {
            return Vec::new();
        }
        self.embed(scratch);
        let mut best = Best::new(count_max, probability_min);
        self.head.predict(&self.output, &scratch.vector, &mut scratch.scores, &mut best);
        let labels = self.dictionary.labels();
        let found = best.found.iter();
        found
            .map(|(score, label)| Prediction {
                label: &labels[*label as usize].name,
                probability: score.exp(),
            })
            .collect()
    }

    /// Computes the mean of the text's rows.
    fn embed(&self, scratch: &mut Scratch) {
        let Scratch { lines, vector, .. } = scratch;
        vector.clear();
        vector.resize(self.settings.dimension as usize, 0.0);
        lines.rows.iter().for_each(|row| self.input.add_row(*row as usize, vector));
        let share = 1.0 / lines.rows.len() as f32;
        vector.iter_mut().for_each(|number| *number *= share);
    }
}
