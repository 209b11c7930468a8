use corpus::record::{DROPPED, FAILED, FETCHED, IMAGES, PAGE_IMAGES, RETRY, TARGETS};
use std::collections::{BTreeMap, BTreeSet};
use std::io::{BufRead, BufReader, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, Ordering};

use corpus::digest::Digest;
use corpus::record::{EncodedImage, Fetched, Removed};
use corpus::{Cancel, Dataset, Id, SourceCode};

use super::*;
use crate::stated::md5_of;
use crate::{Address, Decoder, Format, Measures, Mode, Pixels};
use corpus_testing::{Run, counts, parts, rows};

/// What the server answers on a path, one answer a request; the last one is repeated.
type Answers = BTreeMap<&'static str, Vec<(u16, Vec<u8>)>>;

/// Serves on loopback until the test process ends; returns the port.
fn serve(answers: Answers) -> u16 {
    let answers = Mutex::new(answers);
    serve_by(move |path| match answers.lock().unwrap().get_mut(path) {
        Some(queue) if queue.len() > 1 => queue.remove(0),
        Some(queue) => queue[0].clone(),
        None => (404, Vec::new()),
    })
}

/// As [`serve`], each path's status and body by a function.
fn serve_by(by_path: impl Fn(&str) -> (u16, Vec<u8>) + Send + Sync + 'static) -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    let by_path = Arc::new(by_path);
    std::thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            let by_path = Arc::clone(&by_path);
            std::thread::spawn(move || answer(stream, by_path.as_ref()));
        }
    });
    port
}

fn answer(mut stream: TcpStream, by_path: &dyn Fn(&str) -> (u16, Vec<u8>)) {
    let mut lines = BufReader::new(stream.try_clone().unwrap()).lines().map_while(Result::ok);
    let Some(request) = lines.next() else {
        return;
    };
    lines.take_while(|line| !line.is_empty()).for_each(drop);
    let path = request.split(' ').nth(1).unwrap_or_default();
    let (status, body) = by_path(path);
    // The body of a redirect is where it leads to.
    let location = if status == 302 { String::from_utf8_lossy(&body) } else { "".into() };
    let length = body.len();
    let head = format!(
        "HTTP/1.1 {status} X\r\nContent-Type: image/png\r\nLocation: {location}\r\nContent-Length: {length}\r\nConnection: close\r\n\r\n"
    );
    let _ = stream.write_all(head.as_bytes()).and_then(|()| stream.write_all(&body));
}

fn png(width: u32, height: u32) -> Vec<u8> {
    let rgb = (0..height).flat_map(|y| (0..width).flat_map(move |x| [x as u8, y as u8, 60]));
    Format::Png.encode(&Pixels::new(width, height, rgb.collect()).unwrap()).unwrap()
}

fn id(source: u8, row: u64) -> Id {
    Id::new(SourceCode(source), 0, row).unwrap()
}

fn pair(row: u64) -> Use {
    Use::of_pair(id(5, row), format!("caption {row}"))
}

fn slot(page: u64, slot: u16) -> Use {
    Use::of_slot(id(2, page), slot)
}

fn target(url: &str, uses: Vec<Use>) -> Target {
    let address = Address::of(url);
    Target { key: address.key(), url: address.into_string(), uses }
}

fn pass(index: u32, port: u16, config: &Config) -> Pass {
    let fetch = ingest::fetch::Config { allow: vec![format!("127.0.0.1:{port}")], ..Default::default() };
    Pass {
        name: format!("images.pass{index}"),
        input: if index == 0 { "images.list".to_owned() } else { format!("images.pass{}", index - 1) },
        index,
        config: config.clone(),
        client: Arc::new(Client::new(&fetch, corpus::mirror::Mirrors::default()).unwrap()),
        fetch,
    }
}

