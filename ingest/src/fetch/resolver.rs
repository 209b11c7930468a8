//! The resolver: names to addresses, of which the guard may take some away.
//!
//! A cache of its own and a bound on what is asked at once keep a site's name servers alive; an
//! answer that does not come is told from a name that does not exist, since an overloaded
//! resolver is no link rot. The check of addresses belongs here and not before the request: a
//! name could resolve to another address when it is asked a second time.

use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use corpus::handles;
use hickory_resolver::TokioResolver;
use hickory_resolver::config::{
    ConnectionConfig, LookupIpStrategy, NameServerConfig, ResolveHosts, ResolverConfig, ResolverOpts,
};
use hickory_resolver::net::runtime::TokioRuntimeProvider;
use hickory_resolver::net::{DnsError, NetError};
use reqwest::dns::{Addrs, Name, Resolve, Resolving};
use serde::{Deserialize, Serialize};
use tokio::sync::{OnceCell, Semaphore};

use super::FetchError;
use super::config::secs;
use super::guard::Guard;

/// Answers that are kept at most, whatever is configured.
const CACHE_ENTRIES_MAX: u64 = 1 << 24;
/// Names that are asked for at once at most, whatever is configured.
const INFLIGHT_MAX: u32 = 1 << 12;
/// Shortest time for which an answer is kept: one list asks for one host again and again.
const KEPT_MIN: Duration = Duration::from_secs(60);

/// `[fetch.dns]`: how names are resolved.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct DnsConfig {
    /// Name servers as `address:port`. If empty, the system's are used.
    pub servers: Vec<SocketAddr>,
    /// Maximum number of concurrent look-ups.
    pub inflight_max: u32,
    /// Maximum number of cached answers.
    pub cache_entries_max: u64,
    /// Timeout for a name server's answer, in seconds.
    pub timeout_secs: f64,
    /// Maximum number of retries per look-up.
    pub retries_max: u32,
}

impl Default for DnsConfig {
    fn default() -> Self {
        Self {
            servers: Vec::new(),
            inflight_max: 64,
            cache_entries_max: 65_536,
            timeout_secs: 5.0,
            retries_max: 2,
        }
    }
}

impl DnsConfig {
    pub(super) fn validate(&self) -> Result<(), String> {
        let within = |name: &str, value: u64, max: u64| match (1..=max).contains(&value) {
            true => Ok(()),
            false => Err(format!("dns.{name} is {value}, must be from 1 to {max}")),
        };
        within("inflight_max", self.inflight_max.into(), INFLIGHT_MAX.into())?;
        within("cache_entries_max", self.cache_entries_max, CACHE_ENTRIES_MAX)?;
        match self.timeout_secs > 0.0 && self.timeout_secs <= 60.0 && self.retries_max <= 10 {
            true => Ok(()),
            false => Err("dns.timeout_secs must be within 0 and 60, dns.retries_max at most 10".to_owned()),
        }
    }

    fn options(&self, options: &mut ResolverOpts) {
        options.timeout = secs(self.timeout_secs);
        options.attempts = self.retries_max as usize;
        options.cache_size = self.cache_entries_max;
        options.positive_min_ttl = Some(KEPT_MIN);
        options.negative_min_ttl = Some(KEPT_MIN);
        options.max_active_requests = self.inflight_max as usize * 2;
        options.use_hosts_file = ResolveHosts::Always;
        options.ip_strategy = LookupIpStrategy::Ipv4AndIpv6;
        // A list's names are whole: what a site appends to short names is not meant.
        options.ndots = 0;
    }
}

/// One cache of names for all connection pools.
pub(super) struct Names {
    config: DnsConfig,
    patience: Duration,
    inflight: Semaphore,
    resolver: OnceCell<TokioResolver>,
}

impl Names {
    /// Returns a cache whose look-ups take so long at most: a connection is not waited for any longer.
    pub(super) fn new(config: &DnsConfig, patience: Duration) -> Self {
        Self {
            config: config.clone(),
            patience,
            inflight: Semaphore::new(config.inflight_max as usize),
            resolver: OnceCell::new(),
        }
    }

    /// Made when the first name is asked for, within the runtime; a run on addresses alone needs none.
    fn build(&self) -> Result<TokioResolver, NetError> {
        let mut builder = if self.config.servers.is_empty() {
            TokioResolver::builder_tokio()?
        } else {
            let server = |address: &SocketAddr| {
                let connections = [ConnectionConfig::udp(), ConnectionConfig::tcp()].map(|mut connection| {
                    connection.port = address.port();
                    connection
                });
                NameServerConfig::new(address.ip(), true, connections.into())
            };
            let servers = self.config.servers.iter().map(server).collect();
            let config = ResolverConfig::from_parts(None, Vec::new(), servers);
            TokioResolver::builder_with_config(config, TokioRuntimeProvider::default())
        };
        self.config.options(builder.options_mut());
        builder.build()
    }

