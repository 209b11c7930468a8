//! The stages that pack, run by the engine on small datasets.
#![allow(clippy::unwrap_used)]

use std::collections::BTreeMap;

use bytes::Bytes;
use corpus::observer::{Observer, Unobserved};
use corpus::record::{
    DOCUMENTS, Document, EncodedImage, FEATURES, Features, HELD_OUT, IMAGES, INTERLEAVED, Image, Interleaved,
    PAIRS, Pair, SEQUENCES, Sequence, Span, Use,
};
use corpus::{Cancel, Dataset, Error, Id, Inputs, Result, Split, Stage, Store, Stream};
use corpus_testing::{GivenRows, StopAfter};

use super::*;
use crate::pack::payload::Payloads;
use crate::pack::{InterleavedConfig, PairConfig, TextConfig, TextFit};
use crate::tokenizer::tests::{letters, letters_file};
use crate::tokenizer::{TOKENIZER_MODEL, Tokenize, TokenizerConfig, TrainingConfig};

fn given<R>(name: &str, stream: Stream<R>, parts: Vec<Vec<R>>) -> GivenRows<R> {
    GivenRows { name: name.to_owned(), stream, parts }
}

struct Bench {
    folder: tempfile::TempDir,
    store: Store,
    inputs: Inputs,
}

impl Bench {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::local(&folder.path().join("run")).unwrap();
        let mut bench = Self { folder, store, inputs: Inputs::default() };
        let model = bench.folder.path().join("letters.model");
        std::fs::write(&model, letters_file()).unwrap();
        let tokenize =
            Tokenize::new("tokenizer", &TokenizerConfig::Path(model), (Vec::new(), Vec::new()), None);
        bench.add(&tokenize);
        bench
    }

    fn add(&mut self, stage: &dyn Stage) -> Dataset {
        let dataset = self.run(stage, &Cancel::default(), &Unobserved).unwrap();
        self.inputs.0.insert(stage.name(), dataset.clone());
        dataset
    }

    fn run(&self, stage: &dyn Stage, cancel: &Cancel, observer: &dyn Observer) -> Result<Dataset> {
        corpus_testing::run_stage(&self.store, 2, (observer, cancel), stage, &self.inputs)
    }
}

fn id(bits: u64) -> Id {
    Id::from_bits(bits)
}

/// Returns the sequences of both streams, those to train on first.
fn sequences(dataset: &Dataset) -> Vec<Sequence> {
    let of =
        |stream: Stream<Sequence>| -> Vec<Sequence> { dataset.rows(stream).collect::<Result<_>>().unwrap() };
    let (train, held_out) = (of(SEQUENCES), of(HELD_OUT));
    assert!(train.iter().all(|row| row.split == Split::Train));
    assert!(held_out.iter().all(|row| row.split == Split::Validation));
    [train, held_out].concat()
}

fn document(bits: u64) -> Document {
    Document {
        key: None,
        id: id(bits),
        source: "test".to_owned(),
        url: None,
        date: None,
        language: None,
        text: format!("{}\n{}", "ab ".repeat(bits as usize % 7), "cde".repeat(bits as usize % 5)),
        split: Some(if bits.is_multiple_of(4) { Split::Validation } else { Split::Train }),
    }
}

fn pack_text() -> PackText {
    PackText {
        name: "pack.text".to_owned(),
        tokenizer: "tokenizer".to_owned(),
        documents: "text".to_owned(),
        config: TextConfig { sequence_tokens_max: 16, shuffle_documents: 10, fit: TextFit::Next },
        seed: 5,
    }
}

fn documents() -> GivenRows<Document> {
    given("text", DOCUMENTS, vec![(0..95).map(document).collect(), (100..130).map(document).collect()])
}

