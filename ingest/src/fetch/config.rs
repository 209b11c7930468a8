//! The section `[fetch]`: limits, politeness and opened addresses.

use std::collections::BTreeMap;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::guard::Guard;
use super::headers::{HeadersConfig, HostHeaders};
use super::hidden::Hidden;
use super::hosts::HostLimits;
use super::proxy::{Proxies, ProxyNames};
use super::resolver::DnsConfig;
use crate::packed::WINDOW_LOG_DEFAULT;

/// What servers are told that we are, unless configured.
pub const USER_AGENT_DEFAULT: &str = concat!("kosmos/", env!("CARGO_PKG_VERSION"));
/// Requests in flight at most, unless configured.
pub const CONCURRENCY_DEFAULT: u32 = 512;
/// Requests in flight to one host, unless configured.
pub const PER_HOST_CONCURRENCY_DEFAULT: u32 = 16;
/// Requests in flight at most, whatever is configured: each costs a socket.
pub const CONCURRENCY_MAX: u32 = 16_384;
/// Body bytes in memory at once, unless configured: 256 MiB.
pub const INFLIGHT_BYTES_DEFAULT: u64 = 256 << 20;
/// Bytes of bodies put aside on the disk, unless configured: 8 GiB.
pub const SPILL_BYTES_DEFAULT: u64 = 8 << 30;
/// Bytes of one body, unless configured: 32 MiB.
pub const BODY_BYTES_DEFAULT: u64 = 32 << 20;
/// Directives of `X-Robots-Tag` that are respected, unless configured.
pub const ROBOTS_TAGS_DEFAULT: [&str; 5] = ["noai", "noimageai", "noindex", "noimageindex", "noml"];
/// Powers of two that zstd has for windows, the least and the most.
const WINDOW_LOGS: (u32, u32) = (10, 31);
/// Longest time that may be configured, one day: beyond it a number is a mistake.
const SECS_MAX: f64 = 86_400.0;

