//! A source reader: one file that the configuration names, read in sequence and resumed.

use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom};
use std::path::{Path, PathBuf};
use std::time::Duration;

use bytes::{Buf, Bytes};
use corpus::Error;
use reqwest::header::{CONTENT_RANGE, ETAG, RETRY_AFTER};
use reqwest::{Response, StatusCode};

use super::client::{Origin, Rest};
use super::{Client, FetchError};
use crate::fault::{FILE_MISSING, FILE_UNREADABLE, FileFault};
use crate::location::{Location, shown};

/// Bytes after which a fault counts as a new one and not as the same again.
const PROGRESS_BYTES: u64 = 1 << 20;

/// A blocking reader of a source file, local or remote.
pub struct SourceReader<'c> {
    url: String,
    input: Input<'c>,
}

enum Input<'c> {
    File(File),
    Http(Box<HttpReader<'c>>),
}

struct HttpReader<'c> {
    client: &'c Client,
    url: String,
    rest: Rest,
    /// Whether the server ever answered with the file.
    has_begun: bool,
    response: Option<Response>,
    chunk: Bytes,
    /// Faults in a row, and where the first of them was.
    faults: u32,
    fault_offset: u64,
}

/// A fault while reading, and whether it is worth another attempt.
struct Fault {
    error: FetchError,
    asked: Option<Duration>,
}

impl<'c> SourceReader<'c> {
    pub(super) fn open(client: &'c Client, url: &str, offset: u64) -> corpus::Result<Self> {
        let input = match client.locate(url) {
            Location::File(path) => {
                let mut file = open_file(url, &path)?;
                file.seek(SeekFrom::Start(offset)).map_err(Error::io("read", path))?;
                Input::File(file)
            }
            Location::Remote(_) => {
                let mut reader = HttpReader::new(client, url, offset);
                // Connected at once, so that a missing file is told apart from a broken one.
                reader.connect().map_err(|error| source_error(url, &error))?;
                Input::Http(Box::new(reader))
            }
        };
        Ok(Self { url: url.to_owned(), input })
    }

    /// Returns the URL or path that was opened.
    pub fn url(&self) -> &str {
        &self.url
    }
}

impl Read for SourceReader<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        match &mut self.input {
            Input::File(file) => file.read(buffer),
            Input::Http(reader) => reader.read(buffer),
        }
    }
}

impl<'c> HttpReader<'c> {
    fn new(client: &'c Client, url: &str, offset: u64) -> Self {
        Self {
            client,
            url: url.to_owned(),
            rest: Rest { offset, ..Rest::default() },
            has_begun: false,
            response: None,
            chunk: Bytes::new(),
            faults: 0,
            fault_offset: offset,
        }
    }

    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        while self.chunk.is_empty() {
            let Some(response) = &mut self.response else {
                self.connect()?;
                continue;
            };
            let shared = &self.client.shared;
            match self.client.handle().block_on(shared.next_chunk(response)) {
                Ok(Some(chunk)) => self.chunk = chunk,
                Ok(None) => return Ok(0),
                Err(error) => self.wait(Fault { error, asked: None })?,
            }
        }
        let length = self.chunk.len().min(buffer.len());
        self.chunk.copy_to_slice(&mut buffer[..length]);
        self.rest.offset += length as u64;
        Ok(length)
    }

    /// Connects, waiting and trying again as often as is configured.
    fn connect(&mut self) -> io::Result<()> {
        loop {
            match self.request() {
                Ok(()) => return Ok(()),
                Err(fault) => self.wait(fault)?,
            }
        }
    }

    /// Asks for the rest of the file once.
    fn request(&mut self) -> Result<(), Fault> {
        let shared = &self.client.shared;
        let answer = shared.get(&self.url, Origin::Config, &self.rest);
        let (mut response, _) = self.client.handle().block_on(answer)?;
        let begins_at = match response.status() {
            StatusCode::PARTIAL_CONTENT => range_start(&response),
            StatusCode::OK => Some(0),
            status => {
                return Err(Fault {
                    error: FetchError::Status(status.as_u16()),
                    asked: retry_after(&response),
                });
            }
        };
        if begins_at != Some(0) && begins_at != Some(self.rest.offset) {
            return Err(FetchError::HttpBroken("not the range asked for".to_owned()).into());
        }
        let etag = response.headers().get(ETAG).cloned();
        let strong = etag.filter(|etag| !etag.as_bytes().starts_with(b"W/"));
        if self.rest.offset > 0 && self.rest.etag.is_some() && self.rest.etag != strong {
            return Err(FetchError::HttpBroken("changed while it was read".to_owned()).into());
        }
        self.rest.etag = strong;
        if begins_at == Some(0) {
            // The server does not know ranges: what is there already is passed over.
            self.chunk = self.pass_over(&mut response)?;
        }
        self.response = Some(response);
        self.has_begun = true;
        Ok(())
    }

    fn pass_over(&self, response: &mut Response) -> Result<Bytes, Fault> {
        let mut left = self.rest.offset;
        while left > 0 {
            let next = self.client.shared.next_chunk(response);
            let Some(mut chunk) = self.client.handle().block_on(next)? else {
                return Err(FetchError::BodyTruncated.into());
            };
            let length = left.min(chunk.len() as u64);
            chunk.advance(length as usize);
            left -= length;
            if !chunk.is_empty() {
                return Ok(chunk);
            }
        }
        Ok(Bytes::new())
    }

    /// Waits after a fault; gives up after too many in a row, or at once where none would help.
    fn wait(&mut self, fault: Fault) -> io::Result<()> {
        self.response = None;
        if self.rest.offset >= self.fault_offset + PROGRESS_BYTES {
            self.faults = 0;
        }
        if self.faults == 0 {
            self.fault_offset = self.rest.offset;
        }
        let shared = &self.client.shared;
        if self.faults >= shared.retries_max(&fault.error, !self.has_begun) {
            return Err(io::Error::other(fault.error));
        }
        let pause = shared.pause(self.faults, fault.asked);
        let (url, offset) = (shown(&self.url), self.rest.offset);
        tracing::warn!(%url, offset, ?pause, error = %fault.error, "source interrupted");
        std::thread::sleep(pause);
        self.faults += 1;
        Ok(())
    }
}

