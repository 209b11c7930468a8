//! The stage that finds what users know a removed record's representative by: `text.representatives`.

use std::collections::{BTreeMap, BTreeSet};
use std::marker::PhantomData;
use std::ops::RangeInclusive;

use corpus::record::{DocumentText, Duplicate, REPRESENTATIVES, REPRESENTED, Representative};
use corpus::sort::{GROUP_BYTES, Sorter, group_count, groups, task_bytes};
use corpus::stage::{Inputs, Resources};
use corpus::{Dataset, Declared, Id, Output, Part, Placed, Result, Stage, Task};
use serde_json::{Value, json};

use super::known::{Known, KnownWriter};
use super::records::records;
use super::sorted;
use crate::config::NearConfig;
use crate::near::Signer;
use crate::subject::{RecordName, Subject};

/// What this stage counts: removed records.
const UNIT: &str = "represented";
/// Bytes that a record with its name and sketch takes, about.
const RECORD_BYTES: u64 = 512;
/// Characters of a name at most: it is shown, not looked up.
const NAME_CHARS_MAX: usize = 500;

/// Joins what duplicate finding found with the names of the records that stay, one task per group of parts of
/// the records.
///
/// Groups are of so many records, so that few parts are to be read later. A task reads each finder's rows of the
/// ids of its parts; it holds the names of one part, and the others are on disk.
#[derive(Debug, Clone)]
pub struct Representatives<S: Subject> {
    name: String,
    records: Vec<String>,
    finders: Vec<String>,
    near: Option<(String, NearConfig)>,
    memory_mb: u32,
    subject: PhantomData<fn() -> S>,
}

impl<S: Subject> Representatives<S> {
    /// Returns the stage `name`, which reads the stages of the records, and those that found duplicates or
    /// repeats among them. Memory is in MiB for all tasks at a time.
    pub fn new(name: &str, records: Vec<String>, finders: &[&str], memory_mb: u32) -> Self {
        let finders = finders.iter().map(|finder| (*finder).to_owned()).collect();
        Self { name: name.to_owned(), records, finders, near: None, memory_mb, subject: PhantomData }
    }

    /// Adds the stage that found near-duplicates among documents, and how: their representatives have a sketch.
    #[must_use]
    pub fn with_near(self, near: Option<(&str, &NearConfig)>) -> Self {
        Self { near: near.map(|(stage, config)| (stage.to_owned(), config.clone())), ..self }
    }

    fn groups<'i>(
        &self,
        inputs: &'i Inputs,
    ) -> Result<impl Iterator<Item = Result<Vec<Placed<'i>>>> + use<'i, S>> {
        let parts = records::<S>(inputs, &self.records)?.parts();
        Ok(groups(parts, |(_, part)| part.rows, GROUP_BYTES / RECORD_BYTES))
    }

    /// Joins the records of a part: adds `[id, representative, place of what is known of it]`.
    fn join(
        &self,
        task: &Task<'_>,
        dataset: &Dataset,
        part: &Part,
        found: &mut Sorter<[u64; 3]>,
        known: &mut KnownWriter,
    ) -> Result<()> {
        let mut of_part = self.sorter(task, "part")?;
        let mut places = BTreeMap::new();
        for (id, of_one) in self.known(task, dataset, part, &mut of_part)? {
            places.insert(id.to_bits(), known.add(&of_one)?);
        }
        for row in of_part.finish()? {
            let [id, representative] = row?;
            task.cancel.check()?;
            if let Some(place) = places.get(&representative) {
                found.push([id, representative, *place])?;
            }
        }
        Ok(())
    }

    /// Adds `[id, representative]` for the representatives among a part's records; returns what is known of them.
    fn known(
        &self,
        task: &Task<'_>,
        dataset: &Dataset,
        part: &Part,
        found: &mut Sorter<[u64; 2]>,
    ) -> Result<BTreeMap<Id, Known>> {
        let mut known = BTreeMap::new();
        let ids = dataset.id_range(part, "id")?;
        let names: Result<BTreeMap<Id, Option<String>>> = S::names(dataset, part)?
            .map(|row| row.map(|RecordName { id, key, url }| (id, key.or(url).map(|name| shortened(&name)))))
            .collect();
        let names = names?;
        let mut add = |stage: &str, representatives: &mut BTreeSet<Id>| -> Result<()> {
            for reader in task.inputs.get(stage)?.rows_near(REPRESENTED, "representative", &ids)? {
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
        let Some((stage, config)) = &self.near else { return Ok(known) };
        let mut representatives = BTreeSet::new();
        add(stage, &mut representatives)?;
        if representatives.is_empty() {
            return Ok(known);
        }
        let mut signer = Signer::new(config.scheme, config.shape());
        for row in dataset.open::<DocumentText>(part)? {
            let DocumentText { id, text } = row?;
            task.cancel.check()?;
            if let Some(known) = known.get_mut(&id).filter(|_| representatives.contains(&id)) {
                known.sketch = Some(signer.sketch(&text).into());
            }
        }
        Ok(known)
    }

    fn sorter<const N: usize>(&self, task: &Task<'_>, name: &str) -> Result<Sorter<[u64; N]>> {
        Sorter::new(&task.scratch.join(name), task_bytes(self.memory_mb, task.workers) / 2)
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
    for reader in dataset.rows_near(REPRESENTATIVES, "id", ids)? {
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

    fn settings(&self) -> Result<Value> {
        let near = self.near.as_ref().map(|(_, near)| json!({"scheme": near.scheme, "shape": near.shape()}));
        Ok(json!({"near": near, "group_bytes": GROUP_BYTES}))
    }

    fn version(&self) -> u32 {
        2
    }

    fn plan(&self, inputs: &Inputs) -> Result<u32> {
        group_count(self.groups(inputs)?)
    }

    fn streams(&self) -> Vec<Declared> {
        vec![REPRESENTATIVES.into()]
    }

    fn resources(&self) -> Resources {
        Resources::with_memory_mb(self.memory_mb)
    }

    fn run(&self, task: &Task<'_>, out: &mut Output<'_>) -> Result<()> {
        let group = self.groups(task.inputs)?.nth(task.index as usize).transpose()?;
        let mut found = self.sorter(task, "found")?;
        let mut known = KnownWriter::create(&task.scratch.join("known"))?;
        for (dataset, part) in group.unwrap_or_default() {
            self.join(task, dataset, &part, &mut found, &mut known)?;
        }
        let known = known.finish()?;
        sorted::write(out, UNIT, REPRESENTATIVES, found.finish()?, |[id, representative, place]| {
            let [id, representative] = [id, representative].map(Id::from_bits);
            let Known { name, sketch } = known.at(place)?;
            Ok(Representative { id, representative, name, sketch })
        })
    }
}
