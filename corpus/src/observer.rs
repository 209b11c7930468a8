//! Who is told what a run does.

use crate::Error;

/// Is told what the engine does; called from all worker threads.
pub trait Observer: Sync {
    /// A stage begins: tasks in all, and those that earlier runs completed.
    fn begun(&self, _stage: &str, _task_count: u32, _done_count: u32) {}
    /// Records were consumed.
    fn advanced(&self, _records: u64) {}
    /// A task knows how many records it will consume.
    fn expected(&self, _records: u64) {}
    /// What a task is doing right now, in a few words.
    fn noted(&self, _words: &str) {}
    /// Something that the user should act on.
    fn warned(&self, _stage: &str, _line: &str) {}
    /// A task is complete.
    fn task_done(&self) {}
    /// A task failed and is tried again.
    fn retried(&self, _stage: &str, _task: u32, _error: &Error) {}
}

/// An observer that is not interested.
#[derive(Debug, Clone, Copy)]
pub struct Unobserved;

impl Observer for Unobserved {}
