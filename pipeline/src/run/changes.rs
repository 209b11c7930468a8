//! Files of sources and evaluation sets that changed since they were listed: a run never mixes their old and new rows.

use std::collections::BTreeSet;
use std::path::Path;
use std::sync::Arc;

use corpus::record::FILES;
use corpus::{Dataset, Inputs, Ledger};
use ingest::{Client, FILE_UNIT};

use crate::config::Config;
use crate::evaluation;
use crate::folder::Folder;
use crate::{Error, Result};

use super::{Selection, Watch};

/// Files that are named where many are new, changed or gone.
const SHOWN_MAX: usize = 10;

/// What a stage reads from the files that another one lists.
struct Reading<'c> {
    stage: &'c str,
    /// What users call it.
    what: String,
    /// Returns the files that it has today; none where that takes a list from a server.
    files: Box<dyn Fn() -> corpus::Result<Option<Vec<String>>> + 'c>,
}

/// Returns all that is read from files.
fn readings<'c>(config: &'c Config, client: &'c Arc<Client>) -> Vec<Reading<'c>> {
    let of_source = |(name, source): (&'c String, &'c _)| Reading {
        stage: name,
        what: format!("source {name}"),
        files: Box::new(move || ingest::listed_files(name, source, client)),
    };
    let of_sets = |decontaminate: &'c _| Reading {
        stage: evaluation::SETS,
        what: "the evaluation sets".to_owned(),
        files: Box::new(move || evaluation::sets(decontaminate, client).files().map(Some)),
    };
    let decontaminate = config.text.as_ref().and_then(|text| text.decontaminate.as_ref());
    config.sources.iter().map(of_source).chain(decontaminate.map(of_sets)).collect()
}

/// What is different about the files.
#[derive(Debug, Default)]
struct Changes {
    /// Files with other content, described.
    changed: Vec<String>,
    /// Files that were not there when the source was listed.
    added: Vec<String>,
    /// Files that are gone of which everything was read.
    gone: Vec<String>,
}

/// Compares the files of sources and evaluation sets with those that were listed. Returns what to run: of what is
/// rebuilt its listing too, and if files were only added, its listing alone, behind which finished tasks
/// stay.
///
/// # Errors
/// [`Error::Usage`] with the names of the files, if what reads them is not rebuilt.
pub(super) fn refuse(
    folder: &Folder,
    config: &Config,
    client: &Arc<Client>,
    mut selection: Selection,
    watch: &dyn Watch,
) -> Result<Selection> {
    let sealed = folder.sealed()?;
    for reading in readings(config, client) {
        let Reading { stage: name, what, .. } = &reading;
        let listing = format!("{name}.{FILE_UNIT}");
        let is_run = |stage: &String| stage == name || *stage == listing;
        if selection.only.as_ref().is_some_and(|only| !is_run(only)) {
            continue;
        }
        let Some(listed) = sealed.0.get(&listing) else { continue };
        let is_rebuilt = |stage: &str| selection.rebuild.iter().any(|rebuilt| rebuilt == stage);
        let (reads_again, lists_again) = (is_rebuilt(name), is_rebuilt(&listing));
        let changes = changes(folder, &reading, client, listed, &sealed)?;
        if !reads_again {
            tell_gone(name, &changes.gone, watch);
        }
        if !reads_again && !Ledger::new(folder.store.clone()).has_results(name)? {
            // Nothing of them was read: a file that was corrected is simply listed again.
            let is_outdated = !changes.changed.is_empty() || !changes.added.is_empty();
            if is_outdated && !lists_again {
                selection.rebuild.push(listing);
            }
            continue;
        }
        if !changes.changed.is_empty() && !reads_again {
            let files = shown(&changes.changed);
            return Err(Error::usage(format!(
                "files of {what} changed since they were read:\n  {files}\n  --rebuild {name} reads them again; or \
                 put the files back"
            )));
        }
        if changes.added.is_empty() && !reads_again {
            continue;
        }
        if !reads_again && !lists_again {
            let files = shown(&changes.added);
            return Err(Error::usage(format!(
                "there are new files of {what}:\n  {files}\n  --rebuild {listing} takes them in: what was read of \
                 the files before them stays, and the stages after it are run again"
            )));
        }
        // What is rebuilt is listed again, whatever changed. Of files that were only added the others stay.
        if changes.changed.is_empty() && changes.gone.is_empty() && !changes.added.is_empty() {
            selection.rebuild.retain(|stage| stage != name);
        }
        if !lists_again {
            selection.rebuild.push(listing);
        }
    }
    Ok(selection)
}

/// Returns the first of many lines.
fn shown(lines: &[String]) -> String {
    let mut shown: Vec<String> = lines.iter().take(SHOWN_MAX).cloned().collect();
    if lines.len() > SHOWN_MAX {
        shown.push(format!("and {} more", lines.len() - SHOWN_MAX));
    }
    shown.join("\n  ")
}

fn changes(
    folder: &Folder,
    reading: &Reading<'_>,
    client: &Arc<Client>,
    listed: &Dataset,
    sealed: &Inputs,
) -> Result<Changes> {
    let (mut found, name) = (Changes::default(), reading.stage);
    let is_read = sealed.0.contains_key(name);
    let states = ingest::listed_states(&Ledger::new(folder.store.clone()), listed)?;
    for change in ingest::changed_files(client, &states, client.checks_files())? {
        // What was read as a whole is not needed any more.
        if is_read && !Path::new(&change.url).exists() && !change.url.contains("://") {
            found.gone.push(change.url);
        } else {
            found.changed.push(format!("{}: {}", change.url, change.detail));
        }
    }
    let now = match (reading.files)() {
        Ok(now) => now.unwrap_or_default(),
        Err(_) if is_read => Vec::new(),
        Err(error) => return Err(error.into()),
    };
    let mut before = BTreeSet::new();
    for file in listed.rows(FILES) {
        before.insert(file?.url);
    }
    found.added = now.into_iter().filter(|url| !before.contains(url)).collect();
    Ok(found)
}

/// Tells the first of the files that are gone.
fn tell_gone(name: &str, gone: &[String], watch: &dyn Watch) {
    for url in gone.iter().take(SHOWN_MAX) {
        watch.note(&format!("{name}: {url} is gone; what was read of it stays"));
    }
    if gone.len() > SHOWN_MAX {
        let more = gone.len() - SHOWN_MAX;
        watch.note(&format!("{name}: {more} more files are gone; what was read of them stays"));
    }
}
