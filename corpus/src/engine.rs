//! The engine: plans the tasks of a stage, has them run, and seals the stage.
//!
//! The ledger is the truth: a task that has committed its last range is never run again, and
//! an engine that was killed anywhere is continued by the next one.

use std::fs::{File, OpenOptions};
use std::io::Write;
use std::path::PathBuf;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use crate::crash::Crashes;
use crate::executor::{Batch, Executor, Threads};
use crate::limits::INTERRUPTIONS_MAX;
use crate::observer::Observer;
use crate::probe::Prober;
use crate::scratch::check_free_space;
use crate::stream::streams_of;
use crate::{
    Cancel, Dataset, Description, Error, Fingerprint, Inputs, Ledger, Output, Progress, Result, Stage, Store,
    Task, WorkFolder, attempt, probe,
};

/// Time between two writes of what a task is doing.
const NOTE_EVERY: Duration = Duration::from_secs(1);
/// Attempts at a task that fails for a transient reason.
const ATTEMPTS_MAX: u32 = 3;
/// Wait before the second attempt; doubled for each later one.
const RETRY_WAIT: Duration = Duration::from_secs(1);

/// Runs stages of one run's folder.
pub struct Engine<'a> {
    /// Where parts and entries go.
    pub store: &'a Store,
    /// Where scratch files, logs and what tasks keep go.
    pub work: WorkFolder,
    /// Tasks that this process runs at a time; at least one.
    pub workers: usize,
    /// Where tasks run; on threads of this process where there is none.
    pub executor: Option<&'a dyn Executor>,
    /// A request to stop.
    pub cancel: &'a Cancel,
    /// Records on which the process died before.
    pub crashes: &'a Crashes,
    /// Is told what happens.
    pub observer: &'a dyn Observer,
    /// Tries ranges at which the process was killed again and again; without one they are begun again.
    pub prober: Option<&'a dyn Prober>,
}

impl Engine<'_> {
    /// Returns the fingerprint a stage has with these inputs.
    ///
    /// # Errors
    /// When an input is not there.
    pub fn fingerprint(stage: &dyn Stage, inputs: &Inputs) -> Result<Fingerprint> {
        Description::of(stage)?.fingerprint(inputs)
    }

    /// Runs what is missing of a stage and seals it; returns its dataset.
    ///
    /// # Errors
    /// The first task error that retries did not cure, after running tasks have ended;
    /// [`Error::Cancelled`] when a stop was asked for.
    pub fn run(&self, stage: &dyn Stage, inputs: &Inputs) -> Result<Dataset> {
        let (name, ledger) = (stage.name(), Ledger::new(self.store.clone()));
        let fingerprint = ledger.current(&name, &Self::fingerprint(stage, inputs)?)?;
        if let Some(manifest) = ledger.manifest(&name, &fingerprint)? {
            return Ok(Dataset::new(self.store.clone(), manifest));
        }
        let count = stage.plan(inputs)?;
        ledger.begin(&name, &fingerprint, count, streams_of(stage))?;
        let progress = adopt(stage, inputs, &ledger, &fingerprint, count)?;
        let missing: Vec<u32> =
            (0..count).filter(|task| !progress.get(task).is_some_and(|p| p.done)).collect();
        self.work.create()?;
        check_free_space(self.work.path())?;
        self.observer.begun(&name, count, count - missing.len() as u32);
        let (cancel, observer) = (self.cancel, self.observer);
        let batch =
            Batch { stage, fingerprint: &fingerprint, count, missing, ledger: &ledger, cancel, observer };
        let here = |task: u32| self.attempts(stage, inputs, &fingerprint, task, count);
        let threads = Threads { workers: self.workers };
        let executed = self.executor.unwrap_or(&threads).run(batch, &here);
        self.work.remove_empty_keep();
        executed?;
        let manifest = ledger.seal(&name, &fingerprint)?;
        Ok(Dataset::new(self.store.clone(), manifest))
    }

    /// Runs one task of a stage; harmless when the task is complete already. Where another attempt at it
    /// is ahead, it continues behind what that one committed.
    ///
    /// # Errors
    /// When the task fails.
    pub fn run_task(
        &self,
        stage: &dyn Stage,
        inputs: &Inputs,
        fingerprint: &Fingerprint,
        index: u32,
        count: u32,
    ) -> Result<()> {
        self.attempt(stage, inputs, fingerprint, (index, count), false)
    }

    /// Works on the first range of a task that is not committed, and commits nothing.
    ///
    /// # Errors
    /// When the task fails.
    pub fn try_range(
        &self,
        stage: &dyn Stage,
        inputs: &Inputs,
        fingerprint: &Fingerprint,
        index: u32,
        count: u32,
    ) -> Result<()> {
        match self.attempt(stage, inputs, fingerprint, (index, count), true) {
            Err(error) if error.is_tried() => Ok(()),
            result => result,
        }
    }

    fn attempt(
        &self,
        stage: &dyn Stage,
        inputs: &Inputs,
        fingerprint: &Fingerprint,
        (index, count): (u32, u32),
        is_trial: bool,
    ) -> Result<()> {
        let name = stage.name();
        let attempt = format!("{name}-{fingerprint}-{index:08}");
        let scratch = self.work.scratch()?.join(&attempt);
        let keep = self.work.keep(&attempt);
        let ledger = Ledger::new(self.store.clone());
        if let Some(prober) = self.prober.filter(|_| stage.guards_records() && !is_trial) {
            let range = ledger.entries(&name, fingerprint, index)?.len() as u32;
            if attempt::interruptions(&keep, range) >= INTERRUPTIONS_MAX {
                let warn = |line: &str| self.observer.warned(&name, line);
                probe::probe(prober, (&name, index, range), &keep, self.crashes, warn)?;
            }
        }
        let progress = TaskProgress {
            observer: self.observer,
            stage: &name,
            log: Mutex::new(open_log(self.work.log(&name, fingerprint, index))?),
            note: self.work.note(&name, fingerprint, index),
            noted: Mutex::new(None),
        };
        let streams = streams_of(stage);
        let task = Task {
            stage: &name,
            fingerprint,
            index,
            count,
            workers: self.workers.max(1),
            streams: &streams,
            inputs,
            store: self.store,
            work: &self.work,
            ledger: &ledger,
            identity: identity(stage, inputs, index)?,
            scratch: scratch.clone(),
            keep: keep.clone(),
            crashes: self.crashes,
            is_guarded: stage.guards_records(),
            is_trial,
            cancel: self.cancel,
            progress: &progress,
        };
        progress.log(if is_trial { "begun, to try a range" } else { "begun" });
        let result = run_to_end(stage, &task);
        match &result {
            Ok(()) => progress.log("done"),
            Err(error) => progress.log(&format!("ended: {error}")),
        }
        // Nothing in there was committed; a leftover would only waste the disk.
        let _ = std::fs::remove_dir_all(&scratch);
        let _ = std::fs::remove_file(&progress.note);
        if result.is_ok() && !is_trial {
            let _ = std::fs::remove_dir_all(&keep);
        }
        result
    }

    fn attempts(
        &self,
        stage: &dyn Stage,
        inputs: &Inputs,
        fingerprint: &Fingerprint,
        index: u32,
        count: u32,
    ) -> Result<()> {
        let mut wait = RETRY_WAIT;
        for _ in 1..ATTEMPTS_MAX {
            match self.run_task(stage, inputs, fingerprint, index, count) {
                Err(error) if error.is_transient() && !self.cancel.is_requested() => {
                    tracing::debug!(stage = stage.name(), task = index, ?wait, %error, "tried again");
                    self.observer.retried(&stage.name(), index, &error);
                    std::thread::sleep(wait);
                    wait *= 2;
                }
                result => return result,
            }
        }
        self.run_task(stage, inputs, fingerprint, index, count)
    }
}

