//! Saved pages: what HTML files, archives and folders of them on this machine hold.

use std::fs::File;
use std::io::{self, Read};
use std::path::{Path, PathBuf};

use corpus::Error;

use crate::fault::{FileFault, Transport, Watched};
use crate::folder::Held;
use crate::html::Ruby;
use crate::inflation::{INFLATED, PageBudget};
use crate::kind::PACKED_ENDS;
use crate::packed::{Unpacked, WINDOW_LOG_DEFAULT, is_packed};
use crate::warc::{Entry, Reader, Record, RecordKind};
use crate::webpage::{Body, Refusal, Webpage};

/// Bytes of an HTML file, decompressed; a larger one is refused.
pub const HTML_BYTES_MAX: u64 = 32 << 20;
/// Bytes looked at to tell an archive.
const HEAD_BYTES: u64 = 16;
/// Ends of the names of HTML files; compression adds another.
pub(crate) const HTML_ENDS: [&str; 3] = [".html", ".htm", ".xhtml"];
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
    Record { body: Result<Body<'static>, Refusal>, url: Option<String> },
    Damage(Refusal),
    Unreadable(io::Error),
}

impl Saved {
    /// Returns the address that a record gives.
    pub fn url(&self) -> Option<&str> {
        match &self.content {
            Content::Record { url, .. } => url.as_deref(),
            _ => None,
        }
    }

    /// Reads the page; the URL resolves those of an HTML file's images. Without one the file is asked for its own.
    ///
    /// # Errors
    /// Why there is none, as [`Webpage`] says, or `unreadable` for a file.
    pub fn read(&self, url: Option<&str>, ruby: Ruby) -> Result<Webpage, Refusal> {
        let unreadable = |error: &io::Error| Refusal::Fail("unreadable", error.to_string());
        match &self.content {
            Content::File => {
                let body = File::open(&self.path).and_then(|file| body(file, WINDOW_LOG_DEFAULT, url));
                body.map_err(|error| unreadable(&error))??.read(ruby)
            }
            Content::Record { body: Ok(body), .. } => body.read(ruby),
            Content::Record { body: Err(refusal), .. } | Content::Damage(refusal) => Err(refusal.clone()),
            Content::Unreadable(error) => Err(unreadable(error)),
        }
    }
}

/// Reads a file of HTML, compressed or not; without a URL the page is asked for its own.
///
/// # Errors
/// The transport's; a fault of the file is why there is no page.
pub(crate) fn body(
    source: impl Read,
    window_log_max: u32,
    url: Option<&str>,
) -> io::Result<Result<Body<'static>, Refusal>> {
    let failed = |fault: FileFault| Ok(Err(Refusal::Fail(fault.reason, fault.detail)));
    let mut file = Watched::new(source, Transport::default());
    let unpacked = |source: &mut dyn Read| {
        let mut bytes = Vec::new();
        Unpacked::new(source, window_log_max)?.take(HTML_BYTES_MAX + 1).read_to_end(&mut bytes)?;
        Ok(bytes)
    };
    // Some are compressed twice.
    let read = unpacked(&mut file).and_then(|bytes| match is_packed(&bytes) {
        true => unpacked(&mut &bytes[..]),
        false => Ok(bytes),
    });
    let bytes = match read {
        Ok(bytes) => bytes,
        Err(error) => return failed(FileFault::of_io(&error).ok_or(error)?),
    };
    let file_bytes = Watched::bytes(&file);
    if file_bytes == 0 {
        return failed(FileFault::empty());
    }
    if bytes.len() as u64 > HTML_BYTES_MAX {
        return Ok(Err(Refusal::Fail("body_too_large", format!("more than {HTML_BYTES_MAX} bytes"))));
    }
    Ok(match PageBudget::default().take(file_bytes, &bytes) {
        Ok(()) => Body::of_saved(bytes, "text/html", url),
        Err(detail) => Err(Refusal::Fail(INFLATED, detail)),
    })
}

/// Returns the pages of a file: of an archive by its name or its first bytes, else one of HTML.
pub fn pages(path: PathBuf) -> Box<dyn Iterator<Item = Saved> + Send> {
    let whole = |path, content| Saved { path, offset: None, content };
    if !has_end(&path, &ARCHIVE_ENDS) && !is_archive(&path).unwrap_or(false) {
        return Box::new(std::iter::once(whole(path, Content::File)));
    }
    let mut budget = PageBudget::default();
    match File::open(&path).and_then(Reader::new) {
        Err(error) => Box::new(std::iter::once(whole(path, Content::Unreadable(error)))),
        Ok(reader) => Box::new(reader.filter_map(move |entry| {
            let (offset, content) = match entry {
                Ok(Entry::Record(record)) if record.header.kind() == RecordKind::Other => return None,
                Ok(Entry::Record(record)) => (Some(record.position), of_record(&record, &mut budget)),
                Ok(Entry::Damage(damage)) => {
                    (Some(damage.position), Content::Damage(Refusal::Fail(damage.reason, damage.detail)))
                }
                Err(error) => (None, Content::Unreadable(error)),
            };
            Some(Saved { path: path.clone(), offset, content })
        })),
    }
}

/// Returns what a record holds, having taken what reading it costs.
fn of_record(record: &Record, budget: &mut PageBudget) -> Content {
    let body = Body::within(budget, record).map(Body::into_owned);
    Content::Record { body, url: record.header.target().map(str::to_owned) }
}

/// Returns true if a file, or what it decompresses to, begins as an archive does.
fn is_archive(path: &Path) -> io::Result<bool> {
    let mut head = Vec::new();
    Unpacked::new(File::open(path)?, WINDOW_LOG_DEFAULT)?.take(HEAD_BYTES).read_to_end(&mut head)?;
    Ok(head.starts_with(b"WARC/") || head.starts_with(b"filedesc:"))
}

/// Returns the files at a path in the order of their names: the file itself, or what a folder
/// and those below it hold of HTML and archives. Links to folders are not followed.
///
/// # Errors
/// When the path does not exist, is a pipe, a socket or a device, or a folder cannot be listed.
pub fn files(path: &Path) -> corpus::Result<Vec<PathBuf>> {
    let kind = std::fs::metadata(path).map_err(Error::io("read", path))?.file_type();
    if kind.is_file() {
        return Ok(vec![path.to_owned()]);
    }
    if !kind.is_dir() {
        let refused = io::Error::new(io::ErrorKind::InvalidInput, "it is a device, a pipe or a socket");
        return Err(Error::io("read", path)(refused));
    }
    let is_page = |name: &str| {
        let name = name.to_ascii_lowercase();
        let plain = PACKED_ENDS.iter().find_map(|end| name.strip_suffix(end)).unwrap_or(&name);
        let is_html = HTML_ENDS.iter().any(|end| plain.ends_with(end));
        is_html || ARCHIVE_ENDS.iter().any(|end| name.ends_with(end))
    };
    Ok(Held::of(path, &is_page)?.files)
}

fn has_end(path: &Path, ends: &[&str]) -> bool {
    let name = path.file_name().unwrap_or_default().to_string_lossy().to_ascii_lowercase();
    ends.iter().any(|end| name.ends_with(end))
}
