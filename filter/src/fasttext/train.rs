//! Training of a classifier: what `fasttext supervised` does with the softmax loss.
//!
//! One thread, in an order that the seed decides, so that the same examples give the same model.
//! fastText's own training on several threads gives another model at each run.

use std::collections::HashMap;
use std::io::Write;

use corpus::random;
use rand::RngExt;
use rand::seq::SliceRandom;

use super::dictionary::{Dictionary, Label, Lines, tokens};
use super::head::softmax;
use super::matrix::{Dense, Matrix, dot};
use super::settings::{Loss, Settings};
use super::{Error, Model, Result};

/// What fastText takes for labels, which are no words of a text.
const LABEL_PREFIX: &str = "__label__";
/// Weights of the input matrix at most: 8 GiB.
const WEIGHTS_MAX: u64 = 1 << 31;
/// Random streams: the first weights, and the order of the examples in an epoch.
const WEIGHTS_STREAM: &str = "fasttext.weights";
const ORDER_STREAM: &str = "fasttext.order";

/// A text and its label.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Example<'e> {
    /// The label, without its prefix (`good`).
    pub label: &'e str,
    /// The text; line ends are spaces.
    pub text: &'e str,
}

/// How a classifier is trained; the defaults are those of `fasttext supervised`.
#[derive(Debug, Clone, PartialEq)]
pub struct Trainer {
    /// Numbers in a vector.
    pub dimension: u32,
    /// Rows shared by all n-grams.
    pub buckets: u32,
    /// Words of a word n-gram at most; 1 is none.
    pub word_ngrams: u32,
    /// Characters of a character n-gram at least.
    pub char_ngram_min: u32,
    /// Characters of a character n-gram at most; 0 is none.
    pub char_ngram_max: u32,
    /// Occurrences that make a word one of the dictionary.
    pub count_min: u64,
    /// Passes over the examples.
    pub epochs: u32,
    /// The learning rate at the beginning; it falls to zero in a line.
    pub rate: f32,
    /// The seed of the first weights and of the order.
    pub seed: u64,
}

impl Default for Trainer {
    fn default() -> Self {
        Self {
            dimension: 100,
            buckets: 2_000_000,
            word_ngrams: 1,
            char_ngram_min: 0,
            char_ngram_max: 0,
            count_min: 1,
            epochs: 5,
            rate: 0.1,
            seed: 0,
        }
    }
}

/// A model that has just been trained, which alone can be written.
#[derive(Debug)]
pub struct Trained {
    /// The model.
    pub model: Model,
    /// Occurrences of the words, in the dictionary's order.
    counts: Vec<u64>,
    tokens: u64,
}

impl Trained {
    /// Writes the model as fastText does (`.bin`, version 12).
    ///
    /// # Errors
    /// When the file cannot be written.
    pub fn write(&self, out: &mut impl Write) -> Result<()> {
        let Model { settings, dictionary, input, output, .. } = &self.model;
        settings.write(out)?;
        dictionary.write(&self.counts, self.tokens, out)?;
        for matrix in [input, output] {
            // Neither matrix is quantised: each says so before it begins.
            out.write_all(&[0])?;
            if let Matrix::Dense(dense) = matrix {
                dense.write(out)?;
            }
        }
        Ok(out.flush()?)
    }
}

