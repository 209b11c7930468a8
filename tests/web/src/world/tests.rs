#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::collections::BTreeSet;

use arrow::array::{AsArray, RecordBatch};
use arrow::datatypes::{Float64Type, Int32Type};
use parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;

use super::*;
use crate::drawing::Format;
use crate::fault::image_name;
use crate::gallery::BOMB_SIDE;
use crate::pile::KEPT_SETS;
use crate::truth::Counts;

fn small(seed: u64) -> World {
    World::new(&Config { seed, images: 600, documents: 400, pages: 200 })
}

/// What is read of one row: URL, caption and, where reported, the smaller side.
type Read = (Option<String>, Option<String>, Option<f64>);

fn strings(batch: &RecordBatch, names: [&str; 2]) -> Vec<Option<String>> {
    let column = names.iter().find_map(|name| batch.column_by_name(name)).unwrap();
    column.as_string::<i32>().iter().map(|text| text.map(str::to_owned)).collect()
}

fn side(batch: &RecordBatch, names: [&str; 2], row: usize) -> f64 {
    let column = names.iter().find_map(|name| batch.column_by_name(name)).unwrap();
    match column.as_primitive_opt::<Float64Type>() {
        Some(sides) => sides.value(row),
        None => f64::from(column.as_primitive::<Int32Type>().value(row)),
    }
}

fn read_parquet(bytes: &Bytes) -> Vec<Read> {
    let reader = ParquetRecordBatchReaderBuilder::try_new(bytes.clone()).unwrap().build().unwrap();
    let mut rows = Vec::new();
    for batch in reader {
        let batch = batch.unwrap();
        let urls = strings(&batch, ["URL", "url"]);
        let captions = strings(&batch, ["TEXT", "text"]);
        for (row, (url, caption)) in urls.into_iter().zip(captions).enumerate() {
            let width = side(&batch, ["WIDTH", "width"], row);
            let height = side(&batch, ["HEIGHT", "height"], row);
            rows.push((url, caption, Some(width.min(height))));
        }
    }
    rows
}

fn read_tsv(bytes: &Bytes, url_first: bool, counts: &mut Counts) -> Vec<Read> {
    let text = std::str::from_utf8(bytes).unwrap();
    let mut rows = Vec::new();
    for line in text.lines() {
        match line.split_once('\t') {
            Some((first, second)) if line.len() <= crate::LINE_BYTES_MAX => {
                let (url, caption) = if url_first { (first, second) } else { (second, first) };
                rows.push((Some(url.to_owned()), Some(caption.to_owned()), None));
            }
            _ => counts.fail("row_broken"),
        }
    }
    rows
}

/// Reads every metadata file as a pipeline would.
fn read_pairs(world: &World) -> Vec<(Source, Vec<Read>, Counts)> {
    let file = |path: &str| world.files[path].clone().unwrap();
    let folder = |prefix: &str| -> Vec<Read> {
        let files = world.files.iter().filter(|(path, _)| path.starts_with(prefix));
        files.flat_map(|(_, bytes)| read_parquet(bytes.as_ref().unwrap())).collect()
    };
    let (mut cc3m, mut cc12m) = (Counts::default(), Counts::default());
    let cc3m_rows = read_tsv(&file(CC3M), false, &mut cc3m);
    let cc12m_rows = read_tsv(&file(CC12M), true, &mut cc12m);
    vec![
        (Source::Laion2b, folder(LAION_2B), Counts::default()),
        (Source::Laion400m, folder(LAION_400M), Counts::default()),
        (Source::Coyo, folder(COYO), Counts::default()),
        (Source::Cc3m, cc3m_rows, cc3m),
        (Source::Cc12m, cc12m_rows, cc12m),
    ]
}

