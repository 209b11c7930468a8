//! Writes a corpus with planted near-duplicates of known similarity, to measure with at any size.
//!
//! usage: near_corpus FOLDER DOCUMENTS
//!
//! A document has 250 words of 50,000, about 1.5 kB. Every fifth is a copy of an earlier one, anywhere
//! before it, with 1 to 24 words replaced at even distances; its id tells of which and how many:
//! `c17-of-3-by-12`, other ids are `b3`. With k of 250 words replaced, (250 - 5k) of (242 + 5k)
//! five-word shingles are shared. `benches/near.py` in this crate scores what was removed.

use std::error::Error;
use std::fs::File;
use std::io::{BufWriter, Write};
use std::path::Path;

use xxhash_rust::xxh3::xxh3_64_with_seed;

const WORDS: u64 = 250;
const VOCABULARY: u64 = 50_000;
const FILE_DOCUMENTS: u64 = 100_000;
const EDITS_MAX: u64 = 24;

fn draw(stream: u64, at: u64, below: u64) -> u64 {
    xxh3_64_with_seed(&at.to_le_bytes(), stream) % below
}

/// Writes the text of document `base`, with `edits` of its words replaced by others.
fn text(base: u64, edits: u64, salt: u64, text: &mut String) {
    text.clear();
    for at in 0..WORDS {
        let is_edited = edits > 0 && (at * edits) / WORDS != ((at + 1) * edits) / WORDS;
        let stream = if is_edited { salt } else { base };
        let word = draw(stream, at, VOCABULARY);
        if at > 0 {
            text.push(if at % 12 == 0 { '\n' } else { ' ' });
        }
        // Five letters from the number, as pronounceable as words are long.
        let mut rest = word + VOCABULARY * 7;
        while rest > 0 {
            text.push((b'a' + (rest % 13) as u8) as char);
            rest /= 13;
        }
    }
}

fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<String> = std::env::args().collect();
    let [_, folder, documents] = arguments.as_slice() else {
        return Err("usage: near_corpus FOLDER DOCUMENTS".into());
    };
    let documents: u64 = documents.parse()?;
    std::fs::create_dir_all(folder)?;
    let mut body = String::new();
    for file in 0..documents.div_ceil(FILE_DOCUMENTS) {
        let path = Path::new(folder).join(format!("part-{file:05}.jsonl.zst"));
        let mut out = BufWriter::new(zstd::Encoder::new(File::create(path)?, 1)?.auto_finish());
        for number in file * FILE_DOCUMENTS..((file + 1) * FILE_DOCUMENTS).min(documents) {
            let is_copy = number % 5 == 4;
            if is_copy {
                let earlier = draw(1, number, number);
                let base = earlier - u64::from(earlier % 5 == 4);
                let edits = 1 + draw(2, number, EDITS_MAX);
                text(base, edits, u64::MAX - number, &mut body);
                write!(out, "{{\"id\":\"c{number}-of-{base}-by-{edits}\",\"text\":\"")?;
            } else {
                text(number, 0, 0, &mut body);
                write!(out, "{{\"id\":\"b{number}\",\"text\":\"")?;
            }
            writeln!(out, "{}\"}}", body.replace('\n', "\\n"))?;
        }
        out.flush()?;
    }
    Ok(())
}