/// The HTTP client: limits, timeouts, proxies, and what records may reach.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Config {
    /// The `User-Agent` header. Its first word is also the name that `X-Robots-Tag` directives can address.
    pub user_agent: String,
    /// Timeout for establishing a connection, in seconds.
    pub connect_timeout_secs: f64,
    /// Seconds without a byte after which a request times out.
    pub idle_timeout_secs: f64,
    /// Time limit for one record URL in seconds, including redirects.
    pub deadline_secs: f64,
    /// Maximum number of redirects to follow per URL.
    pub redirects_max: u32,
    /// Maximum number of record URLs in flight. The actual number adapts to the connection.
    pub concurrency: u32,
    /// Maximum number of record URLs in flight per host.
    pub per_host_concurrency: u32,
    /// Maximum requests per second to one host, for record URLs; 0 means unlimited.
    pub per_host_requests_per_sec: f64,
    /// Limits for individual hosts, in place of the general ones. An entry also covers all subdomains. Raise
    /// the limits for large content delivery networks.
    pub hosts: BTreeMap<String, HostLimits>,
    /// Longest `Retry-After` (of a 429 or 503 response) to wait for, in seconds. If a host asks for more, the
    /// URL moves to the next pass.
    pub retry_after_secs_max: f64,
    /// Maximum bytes of response bodies held in memory, for record URLs that are not processed yet.
    pub inflight_bytes_max: u64,
    /// Maximum bytes of response bodies held on disk. Responses are processed in order; once waiting ones
    /// fill half of `inflight_bytes_max`, the rest wait on disk. The default is 8 GiB.
    pub spill_bytes_max: u64,
    /// Maximum bytes of one response body.
    pub body_bytes_max: u64,
    /// Maximum number of consecutive attempts to resume reading a source file after an error.
    pub retries_max: u32,
    /// Seconds to wait before the first of these attempts (`retries_max`); doubles each time, up to 30.
    pub retry_wait_secs: f64,
    /// Largest zstd window of source files, as a power of two. Each open file may use that much memory. The
    /// default is that of the zstd tool; files made with `zstd --long=31` need 31 (2 GiB).
    pub zstd_window_log_max: u32,
    /// Record the size and entity tag of each remote source file when it is listed, and compare them when a
    /// run starts. Each costs one request per file.
    pub check_files: bool,
    /// `X-Robots-Tag` directives that exclude a response.
    pub robots_tags: Vec<String>,
    /// Respect each host's `robots.txt`. Off by default because the crawlers that found the sources' images
    /// did so.
    pub robots_txt: bool,
    /// The first image pass stops if more than this share of URLs get no connection or no answer from a name
    /// server, because that points to this machine's network. Checked once 1,000 URLs were requested; 1
    /// disables the check.
    pub unreachable_share_max: f64,
    /// Name resolution.
    pub dns: DnsConfig,
    /// Proxy for all requests except those to this machine: `http://host:3128` or `https://...`, optionally
    /// with `user:password@`. If absent, the variables `https_proxy`, `http_proxy` and `all_proxy` apply, as
    /// in curl. `no_proxy` lists exceptions in both cases. `"none"` ignores the environment.
    pub proxy: Option<Hidden>,
    /// For which record URLs the proxy gets the host name instead of the address that kosmos resolved and
    /// checked: `"http"` (http URLs only), `"never"`, or `"always"` (names are not checked).
    pub proxy_names: ProxyNames,
    /// Verify TLS certificates of servers named in records. If false, anyone on the network path can
    /// substitute other images. Sources and proxies are always verified.
    pub tls_verify: bool,
    /// Extra request headers per host, by its exact name or as `*.example.com` for all subdomains. Headers
    /// that may hold secrets (`Authorization`, `Cookie`, keys and tokens) are sent only over https or to this
    /// machine, and never after a redirect from another host.
    pub headers: HeadersConfig,
    /// Per host of gated files, the environment variable that holds its token. A token is sent only to its
    /// own host, only for source URLs, only over https or to this machine, and never to a redirect target.
    pub tokens: BTreeMap<String, String>,
    /// `host:port` pairs that records may reach even though the address guard refuses them.
    pub allow: Vec<String>,
    /// Networks (`"192.0.2.0/24"`), addresses and domains of your own that records may not reach even though
    /// they are public. `allow` makes exceptions.
    pub deny: Vec<String>,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            user_agent: USER_AGENT_DEFAULT.to_owned(),
            connect_timeout_secs: 10.0,
            idle_timeout_secs: 30.0,
            deadline_secs: 60.0,
            redirects_max: 5,
            concurrency: CONCURRENCY_DEFAULT,
            per_host_concurrency: PER_HOST_CONCURRENCY_DEFAULT,
            per_host_requests_per_sec: 0.0,
            hosts: BTreeMap::new(),
            retry_after_secs_max: 30.0,
            inflight_bytes_max: INFLIGHT_BYTES_DEFAULT,
            spill_bytes_max: SPILL_BYTES_DEFAULT,
            body_bytes_max: BODY_BYTES_DEFAULT,
            retries_max: 6,
            retry_wait_secs: 1.0,
            zstd_window_log_max: WINDOW_LOG_DEFAULT,
            check_files: false,
            robots_tags: ROBOTS_TAGS_DEFAULT.map(str::to_owned).to_vec(),
            robots_txt: false,
            unreachable_share_max: 0.9,
            dns: DnsConfig::default(),
            proxy: None,
            proxy_names: ProxyNames::default(),
            tls_verify: true,
            headers: HeadersConfig::new(),
            tokens: BTreeMap::from([("huggingface.co".to_owned(), "HF_TOKEN".to_owned())]),
            allow: Vec::new(),
            deny: Vec::new(),
        }
    }
}