    /// Returns the addresses of a name, of which none is judged.
    pub(super) async fn look_up(&self, name: &str) -> Result<Vec<IpAddr>, FetchError> {
        let resolver = self.resolver.get_or_try_init(|| async { self.build() }).await;
        let resolver = resolver.map_err(|error| classify(&error))?;
        let look_up = async {
            let _turn = self.inflight.acquire().await;
            resolver.lookup_ip(name).await
        };
        match tokio::time::timeout(self.patience, look_up).await {
            Ok(Ok(found)) => Ok(found.iter().collect()),
            Ok(Err(error)) => Err(classify(&error)),
            Err(_) => Err(FetchError::DnsFailed("no answer in time".to_owned())),
        }
    }
}

/// Tells a name that has no address from a resolver that gave no answer.
fn classify(error: &NetError) -> FetchError {
    match error {
        NetError::Io(error) if handles::are_exhausted(error) => FetchError::OutOfHandles,
        NetError::Dns(DnsError::NoRecordsFound(_)) | NetError::Proto(_) => FetchError::Dns,
        error => FetchError::DnsFailed(error.to_string()),
    }
}

/// The resolver of one connection pool.
#[derive(Clone)]
pub(super) struct Resolver {
    pub(super) names: Arc<Names>,
    /// Takes away what records may not reach; absent for what the configuration names.
    pub(super) guard: Option<Arc<Guard>>,
}

impl Resolver {
    /// Returns the addresses of a name that may be reached.
    pub(super) async fn addresses(&self, name: &str) -> Result<Vec<IpAddr>, FetchError> {
        keep(self.look_up(name).await?, self.guard.as_deref(), name)
    }

    /// Judges a name for somebody else to resolve, who may choose any of its addresses: all must be ones that may be
    /// reached.
    pub(super) async fn judge(&self, name: &str) -> Result<(), FetchError> {
        keep_all(self.look_up(name).await?, self.guard.as_deref(), name)
    }

    async fn look_up(&self, name: &str) -> Result<Vec<IpAddr>, FetchError> {
        match &self.guard {
            // Names of records are whole: a search domain would turn them into a site's own.
            Some(_) => self.names.look_up(&format!("{}.", name.trim_end_matches('.'))).await,
            None => self.names.look_up(name).await,
        }
    }
}

impl Resolve for Resolver {
    fn resolve(&self, name: Name) -> Resolving {
        let resolver = self.clone();
        Box::pin(async move {
            let kept = resolver.addresses(name.as_str()).await?;
            Ok(Box::new(kept.into_iter().map(|ip| SocketAddr::new(ip, 0))) as Addrs)
        })
    }
}

fn keep(found: Vec<IpAddr>, guard: Option<&Guard>, name: &str) -> Result<Vec<IpAddr>, FetchError> {
    if found.is_empty() {
        return Err(FetchError::Dns);
    }
    let passes = |address: &IpAddr| guard.is_none_or(|guard| guard.passes(*address));
    let kept: Vec<IpAddr> = found.into_iter().filter(passes).collect();
    match kept.is_empty() {
        true => Err(FetchError::AddressRefused(name.to_owned())),
        false => Ok(kept),
    }
}

fn keep_all(found: Vec<IpAddr>, guard: Option<&Guard>, name: &str) -> Result<(), FetchError> {
    let count = found.len();
    match keep(found, guard, name)?.len() == count {
        true => Ok(()),
        false => Err(FetchError::AddressRefused(name.to_owned())),
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use std::net::Ipv4Addr;

    #[test]
    fn a_name_that_resolves_to_private_addresses_is_refused() {
        let private = IpAddr::V4(Ipv4Addr::new(10, 0, 0, 1));
        let public = IpAddr::V4(Ipv4Addr::new(1, 1, 1, 1));
        let refused = Err(FetchError::AddressRefused("rebound.example".into()));
        let guard = Guard::new(&["1.0.0.0/24".to_owned()]).unwrap();
        let denied = IpAddr::V4(Ipv4Addr::new(1, 0, 0, 1));
        assert_eq!(keep(vec![private, denied], Some(&guard), "rebound.example"), refused);
        assert_eq!(keep(vec![private, public, denied], Some(&guard), "a"), Ok(vec![public]));
        assert_eq!(keep(vec![private], None, "a"), Ok(vec![private]));
        assert_eq!(keep(vec![], None, "a"), Err(FetchError::Dns));
        // A proxy that is told the name may choose either.
        assert!(keep_all(vec![private, public], Some(&guard), "rebound.example").is_err());
        assert_eq!(keep_all(vec![public, public], Some(&guard), "a"), Ok(()));
        assert_eq!(keep_all(vec![], Some(&guard), "a"), Err(FetchError::Dns));
    }

    #[test]
    fn a_resolver_without_an_answer_is_no_missing_name() {
        assert_eq!(classify(&NetError::Timeout).reason(), "dns_failed");
        assert!(classify(&NetError::Busy).is_transient());
    }

    #[test]
    fn impossible_settings_are_named() {
        let broken = DnsConfig { inflight_max: 0, ..DnsConfig::default() };
        assert!(broken.validate().is_err_and(|error| error.contains("dns.inflight_max")));
        assert!(DnsConfig { timeout_secs: 0.0, ..DnsConfig::default() }.validate().is_err());
        assert_eq!(DnsConfig::default().validate(), Ok(()));
    }
}
