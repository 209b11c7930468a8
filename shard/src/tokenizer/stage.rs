//! The stage `tokenizer`: takes the model it is given, or trains a small one.

use std::io::Read;
use std::path::{Path, PathBuf};

use bytes::Bytes;
use corpus::digest::Digest;
use corpus::record::{DOCUMENTS, Document, PAIRS, Pair};
use corpus::table::Record;
use corpus::{Declared, Error, FileStream, Inputs, Lazy, Output, Result, Split, Stage, Stream, Task};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::tokenizer::{MODEL_BYTES_MAX, Tokenizer, TrainingConfig, Words, train};

/// The `.model` file.
pub const TOKENIZER_MODEL: FileStream =
    FileStream { name: "model", extension: "model", media_type: "application/x-sentencepiece-model" };
/// Records between two looks at whether to stop.
const CANCEL_RECORDS: u64 = 1_024;

/// Source of the tokenizer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum TokenizerConfig {
    /// A SentencePiece `.model` file, or a Hugging Face `tokenizer.json`. KOSMOS-1's is
    /// `kosmos-2/data/sentencepiece.bpe.model` in microsoft/unilm. `model.decoder.vocabulary_size` must be its number of
    /// tokens; `kosmos tokenizer import` prints it.
    Path(PathBuf),
    /// Train a small tokenizer on the run's own texts and captions.
    Train(TrainingConfig),
}

impl TokenizerConfig {
    /// Checks the bounds; whether a file is there is seen when the stage is made.
    ///
    /// # Errors
    /// When a value is outside its bounds; the text names the key.
    pub fn validate(&self) -> Result<(), String> {
        match self {
            Self::Path(_) => Ok(()),
            Self::Train(config) => config.validate().map_err(|error| format!("train.{error}")),
        }
    }
}

/// The model's origin.
#[derive(Debug, Clone)]
enum Origin {
    /// A file, and its bytes once they were asked for.
    Given(PathBuf, Lazy<Bytes>),
    Trained(TrainingConfig),
}

/// The stage that writes the file `model`.
#[derive(Debug, Clone)]
pub struct Tokenize {
    name: String,
    documents: Vec<String>,
    pairs: Vec<String>,
    origin: Origin,
    /// Rows of the network's embedding, if one is trained: a given model must have as many tokens.
    network_rows: Option<u32>,
}

impl Tokenize {
    /// Makes the stage. `documents` and `pairs` name the stages whose texts and captions train a small model; a
    /// given one reads none, and must have as many tokens as the network has rows.
    pub fn new(
        name: &str,
        config: &TokenizerConfig,
        (documents, pairs): (Vec<String>, Vec<String>),
        network_rows: Option<u32>,
    ) -> Self {
        let (origin, documents, pairs) = match config {
            TokenizerConfig::Path(path) => {
                (Origin::Given(path.clone(), Lazy::default()), Vec::new(), Vec::new())
            }
            TokenizerConfig::Train(config) => (Origin::Trained(config.clone()), documents, pairs),
        };
        Self { name: name.to_owned(), documents, pairs, origin, network_rows }
    }

    /// Returns the bytes of a given model; what is no tokenizer is refused before anything is run for it.
    fn given<'m>(&self, path: &Path, model: &'m Lazy<Bytes>) -> Result<&'m Bytes> {
        model.get_or_try(|| read_model(&self.name, path, self.network_rows))
    }

    /// Reads words until the bound; counts each record that gave some.
    fn words(&self, task: &Task<'_>, out: &mut Output<'_>, config: &TrainingConfig) -> Result<Words> {
        let mut words = Words::new().map_err(|error| Error::work(&self.name, error))?;
        let mut reading = Reading { task, out, words: &mut words, bytes_max: config.input_bytes_max };
        let is_trained_on = |document: &Document| document.split != Some(Split::Validation);
        reading.read(DOCUMENTS, &self.documents, |document: &Document| {
            is_trained_on(document).then_some(document.text.as_str())
        })?;
        reading.read(PAIRS, &self.pairs, |pair: &Pair| Some(pair.caption.as_str()))?;
        Ok(words)
    }
}

/// Returns what to say of a model that has fewer pieces than it was asked for: texts and captions do not
/// give more.
fn shortage(config: &TrainingConfig, piece_count: u32) -> Option<String> {
    (piece_count < config.vocabulary_size).then(|| {
        format!(
            "tokenizer.train.vocabulary_size is {}, but the text has pieces for {piece_count} only: give more \
             text, or set it to {piece_count}",
            config.vocabulary_size
        )
    })
}

