//! Tokenizers outside of a run: files opened, lines encoded in parallel, small models trained on texts of one's own.

use std::io::{BufRead, BufReader, Read};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use corpus::mirror::Mirrors;
use ingest::{Client, fetch};
use shard::tokenizer::{Encoder, TokenizerError, Words, read_file, train};
pub use shard::tokenizer::{Tokenizer, TrainingConfig};

use crate::classifier::for_each_text_of;
use crate::{Error, Result, ordered};

/// Bytes of lines that a worker encodes at once.
const CHUNK_BYTES: usize = 256 << 10;
/// Bytes of one line at most.
const LINE_BYTES_MAX: usize = 64 << 20;

/// How ids are numbered.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Numbering {
    /// As in the tokenizer's file.
    File,
    /// As fairseq and KOSMOS-1's network number them.
    Fairseq,
}

/// Reads a tokenizer's file and returns it with its bytes.
///
/// # Errors
/// When the file cannot be read, or is no tokenizer that can be used.
pub fn open(path: &Path) -> Result<(Tokenizer, Vec<u8>)> {
    let bytes = read_file(path)?;
    let tokenizer = Tokenizer::parse(&bytes);
    Ok((tokenizer.map_err(|error| Error::Usage(format!("{}: {error}", path.display())))?, bytes))
}

/// Encodes lines and hands on their ids, a JSON array a line, in the order of the lines; returns how many lines were
/// not UTF-8: their faulty bytes are taken for U+FFFD.
///
/// A line ends with `\n`, which is no part of it. At most `workers * 64` chunks of 256 KiB are in memory, or of one
/// line if that is longer.
///
/// # Errors
/// When a line cannot be read, is too long, or cannot be encoded; and those of `take`.
pub fn encode_lines<E: From<Error>>(
    tokenizer: &Tokenizer,
    numbering: Numbering,
    input: impl Read + Send,
    workers: usize,
    mut take: impl FnMut(&[u8]) -> std::result::Result<(), E>,
) -> std::result::Result<u64, E> {
    let mut faulty = 0;
    // One for each worker, for it remembers words.
    let encoders = Mutex::new(Vec::new());
    let idle = || encoders.lock().unwrap_or_else(PoisonError::into_inner);
    let work = |chunk: std::io::Result<Vec<u8>>| -> Result<Encoded> {
        let chunk = chunk.map_err(|error| Error::Usage(format!("cannot read the lines: {error}")))?;
        let mut encoder = idle().pop().unwrap_or_else(|| tokenizer.encoder());
        let encoded = encode(&mut encoder, numbering, &chunk);
        idle().push(encoder);
        encoded
    };
    ordered::map(Chunks { input: BufReader::new(input), lines: 0 }, workers, work, |encoded| {
        let encoded = encoded?;
        faulty += encoded.faulty;
        take(&encoded.json)
    })?;
    Ok(faulty)
}

/// What became of a chunk of lines.
struct Encoded {
    json: Vec<u8>,
    faulty: u64,
}

fn encode(encoder: &mut Encoder<'_>, numbering: Numbering, chunk: &[u8]) -> Result<Encoded> {
    let failed = |error: TokenizerError| Error::Usage(error.to_string());
    let mut ids = Vec::new();
    let mut encoded = Encoded { json: Vec::with_capacity(2 * chunk.len()), faulty: 0 };
    for line in chunk.split_inclusive(|byte| *byte == b'\n') {
        let line = String::from_utf8_lossy(line.strip_suffix(b"\n").unwrap_or(line));
        encoded.faulty += u64::from(matches!(line, std::borrow::Cow::Owned(_)));
        ids.clear();
        match numbering {
            Numbering::File => encoder.encode(&line, &mut ids),
            Numbering::Fairseq => encoder.tokens(&line, &mut ids),
        }
        .map_err(failed)?;
        serde_json::to_writer(&mut encoded.json, &ids).map_err(|error| Error::Usage(error.to_string()))?;
        encoded.json.push(b'\n');
    }
    Ok(encoded)
}

/// Whole lines of a file, some at a time.
struct Chunks<R> {
    input: BufReader<R>,
    lines: u64,
}

impl<R: Read> Iterator for Chunks<R> {
    type Item = std::io::Result<Vec<u8>>;

