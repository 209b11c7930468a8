//! The rows that cross a stage boundary, one file per noun, with the streams that hold them; their Arrow schemas follow
//! from them.

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
mod record_location;
mod removed;
mod repeat;
mod sequence;
mod source_file;
mod tables;
mod target;
mod training;

pub use contamination::{
    CONTAMINATION, Contamination, EVALUATION_NGRAMS, EXCISIONS, EvaluationNgram, Excision, MATCHES, Match,
    RARE_NGRAMS, RareNgram,
};
pub use document::{DOCUMENTS, Document, DocumentExtras, DocumentName, DocumentText, ExportedText};
pub use duplicate::{
    CONTENT_KEYS, ContentKey, ContentLength, DUPLICATES, Duplicate, FINGERPRINTS, Fingerprinted,
    REPRESENTATIVES, REPRESENTED, Representative,
};
pub use evaluation::{CAPTIONS, Generated};
pub use evaluation_item::{EVALUATION_FILES, EvaluationFiles, EvaluationItem, ITEMS};
pub use features::{FEATURES, Features};
pub use fetched::{FETCHED, Fetched};
pub use image::{
    EncodedImage, IMAGE_DUPLICATES, IMAGES, Image, ImageDuplicate, ImageHash, PAGE_IMAGES, key_prefix,
};
pub use interleaved::{INTERLEAVED, Interleaved};
pub use near::{BAND_KEYS, BandKey, FOUND, LINKS, Link, PLANTED};
pub use page::{PAGES, Page, PageName, Segment, SegmentKind};
pub use pair::{PAIRS, Pair, PairLayout, PairName, PairNumber};
pub use record_location::{RECORD_LOCATIONS, RecordLocation};
pub use removed::{DROPPED, FAILED, Removed, RuleValue, VERDICTS, Verdicts};
pub use repeat::{CUTS, CutRepeat, PASSAGE_KEYS, PassageKey, REPEATS, Repeat};
pub use sequence::{HELD_OUT, SEQUENCES, Sequence, SequenceSource, Span};
pub use source_file::{FILES, SourceFile};
pub use tables::{Table, tables};
pub use target::{RETRY, TARGETS, Target, USES, Use, Wanted};
pub use training::{Kind, STEPS, TrainStep};
