//! Runs: what a configuration says, the stages it makes, and the folder their results are in.
//!
//! ```text
//! config   Config, Loaded    one TOML file is one complete run
//! flow     Flow              the stages of a configuration, in order
//! context  Context           what stages talk to: the HTTP client, the sample web
//! folder   Folder            a run's folder: marker, frozen configuration, stages, lock
//! location Location          where a run is, and by what it is reached
//! run      Prepared, Watch   a run: what is stale, what changed, one stage after the other
//! child    Child             the program, started again for one task
//! task     run_tasks         tasks of one stage, as schedulers run them
//! slurm    Slurm             tasks as jobs of a cluster
//! opened   Opened            a finished run, to look into
//! status   StageStatus       how far a run is, and what its reasons mean
//! verify   Verified          everything that the ledger lists, read again and repaired
//! garbage  Unneeded          what no current stage needs
//! export   texts, images     results as files that other tools read
//! ```
//!
//! Nothing here prints or reads the environment: the command line does, and so can any other program.

pub mod advice;
pub mod child;
pub mod classifier;
pub mod config;
pub mod context;
pub mod error;
pub mod evaluation;
pub mod export;
pub mod flow;
pub mod folder;
pub mod garbage;
mod lease;
pub mod location;
pub mod number;
pub mod opened;
pub mod ordered;
pub mod place;
mod reserved;
pub mod run;
pub mod sample_web;
pub mod slurm;
pub mod status;
pub mod task;
pub mod tokenizer;
pub mod training;
pub mod unread;
pub mod verify;
pub mod written;

pub use config::{Config, Loaded};
pub use context::Context;
pub use error::{Error, Result};
pub use flow::Flow;
pub use folder::Folder;
pub use location::{Location, cache_folder};
pub use opened::Opened;
pub use run::{Prepared, Selection, Watch};

/// Returns how many tasks or files are worked on at a time where nobody says how many.
pub fn cores() -> usize {
    std::thread::available_parallelism().map_or(1, std::num::NonZero::get)
}
