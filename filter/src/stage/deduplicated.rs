//! The stage that drops what duplicate finding found: `text`, `pairs`.

use std::collections::BTreeMap;
use std::marker::PhantomData;
use std::ops::RangeInclusive;

use bytes::Bytes;
use corpus::record::{DUPLICATES, Duplicate};
use corpus::stage::Inputs;
use corpus::{Dataset, Declared, Id, Output, Removal, Result, Split, Stage, Task};
use serde::Serialize;
use serde_json::{Value, json};

use super::records::records;
use super::representatives::{representatives, value};
use crate::config::NearConfig;
use crate::near::Signer;
use crate::near::signature::similarity;
use crate::subject::Subject;

/// The reasons under which duplicates are dropped. The value is the representative's id; with the names of
/// representatives it is followed by a space and the name, which is the representative's own id at its source or else its
/// URL. Of near-duplicates the estimated similarity to the representative is between them, from 0.00 to 1.00:
/// `2:0:17 0.87 https://a.example/page`.
const EXACT: &str = "duplicate";
const NEAR: &str = "near_duplicate";

/// How records are given a split.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct SplitAssignment {
    /// The run's seed.
    pub seed: u64,
    /// The share that is held out, 0 to 1.
    pub validation_share: f64,
}

impl SplitAssignment {
    /// Returns the split of a cluster by its representative: the little-endian bits of the id
    /// are what is hashed, so that whoever uses the same page agrees.
    pub fn of(&self, representative: Id) -> Split {
        let cluster = representative.to_bits().to_le_bytes();
        Split::of_cluster(self.seed, &cluster, self.validation_share)
    }
}

/// Keeps the representatives, one task per part of the records.
///
/// The representative of an exact duplicate is the record of the same content that comes first; it can
/// itself be a near-duplicate of another. A task holds the duplicates among the ids of its part, which a
/// committed range bounds.
#[derive(Debug, Clone)]
pub struct Deduplicated<S: Subject> {
    name: String,
    records: Vec<String>,
    exact: String,
    near: Option<String>,
    names: Option<String>,
    signing: Option<NearConfig>,
    split: Option<SplitAssignment>,
    subject: PhantomData<fn() -> S>,
}

impl<S: Subject> Deduplicated<S> {
    /// Returns the stage `name`, which reads the stages of the records and `exact`; records get a
    /// split if `split` says how.
    pub fn new(name: &str, records: Vec<String>, exact: &str, split: Option<SplitAssignment>) -> Self {
        Self {
            name: name.to_owned(),
            records,
            exact: exact.to_owned(),
            near: None,
            names: None,
            signing: None,
            split,
            subject: PhantomData,
        }
    }

    /// Drops what another stage found to be near-duplicates, too.
    #[must_use]
    pub fn with_near(self, near: Option<&str>) -> Self {
        Self { near: near.map(str::to_owned), ..self }
    }

    /// Names the representatives, by the stage [`Representatives`](super::Representatives), and how near-duplicates
    /// are found, by which their similarity is estimated.
    #[must_use]
    pub fn with_names(self, names: &str, near: Option<&NearConfig>) -> Self {
        Self { names: Some(names.to_owned()), signing: near.cloned(), ..self }
    }
}

/// Reads the duplicates among ids, with their representatives.
pub(super) fn duplicates(finder: &Dataset, ids: &RangeInclusive<Id>) -> Result<BTreeMap<Id, Id>> {
    let mut found = BTreeMap::new();
    for reader in finder.rows_near(DUPLICATES, "id", ids)? {
        for row in reader {
            let Duplicate { id, representative } = row?;
            if ids.contains(&id) {
                found.insert(id, representative);
            }
        }
    }
    Ok(found)
}

impl<S: Subject> Stage for Deduplicated<S> {
    fn name(&self) -> String {
        self.name.clone()
    }

    fn inputs(&self) -> Vec<String> {
        self.records.iter().chain([&self.exact]).chain(&self.near).chain(&self.names).cloned().collect()
    }

    fn settings(&self) -> Result<Value> {
        Ok(json!({"split": self.split}))
    }

    fn version(&self) -> u32 {
        2
    }

    fn plan(&self, inputs: &Inputs) -> Result<u32> {
        records::<S>(inputs, &self.records)?.part_count()
    }

    fn streams(&self) -> Vec<Declared> {
        vec![S::STREAM.into()]
    }

    fn run(&self, task: &Task<'_>, out: &mut Output<'_>) -> Result<()> {
        let records = records::<S>(task.inputs, &self.records)?;
        let Some((dataset, part)) = records.part(task.index)? else { return Ok(()) };
        let ids = dataset.id_range(&part, "id")?;
        let exact = duplicates(task.inputs.get(&self.exact)?, &ids)?;
        let near = match &self.near {
            Some(near) => duplicates(task.inputs.get(near)?, &ids)?,
            None => BTreeMap::new(),
        };
        let names = match &self.names {
            Some(names) => representatives(task.inputs.get(names)?, &ids)?,
            None => BTreeMap::new(),
        };
        let mut signer = self.signing.as_ref().map(|near| Signer::new(near.scheme, near.shape()));
        for record in S::open(dataset, &part, out.position())? {
            let mut record = record?;
            let id = record.id();
            out.read(S::UNIT);
            let found = exact.get(&id).map(|r| (EXACT, r)).or(near.get(&id).map(|r| (NEAR, r)));
            if let Some((reason, &representative)) = found {
                let (known, preview) = (names.get(&(id, representative)), record.preview());
                // What is compared is the whole text, which is what a document shows.
                let sketch = known.and_then(|known| known.sketch.as_ref()).filter(|_| reason == NEAR);
                let similar =
                    |(signer, sketch): (&mut Signer, &Bytes)| similarity(&signer.sketch(preview), sketch);
                let value = value(representative, signer.as_mut().zip(sketch).and_then(similar), known);
                let (key, url) = (record.key(), record.url());
                out.drop(S::UNIT, Removal { id, key, url, reason, value, preview })?;
            } else {
                if let Some(split) = self.split {
                    record.assign(split.of(id));
                }
                out.write(S::STREAM, record)?;
                out.keep(S::UNIT);
            }
            out.advance(1)?;
        }
        Ok(())
    }
}
