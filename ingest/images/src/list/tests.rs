use corpus::record::{PAGES, PAIRS, TARGETS, USES};
use std::collections::BTreeSet;

use corpus::limits::RANGE_RECORDS_MAX;
use corpus::record::{Page, Pair, Segment, SegmentKind, Use};
use corpus::{Dataset, SourceCode};
use proptest::prelude::*;

use super::*;
use crate::address::Address;
use corpus_testing::{Run, counts, parts, rows};

fn id(source: u8, row: u64) -> Id {
    Id::new(SourceCode(source), 0, row).unwrap()
}

fn pair(row: u64, url: &str) -> Pair {
    Pair::new(id(5, row), "coyo", url, &format!("caption {row}"))
}

fn page(row: u64, urls: &[&str]) -> Page {
    let segment = |kind, text: &str, url: Option<&str>| Segment {
        kind,
        text: text.to_owned(),
        url: url.map(str::to_owned),
    };
    let images = urls.iter().map(|url| segment(SegmentKind::Image, "", Some(url)));
    Page {
        id: id(2, row),
        key: None,
        source: "crawl".to_owned(),
        url: Some(format!("https://pages.example/{row}")),
        date: None,
        title: String::new(),
        charset: "UTF-8".to_owned(),
        segments: std::iter::once(segment(SegmentKind::Text, "text", None)).chain(images).collect(),
    }
}

fn uses() -> Uses {
    Uses {
        name: "images.list.uses".to_owned(),
        pairs: vec!["pairs".to_owned()],
        pages: vec!["interleaved.select".to_owned()],
        memory_mb: 1,
    }
}

fn list(config: Config) -> List {
    List { name: "images.list".to_owned(), uses: "images.list.uses".to_owned(), config }
}

/// Runs both stages.
fn fetch_list(run: &Run, config: Config, inputs: &[&Dataset]) -> Dataset {
    run.run(&list(config), &[&run.run(&uses(), inputs)])
}

fn inputs(run: &Run, pairs: Vec<Pair>, pages: Vec<Page>) -> [Dataset; 2] {
    [run.given("pairs", PAIRS, vec![pairs]), run.given("interleaved.select", PAGES, vec![pages])]
}

#[test]
fn a_url_is_listed_once_with_everything_that_wants_it() {
    let run = Run::new();
    let pairs = vec![
        pair(1, "https://a.example/1.png"),
        pair(0, "https://A.example:443/1.png#x"),
        pair(2, "nowhere"),
    ];
    let pages = vec![page(7, &["https://a.example/1.png", "https://b.example/2.png"])];
    let [pairs, pages] = inputs(&run, pairs, pages);
    let targets: Vec<Target> = rows(&fetch_list(&run, Config::default(), &[&pairs, &pages]), TARGETS);
    let mut urls: Vec<&str> = targets.iter().map(|target| target.url.as_str()).collect();
    urls.sort_unstable();
    assert_eq!(urls, ["https://a.example/1.png", "https://b.example/2.png", "nowhere"]);
    assert!(targets.is_sorted_by_key(|target| target.key));
    let shared = targets.iter().find(|target| target.uses.len() == 3).unwrap();
    let uses: Vec<_> = shared.uses.iter().map(|place| (place.id, place.caption.as_deref())).collect();
    assert_eq!(uses, [(id(2, 7), None), (id(5, 0), Some("caption 0")), (id(5, 1), Some("caption 1"))]);
}

#[test]
fn every_field_of_a_pair_that_travels_along_is_in_its_use() {
    let run = Run::new();
    let url = "https://a.example/1.png";
    let stated = Pair {
        key: Some("k1".to_owned()),
        digest: Some("md5:00".to_owned()),
        extra: Some("{\"a\":1}".to_owned()),
        ..pair(3, url)
    };
    let [pairs, pages] = inputs(&run, vec![stated], vec![page(7, &["https://b.example/2.png", url])]);
    let targets: Vec<Target> = rows(&fetch_list(&run, Config::default(), &[&pairs, &pages]), TARGETS);
    let of_pair = Use {
        id: id(5, 3),
        slot: 0,
        caption: Some("caption 3".to_owned()),
        key: Some("k1".to_owned()),
        digest: Some("md5:00".to_owned()),
        extra: Some("{\"a\":1}".to_owned()),
    };
    let expected = Target {
        key: Address::of(url).key(),
        url: url.to_owned(),
        uses: vec![Use::of_slot(id(2, 7), 1), of_pair],
    };
    assert!(targets.contains(&expected), "{targets:?}");
}

