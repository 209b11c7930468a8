//! The rows that cross a stage boundary, one file per noun; their Arrow schemas follow from them.

mod contamination;
mod document;
mod duplicate;
mod evaluation;
mod evaluation_item;
mod features;
mod fetched;
mod image;
mod interleaved;
mod near;
mod page;
mod pair;
mod pick;
mod removed;
mod repeat;
mod sequence;
mod source_file;
mod target;

pub use contamination::{Contamination, EvaluationNgram, Excision, Match, RareNgram};
pub use document::{Document, DocumentExtras, DocumentName, DocumentText, ExportedText};
pub use duplicate::{ContentKey, ContentLength, Duplicate, Fingerprinted, Representative};
pub use evaluation::{Generated, TrainStep};
pub use evaluation_item::{EvaluationFiles, EvaluationItem};
pub use features::Features;
pub use fetched::Fetched;
pub use image::{EncodedImage, Image, ImageDuplicate, Look, key_prefix};
pub use interleaved::Interleaved;
pub use near::{BandKey, Link};
pub use page::{Page, PageName, Segment, SegmentKind};
pub use pair::{Pair, PairName};
pub use pick::Pick;
pub use removed::{Removed, RuleValue, Verdicts};
pub use repeat::{CutRepeat, PassageKey, Repeat};
pub use sequence::{Sequence, Span};
pub use source_file::SourceFile;
pub use target::{Target, Use, Wanted};
