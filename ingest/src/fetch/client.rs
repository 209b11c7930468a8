//! The client: one request with its redirects, each hop routed and checked again.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use corpus::mirror::Mirrors;
use corpus::{Error, handles};
use reqwest::Response;
use reqwest::header::{AUTHORIZATION, HeaderValue, IF_RANGE, LOCATION, RANGE};
use tokio::runtime::{Builder, Handle, Runtime};
use url::Url;

use super::config::secs;
use super::guard::{self, Guard};
use super::headers::HostHeaders;
use super::heartbeat::Heartbeat;
use super::pool::Pool;
use super::proxy::Proxies;
use super::reach::{Reach, Unreachable};
use super::resolver::{Names, Resolver};
use super::robots_txt::RobotsFiles;
use super::slots::Slots;
use super::spill::Room;
use super::transport::Parts;
use super::{Config, FetchError, InOrder, SourceReader, trust};
use crate::location::Location;

/// Threads that move bytes; all other work is done by the callers.
const RUNTIME_THREADS: usize = 2;
/// Handles that are left to all else: parts, sorted runs, name servers.
const HANDLES_LEFT: usize = 256;
/// Connections that a pool opens before it is put away, if handles allow.
const POOL_CONNECTIONS_MAX: usize = 4_096;
/// Times that a source is asked again where nobody listens: the stage's task is tried again, too.
const REFUSED_RETRIES_MAX: u32 = 2;
/// Times that a request waits for a free handle, and the first wait; doubled each time, so half a minute in all.
const HANDLE_WAITS_MAX: u32 = 9;
const HANDLE_WAIT: Duration = Duration::from_millis(50);

/// Who named a URL, and thereby what it may reach.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Origin {
    /// The configuration: trusted.
    Config,
    /// A record of the outside world: guarded, and kept from what `robots.txt` keeps crawlers from.
    Record,
    /// We ourselves, for a host's `robots.txt`: guarded.
    Robots,
}

/// The one way in which anything is asked for over the network.
///
/// Trusted and guarded hops use separate connection pools, so that a URL of a record can never
/// ride on a connection that was opened to a trusted private address, through a proxy or not.
pub struct Client {
    /// Absent only while the client is dropped.
    runtime: Option<Runtime>,
    handle: Handle,
    pub(super) shared: Arc<Shared>,
}

/// Share of the time for a connection that its name may take: an answer that does not come is the name server's.
const RESOLVING_SHARE: f64 = 0.8;

/// What all requests share.
pub(super) struct Shared {
    pub(super) config: Config,
    pub(super) slots: Slots,
    pub(super) robots_files: RobotsFiles,
    /// What became of records' URLs so far.
    pub(super) reach: Reach,
    /// Whether this process stands still.
    pub(super) heart: Arc<Heartbeat>,
    /// Room for bodies on the disk.
    pub(super) spill: Arc<Room>,
    mirrors: Mirrors,
    guard: Arc<Guard>,
    allowed: BTreeSet<(String, u16)>,
    bearers: BTreeMap<String, HeaderValue>,
    pub(super) headers: HostHeaders,
    trusted: Pool,
    /// For what records name and the configuration opens, where it is trusted less: without `fetch.tls_verify`.
    opened: Option<Pool>,
    guarded: Pool,
}

/// A request for the rest of a file that was read in part, or for a part of it.
#[derive(Debug, Clone, Default)]
pub(super) struct Rest {
    /// Bytes that are there already.
    pub(super) offset: u64,
    /// The last byte that is wanted; the file's last where absent.
    pub(super) last: Option<u64>,
    /// The entity tag of what they came from.
    pub(super) etag: Option<HeaderValue>,
}

/// Where a URL leads once mirrors were applied.
pub(super) struct Route {
    url: Url,
    named_by: Origin,
    trusted: bool,
    /// Whether nobody else can read what goes there: over https or on this machine.
    pub(super) is_private: bool,
    /// Whether a token may go there: the configuration names it, and it is private.
    pub(super) keeps_secrets: bool,
}

impl Client {
    /// Makes a client with its own threads.
    ///
    /// # Errors
    /// When the settings are not valid, or the machine refuses threads or TLS roots.
    pub fn new(config: &Config, mirrors: Mirrors) -> corpus::Result<Self> {
        Self::with_variables(config, mirrors, &|_| None)
    }

