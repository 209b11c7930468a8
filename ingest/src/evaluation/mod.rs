//! Evaluation sets: files of rows become items, the texts that documents must not contain.
//!
//! ```text
//! files    Files    NAME.files    the listing: the files of all sets, one set after the other
//! items    Items    NAME          their rows -> items; one task per set
//! ```
//!
//! The run names the sets, so what cannot be used of them ends it: a file in another format or of which no row can be
//! read, a field that no row has, a set without any text. A single bad row is `failed`, as in sources.

mod files;
mod items;

use std::sync::Arc;

use corpus::handle::{Handle, Stages};
use corpus::record::EvaluationItem;
use corpus::{Error, Result, SourceCode};

use crate::Client;
use crate::listing::{Listed, Listing};
use crate::source::Source;

/// An evaluation set of a configuration.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EvaluationSet {
    /// Its name.
    pub name: String,
    /// The key that names its files, for messages.
    pub key: String,
    /// A file or folder on this machine, a path with wildcards, or a URL.
    pub path: String,
    /// The fields whose texts are its items; if there are none, all texts of a row are.
    pub fields: Vec<String>,
}

impl EvaluationSet {
    /// Puts what is wrong with one of its settings as an error of a stage.
    fn refused(&self, stage: &str, setting: &str, detail: &str) -> Error {
        Error::Settings { stage: stage.to_owned(), detail: format!("{}.{setting}: {detail}", self.key) }
    }
}

/// The evaluation sets of a run.
#[derive(Clone)]
pub struct EvaluationSets {
    source: Source,
    sets: Vec<EvaluationSet>,
}

impl EvaluationSets {
    /// Returns the sets that the stage `name` reads; ids of their items have the source number `code`.
    pub fn new(name: &str, code: SourceCode, client: &Arc<Client>, sets: Vec<EvaluationSet>) -> Self {
        Self { source: Source::new(name, code, client), sets }
    }

    /// Returns the stages that list and read them.
    pub fn stages(self) -> (Stages, Handle<EvaluationItem>) {
        let items = Handle::new(self.source.name.clone());
        (vec![Box::new(files::Files(self.clone())), Box::new(items::Items(self))], items)
    }

    /// Returns the files that the sets have today, to compare with those that were listed.
    ///
    /// # Errors
    /// As the listing: a file or folder that is not there, a folder without a file of rows.
    pub fn files(&self) -> Result<Vec<String>> {
        let files = self.sets.iter().map(|set| Ok(self.listed(set)?.files));
        Ok(files.collect::<Result<Vec<_>>>()?.concat())
    }

    fn listed(&self, set: &EvaluationSet) -> Result<Listed> {
        self.listing(set).listed().map_err(|error| match error {
            Error::Settings { stage, detail } => set.refused(&stage, "path", &detail),
            error => error,
        })
    }

    fn listing(&self, set: &EvaluationSet) -> Listing {
        Listing::of_rows(self.source.clone(), &set.path)
    }
}