/// Reads a tokenizer's file, as far as [`Tokenizer::parse`] needs it to refuse one that is too large.
///
/// # Errors
/// When it cannot be read.
pub fn read_file(path: &Path) -> Result<Vec<u8>> {
    let file = std::fs::File::open(path).map_err(Error::io("open", path))?;
    let mut bytes = Vec::new();
    file.take(MODEL_BYTES_MAX + 1).read_to_end(&mut bytes).map_err(Error::io("read", path))?;
    Ok(bytes)
}

fn read_model(stage: &str, path: &Path, network_rows: Option<u32>) -> Result<Bytes> {
    let bytes = read_file(path).map_err(Error::of_setting(stage, "path"))?;
    let refused = |error: &dyn std::fmt::Display| Error::Settings {
        stage: stage.to_owned(),
        detail: format!("path: {}: {error}", path.display()),
    };
    let tokenizer = Tokenizer::parse(&bytes).map_err(|error| refused(&error))?;
    let tokens = tokenizer.vocabulary().size();
    if let Some(rows) = network_rows.filter(|rows| *rows != tokens) {
        let problem = format!(
            "it has {tokens} tokens, the network {rows}: set model.decoder.vocabulary_size to {tokens}"
        );
        return Err(refused(&problem));
    }
    Ok(bytes.into())
}

/// Reads texts of several inputs, each kind up to its bound.
struct Reading<'r, 't> {
    task: &'r Task<'r>,
    out: &'r mut Output<'t>,
    words: &'r mut Words,
    bytes_max: u64,
}

impl Reading<'_, '_> {
    fn read<R: Record>(
        &mut self,
        stream: Stream<R>,
        inputs: &[String],
        text: impl Fn(&R) -> Option<&str>,
    ) -> Result<()> {
        let (mut bytes, mut records) = (0, 0_u64);
        for input in inputs {
            for row in self.task.inputs.get(input)?.rows(stream) {
                let row = row?;
                let Some(text) = text(&row) else {
                    continue;
                };
                self.words.add(text);
                self.out.read(stream.name());
                self.out.keep(stream.name());
                records += 1;
                bytes += text.len() as u64;
                if records.is_multiple_of(CANCEL_RECORDS) {
                    self.task.cancel.check()?;
                    self.task.progress.advance(CANCEL_RECORDS);
                }
                if bytes >= self.bytes_max {
                    return Ok(());
                }
            }
        }
        Ok(())
    }
}

impl Stage for Tokenize {
    fn name(&self) -> String {
        self.name.clone()
    }

    fn inputs(&self) -> Vec<String> {
        self.documents.iter().chain(&self.pairs).cloned().collect()
    }

    fn settings(&self) -> Result<Value> {
        Ok(match &self.origin {
            Origin::Given(path, model) => json!({"digest": Digest::of(self.given(path, model)?)}),
            Origin::Trained(config) => {
                json!({"train": config, "documents": self.documents, "pairs": self.pairs})
            }
        })
    }

    fn version(&self) -> u32 {
        match self.origin {
            Origin::Given(..) => 1,
            Origin::Trained(_) => 2,
        }
    }

    fn plan(&self, _inputs: &Inputs) -> Result<u32> {
        Ok(1)
    }

    fn streams(&self) -> Vec<Declared> {
        vec![TOKENIZER_MODEL.into()]
    }

    /// Commits once, at the end: a model cannot be trained in ranges.
    fn run(&self, task: &Task<'_>, out: &mut Output<'_>) -> Result<()> {
        let model = match &self.origin {
            Origin::Given(path, model) => self.given(path, model)?.clone(),
            Origin::Trained(config) => {
                let words = self.words(task, out, config)?;
                let model = train(&words, config).map_err(|error| Error::work(&self.name, error))?;
                let trained = Tokenizer::parse(&model).map_err(|error| Error::work(&self.name, error))?;
                if let Some(words) = shortage(config, trained.piece_count()) {
                    task.progress.warn(&words);
                }
                Bytes::from(model)
            }
        };
        out.write_file(TOKENIZER_MODEL, model)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_model_smaller_than_asked_for_is_told_with_the_key_and_both_sizes() {
        let config = TrainingConfig { vocabulary_size: 300, input_bytes_max: 1 };
        let told = shortage(&config, 145).unwrap_or_default();
        assert!(told.starts_with("tokenizer.train.vocabulary_size is 300, but"), "{told}");
        assert!(told.ends_with("set it to 145"), "{told}");
        assert_eq!(shortage(&config, 300), None);
    }
}
