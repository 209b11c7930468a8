//! Where tasks run. The engine plans and seals a stage; between, an executor brings its tasks into the ledger: on
//! threads of this process, or as jobs of a scheduler.

use std::collections::VecDeque;
use std::sync::{Mutex, MutexGuard, PoisonError};

use crate::observer::Observer;
use crate::{Cancel, Error, Fingerprint, Ledger, Result, Stage};

/// The tasks of a stage that are missing in the ledger.
pub struct Batch<'a> {
    /// The stage.
    pub stage: &'a dyn Stage,
    /// Its fingerprint.
    pub fingerprint: &'a Fingerprint,
    /// Number of all its tasks.
    pub count: u32,
    /// The missing ones, ascending.
    pub missing: Vec<u32>,
    /// Where they are committed.
    pub ledger: &'a Ledger,
    /// A request to stop.
    pub cancel: &'a Cancel,
    /// Is told how it goes.
    pub observer: &'a dyn Observer,
}

/// Runs a task in this process, with the attempts that a transient failure is worth.
pub type RunTask<'a> = dyn Fn(u32) -> Result<()> + Sync + 'a;

/// Brings tasks into the ledger.
pub trait Executor: Sync {
    /// Runs the tasks of a batch, and tells the observer of each that is complete.
    ///
    /// # Errors
    /// When one cannot be completed; those that are running then are left to end. [`Error::Cancelled`] when a stop was
    /// asked for.
    fn run(&self, batch: Batch<'_>, here: &RunTask<'_>) -> Result<()>;
}

/// Threads of this process.
#[derive(Debug, Clone, Copy)]
pub struct Threads {
    /// Tasks at a time; at least one.
    pub workers: usize,
}

impl Executor for Threads {
    fn run(&self, batch: Batch<'_>, here: &RunTask<'_>) -> Result<()> {
        let Batch { missing, cancel, observer, .. } = batch;
        let queue = Mutex::new(Queue { missing: missing.into(), error: None });
        std::thread::scope(|scope| {
            for _ in 0..self.workers.max(1) {
                scope.spawn(|| {
                    // The lock must not be held while the task runs: no guard in the condition.
                    let next = || lock(&queue).next(cancel);
                    while let Some(task) = next() {
                        match here(task) {
                            Ok(()) => observer.task_done(),
                            Err(error) => lock(&queue).fail(error),
                        }
                    }
                });
            }
        });
        let queue = queue.into_inner().unwrap_or_else(PoisonError::into_inner);
        queue.error.map_or_else(|| cancel.check(), Err)
    }
}

struct Queue {
    missing: VecDeque<u32>,
    error: Option<Error>,
}

impl Queue {
    /// Hands out the next task, unless the stage is to end.
    fn next(&mut self, cancel: &Cancel) -> Option<u32> {
        if self.error.is_some() || cancel.is_requested() {
            return None;
        }
        self.missing.pop_front()
    }

    fn fail(&mut self, error: Error) {
        self.error.get_or_insert(error);
    }
}

/// A poisoned lock only means that another worker panicked; the queue itself is whole.
fn lock(queue: &Mutex<Queue>) -> MutexGuard<'_, Queue> {
    queue.lock().unwrap_or_else(PoisonError::into_inner)
}
