//! Round trips of every column type through Arrow.
#![allow(clippy::unwrap_used, unreachable_pub)]

use bytes::Bytes;

use crate::record::{EncodedImage, Interleaved, Segment, SegmentKind};
use crate::table::Record;
use crate::{Id, Split};

record! {
    /// Every column type at once.
    pub struct Everything in "everything/1" {
        /// A number.
        pub number: u64,
        /// A float.
        pub float: f32,
        /// An optional text.
        pub text: Option<String>,
        /// A key.
        pub key: [u8; 16],
        /// A list of flags.
        pub flags: Vec<bool>,
        /// A list of structs.
        pub segments: Vec<Segment>,
        /// An optional list of bytes.
        pub payloads: Option<Vec<Bytes>>,
    }
}

fn round_trip<R: Record + Clone + PartialEq + std::fmt::Debug>(rows: Vec<R>) {
    let batch = R::batch(&rows).unwrap();
    assert_eq!(R::rows(&batch).unwrap(), rows);
}

#[test]
fn every_column_type_comes_back() {
    let segment = |url: Option<&str>| Segment {
        kind: SegmentKind::Image,
        text: "a caption".into(),
        url: url.map(str::to_owned),
    };
    let full = Everything {
        number: u64::MAX,
        float: 0.5,
        text: Some("héllo".into()),
        key: [7; 16],
        flags: vec![true, false],
        segments: vec![segment(None), segment(Some("https://a.example/"))],
        payloads: Some(vec![Bytes::from_static(b"abc"), Bytes::new()]),
    };
    let empty = Everything { text: None, flags: vec![], segments: vec![], payloads: None, ..full.clone() };
    round_trip(vec![full.clone(), empty, full]);
    round_trip::<Everything>(vec![]);
}

#[test]
fn optional_structs_in_lists_come_back() {
    let image = EncodedImage { bytes: Bytes::from_static(b"png"), path: None };
    round_trip(vec![Interleaved {
        id: Id::from_bits(u64::MAX),
        url: Some("https://a.example/".into()),
        texts: vec![Some("text".into()), None],
        images: vec![None, Some(image)],
        split: Split::Validation,
    }]);
}

#[test]
fn a_missing_column_is_named() {
    let batch = arrow::array::RecordBatch::new_empty(Interleaved::schema());
    let error = Everything::rows(&batch).unwrap_err();
    assert!(error.contains("number"), "{error}");
}

#[test]
fn images_are_described_to_hugging_face_datasets() {
    let metadata = Interleaved::metadata();
    let features = &metadata["huggingface"];
    assert!(features.contains(r#""images":[{"_type":"Image"}]"#), "{features}");
}