impl From<FetchError> for Fault {
    fn from(error: FetchError) -> Self {
        Self { error, asked: None }
    }
}

/// Returns the first byte of a `Content-Range: bytes 10-99/100`.
fn range_start(response: &Response) -> Option<u64> {
    let range = response.headers().get(CONTENT_RANGE)?.to_str().ok()?;
    range.strip_prefix("bytes ")?.split('-').next()?.parse().ok()
}

/// Returns the seconds of a `Retry-After`; its other form, a date, is not worth trusting a clock.
pub(super) fn retry_after(response: &Response) -> Option<Duration> {
    let secs = response.headers().get(RETRY_AFTER)?.to_str().ok()?;
    Some(Duration::from_secs(secs.parse().ok()?))
}

impl Client {
    /// Returns a file of this machine with the content of a source file, for readers that
    /// must seek: the file itself where it is local, else a copy in the folder.
    ///
    /// # Errors
    /// When the source cannot be had or the disk refuses.
    pub fn local_copy(&self, url: &str, folder: &Path) -> corpus::Result<PathBuf> {
        if let Location::File(path) = self.locate(url) {
            return Ok(path);
        }
        let mut reader = self.open(url)?;
        std::fs::create_dir_all(folder).map_err(Error::io("create", folder))?;
        let path = folder.join("source");
        let mut file = File::create(&path).map_err(Error::io("create", &path))?;
        let mut buffer = vec![0; 256 << 10];
        loop {
            let length = reader.read(&mut buffer).map_err(|error| source_error(url, &error))?;
            if length == 0 {
                return Ok(path);
            }
            io::Write::write_all(&mut file, &buffer[..length]).map_err(Error::io("write", &path))?;
        }
    }
}

/// Wraps what a reader of a source says into the error of a stage; damage and files that are not there
/// stay a [`FileFault`] within it.
pub(crate) fn source_error(url: &str, error: &io::Error) -> Error {
    match file_fault(error) {
        Some(fault) => Error::work(&format!("source {}", shown(url)), fault),
        None => Error::Source { url: shown(url), detail: error.to_string() },
    }
}

/// Opens a file on this machine; a link that leads nowhere, and a file that may not be opened, are faults of the file.
pub(super) fn open_file(url: &str, path: &Path) -> corpus::Result<File> {
    File::open(path).map_err(|error| {
        let fault = match error.kind() {
            io::ErrorKind::PermissionDenied => {
                FileFault { reason: FILE_UNREADABLE, detail: error.to_string() }
            }
            _ if path.is_symlink() && !path.exists() => {
                FileFault { reason: FILE_MISSING, detail: "a link that leads nowhere".to_owned() }
            }
            _ => return Error::io("open", path)(error),
        };
        source_error(url, &fault.into())
    })
}

/// Returns what an error says of the file itself; none if it is the transport's.
pub(crate) fn file_fault(error: &io::Error) -> Option<FileFault> {
    if let Some(fault) = FileFault::of_io(error) {
        return Some(fault);
    }
    match error.get_ref().and_then(|inner| inner.downcast_ref::<FetchError>()) {
        Some(FetchError::Status(404 | 410)) => {
            Some(FileFault { reason: FILE_MISSING, detail: error.to_string() })
        }
        Some(FetchError::RangeBeyondEnd) => Some(FileFault::broken(error.to_string())),
        // Of a range of a file on this machine.
        None if error.kind() == io::ErrorKind::UnexpectedEof => Some(FileFault::broken(error.to_string())),
        _ => None,
    }
}
