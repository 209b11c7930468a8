//! Ranges of a file that the configuration names: read alone, many at once, or as parquet asks.

use std::collections::VecDeque;
use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom};
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};

use bytes::{Buf, Bytes};
use parquet::errors::ParquetError;
use parquet::file::reader::{ChunkReader, Length};
use reqwest::header::{CONTENT_RANGE, ETAG};
use reqwest::{Response, StatusCode};
use tokio::task::JoinHandle;

use super::client::{Origin, Rest, Shared};
use super::source::{open_file, source_error};
use super::{Client, FetchError};
use crate::fault::{Transport, Watched};
use crate::location::Location;

/// Bytes of one range.
pub(crate) const RANGE_BYTES_MAX: u64 = 256 << 20;
/// Ranges that are asked for before the first of them is taken.
const AHEAD: usize = 32;
/// Bytes of a remote parquet file that are read at once, and how many such windows are held:
/// pages of a column chunk are asked for one by one, those of several columns in turn.
const WINDOW_BYTES: u64 = 4 << 20;
const WINDOWS_MAX: usize = 24;

/// A part of a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Range {
    pub(crate) url: String,
    pub(crate) offset: u64,
    pub(crate) length: u64,
}

/// Iterator over ranges in the order in which they were asked for.
pub(crate) struct Ranges<'c, I> {
    client: &'c Client,
    ranges: I,
    flights: VecDeque<Flight>,
}

struct Flight {
    range: Range,
    task: JoinHandle<io::Result<Bytes>>,
}

impl Drop for Flight {
    fn drop(&mut self) {
        self.task.abort();
    }
}

impl<I: Iterator<Item = Range>> Iterator for Ranges<'_, I> {
    type Item = (Range, io::Result<Bytes>);

    fn next(&mut self) -> Option<Self::Item> {
        while self.flights.len() < AHEAD {
            let Some(range) = self.ranges.next() else { break };
            let (location, shared) = (self.client.locate(&range.url), self.client.shared.clone());
            let task = self.client.handle().spawn(read(shared, location, range.clone()));
            self.flights.push_back(Flight { range, task });
        }
        let mut flight = self.flights.pop_front()?;
        let joined = self.client.handle().block_on(&mut flight.task);
        Some((flight.range.clone(), joined.unwrap_or_else(|error| Err(io::Error::other(error)))))
    }
}

impl Client {
    /// Reads ranges of files that the configuration names, many at once, in their order.
    pub(crate) fn ranges<I: Iterator<Item = Range>>(&self, ranges: I) -> Ranges<'_, I> {
        Ranges { client: self, ranges, flights: VecDeque::new() }
    }

    /// Opens a parquet file that the configuration names, to be read by ranges; where its
    /// server knows none, a copy in the folder.
    ///
    /// # Errors
    /// When it cannot be had.
    pub(crate) fn parquet(self: &Arc<Self>, url: &str, folder: &Path) -> corpus::Result<Ranged> {
        let open = |path: &Path| open_file(url, path).map(Ranged::from);
        if let Location::File(path) = self.locate(url) {
            return open(&path);
        }
        match self.length(url) {
            Ok(Some(length)) => Ok(Ranged::of(Input::Remote {
                client: self.clone(),
                url: url.to_owned(),
                length,
                windows: Mutex::default(),
            })),
            Ok(None) => open(&self.local_copy(url, folder)?),
            Err(error) => Err(source_error(url, &error)),
        }
    }

    fn range(&self, range: Range) -> io::Result<Bytes> {
        let location = self.locate(&range.url);
        self.handle().block_on(read(self.shared.clone(), location, range))
    }

    /// Returns the length of a remote file, where its server tells it and knows ranges.
    pub(crate) fn length(&self, url: &str) -> io::Result<Option<u64>> {
        Ok(Some(self.told(url)?).filter(|told| told.knows_ranges).and_then(|told| told.length))
    }

    /// Returns what the server of a remote file tells of it.
    pub(crate) fn told(&self, url: &str) -> io::Result<RemoteFile> {
        self.handle().block_on(retried(&self.shared, true, || told(&self.shared, url)))
    }
}