impl Config {
    /// Checks every value.
    ///
    /// # Errors
    /// The first setting that cannot work, and what it should be.
    pub fn validate(&self) -> Result<(), String> {
        if reqwest::header::HeaderValue::from_str(&self.user_agent).is_err()
            || self.user_agent.trim().is_empty()
        {
            return Err(format!(
                "user_agent is {:?}, must be a name such as {USER_AGENT_DEFAULT:?}",
                self.user_agent
            ));
        }
        let times = [
            ("connect_timeout_secs", self.connect_timeout_secs),
            ("idle_timeout_secs", self.idle_timeout_secs),
            ("deadline_secs", self.deadline_secs),
            ("retry_wait_secs", self.retry_wait_secs),
            ("retry_after_secs_max", self.retry_after_secs_max),
        ];
        for (name, secs) in times {
            if !(secs > 0.0 && secs <= SECS_MAX) {
                return Err(format!("{name} is {secs}, must be above 0 and at most {SECS_MAX}"));
            }
        }
        for (name, count) in
            [("concurrency", self.concurrency), ("per_host_concurrency", self.per_host_concurrency)]
        {
            if !(1..=CONCURRENCY_MAX).contains(&count) {
                return Err(format!("{name} is {count}, must be from 1 to {CONCURRENCY_MAX}"));
            }
        }
        let rate = HostLimits { requests_per_sec: Some(self.per_host_requests_per_sec), concurrency: None };
        rate.validate().map_err(|error| format!("per_host_{error}"))?;
        for (host, limits) in &self.hosts {
            limits.validate().map_err(|error| format!("hosts.{host:?}: {error}"))?;
        }
        self.dns.validate()?;
        if !(0.0..=1.0).contains(&self.unreachable_share_max) {
            return Err(format!(
                "unreachable_share_max is {}, must be from 0 to 1",
                self.unreachable_share_max
            ));
        }
        if self.body_bytes_max == 0 || self.body_bytes_max > self.inflight_bytes_max {
            return Err(format!(
                "body_bytes_max is {}, must be from 1 to inflight_bytes_max, which is {}",
                self.body_bytes_max, self.inflight_bytes_max
            ));
        }
        let (least, most) = WINDOW_LOGS;
        if !(least..=most).contains(&self.zstd_window_log_max) {
            let value = self.zstd_window_log_max;
            return Err(format!("zstd_window_log_max is {value}, must be from {least} to {most}"));
        }
        Guard::new(&self.deny)?;
        Proxies::new(self.proxy.as_ref(), &|_| None)?;
        HostHeaders::new(&self.headers)?;
        self.allowed().map(|_| ())
    }

    /// Returns the opened addresses as host and port.
    ///
    /// # Errors
    /// The first entry that is not of the form `host:port`.
    pub(crate) fn allowed(&self) -> Result<Vec<(String, u16)>, String> {
        let parse = |entry: &String| {
            // As a URL the host is brought into the form in which records' URLs are compared.
            let url = url::Url::parse(&format!("http://{entry}/")).ok()?;
            let (_, port) = entry.rsplit_once(':')?;
            Some((url.host_str()?.to_owned(), port.parse().ok()?))
        };
        self.allow
            .iter()
            .map(|entry| parse(entry).ok_or_else(|| format!("allow: {entry:?} is not host:port")))
            .collect()
    }

    pub(crate) fn connect_timeout(&self) -> Duration {
        secs(self.connect_timeout_secs)
    }

    pub(crate) fn idle_timeout(&self) -> Duration {
        secs(self.idle_timeout_secs)
    }

    pub(crate) fn deadline(&self) -> Duration {
        secs(self.deadline_secs)
    }
}

