//! A model of Hugging Face's `tokenizer.json`, encoded by the `tokenizers` crate.

use std::collections::BTreeSet;

use corpus::crash::caught;
use serde::Deserialize;
use serde_json::Value;

use crate::tokenizer::vocabulary::Special;
use crate::tokenizer::{PIECE_COUNT_MAX, TokenizerError};

/// Encodes and decodes as `tokenizers` does without its special tokens: none is added to a text, and those that stand
/// in a text are text or unknown, so that no page can end its document by writing `</s>`.
#[derive(Debug)]
pub(crate) struct Json {
    tokenizer: tokenizers::Tokenizer,
    id_count: u32,
    special: Special,
    /// Ids that no text may have.
    reserved: BTreeSet<u32>,
}

/// What a file says that the crate does not tell.
#[derive(Deserialize)]
struct File {
    #[serde(default)]
    added_tokens: Vec<AddedToken>,
    #[serde(default)]
    normalizer: Value,
    #[serde(default)]
    pre_tokenizer: Value,
    model: Model,
}

#[derive(Deserialize)]
struct AddedToken {
    id: u32,
    #[serde(default)]
    special: bool,
}

#[derive(Deserialize)]
struct Model {
    #[serde(rename = "type")]
    kind: Option<String>,
    unk_token: Option<String>,
    unk_id: Option<u32>,
    dropout: Option<f32>,
}

impl Json {
    /// Reads a file.
    pub(crate) fn parse(bytes: &[u8]) -> Result<Self, TokenizerError> {
        let refused = |error: &dyn std::fmt::Display| TokenizerError::Json { detail: error.to_string() };
        let file: File = serde_json::from_slice(bytes).map_err(|error| refused(&error))?;
        if file.model.dropout.is_some_and(|share| share > 0.0) {
            return Err(refused(&"model.dropout leaves out merges by chance"));
        }
        if [&file.normalizer, &file.pre_tokenizer].into_iter().any(has_class) {
            return Err(refused(
                &"a regular expression has a class such as [:alnum:], which is not that of Python's library",
            ));
        }
        let read = caught(|| tokenizers::Tokenizer::from_bytes(bytes)).map_err(|error| refused(&error))?;
        let mut tokenizer = read.map_err(|error| refused(&error))?;
        // A text is neither cut nor filled up here: that is packing's.
        tokenizer.with_truncation(None).map_err(|error| refused(&error))?;
        tokenizer.with_padding(None);
        tokenizer.set_encode_special_tokens(true);
        let id_max = tokenizer.get_vocab(true).into_values().max();
        let id_count = id_max.ok_or_else(|| refused(&"it has no pieces"))?.saturating_add(1);
        if id_count as usize > PIECE_COUNT_MAX {
            return Err(refused(&format!("it has an id above {PIECE_COUNT_MAX}")));
        }
        let named = file.model.unk_token.as_deref();
        let unknown = named.map_or(file.model.unk_id, |text| tokenizer.token_to_id(text));
        let may_lack = file.model.kind.as_deref() == Some("BPE") && named.is_none();
        if unknown.is_none() && !may_lack {
            return Err(refused(&"it has no unknown piece"));
        }
        let [start, end, padding] = ["<s>", "</s>", "<pad>"].map(|text| tokenizer.token_to_id(text));
        let added = file.added_tokens.iter().filter(|token| token.special).map(|token| token.id);
        let reserved = added.chain([start, end, padding].into_iter().flatten());
        let reserved = reserved.filter(|id| Some(*id) != unknown).collect();
        Ok(Self { id_count, special: Special { unknown, start, end, padding }, reserved, tokenizer })
    }

    pub(crate) fn id_count(&self) -> u32 {
        self.id_count
    }

    pub(crate) fn special(&self) -> Special {
        self.special
    }

    /// Appends a text's ids.
    pub(crate) fn encode(&self, text: &str, ids: &mut Vec<u32>) -> Result<(), TokenizerError> {
        let encoded = caught(|| self.tokenizer.encode_fast(text, false)).map_err(failed)?;
        // A vocabulary of words may have `</s>` among them.
        let known = |&id: &u32| if self.reserved.contains(&id) { self.special.unknown } else { Some(id) };
        ids.extend(encoded.map_err(failed)?.get_ids().iter().filter_map(known));
        Ok(())
    }

    /// Returns the text of ids; ids outside the vocabulary are left out.
    pub(crate) fn decode(&self, ids: &[u32]) -> Result<String, TokenizerError> {
        caught(|| self.tokenizer.decode(ids, true)).map_err(failed)?.map_err(failed)
    }
}

/// Returns true if and only if a regular expression in a value has a class of POSIX: the crate's own library takes its
/// letters for those of ASCII.
fn has_class(value: &Value) -> bool {
    match value {
        Value::Object(fields) => fields.iter().any(|(key, value)| match value {
            Value::String(pattern) => key == "Regex" && pattern.contains("[:"),
            value => has_class(value),
        }),
        Value::Array(values) => values.iter().any(has_class),
        _ => false,
    }
}

fn failed(error: impl std::fmt::Display) -> TokenizerError {
    TokenizerError::Failed { detail: error.to_string() }
}
