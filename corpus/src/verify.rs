//! Re-reads everything the ledger lists: digests, counts, schemas, entries.

use std::collections::{BTreeMap, BTreeSet};

use bytes::Bytes;

use crate::digest::Hasher;
use crate::ledger::{Rollup, fault, folder, or_damage, plan_path};
use crate::store::StoredFile;
use crate::{Dataset, Entry, Error, Ledger, Manifest, Part, Result, Store};
use parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;
use parquet::file::reader::Length;

/// One thing that is not as the ledger says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    /// The file or entry.
    pub path: String,
    /// What is wrong with it.
    pub detail: String,
    /// The task that made it, if it is one task's.
    pub task: Option<u32>,
}

/// Why a file is not found to be what the ledger says.
pub(crate) enum Fault {
    /// It is another one, or there is none.
    Damage(String),
    /// The store did not answer, which says nothing about the file.
    Store(Error),
}

impl Fault {
    /// Tells a file that cannot be read from a store that cannot be reached, or does not let us.
    fn of(store: &Store, error: Error) -> Self {
        // A file of this machine that cannot be read is damaged, whatever the disk says.
        match error.is_missing() || store.local_path("").is_some() {
            true => Self::Damage(error.to_string()),
            false => Self::Store(error),
        }
    }

    /// Returns what is wrong with a file that was looked at.
    ///
    /// # Errors
    /// When the store did not answer.
    pub(crate) fn found<T>(looked: Result<T, Self>) -> Result<Option<String>> {
        match looked {
            Ok(_) => Ok(None),
            Err(Self::Damage(detail)) => Ok(Some(detail)),
            Err(Self::Store(error)) => Err(error),
        }
    }
}

/// Bytes read at a time.
const READ_BYTES: u64 = 4 << 20;

/// Checks a sealed stage; returns what is wrong, in the ledger's order.
///
/// # Errors
/// When the store fails in another way than by a missing or damaged file.
pub fn verify(store: &Store, manifest: &Manifest) -> Result<Vec<Finding>> {
    let mut findings = verify_entries(store, manifest)?;
    for part in Dataset::new(store.clone(), manifest.clone()).parts_of(|_| true) {
        // A list of parts that is damaged is found with the entries.
        let (Some(part), _) = or_damage(part.map(Some))? else { continue };
        if let Some(detail) = verify_part(store, &part)? {
            findings.push(Finding { path: part.path.clone(), detail, task: part.task() });
        }
    }
    Ok(findings)
}

/// Checks that the entries are whole and add up to the manifest, and the manifest itself.
fn verify_entries(store: &Store, manifest: &Manifest) -> Result<Vec<Finding>> {
    let ledger = Ledger::new(store.clone());
    let path = folder(&manifest.stage, &manifest.fingerprint);
    let (mut findings, mut damaged_shards) = (Vec::new(), Vec::new());
    let mut roll = Rollup::begin(path.clone(), &manifest.plan());
    let mut compare = |shard: &str, expected: Bytes| {
        if store.get(shard)?.as_ref() != Some(&expected) {
            damaged_shards.push(shard.to_owned());
        }
        Ok(())
    };
    for task in 0..manifest.task_count {
        let damage = match verify_task(&ledger, manifest, task)? {
            Ok(entries) => or_damage(roll.task(task, entries, &mut compare).map(Some))?.1,
            Err(detail) => Some(detail),
        };
        if let Some(detail) = damage {
            let path = format!("{path}/{task:08}");
            findings.push(Finding { path, detail, task: Some(task) });
        }
    }
    if findings.is_empty() {
        let rolled =
            roll.finish(&manifest.stage, &manifest.fingerprint, manifest.task_count, &mut compare)?;
        if rolled != *manifest {
            findings.extend(disagreement(&ledger, manifest, &path));
        }
        let detail = "it is missing, or not what the entries say";
        let damage = |path| Finding { path, detail: detail.to_owned(), task: None };
        findings.extend(damaged_shards.into_iter().map(damage));
    }
    if let Some(detail) = manifest.report.violation() {
        findings.push(Finding { path: path.clone(), detail, task: None });
    }
    findings.extend(plan_fault(&ledger, manifest)?.map(|detail| {
        let path = plan_path(&manifest.stage, &manifest.fingerprint);
        Finding { path, detail, task: None }
    }));
    Ok(findings)
}

/// Tells of the tasks whose entries say something else than the manifest; of the stage where it is none's fault.
fn disagreement(ledger: &Ledger, manifest: &Manifest, path: &str) -> Vec<Finding> {
    let (mut listed, mut committed) = (Vec::new(), Vec::new());
    for shard in manifest.streams.iter().flat_map(|stream| &stream.shards) {
        listed.extend(ledger.shard(shard).map(|shard| shard.parts).unwrap_or_default());
    }
    for task in 0..manifest.task_count {
        let entries = ledger.entries(&manifest.stage, &manifest.fingerprint, task);
        committed.extend(entries.unwrap_or_default().into_iter().flat_map(|entry| entry.parts));
    }
    let tasks = other_tasks(&committed, &listed);
    let tasks = if tasks.is_empty() { vec![None] } else { tasks.into_iter().map(Some).collect() };
    let detail = "the entries do not add up to the manifest";
    let finding = |task| Finding { path: path.to_owned(), detail: detail.to_owned(), task };
    tasks.into_iter().map(finding).collect()
}