impl Trainer {
    /// Trains a classifier on examples in memory. The model takes 4 bytes for each number of each
    /// word and bucket.
    ///
    /// # Errors
    /// When the settings are out of bounds, there is no example, a label cannot be written as one
    /// word, or the rate is so high that weights are no longer numbers.
    pub fn train(&self, examples: &[Example<'_>]) -> Result<Trained> {
        let settings = self.settings();
        settings.validate().map_err(Error::format)?;
        let Vocabulary { words, counts, labels, tokens } = Vocabulary::count(examples, self.count_min)?;
        let dictionary = Dictionary::new(words, labels, settings.clone());
        let columns = self.dimension as usize;
        if dictionary.row_count().saturating_mul(columns as u64) > WEIGHTS_MAX {
            return Err(Error::format(format!("would have more than {WEIGHTS_MAX} weights")));
        }
        let mut descent = Descent {
            input: self.first_weights(dictionary.row_count() as usize * columns),
            output: Dense { columns, weights: vec![0.0; dictionary.labels().len() * columns] },
            hidden: vec![0.0; columns],
            gradient: vec![0.0; columns],
            scores: Vec::new(),
        };
        self.descend(examples, &dictionary, &mut descent);
        let Descent { input, output, .. } = descent;
        if !input.weights.iter().chain(&output.weights).all(|weight| weight.is_finite()) {
            return Err(Error::format("diverged in training: lower the rate"));
        }
        let model = Model::of_parts(settings, dictionary, Matrix::Dense(input), Matrix::Dense(output))?;
        Ok(Trained { model, counts, tokens })
    }

    fn settings(&self) -> Settings {
        Settings {
            dimension: self.dimension,
            loss: Loss::Softmax,
            buckets: self.buckets,
            word_ngrams: self.word_ngrams,
            char_ngram_min: self.char_ngram_min,
            char_ngram_max: self.char_ngram_max,
        }
    }

    /// Returns the input matrix before training: uniform within one over the dimension.
    fn first_weights(&self, count: usize) -> Dense {
        let bound = 1.0 / self.dimension as f32;
        let mut generator = random::generator(self.seed, WEIGHTS_STREAM, 0);
        let weights = (0..count).map(|_| (generator.random::<f32>() * 2.0 - 1.0) * bound).collect();
        Dense { columns: self.dimension as usize, weights }
    }

    fn descend(&self, examples: &[Example<'_>], dictionary: &Dictionary, descent: &mut Descent) {
        let places: HashMap<&str, usize> =
            dictionary.labels().iter().map(|l| l.name.as_str()).zip(0..).collect();
        let targets: Vec<_> =
            examples.iter().map(|e| places.get(label_of(e.label).as_str()).copied()).collect();
        let steps = u64::from(self.epochs) * examples.len() as u64;
        let (mut step, mut lines) = (0_u64, Lines::default());
        for epoch in 0..self.epochs {
            let mut order: Vec<usize> = (0..examples.len()).collect();
            order.shuffle(&mut random::generator(self.seed, ORDER_STREAM, u64::from(epoch)));
            for index in order {
                let rate = self.rate * (1.0 - step as f64 / steps as f64) as f32;
                step += 1;
                dictionary.rows_of(examples[index].text, &mut lines);
                if let Some(target) = targets[index].filter(|_| !lines.rows.is_empty()) {
                    descent.step(&lines.rows, target, rate);
                }
            }
        }
    }
}

/// Stochastic gradient descent, an example at a time (`Model::update` and `SoftmaxLoss::forward`).
#[derive(Debug)]
struct Descent {
    input: Dense,
    output: Dense,
    hidden: Vec<f32>,
    gradient: Vec<f32>,
    scores: Vec<f32>,
}

impl Descent {
    fn step(&mut self, rows: &[u32], target: usize, rate: f32) {
        let Self { input, output, hidden, gradient, scores } = self;
        let share = 1.0 / rows.len() as f32;
        hidden.fill(0.0);
        rows.iter().for_each(|row| add(hidden, input.row(*row as usize), 1.0));
        hidden.iter_mut().for_each(|number| *number *= share);
        let labels = output.weights.len() / output.columns;
        scores.clear();
        scores.extend((0..labels).map(|label| dot(hidden, output.row(label))));
        softmax(scores);
        gradient.fill(0.0);
        for (label, probability) in scores.iter().enumerate() {
            let alpha = rate * (f32::from(u8::from(label == target)) - probability);
            add(gradient, output.row(label), alpha);
            add(output.row_mut(label), hidden, alpha);
        }
        rows.iter().for_each(|row| add(input.row_mut(*row as usize), gradient, share));
    }
}

/// Adds a multiple of one vector to another.
fn add(sum: &mut [f32], vector: &[f32], factor: f32) {
    sum.iter_mut().zip(vector).for_each(|(sum, number)| *sum += factor * number);
}

/// The words and labels of examples, the most frequent first.
#[derive(Debug)]
struct Vocabulary {
    words: Vec<Vec<u8>>,
    counts: Vec<u64>,
    labels: Vec<Label>,
    tokens: u64,
}

impl Vocabulary {
    fn count(examples: &[Example<'_>], count_min: u64) -> Result<Self> {
        let (mut words, mut labels) = (HashMap::<&[u8], u64>::new(), HashMap::<&str, u64>::new());
        let mut token_count = 0;
        for example in examples {
            let is_word = |token: &&[u8]| !token.starts_with(LABEL_PREFIX.as_bytes());
            for token in tokens(example.text).filter(is_word) {
                *words.entry(token).or_default() += 1;
                token_count += 1;
            }
            *labels.entry(example.label).or_default() += 1;
        }
        if examples.is_empty() {
            return Err(Error::format("has nothing to be trained on"));
        }
        if let Some(label) = labels.keys().find(|label| tokens(label).next() != Some(label.as_bytes())) {
            return Err(Error::format(format!("cannot have the label {label:?}: it must be one word")));
        }
        words.retain(|_, count| *count >= count_min);
        let words = by_falling_count(words);
        let labels = by_falling_count(labels).into_iter();
        Ok(Self {
            counts: words.iter().map(|(_, count)| *count).collect(),
            words: words.into_iter().map(|(word, _)| word.to_vec()).collect(),
            labels: labels.map(|(label, count)| Label { name: label_of(label), count }).collect(),
            tokens: token_count,
        })
    }
}

fn label_of(label: &str) -> String {
    format!("{LABEL_PREFIX}{label}")
}

/// Sorts by falling count, and equal counts by the key, so that the order is always the same.
fn by_falling_count<K: Ord + Copy>(counts: HashMap<K, u64>) -> Vec<(K, u64)> {
    let mut counts: Vec<_> = counts.into_iter().collect();
    counts.sort_unstable_by_key(|(key, count)| (std::cmp::Reverse(*count), *key));
    counts
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use std::path::PathBuf;

    use super::*;
    use crate::fasttext::Scratch;

    const ARTICLE: [(&str, &str); 4] = [
        ("en", "All human beings are born free and equal in dignity and rights"),
        ("de", "Alle Menschen sind frei und gleich an Würde und Rechten geboren"),
        ("ru", "Все люди рождаются свободными и равными в своем достоинстве и правах"),
        ("ja", "すべての 人間は 生まれながらにして 自由であり かつ 尊厳と 権利とについて 平等である"),
    ];

    fn trainer() -> Trainer {
        Trainer {
            dimension: 7,
            buckets: 500,
            word_ngrams: 2,
            char_ngram_min: 2,
            char_ngram_max: 3,
            epochs: 100,
            rate: 0.5,
            ..Trainer::default()
        }
    }

    /// Parts of the articles: five words each, from every word on.
    fn parts() -> Vec<(&'static str, String)> {
        let parts = ARTICLE.iter().flat_map(|(label, text)| {
            let words: Vec<_> = text.split(' ').collect();
            let windows: Vec<_> = words.windows(5).map(|words| (*label, words.join("\n"))).collect();
            windows
        });
        parts.collect()
    }

    fn train(trainer: &Trainer) -> Trained {
        let parts = parts();
        let examples: Vec<_> = parts.iter().map(|(label, text)| Example { label, text }).collect();
        trainer.train(&examples).unwrap()
    }

    fn written(trained: &Trained) -> Vec<u8> {
        let mut bytes = Vec::new();
        trained.write(&mut bytes).unwrap();
        bytes
    }

    #[test]
    fn a_trained_model_tells_its_labels() {
        let trained = train(&trainer());
        for (label, text) in ARTICLE {
            let best = trained.model.predict(text, 1, 0.0, &mut Scratch::default())[0];
            assert_eq!(best.label, format!("__label__{label}"));
            assert!(best.probability > 0.8, "{best:?}");
        }
    }

    #[test]
    fn the_same_seed_gives_the_same_model_and_another_another() {
        let one = written(&train(&trainer()));
        assert_eq!(one, written(&train(&trainer())));
        assert_ne!(one, written(&train(&Trainer { seed: 1, ..trainer() })));
    }

    #[test]
    fn what_is_written_is_read_as_the_same_model() {
        for trainer in [trainer(), Trainer { word_ngrams: 1, char_ngram_max: 0, ..trainer() }] {
            let trained = train(&trainer);
            let bytes = written(&trained);
            let model = Model::read(bytes.as_slice(), bytes.len() as u64).unwrap();
            assert_eq!(model.settings(), trained.model.settings());
            for (_, text) in ARTICLE {
                let scratch = &mut Scratch::default();
                let expected = trained.model.predict(text, 4, 0.0, scratch);
                assert_eq!(model.predict(text, 4, 0.0, scratch), expected);
            }
        }
    }

    /// Writes `trained.bin`, of which `tests/golden/fasttext.py` asks fastText itself.
    #[test]
    #[ignore = "writes the golden model"]
    fn the_golden_model_is_written() {
        let golden = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../tests/golden/fasttext");
        std::fs::write(golden.join("trained.bin"), written(&train(&trainer()))).unwrap();
    }

    #[test]
    fn impossible_training_is_refused() {
        let refused =
            |trainer: Trainer, examples: &[Example<'_>]| trainer.train(examples).unwrap_err().to_string();
        let example = Example { label: "good", text: "a b" };
        assert!(refused(trainer(), &[]).contains("nothing to be trained on"));
        assert!(
            refused(trainer(), &[Example { label: "very good", ..example }]).contains("must be one word")
        );
        assert!(refused(Trainer { buckets: 0, ..trainer() }, &[example]).contains("no buckets"));
        let vast = Trainer { buckets: 1 << 30, dimension: 300, ..trainer() };
        assert!(refused(vast, &[example]).contains("more than"));
        let (good, bad) = (example, Example { label: "bad", text: "a c" });
        let wild = Trainer { rate: 1e30, ..trainer() };
        assert!(refused(wild, &[good, bad, good, bad]).contains("diverged"));
    }
}
