//! Real pages, archives and caption lists, where they are at hand: `shared/data/open` beside
//! the repository.
#![allow(clippy::unwrap_used, clippy::panic, clippy::print_stderr, missing_docs)]

mod archives;
mod images;
mod lists;
mod pages;

use std::fs::File;
use std::io::Read;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use corpus::mirror::Mirrors;
use corpus::observer::Unobserved;
use corpus::stage::Cancel;
use corpus::{Dataset, Store};
use corpus_testing::run_stages;
use flate2::read::GzDecoder;
use ingest::{Client, SourceConfig, fetch};
use serde_json::Value;

fn open_data() -> Option<PathBuf> {
    let repository = Path::new(env!("CARGO_MANIFEST_DIR")).parent()?;
    let folder = repository.parent()?.join("shared/data/open");
    if folder.is_dir() {
        return Some(folder);
    }
    eprintln!("skipped: no {}", folder.display());
    None
}

fn files(folder: &Path) -> Vec<PathBuf> {
    let mut files = Vec::new();
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        match path.is_dir() {
            true => files.extend(self::files(&path)),
            false => files.push(path),
        }
    }
    files.sort();
    files
}

fn gunzip(path: &Path) -> Vec<u8> {
    let mut bytes = Vec::new();
    GzDecoder::new(File::open(path).unwrap()).read_to_end(&mut bytes).unwrap();
    bytes
}

fn run(folder: &Path, config: Value) -> Dataset {
    let config: SourceConfig = serde_json::from_value(config).unwrap();
    let client = Arc::new(Client::new(&fetch::Config::default(), Mirrors::default()).unwrap());
    let store = Store::local(folder).unwrap();
    let stages = ingest::stages("src", &config, &client).unwrap();
    let mut made = run_stages(&store, 2, (&Unobserved, &Cancel::default()), &stages).unwrap();
    made.remove("src").unwrap()
}
