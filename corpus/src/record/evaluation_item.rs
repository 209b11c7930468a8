//! The items of evaluation sets, and the files that they are read from.

use crate::Id;
use crate::column::record;
use crate::stream::Stream;

/// Which files of the listing are a set's.
pub const EVALUATION_FILES: Stream<EvaluationFiles> = Stream::new("sets");
/// Items of evaluation sets.
pub const ITEMS: Stream<EvaluationItem> = Stream::new("items");

record! {
    /// The range of files of one evaluation set in the listing of all sets.
    pub struct EvaluationFiles in "evaluation_files/1" {
        /// The set's name.
        pub set: String,
        /// Index of its first file.
        pub first: u32,
        /// Number of its files.
        pub count: u32,
    }
}

record! {
    /// An item of an evaluation set: a text that documents must not contain.
    pub struct EvaluationItem in "evaluation_item/1" {
        /// Encodes the file in the listing and the row; all texts of a row share it.
        pub id: Id,
        /// The set's name.
        pub set: String,
        /// The text.
        pub text: String,
    }
}
