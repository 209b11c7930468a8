//! The stage that judges each record by itself: `text.rules`, `pairs.rules`, `interleaved.select`.

use std::sync::{Arc, Mutex, PoisonError};

use corpus::record::{FINGERPRINTS, Fingerprinted, VERDICTS, Verdicts};
use corpus::stage::Inputs;
use corpus::{Declared, Error, Lazy, Output, Removal, Result, Stage, Task};
use serde_json::{Value, json};

use super::records::records;
use crate::content::Content;
use crate::rule::{Finding, Ready, files};
use crate::subject::Subject;

/// The rules with what their files hold, for all tasks.
type AllReady<S> = Arc<Vec<Ready<<S as Subject>::Rule>>>;

/// Judges the records of its inputs, one task per part, in the order of the inputs.
///
/// Writes the records that pass every rule (stream [`Subject::STREAM`]), the content keys of those
/// where duplicates are looked for (`fingerprints`), and every rule's value for every record (`verdicts`).
#[derive(Debug)]
pub struct Rules<S: Subject> {
    name: String,
    inputs: Vec<String>,
    rules: Vec<S::Rule>,
    normalise: bool,
    /// Whether records are written.
    copies: bool,
    /// Whether content keys are.
    keys: bool,
    /// The rules' settings, with the content of their files, once they were asked for.
    rule_settings: Lazy<Vec<Value>>,
    /// There once a task has needed them.
    ready: Mutex<Option<AllReady<S>>>,
}

impl<S: Subject> Rules<S> {
    /// Returns the stage: its name, the stages it reads, its rules in the order in which they give
    /// the reason of a drop, and whether contents are compared in normal form.
    pub fn new(name: &str, inputs: Vec<String>, rules: Vec<S::Rule>, normalise: bool) -> Self {
        let (name, rule_settings, ready) = (name.to_owned(), Lazy::default(), Mutex::new(None));
        Self { name, inputs, rules, normalise, copies: true, keys: true, rule_settings, ready }
    }

    /// Writes content keys alone: without rules, all records go on as they are where they are.
    #[must_use]
    pub fn keys_only(self) -> Self {
        Self { copies: false, ..self }
    }

    /// Writes no content keys: duplicates are not looked for.
    #[must_use]
    pub fn without_keys(self) -> Self {
        Self { keys: false, ..self }
    }

    /// Loads the rules' files, if that has not been done.
    fn ready(&self) -> Result<AllReady<S>> {
        let mut ready = self.ready.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(ready) = ready.as_ref() {
            return Ok(Arc::clone(ready));
        }
        let loaded: Result<Vec<_>, String> = self.rules.iter().cloned().map(Ready::new).collect();
        let loaded = loaded.map_err(|detail| Error::Settings { stage: self.name.clone(), detail })?;
        Ok(Arc::clone(ready.insert(Arc::new(loaded))))
    }

    fn judge(
        &self,
        rules: &[Ready<S::Rule>],
        mut record: S,
        task: &Task<'_>,
        out: &mut Output<'_>,
    ) -> Result<()> {
        let id = record.id();
        out.read(S::UNIT);
        let judged = task.crashes.guard(id, || {
            let findings = record.judge(rules);
            let passed = findings.iter().all(|finding| finding.passed);
            let content = if passed && self.keys { record.content(self.normalise) } else { None };
            (findings, content)
        });
        match judged {
            Ok((findings, content)) => self.write(record, &findings, content, out),
            // Without copies the record would go on all the same.
            Err(fatal) if !self.copies => Err(Error::work(&self.name, format!("{}: {id}", fatal.reason()))),
            Err(fatal) => {
                let (reason, preview) = (fatal.reason(), record.preview());
                let (key, url, value) = (record.key(), record.url(), String::new());
                out.fail(S::UNIT, Removal { id, key, url, reason, value, preview })
            }
        }
    }

    fn write(
        &self,
        record: S,
        findings: &[Finding<'_>],
        content: Option<Content>,
        out: &mut Output<'_>,
    ) -> Result<()> {
        let id = record.id();
        if let Some(Content { key, length }) = content {
            out.write(FINGERPRINTS, Fingerprinted { key, id, length })?;
        }
        if !self.copies {
            out.keep(S::UNIT);
            return Ok(());
        }
        let values = findings.iter().map(|finding| finding.to_rule_value()).collect();
        out.write(VERDICTS, Verdicts { id, values })?;
        if let Some(decisive) = findings.iter().find(|finding| !finding.passed) {
            let (reason, value, preview) = (decisive.rule, decisive.shown(), record.preview());
            let (key, url) = (record.key(), record.url());
            return out.drop(S::UNIT, Removal { id, key, url, reason, value, preview });
        }
        out.write(S::STREAM, record)?;
        out.keep(S::UNIT);
        Ok(())
    }
}

impl<S: Subject> Stage for Rules<S> {
    fn name(&self) -> String {
        self.name.clone()
    }

    fn inputs(&self) -> Vec<String> {
        self.inputs.clone()
    }

    fn settings(&self) -> Result<Value> {
        let rules = self.rule_settings.get_or_try(|| files::settings(&self.name, &self.rules))?;
        Ok(json!({"rules": rules, "normalise": self.normalise, "copies": self.copies}))
    }

    fn version(&self) -> u32 {
        4
    }

    fn plan(&self, inputs: &Inputs) -> Result<u32> {
        // A file that is no model fails here, before any task.
        self.ready()?;
        records::<S>(inputs, &self.inputs)?.part_count()
    }

    fn streams(&self) -> Vec<Declared> {
        let mut streams = vec![FINGERPRINTS.into()];
        if self.copies {
            streams.extend([S::STREAM.into(), VERDICTS.into()]);
        }
        streams
    }

    fn guards_records(&self) -> bool {
        true
    }

    fn run(&self, task: &Task<'_>, out: &mut Output<'_>) -> Result<()> {
        let rules = self.ready()?;
        if task.index == 0 {
            rules.iter().flat_map(|ready| ready.loaded.notes()).for_each(|note| task.progress.warn(note));
        }
        let records = records::<S>(task.inputs, &self.inputs)?;
        let Some((dataset, part)) = records.part(task.index)? else { return Ok(()) };
        for record in S::open(dataset, &part, out.position())? {
            self.judge(&rules, record?, task, out)?;
            out.advance(1)?;
        }
        Ok(())
    }
}