#[test]
fn the_same_seed_makes_the_same_bytes_and_another_seed_others() {
    let (first, again, other) = (small(1), small(1), small(2));
    assert_eq!(first.files, again.files);
    assert_eq!(first.truth, again.truth);
    assert!(first.files.values().all(|file| file.as_ref().is_ok_and(|bytes| !bytes.is_empty())));
    assert_eq!(first.files.len(), 3 + 6 + 2 + 1 + 2 + 1 + 1);
    for (path, bytes) in &first.files {
        // A list of paths names nothing that the seed decides.
        let same = path.ends_with("warc.paths.gz");
        assert_eq!(other.files[path] == *bytes, same, "{path}");
    }
    assert_ne!(
        first.answer("/cdn.pages.example/static/logo.png"),
        other.answer("/cdn.pages.example/static/logo.png")
    );
}

#[test]
fn the_truth_adds_up_from_stage_to_stage() {
    let world = small(1);
    let truth = world.truth();
    let totals = [
        &truth.pile,
        &truth.crawl,
        &truth.text_rules,
        &truth.text_exact,
        &truth.pairs_rules,
        &truth.pairs_exact,
        &truth.images,
        &truth.page_images,
        &truth.page_image_rules,
    ];
    let parts = [&truth.pile_files, &truth.crawl_files, &truth.pairs_read];
    let all = totals.into_iter().chain(parts.into_iter().flat_map(BTreeMap::values));
    for counts in all {
        assert!(counts.is_conserved() && counts.kept > 0, "{counts:?}");
    }
    let sum = |parts: &BTreeMap<String, Counts>, of: fn(&Counts) -> u64| parts.values().map(of).sum::<u64>();
    assert_eq!(truth.pile.read, 400);
    assert_eq!(truth.crawl.read, 200 + 3);
    assert_eq!(truth.pages.len(), 200);
    assert_eq!(sum(&truth.pile_files, |c| c.read), truth.pile.read);
    assert_eq!(sum(&truth.crawl_files, |c| c.kept), truth.crawl.kept);
    assert_eq!(truth.text_rules.read, truth.pile.kept + truth.crawl.kept);
    assert_eq!(truth.text_exact.read, truth.text_rules.kept);
    assert_eq!(truth.pairs_rules.read, sum(&truth.pairs_read, |c| c.kept));
    assert_eq!(truth.pairs_exact.read, truth.pairs_rules.kept);
    assert_eq!(truth.images.read, truth.image_urls.len() as u64);
    assert_eq!(truth.images.kept, 600);
    assert_eq!(truth.page_images.read, truth.page_image_urls.len() as u64);
    assert_eq!(truth.page_image_rules.read, truth.page_images.kept);
    assert_eq!(truth.images.failed.len(), 15, "{:?}", truth.images.failed);
    let json = serde_json::to_string(truth).unwrap();
    assert_eq!(&serde_json::from_str::<Truth>(&json).unwrap(), truth);
    assert!(truth.near_duplicates.len() >= 9 && KEPT_SETS.len() == 7);
}

#[test]
fn the_metadata_files_hold_what_the_truth_says() {
    let world = small(1);
    let truth = world.truth();
    let (mut rules, mut exact) = (Counts::default(), Counts::default());
    let (mut seen, mut urls) = (BTreeSet::new(), BTreeSet::new());
    for (source, rows, mut counts) in read_pairs(&world) {
        for (url, caption, side) in rows {
            let (Some(url), caption) = (url.filter(|url| !url.is_empty()), caption) else {
                counts.fail("no_url");
                continue;
            };
            let Some(caption) = caption.filter(|caption| !caption.is_empty()) else {
                counts.fail("no_caption");
                continue;
            };
            counts.keep();
            if source == Source::Laion2b && side.unwrap() < 200.0 {
                rules.drop("side_min");
            } else if caption.contains("<PERSON>") {
                assert_eq!(source, Source::Cc12m);
                rules.drop("person_tag");
            } else {
                rules.keep();
                if seen.insert((url.clone(), caption)) {
                    exact.keep();
                    urls.insert(url);
                } else {
                    exact.drop("duplicate");
                }
            }
        }
        assert_eq!(Some(&counts), truth.pairs_read.get(source.name()), "{}", source.name());
    }
    assert_eq!((&rules, &exact), (&truth.pairs_rules, &truth.pairs_exact));
    assert!(urls.iter().eq(truth.image_urls.keys()));
}

