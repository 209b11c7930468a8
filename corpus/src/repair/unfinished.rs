//! Tasks of stages that are not sealed: what they committed is gone on with, so it must be whole.

use crate::ledger::{Name, folder, range_path};
use crate::verify::{Finding, verify_part};
use crate::{Entry, Fingerprint, Ledger, Result, Store};

/// Checks what the tasks of an unfinished stage committed. If `mends`, entries from the first damaged one on are
/// removed, and the next run commits those ranges again.
///
/// # Errors
/// When the store fails.
pub fn unfinished(
    store: &Store,
    stage: &str,
    fingerprint: &Fingerprint,
    mends: bool,
) -> Result<Vec<Finding>> {
    let ledger = Ledger::new(store.clone());
    let mut findings = Vec::new();
    for task in ledger.progress(stage, fingerprint)?.into_keys() {
        let Some((range, detail)) = damage(&ledger, store, (stage, fingerprint, task))? else { continue };
        if mends {
            give_up(store, (stage, fingerprint, task), range)?;
        }
        findings.push(Finding {
            path: range_path(stage, fingerprint, task, range),
            detail,
            task: Some(task),
        });
    }
    Ok(findings)
}

/// Returns the first damaged range of a task, and what is wrong with it.
fn damage(
    ledger: &Ledger,
    store: &Store,
    (stage, fingerprint, task): (&str, &Fingerprint, u32),
) -> Result<Option<(u32, String)>> {
    let (mut range, mut position) = (0, 0);
    loop {
        let entry = match crate::ledger::or_damage(ledger.entry(stage, fingerprint, task, range))? {
            (Some(entry), _) => entry,
            (None, damage) => return Ok(damage.map(|damage| (range, damage))),
        };
        let Entry { start, position: end, last, .. } = entry;
        if entry.range != range || start != position || end < start {
            return Ok(Some((range, format!("range {} covers {start}..{end}", entry.range))));
        }
        if let Some(detail) = entry.report.violation() {
            return Ok(Some((range, detail)));
        }
        for part in &entry.parts {
            if let Some(detail) = verify_part(store, part)? {
                return Ok(Some((range, format!("{}: {detail}", part.path))));
            }
        }
        if last {
            return Ok(None);
        }
        (range, position) = (range + 1, end);
    }
}

/// Removes a task's entries from a range on, and the mark of its end.
fn give_up(store: &Store, (stage, fingerprint, task): (&str, &Fingerprint, u32), from: u32) -> Result<()> {
    for path in store.names(&folder(stage, fingerprint))? {
        let is_behind = match Name::parse(&path) {
            Some(Name::Range { task: of, range }) => of == task && range >= from,
            Some(Name::End { task: of }) => of == task,
            _ => false,
        };
        if is_behind {
            store.delete(&path)?;
        }
    }
    Ok(())
}