fn failed(dataset: &Dataset) -> Vec<(Id, String, String)> {
    let rows: Vec<Removed> = rows(dataset, FAILED);
    rows.into_iter().map(|row| (row.id, row.reason, row.value)).collect()
}

/// Returns how many outcomes attempts at tasks have kept.
fn kept_in(run: &Run) -> usize {
    run.kept_folders().iter().map(|folder| kept_count(folder)).sum()
}

#[test]
fn every_target_is_stored_or_has_a_reason() {
    let port = serve(BTreeMap::from([
        ("/good.png", vec![(200, png(300, 200))]),
        ("/cut.png", vec![(200, png(300, 200)[..200].to_vec())]),
        ("/page.html", vec![(200, b"<html>".to_vec())]),
        ("/large.png", vec![(200, png(400, 300))]),
    ]));
    let url = |path: &str| format!("http://127.0.0.1:{port}/{path}");
    let run = Run::new();
    let targets = vec![
        target(&url("good.png"), vec![pair(0), pair(1)]),
        target(&url("cut.png"), vec![pair(2)]),
        target(&url("page.html"), vec![pair(3)]),
        target(&url("large.png"), vec![pair(4)]),
        target(&url("gone.png"), vec![pair(5)]),
        target("nowhere", vec![pair(6)]),
        target("http://10.0.0.1/x.png", vec![pair(7)]),
    ];
    let list = run.given("images.list", TARGETS, vec![targets]);
    let config = Config { side_pixels: 64, pixels_max: 100_000, format: Format::Png, ..Config::default() };
    let dataset = run.run(&pass(0, port, &config), &[&list]);
    assert_eq!(
        failed(&dataset).into_iter().map(|(id, reason, _)| (id.position(), reason)).collect::<Vec<_>>(),
        [
            (2, "image_broken"),
            (3, "not_an_image"),
            (4, "pixels_too_many"),
            (5, "http_404"),
            (6, "url_invalid"),
            (7, "address_refused")
        ]
        .map(|(row, reason)| (row, reason.to_owned()))
    );
    let (read, kept, _) = counts(&dataset, "images");
    assert_eq!((read, kept), (7, 1));
    let images: Vec<Image> = rows(&dataset, IMAGES);
    let [image] = &images[..] else { panic!("{} images", images.len()) };
    assert_eq!((image.id, image.uses.len()), (id(5, 0), 2));
    assert_eq!((image.width, image.height, image.original_width, image.original_height), (96, 64, 300, 200));
    assert_eq!(image.sha256, Digest::of(&png(300, 200)).as_str());
    assert!(image.image.path.as_ref().is_some_and(|path| path.ends_with(".png") && path.len() == 36));
    let stored = Decoder::new(100_000).decode(&image.image.bytes).unwrap().pixels;
    assert_eq!(u16::from(Measures::of(&stored).colour_spread), image.colour_spread);
}

