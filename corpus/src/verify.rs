//! Re-reads everything the ledger lists: digests, counts, schemas, entries.

use bytes::Bytes;

use crate::digest::Hasher;
use crate::ledger::folder;
use crate::store::StoredFile;
use crate::{Ledger, Manifest, Part, Report, Result, Store};
use parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;
use parquet::file::reader::Length;

/// One thing that is not as the ledger says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    /// The file or entry.
    pub path: String,
    /// What is wrong with it.
    pub detail: String,
}

/// Bytes read at a time.
const READ_BYTES: u64 = 4 << 20;

/// Checks a sealed stage; returns what is wrong, in the ledger's order.
///
/// # Errors
/// When the store fails in another way than by a missing or damaged file.
pub fn verify(store: &Store, manifest: &Manifest) -> Result<Vec<Finding>> {
    let mut findings = verify_entries(store, manifest)?;
    for part in &manifest.parts {
        if let Err(detail) = verify_part(store, part) {
            findings.push(Finding { path: part.path.clone(), detail });
        }
    }
    Ok(findings)
}

fn verify_entries(store: &Store, manifest: &Manifest) -> Result<Vec<Finding>> {
    let ledger = Ledger::new(store.clone());
    let path = folder(&manifest.stage, &manifest.fingerprint);
    let (mut findings, mut report, mut parts) = (Vec::new(), Report::default(), Vec::new());
    for (task, &expected) in manifest.range_counts.iter().enumerate() {
        let mut finding = |detail| findings.push(Finding { path: format!("{path}/{task:08}"), detail });
        match ledger.entries(&manifest.stage, &manifest.fingerprint, task as u32) {
            Ok(entries) if entries.len() == expected as usize => {
                for entry in entries {
                    report += &entry.report;
                    parts.extend(entry.parts);
                }
            }
            Ok(entries) => finding(format!("{} entries of {expected}", entries.len())),
            Err(error) => finding(error.to_string()),
        }
    }
    if findings.is_empty() && (report != manifest.report || parts != manifest.parts) {
        let detail = "the entries do not add up to the manifest".to_owned();
        findings.push(Finding { path: path.clone(), detail });
    }
    if let Some(detail) = manifest.report.violation() {
        findings.push(Finding { path, detail });
    }
    Ok(findings)
}

fn verify_part(store: &Store, part: &Part) -> Result<(), String> {
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
    if digest != part.digest {
        return Err(format!("digest {} where the ledger says {}", digest.short(), part.digest.short()));
    }
    if part.path.ends_with(".parquet") { verify_table(file, part) } else { Ok(()) }
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
