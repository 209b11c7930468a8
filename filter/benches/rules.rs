//! Times Gopher's, C4's and FineWeb's rules over texts: documents per second of one core.
//!
//! usage: cargo bench -p filter --bench rules -- TEXTS.jsonl
//!
//! Every text is judged by every rule. Reading is not in the figure.
#![allow(missing_docs, clippy::unwrap_used, clippy::print_stdout)]

use std::io::{BufRead, BufReader};
use std::time::Instant;

use corpus::Id;
use corpus::record::Document;
use filter::rule::{C4, Fineweb, GopherQuality, GopherRepetition, Ready, TextRule};
use filter::subject::Subject;

/// Passes over all texts, of which the fastest counts.
const PASSES: usize = 5;

fn document(line: &str) -> Document {
    let row: serde_json::Value = serde_json::from_str(line).unwrap();
    Document {
        id: Id::from_bits(0),
        key: None,
        source: "bench".into(),
        url: None,
        date: None,
        language: None,
        text: row["text"].as_str().unwrap().to_owned(),
        split: None,
    }
}

fn main() {
    let Some(file) = std::env::args().skip(1).find(|argument| !argument.starts_with("--")) else {
        println!("skipped: no file of texts given");
        return;
    };
    let lines = BufReader::new(std::fs::File::open(file).unwrap()).lines();
    let documents: Vec<_> = lines.map(|line| document(&line.unwrap())).collect();
    let rules: Vec<_> = [
        TextRule::GopherRepetition(GopherRepetition::default()),
        TextRule::GopherQuality(GopherQuality::default()),
        TextRule::C4(C4 { needs_end: false, ..C4::default() }),
        TextRule::Fineweb(Fineweb::default()),
    ]
    .map(|rule| Ready::new(rule).unwrap())
    .into();
    let bytes: usize = documents.iter().map(|document| document.text.len()).sum();
    let (mut best, mut kept) = (f64::INFINITY, 0);
    for _ in 0..PASSES {
        let mut texts = documents.clone();
        let pass = Instant::now();
        let is_kept = |text: &mut Document| text.judge(&rules).iter().all(|finding| finding.passed);
        kept = texts.iter_mut().map(is_kept).filter(|kept| *kept).count();
        best = best.min(pass.elapsed().as_secs_f64());
    }
    println!(
        "RESULT {{\"documents\": {}, \"kept\": {kept}, \"mb\": {:.1}, \"documents_per_s\": {:.0}, \"mb_per_s\": {:.1}}}",
        documents.len(),
        bytes as f64 / 1e6,
        documents.len() as f64 / best,
        bytes as f64 / 1e6 / best,
    );
}
