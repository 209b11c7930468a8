//! Real files from the web through the whole pipeline, up to a few training steps.
//!
//! The files are served on loopback in the layout of their real hosts; `[mirrors]` does the rest.

use std::io::Write;
use std::path::{Path, PathBuf};

use crate::support::archive::{files, open_data};
use crate::support::static_server::serve;
use crate::support::{Workspace, repository};

const CRAWL: &str = "/cc/crawl-data/CC-MAIN-2020-50/";

#[test]
fn real_files_end_as_kept_dropped_or_failed_and_nothing_panics() {
    let Some(folder) = open_data("real files through the whole pipeline") else {
        return;
    };
    let address = serve(site(&folder));
    let workspace = Workspace::new();
    std::fs::write(workspace.path("real.toml"), config(&folder, &format!("http://{address}"))).unwrap();
    let printed = workspace.kosmos(&["run", "real.toml", "--dir", "out", "--workers", "2"]).success();
    eprintln!("{printed}");
    assert!(!printed.contains("  panic"), "a record made a reader panic:\n{printed}");
    for stage in ["pile", "crawl", "laion400m", "cc12m", "images.pass0", "interleaved", "pack.pairs", "train"]
    {
        assert!(printed.lines().any(|line| line.starts_with(&format!("{stage} "))), "{stage} did not run");
    }
    let _ = workspace.kosmos(&["verify", "out"]).success();
    let status = workspace.kosmos(&["status", "out", "--json"]).success();
    let status: serde_json::Value = serde_json::from_str(&status).unwrap();
    let kept = |stage: &str, unit: &str| {
        let stages = status.as_array().unwrap();
        let found = stages.iter().find(|status| status["stage"] == stage).unwrap();
        found["report"]["units"][unit]["kept"].as_u64().unwrap_or(0)
    };
    assert!(kept("pile", "documents") > 50);
    assert!(kept("crawl", "records") > 50);
    assert!(kept("images.pass0", "images") > 1_000);
    assert!(kept("pack.pairs", "pairs") > 1_000);
}

/// Answers a path with a real file: crawls, metadata and texts by name, images by hash.
fn site(folder: &Path) -> impl Fn(&str) -> Option<Vec<u8>> + Send + Sync + 'static {
    let warcs: Vec<PathBuf> = files(&folder.join("warc"));
    let images = files(&folder.join("image"));
    let texts: Vec<PathBuf> = files(&folder.join("text"));
    let captions = folder.join("captions");
    move |path| {
        if path == format!("{CRAWL}warc.paths.gz") {
            return Some(gzip(path_list(&warcs).as_bytes()));
        }
        if let Some(name) = path.strip_prefix(&format!("{CRAWL}warc/")) {
            let file = warcs.iter().find(|file| file.ends_with(name))?;
            return std::fs::read(file).ok();
        }
        match path {
            "/pile/train/00.jsonl.zst" => Some(json_lines(&texts)),
            "/laion400m/part-00000.parquet" => {
                std::fs::read(captions.join("img2dataset__tests_test_files_test_1000.parquet")).ok()
            }
            "/conceptual_12m/cc12m.tsv" => Some(tab_lines(&captions)),
            // One URL in eight is gone, as on the real web.
            _ => match fnv(path) % 8 {
                0 => None,
                hash => std::fs::read(&images[(fnv(path) / 8 + hash) as usize % images.len()]).ok(),
            },
        }
    }
}

fn path_list(warcs: &[PathBuf]) -> String {
    let names = warcs.iter().filter_map(|path| path.file_name()?.to_str());
    let names = names.filter(|name| name.ends_with(".warc") || name.ends_with(".gz"));
    names.map(|name| format!("crawl-data/CC-MAIN-2020-50/warc/{name}\n")).collect()
}

/// All JSON lines with a `text` and a `meta` or without; broken ones too.
fn json_lines(texts: &[PathBuf]) -> Vec<u8> {
    let lines = texts.iter().filter(|path| path.extension().is_some_and(|extension| extension == "jsonl"));
    let mut all = Vec::new();
    for path in lines {
        all.extend(std::fs::read(path).unwrap());
        all.push(b'\n');
    }
    zstd::encode_all(all.as_slice(), 1).unwrap()
}

/// URL, tab, something: what a download report and CC12M have in common.
fn tab_lines(captions: &Path) -> Vec<u8> {
    let packed = std::fs::read(captions.join("cc3m_downloaded_validation_report.tsv.gz")).unwrap();
    let mut text = Vec::new();
    std::io::Read::read_to_end(&mut flate2::read::GzDecoder::new(packed.as_slice()), &mut text).unwrap();
    text.split_inclusive(|byte| *byte == b'\n').take(600).flatten().copied().collect()
}

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

/// FNV-1a: which image a URL has is the same in every run.
fn fnv(text: &str) -> u64 {
    text.bytes()
        .fold(0xCBF2_9CE4_8422_2325, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(0x100_0000_01B3))
}

/// The sample's sizes, the real sources' layouts, and KOSMOS-1's own tokenizer where it is there.
fn config(folder: &Path, base: &str) -> String {
    let model = files(&folder.join("tokenizer"))
        .into_iter()
        .find(|path| path.extension().is_some_and(|e| e == "model"));
    let small = || (repository().join("tests/golden/tokenizer/small.model"), 148);
    let (model, tokens) = model.map_or_else(small, |model| (model, 64_007));
    let text = include_str!("real_input.toml").replace("{BASE}", base);
    text.replace("{TOKENIZER}", model.to_str().unwrap()).replace("{TOKENS}", &format!("{tokens}"))
}
