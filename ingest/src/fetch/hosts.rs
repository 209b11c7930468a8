//! Hosts: what each may be asked at once and how often, and when one asked for rest.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use serde::{Deserialize, Serialize};
use tokio::sync::Semaphore;
use tokio::time::Instant;

use super::config::{CONCURRENCY_MAX, secs};
use super::{Config, FetchError};

/// Hosts that are remembered before unused ones are forgotten.
const HOSTS_MAX: usize = 4_096;
/// Longest time for which a host can have itself left alone.
const CLOSED_MAX: Duration = Duration::from_secs(86_400);

/// Limits for a host and its subdomains. If a key is absent, the general limit applies.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct HostLimits {
    /// Maximum number of URLs in flight.
    pub concurrency: Option<u32>,
    /// Maximum requests per second; 0 means unlimited.
    pub requests_per_sec: Option<f64>,
}

impl HostLimits {
    pub(super) fn validate(&self) -> Result<(), String> {
        if let Some(count) = self.concurrency.filter(|count| !(1..=CONCURRENCY_MAX).contains(count)) {
            return Err(format!("concurrency is {count}, must be from 1 to {CONCURRENCY_MAX}"));
        }
        match self.requests_per_sec {
            Some(rate) if !(rate >= 0.0 && rate.is_finite()) => {
                Err(format!("requests_per_sec is {rate}, must be 0 or more"))
            }
            _ => Ok(()),
        }
    }
}

/// All hosts that are in use.
pub(super) struct Hosts {
    concurrency: usize,
    requests_per_sec: f64,
    overrides: BTreeMap<String, HostLimits>,
    known: Mutex<BTreeMap<String, Arc<Host>>>,
}

/// One host.
pub(super) struct Host {
    /// What may be in flight there.
    pub(super) slots: Arc<Semaphore>,
    /// Time between two requests.
    interval: Duration,
    times: Mutex<Times>,
}

/// When a host may be asked.
#[derive(Default)]
struct Times {
    /// When the next request may begin.
    next: Option<Instant>,
    /// Until when it asked to be left alone, and is waited for.
    rest_until: Option<Instant>,
    /// Until when it asked to be left alone for longer than anybody waits.
    closed_until: Option<Instant>,
}

impl Hosts {
    pub(super) fn new(config: &Config) -> Self {
        Self {
            concurrency: config.per_host_concurrency as usize,
            requests_per_sec: config.per_host_requests_per_sec,
            overrides: config
                .hosts
                .iter()
                .map(|(host, limits)| (host.to_ascii_lowercase(), *limits))
                .collect(),
            known: Mutex::new(BTreeMap::new()),
        }
    }

    /// Returns a host by its name.
    pub(super) fn get(&self, name: &str) -> Arc<Host> {
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(host) = known.get(name) {
            return host.clone();
        }
        if known.len() >= HOSTS_MAX {
            known.retain(|_, host| Arc::strong_count(host) > 1 || host.is_resting());
        }
        let host = Arc::new(self.host(name));
        known.insert(name.to_owned(), host.clone());
        host
    }

    fn host(&self, name: &str) -> Host {
        let limits = self.limits(name);
        let concurrency = limits.concurrency.map_or(self.concurrency, |count| count as usize);
        let rate = limits.requests_per_sec.unwrap_or(self.requests_per_sec);
        let interval = if rate > 0.0 { secs(1.0 / rate) } else { Duration::ZERO };
        Host { slots: Arc::new(Semaphore::new(concurrency)), interval, times: Mutex::default() }
    }

    /// Returns the limits of the nearest name: of the host itself, else of a domain above it.
    fn limits(&self, name: &str) -> HostLimits {
        let mut rest = name;
        loop {
            if let Some(limits) = self.overrides.get(rest) {
                return *limits;
            }
            match rest.split_once('.') {
                Some((_, above)) => rest = above,
                None => return HostLimits::default(),
            }
        }
    }
}