#[test]
fn documents_are_packed_within_their_split_and_shuffled() {
    let mut bench = Bench::new();
    bench.add(&documents());
    let packed = bench.add(&pack_text());
    let counts = &packed.manifest().report.units["documents"];
    assert_eq!((counts.read, counts.kept), (125, 125));
    let mut seen: Vec<u64> = Vec::new();
    for row in sequences(&packed) {
        for span in &row.spans {
            let bits = span.id.to_bits();
            assert_eq!(Some(row.split), document(bits).split);
            if seen.last() != Some(&bits) {
                seen.push(bits);
            }
        }
    }
    assert!(!seen.is_sorted());
    seen.sort_unstable();
    seen.dedup();
    assert_eq!(seen, (0..95).chain(100..130).collect::<Vec<u64>>());
}

#[test]
fn documents_that_are_packed_whole_fill_fewer_sequences() {
    let mut bench = Bench::new();
    bench.add(&documents());
    let next = sequences(&bench.add(&pack_text()));
    let stage = pack_text();
    let config = TextConfig { fit: TextFit::Best, ..stage.config.clone() };
    let best = bench.add(&PackText { name: "pack.best".to_owned(), config, ..stage });
    let counts = &best.manifest().report.units["documents"];
    assert_eq!((counts.read, counts.kept), (125, 125));
    let best = sequences(&best);
    let count = |rows: &[Sequence]| rows.iter().map(|row| row.tokens.len() - 1).sum::<usize>();
    assert_eq!(count(&best), count(&next));
    assert!(best.len() < next.len(), "{} of {}", best.len(), next.len());
    let spans = |rows: &[Sequence]| rows.iter().map(|row| row.spans.len()).sum::<usize>();
    assert!(spans(&best) < spans(&next), "{} of {}", spans(&best), spans(&next));
}

#[test]
fn a_sequence_holds_one_set_and_the_sets_of_a_block_follow_each_other() {
    let mut bench = Bench::new();
    let of_set = |bits: u64| Document { source: format!("set {}", bits % 3), ..document(bits) };
    bench.add(&given("text", DOCUMENTS, vec![(0..95).map(of_set).collect()]));
    let packed = bench.add(&pack_text());
    let rows = sequences(&packed);
    for row in &rows {
        let sets = row.spans.iter().map(|span| format!("set {}", span.id.to_bits() % 3));
        assert!(sets.into_iter().all(|set| Some(set) == row.source), "{:?}", row.spans);
    }
    let train: Vec<Sequence> = packed.rows(SEQUENCES).collect::<Result<_>>().unwrap();
    let runs = train.chunk_by(|one, other| one.source == other.source).count();
    // Ten blocks of three sets.
    assert!(runs <= 30, "{runs} runs");
}

#[test]
fn a_task_that_was_stopped_makes_the_same_sequences() {
    let mut whole = Bench::new();
    whole.add(&documents());
    let expected = sequences(&whole.add(&pack_text()));
    let mut stopped = Bench::new();
    stopped.add(&documents());
    let mut stops = 0;
    let dataset = loop {
        let stop = StopAfter::new(25);
        match stopped.run(&pack_text(), &stop.cancel, &stop) {
            Ok(dataset) => break dataset,
            Err(Error::Cancelled) => stops += 1,
            Err(error) => unreachable!("{error}"),
        }
        assert!(stops < 50, "a stopped task does not get on");
    };
    assert!(stops > 1);
    assert_eq!(sequences(&dataset), expected);
}

fn image(bits: u64, captions: &[Option<&str>]) -> Image {
    let uses = captions.iter().zip(0..).map(|(caption, offset)| Use {
        id: id(bits + offset),
        caption: caption.map(str::to_owned),
        ..Use::of_slot(id(bits), 0)
    });
    Image {
        id: id(bits),
        key: [bits as u8; 16],
        url: format!("https://example.org/{bits}.jpg"),
        image: encoded(bits),
        width: 1,
        height: 1,
        original_width: 1,
        original_height: 1,
        sha256: String::new(),
        perceptual_hash: 0,
        sharpness: 0.0,
        colour_spread: 0,
        uses: uses.collect(),
    }
}

fn encoded(bits: u64) -> EncodedImage {
    EncodedImage { bytes: Bytes::from(format!("image {bits}")), path: None }
}

fn features(bits: u64, slot: u16) -> Features {
    Features { id: id(bits), slot, values: Bytes::from(format!("features {bits} {slot}")) }
}