    /// Makes a client that heeds the variables of an environment, of which those that name proxies are asked for.
    ///
    /// # Errors
    /// As [`Self::new`], and when a variable names something that is no proxy.
    pub fn with_variables(
        config: &Config,
        mirrors: Mirrors,
        variable: &dyn Fn(&str) -> Option<String>,
    ) -> corpus::Result<Self> {
        let broken = |detail: String| Error::Settings { stage: "fetch".to_owned(), detail };
        config.validate().map_err(broken)?;
        let proxies = Arc::new(Proxies::new(config.proxy.as_ref(), variable).map_err(broken)?);
        let runtime = Builder::new_multi_thread()
            .worker_threads(RUNTIME_THREADS)
            .thread_name("fetch")
            .enable_all()
            .build()
            .map_err(|error| Error::work("fetch", error))?;
        mirrors.validate().map_err(|problem| broken(format!("mirrors: {problem}")))?;
        let handles = handles_free();
        let concurrency = config.concurrency.min(u32::try_from(handles / 2).unwrap_or(u32::MAX));
        let config = &Config { concurrency, ..config.clone() };
        let connections_max = (handles / 4).min(POOL_CONNECTIONS_MAX);
        let patience = config.connect_timeout().min(config.deadline()).mul_f64(RESOLVING_SHARE);
        let names = Arc::new(Names::new(&config.dns, patience));
        let guard = Arc::new(Guard::new(&config.deny).map_err(broken)?);
        let tls = trust::tls_config()?;
        let proxy_tls = Arc::new(trust::to_proxies(tls.clone()));
        let pool = |guard: Option<&Arc<Guard>>, is_verified: bool| {
            let parts = Parts {
                config: config.clone(),
                resolver: Resolver { names: names.clone(), guard: guard.cloned() },
                proxies: proxies.clone(),
                tls: if is_verified { tls.clone() } else { trust::unverified(tls.clone()) },
                proxy_tls: proxy_tls.clone(),
            };
            Pool::new(connections_max, parts).map_err(|error| Error::work("fetch", error))
        };
        let is_verified = config.tls_verify;
        let shared = Shared {
            slots: Slots::new(config),
            robots_files: RobotsFiles::default(),
            reach: Reach::default(),
            heart: Heartbeat::start(runtime.handle()),
            spill: Room::new(config.spill_bytes_max),
            mirrors,
            allowed: config.allowed().map_err(broken)?.into_iter().collect(),
            bearers: BTreeMap::new(),
            headers: HostHeaders::new(&config.headers).map_err(broken)?,
            trusted: pool(None, true)?,
            opened: (!is_verified).then(|| pool(None, false)).transpose()?,
            guarded: pool(Some(&guard), is_verified)?,
            guard,
            config: config.clone(),
        };
        Ok(Self { handle: runtime.handle().clone(), runtime: Some(runtime), shared: Arc::new(shared) })
    }

    /// Adds a bearer token that is sent to this host alone, for URLs that the configuration names, over
    /// https or to this machine.
    ///
    /// # Errors
    /// When the token cannot be a header, or the client is in use already.
    pub fn with_bearer(mut self, host: &str, token: &str) -> corpus::Result<Self> {
        let refused = |detail: &str| Error::Settings {
            stage: "fetch".to_owned(),
            detail: format!("token of {host}: {detail}"),
        };
        let mut value =
            HeaderValue::from_str(&format!("Bearer {token}")).map_err(|_| refused("not a header value"))?;
        value.set_sensitive(true);
        Arc::get_mut(&mut self.shared)
            .ok_or_else(|| refused("the client is in use"))?
            .bearers
            .insert(host.to_ascii_lowercase(), value);
        Ok(self)
    }

