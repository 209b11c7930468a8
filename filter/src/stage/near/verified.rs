//! The stage that compares linked documents exactly: `text.near.verified`.

use corpus::record::{Document, DocumentText, LINKS, Link};
use corpus::sort::{Sorted, Sorter, task_bytes};
use corpus::stage::{Inputs, Resources};
use corpus::{Dataset, Declared, Id, Output, Part, Removal, Result, Stage, Task};
use serde_json::{Value, json};

use crate::config::NearConfig;
use crate::near::signature::shingles;
use crate::stage::records::records;

const UNIT: &str = "links";
/// The reason of a drop; the value is the similarity.
const REASON: &str = "jaccard_min";

/// Keeps the links of documents whose sets of shingles are similar enough.
///
/// A join on disk: every linked document is read once, and gives its shingles to each of its
/// links; sorted by link they are counted. One task: disk and time grow with the shingles of
/// linked documents, 32 bytes each and link.
#[derive(Debug, Clone)]
pub struct Verified {
    /// The stage's name.
    pub name: String,
    /// The stages whose documents it reads.
    pub documents: Vec<String>,
    /// The stage whose links it reads.
    pub links: String,
    /// How near-duplicates are found.
    pub config: NearConfig,
    /// Jaccard similarity from which a link stays.
    pub jaccard_min: f64,
}

impl Verified {
    fn sorter<const N: usize>(&self, task: &Task<'_>, name: &str) -> Result<Sorter<[u64; N]>> {
        Sorter::new(&task.scratch.join(name), task_bytes(self.config.memory_mb, task.workers) / 2)
    }

    /// Returns `[a, b, shingle, side]` of both documents of every link.
    fn sets(&self, task: &Task<'_>) -> Result<Sorted<[u64; 4]>> {
        let mut sides = self.sorter(task, "sides")?;
        for link in task.inputs.get(&self.links)?.rows(LINKS) {
            let Link { a, b } = link?;
            sides.push([a.to_bits(), a.to_bits(), b.to_bits()])?;
            sides.push([b.to_bits(), a.to_bits(), b.to_bits()])?;
        }
        let mut sets = self.sorter(task, "sets")?;
        let mut sides = sides.finish()?.peekable();
        let shape = self.config.shape();
        let mut parts: Vec<(Id, &Dataset, Part)> = Vec::new();
        for placed in records::<Document>(task.inputs, &self.documents)?.parts() {
            let (dataset, part) = placed?;
            parts.push((*dataset.id_range(&part, "id")?.start(), dataset, part));
        }
        parts.sort_unstable_by_key(|(first, ..)| *first);
        for (_, dataset, part) in parts {
            for row in dataset.open::<DocumentText>(&part)? {
                let DocumentText { id, text } = row?;
                task.cancel.check()?;
                let id = id.to_bits();
                while sides.next_if(|side| matches!(side, Ok([of, ..]) if *of < id)).is_some() {}
                let mut set = None;
                while let Some(side) = sides.next_if(|side| !matches!(side, Ok([of, ..]) if *of != id)) {
                    let [_, a, b] = side?;
                    let set = set.get_or_insert_with(|| shingles(&text, shape.unit, shape.shingle));
                    let side = u64::from(id == b);
                    set.iter().try_for_each(|shingle| sets.push([a, b, u64::from(*shingle), side]))?;
                }
            }
        }
        sets.finish()
    }
}

/// Shingles of the two documents of a link.
#[derive(Debug, Clone, Copy, Default)]
struct Counts {
    all: u64,
    shared: u64,
    last: Option<u64>,
}

impl Counts {
    /// Counts a shingle; those of both documents come twice in a row.
    fn add(&mut self, shingle: u64) {
        match self.last.replace(shingle) == Some(shingle) {
            true => self.shared += 1,
            false => self.all += 1,
        }
    }

    fn jaccard(&self) -> f64 {
        self.shared as f64 / self.all.max(1) as f64
    }
}

impl Stage for Verified {
    fn name(&self) -> String {
        self.name.clone()
    }

    fn inputs(&self) -> Vec<String> {
        self.documents.iter().chain([&self.links]).cloned().collect()
    }

    fn settings(&self) -> Result<Value> {
        Ok(json!({"jaccard_min": self.jaccard_min, "shape": self.config.shape()}))
    }

    fn plan(&self, _inputs: &Inputs) -> Result<u32> {
        Ok(1)
    }

    fn streams(&self) -> Vec<Declared> {
        vec![LINKS.into()]
    }

    fn resources(&self) -> Resources {
        Resources::with_memory_mb(self.config.memory_mb)
    }

    fn run(&self, task: &Task<'_>, out: &mut Output<'_>) -> Result<()> {
        let mut sets = self.sets(task)?.peekable();
        let mut links = 0;
        while let Some(row) = sets.next() {
            let [a, b, shingle, _] = row?;
            let mut counts = Counts::default();
            counts.add(shingle);
            while let Some(row) = sets.next_if(|row| !matches!(row, Ok(row) if row[..2] != [a, b])) {
                counts.add(row?[2]);
            }
            links += 1;
            if links <= out.position() {
                continue;
            }
            let [a, b] = [a, b].map(Id::from_bits);
            out.read(UNIT);
            if counts.jaccard() >= self.jaccard_min {
                out.write(LINKS, Link { a, b })?;
                out.keep(UNIT);
            } else {
                let value = format!("{:.4} {a}", counts.jaccard());
                out.drop(UNIT, Removal { id: b, key: None, url: None, reason: REASON, value, preview: "" })?;
            }
            out.advance(1)?;
        }
        Ok(())
    }
}