async fn read(shared: Arc<Shared>, location: Location, range: Range) -> io::Result<Bytes> {
    if range.length > RANGE_BYTES_MAX {
        return Err(io::Error::other(format!("a range above {RANGE_BYTES_MAX} bytes")));
    }
    match location {
        Location::File(path) => {
            let mut file = File::open(path)?;
            file.seek(SeekFrom::Start(range.offset))?;
            let mut bytes = Vec::new();
            file.take(range.length).read_to_end(&mut bytes)?;
            whole(bytes.into(), &range)
        }
        Location::Remote(_) if range.length == 0 => Ok(Bytes::new()),
        Location::Remote(_) => whole(retried(&shared, false, || ask(&shared, &range)).await?, &range),
    }
}

fn whole(bytes: Bytes, range: &Range) -> io::Result<Bytes> {
    match bytes.len() as u64 == range.length {
        true => Ok(bytes),
        false => Err(io::Error::new(io::ErrorKind::UnexpectedEof, "the file ends within the range")),
    }
}

/// Tries as often as is configured, waiting longer each time; `is_beginning` says that nothing of the file is known
/// yet.
async fn retried<T, F: Future<Output = Result<T, FetchError>>>(
    shared: &Shared,
    is_beginning: bool,
    work: impl Fn() -> F,
) -> io::Result<T> {
    let mut attempt = 0;
    loop {
        match work().await {
            Ok(result) => return Ok(result),
            Err(error) if attempt < shared.retries_max(&error, is_beginning) => {
                let pause = shared.pause(attempt, None);
                tracing::debug!(attempt, ?pause, %error, "a range is asked for again");
                tokio::time::sleep(pause).await;
                attempt += 1;
            }
            Err(error) => return Err(io::Error::other(error)),
        }
    }
}

async fn ask(shared: &Shared, range: &Range) -> Result<Bytes, FetchError> {
    let last = range.offset.checked_add(range.length - 1).ok_or(FetchError::RangeBeyondEnd)?;
    let rest = Rest { offset: range.offset, last: Some(last), ..Rest::default() };
    let (mut response, _) = shared.get(&range.url, Origin::Config, &rest).await?;
    match response.status() {
        StatusCode::PARTIAL_CONTENT if file_length(&response).is_some_and(|length| length <= last) => {
            return Err(FetchError::RangeBeyondEnd);
        }
        StatusCode::PARTIAL_CONTENT => {}
        StatusCode::RANGE_NOT_SATISFIABLE => return Err(FetchError::RangeBeyondEnd),
        StatusCode::OK => return Err(FetchError::HttpBroken("the server knows no ranges".to_owned())),
        status => return Err(FetchError::Status(status.as_u16())),
    }
    let mut bytes = Vec::new();
    while let Some(chunk) = shared.next_chunk(&mut response).await? {
        if bytes.len() as u64 + chunk.len() as u64 > range.length {
            return Err(FetchError::HttpBroken("more than the range asked for".to_owned()));
        }
        bytes.extend_from_slice(&chunk);
    }
    match bytes.len() as u64 == range.length {
        true => Ok(bytes.into()),
        false => Err(FetchError::BodyTruncated),
    }
}

/// What a server tells of a file.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct RemoteFile {
    /// Its length in bytes.
    pub(crate) length: Option<u64>,
    /// Whether its parts can be asked for.
    pub(crate) knows_ranges: bool,
    /// Its entity tag, unless it is a weak one.
    pub(crate) etag: Option<String>,
}

/// Asks what a server tells of a file, by its first byte: signed URLs refuse other methods.
async fn told(shared: &Shared, url: &str) -> Result<RemoteFile, FetchError> {
    let rest = Rest { last: Some(0), ..Rest::default() };
    let (response, _) = shared.get(url, Origin::Config, &rest).await?;
    let etag = response.headers().get(ETAG).and_then(|etag| etag.to_str().ok());
    let etag = etag.filter(|etag| !etag.starts_with("W/")).map(str::to_owned);
    match response.status() {
        StatusCode::PARTIAL_CONTENT => {
            Ok(RemoteFile { length: file_length(&response), knows_ranges: true, etag })
        }
        // A file without a first byte.
        StatusCode::RANGE_NOT_SATISFIABLE if file_length(&response) == Some(0) => {
            Ok(RemoteFile { length: Some(0), knows_ranges: true, etag })
        }
        StatusCode::OK => Ok(RemoteFile { length: response.content_length(), knows_ranges: false, etag }),
        status => Err(FetchError::Status(status.as_u16())),
    }
}

