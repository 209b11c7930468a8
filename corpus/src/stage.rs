//! The stage contract: plan N tasks from sealed inputs, run task i of N.
//!
//! An engine does the rest: workers, retries, progress, resume. A stage never learns where it
//! runs, and running a task twice is harmless.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use serde_json::Value;

use crate::crash::Crashes;
use crate::digest::Digest;
use crate::{Dataset, Declared, Error, Fingerprint, Ledger, Output, Result, Store, WorkFolder};

/// One step of the data flow.
pub trait Stage: Send + Sync {
    /// Returns the name, unique in a run: `crawl`, `text.rules`, `images.pass0`.
    fn name(&self) -> String;

    /// Returns the names of the stages whose datasets it reads.
    fn inputs(&self) -> Vec<String> {
        Vec::new()
    }

    /// Returns the settings that decide its output, for the fingerprint: of a file that they name, its digest. Asked
    /// for when the stage is about to run, and not where stages are merely listed.
    ///
    /// # Errors
    /// When a file that the settings name cannot be read.
    fn settings(&self) -> Result<Value>;

    /// Returns the version of its output; raised when the same settings give other bytes.
    fn version(&self) -> u32 {
        1
    }

    /// Returns the number of tasks: a pure function of the settings and the inputs.
    ///
    /// # Errors
    /// When an input does not allow any plan.
    fn plan(&self, inputs: &Inputs) -> Result<u32>;

    /// Returns what a task depends on beside the settings, if that is less than all inputs: a task whose
    /// identity is that of a finished task of an earlier fingerprint is not run again.
    ///
    /// # Errors
    /// When an input cannot be read.
    fn task_identity(&self, _inputs: &Inputs, _index: u32) -> Result<Option<String>> {
        Ok(None)
    }

    /// Returns true if and only if it works on each record under [`Crashes::guard`]: then a range at which the
    /// process is killed again and again can be tried record by record.
    fn guards_records(&self) -> bool {
        false
    }

    /// Returns the streams that it writes, beside those of what every stage may remove.
    fn streams(&self) -> Vec<Declared>;

    /// Returns true if and only if its tasks compute with tensors, which not every executable can.
    fn computes_tensors(&self) -> bool {
        false
    }

    /// Returns what a task needs of the machine it runs on.
    fn resources(&self) -> Resources {
        Resources::default()
    }

    /// Runs one task, behind what earlier attempts committed; when it returns, the last range is committed and the
    /// task complete.
    ///
    /// # Errors
    /// For a fault of our own or of the machine; a bad record is data and never an error.
    fn run(&self, task: &Task<'_>, out: &mut Output<'_>) -> Result<()>;
}

/// What one task needs at once. An executor gives it room; nothing of it decides bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Resources {
    /// Cores that it keeps busy.
    pub cpus: u32,
    /// Memory in MiB.
    pub memory_mb: u32,
    /// GPUs.
    pub gpus: u32,
    /// Processes that must run together, each with the above.
    pub ranks: u32,
}

/// Memory in MiB of a task that holds little more than one row group of each stream.
const TASK_MEMORY_MB: u32 = 1_024;

impl Default for Resources {
    fn default() -> Self {
        Self { cpus: 1, memory_mb: TASK_MEMORY_MB, gpus: 0, ranks: 1 }
    }
}

impl Resources {
    /// Returns what a task needs that holds so much memory beside what every task does.
    pub fn with_memory_mb(memory_mb: u32) -> Self {
        Self { memory_mb: TASK_MEMORY_MB.saturating_add(memory_mb), ..Self::default() }
    }
}

/// The sealed datasets a stage reads, by stage name.
#[derive(Debug, Clone, Default)]
pub struct Inputs(pub BTreeMap<String, Dataset>);

impl Inputs {
    /// Returns the dataset of a stage.
    ///
    /// # Errors
    /// When it is not sealed, or the stage did not name it among its inputs.
    pub fn get(&self, stage: &str) -> Result<&Dataset> {
        self.0.get(stage).ok_or_else(|| Error::MissingInput { input: stage.to_owned() })
    }
}

/// A request to stop, shared by all tasks.
#[derive(Debug, Clone, Default)]
pub struct Cancel(Arc<AtomicBool>);

impl Cancel {
    /// Asks all tasks to stop at their next record.
    pub fn request(&self) {
        self.0.store(true, Ordering::Relaxed);
    }

    /// Returns true if and only if a stop was asked for.
    pub fn is_requested(&self) -> bool {
        self.0.load(Ordering::Relaxed)
    }

    /// Returns an error once a stop was asked for.
    ///
    /// # Errors
    /// [`Error::Cancelled`].
    pub fn check(&self) -> Result<()> {
        if self.is_requested() { Err(Error::Cancelled) } else { Ok(()) }
    }
}

/// Where a task tells how far it is.
pub trait Progress: Send + Sync {
    /// Records that were consumed since the last call.
    fn advance(&self, records: u64);
    /// A line for the task's log.
    fn log(&self, line: &str);
    /// A line for the log and for the user, who should act on it.
    fn warn(&self, line: &str) {
        self.log(line);
    }
    /// The number of records that the task will consume, if it is known.
    fn expect(&self, _records: u64) {}
    /// What the task is doing right now, in a few words, for the screen and `kosmos status`.
    fn note(&self, _words: &str) {}
}

/// One task of a stage, as the engine hands it out.
pub struct Task<'a> {
    /// The stage's name.
    pub stage: &'a str,
    /// The stage's fingerprint.
    pub fingerprint: &'a Fingerprint,
    /// This task's index.
    pub index: u32,
    /// The number of tasks.
    pub count: u32,
    /// Tasks that this process runs at a time, among which its memory is divided.
    pub workers: usize,
    /// The streams that may be written.
    pub streams: &'a [Declared],
    /// The sealed inputs.
    pub inputs: &'a Inputs,
    /// Where parts go.
    pub store: &'a Store,
    /// What else the run has on this machine.
    pub work: &'a WorkFolder,
    /// Where entries go.
    pub ledger: &'a Ledger,
    /// What it depends on, if that is less than all inputs of the stage.
    pub identity: Option<Digest>,
    /// A folder of this attempt alone, for unfinished files; the engine removes it.
    pub scratch: PathBuf,
    /// A folder of this task that outlives attempts on this machine, until the task is complete; whoever
    /// writes into it creates it. Another attempt may use it at the same time.
    pub keep: PathBuf,
    /// Records on which the process died before.
    pub crashes: &'a Crashes,
    /// Whether attempts that were interrupted are counted: see [`Stage::guards_records`].
    pub is_guarded: bool,
    /// Whether its next range is tried alone: it is worked on and not committed.
    pub is_trial: bool,
    /// A request to stop.
    pub cancel: &'a Cancel,
    /// Where progress goes.
    pub progress: &'a dyn Progress,
}
