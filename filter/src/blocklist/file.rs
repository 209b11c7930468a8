//! A file of a block list, line by line.

use std::fmt;
use std::fs::File;
use std::io::{self, BufRead, BufReader, Read};
use std::path::Path;

use corpus::page_url::URL_BYTES_MAX;
use flate2::read::MultiGzDecoder;

use super::ListKind;
use super::line::{self, Target};

/// Bytes of a line that are looked at; a longer line is no entry.
const LINE_BYTES_MAX: u64 = URL_BYTES_MAX as u64;
/// The first bytes of a gzipped list.
const GZIP_MAGIC: [u8; 2] = [0x1F, 0x8B];
/// What some editors start a text with.
const BYTE_ORDER_MARK: char = '\u{FEFF}';
/// Characters of a line that is shown in an error.
const SHOWN_CHARS_MAX: usize = 80;

/// What a file held.
#[derive(Debug, Default)]
pub(super) struct Summary {
    /// Entries.
    pub(super) entries: u64,
    /// Lines that are neither entries nor comments.
    pub(super) skipped: u64,
    /// The first of these.
    pub(super) not_understood: Option<OddLine>,
}

/// A line that was not understood.
#[derive(Debug)]
pub(super) struct OddLine {
    number: u64,
    text: String,
}

impl fmt::Display for OddLine {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "line {} is {:?}", self.number, self.text)
    }
}

/// Calls `add` with all entries of a list, plain or gzipped, whatever its name.
///
/// # Errors
/// With what is wrong: the file cannot be read, or `add` refuses.
pub(super) fn read(
    path: &Path,
    kind: ListKind,
    mut add: impl FnMut(Target, String) -> Result<(), String>,
) -> Result<Summary, String> {
    let mut lines = open(path).map_err(|error| error.to_string())?;
    let (mut summary, mut line, mut refused) = (Summary::default(), Vec::new(), None);
    for number in 1.. {
        line.clear();
        let read = lines.by_ref().take(LINE_BYTES_MAX + 1).read_until(b'\n', &mut line);
        if read.map_err(|error| error.to_string())? == 0 {
            break;
        }
        let is_whole = line.len() as u64 <= LINE_BYTES_MAX || line.ends_with(b"\n");
        if !is_whole {
            lines.skip_until(b'\n').map_err(|error| error.to_string())?;
        }
        let text = String::from_utf8_lossy(&line);
        let text = if number == 1 { text.trim_start_matches(BYTE_ORDER_MARK) } else { &text };
        let is_understood = is_whole
            && line::parse(text, kind, |target, entry| {
                summary.entries += 1;
                refused = refused.take().or_else(|| add(target, entry).err());
            });
        if let Some(error) = refused.take() {
            return Err(error);
        }
        if !is_understood {
            summary.skipped += 1;
            let text = || text.trim().chars().take(SHOWN_CHARS_MAX).collect();
            summary.not_understood.get_or_insert_with(|| OddLine { number, text: text() });
        }
    }
    Ok(summary)
}

/// What lists are packed by that is not read, by how it begins.
const PACKED: [(&[u8], &str); 6] = [
    (b"\xFD7zXZ\0", "xz"),
    (b"BZh", "bzip2"),
    (b"\x28\xB5\x2F\xFD", "zstd"),
    (b"\x04\x22\x4D\x18", "lz4"),
    (b"PK\x03\x04", "zip"),
    (b"7z\xBC\xAF\x27\x1C", "7z"),
];

fn open(path: &Path) -> io::Result<Box<dyn BufRead>> {
    let mut file = BufReader::new(File::open(path)?);
    let begin = file.fill_buf()?;
    if begin.starts_with(&GZIP_MAGIC) {
        return Ok(Box::new(BufReader::new(MultiGzDecoder::new(file))));
    }
    // As text such a list would block nothing.
    match PACKED.iter().find(|(magic, _)| begin.starts_with(magic)) {
        Some((_, name)) => Err(io::Error::other(format!("it is {name}: lists are plain or gzip, unpack it"))),
        None => Ok(Box::new(file)),
    }
}
