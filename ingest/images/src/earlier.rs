//! What the first pass over an earlier list had stored: a list that grew is not fetched from its
//! beginning again.

use std::collections::BTreeSet;
use std::ops::RangeInclusive;

use corpus::record::{FETCHED, Fetched, IMAGES, Image, ImageHash, Target, key_prefix};
use corpus::table::{Reader, Record};
use corpus::{Dataset, Fingerprint, Id, Part, Result, Stage, Task};

use super::address::Key;
use crate::outcome::Outcome;

/// Outcomes in the same run's folder that the same settings gave for an earlier list, in the range of
/// keys of one task. Holds their keys, and of one earlier list after the other one row group per stream.
#[derive(Default)]
pub(super) struct Earlier {
    lists: Vec<EarlierList>,
}

struct EarlierList {
    dataset: Dataset,
    prefixes: RangeInclusive<Id>,
    keys: BTreeSet<Key>,
    images: Cursor<Image>,
    answers: Cursor<Fetched>,
}

/// Rows of a stream in the order of their keys: of parts, and within them.
struct Cursor<R: Record> {
    /// Parts that were not opened yet.
    parts: std::vec::IntoIter<Part>,
    open: Option<Reader<R>>,
}

impl Earlier {
    /// Finds the sealed datasets of `stage` that earlier datasets of its input led to. Their fingerprints
    /// follow from the stage's settings and those inputs, so nothing else can be mistaken for them.
    ///
    /// # Errors
    /// When the ledger or a part cannot be read.
    pub(super) fn find(task: &Task<'_>, stage: &dyn Stage, input: &str, targets: &[Target]) -> Result<Self> {
        let mut earlier = Self::default();
        let (Some(first), Some(last)) = (targets.first(), targets.last()) else {
            return Ok(earlier);
        };
        let settings = stage.settings()?;
        let prefixes = key_prefix(&first.key)..=key_prefix(&last.key);
        for of_list in task.ledger.fingerprints(input)? {
            let Some(list) = task.ledger.manifest(input, &of_list)? else { continue };
            let fingerprint = Fingerprint::new(&stage.name(), stage.version(), &settings, &[&list]);
            // A pass that is run again takes nothing from what it replaces.
            if fingerprint.digits() == task.fingerprint.digits() {
                continue;
            }
            let fingerprint = task.ledger.current(&stage.name(), &fingerprint)?;
            if let Some(manifest) = task.ledger.manifest(&stage.name(), &fingerprint)? {
                let dataset = Dataset::new(task.store.clone(), manifest);
                earlier.lists.push(EarlierList::open(dataset, prefixes.clone())?);
            }
        }
        Ok(earlier)
    }

    /// Returns true if and only if there is an image for the key.
    pub(super) fn has(&self, key: &Key) -> bool {
        self.lists.iter().any(|list| list.keys.contains(key))
    }

    /// Takes the outcome of a key; keys must be asked for in ascending order.
    ///
    /// # Errors
    /// When a part cannot be read.
    pub(super) fn take(&mut self, key: &Key) -> Result<Option<Outcome>> {
        match self.lists.iter_mut().find(|list| list.keys.contains(key)) {
            Some(list) => list.take(key),
            None => Ok(None),
        }
    }
}

impl EarlierList {
    fn open(dataset: Dataset, prefixes: RangeInclusive<Id>) -> Result<Self> {
        let (mut keys, mut parts) = (BTreeSet::new(), Vec::new());
        for part in dataset.parts(IMAGES) {
            let part = part?;
            let before = keys.len();
            for image in dataset.open_near::<ImageHash>(&part, "key", &prefixes)? {
                let key = image?.key;
                if prefixes.contains(&key_prefix(&key)) {
                    keys.insert(key);
                }
            }
            if keys.len() > before {
                parts.push(part);
            }
        }
        let answers: Vec<Part> = dataset.parts(FETCHED).collect::<Result<_>>()?;
        Ok(Self { dataset, prefixes, keys, images: Cursor::new(parts), answers: Cursor::new(answers) })
    }

    fn take(&mut self, key: &Key) -> Result<Option<Outcome>> {
        let Self { dataset, prefixes, images, answers, .. } = self;
        let image = images.find(dataset, prefixes, |image| image.key == *key)?;
        let row = answers.find(dataset, prefixes, |row| row.key == *key)?;
        Ok(image.zip(row).map(|(image, row)| {
            let image = Image { id: key_prefix(key), uses: Vec::new(), ..image };
            Outcome { row, md5: None, judged: Ok(image) }
        }))
    }
}

impl<R: Record> Cursor<R> {
    fn new(parts: Vec<Part>) -> Self {
        Self { parts: parts.into_iter(), open: None }
    }

    /// Goes on to the first row that is wanted.
    fn find(
        &mut self,
        dataset: &Dataset,
        prefixes: &RangeInclusive<Id>,
        is_wanted: impl Fn(&R) -> bool,
    ) -> Result<Option<R>> {
        loop {
            let Some(open) = &mut self.open else {
                match self.parts.next() {
                    Some(part) => self.open = Some(dataset.open_near(&part, "key", prefixes)?),
                    None => return Ok(None),
                }
                continue;
            };
            match open.next().transpose()? {
                Some(row) if is_wanted(&row) => return Ok(Some(row)),
                Some(_) => {}
                None => self.open = None,
            }
        }
    }
}
