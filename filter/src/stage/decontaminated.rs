//! The stage that takes out of documents what they share with evaluation sets: `text`.

use std::collections::HashSet;
use std::sync::Arc;

use corpus::record::{DOCUMENTS, Document, EXCISIONS, Excision, RARE_NGRAMS};
use corpus::stage::Inputs;
use corpus::{Declared, Output, Removal, Result, Stage, Task};
use serde_json::{Value, json};

use super::SplitAssignment;
use crate::config::Action;
use crate::decontaminate::{Cut, Index, SharedIndex, cuts};

/// What is counted.
const UNIT: &str = DOCUMENTS.name();
/// The texts of documents: what of them was dropped is the excisions, and short pieces that went with them.
const BYTES: &str = "bytes";
/// The reason of a drop, of documents and of bytes; the value is the names of the sets.
const REASON: &str = "contaminated";

/// Cuts or drops, one task per part.
#[derive(Debug)]
pub struct Decontaminated {
    /// The stage's name.
    pub name: String,
    /// The stage whose documents it reads.
    pub documents: String,
    /// The stage that counted the n-grams.
    pub contamination: String,
    /// What was looked for, and what happens to it.
    pub index: Arc<SharedIndex>,
    /// How documents are given a split.
    pub split: SplitAssignment,
}

impl Decontaminated {
    fn rare(&self, task: &Task<'_>) -> Result<HashSet<u64>> {
        let rows = task.inputs.get(&self.contamination)?.rows(RARE_NGRAMS);
        rows.map(|row| Ok(row?.ngram)).collect()
    }

    /// Cuts the document's text; returns false if nothing is left, or is to be.
    fn clean(
        &self,
        document: &mut Document,
        index: &Index,
        rare: &HashSet<u64>,
        names: &[String],
        out: &mut Output<'_>,
    ) -> Result<bool> {
        if self.index.config.action == Action::Drop {
            return Ok(false);
        }
        let located = index.locate(&document.text).into_iter();
        let places = located.filter(|(found, _)| rare.contains(&found.ngram)).map(|(_, place)| place);
        let Cut { cuts, text } = cuts(&document.text, places, &self.index.config);
        // What was found and has no place (compatibility forms across words) takes the document.
        let Some(text) = text.filter(|_| !cuts.is_empty()) else { return Ok(false) };
        for cut in cuts {
            let (start, text) = (cut.start as u64, document.text[cut].to_owned());
            out.write(EXCISIONS, Excision { id: document.id, sets: names.to_vec(), start, text })?;
        }
        document.text = text;
        Ok(true)
    }
}

impl Stage for Decontaminated {
    fn name(&self) -> String {
        self.name.clone()
    }

    fn inputs(&self) -> Vec<String> {
        vec![self.documents.clone(), self.contamination.clone(), self.index.ngrams.clone()]
    }

    fn settings(&self) -> Result<Value> {
        let config = &self.index.config;
        Ok(json!({
            "split": self.split,
            "words_min": config.words_min,
            "action": config.action,
            "margin_chars": config.margin_chars,
            "piece_chars": config.piece_chars,
            "pieces_max": config.pieces_max,
        }))
    }

    fn version(&self) -> u32 {
        3
    }

    fn plan(&self, inputs: &Inputs) -> Result<u32> {
        inputs.get(&self.documents)?.part_count(DOCUMENTS)
    }

    fn streams(&self) -> Vec<Declared> {
        vec![DOCUMENTS.into(), EXCISIONS.into()]
    }

    fn run(&self, task: &Task<'_>, out: &mut Output<'_>) -> Result<()> {
        let (index, rare) = (self.index.get(task.inputs)?, self.rare(task)?);
        let documents = task.inputs.get(&self.documents)?;
        let Some(part) = documents.part(DOCUMENTS, task.index)? else { return Ok(()) };
        for row in documents.open_at::<Document>(&part, out.position())? {
            let mut document = row?;
            out.read(UNIT);
            let bytes = document.text.len() as u64;
            let found = index.find(&document.text).into_iter().filter(|found| rare.contains(&found.ngram));
            let sets = found.fold(0, |sets, found| sets | found.sets);
            let names: Vec<_> = index.names(sets).map(str::to_owned).collect();
            if names.is_empty() || self.clean(&mut document, &index, &rare, &names, out)? {
                let left = document.text.len() as u64;
                out.count_amount(BYTES, bytes, REASON, bytes.saturating_sub(left));
                document.split = Some(self.split.of(document.id));
                out.write(DOCUMENTS, document)?;
                out.keep(UNIT);
            } else {
                out.count_amount(BYTES, bytes, REASON, bytes);
                let Document { id, key, url, text, .. } = &document;
                let (key, url, value) = (key.as_deref(), url.as_deref(), names.join(" "));
                out.drop(UNIT, Removal { id: *id, key, url, reason: REASON, value, preview: text })?;
            }
            out.advance(1)?;
        }
        Ok(())
    }
}
