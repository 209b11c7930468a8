//! The items of evaluation sets: the texts in their rows.

use corpus::record::{EVALUATION_FILES, EvaluationFiles, EvaluationItem, ITEMS, SourceFile};
use corpus::{Declared, Error, Inputs, Output, Removal, Result, Stage, Task};
use serde_json::{Value, json};

use super::{EvaluationSet, EvaluationSets};
use crate::fault::FileFault;
use crate::location::shown;
use crate::rows::ROW_BROKEN;
use crate::source::value;
use crate::texts::{FORMATS, SeenFields, TextRow, TextRows};

/// The unit that is counted.
const ROWS: &str = "rows";
/// Reason of rows without a text.
const NO_TEXT: &str = "no_text";

/// The stage `NAME`; one task per set, the id's position is the row.
pub(super) struct Items(pub(super) EvaluationSets);

/// What was read of a set so far.
struct Reading<'s> {
    set: &'s EvaluationSet,
    seen: SeenFields<'s>,
    /// Rows that were read, and how many of them an attempt before has committed.
    rows: u64,
    committed: u64,
    items: u64,
    /// Rows that could not be read, and what is wrong with the first.
    faults: u64,
    first_fault: Option<String>,
}

impl Items {
    fn set(&self, index: u32) -> Result<&EvaluationSet> {
        let set = self.0.sets.get(index as usize);
        set.ok_or_else(|| self.refused(format!("there is no evaluation set {index}")))
    }

    fn refused(&self, detail: String) -> Error {
        Error::Settings { stage: self.name(), detail }
    }

    /// Returns the files of a set.
    fn files(&self, inputs: &Inputs, index: u32) -> Result<Vec<SourceFile>> {
        let listing = inputs.get(&self.0.source.listing())?;
        let of_set = listing.rows(EVALUATION_FILES).nth(index as usize).transpose()?;
        let none = || self.refused(format!("the listing has no evaluation set {index}"));
        let EvaluationFiles { first, count, .. } = of_set.ok_or_else(none)?;
        self.0.source.files(inputs, first, count)
    }

    /// Reads a file from its beginning, and writes what is not committed.
    ///
    /// # Errors
    /// When nothing of it can be read: half a set would clean half of the corpus.
    fn read(
        &self,
        task: &Task<'_>,
        file: &SourceFile,
        reading: &mut Reading<'_>,
        out: &mut Output<'_>,
    ) -> Result<()> {
        let (mut is_any_whole, mut fault) = (false, None);
        let rows = TextRows::open(&self.0.source, file, &task.scratch, &mut reading.seen);
        let refused = |detail: &str| {
            let detail = format!("{}: {detail}; {FORMATS}", shown(&file.url));
            reading.set.refused(&self.name(), "path", &detail)
        };
        for row in rows.or_else(|error| Err(refused(&FileFault::of_error(error)?.to_string())))? {
            let (number, row) = row?;
            reading.rows += 1;
            if let Some(detail) = row.fault(number) {
                reading.faults += 1;
                fault.get_or_insert(detail);
            }
            if let TextRow::Whole(texts) = &row {
                is_any_whole = true;
                reading.items += texts.len() as u64;
            }
            if reading.rows > reading.committed {
                self.write(file, number, reading.set, row, out)?;
                out.advance(1)?;
            }
        }
        match fault {
            Some(fault) if !is_any_whole => Err(refused(&format!("not one row can be read: {fault}"))),
            Some(fault) => {
                reading.first_fault.get_or_insert(format!("{}: {fault}", shown(&file.url)));
                Ok(())
            }
            None => Ok(()),
        }
    }

    /// Writes the items of a row, or why it has none.
    fn write(
        &self,
        file: &SourceFile,
        number: u64,
        set: &EvaluationSet,
        row: TextRow,
        out: &mut Output<'_>,
    ) -> Result<()> {
        let (id, url) = (self.0.source.id(file, number)?, shown(&file.url));
        let removal =
            |reason, value, preview| Removal { id, key: None, url: Some(&url), reason, value, preview };
        out.read(ROWS);
        match row {
            TextRow::Whole(texts) if texts.is_empty() => out.drop(ROWS, removal(NO_TEXT, String::new(), "")),
            TextRow::Whole(texts) => {
                for text in texts {
                    out.write(ITEMS, EvaluationItem { id, set: set.name.clone(), text })?;
                }
                out.keep(ROWS);
                Ok(())
            }
            TextRow::Broken { detail, preview } => {
                out.fail(ROWS, removal(ROW_BROKEN, value(&detail), &preview))
            }
            TextRow::Lost { fault, .. } => out.fail(ROWS, removal(fault.reason, value(&fault.detail), &url)),
        }
    }

    /// Refuses a set that is not what its settings say, and warns of rows that are missing from one that is.
    fn conclude(&self, task: &Task<'_>, reading: &Reading<'_>) -> Result<()> {
        let (set, name) = (reading.set, self.name());
        let path = shown(&set.path);
        if let Some(missing) = reading.seen.missing(&path) {
            return Err(set.refused(&name, "fields", &missing));
        }
        if reading.items == 0 {
            let fields =
                if set.fields.is_empty() { String::new() } else { format!(" in {}", set.fields.join(", ")) };
            return Err(set.refused(&name, "path", &format!("{path} has no texts{fields}")));
        }
        if let Some(first) = &reading.first_fault {
            let (faults, name) = (reading.faults, &set.name);
            let line = format!("evaluation set {name}: {faults} rows cannot be read, the first in {first}");
            task.progress.warn(&line);
        }
        Ok(())
    }
}

impl Stage for Items {
    fn name(&self) -> String {
        self.0.source.name.clone()
    }

    fn inputs(&self) -> Vec<String> {
        vec![self.0.source.listing()]
    }

    fn settings(&self) -> Result<Value> {
        let fields = self.0.sets.iter().map(|set| (set.name.clone(), json!(set.fields)));
        Ok(json!({ "code": self.0.source.code, "fields": fields.collect::<serde_json::Map<_, _>>() }))
    }

    fn plan(&self, _: &Inputs) -> Result<u32> {
        u32::try_from(self.0.sets.len()).map_err(|error| Error::work(&self.name(), error))
    }

    fn streams(&self) -> Vec<Declared> {
        vec![ITEMS.into()]
    }

    fn run(&self, task: &Task<'_>, out: &mut Output<'_>) -> Result<()> {
        let (set, files) = (self.set(task.index)?, self.files(task.inputs, task.index)?);
        self.0.source.watch(task, &files, out)?;
        let (seen, committed) = (SeenFields::new(&set.fields), out.position());
        let mut reading = Reading { set, seen, rows: 0, committed, items: 0, faults: 0, first_fault: None };
        for file in &files {
            self.read(task, file, &mut reading, out)?;
        }
        self.conclude(task, &reading)
    }
}
