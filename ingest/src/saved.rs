//! Saved pages: what HTML files, archives and folders of them on this machine hold.

use std::fs::File;
use std::io::{self, BufReader, Read};
use std::path::{Path, PathBuf};

use flate2::read::MultiGzDecoder;

use crate::html::Ruby;
use crate::kind;
use crate::warc::{Damage, Entry, Kind, Reader, Record};
use crate::webpage::{Refusal, Webpage};

/// Bytes of an HTML file; a larger one is refused.
pub const HTML_BYTES_MAX: u64 = 32 << 20;
/// Bytes looked at to tell an archive.
const HEAD_BYTES: u64 = 4 << 10;
/// Folders within folders that are looked into.
const DEPTH_MAX: usize = 64;
/// Ends of the names of HTML files, as they are and compressed.
const HTML_ENDS: [&str; 6] = [".html", ".htm", ".xhtml", ".html.gz", ".htm.gz", ".xhtml.gz"];
/// Ends of the names of archives.
pub const ARCHIVE_ENDS: [&str; 8] =
    [".warc", ".warc.gz", ".warc.zst", ".warc.lz4", ".arc", ".arc.gz", ".wet", ".wet.gz"];

/// One page, or a place in an archive where none could be read.
#[derive(Debug)]
pub struct Saved {
    /// The file.
    pub path: PathBuf,
    /// In an archive, the record's position.
    pub offset: Option<u64>,
    content: Content,
}

#[derive(Debug)]
enum Content {
    File,
    Record(Box<Record>),
    Damage(Damage),
    Unreadable(io::Error),
}

impl Saved {
    /// Returns the address that a record gives.
    pub fn url(&self) -> Option<&str> {
        match &self.content {
            Content::Record(record) => record.header.target(),
            _ => None,
        }
    }

    /// Reads the page; the URL resolves those of its images.
    ///
    /// # Errors
    /// Why there is none, as [`Webpage`] says, or `unreadable` for a file.
    pub fn read(&self, url: &str, ruby: Ruby) -> Result<Webpage, Refusal> {
        let unreadable = |error: &io::Error| Refusal::Fail("unreadable", error.to_string());
        match &self.content {
            Content::File => Webpage::of_html(&html(&self.path).map_err(|e| unreadable(&e))?, "", url, ruby),
            Content::Record(record) => Webpage::of_record(record, ruby),
            Content::Damage(damage) => Err(Refusal::Fail(damage.reason, damage.detail.clone())),
            Content::Unreadable(error) => Err(unreadable(error)),
        }
    }
}

/// Reads an HTML file, compressed or not.
fn html(path: &Path) -> io::Result<Vec<u8>> {
    let file = File::open(path)?;
    let mut bytes = Vec::new();
    match path.extension().is_some_and(|extension| extension == "gz") {
        true => MultiGzDecoder::new(BufReader::new(file)).take(HTML_BYTES_MAX + 1).read_to_end(&mut bytes)?,
        false => file.take(HTML_BYTES_MAX + 1).read_to_end(&mut bytes)?,
    };
    match bytes.len() as u64 > HTML_BYTES_MAX {
        true => Err(io::Error::other(format!("more than {HTML_BYTES_MAX} bytes"))),
        false => Ok(bytes),
    }
}

/// Returns the pages of a file: of an archive by its name or its first bytes, else one of HTML.
pub fn pages(path: PathBuf) -> Box<dyn Iterator<Item = Saved> + Send> {
    if !has_end(&path, &ARCHIVE_ENDS) && !is_archive(&path).unwrap_or(false) {
        return Box::new(std::iter::once(Saved { path, offset: None, content: Content::File }));
    }
    let unreadable = |path, error| Saved { path, offset: None, content: Content::Unreadable(error) };
    match File::open(&path).and_then(Reader::new) {
        Err(error) => Box::new(std::iter::once(unreadable(path, error))),
        Ok(reader) => Box::new(reader.filter_map(move |entry| match entry {
            Ok(Entry::Record(record)) if record.header.kind() != Kind::Other => Some(Saved {
                path: path.clone(),
                offset: Some(record.position),
                content: Content::Record(Box::new(record)),
            }),
            Ok(Entry::Record(_)) => None,
            Ok(Entry::Damage(damage)) => Some(Saved {
                path: path.clone(),
                offset: Some(damage.position),
                content: Content::Damage(damage),
            }),
            Err(error) => Some(unreadable(path.clone(), error)),
        })),
    }
}

/// Returns true if and only if a file, or what it decompresses to, begins as an archive does.
fn is_archive(path: &Path) -> io::Result<bool> {
    let mut head = Vec::new();
    File::open(path)?.take(HEAD_BYTES).read_to_end(&mut head)?;
    let mut inner = Vec::new();
    // A head that is cut, or is no gzip at all, gives what it gives.
    let _ = MultiGzDecoder::new(&head[..]).take(HEAD_BYTES).read_to_end(&mut inner);
    let begins = |bytes: &[u8]| bytes.starts_with(b"WARC/") || bytes.starts_with(b"filedesc:");
    Ok(begins(&head) || begins(&inner))
}

/// Returns the files at a path in the order of their names: the file itself, or what a folder
/// and those below it hold of HTML and archives. Links to folders are not followed.
///
/// # Errors
/// When the path does not exist or a folder cannot be listed.
pub fn files(path: &Path) -> io::Result<Vec<PathBuf>> {
    if !std::fs::metadata(path)?.is_dir() {
        return Ok(vec![path.to_owned()]);
    }
    let mut files = Vec::new();
    let is_page = |name: &str| {
        let name = name.to_ascii_lowercase();
        !kind::is_leftover(&name) && HTML_ENDS.iter().chain(&ARCHIVE_ENDS).any(|end| name.ends_with(end))
    };
    append(path, 0, &is_page, &mut files)?;
    Ok(files)
}

/// Returns the files in a folder and those below it whose names are wanted, likewise.
pub(crate) fn files_named(folder: &Path, is_wanted: impl Fn(&str) -> bool) -> io::Result<Vec<PathBuf>> {
    let mut files = Vec::new();
    append(folder, 0, &is_wanted, &mut files)?;
    Ok(files)
}

fn append(
    folder: &Path,
    depth: usize,
    is_wanted: &dyn Fn(&str) -> bool,
    files: &mut Vec<PathBuf>,
) -> io::Result<()> {
    let mut entries: Vec<_> = std::fs::read_dir(folder)?.collect::<io::Result<_>>()?;
    entries.sort_by_key(std::fs::DirEntry::file_name);
    for entry in entries {
        let path = entry.path();
        if entry.file_type()?.is_dir() {
            if depth < DEPTH_MAX {
                append(&path, depth + 1, is_wanted, files)?;
            }
        } else if is_wanted(&entry.file_name().to_string_lossy()) {
            files.push(path);
        }
    }
    Ok(())
}

fn has_end(path: &Path, ends: &[&str]) -> bool {
    let name = path.file_name().unwrap_or_default().to_string_lossy().to_ascii_lowercase();
    ends.iter().any(|end| name.ends_with(end))
}
