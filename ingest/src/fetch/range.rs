//! Ranges of a file that the configuration names: read alone, many at once, or as parquet asks.

use std::collections::VecDeque;
use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom};
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};

use bytes::{Buf, Bytes};
use corpus::Error;
use parquet::errors::ParquetError;
use parquet::file::reader::{ChunkReader, Length};
use reqwest::StatusCode;
use reqwest::header::CONTENT_RANGE;
use tokio::task::JoinHandle;

use super::client::{Origin, Rest, Shared};
use super::source::source_error;
use super::{Client, FetchError};
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
        let open = |path: &Path| File::open(path).map_err(Error::io("open", path)).map(Ranged::from);
        if let Location::File(path) = self.locate(url) {
            return open(&path);
        }
        match self.length(url) {
            Ok(Some(length)) => Ok(Ranged(Arc::new(Input::Remote {
                client: self.clone(),
                url: url.to_owned(),
                length,
                windows: Mutex::default(),
            }))),
            Ok(None) => open(&self.local_copy(url, folder)?),
            Err(error) => Err(source_error(url, &error)),
        }
    }

    fn range(&self, range: Range) -> io::Result<Bytes> {
        let location = self.locate(&range.url);
        self.handle().block_on(read(self.shared.clone(), location, range))
    }

    /// Returns the length of a remote file, where its server tells it.
    pub(crate) fn length(&self, url: &str) -> io::Result<Option<u64>> {
        self.handle().block_on(retried(&self.shared, || length(&self.shared, url)))
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
        Location::Remote(_) => whole(retried(&shared, || ask(&shared, &range)).await?, &range),
    }
}

fn whole(bytes: Bytes, range: &Range) -> io::Result<Bytes> {
    match bytes.len() as u64 == range.length {
        true => Ok(bytes),
        false => Err(io::Error::new(io::ErrorKind::UnexpectedEof, "the file ends within the range")),
    }
}

/// Tries as often as is configured, waiting longer each time.
async fn retried<T, F: Future<Output = Result<T, FetchError>>>(
    shared: &Shared,
    work: impl Fn() -> F,
) -> io::Result<T> {
    let mut attempt = 0;
    loop {
        match work().await {
            Ok(result) => return Ok(result),
            Err(error) if error.is_transient() && attempt < shared.config.retries_max => {
                tokio::time::sleep(shared.pause(attempt, None)).await;
                attempt += 1;
            }
            Err(error) => return Err(io::Error::other(error)),
        }
    }
}

async fn ask(shared: &Shared, range: &Range) -> Result<Bytes, FetchError> {
    let last = range.offset + range.length - 1;
    let rest = Rest { offset: range.offset, last: Some(last), ..Rest::default() };
    let (mut response, _) = shared.get(&range.url, Origin::Config, &rest).await?;
    match response.status() {
        StatusCode::PARTIAL_CONTENT => {}
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

/// Returns the length in `Content-Range: bytes 0-0/100`; none where the server knows no ranges.
async fn length(shared: &Shared, url: &str) -> Result<Option<u64>, FetchError> {
    let rest = Rest { last: Some(0), ..Rest::default() };
    let (response, _) = shared.get(url, Origin::Config, &rest).await?;
    let range = response.headers().get(CONTENT_RANGE).and_then(|range| range.to_str().ok());
    match response.status() {
        StatusCode::PARTIAL_CONTENT => Ok(range.and_then(|range| range.rsplit('/').next()?.parse().ok())),
        StatusCode::OK => Ok(None),
        status => Err(FetchError::Status(status.as_u16())),
    }
}

/// A parquet file, here or elsewhere, of which no more is read than is asked for.
#[derive(Clone)]
pub struct Ranged(Arc<Input>);

enum Input {
    File(File),
    Remote { client: Arc<Client>, url: String, length: u64, windows: Mutex<VecDeque<(u64, Bytes)>> },
}

impl From<File> for Ranged {
    fn from(file: File) -> Self {
        Self(Arc::new(Input::File(file)))
    }
}

impl Ranged {
    /// Returns bytes from a window that holds them, or asks for one.
    fn window(&self, start: u64, length: u64) -> io::Result<Bytes> {
        let Input::Remote { client, url, length: file_length, windows } = &*self.0 else {
            return Err(io::Error::other("a local file has no windows"));
        };
        let mut windows = windows.lock().unwrap_or_else(PoisonError::into_inner);
        let holds = |(offset, bytes): &(u64, Bytes)| {
            *offset <= start && start + length <= offset + bytes.len() as u64
        };
        if let Some(index) = windows.iter().position(holds)
            && let Some((offset, bytes)) = windows.remove(index)
        {
            let begin = (start - offset) as usize;
            let found = bytes.slice(begin..begin + length as usize);
            windows.push_back((offset, bytes));
            return Ok(found);
        }
        let wanted = length.max(WINDOW_BYTES).min(file_length.saturating_sub(start));
        let bytes = client.range(Range { url: url.clone(), offset: start, length: wanted })?;
        if wanted < length {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        windows.push_back((start, bytes.clone()));
        if windows.len() > WINDOWS_MAX {
            windows.pop_front();
        }
        Ok(bytes.slice(..length as usize))
    }
}

impl Length for Ranged {
    fn len(&self) -> u64 {
        match &*self.0 {
            Input::File(file) => Length::len(file),
            Input::Remote { length, .. } => *length,
        }
    }
}

impl ChunkReader for Ranged {
    type T = Box<dyn Read + Send>;

    fn get_read(&self, start: u64) -> Result<Self::T, ParquetError> {
        match &*self.0 {
            Input::File(file) => Ok(Box::new(file.get_read(start)?)),
            Input::Remote { length, .. } => {
                Ok(Box::new(Sequence { file: self.clone(), offset: start, end: *length }))
            }
        }
    }

    fn get_bytes(&self, start: u64, length: usize) -> Result<Bytes, ParquetError> {
        match &*self.0 {
            Input::File(file) => file.get_bytes(start, length),
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
