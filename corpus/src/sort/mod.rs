//! Sorting of more rows than memory holds: within a task, and over the tasks of two stages.
//!
//! A stage of keys sorts groups of parts, one task each, and writes them as parts in order. The stage after it takes
//! one range of the keys per task, and reads that range of all parts as one.
//!
//! ```text
//! groups  groups, task_bytes  parts that one task sorts together, and the memory it has for it
//! row     Row                 what can be sorted: numbers, or rows of any length
//! heads   Heads               the smallest of the rows that sorted sequences begin with
//! sorter  Sorter, Sorted      rows in any order -> rows in order, within so many bytes; the rest on disk
//! merge   Merge, partition    a range of the keys of all sorted parts
//! ```

mod groups;
mod heads;
mod merge;
mod row;
mod sorter;

pub use groups::{GROUP_BYTES, group_count, groups, task_bytes};
pub use merge::{Merge, SortedBy, partition};
pub use row::{Row, read_text, write_text};
pub use sorter::{Sorted, Sorter};
