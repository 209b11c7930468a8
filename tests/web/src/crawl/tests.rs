#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::io::Read;

use flate2::bufread::GzDecoder;

use super::*;
use crate::truth::Counts;

/// One parsed record: header lines and block.
struct Record {
    head: String,
    block: Vec<u8>,
}

impl Record {
    fn field(&self, name: &str) -> Option<&str> {
        let find = |line: &'_ str| line.split_once(": ").is_some_and(|(key, _)| key == name);
        self.head.lines().find(|line| find(line)).and_then(|line| Some(line.split_once(": ")?.1))
    }

    /// Splits an HTTP answer into head and body.
    fn http(&self) -> (String, &[u8]) {
        let at = self.block.windows(4).position(|window| window == b"\r\n\r\n").unwrap();
        let (head, body) = self.block.split_at(at + 4);
        (String::from_utf8(head.to_vec()).unwrap(), body)
    }
}

/// Reads member by member; looks for the next gzip header after one that is broken.
fn records(mut bytes: &[u8]) -> (Vec<Record>, u64) {
    let (mut records, mut broken) = (Vec::new(), 0);
    while !bytes.is_empty() {
        let mut decoder = GzDecoder::new(bytes);
        let mut member = Vec::new();
        if decoder.read_to_end(&mut member).is_err() {
            broken += 1;
            let next = bytes.windows(3).skip(1).position(|window| window == [0x1f, 0x8b, 8]);
            bytes = &bytes[next.unwrap() + 1..];
            continue;
        }
        bytes = decoder.into_inner();
        let at = member.windows(4).position(|window| window == b"\r\n\r\n").unwrap() + 4;
        let head = String::from_utf8(member[..at].to_vec()).unwrap();
        let block = member[at..member.len() - 4].to_vec();
        assert!(head.starts_with("WARC/1.0\r\n") && member.ends_with(b"\r\n\r\n"));
        records.push(Record { head, block });
    }
    (records, broken)
}

/// Bytes by path.
type Files = BTreeMap<String, Vec<u8>>;

fn world() -> (Files, Vec<(DocumentRef, Prose)>, Truth) {
    let mut truth = Truth::default();
    let single = |index: u32| {
        let prose = Prose::story(&mut stream(9, "single", u64::from(index))).single();
        (DocumentRef::Pile { file: "train/00.jsonl.zst".to_owned(), row: index }, prose)
    };
    let singles: Vec<_> = (0..40).map(single).collect();
    let config = Config { pages: 400, ..Config::default() };
    let files = build(&config, singles.clone(), &mut truth);
    let files = files.into_iter().map(|(path, bytes)| (path, bytes.unwrap())).collect();
    (files, singles, truth)
}

#[test]
fn lists_name_the_files_of_their_crawl() {
    let (files, _, _) = world();
    let mut named = 0;
    for crawl in ["CC-MAIN-2020-50", "CC-MAIN-2021-04"] {
        let mut list = String::new();
        let bytes = files[&format!("crawl-data/{crawl}/warc.paths.gz")].as_slice();
        GzDecoder::new(bytes).read_to_string(&mut list).unwrap();
        for path in list.lines() {
            assert!(path.starts_with(&format!("crawl-data/{crawl}/segments/")));
            assert!(files.contains_key(path));
            named += 1;
        }
    }
    assert_eq!((named, files.len()), (4, 6));
}

#[test]
fn every_member_is_a_record_and_the_truth_counts_responses() {
    let (files, _, truth) = world();
    for (path, counts) in &truth.crawl_files {
        let (records, broken) = records(&files[path]);
        let kinds: Vec<&str> = records.iter().map(|r| r.field("WARC-Type").unwrap()).collect();
        assert_eq!(kinds.first(), Some(&"warcinfo"));
        let mut seen = Counts::default();
        for record in &records {
            assert_eq!(record.field("Content-Length"), Some(record.block.len().to_string().as_str()));
            if record.field("WARC-Type") != Some("response") {
                continue;
            }
            let (head, _) = record.http();
            let html = record.field("WARC-Identified-Payload-Type") == Some("text/html");
            assert_eq!(html, head.contains("Content-Type: text/html"));
            match (head.starts_with("HTTP/1.1 200 OK"), html) {
                (false, _) => seen.drop("status"),
                (true, false) => seen.drop("mime"),
                (true, true) => seen.keep(),
            }
        }
        for _ in 0..broken {
            seen.fail("gzip_broken");
        }
        assert_eq!(&seen, counts, "{path}");
        let count = |kind| kinds.iter().filter(|k| **k == kind).count() as u64;
        assert_eq!(count("request"), counts.read);
        assert_eq!(count("metadata"), counts.read);
    }
    assert_eq!(truth.crawl.failed.get("gzip_broken"), Some(&3));
}