    fn next(&mut self) -> Option<Self::Item> {
        let mut chunk = Vec::new();
        while chunk.len() < CHUNK_BYTES {
            let before = chunk.len();
            let mut line = self.input.by_ref().take(LINE_BYTES_MAX as u64 + 1);
            match line.read_until(b'\n', &mut chunk) {
                Ok(0) => break,
                Ok(_) => self.lines += 1,
                Err(error) => return Some(Err(error)),
            }
            if chunk.len() - before > LINE_BYTES_MAX {
                let problem = format!("line {} is longer than {LINE_BYTES_MAX} bytes", self.lines);
                return Some(Err(std::io::Error::new(std::io::ErrorKind::InvalidData, problem)));
            }
        }
        (!chunk.is_empty()).then_some(Ok(chunk))
    }
}

/// Trains a small model on the lines of `.txt` files and on a field of the rows of others.
///
/// # Errors
/// When a file cannot be read, or there are no words in it.
pub fn train_on(paths: &[PathBuf], field: &str, config: &TrainingConfig) -> Result<Vec<u8>> {
    config.validate().map_err(Error::Usage)?;
    let failed = |error: TokenizerError| Error::Usage(error.to_string());
    let client = Arc::new(Client::new(&fetch::Config::default(), Mirrors::default())?);
    let mut words = Words::new().map_err(failed)?;
    let mut bytes = 0;
    for path in paths {
        let mut add = |text: &str| {
            if bytes < config.input_bytes_max {
                words.add(text);
                bytes += text.len() as u64;
            }
        };
        if path.extension().is_some_and(|extension| extension == "txt") {
            let file = std::fs::File::open(path).map_err(corpus::Error::io("open", path))?;
            for chunk in (Chunks { input: BufReader::new(file), lines: 0 }) {
                let chunk = chunk.map_err(corpus::Error::io("read", path))?;
                String::from_utf8_lossy(&chunk).lines().for_each(&mut add);
            }
        } else {
            for_each_text_of(&client, path, field, add)?;
        }
    }
    train(&words, config).map_err(failed)
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    fn model() -> Tokenizer {
        let mut words = Words::new().unwrap();
        words.add(
            "a small red circle on a small box, a red box on a small circle; abcdefghijklmnopqrstuvwxyz",
        );
        let config = TrainingConfig { vocabulary_size: 48, input_bytes_max: 1 };
        Tokenizer::parse(&train(&words, &config).unwrap()).unwrap()
    }

    fn encoded(input: &[u8], workers: usize) -> (String, u64) {
        let mut text = String::new();
        let faulty = encode_lines(&model(), Numbering::File, input, workers, |lines| -> Result<()> {
            text.push_str(std::str::from_utf8(lines).unwrap());
            Ok(())
        });
        (text, faulty.unwrap())
    }

    #[test]
    fn every_line_gives_one_array_in_its_place_whatever_the_workers() {
        let line = "a small red circle on a box\n";
        let input = format!("{}\n\n{}", line.repeat(30_000), "red box");
        let (text, faulty) = encoded(input.as_bytes(), 3);
        let lines: Vec<Vec<u32>> = text.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
        assert_eq!((lines.len(), faulty), (30_003, 0));
        assert!(lines[..30_000].iter().all(|line| *line == lines[0] && !line.is_empty()));
        assert!(lines[30_000].is_empty() && lines[30_001].is_empty() && !lines[30_002].is_empty());
        assert_eq!(encoded(input.as_bytes(), 1).0, text);
        assert_eq!(encoded(b"", 2), (String::new(), 0));
    }

    #[test]
    fn lines_that_are_not_utf_8_are_counted() {
        let (text, faulty) = encoded(b"red \xff box\nred\n", 2);
        assert_eq!((text.lines().count(), faulty), (2, 1));
    }

    #[test]
    fn a_line_above_the_bound_is_an_error_with_its_number() {
        let input = std::io::Read::chain(b"a\n".as_slice(), std::io::repeat(b'x'));
        let read = Chunks { input: BufReader::new(input), lines: 0 }.find_map(std::io::Result::err);
        assert_eq!(read.unwrap().to_string(), format!("line 2 is longer than {LINE_BYTES_MAX} bytes"));
    }
}