fn pack_pairs(features: Option<&str>) -> PackPairs {
    PackPairs {
        name: "pack.pairs".to_owned(),
        tokenizer: "tokenizer".to_owned(),
        images: vec!["images.pass0".to_owned(), "images.pass1".to_owned()],
        duplicates: None,
        features: features.map(str::to_owned),
        config: PairConfig {
            sequence_tokens_max: 32,
            latent_count: 2,
            caption_tokens_max: 128,
            fit: PairFit::Alone,
            validation_share: 0.5,
        },
        seed: 5,
    }
}

fn add_images(bench: &mut Bench) {
    let first = vec![
        vec![image(10, &[Some("ab"), Some("cd")]), image(20, &[Some("e"), None])],
        vec![image(30, &[Some("a")])],
    ];
    bench.add(&given("images.pass0", IMAGES, first));
    bench.add(&given("images.pass1", IMAGES, vec![vec![image(40, &[Some("b")])]]));
}

#[test]
fn every_caption_of_an_image_becomes_a_sequence_of_one_split() {
    let mut bench = Bench::new();
    add_images(&mut bench);
    let packed = bench.add(&pack_pairs(None));
    let counts = &packed.manifest().report.units["pairs"];
    assert_eq!((counts.read, counts.kept, counts.failed["no_caption"]), (6, 5, 1));
    let mut rows = sequences(&packed);
    rows.sort_by_key(|row| row.spans[0].id);
    let ids: Vec<u64> = rows.iter().map(|row| row.spans[0].id.to_bits()).collect();
    assert_eq!(ids, [10, 11, 20, 30, 40]);
    assert_eq!(rows[0].split, rows[1].split);
    assert_eq!(rows[1].payloads, [Bytes::from("image 10")]);
    let model = letters();
    let caption = model.encoder().joined_lines("cd").unwrap();
    let (start, end) = (model.vocabulary().image_start(), model.vocabulary().image_end());
    let tokens = [&[0, start, start, start, end], caption.as_slice(), &[2]].concat();
    let expected = Sequence {
        loss_mask: (0..tokens.len()).map(|place| (4..5 + caption.len()).contains(&place)).collect(),
        image_starts: vec![2],
        payloads: vec![Bytes::from("image 10")],
        spans: vec![Span { id: id(11), start: 0, end: tokens.len() as u32 }],
        split: rows[1].split,
        source: None,
        tokens,
    };
    assert_eq!(rows[1], expected);
    let splits: BTreeMap<_, _> = rows.iter().map(|row| (row.split, ())).collect();
    assert_eq!(splits.len(), 2, "a share of one half holds out some and not all");
}

#[test]
fn a_caption_above_its_bound_is_cut_before_its_end_and_counted() {
    let mut bench = Bench::new();
    add_images(&mut bench);
    let whole = bench.add(&pack_pairs(None));
    assert!(!whole.manifest().report.units.contains_key("captions_cut"));
    let short = pack_pairs(None);
    let short = PackPairs { config: PairConfig { caption_tokens_max: 1, ..short.config.clone() }, ..short };
    let cut = bench.add(&short);
    let rows = sequences(&cut);
    assert!(rows.iter().all(|row| row.tokens.len() == 7 && row.tokens.last() == Some(&2)));
    let longer = sequences(&whole).iter().filter(|row| row.tokens.len() > 7).count() as u64;
    let counts = &cut.manifest().report.units["captions_cut"];
    assert!(longer > 0);
    assert_eq!((counts.read, counts.kept), (longer, longer));
}

/// Two parts of 300 images, of two or three captions each: a task ends with a block that is not full.
fn many_images() -> GivenRows<Image> {
    let captions = [Some("ab"), Some("a b c d"), Some("e")];
    let row = |number: u64| image(1_000 + 10 * number, &captions[..2 + number as usize % 2]);
    given("images.pass0", IMAGES, vec![(0..300).map(row).collect(), (300..600).map(row).collect()])
}

fn pack_shared() -> PackPairs {
    let stage = pack_pairs(None);
    let config = PairConfig { fit: PairFit::Shared, validation_share: 0.1, ..stage.config.clone() };
    PackPairs { images: vec!["images.pass0".to_owned()], config, ..stage }
}

