//! What evaluation leaves behind.

use crate::Id;
use crate::column::record;
use crate::stream::Stream;

/// Captions that the model made.
pub const CAPTIONS: Stream<Generated> = Stream::new("captions");

record! {
    /// A caption the model wrote for an image it had not seen.
    pub struct Generated in "generated/1" {
        /// The pair's id.
        pub id: Id,
        /// The pair's own caption.
        pub reference: String,
        /// The model's caption.
        pub caption: String,
    }
}
