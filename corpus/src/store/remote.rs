//! What object stores have in common, behind `object_store`: conditional puts, uploads in pieces, ranges read ahead.
//!
//! **A put whose answer is lost** is sent again, and the second answer may be that the path is taken: by the first one.
//! So conditional puts are repeated here and not by the client, and a path that is taken after a lost answer is ours
//! if it holds our bytes.
//!
//! **An upload in pieces** has no create-if-absent. It serves paths that hold the digest of their bytes, and nothing
//! else; a small file is one conditional put all the same.

mod blocks;
mod upload;

use std::fmt;
use std::future::Future;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use futures::{StreamExt, TryStreamExt};
use object_store::client::{HttpError, HttpErrorKind};
use object_store::path::Path as StorePath;
use object_store::{
    Error, GetOptions, GetRange, GetResult, ObjectMeta, ObjectStore, ObjectStoreExt, PutMode, PutOptions,
    PutPayload,
};
use tokio::runtime::Runtime;

use self::blocks::{BLOCK_BYTES, Blocks};
use super::{Answer, Backend, Found, Object, runtime};
use crate::Result;
use crate::error::{causes, is_lasting};

/// Times that a read is sent whose answer broke off.
const READS_MAX: u32 = 5;
/// Times that a conditional put is sent at most.
const PUTS_MAX: u32 = 8;
/// Wait before the second put; doubled for each later one.
const PUT_WAIT_MIN: Duration = Duration::from_millis(200);
/// Longest wait between two puts.
const PUT_WAIT_MAX: Duration = Duration::from_secs(10);

/// Objects that are reached over a client.
pub(super) struct Remote {
    /// What it is called.
    name: String,
    shared: Arc<Shared>,
    /// A client that sends nothing twice by itself.
    once: Arc<dyn ObjectStore>,
}

/// What opened objects need, too.
struct Shared {
    objects: Arc<dyn ObjectStore>,
    blocks: Blocks,
    runtime: Runtime,
}

impl Shared {
    fn wait<F: Future>(&self, future: F) -> F::Output {
        self.runtime.block_on(future)
    }

    /// Reads something, again where the answer broke off: the client sends again what was not answered, and only some
    /// of what was answered in part.
    fn read<T, F: Future<Output = Answer<T>>>(&self, read: impl Fn() -> F) -> Answer<T> {
        for _ in 1..READS_MAX {
            match self.wait(read()) {
                Err(error) if is_broken_off(&error) => {
                    tracing::debug!(%error, "a read is sent again");
                }
                answer => return answer,
            }
        }
        self.wait(read())
    }
}

/// Tells an answer that broke off.
fn is_broken_off(error: &Error) -> bool {
    let broken = causes(error).filter_map(|cause| cause.downcast_ref::<HttpError>());
    broken.map(HttpError::kind).any(|kind| {
        matches!(kind, HttpErrorKind::Decode | HttpErrorKind::Interrupted | HttpErrorKind::Unknown)
    })
}

impl fmt::Display for Remote {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.name)
    }
}

impl Remote {
    /// Opens a place by two clients of it: one that sends again what failed for a reason that may pass, and one that
    /// sends everything once.
    pub(super) fn new(
        name: String,
        objects: Arc<dyn ObjectStore>,
        once: Arc<dyn ObjectStore>,
    ) -> Result<Self> {
        let shared = Shared { objects, blocks: Blocks::default(), runtime: runtime()? };
        Ok(Self { name, shared: Arc::new(shared), once })
    }

    async fn put_once(&self, path: &StorePath, bytes: Bytes) -> Answer<bool> {
        let (mut sent, mut wait, mut is_unsure) = (0, PUT_WAIT_MIN, false);
        loop {
            sent += 1;
            let options = PutOptions::from(PutMode::Create);
            let put = self.once.put_opts(path, PutPayload::from_bytes(bytes.clone()), options).await;
            let error = match put {
                Ok(_) => return Ok(true),
                // Another put of the path is in work, whose end nobody knows yet.
                Err(error @ Error::AlreadyExists { .. }) if !is_taken(&error) => error,
                Err(Error::AlreadyExists { .. }) => return Ok(is_unsure && self.holds(path, &bytes).await?),
                Err(error) if is_lasting(&error) => {
                    return Err(error);
                }
                Err(error) => {
                    is_unsure = true;
                    error
                }
            };
            if sent >= PUTS_MAX {
                return Err(error);
            }
            tracing::debug!(%path, sent, ?wait, %error, "a put is sent again");
            tokio::time::sleep(wait).await;
            wait = (wait * 2).min(PUT_WAIT_MAX);
        }
    }

    /// Returns true if and only if an object has these bytes.
    async fn holds(&self, path: &StorePath, bytes: &Bytes) -> Answer<bool> {
        let found = self.shared.objects.get(path).await?;
        Ok(found.meta.size == bytes.len() as u64 && found.bytes().await? == *bytes)
    }
}

/// Tells a path that is taken (412) from one that somebody else is putting right now (409), which `object_store` gives
/// the same name.
fn is_taken(error: &Error) -> bool {
    match error {
        Error::AlreadyExists { source, .. } => !source.to_string().contains("status code: 409"),
        _ => false,
    }
}

impl Backend for Remote {
    fn put_if_absent(&self, path: &StorePath, bytes: Bytes) -> Answer<bool> {
        self.shared.wait(self.put_once(path, bytes))
    }

    fn put_file_if_absent(&self, path: &StorePath, file: &Path) -> Answer<bool> {
        let length = std::fs::metadata(file).map_err(unread)?.len();
        if length <= upload::WHOLE_BYTES_MAX {
            return self.put_if_absent(path, std::fs::read(file).map_err(unread)?.into());
        }
        match self.shared.read(|| self.shared.objects.head(path)) {
            Ok(meta) if meta.size == length => return Ok(false),
            Ok(_) | Err(Error::NotFound { .. }) => {}
            Err(error) => return Err(error),
        }
        self.replace_file(path, file).map(|()| true)
    }

