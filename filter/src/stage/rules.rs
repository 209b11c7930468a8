//! The stage that judges each record by itself: `text.rules`, `pairs.rules`, `interleaved.select`.

use corpus::record::{Fingerprinted, Verdicts};
use corpus::stage::Inputs;
use corpus::{Dataset, Error, Output, Part, Removal, Result, Stage, Task};
use serde_json::{Value, json};

use super::{FINGERPRINTS, VERDICTS};
use crate::content::Content;
use crate::rule::Finding;
use crate::subject::Subject;

/// Judges the records of its inputs, one task per part, in the order of the inputs.
///
/// Writes the records that pass every rule (stream [`Subject::UNIT`]), with their content keys
/// where duplicates are looked for (`fingerprints`, row by row beside the records), and every
/// rule's value for every record (`verdicts`).
#[derive(Debug, Clone)]
pub struct Rules<S: Subject> {
    /// The stage's name.
    pub name: String,
    /// The stages it reads.
    pub inputs: Vec<String>,
    /// The rules, in the order in which they give the reason of a drop.
    pub rules: Vec<S::Rule>,
    /// Whether contents are compared in normal form.
    pub normalise: bool,
}

impl<S: Subject> Rules<S> {
    /// Finds the task's part.
    fn part<'i>(&self, inputs: &'i Inputs, index: u32) -> Result<(&'i Dataset, &'i Part)> {
        let mut index = index as usize;
        for input in &self.inputs {
            let dataset = inputs.get(input)?;
            let parts = S::parts(dataset);
            match parts.get(index) {
                Some(part) => return Ok((dataset, part)),
                None => index -= parts.len(),
            }
        }
        Err(Error::Settings {
            stage: self.name.clone(),
            detail: "a task beyond the last part was asked for".to_owned(),
        })
    }

    fn judge(&self, mut record: S, task: &Task<'_>, out: &mut Output<'_>) -> Result<()> {
        let id = record.id();
        out.read(S::UNIT);
        let judged = task.crashes.guard(id, || {
            let findings = record.judge(&self.rules);
            let passed = findings.iter().all(|finding| finding.passed);
            let content = if passed { record.content(self.normalise) } else { None };
            (findings, content)
        });
        match judged {
            Ok((findings, content)) => self.write(record, &findings, content, out),
            Err(fatal) => {
                let (reason, preview) = (fatal.reason(), record.preview());
                out.fail(S::UNIT, Removal { id, reason, value: String::new(), preview })
            }
        }
    }

    fn write(
        &self,
        record: S,
        findings: &[Finding],
        content: Option<Content>,
        out: &mut Output<'_>,
    ) -> Result<()> {
        let id = record.id();
        let values = findings.iter().map(|finding| finding.to_rule_value()).collect();
        out.write(VERDICTS, Verdicts { id, values })?;
        if let Some(decisive) = findings.iter().find(|finding| !finding.passed) {
            let (reason, value, preview) = (decisive.rule, decisive.shown(), record.preview());
            return out.drop(S::UNIT, Removal { id, reason, value, preview });
        }
        if let Some(Content { key, length }) = content {
            out.write(FINGERPRINTS, Fingerprinted { key, id, length })?;
        }
        out.write(S::UNIT, record)?;
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

    fn settings(&self) -> Value {
        json!({"rules": self.rules, "normalise": self.normalise})
    }

    fn plan(&self, inputs: &Inputs) -> Result<u32> {
        let mut count = 0;
        for input in &self.inputs {
            count += S::parts(inputs.get(input)?).len();
        }
        u32::try_from(count).map_err(|error| Error::work(&self.name, error))
    }

    fn run(&self, task: &Task<'_>) -> Result<()> {
        let mut out = task.output()?;
        if out.is_done() {
            return Ok(());
        }
        let (dataset, part) = self.part(task.inputs, task.index)?;
        for record in S::open(dataset, part, out.position())? {
            self.judge(record?, task, &mut out)?;
            out.advance(1)?;
        }
        out.finish()
    }
}
