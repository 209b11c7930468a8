use bytes::Bytes;
use corpus::SourceCode;
use corpus::limits::RANGE_RECORDS_MAX;
use corpus::record::{DROPPED, INTERLEAVED, PAGE_IMAGES, PAGES};
use corpus::record::{EncodedImage, Image, Removed, Segment, Use};

use super::*;
use corpus_testing::{Run, counts, parts, rows};

fn id(row: u64) -> Id {
    Id::new(SourceCode(2), 0, row).unwrap()
}

/// `#` is an image, everything else a paragraph.
fn page(row: u64, segments: &[&str]) -> Page {
    let segment = |text: &&str| Segment {
        kind: if *text == "#" { SegmentKind::Image } else { SegmentKind::Text },
        text: (*text).to_owned(),
        url: (*text == "#").then(|| "https://img.example/x.png".to_owned()),
    };
    Page {
        id: id(row),
        key: None,
        source: "crawl".to_owned(),
        url: Some(format!("https://pages.example/{row}")),
        date: None,
        title: String::new(),
        charset: "UTF-8".to_owned(),
        segments: segments.iter().map(segment).collect(),
    }
}

fn image(row: u64, slot: u16, side: u32, colour_spread: u16) -> Image {
    Image {
        id: id(row),
        key: [0; 16],
        url: String::new(),
        image: EncodedImage {
            bytes: Bytes::from(format!("bytes of {row}/{slot}")),
            path: Some("x.jpg".to_owned()),
        },
        width: side,
        height: side,
        original_width: side,
        original_height: side,
        sha256: String::new(),
        perceptual_hash: 0,
        sharpness: 0.0,
        colour_spread,
        uses: vec![Use::of_slot(id(row), slot)],
    }
}

fn stage(config: Config) -> Build {
    Build {
        name: "interleaved".to_owned(),
        pages: "interleaved.select".to_owned(),
        images: vec!["images.pass0".to_owned(), "images.pass1".to_owned()],
        config,
        seed: 1,
    }
}

fn keep_single() -> Config {
    Config { single_image_drop_share: 0.0, validation_share: 0.0, ..Config::default() }
}

#[test]
fn a_document_has_the_images_of_its_page_in_reading_order() {
    let run = Run::new();
    let pages = vec![page(10, &["A.", "#", "B.", "#", "#", "C.", "#"]), page(20, &["D.", "#"])];
    let pages = run.given("interleaved.select", PAGES, vec![pages]);
    // From two passes, out of order, with another page's image between.
    let first =
        run.given("images.pass0", PAGE_IMAGES, vec![vec![image(10, 3, 90, 90)], vec![image(15, 0, 90, 90)]]);
    let second =
        run.given("images.pass1", PAGE_IMAGES, vec![vec![image(10, 0, 90, 90), image(20, 0, 64, 3)]]);
    let dataset = run.run(&stage(keep_single()), &[&pages, &first, &second]);
    let documents: Vec<Interleaved> = rows(&dataset, INTERLEAVED);
    let shown = |document: &Interleaved| -> Vec<String> {
        let places = document.texts.iter().zip(&document.images);
        places
            .map(|place| match place {
                (Some(text), None) => text.clone(),
                (None, Some(image)) => String::from_utf8(image.bytes.to_vec()).unwrap(),
                other => panic!("{other:?}"),
            })
            .collect()
    };
    assert_eq!(shown(&documents[0]), ["A.", "bytes of 10/0", "B.\nC.", "bytes of 10/3"]);
    assert_eq!(shown(&documents[1]), ["D.", "bytes of 20/0"]);
    assert_eq!((documents[0].id, documents[0].split), (id(10), Split::Train));
    let encoded = EncodedImage { bytes: "bytes of 20/0".into(), path: Some("x.jpg".to_owned()) };
    let second = Interleaved {
        id: id(20),
        url: Some("https://pages.example/20".to_owned()),
        texts: vec![Some("D.".to_owned()), None],
        images: vec![None, Some(encoded)],
        split: Split::Train,
    };
    assert_eq!(documents[1], second);
    assert_eq!(counts(&dataset, "documents"), (2, 2, vec![]));
    assert_eq!(counts(&dataset, "images"), (5, 3, vec![("image_missing".to_owned(), 2)]));
}

#[test]
fn images_are_judged_by_their_size_as_fetched_and_what_is_dropped_is_written_down() {
    let run = Run::new();
    let pages = run.given("interleaved.select", PAGES, vec![vec![page(1, &["A.", "#", "#"])]]);
    let small_as_fetched = Image { original_width: 63, original_height: 70, ..image(1, 0, 90, 90) };
    let small_as_stored = Image { original_width: 90, original_height: 70, ..image(1, 1, 20, 90) };
    let images = run.given("images.pass0", PAGE_IMAGES, vec![vec![small_as_fetched, small_as_stored]]);
    let none = run.given("images.pass1", PAGE_IMAGES, vec![]);
    let dataset = run.run(&stage(keep_single()), &[&pages, &images, &none]);
    let removed = Removed {
        id: id(1),
        key: None,
        url: Some("https://img.example/x.png".to_owned()),
        unit: "images".to_owned(),
        reason: "image_side_min".to_owned(),
        value: "63x70".to_owned(),
        preview: "https://img.example/x.png".to_owned(),
    };
    assert_eq!(rows(&dataset, DROPPED), [removed]);
    assert_eq!(counts(&dataset, "documents"), (1, 1, vec![]));
}

