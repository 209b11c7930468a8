//! Times the reader over an archive: every record read, blocks of responses held.
//!
//! usage: cargo bench -p ingest --bench warc -- FILE
#![allow(missing_docs, clippy::unwrap_used, clippy::print_stdout)]

use std::fs::File;
use std::time::Instant;

use ingest::warc::{Entry, Reader, RecordKind};

/// Passes over the file; the fastest counts, the first warms the cache.
const PASSES: usize = 4;

fn main() {
    let Some(path) = std::env::args().skip(1).find(|argument| !argument.starts_with("--")) else {
        println!("skipped: no archive given");
        return;
    };
    let mut best = f64::INFINITY;
    let (mut records, mut responses, mut damages, mut block_bytes) = (0, 0, 0, 0);
    for _ in 0..PASSES {
        (records, responses, damages, block_bytes) = (0_u64, 0_u64, 0_u64, 0_u64);
        let begin = Instant::now();
        for entry in Reader::new(File::open(&path).unwrap()).unwrap() {
            match entry.unwrap() {
                Entry::Record(record) => {
                    records += 1;
                    responses += u64::from(record.header.kind() == RecordKind::Response);
                    block_bytes += record.header.content_length;
                    std::hint::black_box(&record.block);
                }
                Entry::Damage(_) => damages += 1,
            }
        }
        best = best.min(begin.elapsed().as_secs_f64());
    }
    let file_mb = std::fs::metadata(&path).unwrap().len() as f64 / 1e6;
    let block_mb = block_bytes as f64 / 1e6;
    println!(
        "RESULT {{\"records\": {records}, \"responses\": {responses}, \"damages\": {damages}, \
         \"file_mb\": {file_mb:.1}, \"block_mb\": {block_mb:.1}, \"iter_s\": {best:.3}, \
         \"block_mb_per_s\": {:.0}}}",
        block_mb / best
    );
}