#[test]
fn pairs_share_sequences_but_for_those_that_are_held_out() {
    let mut bench = Bench::new();
    bench.add(&many_images());
    let packed = bench.add(&pack_shared());
    let counts = &packed.manifest().report.units["pairs"];
    assert_eq!((counts.read, counts.kept), (1_500, 1_500));
    let rows = sequences(&packed);
    assert!(rows.iter().all(|row| row.tokens.len() <= 32 && row.spans.len() == row.payloads.len()));
    let mut ids: Vec<u64> = rows.iter().flat_map(|row| &row.spans).map(|span| span.id.to_bits()).collect();
    ids.sort_unstable();
    ids.dedup();
    assert_eq!(ids.len(), 1_500, "every row leads back to its pairs");
    let (train, held_out): (Vec<&Sequence>, Vec<_>) = rows.iter().partition(|row| row.split == Split::Train);
    assert!(held_out.len() > 50 && held_out.iter().all(|row| row.spans.len() == 1));
    let padding: usize = train.iter().map(|row| 32 - row.tokens.len()).sum();
    assert!(padding * 8 < train.len() * 32, "{padding} of {} tokens are padding", train.len() * 32);
}

#[test]
fn pairs_share_the_same_sequences_after_stops() {
    let mut whole = Bench::new();
    whole.add(&many_images());
    let expected = sequences(&whole.add(&pack_shared()));
    let mut stopped = Bench::new();
    stopped.add(&many_images());
    let mut stops = 0;
    let dataset = loop {
        let stop = StopAfter::new(301);
        match stopped.run(&pack_shared(), &stop.cancel, &stop) {
            Ok(dataset) => break dataset,
            Err(Error::Cancelled) => stops += 1,
            Err(error) => unreachable!("{error}"),
        }
        assert!(stops < 50, "a stopped task does not get on");
    };
    assert!(stops > 0);
    assert_eq!(sequences(&dataset), expected);
}

#[test]
fn features_are_matched_with_their_images() {
    let mut bench = Bench::new();
    add_images(&mut bench);
    let rows = vec![vec![features(10, 0), features(20, 0)], vec![features(30, 0)], vec![features(40, 0)]];
    bench.add(&given("features.pairs", FEATURES, rows));
    let mut rows = sequences(&bench.add(&pack_pairs(Some("features.pairs"))));
    rows.sort_by_key(|row| row.spans[0].id);
    let payloads: Vec<&[u8]> = rows.iter().map(|row| row.payloads[0].as_ref()).collect();
    let expected = ["features 10 0", "features 10 0", "features 20 0", "features 30 0", "features 40 0"];
    assert_eq!(payloads, expected.map(str::as_bytes));
}

#[test]
fn features_of_other_images_are_refused() {
    let mut bench = Bench::new();
    add_images(&mut bench);
    let rows = vec![vec![features(10, 0), features(21, 0)], vec![features(30, 0)], vec![]];
    bench.add(&given("features.pairs", FEATURES, rows));
    let error = bench.run(&pack_pairs(Some("features.pairs")), &Cancel::default(), &Unobserved).unwrap_err();
    let Error::Work { source, .. } = error else {
        unreachable!("{error}");
    };
    let known =
        ["features of 0:0:21 slot 0 where those of 0:0:20 slot 0 should be", "no features for 0:0:40 slot 0"];
    assert!(known.contains(&source.to_string().as_str()), "{source}");
}

#[test]
fn a_resumed_task_finds_the_features_of_its_first_image() {
    let mut bench = Bench::new();
    let rows = vec![vec![features(1, 0)], vec![features(10, 0), features(20, 0), features(30, 0)]];
    let dataset = bench.add(&given("features.pairs", FEATURES, rows));
    let mut payloads = Payloads::open(Some(&dataset), "pack.pairs", 1, true).unwrap();
    assert_eq!(payloads.next(id(20), 0, Bytes::new()).unwrap(), "features 20 0");
    assert!(payloads.next(id(31), 0, Bytes::new()).is_err(), "once found, nothing is passed over");
}

