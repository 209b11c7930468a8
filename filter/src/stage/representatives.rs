//! The stage that finds what users know a removed record's representative by: `text.representatives`.

use std::collections::{BTreeMap, BTreeSet};
use std::marker::PhantomData;
use std::ops::{Range, RangeInclusive};

use bytes::Bytes;
use corpus::record::{DocumentText, Duplicate, Representative};
use corpus::stage::Inputs;
use corpus::{Dataset, Id, Part, Result, Stage, Task};
use serde_json::{Value, json};

use super::groups::groups;
use super::records::parts;
use super::{REPRESENTED, sorted, task_bytes};
use crate::config::NearConfig;
use crate::near::Signer;
use crate::near::sorter::Sorter;
use crate::subject::{RecordName, Subject};

/// The stream of representatives, sorted by the record they stand for within each task.
const REPRESENTATIVES: &str = "representatives";
/// What this stage counts: removed records.
const UNIT: &str = "represented";
/// Bytes that a record with its name and sketch takes in memory, about.
const RECORD_BYTES: usize = 512;
/// Characters of a name at most: it is shown, not looked up.
const NAME_CHARS_MAX: usize = 500;

/// Joins what duplicate finding found with the names of the records that stay, one task per group of parts of
/// the records.
///
/// Groups are as large as `memory_mb` allows, so that few parts are to be read later; the result
/// does not depend on where one ends. A task reads each finder's rows of the ids of its parts.
#[derive(Debug, Clone)]
pub struct Representatives<S: Subject> {
    name: String,
    records: Vec<String>,
    finders: Vec<String>,
    near: Option<(String, NearConfig)>,
    memory_mb: u32,
    subject: PhantomData<fn() -> S>,
}

/// What a task knows of a representative.
#[derive(Debug, Clone, Default)]
struct Known {
    name: Option<String>,
    sketch: Option<Bytes>,
}

impl<S: Subject> Representatives<S> {
    /// Returns the stage `name`, which reads the stages of the records, and those that found duplicates or
    /// repeats among them. Memory is in MiB for four tasks at a time.
    pub fn new(name: &str, records: Vec<String>, finders: &[&str], memory_mb: u32) -> Self {
        let finders = finders.iter().map(|finder| (*finder).to_owned()).collect();
        Self { name: name.to_owned(), records, finders, near: None, memory_mb, subject: PhantomData }
    }

    /// Adds the stage that found near-duplicates among documents, and how: their representatives have a sketch.
    #[must_use]
    pub fn with_near(self, near: Option<(&str, &NearConfig)>) -> Self {
        Self { near: near.map(|(stage, config)| (stage.to_owned(), config.clone())), ..self }
    }

    fn groups(&self, parts: &[(&Dataset, &Part)]) -> Vec<Range<usize>> {
        groups(parts.iter().map(|(_, part)| part.rows), (task_bytes(self.memory_mb) / RECORD_BYTES) as u64)
    }

