//! Repair: what is damaged in a run's folder is made again from what is sound.
//!
//! ```text
//! seals       manifests, from the entries of their tasks; records that a stage was begun
//! unfinished  tasks of stages that are not sealed: what was committed behind a damage is given up
//! task        parts and entries of sealed stages: the task is run again elsewhere, and what comes out the same put back
//! ```

mod seals;
mod task;
mod unfinished;

pub use seals::{Seals, plan, seals};
pub use task::{Repair, repair};
pub use unfinished::unfinished;
