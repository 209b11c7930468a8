//! Many URLs of records at once, answers in input order.

use std::collections::VecDeque;
use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use reqwest::Response;
use reqwest::header::CONTENT_TYPE;
use tokio::sync::watch;
use tokio::task::JoinHandle;
use tokio::time::Instant;
use url::Url;

use super::client::{Origin, Rest, Shared};
use super::slots::{Held, Turn};
use super::source::retry_after;
use super::{Client, FetchError, guard, robots};

/// URLs that are begun or done ahead of the answer that is waited for, per request slot:
/// while one slow host is waited for, the others go on.
const AHEAD_FACTOR: usize = 8;
/// Times that a URL is asked for again after its host asked for rest.
const RESTS_MAX: u32 = 2;

/// What became of one URL.
#[derive(Debug)]
pub struct Outcome {
    /// The URL as the record names it.
    pub url: String,
    /// The body, or why there is none.
    pub result: Result<Body, FetchError>,
    /// The room that the body takes, until this is dropped.
    _held: Vec<Held>,
}

/// A complete body.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Body {
    /// The bytes as they came.
    pub bytes: Bytes,
    /// What the server says they are; often wrong.
    pub content_type: Option<String>,
    /// The public URL after redirects.
    pub final_url: String,
}

/// Iterator over the outcomes of URLs, in their order; blocks the calling thread.
///
/// Not to be used on an async thread. Dropping it cancels what is in flight.
pub struct InOrder<'c, I> {
    client: &'c Client,
    urls: I,
    flights: VecDeque<Flight>,
    head: watch::Sender<u64>,
    begun: u64,
}

/// What a flight ends with: a body and the room it takes, or why there is none.
type Answer = Result<(Body, Vec<Held>), FetchError>;

/// A request in flight; cancelled when dropped.
struct Flight {
    url: String,
    task: JoinHandle<Answer>,
}

impl Drop for Flight {
    fn drop(&mut self) {
        self.task.abort();
    }
}

impl<'c, I: Iterator<Item = String>> InOrder<'c, I> {
    pub(super) fn new(client: &'c Client, urls: I) -> Self {
        Self { client, urls, flights: VecDeque::new(), head: watch::Sender::new(0), begun: 0 }
    }

    fn begin_more(&mut self) {
        let ahead = self.client.shared.config.concurrency as usize * AHEAD_FACTOR;
        while self.flights.len() < ahead {
            let Some(url) = self.urls.next() else {
                return;
            };
            let turn = Turn { index: self.begun, head: self.head.subscribe() };
            let shared = self.client.shared.clone();
            let task = self.client.handle().spawn(fetch(shared, url.clone(), turn));
            self.flights.push_back(Flight { url, task });
            self.begun += 1;
        }
    }
}

impl<I: Iterator<Item = String>> Iterator for InOrder<'_, I> {
    type Item = Outcome;

    fn next(&mut self) -> Option<Outcome> {
        self.begin_more();
        let mut flight = self.flights.pop_front()?;
        self.head.send_replace(self.begun - 1 - self.flights.len() as u64);
        let joined = self.client.handle().block_on(&mut flight.task);
        let url = std::mem::take(&mut flight.url);
        Some(match joined.unwrap_or(Err(FetchError::Panic)) {
            Ok((body, held)) => Outcome { url, result: Ok(body), _held: held },
            Err(error) => Outcome { url, result: Err(error), _held: Vec::new() },
        })
    }
}

/// Fetches one URL, again where its host asks for a short rest.
async fn fetch(shared: Arc<Shared>, url: String, mut turn: Turn) -> Answer {
    // What cannot be asked for needs no slot.
    let parsed = guard::parse(&url)?;
    let host = shared.slots.hosts.get(parsed.host_str().unwrap_or_default());
    let mut rests = 0;
    loop {
        let (of_host, of_client) = shared.slots.request(&host, &mut turn).await?;
        let attempt = attempt(&shared, &parsed, &mut turn).await;
        shared.slots.pace.end(of_client, attempt.as_ref().err().map(|(error, _)| error));
        drop(of_host);
        match attempt {
            Err((_, true)) if rests < RESTS_MAX => rests += 1,
            attempt => return attempt.map_err(|(error, _)| error),
        }
    }
}