    /// Joins the records of a part: adds `[id, representative]`, and what is known of the representatives.
    fn join(
        &self,
        task: &Task<'_>,
        dataset: &Dataset,
        part: &Part,
        found: &mut Sorter<2>,
        known: &mut BTreeMap<Id, Known>,
    ) -> Result<()> {
        let ids = dataset.id_range(part, "id")?;
        let names: Result<BTreeMap<Id, Option<String>>> = S::names(dataset, part)?
            .map(|row| row.map(|RecordName { id, key, url }| (id, key.or(url).map(|name| shortened(&name)))))
            .collect();
        let names = names?;
        let mut add = |stage: &str, representatives: &mut BTreeSet<Id>| -> Result<()> {
            for reader in
                task.inputs.get(stage)?.rows_near::<Duplicate>(REPRESENTED, "representative", &ids)?
            {
                for row in reader {
                    let Duplicate { id, representative } = row?;
                    task.cancel.check()?;
                    // Row groups hold others, too.
                    if let Some(name) = names.get(&representative) {
                        let new = || Known { name: name.clone(), sketch: None };
                        known.entry(representative).or_insert_with(new);
                        representatives.insert(representative);
                        found.push([id.to_bits(), representative.to_bits()])?;
                    }
                }
            }
            Ok(())
        };
        self.finders.iter().try_for_each(|stage| add(stage, &mut BTreeSet::new()))?;
        let Some((stage, config)) = &self.near else { return Ok(()) };
        let mut representatives = BTreeSet::new();
        add(stage, &mut representatives)?;
        if representatives.is_empty() {
            return Ok(());
        }
        let mut signer = Signer::new(config.scheme, config.shape());
        for row in dataset.open::<DocumentText>(part)? {
            let DocumentText { id, text } = row?;
            task.cancel.check()?;
            if let Some(known) = known.get_mut(&id).filter(|_| representatives.contains(&id)) {
                known.sketch = Some(signer.sketch(&text).into());
            }
        }
        Ok(())
    }
}

fn shortened(name: &str) -> String {
    name.chars().take(NAME_CHARS_MAX).collect()
}

/// Reads what is known of the representatives of records among ids, by record.
pub(super) fn representatives(
    dataset: &Dataset,
    ids: &RangeInclusive<Id>,
) -> Result<BTreeMap<(Id, Id), Representative>> {
    let mut found = BTreeMap::new();
    for reader in dataset.rows_near::<Representative>(REPRESENTATIVES, "id", ids)? {
        for row in reader {
            let row = row?;
            if ids.contains(&row.id) {
                found.insert((row.id, row.representative), row);
            }
        }
    }
    Ok(found)
}

/// Returns the value of a record that another one stands for: the representative's id, the estimated similarity
/// if there is one, and the representative's name (its own id at its source, or else its URL) if it has one:
/// `2:0:17 0.87 https://a.example/page`.
pub(super) fn value(representative: Id, similarity: Option<f64>, known: Option<&Representative>) -> String {
    let mut value = representative.to_string();
    if let Some(similarity) = similarity {
        value.push_str(&format!(" {similarity:.2}"));
    }
    if let Some(name) = known.and_then(|known| known.name.as_deref()) {
        value.push(' ');
        value.push_str(name);
    }
    value
}

impl<S: Subject> Stage for Representatives<S> {
    fn name(&self) -> String {
        self.name.clone()
    }

    fn inputs(&self) -> Vec<String> {
        let near = self.near.iter().map(|(stage, _)| stage);
        self.records.iter().chain(&self.finders).chain(near).cloned().collect()
    }

    fn settings(&self) -> Value {
        let near = self.near.as_ref().map(|(_, near)| json!({"scheme": near.scheme, "shape": near.shape()}));
        json!({"near": near, "memory_mb": self.memory_mb})
    }

    fn plan(&self, inputs: &Inputs) -> Result<u32> {
        Ok(self.groups(&parts::<S>(inputs, &self.records)?).len() as u32)
    }

    fn run(&self, task: &Task<'_>) -> Result<()> {
        let out = task.output()?;
        if out.is_done() {
            return Ok(());
        }
        let parts = parts::<S>(task.inputs, &self.records)?;
        let group = self.groups(&parts).into_iter().nth(task.index as usize);
        let mut found = Sorter::new(&task.scratch.join("found"), task_bytes(self.memory_mb) / 2)?;
        let mut known = BTreeMap::new();
        for (dataset, part) in parts.get(group.unwrap_or_default()).unwrap_or_default() {
            self.join(task, dataset, part, &mut found, &mut known)?;
        }
        sorted::write(out, UNIT, REPRESENTATIVES, found.finish()?, |row| {
            let [id, representative] = row.map(Id::from_bits);
            let Known { name, sketch } = known.get(&representative).cloned().unwrap_or_default();
            Representative { id, representative, name, sketch }
        })
    }
}
