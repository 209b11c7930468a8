//! The nouns that cross a stage boundary, and the contract between stages.
//!
//! Stages never call each other. A stage reads the *sealed datasets* of other stages and
//! writes its own: immutable parquet *parts*, which exist once a ledger *entry* names them.
//!
//! ```text
//! engine  Engine                 plans the tasks of a stage, retries, seals
//! executor Executor              runs them: threads here, a scheduler's jobs elsewhere
//! stage   Stage, Task, Output    what a stage is, and the only way it may write
//! handle  Handle                 what a stage gives others to read, with the type of its rows
//! stream  Stream                 where rows of a stage go: a constant beside the record, for who writes and who reads
//! record  Document, Page, ...    the rows, with their Arrow schemas
//! table   Writer, Reader         rows <-> parquet parts
//! ledger  Ledger, Entry          what exists: create-if-absent entries, one manifest per sealed stage
//! dataset Dataset                a sealed stage, read part by part
//! store   Store                  bytes by path: write once, list, read by range
//! work    WorkFolder             scratch files, logs and locks on this machine
//! sort    Sorter, Merge          rows in order, within so much memory: in a task, and over the tasks of two stages
//! ```
//!
//! The law of conservation holds at every commit: `read = kept + dropped[reason] + failed[reason]`.

mod attempt;
pub mod chain;
pub mod column;
pub mod crash;
pub mod dataset;
mod description;
pub mod digest;
pub mod engine;
pub mod error;
pub mod executor;
mod failpoint;
pub mod fingerprint;
pub mod format;
pub mod gc;
pub mod handle;
pub mod handles;
pub mod id;
pub mod invisible;
mod lazy;
pub mod ledger;
pub mod limits;
pub mod migrate;
pub mod mirror;
pub mod named_file;
pub mod observer;
pub mod output;
pub mod page_url;
pub mod probe;
pub mod random;
pub mod record;
pub mod remembered;
pub mod repair;
pub mod report;
mod scratch;
pub mod sort;
pub mod split;
pub mod spool;
pub mod stage;
pub mod store;
pub mod stream;
pub mod table;
mod unique;
pub mod verify;
mod work;

pub use chain::{Chain, Placed};
pub use dataset::Dataset;
pub use description::{Description, sealed};
pub use engine::Engine;
pub use error::Error;
pub use fingerprint::Fingerprint;
pub use handle::{Handle, Stages};
pub use id::{Id, SourceCode};
pub use lazy::Lazy;
pub use ledger::{Entry, FileState, Ledger, Manifest, Part};
pub use named_file::NamedFile;
pub use observer::Observer;
pub use output::{Output, Removal};
pub use page_url::PageUrl;
pub use report::{Counts, Report};
pub use split::Split;
pub use stage::{Cancel, Inputs, Progress, Stage, Task};
pub use store::Store;
pub use stream::{Declared, FileStream, Stream};
pub use unique::host_name;
pub use work::WorkFolder;

/// Result of everything that can fail for a reason of our own (machine, store, format);
/// a bad record from outside is data and never an `Err`.
pub type Result<T, E = Error> = std::result::Result<T, E>;
