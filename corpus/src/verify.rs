//! Re-reads everything the ledger lists: digests, counts, schemas, entries.

use std::collections::{BTreeMap, BTreeSet};

use bytes::Bytes;

use crate::digest::Hasher;
use crate::ledger::{Roll, fault, folder, plan_path};
use crate::store::StoredFile;
use crate::{Dataset, Entry, Ledger, Manifest, Part, Result, Store};
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
        let Ok(part) = part else { continue };
        if let Err(detail) = verify_part(store, &part) {
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
    let mut roll = Roll::begin(path.clone(), &manifest.plan());
    let mut compare = |shard: &str, expected: Bytes| {
        if store.get(shard)?.as_ref() != Some(&expected) {
            damaged_shards.push(shard.to_owned());
        }
        Ok(())
    };
    for task in 0..manifest.task_count {
        let rolled = match verify_task(&ledger, manifest, task) {
            Ok(entries) => roll.task(task, entries, &mut compare).map_err(|error| error.to_string()),
            Err(detail) => Err(detail),
        };
        if let Err(detail) = rolled {
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
    findings.extend(plan_fault(&ledger, manifest).map(|detail| {
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
pub(crate) fn plan_fault(ledger: &Ledger, manifest: &Manifest) -> Option<String> {
    match ledger.plan(&manifest.stage, &manifest.fingerprint) {
        Ok(Some(plan)) if plan == manifest.plan() => None,
        Ok(Some(plan)) if plan.task_count != manifest.task_count => {
            Some(format!("{} tasks where the manifest has {}", plan.task_count, manifest.task_count))
        }
        Ok(Some(_)) => Some("other streams than the manifest has".to_owned()),
        Ok(None) => Some("it is missing".to_owned()),
        Err(error) => Some(error.to_string()),
    }
}

/// Returns the entries of a task, or what is wrong with them.
fn verify_task(ledger: &Ledger, manifest: &Manifest, task: u32) -> Result<Vec<Entry>, String> {
    let (stage, fingerprint) = (&manifest.stage, &manifest.fingerprint);
    let entries = ledger.entries(stage, fingerprint, task).map_err(|error| error.to_string())?;
    if let Some(detail) = fault(&entries) {
        return Err(detail);
    }
    for entry in &entries {
        if (&entry.stage, &entry.fingerprint, entry.task) != (stage, fingerprint, task) {
            return Err(format!("an entry of {} task {} stands here", entry.stage, entry.task));
        }
        if let Some(detail) = entry.report.violation() {
            return Err(detail);
        }
    }
    let expected = entries.last().map(|last| (last.range + 1, last.position));
    match ledger.task_end(stage, fingerprint, task).map_err(|error| error.to_string())? {
        Some(end) if Some((end.ranges, end.position)) == expected => Ok(entries),
        Some(_) => Err("its end is not that of its last range".to_owned()),
        None => Err("the mark of its end is missing".to_owned()),
    }
}

pub(crate) fn verify_part(store: &Store, part: &Part) -> Result<(), String> {
    if part.path.rsplit('/').nth(1) != Some(part.stream.as_str()) {
        return Err(format!("it is not in the folder of stream {}", part.stream));
    }
    let file = verify_bytes(store, part)?;
    if part.path.ends_with(".parquet") { verify_table(file, part) } else { Ok(()) }
}

/// Checks the size and the digest of a part.
pub(crate) fn verify_bytes(store: &Store, part: &Part) -> Result<StoredFile, String> {
    let file = store.open(&part.path).map_err(|error| error.to_string())?;
    if file.len() != part.bytes {
        return Err(format!("{} bytes where the ledger says {}", file.len(), part.bytes));
    }
    let mut hasher = Hasher::default();
    let mut start = 0;
    while start < part.bytes {
        let length = READ_BYTES.min(part.bytes - start);
        let bytes: Bytes = file.read(start, length as usize).map_err(|error| error.to_string())?;
        hasher.update(&bytes);
        start += length;
    }
    let digest = hasher.finish();
    match digest == part.digest {
        true => Ok(file),
        false => Err(format!("digest {digest} where the ledger says {}", part.digest)),
    }
}

fn verify_table(file: StoredFile, part: &Part) -> Result<(), String> {
    let table = ParquetRecordBatchReaderBuilder::try_new(file).map_err(|error| error.to_string())?;
    let metadata = table.metadata().file_metadata();
    let rows = metadata.num_rows();
    if rows != part.rows as i64 {
        return Err(format!("{rows} rows where the ledger says {}", part.rows));
    }
    let named = metadata
        .key_value_metadata()
        .and_then(|pairs| pairs.iter().find(|pair| pair.key == crate::table::TABLE_KEY))
        .and_then(|pair| pair.value.as_deref());
    if named != Some(part.table.as_str()) {
        return Err(format!("a {} table where the ledger says {}", named.unwrap_or("foreign"), part.table));
    }
    Ok(())
}
