//! The stage that cuts repeated passages out of documents: `text.lines` and its like, or `text`.

use std::collections::BTreeMap;

use corpus::record::{CUTS, CutRepeat, DOCUMENTS, Document, Repeat};
use corpus::stage::Inputs;
use corpus::{Declared, Id, Output, Removal, Result, Stage, Task};
use serde_json::{Value, json};

use super::by_document::ByDocument;
use crate::config::RepeatsConfig;
use crate::near::hashes::for_each_hash;
use crate::passages::{self, units};
use crate::stage::SplitAssignment;
use crate::stage::representatives::{representatives, value};

/// The reason of a drop. The value is the id of the document that has the first of its repeated passages; with the
/// names of representatives it is followed by a space and that document's name, as of duplicates.
const REASON: &str = "repeated";

/// What this stage counts.
const UNIT: &str = DOCUMENTS.name();

/// Cuts, one task per part.
#[derive(Debug, Clone)]
pub struct Cut {
    /// The stage's name.
    pub name: String,
    /// The stage whose documents it reads.
    pub documents: String,
    /// The stage that found what occurs again.
    pub repeats: String,
    /// The stage that knows the names of documents with repeated passages, if there is one.
    pub names: Option<String>,
    /// What passages are, and what must be left.
    pub config: RepeatsConfig,
    /// How documents are given a split, if it is this stage's to do.
    pub split: Option<SplitAssignment>,
}

impl Cut {
    /// Cuts the document's text; returns false if too little is left.
    fn clean(&self, document: &mut Document, found: &[Repeat], out: &mut Output<'_>) -> Result<bool> {
        let units = units(&document.text, self.config.unit, self.config.any_digit);
        let run = self.config.run() as usize;
        let mut firsts: Vec<Option<Id>> = vec![None; units.len()];
        for repeat in found {
            let begin = repeat.unit as usize;
            let passage = firsts.get_mut(begin..begin + run).unwrap_or_default();
            passage.iter_mut().for_each(|unit| *unit = unit.or(Some(repeat.first)));
        }
        let is_cut = |index: usize| firsts.get(index).is_some_and(Option::is_some);
        let passages::Cut { cuts, text } = passages::cut(&document.text, &units, is_cut);
        for place in cuts {
            let index = units.partition_point(|unit| unit.start < place.start);
            let first = firsts.get(index).copied().flatten().unwrap_or(document.id);
            let (start, text) = (place.start as u64, document.text[place].to_owned());
            out.write(CUTS, CutRepeat { id: document.id, first, start, text })?;
        }
        let mut words_left = 0;
        for_each_hash(&text, |_| words_left += 1);
        if text.is_empty() || words_left < self.config.words_left_min {
            return Ok(false);
        }
        document.text = text;
        Ok(true)
    }
}

impl Stage for Cut {
    fn name(&self) -> String {
        self.name.clone()
    }

    fn inputs(&self) -> Vec<String> {
        [&self.documents, &self.repeats].into_iter().chain(&self.names).cloned().collect()
    }

    fn settings(&self) -> Result<Value> {
        let RepeatsConfig { unit, any_digit, words_left_min, .. } = &self.config;
        Ok(json!({
            "unit": unit, "run": self.config.run(), "any_digit": any_digit, "words_left_min": words_left_min,
            "split": self.split,
        }))
    }

    fn version(&self) -> u32 {
        3
    }

    fn plan(&self, inputs: &Inputs) -> Result<u32> {
        inputs.get(&self.documents)?.part_count(DOCUMENTS)
    }

    fn streams(&self) -> Vec<Declared> {
        vec![DOCUMENTS.into(), CUTS.into()]
    }

    fn run(&self, task: &Task<'_>, out: &mut Output<'_>) -> Result<()> {
        let documents = task.inputs.get(&self.documents)?;
        let Some(part) = documents.part(DOCUMENTS, task.index)? else { return Ok(()) };
        let names = match &self.names {
            Some(names) => representatives(task.inputs.get(names)?, &documents.id_range(&part, "id")?)?,
            None => BTreeMap::new(),
        };
        let mut repeats = ByDocument::open(task, &self.repeats, documents, &part)?;
        for row in documents.open_at::<Document>(&part, out.position())? {
            let mut document = row?;
            out.read(UNIT);
            let found = repeats.take(document.id)?;
            if found.is_empty() || self.clean(&mut document, &found, out)? {
                document.split = self.split.map(|split| split.of(document.id));
                out.write(DOCUMENTS, document)?;
                out.keep(UNIT);
            } else {
                let Document { id, key, url, text, .. } = &document;
                let (key, url) = (key.as_deref(), url.as_deref());
                let named = |first: Id| value(first, None, names.get(&(document.id, first)));
                let value = found.first().map_or_else(String::new, |repeat| named(repeat.first));
                let removal = Removal { id: *id, key, url, reason: REASON, value, preview: text };
                out.drop(UNIT, removal)?;
            }
            out.advance(1)?;
        }
        Ok(())
    }
}