#[test]
fn every_field_of_an_image_and_of_its_answer_is_the_documented_one() {
    let body = png(300, 200);
    let port = serve(BTreeMap::from([
        ("/moved.png", vec![(302, b"/here.png".to_vec())]),
        ("/here.png", vec![(200, body.clone())]),
    ]));
    let url = |path: &str| format!("http://127.0.0.1:{port}/{path}");
    let run = Run::new();
    let (moved, gone) = (target(&url("moved.png"), vec![pair(1), pair(2), slot(3, 4)]), url("gone.png"));
    let gone = target(&gone, vec![pair(5)]);
    let list = run.given("images.list", TARGETS, vec![vec![moved.clone(), gone.clone()]]);
    let config = Config { side_pixels: 64, format: Format::Png, ..Config::default() };
    let dataset = run.run(&pass(0, port, &config), &[&list]);

    let images: Vec<Image> = rows(&dataset, IMAGES);
    let stored = Decoder::new(1 << 20).decode(&images[0].image.bytes).unwrap().pixels;
    assert_eq!((stored.width(), stored.height()), (96, 64));
    let measures = Measures::of(&stored);
    let path = format!("{:032x}.png", u128::from_be_bytes(moved.key));
    let image = Image {
        id: id(5, 1),
        key: moved.key,
        url: moved.url.clone(),
        image: EncodedImage { bytes: images[0].image.bytes.clone(), path: Some(path) },
        width: 96,
        height: 64,
        original_width: 300,
        original_height: 200,
        sha256: Digest::of(&body).as_str().to_owned(),
        perceptual_hash: measures.perceptual_hash,
        sharpness: measures.sharpness,
        colour_spread: measures.colour_spread.into(),
        uses: vec![pair(1), pair(2)],
    };
    assert_eq!(images, std::slice::from_ref(&image));
    let of_page = Image { id: id(2, 3), uses: vec![slot(3, 4)], ..image };
    assert_eq!(rows(&dataset, PAGE_IMAGES), [of_page]);

    let answers: Vec<Fetched> = rows(&dataset, FETCHED);
    let kept = Fetched {
        key: moved.key,
        url: moved.url,
        status: "kept".to_owned(),
        reason: None,
        http_status: Some(200),
        body_bytes: Some(body.len() as u64),
        content_type: Some("image/png".to_owned()),
        final_url: Some(url("here.png")),
    };
    let failed = Fetched {
        key: gone.key,
        url: gone.url.clone(),
        status: "failed".to_owned(),
        reason: Some("http_404".to_owned()),
        http_status: Some(404),
        body_bytes: None,
        content_type: None,
        final_url: None,
    };
    assert_eq!(answers, [kept, failed]);
    let removed = Removed {
        id: id(5, 5),
        key: None,
        url: Some(gone.url.clone()),
        unit: "images".to_owned(),
        reason: "http_404".to_owned(),
        value: "404".to_owned(),
        preview: gone.url,
    };
    assert_eq!(rows(&dataset, FAILED), [removed]);
}

#[test]
fn images_of_pages_have_one_row_a_slot_sorted_by_place() {
    let port =
        serve(BTreeMap::from([("/a.png", vec![(200, png(80, 80))]), ("/b.png", vec![(200, png(90, 90))])]));
    let url = |path: &str| format!("http://127.0.0.1:{port}/{path}");
    let run = Run::new();
    let targets = vec![
        target(&url("a.png"), vec![slot(3, 1), slot(9, 0), pair(0)]),
        target(&url("b.png"), vec![slot(1, 0), slot(3, 0)]),
    ];
    let list = run.given("images.list", TARGETS, vec![targets]);
    let dataset = run.run(&pass(0, port, &Config::default()), &[&list]);
    let images: Vec<Image> = rows(&dataset, PAGE_IMAGES);
    let places: Vec<_> =
        images.iter().map(|image| (image.id.position(), image.uses[0].slot, image.width)).collect();
    assert_eq!(places, [(1, 0, 90), (3, 0, 90), (3, 1, 80), (9, 0, 80)]);
    assert!(images.iter().all(|image| image.uses.len() == 1 && image.uses[0].id == image.id));
    let pairs: Vec<Image> = rows(&dataset, IMAGES);
    assert_eq!(pairs.iter().map(|image| image.uses.clone()).collect::<Vec<_>>(), [vec![pair(0)]]);
    assert_eq!(counts(&dataset, "images"), (2, 2, vec![]));
}