/// Asks for a URL within its deadline. An error comes with whether a host asked for a
/// rest that is waited for.
async fn attempt(
    shared: &Shared,
    url: &Url,
    turn: &mut Turn,
) -> Result<(Body, Vec<Held>), (FetchError, bool)> {
    let plain = |error| (error, false);
    let mut clock = Clock::new(shared.config.deadline());
    let whole = Rest::default();
    let asked = clock.run(shared.get(url.as_str(), Origin::Record, &whole));
    let (response, final_url) = asked.await.map_err(plain)?;
    if response.status() != reqwest::StatusCode::OK {
        let status = FetchError::Status(response.status().as_u16());
        return Err((status, give_rest(shared, &response, &final_url)));
    }
    let tags = response.headers().get_all("x-robots-tag");
    let tags = tags.iter().filter_map(|value| value.to_str().ok());
    if let Some(tag) = robots::refused_by(tags, shared.agent(), &shared.config.robots_tags) {
        return Err(plain(FetchError::RobotsTag(tag)));
    }
    let content_type = response.headers().get(CONTENT_TYPE);
    let content_type = content_type.and_then(|value| value.to_str().ok().map(str::to_owned));
    let (bytes, held) = read_body(shared, response, &mut clock, turn).await.map_err(plain)?;
    Ok((Body { bytes, content_type, final_url: final_url.into() }, held))
}

/// Leaves the host that answered alone for as long as it asks; returns whether that is waited for.
fn give_rest(shared: &Shared, response: &Response, url: &Url) -> bool {
    let is_rest = matches!(response.status().as_u16(), 429 | 503);
    let Some(asked) = retry_after(response).filter(|_| is_rest) else {
        return false;
    };
    let host = shared.slots.hosts.get(url.host_str().unwrap_or_default());
    let is_short = asked.as_secs_f64() <= shared.config.retry_after_secs_max;
    if is_short {
        host.rest(asked)
    } else {
        host.close(asked)
    }
    is_short
}

/// Reads a body within the limits of one body and of all bodies in flight.
async fn read_body(
    shared: &Shared,
    mut response: Response,
    clock: &mut Clock,
    turn: &mut Turn,
) -> Result<(Bytes, Vec<Held>), FetchError> {
    let bytes_max = shared.config.body_bytes_max;
    let announced = response.content_length();
    if announced.is_some_and(|length| length > bytes_max) {
        return Err(FetchError::BodyTooLarge(bytes_max));
    }
    let mut held: Vec<Held> = Vec::new();
    let mut reserved = announced.unwrap_or(0);
    held.push(clock.pause(shared.slots.bytes(reserved, turn)).await);
    let mut body = Vec::with_capacity(reserved as usize);
    while let Some(chunk) = clock.run(shared.next_chunk(&mut response)).await? {
        let length = body.len() as u64 + chunk.len() as u64;
        if length > bytes_max {
            return Err(FetchError::BodyTooLarge(bytes_max));
        }
        if length > reserved {
            // Without an announced length room is taken as the body grows, doubled to take it seldom.
            let more = (reserved * 2).clamp(length, bytes_max) - reserved;
            held.push(clock.pause(shared.slots.bytes(more, turn)).await);
            reserved += more;
        }
        body.extend_from_slice(&chunk);
    }
    Ok((body.into(), held))
}

/// A deadline that stands still while we wait for our own slots, so that a busy machine
/// does not look like a slow server.
struct Clock {
    deadline: Instant,
}

impl Clock {
    fn new(limit: Duration) -> Self {
        Self { deadline: Instant::now() + limit }
    }

    async fn run<T>(&self, work: impl Future<Output = Result<T, FetchError>>) -> Result<T, FetchError> {
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
