//! Many URLs of records at once, answers in input order.

use std::collections::VecDeque;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use bytes::Bytes;
use reqwest::Response;
use reqwest::header::CONTENT_TYPE;
use tokio::sync::{Notify, oneshot, watch};
use url::Url;

use super::answer::{Clock, is_whole, read_body};
use super::client::{Origin, Rest, Shared};
use super::slots::{Held, Turn};
use super::source::retry_after;
use super::spill::{Spill, Spilled};
use super::{Client, FetchError, guard, robots};

/// URLs that are begun ahead of the answer that is waited for, per request slot.
const AHEAD_FACTOR: usize = 8;
/// URLs that are begun or done ahead of it in all: while one slow host is waited for, the others go on.
const WINDOW_URLS: usize = 1 << 17;
/// Times that a URL is asked for again after its host asked for rest.
const RESTS_MAX: u32 = 2;
/// Times that it is asked for again after this process stood still.
const STOPS_MAX: u32 = 8;

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
    spill: Arc<Spill>,
    running: Arc<Running>,
}

/// How many flights have no answer yet.
#[derive(Default)]
struct Running {
    count: AtomicUsize,
    /// Is told when one ends.
    ended: Notify,
}

/// What a flight ends with: a body, or why there is none.
type Answer = Result<Waiting, FetchError>;

/// A body that waits for its turn.
struct Waiting {
    body: Body,
    place: Place,
}

/// Where a body's bytes are.
enum Place {
    /// In the body, with the room they take.
    Memory(Vec<Held>),
    Disk(Spilled),
}

/// A request in flight or done; cancelled when dropped.
struct Flight {
    url: String,
    answer: oneshot::Receiver<Answer>,
}

impl<'c, I: Iterator<Item = String>> InOrder<'c, I> {
    pub(super) fn new(client: &'c Client, urls: I, folder: &Path) -> Self {
        let spill = Arc::new(Spill::new(folder.to_owned(), client.shared.spill.clone()));
        Self {
            client,
            urls,
            flights: VecDeque::new(),
            head: watch::Sender::new(0),
            begun: 0,
            spill,
            running: Arc::default(),
        }
    }

    fn begin_more(&mut self) {
        let ahead = self.client.shared.config.concurrency as usize * AHEAD_FACTOR;
        while self.flights.len() < WINDOW_URLS && self.running.count.load(Ordering::Relaxed) < ahead {
            let Some(url) = self.urls.next() else {
                return;
            };
            let turn = Turn { index: self.begun, head: self.head.subscribe() };
            let (shared, spill) = (self.client.shared.clone(), self.spill.clone());
            let (running, asked) = (self.running.clone(), url.clone());
            let (mut sender, answer) = oneshot::channel();
            running.count.fetch_add(1, Ordering::Relaxed);
            self.client.handle().spawn(async move {
                // Counts it as ended also where it panics.
                let _end = End(running);
                tokio::select! {
                    answer = fetch(shared, asked, turn, spill) => drop(sender.send(answer)),
                    () = sender.closed() => {}
                }
            });
            self.flights.push_back(Flight { url, answer });
            self.begun += 1;
        }
    }

    /// Waits for the answer of the first flight, and begins others meanwhile.
    fn wait(&mut self, answer: &mut oneshot::Receiver<Answer>) -> Answer {
        loop {
            let running = self.running.clone();
            let joined = self.client.handle().block_on(async {
                tokio::select! {
                    biased;
                    answer = &mut *answer => Some(answer),
                    () = running.ended.notified() => None,
                }
            });
            match joined {
                Some(answer) => return answer.unwrap_or(Err(FetchError::Panic)),
                None => self.begin_more(),
            }
        }
    }
}

impl<I: Iterator<Item = String>> Iterator for InOrder<'_, I> {
    type Item = Outcome;

    fn next(&mut self) -> Option<Outcome> {
        self.begin_more();
        let Flight { url, mut answer } = self.flights.pop_front()?;
        self.head.send_replace(self.begun - 1 - self.flights.len() as u64);
        let (result, held) = match self.wait(&mut answer) {
            Ok(Waiting { body, place: Place::Memory(held) }) => (Ok(body), held),
            Ok(Waiting { body, place: Place::Disk(spilled) }) => {
                let read = spilled.read().map_err(|error| FetchError::Spill(error.to_string()));
                (read.map(|bytes| Body { bytes, ..body }), Vec::new())
            }
            Err(error) => (Err(error), Vec::new()),
        };
        self.client.shared.reach.note(result.as_ref().err());
        Some(Outcome { url, result, _held: held })
    }
}

/// The end of a flight.
struct End(Arc<Running>);

impl Drop for End {
    fn drop(&mut self) {
        self.0.count.fetch_sub(1, Ordering::Relaxed);
        self.0.ended.notify_one();
    }
}

/// Fetches one URL, again where its host asks for a short rest.
async fn fetch(shared: Arc<Shared>, url: String, mut turn: Turn, spill: Arc<Spill>) -> Answer {
    // What cannot be asked for needs no slot.
    let parsed = guard::parse(&url)?;
    let host = shared.slots.hosts.get(parsed.host_str().unwrap_or_default());
    let (mut rests, mut stops) = (0, 0);
    loop {
        let (of_host, of_client) = shared.slots.request(&host, &mut turn).await?;
        let began = shared.heart.now();
        let attempt = attempt(&shared, &parsed, &mut turn).await;
        shared.slots.limit.end(of_client, attempt.as_ref().err().map(|(error, _)| error));
        drop(of_host);
        match attempt {
            Err((_, true)) if rests < RESTS_MAX => rests += 1,
            // The host did nothing wrong.
            Err((error, _))
                if error.is_of_time() && stops < STOPS_MAX && shared.heart.stood_still_since(began) =>
            {
                stops += 1;
            }
            Ok((body, held)) => return Ok(put_aside(&shared, body, held, &spill).await),
            Err((error, _)) => return Err(error),
        }
    }
}

/// Lets a body wait on the disk, if memory is half full of bodies.
async fn put_aside(shared: &Shared, body: Body, held: Vec<Held>, spill: &Arc<Spill>) -> Waiting {
    if !shared.slots.are_half_full() {
        return Waiting { body, place: Place::Memory(held) };
    }
    let (bytes, spill) = (body.bytes.clone(), spill.clone());
    match tokio::task::spawn_blocking(move || spill.put(bytes)).await {
        Ok(Ok(spilled)) => {
            Waiting { body: Body { bytes: Bytes::new(), ..body }, place: Place::Disk(spilled) }
        }
        _ => Waiting { body, place: Place::Memory(held) },
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
    if !is_whole(&response) {
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
    tracing::debug!(host = url.host_str(), ?asked, waits = is_short, "a host asks for a rest");
    if is_short {
        host.rest(asked)
    } else {
        host.close(asked)
    }
    is_short
}