#[test]
fn what_fails_for_a_moment_is_left_to_the_next_pass_and_fails_in_the_last() {
    let port = serve(BTreeMap::from([
        ("/later.png", vec![(503, Vec::new()), (200, png(80, 80))]),
        ("/never.png", vec![(503, Vec::new())]),
    ]));
    let url = |path: &str| format!("http://127.0.0.1:{port}/{path}");
    let run = Run::new();
    let targets = vec![target(&url("later.png"), vec![pair(0)]), target(&url("never.png"), vec![slot(1, 0)])];
    let list = run.given("images.list", TARGETS, vec![targets.clone()]);
    let first = run.run(&pass(0, port, &Config::default()), &[&list]);
    assert_eq!(counts(&first, "images"), (2, 0, vec![("retry".to_owned(), 2)]));
    assert_eq!(rows(&first, RETRY), targets);
    assert!(rows(&first, DROPPED).iter().all(|row| row.value == "http_503"));
    let last = run.run(&pass(1, port, &Config::default()), &[&first]);
    assert_eq!(counts(&last, "images"), (2, 1, vec![("http_503".to_owned(), 1)]));
    assert_eq!(failed(&last), [(id(2, 1), "http_503".to_owned(), "503".to_owned())]);
    // For a pass that is added when the run is over.
    assert_eq!(rows(&last, RETRY), targets[1..]);
}

#[test]
fn a_pass_stopped_and_continued_gives_the_same_parts() {
    let port = serve(BTreeMap::from([("/a.png", vec![(200, png(80, 80))])]));
    let target = |row: u64| {
        let url =
            format!("http://127.0.0.1:{port}/{}", if row.is_multiple_of(3) { "gone.png" } else { "a.png" });
        let mut target = target(&url, vec![pair(row), slot(50_000 - row, 0)]);
        target.key = u128::from(row).to_be_bytes();
        target
    };
    let targets: Vec<Target> = (0..RANGE_TARGETS + 300).map(target).collect();
    let finished = |stopped_at: Option<u64>| {
        let run = Run::new();
        let list = run.given("images.list", TARGETS, vec![targets.clone()]);
        let pass = pass(0, port, &Config::default());
        let dataset = match stopped_at {
            Some(records) => run.run_interrupted(records, &pass, &[&list]),
            None => run.run(&pass, &[&list]),
        };
        (dataset.manifest().clone(), parts(&dataset))
    };
    let ((whole, whole_parts), (continued, parts)) = (finished(None), finished(Some(RANGE_TARGETS + 1)));
    assert_eq!(whole.range_count, 3);
    assert_eq!((whole_parts, whole.report), (parts, continued.report));
}

#[test]
fn a_range_ends_by_its_targets_whatever_their_images_weigh() {
    // In 700 slots of pages this image weighs more than 64 MiB.
    let noise = |i: u32| corpus::random::hash(1, "noise", &i.to_le_bytes()) as u8;
    let heavy =
        Format::Png.encode(&Pixels::new(200, 200, (0..120_000).map(noise).collect()).unwrap()).unwrap();
    assert!(heavy.len() * 700 > 64 << 20);
    let port = serve(BTreeMap::from([("/heavy.png", vec![(200, heavy.clone())])]));
    let url = |query: u32| format!("http://127.0.0.1:{port}/heavy.png#{query}");
    let run = Run::new();
    let slots = |start: u64| (0..700).map(|page| slot(start + 2 * page, 0)).collect();
    let mut targets = vec![target(&url(0), slots(1)), target(&url(1), slots(0))];
    targets[1].key = [0xFF; 16];
    let list = run.given("images.list", TARGETS, vec![targets]);
    let dataset = run.run(&pass(0, port, &Config { mode: Mode::Original, ..Config::default() }), &[&list]);
    assert_eq!(dataset.manifest().range_count, 2);
    let images: Vec<Image> = rows(&dataset, PAGE_IMAGES);
    assert!(images.iter().all(|image| image.image.bytes == heavy));
    let pages: Vec<u64> = images.iter().map(|image| image.id.position()).collect();
    assert_eq!(pages, (0..1_400).collect::<Vec<u64>>());
}

/// A web in which images from a number on do not answer while `is_slow`; remembers what it was asked for.
#[derive(Default)]
struct Web {
    is_slow: AtomicBool,
    asked: Mutex<BTreeSet<u64>>,
}