    fn replace(&self, path: &StorePath, bytes: Bytes) -> Answer<()> {
        self.shared.blocks.forget(path.as_ref());
        let put = self.shared.objects.put(path, PutPayload::from_bytes(bytes));
        self.shared.wait(put).map(drop)
    }

    fn replace_file(&self, path: &StorePath, file: &Path) -> Answer<()> {
        let length = std::fs::metadata(file).map_err(unread)?.len();
        if length <= upload::WHOLE_BYTES_MAX {
            return self.replace(path, std::fs::read(file).map_err(unread)?.into());
        }
        self.shared.blocks.forget(path.as_ref());
        self.shared.wait(upload::upload(self.shared.objects.as_ref(), path, file, length))
    }

    fn get(&self, path: &StorePath, bytes_max: u64) -> Answer<Option<Found>> {
        let get = || async {
            let answer = self.shared.objects.get(path).await?;
            match answer.meta.size > bytes_max {
                true => Ok(Found::TooLarge),
                false => answer.bytes().await.map(Found::Whole),
            }
        };
        match self.shared.read(get) {
            Ok(found) => Ok(Some(found)),
            Err(Error::NotFound { .. }) => Ok(None),
            Err(error) => Err(error),
        }
    }

    fn open(&self, path: &StorePath) -> Answer<Arc<dyn Object>> {
        let length = match self.shared.blocks.length(path.as_ref()) {
            Some(length) => length,
            None => self.shared.read(|| open(&self.shared, path))?,
        };
        Ok(Arc::new(Opened { shared: self.shared.clone(), path: path.clone(), length }))
    }

    fn list(&self, folder: &StorePath) -> Answer<Vec<(String, u64)>> {
        let named = |meta: ObjectMeta| (meta.location.to_string(), meta.size);
        self.shared.read(|| self.shared.objects.list(Some(folder)).map_ok(named).try_collect())
    }

    fn names(&self, folder: &StorePath, each: &mut dyn FnMut(&str)) -> Answer<()> {
        let named = |meta: ObjectMeta| meta.location.to_string();
        // A listing that breaks off is begun anew, so that names are told when it is whole.
        let names: Vec<String> =
            self.shared.read(|| self.shared.objects.list(Some(folder)).map_ok(named).try_collect())?;
        names.iter().for_each(|name| each(name));
        Ok(())
    }

    fn folders(&self, folder: &StorePath) -> Answer<Vec<String>> {
        let listing = self.shared.read(|| self.shared.objects.list_with_delimiter(Some(folder)))?;
        let names = listing.common_prefixes.iter();
        Ok(names.filter_map(|path| Some(path.filename()?.to_owned())).collect())
    }

    fn is_empty(&self, folder: &StorePath) -> Answer<bool> {
        let first = || async { self.shared.objects.list(Some(folder)).try_next().await };
        Ok(self.shared.read(first)?.is_none())
    }

    fn delete(&self, paths: Vec<StorePath>) -> Answer<()> {
        paths.iter().for_each(|path| self.shared.blocks.forget(path.as_ref()));
        let paths = futures::stream::iter(paths.into_iter().map(Ok)).boxed();
        let mut deleted = self.shared.objects.delete_stream(paths);
        self.shared.wait(async {
            while let Some(answer) = deleted.next().await {
                match answer {
                    Err(error) if !matches!(error, Error::NotFound { .. }) => return Err(error),
                    _ => {}
                }
            }
            Ok(())
        })
    }
}

/// Reads an object's last block, where a parquet file says what it holds, and by that learns its length.
async fn open(shared: &Shared, path: &StorePath) -> Answer<u64> {
    let last = GetOptions { range: Some(GetRange::Suffix(BLOCK_BYTES)), ..GetOptions::default() };
    let answer: GetResult = match shared.objects.get_opts(path, last).await {
        // An empty object has no last byte.
        Err(error) if !matches!(error, Error::NotFound { .. }) => {
            return match shared.objects.head(path).await {
                Ok(meta) if meta.size == 0 => Ok(0),
                _ => Err(error),
            };
        }
        answer => answer?,
    };
    let length = answer.meta.size;
    let bytes = answer.bytes().await?;
    shared.blocks.put_last(path.as_ref(), length, bytes);
    Ok(length)
}

/// An object whose ranges are read ahead and shared.
struct Opened {
    shared: Arc<Shared>,
    path: StorePath,
    length: u64,
}

impl Object for Opened {
    fn length(&self) -> u64 {
        self.length
    }

    fn read(&self, start: u64, length: usize) -> Answer<Bytes> {
        let end = start.checked_add(length as u64).filter(|end| *end <= self.length);
        let end = end.ok_or_else(|| outside(&self.path, start, length))?;
        let fetch = |range: std::ops::Range<u64>| {
            let asked = range.end - range.start;
            let bytes = self.shared.read(|| self.shared.objects.get_range(&self.path, range.clone()))?;
            match bytes.len() as u64 == asked {
                true => Ok(bytes),
                false => Err(outside(&self.path, range.start, bytes.len())),
            }
        };
        self.shared.blocks.read((self.path.as_ref(), self.length), start..end, fetch)
    }
}

fn outside(path: &StorePath, start: u64, length: usize) -> Error {
    let detail = format!("{length} bytes from {start} of {path} cannot be had");
    Error::Generic { store: "remote", source: detail.into() }
}

fn unread(source: std::io::Error) -> Error {
    Error::Generic { store: "remote", source: source.into() }
}