impl Host {
    /// Waits until the host may be asked, also for a rest that it asks for meanwhile.
    ///
    /// # Errors
    /// [`FetchError::HostResting`] if that is too long to wait for.
    pub(super) async fn turn(&self) -> Result<(), FetchError> {
        loop {
            let (begin, rest_until) = self.reserve()?;
            tokio::time::sleep_until(begin).await;
            if self.lock().rest_until == rest_until {
                return Ok(());
            }
        }
    }

    /// Takes the next free time; returns it with the end of the rest that it respects.
    fn reserve(&self) -> Result<(Instant, Option<Instant>), FetchError> {
        let mut times = self.lock();
        let now = Instant::now();
        if times.closed_until.is_some_and(|until| until > now) {
            return Err(FetchError::HostResting);
        }
        let begin = [times.next, times.rest_until].into_iter().flatten().fold(now, Instant::max);
        times.next = Some(begin + self.interval);
        Ok((begin, times.rest_until))
    }

    /// Leaves the host alone for a time that it asked for: its requests wait.
    pub(super) fn rest(&self, time: Duration) {
        let mut times = self.lock();
        times.rest_until = times.rest_until.max(Some(Instant::now() + time));
    }

    /// Leaves the host alone for longer: its requests fail, for the next pass to try.
    pub(super) fn close(&self, time: Duration) {
        let mut times = self.lock();
        times.closed_until = times.closed_until.max(Some(Instant::now() + time.min(CLOSED_MAX)));
    }

    fn is_resting(&self) -> bool {
        let times = self.lock();
        let now = Instant::now();
        [times.next, times.rest_until, times.closed_until].into_iter().flatten().any(|time| time > now)
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Times> {
        self.times.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn hosts(change: impl FnOnce(&mut Config)) -> Hosts {
        let mut config = Config::default();
        change(&mut config);
        Hosts::new(&config)
    }

    #[test]
    fn the_nearest_name_decides() {
        let limits = |count| HostLimits { concurrency: Some(count), requests_per_sec: None };
        let hosts = hosts(|config| {
            config.per_host_concurrency = 3;
            config.hosts.insert("CDN.example".to_owned(), limits(100));
            config.hosts.insert("slow.cdn.example".to_owned(), limits(1));
        });
        let slots = |name: &str| hosts.get(name).slots.available_permits();
        assert_eq!(
            (slots("cdn.example"), slots("img.cdn.example"), slots("a.slow.cdn.example"), slots("example")),
            (100, 100, 1, 3)
        );
    }

    #[test]
    fn unused_hosts_are_forgotten() {
        let hosts = hosts(|_| ());
        let busy = hosts.get("busy.example");
        for number in 0..HOSTS_MAX * 2 {
            hosts.get(&format!("{number}.example"));
        }
        assert!(hosts.known.lock().is_ok_and(|known| known.len() <= HOSTS_MAX));
        assert!(Arc::ptr_eq(&busy, &hosts.get("busy.example")));
    }

    #[tokio::test]
    async fn requests_keep_their_distance_and_a_rest_is_kept() {
        let hosts = hosts(|config| config.per_host_requests_per_sec = 100.0);
        let host = hosts.get("a.example");
        let begun = Instant::now();
        for _ in 0..5 {
            assert_eq!(host.turn().await, Ok(()));
        }
        assert!(begun.elapsed() >= Duration::from_millis(40));
        host.rest(Duration::from_millis(100));
        assert_eq!(host.turn().await, Ok(()));
        assert!(begun.elapsed() >= Duration::from_millis(140));
        host.close(Duration::from_secs(3_600));
        assert_eq!(host.turn().await, Err(FetchError::HostResting));
    }

    #[tokio::test]
    async fn a_rest_holds_for_those_that_wait_already() {
        let host = hosts(|config| config.per_host_requests_per_sec = 20.0).get("a.example");
        assert_eq!(host.turn().await, Ok(()));
        let begun = Instant::now();
        let waiting = host.turn();
        let resting = async { host.rest(Duration::from_millis(200)) };
        let (waited, ()) = tokio::join!(waiting, resting);
        assert_eq!(waited, Ok(()));
        assert!(begun.elapsed() >= Duration::from_millis(200));
    }
}