impl Web {
    const SLOW_FROM: u64 = 20;

    fn serve(self: &Arc<Self>) -> u16 {
        let web = Arc::clone(self);
        serve_by(move |path| {
            let number: u64 = path.trim_matches('/').parse().unwrap();
            web.asked.lock().unwrap().insert(number);
            while number >= Self::SLOW_FROM && web.is_slow.load(Ordering::Relaxed) {
                std::thread::yield_now();
            }
            if number % 5 == 2 { (404, Vec::new()) } else { (200, png(70 + number as u32, 80)) }
        })
    }

    fn asked(&self) -> Vec<u64> {
        std::mem::take(&mut *self.asked.lock().unwrap()).into_iter().collect()
    }

    /// The target of an image that pairs and pages want, some of which state its digest.
    fn target(port: u16, number: u64) -> Target {
        let md5 = (number % 4 == 1).then(|| format!("md5:{}", md5_of(&png(70 + number as u32, 80))));
        let stated = Use { digest: md5, ..pair(number) };
        let uses = vec![stated, slot(900 - number, 3), slot(number, 0)];
        let url = format!("http://127.0.0.1:{port}/{number}");
        Target { key: u128::from(number).to_be_bytes(), url, uses }
    }
}

#[test]
fn an_attempt_takes_what_the_one_before_had_fetched_and_ends_in_the_same_bytes() {
    let web = Arc::new(Web::default());
    let port = web.serve();
    let targets: Vec<Target> = (0..30).map(|number| Web::target(port, number)).collect();
    let pass = pass(0, port, &Config::default());
    let undisturbed = Run::new();
    let list = undisturbed.given("images.list", TARGETS, vec![targets.clone()]);
    let whole = undisturbed.run(&pass, &[&list]);
    web.asked();

    let run = Run::new();
    let list = run.given("images.list", TARGETS, vec![targets]);
    web.is_slow.store(true, Ordering::Relaxed);
    let cancel = Cancel::default();
    let stopped = std::thread::scope(|scope| {
        let attempt = scope.spawn(|| run.run_with(&cancel, &pass, &[&list]));
        while kept_in(&run) < Web::SLOW_FROM as usize {
            assert!(!attempt.is_finished(), "it ended before it had kept what it fetched");
            std::thread::yield_now();
        }
        cancel.request();
        web.is_slow.store(false, Ordering::Relaxed);
        attempt.join().unwrap()
    });
    assert!(matches!(stopped, Err(Error::Cancelled)));
    web.asked();

    let continued = run.run(&pass, &[&list]);
    assert!(web.asked().iter().all(|number| *number >= Web::SLOW_FROM));
    assert_eq!(continued.manifest(), whole.manifest());
    assert_eq!(kept_in(&run), 0, "what was kept is removed");
}

#[test]
fn a_list_that_grew_gives_the_bytes_of_one_that_was_fetched_afresh() {
    let web = Arc::new(Web::default());
    let port = web.serve();
    let targets = |step: usize| (0..40).step_by(step).map(|number| Web::target(port, number)).collect();
    let pass = pass(0, port, &Config::default());
    let fresh = Run::new();
    let list = fresh.given("images.list", TARGETS, vec![targets(1)]);
    let expected = fresh.run(&pass, &[&list]);
    let answers: Vec<Fetched> = rows(&expected, FETCHED);
    assert!(answers.iter().all(|row| row.http_status.is_some()));

    let grown = Run::new();
    let earlier = grown.given("images.list", TARGETS, vec![targets(2)]);
    grown.run(&pass, &[&earlier]);
    web.asked();
    let list = grown.given("images.list", TARGETS, vec![targets(1)]);
    let found = grown.run(&pass, &[&list]);
    // Images that another list had are not fetched again, but failures.
    assert!(!web.asked().contains(&4));
    assert_eq!(found.manifest(), expected.manifest());
}