/// Runs a task until no other attempt is ahead of it: each turn begins behind a range more.
fn run_to_end(stage: &dyn Stage, task: &Task<'_>) -> Result<()> {
    loop {
        match run_once(stage, task) {
            Err(error) if error.is_outrun() => {
                task.progress.log(&format!("{error}: continues behind it"));
                let _ = std::fs::remove_dir_all(&task.scratch);
                task.cancel.check()?;
            }
            result => return result,
        }
    }
}

/// Runs a task behind what is committed, unless it is complete.
fn run_once(stage: &dyn Stage, task: &Task<'_>) -> Result<()> {
    let mut out = Output::begin(task)?;
    if out.is_done() {
        return Ok(());
    }
    stage.run(task, &mut out)?;
    out.finish()
}

/// A poisoned lock only means that another worker panicked.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

struct TaskProgress<'a> {
    observer: &'a dyn Observer,
    stage: &'a str,
    log: Mutex<File>,
    note: PathBuf,
    /// When the note was written last.
    noted: Mutex<Option<Instant>>,
}

impl Progress for TaskProgress<'_> {
    fn advance(&self, records: u64) {
        self.observer.advanced(records);
    }

    fn warn(&self, line: &str) {
        self.log(line);
        self.observer.warned(self.stage, line);
    }

    fn expect(&self, records: u64) {
        self.observer.expected(records);
    }

    fn note(&self, words: &str) {
        self.observer.noted(words);
        let mut noted = lock(&self.noted);
        if noted.is_none_or(|noted| noted.elapsed() >= NOTE_EVERY) {
            *noted = Some(Instant::now());
            // As with the log: what tells of the work must not stop it.
            let _ = std::fs::write(&self.note, words);
        }
    }

    fn log(&self, line: &str) {
        let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH);
        let seconds = now.map_or(0, |duration| duration.as_secs());
        // A log that cannot be written must not stop the work that it describes.
        let _ = writeln!(lock(&self.log), "{seconds} [{}] {line}", std::process::id());
    }
}

fn open_log(path: PathBuf) -> Result<File> {
    if let Some(folder) = path.parent() {
        std::fs::create_dir_all(folder).map_err(Error::io("create", folder))?;
    }
    let file = OpenOptions::new().create(true).append(true).open(&path);
    file.map_err(Error::io("open", path))
}

mod adopt;
use adopt::{adopt, identity};

#[cfg(test)]
mod tests;