#[test]
fn slots_and_uses_of_pages_are_bounded_and_counted() {
    let run = Run::new();
    let logo = "https://a.example/logo.png";
    let pages = (0..5).map(|row| page(row, &[logo, "https://a.example/x.png", "https://a.example/y.png"]));
    let [pairs, pages] = inputs(&run, vec![pair(0, logo)], pages.collect());
    let config = Config { images_per_page_max: 2, page_uses_max: 3, ..Config::default() };
    let listed = fetch_list(&run, config, &[&pairs, &pages]);
    let removed = vec![("images_max".to_owned(), 5), ("uses_max".to_owned(), 4)];
    assert_eq!(counts(&listed, "uses"), (16, 7, removed));
    let targets: Vec<Target> = rows(&listed, TARGETS);
    assert_eq!(targets.len(), 2);
    let logo = targets.iter().find(|target| target.url == logo).unwrap();
    // The first pages in order, and every pair.
    assert_eq!(
        logo.uses.iter().map(|place| place.id).collect::<Vec<_>>(),
        [id(2, 0), id(2, 1), id(2, 2), id(5, 0)]
    );
}

#[test]
fn a_list_stopped_and_continued_is_the_same_list() {
    // Two uses a URL, and a few targets more than a range holds.
    let url = |row: u64| format!("https://a.example/{}", row / 2);
    let pairs: Vec<Pair> = (0..2 * RANGE_RECORDS_MAX + 200).map(|row| pair(row, &url(row))).collect();
    let config = Config { partitions: 1, ..Config::default() };
    let listed = |stopped_at: Option<u64>| {
        let run = Run::new();
        let [pairs, pages] = inputs(&run, pairs.clone(), vec![]);
        let wanted = run.run(&uses(), &[&pairs, &pages]);
        let dataset = match stopped_at {
            Some(records) => run.run_interrupted(records, &list(config.clone()), &[&wanted]),
            None => run.run(&list(config.clone()), &[&wanted]),
        };
        (dataset.manifest().clone(), parts(&dataset))
    };
    let ((whole, whole_parts), (continued, parts)) = (listed(None), listed(Some(RANGE_RECORDS_MAX + 50)));
    assert_eq!(whole.range_count, 2);
    assert_eq!((whole_parts, whole.report), (parts, continued.report));
}

#[test]
fn uses_are_sorted_on_disk_where_memory_is_short_and_are_the_same_after_a_stop() {
    // Beyond the one MiB of a task.
    let urls: Vec<String> = (0..30_000).map(|row| format!("https://a.example/{}", row * 7 % 9_001)).collect();
    let pairs: Vec<Pair> = urls.iter().zip(0..).map(|(url, row)| pair(row, url)).collect();
    let sorted = |stopped_at: Option<u64>| {
        let run = Run::new();
        let [pairs, pages] = inputs(&run, pairs.clone(), vec![page(7, &["https://a.example/3"])]);
        let dataset = match stopped_at {
            Some(records) => run.run_interrupted(records, &uses(), &[&pairs, &pages]),
            None => run.run(&uses(), &[&pairs, &pages]),
        };
        assert!(rows(&dataset, USES).is_sorted());
        assert_eq!(counts(&dataset, "uses"), (30_001, 30_001, vec![]));
        parts(&dataset)
    };
    assert_eq!(sorted(None), sorted(Some(12_345)));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(8))]
    #[test]
    fn any_number_of_partitions_gives_the_same_list(
        urls in prop::collection::vec("https://[ab]\\.example/[a-d]{1,2}", 0..40),
        partitions in 1..9_u32,
    ) {
        let pairs: Vec<Pair> = urls.iter().zip(0..).map(|(url, row)| pair(row, url)).collect();
        let listed = |partitions| {
            let run = Run::new();
            let [pairs, pages] = inputs(&run, pairs.clone(), vec![]);
            let config = Config { partitions, ..Config::default() };
            rows(&fetch_list(&run, config, &[&pairs, &pages]), TARGETS)
        };
        let targets = listed(partitions);
        prop_assert_eq!(&targets, &listed(1));
        let distinct: BTreeSet<&String> = urls.iter().collect();
        prop_assert_eq!(targets.len(), distinct.len());
        prop_assert_eq!(targets.iter().map(|target| target.uses.len()).sum::<usize>(), urls.len());
    }
}