/// Decodes a page as browsers do, by byte order mark, HTTP header, or `meta`.
fn decode(head: &str, body: &[u8]) -> String {
    let ascii = String::from_utf8_lossy(body);
    let named = [head, &ascii].into_iter().find_map(|text| {
        let (_, rest) = text.split_once("charset=")?;
        let end = |c: char| c == '"' || c == '>' || c.is_whitespace();
        rest.trim_start_matches('"').split(end).next().map(str::to_owned)
    });
    let encoding = encoding_rs::Encoding::for_label(named.unwrap().as_bytes()).unwrap();
    let (text, _, broken) = encoding.decode(body);
    assert!(!broken, "{head}");
    text.into_owned()
}

/// Counts the words of everything in the body.
fn text_words(html: &str) -> usize {
    let (_, body) = html.split_once("<body>").unwrap();
    let texts = body.split('<').filter_map(|piece| Some(piece.split_once('>')?.1));
    texts.map(|text| text.split_whitespace().count()).sum()
}

/// Takes the paragraphs of the main text, markup removed.
fn main_text(html: &str) -> String {
    let (_, body) = html.split_once("<body>").unwrap();
    let start = ["<main>", "<article>", "<div class=\"content\">"];
    let start = start.iter().filter_map(|tag| body.find(tag)).min().unwrap();
    let body = &body[start..];
    let end = body.find("<div class=\"share-bar\">").unwrap_or(body.len());
    let mut text = String::new();
    for piece in body[..end].split('<').skip(1) {
        let (tag, rest) = piece.split_once('>').unwrap();
        if tag == "/p" {
            text.push('\n');
        }
        text.push_str(rest.trim_matches('\n'));
    }
    text.trim().to_owned()
}

#[test]
fn pages_hold_the_text_that_their_outcome_says() {
    let (files, singles, truth) = world();
    let mut texts: Vec<String> = singles.iter().map(|(_, prose)| prose.text()).collect();
    let mut seen: BTreeMap<&str, u32> = BTreeMap::new();
    let mut charsets = std::collections::BTreeSet::new();
    for path in truth.crawl_files.keys() {
        for record in records(&files[path]).0 {
            let page = record.field("WARC-Target-URI").and_then(|url| truth.pages.get(url));
            let Some(page) = page.filter(|_| record.field("WARC-Type") == Some("response")) else {
                continue;
            };
            *seen.entry(page.outcome.as_str()).or_default() += 1;
            if ["status", "mime"].contains(&page.outcome.as_str()) {
                continue;
            }
            let (head, body) = record.http();
            charsets.insert(head.split("Content-Type: ").nth(1).unwrap().lines().next().unwrap().to_owned());
            let html = decode(&head, body);
            let text = main_text(&html);
            let english = whatlang::detect_lang(&text) == Some(whatlang::Lang::Eng);
            let words = text.split_whitespace().count();
            match page.outcome.as_str() {
                "language" => assert!(!english, "{text}"),
                "symbols" => assert!(text.matches('#').count() * 10 > words, "{text}"),
                // Not even the whole page, menus and all, has enough words.
                "words_min" => assert!(words < 13 && text_words(&html) < 20, "{html}"),
                "duplicate" => assert!(texts.contains(&text), "{text}"),
                _ => {
                    assert!(english && words >= 20, "{text}");
                    assert!(!texts.contains(&text), "{text}");
                    texts.push(text);
                }
            }
            let images = page.images.iter().map(|url| html.rfind(url.rsplit('/').next().unwrap()));
            assert!(images.is_sorted());
        }
    }
    assert_eq!(
        seen.keys().copied().collect::<Vec<_>>(),
        ["duplicate", "kept", "language", "mime", "status", "symbols", "words_min",]
    );
    assert_eq!(seen.values().sum::<u32>() as usize, truth.pages.len());
    assert_eq!(charsets.len(), 5, "{charsets:?}");
}

#[test]
fn pages_have_none_one_or_several_images() {
    let (_, _, truth) = world();
    let counts: Vec<usize> =
        truth.pages.values().filter(|page| page.outcome == "kept").map(|page| page.images.len()).collect();
    let share = |of: fn(&usize) -> bool| 100 * counts.iter().filter(|count| of(count)).count() / counts.len();
    assert!((15..40).contains(&share(|count| *count == 0)));
    assert!((20..40).contains(&share(|count| *count == 1)));
    assert!((32..58).contains(&share(|count| *count >= 2)));
    let all: usize = counts.iter().sum();
    assert_eq!(all, truth.page_image_urls.len());
    for outcome in ["kept", "side_min", "single_colour", "http_404"] {
        assert!(truth.page_image_urls.values().any(|found| found == outcome), "{outcome}");
    }
}