    /// Opens a file that the configuration names: a URL, a `file://` URL or a path.
    ///
    /// The bytes come in sequence; a broken connection is resumed where it broke.
    ///
    /// # Errors
    /// [`Error::Source`] or [`Error::Io`] when it cannot be had.
    pub fn open(&self, url: &str) -> corpus::Result<SourceReader<'_>> {
        self.open_at(url, 0)
    }

    /// Opens such a file at an offset.
    ///
    /// # Errors
    /// As [`Self::open`].
    pub fn open_at(&self, url: &str, offset: u64) -> corpus::Result<SourceReader<'_>> {
        SourceReader::open(self, url, offset)
    }

    /// Fetches URLs that records name, many at once, and answers in input order. Bodies that come before
    /// their turn may wait in files in the folder.
    pub fn fetch_in_order<I>(&self, urls: I, folder: &Path) -> InOrder<'_, I::IntoIter>
    where
        I: IntoIterator<Item = String>,
    {
        InOrder::new(self, urls.into_iter(), folder)
    }

    /// Judges whether records' URLs can be reached from this machine.
    ///
    /// # Errors
    /// [`Unreachable`] if nearly none of them could be (`fetch.unreachable_share_max`).
    pub fn check_reach(&self) -> Result<(), Unreachable> {
        self.shared.reach.check(self.shared.config.unreachable_share_max)
    }

    /// Returns where a URL of the configuration leads: to a file of this machine or elsewhere.
    pub(crate) fn locate(&self, url: &str) -> Location {
        Location::of(&self.shared.mirrors.apply(url).0)
    }

    /// Returns whether another server, or a folder, stands for the one that a URL names.
    pub(crate) fn is_mirrored(&self, url: &str) -> bool {
        self.shared.mirrors.apply(url).1
    }

    /// Returns whether servers are asked what remote source files are like.
    pub fn checks_files(&self) -> bool {
        self.shared.config.check_files
    }

    /// Returns the power of two that is the largest window of zstd files, in bytes.
    pub(crate) fn zstd_window_log_max(&self) -> u32 {
        self.shared.config.zstd_window_log_max
    }

    /// Returns the client's threads, for waiting on what runs there.
    pub(super) fn handle(&self) -> &Handle {
        &self.handle
    }
}

impl Drop for Client {
    fn drop(&mut self) {
        // A name that is being resolved cannot be interrupted; waiting for it could take minutes.
        if let Some(runtime) = self.runtime.take() {
            runtime.shutdown_background();
        }
    }
}

/// Returns the handles that connections may take.
fn handles_free() -> usize {
    /// So that something can be fetched at all; what is not there is waited for.
    const LEAST: usize = 32;
    usize::try_from(handles::limit()).unwrap_or(usize::MAX).saturating_sub(HANDLES_LEFT).max(LEAST)
}

impl Shared {
    /// Asks for a URL and follows its redirects; the answer may have any other status.
    pub(super) async fn get(
        &self,
        url: &str,
        origin: Origin,
        rest: &Rest,
    ) -> Result<(Response, Url), FetchError> {
        let mut public = guard::parse(url)?;
        let first = public.clone();
        let mut route = self.route(&public, origin)?;
        // Also where another host leads back: it would choose what a secret opens.
        let mut is_first_host = true;
        for _ in 0..=self.config.redirects_max {
            if origin == Origin::Record && self.config.robots_txt {
                // Boxed, as it asks for a file by this very function.
                Box::pin(self.robots_files.check(self, &public)).await?;
            }
            is_first_host &= public.host_str() == first.host_str();
            let response = self.ask(&route, is_first_host, rest).await?;
            let Some(location) = redirect_target(&response) else {
                return Ok((response, public));
            };
            // Relative to the public URL: a mirror stands for its host, also in redirects.
            public = public.join(&location).map_err(|_| FetchError::UrlInvalid)?;
            guard::parse(public.as_str())?;
            let stays = origin == Origin::Config && same_host(&public, &route.url);
            let named_by = if stays { Origin::Config } else { Origin::Record };
            route = self.route(&public, named_by)?;
        }
        Err(FetchError::RedirectLimit(self.config.redirects_max))
    }

    /// Applies the guard, then the mirrors.
    pub(super) fn route(&self, url: &Url, origin: Origin) -> Result<Route, FetchError> {
        let opened = origin == Origin::Config || self.is_allowed(url);
        let refused = url.host().is_none_or(|host| self.guard.refuses(&host));
        if refused && !opened {
            let host = url.host_str().unwrap_or_default();
            return Err(FetchError::AddressRefused(host.to_owned()));
        }
        let (asked, mirrored) = self.mirrors.apply(url.as_str());
        let url = guard::parse(&asked)?;
        // Who answers over https is known only if its certificate is looked at.
        let is_verified = origin == Origin::Config || self.config.tls_verify;
        let is_https = url.scheme() == "https" && is_verified;
        let is_private = is_https || url.host().is_some_and(|host| guard::is_loopback(&host));
        let keeps_secrets = origin == Origin::Config && is_private;
        Ok(Route { url, named_by: origin, trusted: mirrored || opened, is_private, keeps_secrets })
    }

    fn is_allowed(&self, url: &Url) -> bool {
        let host = url.host_str().unwrap_or_default().to_owned();
        let port = url.port_or_known_default().unwrap_or_default();
        self.allowed.contains(&(host, port))
    }