#[test]
fn the_seed_decides_which_documents_are_held_out_and_the_share_how_many() {
    let held_out = |seed: u64, validation_share: f64| {
        let run = Run::new();
        let pages = run.given(
            "interleaved.select",
            PAGES,
            vec![(0..200).map(|row| page(row, &["A.", "#"])).collect()],
        );
        let images = (0..200).map(|row| image(row, 0, 90, 90)).collect();
        let images = run.given("images.pass0", PAGE_IMAGES, vec![images]);
        let none = run.given("images.pass1", PAGE_IMAGES, vec![]);
        let stage = Build { seed, ..stage(Config { validation_share, ..keep_single() }) };
        let documents: Vec<Interleaved> = rows(&run.run(&stage, &[&pages, &images, &none]), INTERLEAVED);
        assert_eq!(documents.len(), 200);
        let held_out = documents.into_iter().filter(|document| document.split == Split::Validation);
        held_out.map(|document| document.id.position()).collect::<Vec<u64>>()
    };
    let half = held_out(1, 0.5);
    assert!((60..140).contains(&half.len()), "{}", half.len());
    assert_ne!(half, held_out(2, 0.5));
    assert_eq!((held_out(1, 0.0).len(), held_out(1, 1.0).len()), (0, 200));
}

#[test]
fn every_image_and_document_is_counted_under_its_reason() {
    let run = Run::new();
    let pages = vec![
        page(1, &["A.", "#", "#", "B."]),
        page(2, &["A.", "#"]),
        page(3, &["#", "#"]),
        page(4, &["A.", "#", "#", "#", "#", "#", "#", "#"]),
    ];
    let pages = run.given("interleaved.select", PAGES, vec![pages]);
    let mut images = vec![
        image(1, 0, 63, 90),
        image(1, 1, 90, 2),
        image(2, 0, 90, 90),
        image(3, 0, 90, 90),
        image(3, 1, 90, 90),
    ];
    images.extend((0..7).map(|slot| image(4, slot, 90, 90)));
    let first = run.given("images.pass0", PAGE_IMAGES, vec![images]);
    let second = run.given("images.pass1", PAGE_IMAGES, vec![]);
    let config = Config { single_image_drop_share: 1.0, ..Config::default() };
    let dataset = run.run(&stage(config), &[&pages, &first, &second]);
    let removed = |list: &[(&str, u64)]| {
        list.iter().map(|(reason, count)| ((*reason).to_owned(), *count)).collect::<Vec<_>>()
    };
    assert_eq!(
        counts(&dataset, "documents"),
        (4, 1, removed(&[("no_image", 1), ("no_text", 1), ("single_image", 1)]))
    );
    let images = [
        ("image_side_min", 1),
        ("image_single_coloured", 1),
        ("images_max", 2),
        ("no_text", 2),
        ("single_image", 1),
    ];
    assert_eq!(counts(&dataset, "images"), (12, 5, removed(&images)));
    assert_eq!(rows(&dataset, INTERLEAVED).len(), 1);
}

#[test]
fn a_stage_stopped_and_continued_gives_the_same_parts() {
    let count = RANGE_RECORDS_MAX + 200;
    let finished = |stopped_at: Option<u64>| {
        let run = Run::new();
        let pages = (0..count).map(|row| page(row, &["A. B. C. D.", "#", "E."])).collect();
        let pages = run.given("interleaved.select", PAGES, vec![pages]);
        let images = (0..count).map(|row| image(row, 0, 90, 90)).collect();
        let first = run.given("images.pass0", PAGE_IMAGES, vec![images]);
        let second = run.given("images.pass1", PAGE_IMAGES, vec![]);
        let (stage, inputs) = (stage(Config::default()), [&pages, &first, &second]);
        let dataset = match stopped_at {
            Some(records) => run.run_interrupted(records, &stage, &inputs),
            None => run.run(&stage, &inputs),
        };
        (dataset.manifest().clone(), parts(&dataset))
    };
    let ((whole, whole_parts), (continued, parts)) = (finished(None), finished(Some(RANGE_RECORDS_MAX + 50)));
    assert_eq!(whole.range_count, 2);
    assert!(whole.report.units["documents"].kept > 9_000);
    assert_eq!((whole_parts, whole.report), (parts, continued.report));
}