/// Turns validated seconds into a duration; `clamp` keeps the conversion from panicking.
pub(crate) fn secs(secs: f64) -> Duration {
    Duration::from_secs_f64(secs.clamp(0.0, SECS_MAX))
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn the_defaults_are_valid_and_nonsense_is_named() {
        assert_eq!(Config::default().validate(), Ok(()));
        let broken = Config { deadline_secs: f64::NAN, ..Config::default() };
        assert!(broken.validate().unwrap_err().starts_with("deadline_secs"));
        let broken = Config { allow: vec!["nowhere".to_owned()], ..Config::default() };
        assert!(broken.validate().unwrap_err().contains("nowhere"));
    }

    #[test]
    fn every_bound_holds_at_its_value_and_not_beyond() {
        type Change = fn(&mut Config);
        let accepted: [Change; 11] = [
            |c| c.connect_timeout_secs = SECS_MAX,
            |c| c.idle_timeout_secs = SECS_MAX,
            |c| c.deadline_secs = SECS_MAX,
            |c| c.retry_wait_secs = f64::MIN_POSITIVE,
            |c| c.retry_after_secs_max = SECS_MAX,
            |c| c.concurrency = CONCURRENCY_MAX,
            |c| c.per_host_concurrency = CONCURRENCY_MAX,
            |c| (c.concurrency, c.per_host_concurrency) = (1, 1),
            |c| c.per_host_requests_per_sec = 0.0,
            |c| c.body_bytes_max = c.inflight_bytes_max,
            |c| c.body_bytes_max = 1,
        ];
        for (index, change) in accepted.iter().enumerate() {
            let mut config = Config::default();
            change(&mut config);
            assert_eq!(config.validate(), Ok(()), "{index}");
        }
        let refused: [(&str, Change); 19] = [
            ("zstd_window_log_max", |c| c.zstd_window_log_max = 9),
            ("zstd_window_log_max", |c| c.zstd_window_log_max = 32),
            ("user_agent", |c| c.user_agent = " ".to_owned()),
            ("user_agent", |c| c.user_agent = "a\nb".to_owned()),
            ("connect_timeout_secs", |c| c.connect_timeout_secs = 0.0),
            ("connect_timeout_secs", |c| c.connect_timeout_secs = SECS_MAX + 1.0),
            ("idle_timeout_secs", |c| c.idle_timeout_secs = -1.0),
            ("deadline_secs", |c| c.deadline_secs = f64::INFINITY),
            ("retry_wait_secs", |c| c.retry_wait_secs = 0.0),
            ("retry_after_secs_max", |c| c.retry_after_secs_max = f64::NAN),
            ("concurrency", |c| c.concurrency = 0),
            ("concurrency", |c| c.concurrency = CONCURRENCY_MAX + 1),
            ("per_host_concurrency", |c| c.per_host_concurrency = 0),
            ("per_host_concurrency", |c| c.per_host_concurrency = CONCURRENCY_MAX + 1),
            ("per_host_requests_per_sec", |c| c.per_host_requests_per_sec = -0.1),
            ("per_host_requests_per_sec", |c| c.per_host_requests_per_sec = f64::INFINITY),
            ("body_bytes_max", |c| c.body_bytes_max = 0),
            ("body_bytes_max", |c| c.body_bytes_max = c.inflight_bytes_max + 1),
            ("hosts", |c| {
                let limits = HostLimits { concurrency: Some(0), requests_per_sec: None };
                c.hosts.insert("h.example".to_owned(), limits);
            }),
        ];
        for (name, change) in refused {
            let mut config = Config::default();
            change(&mut config);
            let error = config.validate().unwrap_err();
            assert!(error.starts_with(name), "{name}: {error}");
        }
    }

    #[test]
    fn allowed_hosts_are_compared_in_the_form_urls_have() {
        let config =
            Config { allow: vec!["LocalHost:80".to_owned(), "[::1]:8000".to_owned()], ..Config::default() };
        let allowed = config.allowed().unwrap();
        assert_eq!(allowed, [("localhost".into(), 80), ("[::1]".into(), 8000)]);
    }
}
