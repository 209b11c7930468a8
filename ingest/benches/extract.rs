//! Times the extractor over saved pages: MB of HTML per second of one core, and the slowest page.
//!
//! usage: cargo bench -p ingest --bench extract -- FOLDER
#![allow(missing_docs, clippy::unwrap_used, clippy::print_stdout)]

use std::fs::File;
use std::io::{BufReader, Read};
use std::path::Path;
use std::time::Instant;

use flate2::read::MultiGzDecoder;
use ingest::html::Ruby;
use ingest::{Webpage, saved};

/// Passes over all pages; of each page its fastest counts as its own.
const PASSES: usize = 5;

fn read(path: &Path) -> Vec<u8> {
    let mut bytes = Vec::new();
    let file = BufReader::new(File::open(path).unwrap());
    match path.extension().is_some_and(|extension| extension == "gz") {
        true => MultiGzDecoder::new(file).read_to_end(&mut bytes).unwrap(),
        false => BufReader::new(file).read_to_end(&mut bytes).unwrap(),
    };
    bytes
}

fn main() {
    let folder = std::env::args().skip(1).find(|argument| !argument.starts_with("--"));
    let Some(folder) = folder else {
        println!("skipped: no folder of saved pages given");
        return;
    };
    let pages: Vec<Vec<u8>> =
        saved::files(Path::new(&folder)).unwrap().iter().map(|path| read(path)).collect();
    let bytes: usize = pages.iter().map(Vec::len).sum();
    let mut fastest = vec![f64::INFINITY; pages.len()];
    let mut best = f64::INFINITY;
    for _ in 0..PASSES {
        let pass = Instant::now();
        for (page, fastest) in pages.iter().zip(&mut fastest) {
            let begin = Instant::now();
            let _ =
                std::hint::black_box(Webpage::of_html(page, "", Some("http://h.example/"), Ruby::default()));
            *fastest = fastest.min(begin.elapsed().as_secs_f64());
        }
        best = best.min(pass.elapsed().as_secs_f64());
    }
    let slowest = (0..pages.len()).max_by(|a, b| fastest[*a].total_cmp(&fastest[*b])).unwrap_or(0);
    println!(
        "RESULT {{\"pages\": {}, \"mb\": {:.1}, \"mb_per_s\": {:.1}, \"slowest_ms\": {:.1}, \"slowest_bytes\": {}}}",
        pages.len(),
        bytes as f64 / 1e6,
        bytes as f64 / 1e6 / best,
        fastest[slowest] * 1e3,
        pages[slowest].len(),
    );
}