/// Returns the tasks whose parts are not the same in two lists.
fn other_tasks(one: &[Part], other: &[Part]) -> BTreeSet<u32> {
    only_in(one, other).chain(only_in(other, one)).filter_map(Part::task).collect()
}

/// Returns the parts of one list that another one does not have.
pub(crate) fn only_in<'p>(one: &'p [Part], other: &'p [Part]) -> impl Iterator<Item = &'p Part> {
    let others: BTreeMap<&str, &Part> = other.iter().map(|part| (part.path.as_str(), part)).collect();
    one.iter().filter(move |part| others.get(part.path.as_str()) != Some(part))
}

/// Returns what is wrong with the record that the stage was begun.
///
/// # Errors
/// When the store did not answer.
pub(crate) fn plan_fault(ledger: &Ledger, manifest: &Manifest) -> Result<Option<String>> {
    let (plan, damage) = or_damage(ledger.plan(&manifest.stage, &manifest.fingerprint))?;
    Ok(match plan {
        Some(plan) if plan == manifest.plan() => None,
        Some(plan) if plan.task_count != manifest.task_count => {
            Some(format!("{} tasks where the manifest has {}", plan.task_count, manifest.task_count))
        }
        Some(_) => Some("other streams than the manifest has".to_owned()),
        None => damage.or_else(|| Some("it is missing".to_owned())),
    })
}

/// Returns the entries of a task, or what is wrong with them.
///
/// # Errors
/// When the store did not answer.
fn verify_task(ledger: &Ledger, manifest: &Manifest, task: u32) -> Result<Result<Vec<Entry>, String>> {
    let (stage, fingerprint) = (&manifest.stage, &manifest.fingerprint);
    let entries = match or_damage(ledger.entries(stage, fingerprint, task).map(Some))? {
        (Some(entries), _) => entries,
        (None, damage) => return Ok(Err(damage.unwrap_or_default())),
    };
    if let Some(detail) = entries_fault(&entries, manifest, task) {
        return Ok(Err(detail));
    }
    let expected = entries.last().map(|last| (last.range + 1, last.position));
    Ok(match or_damage(ledger.task_end(stage, fingerprint, task))? {
        (Some(end), _) if Some((end.ranges, end.position)) == expected => Ok(entries),
        (Some(_), _) => Err("its end is not that of its last range".to_owned()),
        (None, Some(damage)) => Err(damage),
        (None, None) => Err("the mark of its end is missing".to_owned()),
    })
}

fn entries_fault(entries: &[Entry], manifest: &Manifest, task: u32) -> Option<String> {
    if let Some(detail) = fault(entries) {
        return Some(detail);
    }
    let place = (&manifest.stage, &manifest.fingerprint, task);
    entries.iter().find_map(|entry| match (&entry.stage, &entry.fingerprint, entry.task) == place {
        true => entry.report.violation(),
        false => Some(format!("an entry of {} task {} stands here", entry.stage, entry.task)),
    })
}

/// Returns what is wrong with a part.
///
/// # Errors
/// When the store did not answer.
pub(crate) fn verify_part(store: &Store, part: &Part) -> Result<Option<String>> {
    if part.path.rsplit('/').nth(1) != Some(part.stream.as_str()) {
        return Ok(Some(format!("it is not in the folder of stream {}", part.stream)));
    }
    Fault::found(verify_bytes(store, part).and_then(|file| match part.path.ends_with(".parquet") {
        true => verify_table(file, part),
        false => Ok(()),
    }))
}

/// Checks the size and the digest of a part.
pub(crate) fn verify_bytes(store: &Store, part: &Part) -> Result<StoredFile, Fault> {
    let file = store.open(&part.path).map_err(|error| Fault::of(store, error))?;
    if file.len() != part.bytes {
        return Err(Fault::Damage(format!("{} bytes where the ledger says {}", file.len(), part.bytes)));
    }
    let mut hasher = Hasher::default();
    let mut start = 0;
    while start < part.bytes {
        let length = READ_BYTES.min(part.bytes - start);
        let bytes = file.read(start, length as usize).map_err(|error| Fault::of(store, error))?;
        hasher.update(&bytes);
        start += length;
    }
    let digest = hasher.finish();
    match digest == part.digest {
        true => Ok(file),
        false => Err(Fault::Damage(format!("digest {digest} where the ledger says {}", part.digest))),
    }
}

fn verify_table(file: StoredFile, part: &Part) -> Result<(), Fault> {
    let table = ParquetRecordBatchReaderBuilder::try_new(file.clone()).map_err(|error| {
        file.take_failure().map_or_else(|| Fault::Damage(error.to_string()), Fault::Store)
    })?;
    let metadata = table.metadata().file_metadata();
    let rows = metadata.num_rows();
    if rows != part.rows as i64 {
        return Err(Fault::Damage(format!("{rows} rows where the ledger says {}", part.rows)));
    }
    let named = metadata
        .key_value_metadata()
        .and_then(|pairs| pairs.iter().find(|pair| pair.key == crate::table::TABLE_KEY))
        .and_then(|pair| pair.value.as_deref());
    if named != Some(part.table.as_str()) {
        let named = named.unwrap_or("foreign");
        return Err(Fault::Damage(format!("a {named} table where the ledger says {}", part.table)));
    }
    Ok(())
}