/// Follows redirects inside the world, as a client with mirrors does.
fn follow(world: &World, url: &str) -> Answer {
    let mut url = url::Url::parse(url).unwrap();
    for _ in 0..6 {
        let path = format!("/{}{}", url.host_str().unwrap_or_default(), url.path());
        match world.answer(&path) {
            Answer::Redirect { location, .. } => url = url.join(&location).unwrap(),
            answer => return answer,
        }
        if url.host_str() == Some("169.254.169.254") {
            return Answer::Status(0);
        }
    }
    Answer::Status(310)
}

fn outcome(world: &World, url: &str) -> String {
    let answer = follow(world, url);
    let image = match answer {
        Answer::Content { bytes, .. } => bytes,
        Answer::Status(0) => return "address_refused".to_owned(),
        Answer::Status(310) => return "redirect_limit".to_owned(),
        Answer::Status(code) => return format!("http_{code}"),
        Answer::Stall | Answer::Drip(_) => return "timeout".to_owned(),
        Answer::Truncated(_) => return "body_truncated".to_owned(),
        Answer::Large => return "body_too_large".to_owned(),
        Answer::Redirect { .. } => panic!("{url} is not followed"),
    };
    if image::guess_format(&image).is_err() {
        return "not_an_image".to_owned();
    }
    let reader = image::ImageReader::new(std::io::Cursor::new(&image)).with_guessed_format().unwrap();
    if reader.into_dimensions().unwrap().0 == BOMB_SIDE {
        return "pixels_too_many".to_owned();
    }
    let Ok(image) = image::load_from_memory(&image) else {
        return "image_broken".to_owned();
    };
    let image = image.to_rgb8();
    let first = image.get_pixel(0, 0);
    if image.width().min(image.height()) < 64 {
        "side_min".to_owned()
    } else if image.pixels().all(|pixel| pixel == first) {
        "single_colour".to_owned()
    } else {
        "kept".to_owned()
    }
}

#[test]
fn every_image_is_answered_as_the_truth_says() {
    let world = small(3);
    let truth = world.truth();
    let mut unasked = 0;
    for (url, expected) in truth.image_urls.iter().chain(&truth.page_image_urls) {
        let served = url::Url::parse(url).ok().is_some_and(|url| {
            World::hosts().any(|host| url.scheme() == "https" && url.host_str() == Some(host))
        });
        if served {
            assert_eq!(&outcome(&world, url), expected, "{url}");
        } else {
            unasked += 1;
            let reasons = ["connect", "address_refused", "url_invalid", "scheme_refused"];
            assert!(reasons.contains(&expected.as_str()), "{url}");
        }
    }
    assert!(unasked > 15);
}

#[test]
fn a_path_that_names_nothing_is_not_found() {
    let world = small(1);
    let paths = [
        "",
        "/",
        "//",
        "/img0.shapes.example",
        "/img0.shapes.example/",
        "/img0.shapes.example/i/",
        "/img0.shapes.example/i/00000001.gif",
        "/img0.shapes.example/f/nothing/00000001.png",
        "/img9.shapes.example/i/00000001.png",
        "/cdn.pages.example/p/x.png",
        "/the-eye.eu/public/AI/pile/train/02.jsonl.zst",
        "/../../etc/passwd",
    ];
    for path in paths {
        assert_eq!(world.answer(path), Answer::Status(404), "{path}");
    }
    let name = |format| image_name(1, format);
    let found = |format| world.answer(&format!("/img0.shapes.example/i/{}", name(format)));
    let answers = [found(Format::Png), found(Format::Jpeg)];
    assert_eq!(answers.iter().filter(|answer| **answer == Answer::Status(404)).count(), 1);
}

#[test]
fn a_world_of_any_size_can_be_made() {
    for count in [0, 1, 7] {
        let config = Config { seed: 1, images: count, documents: count, pages: count };
        assert!(config.validate().is_err());
        let world = World::new(&config);
        assert_eq!(world.truth().images.kept, u64::from(count));
        assert!(world.truth().crawl.is_conserved());
    }
    assert_eq!(Config::default().validate(), Ok(()));
}