    /// Asks once; again if this process had no handle left for it, and at once on a fresh connection if the one
    /// that was kept turned out to be dead.
    async fn ask(&self, route: &Route, is_first_host: bool, rest: &Rest) -> Result<Response, FetchError> {
        let pool = self.pool(route);
        let (mut waits, mut transport) = (0, pool.transport());
        let mut is_fresh = false;
        loop {
            let request = self.request(&transport.straight, route, is_first_host, rest)?;
            let patience = self.config.connect_timeout() + self.config.idle_timeout();
            let response = tokio::time::timeout(patience, transport.send(request)).await;
            match response.unwrap_or(Err(FetchError::Timeout)) {
                Err(FetchError::OutOfHandles) if waits < HANDLE_WAITS_MAX => {
                    tracing::debug!(waits, "no file handle is left: waits for one");
                    pool.put_away();
                    tokio::time::sleep(HANDLE_WAIT * (1 << waits)).await;
                    waits += 1;
                    transport = pool.transport();
                }
                Err(FetchError::Cut(_)) if !is_fresh => {
                    tracing::trace!(host = route.url.host_str(), "a kept connection was dead: asks again");
                    is_fresh = true;
                    transport = pool.fresh();
                }
                answer => return answer,
            }
        }
    }

    fn pool(&self, route: &Route) -> &Pool {
        match (route.trusted, route.named_by) {
            (false, _) => &self.guarded,
            (true, Origin::Config) => &self.trusted,
            (true, Origin::Record | Origin::Robots) => self.opened.as_ref().unwrap_or(&self.trusted),
        }
    }

    fn request(
        &self,
        client: &reqwest::Client,
        route: &Route,
        is_first_host: bool,
        rest: &Rest,
    ) -> Result<reqwest::Request, FetchError> {
        let host = route.url.host_str().unwrap_or_default();
        let mut headers = self.headers.of(host, route.is_private && is_first_host);
        if let Some(bearer) = self.bearers.get(host).filter(|_| route.keeps_secrets) {
            headers.entry(AUTHORIZATION).or_insert_with(|| bearer.clone());
        }
        let mut request = client.get(route.url.clone()).headers(headers);
        if rest.offset > 0 || rest.last.is_some() {
            let last = rest.last.map(|last| last.to_string()).unwrap_or_default();
            request = request.header(RANGE, format!("bytes={}-{last}", rest.offset));
            if let Some(etag) = &rest.etag {
                request = request.header(IF_RANGE, etag.clone());
            }
        }
        request.build().map_err(|error| FetchError::classify(&error, false))
    }

    /// Waits for the next piece of a body; `None` is its end.
    pub(super) async fn next_chunk(
        &self,
        response: &mut Response,
    ) -> Result<Option<bytes::Bytes>, FetchError> {
        let chunk = tokio::time::timeout(self.config.idle_timeout(), response.chunk()).await;
        let chunk = chunk.map_err(|_| FetchError::Timeout)?;
        chunk.map_err(|error| FetchError::classify(&error, true))
    }

    /// Returns our name as servers address it.
    pub(super) fn agent(&self) -> &str {
        self.config.user_agent.split(['/', ' ']).next().unwrap_or_default()
    }

    /// Returns how often a source is asked again after an error in a row; what refuses from the beginning is most
    /// likely a mistake in the configuration, which is told soon.
    pub(super) fn retries_max(&self, error: &FetchError, is_beginning: bool) -> u32 {
        match error.is_transient() {
            false => 0,
            true if is_beginning && error.is_refusal() => self.config.retries_max.min(REFUSED_RETRIES_MAX),
            true => self.config.retries_max,
        }
    }

    /// Returns the pause before an attempt to resume: doubled each time, or what the server asks.
    pub(super) fn pause(&self, attempt: u32, asked: Option<Duration>) -> Duration {
        const PAUSE_MAX: Duration = Duration::from_secs(30);
        let doubled = self.config.retry_wait_secs * f64::from(1_u32 << attempt.min(16));
        secs(doubled).max(asked.unwrap_or_default()).min(PAUSE_MAX)
    }
}

fn same_host(a: &Url, b: &Url) -> bool {
    a.host_str() == b.host_str() && a.port_or_known_default() == b.port_or_known_default()
}

fn redirect_target(response: &Response) -> Option<String> {
    let is_redirect = matches!(response.status().as_u16(), 301 | 302 | 303 | 307 | 308);
    let location = response.headers().get(LOCATION).filter(|_| is_redirect)?;
    // Servers write raw UTF-8 there; the URL standard escapes it.
    Some(String::from_utf8_lossy(location.as_bytes()).into_owned())
}
