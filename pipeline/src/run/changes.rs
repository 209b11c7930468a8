//! Files of sources that changed since they were listed: a run never mixes their old and new rows.

use std::collections::BTreeSet;
use std::path::Path;
use std::sync::Arc;

use corpus::record::SourceFile;
use corpus::{Dataset, Inputs, Ledger};
use ingest::{Client, FILES, SourceConfig};

use crate::config::Config;
use crate::folder::Folder;
use crate::{Error, Result};

use super::{Selection, Watch};

/// Files that are named where many are new, changed or gone.
const SHOWN_MAX: usize = 10;

/// What is different about a source's files.
#[derive(Debug, Default)]
struct Changes {
    /// Files with other content, described.
    changed: Vec<String>,
    /// Files that were not there when the source was listed.
    added: Vec<String>,
    /// Files that are gone of which everything was read.
    gone: Vec<String>,
}

/// Compares the files of all sources with those that were listed. Returns what to run: of a source that is
/// rebuilt its listing too, and if files were only added, its listing alone, behind which finished tasks
/// stay.
///
/// # Errors
/// [`Error::Usage`] with the names of the files, if their source is not rebuilt.
pub(super) fn refuse(
    folder: &Folder,
    config: &Config,
    client: &Arc<Client>,
    mut selection: Selection,
    watch: &dyn Watch,
) -> Result<Selection> {
    let sealed = folder.sealed()?;
    for (name, source) in &config.sources {
        let listing = format!("{name}.{FILES}");
        let is_run = |stage: &String| stage == name || *stage == listing;
        if selection.only.as_ref().is_some_and(|only| !is_run(only)) {
            continue;
        }
        let Some(listed) = sealed.0.get(&listing) else { continue };
        let (reads_again, lists_again) =
            (selection.rebuild.contains(name), selection.rebuild.contains(&listing));
        let changes = changes(folder, (name, source), client, listed, &sealed)?;
        if !reads_again {
            tell_gone(name, &changes.gone, watch);
        }
        if !changes.changed.is_empty() && !reads_again {
            let what = shown(&changes.changed);
            return Err(Error::usage(format!(
                "files of source {name} changed since they were read:\n  {what}\n  --rebuild {name} reads \
                 the source again; or put the files back"
            )));
        }
        if changes.added.is_empty() && !reads_again {
            continue;
        }
        if !reads_again && !lists_again {
            let what = shown(&changes.added);
            return Err(Error::usage(format!(
                "source {name} has files that it did not have before:\n  {what}\n  --rebuild {listing} takes \
                 them in: what was read of the files before them stays, and the stages after it are run again"
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
    (name, source): (&str, &SourceConfig),
    client: &Arc<Client>,
    listed: &Dataset,
    sealed: &Inputs,
) -> Result<Changes> {
    let mut found = Changes::default();
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
    let now = match ingest::listed_files(name, source, client) {
        Ok(now) => now.unwrap_or_default(),
        Err(_) if is_read => Vec::new(),
        Err(error) => return Err(error.into()),
    };
    let mut before = BTreeSet::new();
    for file in listed.rows::<SourceFile>(FILES) {
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
