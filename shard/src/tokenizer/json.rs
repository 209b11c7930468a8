//! A model of Hugging Face's `tokenizer.json`, encoded by the `tokenizers` crate.

use corpus::crash::caught;
use serde_json::Value;

use crate::tokenizer::vocabulary::Special;
use crate::tokenizer::{PIECE_COUNT_MAX, TokenizerError};

/// Encodes and decodes as `tokenizers` does without its special tokens: none is added to a text, and those that stand
/// in a text are text, so that no page can end its document by writing `</s>`.
#[derive(Debug)]
pub(crate) struct Json {
    tokenizer: tokenizers::Tokenizer,
    id_count: u32,
    special: Special,
}

impl Json {
    /// Reads a file.
    pub(crate) fn parse(bytes: &[u8]) -> Result<Self, TokenizerError> {
        let refused = |error: &dyn std::fmt::Display| TokenizerError::Json { detail: error.to_string() };
        let value: Value = serde_json::from_slice(bytes).map_err(|error| refused(&error))?;
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
        let unknown = unknown_id(&value["model"], &tokenizer);
        if unknown.is_none() && value["model"]["type"] != "BPE" {
            return Err(refused(&"it has no unknown piece"));
        }
        let [start, end, padding] = ["<s>", "</s>", "<pad>"].map(|text| tokenizer.token_to_id(text));
        Ok(Self { id_count, special: Special { unknown, start, end, padding }, tokenizer })
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
        let Special { unknown, start, end, padding } = self.special;
        let is_special = |id: u32| [start, end, padding].contains(&Some(id));
        // A vocabulary of words may have `</s>` among them.
        let known = |&id: &u32| if is_special(id) { unknown } else { Some(id) };
        ids.extend(encoded.map_err(failed)?.get_ids().iter().filter_map(known));
        Ok(())
    }

    /// Returns the text of ids; ids outside the vocabulary are left out.
    pub(crate) fn decode(&self, ids: &[u32]) -> Result<String, TokenizerError> {
        caught(|| self.tokenizer.decode(ids, true)).map_err(failed)?.map_err(failed)
    }
}

/// Returns the id of the model's unknown piece, by its text or, in a unigram model, by its place.
fn unknown_id(model: &Value, tokenizer: &tokenizers::Tokenizer) -> Option<u32> {
    let by_text = model["unk_token"].as_str().and_then(|text| tokenizer.token_to_id(text));
    by_text.or_else(|| model["unk_id"].as_u64().and_then(|id| u32::try_from(id).ok()))
}

fn failed(error: impl std::fmt::Display) -> TokenizerError {
    TokenizerError::Failed { detail: error.to_string() }
}
