//! Reach: whether the outside world can be reached at all from this machine.
//!
//! Old lists lose half of their URLs for good, each for its own reason. Where nearly every URL of a list has no
//! connection, or no name server that answers, or is refused by the proxy, the reason is on this side of the line, and
//! to fail them all one by one would be a wrong result.

use std::sync::atomic::{AtomicU64, Ordering};

use super::FetchError;

/// URLs from which on their outcomes tell something.
const URLS_MIN: u64 = 1_000;

/// How many URLs were asked for, and how many could not be reached.
#[derive(Debug, Default)]
pub(super) struct Reach {
    asked: AtomicU64,
    connect: AtomicU64,
    resolver: AtomicU64,
    proxy: AtomicU64,
    /// Names that do not resolve here, and may well resolve at the proxy.
    unjudged: AtomicU64,
}

/// Nearly nothing can be reached.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "{unreached} of the first {asked} URLs could not be reached ({connect} without a connection, {resolver} without an \
     answer of a name server, {proxy} through the proxy): this machine's network, firewall, proxy or resolver seems to \
     be the cause{hint}. Run again once it works, or set fetch.unreachable_share_max = 1 if the URLs are gone indeed"
)]
pub struct Unreachable {
    asked: u64,
    unreached: u64,
    connect: u64,
    resolver: u64,
    proxy: u64,
    hint: &'static str,
}

/// What to do where only a proxy resolves names.
const HINT: &str = " (names are resolved here before the proxy is asked; where only the proxy can, \
                    fetch.proxy_names = \"always\" leaves it to the proxy)";

impl Reach {
    /// Counts an outcome.
    pub(super) fn note(&self, error: Option<&FetchError>) {
        self.asked.fetch_add(1, Ordering::Relaxed);
        match error {
            Some(FetchError::Connect(_) | FetchError::ConnectRefused(_)) => {
                self.connect.fetch_add(1, Ordering::Relaxed)
            }
            Some(FetchError::DnsFailed(_)) => self.resolver.fetch_add(1, Ordering::Relaxed),
            Some(FetchError::Unjudged(_)) => self.unjudged.fetch_add(1, Ordering::Relaxed),
            Some(
                FetchError::ProxyUnreachable { .. }
                | FetchError::ProxyRefused(_)
                | FetchError::ProxyFailed(_),
            ) => self.proxy.fetch_add(1, Ordering::Relaxed),
            _ => 0,
        };
    }

    /// Judges what was counted.
    ///
    /// # Errors
    /// [`Unreachable`] if more than this share of the URLs could not be reached.
    pub(super) fn check(&self, share_max: f64) -> Result<(), Unreachable> {
        let load = |count: &AtomicU64| count.load(Ordering::Relaxed);
        let (connect, proxy, unjudged) = (load(&self.connect), load(&self.proxy), load(&self.unjudged));
        let resolver = load(&self.resolver) + unjudged;
        let (asked, unreached) = (load(&self.asked), connect + resolver + proxy);
        let hint = if unjudged > unreached / 2 { HINT } else { "" };
        match asked >= URLS_MIN && unreached as f64 > share_max * asked as f64 {
            true => Err(Unreachable { asked, unreached, connect, resolver, proxy, hint }),
            false => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn judged(connect: u64, resolver: u64, answered: u64, share_max: f64) -> bool {
        let reach = Reach::default();
        (0..connect).for_each(|_| reach.note(Some(&FetchError::Connect(String::new()))));
        (0..resolver).for_each(|_| reach.note(Some(&FetchError::DnsFailed(String::new()))));
        (0..answered).for_each(|n| reach.note((n % 2 == 0).then_some(&FetchError::Status(404))));
        reach.check(share_max).is_ok()
    }

    #[test]
    fn faults_of_the_proxy_count_and_so_do_names_that_only_it_may_know() {
        let told = |error: &FetchError| {
            let reach = Reach::default();
            (0..1_000).for_each(|_| reach.note(Some(error)));
            reach.check(0.9).err().map(|fault| fault.to_string()).unwrap_or_default()
        };
        for error in [
            FetchError::ProxyUnreachable { detail: String::new(), is_lasting: false },
            FetchError::ProxyRefused(407),
            FetchError::ProxyFailed(502),
        ] {
            assert!(told(&error).contains("1000 through the proxy"), "{error}");
        }
        assert!(told(&FetchError::Unjudged(Box::new(FetchError::Dns))).contains("fetch.proxy_names"));
        assert_eq!(told(&FetchError::Dns), "", "names that do not exist are the list's own");
        assert!(!told(&FetchError::ProxyFailed(502)).contains("fetch.proxy_names"));
    }

    #[test]
    fn a_network_that_is_down_is_told_from_a_list_that_is_old() {
        assert!(judged(300, 200, 500, 0.9), "half is gone");
        assert!(judged(900, 0, 100, 0.9));
        assert!(!judged(901, 0, 99, 0.9) && !judged(500, 500, 0, 0.9));
        assert!(judged(999, 0, 0, 0.9), "too few to tell");
        assert!(judged(5_000, 0, 0, 1.0));
    }
}