#[test]
fn interleaved_documents_keep_their_order_and_count_cut_images() {
    let mut bench = Bench::new();
    let page = |bits: u64, image_count: u64| Interleaved {
        id: id(bits),
        url: Some(format!("https://example.org/{bits}")),
        texts: std::iter::once(Some("ab\nc".to_owned())).chain((0..image_count).map(|_| None)).collect(),
        images: std::iter::once(None).chain((0..image_count).map(|n| Some(encoded(bits + n)))).collect(),
        split: if bits == 100 { Split::Validation } else { Split::Train },
    };
    bench.add(&given("interleaved", INTERLEAVED, vec![vec![page(100, 2), page(200, 4)]]));
    let all = (0..2).map(|slot| features(100, slot)).chain((0..4).map(|slot| features(200, slot)));
    bench.add(&given("features.interleaved", FEATURES, vec![all.collect()]));
    let stage = |features: Option<&str>| PackInterleaved {
        name: "pack.interleaved".to_owned(),
        tokenizer: "tokenizer".to_owned(),
        documents: "interleaved".to_owned(),
        features: features.map(str::to_owned),
        config: InterleavedConfig { sequence_tokens_max: 64, latent_count: 2, images_max: 3 },
    };
    let packed = bench.add(&stage(None));
    let units = &packed.manifest().report.units;
    assert_eq!((units["interleaved"].read, units["interleaved"].kept), (2, 2));
    assert_eq!(
        (units["images"].read, units["images"].kept, units["images"].dropped["images_max"]),
        (6, 5, 1)
    );
    let mut rows = sequences(&packed);
    rows.sort_by_key(|row| row.spans[0].id);
    assert_eq!(rows[1].payloads, ["image 200", "image 201", "image 202"].map(Bytes::from));
    assert_eq!((rows[1].image_starts.len(), rows[1].spans.len()), (3, 1));
    let model = letters();
    let (start, end) = (model.vocabulary().image_start(), model.vocabulary().image_end());
    let text = model.encoder().joined_lines("ab\nc").unwrap();
    let image = [start, start, start, end];
    let tokens = [&[0], text.as_slice(), &image, &image, &[2]].concat();
    let first = 1 + text.len() as u32;
    let expected = Sequence {
        loss_mask: (0..tokens.len()).map(|place| place < text.len() || place == tokens.len() - 2).collect(),
        image_starts: vec![first + 1, first + 5],
        payloads: ["image 100", "image 101"].map(Bytes::from).to_vec(),
        spans: vec![Span { id: id(100), start: 0, end: tokens.len() as u32 }],
        split: Split::Validation,
        source: None,
        tokens,
    };
    assert_eq!(rows[0], expected);
    let mut rows = sequences(&bench.add(&stage(Some("features.interleaved"))));
    rows.sort_by_key(|row| row.spans[0].id);
    assert_eq!(rows[0].payloads, ["features 100 0", "features 100 1"].map(Bytes::from));
    assert_eq!(rows[1].payloads.last().unwrap(), &Bytes::from("features 200 2"));
}

#[test]
fn the_tokenizer_stage_trains_on_documents_and_captions() {
    let mut bench = Bench::new();
    bench.add(&documents());
    let pair = Pair::new(id(1), "test", "https://example.org/1.jpg", "dab bead cab");
    bench.add(&given("pairs", PAIRS, vec![vec![pair]]));
    let config = TokenizerConfig::Train(TrainingConfig { vocabulary_size: 40, input_bytes_max: 1 << 20 });
    let stage = Tokenize::new("trained", &config, (vec!["text".to_owned()], vec!["pairs".to_owned()]), None);
    let trained = bench.add(&stage);
    let units = &trained.manifest().report.units;
    let held_out = documents().parts.concat().iter().filter(|d| d.split == Some(Split::Validation)).count();
    assert_eq!((units["documents"].read, units["pairs"].read), (125 - held_out as u64, 1));
    let model = Tokenizer::parse(&trained.file(TOKENIZER_MODEL).unwrap().unwrap()).unwrap();
    assert_eq!(model.decode(&model.ids("ab cab")).unwrap(), "ab cab");
}
