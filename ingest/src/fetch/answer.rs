//! An answer: whether it has all of a file, and its body, within the limits of one and of all in flight.

use std::borrow::Cow;
use std::future::Future;
use std::time::Duration;

use bytes::Bytes;
use reqwest::Response;
use reqwest::header::{CONTENT_ENCODING, CONTENT_RANGE};
use tokio::time::Instant;

use super::FetchError;
use super::client::Shared;
use super::slots::{Held, Turn};
use crate::warc::{BODY_BYTES_MAX, HttpFault, coding};

/// Chunks that every body may come in, and bytes of it for each further one: packets hold a thousand.
const CHUNKS_FREE: u64 = 16_384;
const CHUNK_BYTES_MIN: u64 = 64;

/// Returns true if an answer has the whole of what was asked for: also one that a proxy changed (203), and a range
/// from the first byte to the last that nobody asked for (206).
pub(super) fn is_whole(response: &Response) -> bool {
    let range = || {
        let range = response.headers().get(CONTENT_RANGE)?.to_str().ok()?;
        let (last, length) = range.trim().strip_prefix("bytes 0-")?.split_once('/')?;
        Some((last.parse::<u64>().ok()?.checked_add(1)?, length.parse::<u64>().ok()?))
    };
    match response.status().as_u16() {
        200 | 203 => true,
        206 => range().is_some_and(|(end, length)| end == length),
        _ => false,
    }
}

/// Reads a body within the limits of one body and of all bodies in flight.
pub(super) async fn read_body(
    shared: &Shared,
    mut response: Response,
    clock: &mut Clock,
    turn: &mut Turn,
) -> Result<(Bytes, Vec<Held>), FetchError> {
    let bytes_max = shared.config.body_bytes_max;
    let announced = response.content_length();
    let coding = response
        .headers()
        .get(CONTENT_ENCODING)
        .map(|value| String::from_utf8_lossy(value.as_bytes()).into_owned());
    if announced.is_some_and(|length| length > bytes_max) {
        return Err(FetchError::BodyTooLarge(bytes_max));
    }
    // Room is taken for what has come, not for what is announced: an answer may drip.
    let (mut held, mut body, mut chunks) = (Vec::new(), Vec::new(), 0);
    while let Some(chunk) = clock.run(shared.next_chunk(&mut response)).await? {
        let length = body.len() as u64 + chunk.len() as u64;
        chunks += 1;
        if chunks > CHUNKS_FREE + length / CHUNK_BYTES_MIN {
            return Err(FetchError::HttpBroken(format!("{chunks} chunks in {length} bytes")));
        }
        if length > bytes_max {
            return Err(FetchError::BodyTooLarge(bytes_max));
        }
        held.push(clock.pause(shared.slots.bytes(chunk.len() as u64, turn)).await);
        body.extend_from_slice(&chunk);
    }
    if let Some(coding) = coding {
        let received = body.len();
        body = decoded(body, coding).await?;
        let more = body.len().saturating_sub(received) as u64;
        held.push(clock.pause(shared.slots.bytes(more, turn)).await);
    }
    body.shrink_to_fit();
    Ok((body.into(), held))
}

/// Undoes the content coding that a server applied although nobody asked for one.
async fn decoded(body: Vec<u8>, coding: String) -> Result<Vec<u8>, FetchError> {
    let work = move || coding::undone(&body, ("", &coding), false, &mut 0).map(Cow::into_owned);
    let decoded = tokio::task::spawn_blocking(work).await.map_err(|_| FetchError::Panic)?;
    decoded.map_err(|fault| match fault {
        HttpFault::TooLarge => FetchError::BodyTooLarge(BODY_BYTES_MAX as u64),
        fault => FetchError::HttpBroken(fault.to_string()),
    })
}

/// A deadline that stands still while we wait for our own slots, so that a busy machine
/// does not look like a slow server.
pub(super) struct Clock {
    deadline: Instant,
}

impl Clock {
    pub(super) fn new(limit: Duration) -> Self {
        Self { deadline: Instant::now() + limit }
    }

    pub(super) async fn run<T>(
        &self,
        work: impl Future<Output = Result<T, FetchError>>,
    ) -> Result<T, FetchError> {
        match tokio::time::timeout_at(self.deadline, work).await {
            Ok(result) => result,
            Err(_) => Err(FetchError::Timeout),
        }
    }

    async fn pause<T>(&mut self, wait: impl Future<Output = T>) -> T {
        let began = Instant::now();
        let result = wait.await;
        self.deadline += began.elapsed();
        result
    }
}