/// Returns the length in `Content-Range: bytes 0-0/100`.
fn file_length(response: &Response) -> Option<u64> {
    let range = response.headers().get(CONTENT_RANGE)?.to_str().ok()?;
    range.rsplit('/').next()?.parse().ok()
}

/// A parquet file, here or elsewhere, of which no more is read than is asked for.
#[derive(Clone)]
pub struct Ranged {
    input: Arc<Input>,
    transport: Transport,
}

enum Input {
    File(File),
    Remote { client: Arc<Client>, url: String, length: u64, windows: Mutex<VecDeque<(u64, Bytes)>> },
}

impl From<File> for Ranged {
    fn from(file: File) -> Self {
        Self::of(Input::File(file))
    }
}

impl Ranged {
    fn of(input: Input) -> Self {
        Self { input: Arc::new(input), transport: Transport::default() }
    }

    /// Returns true if and only if a read has failed, so that an error is not the file's fault.
    pub(crate) fn has_failed(&self) -> bool {
        self.transport.has_failed()
    }

    /// Returns bytes from a window that holds them, or asks for one.
    fn window(&self, start: u64, length: u64) -> io::Result<Bytes> {
        let Input::Remote { client, url, length: file_length, windows } = &*self.input else {
            return Err(io::Error::other("a local file has no windows"));
        };
        let mut windows = windows.lock().unwrap_or_else(PoisonError::into_inner);
        // Offsets are a footer's word, and may be anything.
        let end = start.checked_add(length).filter(|end| end <= file_length);
        let end = end.ok_or(io::ErrorKind::UnexpectedEof)?;
        let holds = |(offset, bytes): &(u64, Bytes)| *offset <= start && end <= offset + bytes.len() as u64;
        if let Some(index) = windows.iter().position(holds)
            && let Some((offset, bytes)) = windows.remove(index)
        {
            let begin = (start - offset) as usize;
            let found = bytes.slice(begin..begin + length as usize);
            windows.push_back((offset, bytes));
            return Ok(found);
        }
        let wanted = length.max(WINDOW_BYTES).min(file_length - start);
        let range = Range { url: url.clone(), offset: start, length: wanted };
        let bytes = self.transport.note(client.range(range))?;
        windows.push_back((start, bytes.clone()));
        if windows.len() > WINDOWS_MAX {
            windows.pop_front();
        }
        Ok(bytes.slice(..length as usize))
    }
}

impl Length for Ranged {
    fn len(&self) -> u64 {
        match &*self.input {
            Input::File(file) => Length::len(file),
            Input::Remote { length, .. } => *length,
        }
    }
}

impl ChunkReader for Ranged {
    type T = Box<dyn Read + Send>;

    fn get_read(&self, start: u64) -> Result<Self::T, ParquetError> {
        match &*self.input {
            Input::File(file) => Ok(Box::new(Watched::new(file.get_read(start)?, self.transport.clone()))),
            Input::Remote { length, .. } => {
                Ok(Box::new(Sequence { file: self.clone(), offset: start, end: *length }))
            }
        }
    }

    fn get_bytes(&self, start: u64, length: usize) -> Result<Bytes, ParquetError> {
        match &*self.input {
            Input::File(file) => {
                let mut bytes = Vec::with_capacity(length.min(Length::len(file) as usize));
                let reader = file.get_read(start)?;
                let read = reader.take(length as u64).read_to_end(&mut bytes);
                self.transport.note(read).map_err(|error| ParquetError::External(Box::new(error)))?;
                match bytes.len() == length {
                    true => Ok(bytes.into()),
                    false => Err(ParquetError::EOF(format!("{} of {length} bytes at {start}", bytes.len()))),
                }
            }
            Input::Remote { .. } => {
                self.window(start, length as u64).map_err(|error| ParquetError::External(Box::new(error)))
            }
        }
    }
}

/// A remote file read in sequence through its windows.
struct Sequence {
    file: Ranged,
    offset: u64,
    end: u64,
}

/// Bytes of a read in sequence: the header of a page, mostly.
const SEQUENCE_BYTES: u64 = 1 << 10;

impl Read for Sequence {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let length = SEQUENCE_BYTES.min(buffer.len() as u64).min(self.end.saturating_sub(self.offset));
        if length == 0 {
            return Ok(0);
        }
        let mut bytes = self.file.window(self.offset, length)?;
        bytes.copy_to_slice(&mut buffer[..length as usize]);
        self.offset += length;
        Ok(length as usize)
    }
}
