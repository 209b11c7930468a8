//! Further request headers that the configuration gives single hosts.

use std::collections::BTreeMap;

use reqwest::header::{HeaderMap, HeaderName, HeaderValue};
use url::Host;

use super::guard::whole;
use super::hidden::Hidden;

/// Hosts that may have headers, headers of one of them, and bytes of one's value.
const HOSTS_MAX: usize = 1_024;
const HEADERS_MAX: usize = 32;
const VALUE_BYTES_MAX: usize = 4 << 10;
/// What stands before a domain whose hosts are meant.
const BELOW: &str = "*.";

/// Headers that say how a message is sent or what part of a body is wanted: the client's own affair.
const OURS: [&str; 18] = [
    "accept-encoding",
    "connection",
    "content-length",
    "content-encoding",
    "expect",
    "host",
    "if-match",
    "if-modified-since",
    "if-none-match",
    "if-range",
    "if-unmodified-since",
    "keep-alive",
    "range",
    "te",
    "trailer",
    "transfer-encoding",
    "upgrade",
    "user-agent",
];
/// Beginning of the names of headers that are for proxies.
const OF_PROXIES: &str = "proxy-";
/// Parts of the names of headers whose values are secrets.
const SECRET: [&str; 6] = ["auth", "cookie", "key", "secret", "session", "token"];

/// Headers by host, as `fetch.headers` has them.
pub type HeadersConfig = BTreeMap<String, BTreeMap<String, Hidden>>;

/// The headers of all hosts that have any.
#[derive(Debug, Clone, Default)]
pub(super) struct HostHeaders(BTreeMap<String, HeaderMap>);

impl HostHeaders {
    /// Reads the setting.
    ///
    /// # Errors
    /// The first host or header that cannot be, and why; never a value.
    pub(super) fn new(config: &HeadersConfig) -> Result<Self, String> {
        if config.len() > HOSTS_MAX {
            return Err(format!("headers has {} hosts, at most {HOSTS_MAX} may have some", config.len()));
        }
        let mut hosts = BTreeMap::new();
        for (host, headers) in config {
            let refused = |name: &str, problem: String| format!("headers.{host:?}{name}: {problem}");
            let key = key(host).ok_or_else(|| {
                refused("", "must be a host such as \"img.example.com\" or \"*.example.com\"".to_owned())
            })?;
            if headers.len() > HEADERS_MAX {
                let problem = format!("{} headers, a host has at most {HEADERS_MAX}", headers.len());
                return Err(refused("", problem));
            }
            let map: &mut HeaderMap = hosts.entry(key).or_default();
            for (name, value) in headers {
                let (name, value) =
                    header(name, value.get()).map_err(|problem| refused(&format!(".{name}"), problem))?;
                map.insert(name, value);
            }
        }
        Ok(Self(hosts))
    }

    /// Returns the headers for a host: of the entry that names it, else of the nearest domain above it. Those whose
    /// values are secrets are among them only if they are asked for.
    pub(super) fn of(&self, host: &str, with_secrets: bool) -> HeaderMap {
        if self.0.is_empty() {
            return HeaderMap::new();
        }
        let host = whole(host);
        let above = std::iter::successors(host.split_once('.'), |(_, above)| above.split_once('.'));
        let entries = above.map(|(_, above)| self.0.get(&format!("{BELOW}{above}")));
        let found = std::iter::once(self.0.get(&host)).chain(entries).flatten().next();
        let sent = |(name, _): &(&HeaderName, &HeaderValue)| with_secrets || !is_secret(name);
        let headers = found.into_iter().flatten().filter(sent);
        headers.map(|(name, value)| (name.clone(), value.clone())).collect()
    }
}

/// Returns a host in the form in which URLs have it.
fn key(host: &str) -> Option<String> {
    let (below, name) = match host.strip_prefix(BELOW) {
        Some(name) => (BELOW, name),
        None => ("", host),
    };
    match Host::parse(name).ok()? {
        Host::Domain(name) if !name.contains('*') => Some(format!("{below}{}", whole(&name))),
        address @ (Host::Ipv4(_) | Host::Ipv6(_)) if below.is_empty() => Some(address.to_string()),
        _ => None,
    }
}

fn header(name: &str, value: &str) -> Result<(HeaderName, HeaderValue), String> {
    let name = HeaderName::from_bytes(name.as_bytes()).map_err(|_| "is no name of a header".to_owned())?;
    if name == "user-agent" {
        return Err("is set for all hosts by fetch.user_agent".to_owned());
    }
    if OURS.contains(&name.as_str()) || name.as_str().starts_with(OF_PROXIES) {
        return Err("is set by the client itself; leave it out".to_owned());
    }
    if value.len() > VALUE_BYTES_MAX {
        return Err(format!("has {} bytes, at most {VALUE_BYTES_MAX} are sent", value.len()));
    }
    let mut value = HeaderValue::from_str(value).map_err(|_| "its value cannot be sent".to_owned())?;
    value.set_sensitive(true);
    Ok((name, value))
}

fn is_secret(name: &HeaderName) -> bool {
    SECRET.iter().any(|part| name.as_str().contains(part))
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    fn config(entries: &[(&str, &str, &str)]) -> HeadersConfig {
        let mut config = HeadersConfig::new();
        for (host, name, value) in entries {
            config.entry((*host).to_owned()).or_default().insert((*name).to_owned(), Hidden::from(*value));
        }
        config
    }

    #[test]
    fn the_entry_nearest_to_a_host_decides() {
        let headers = HostHeaders::new(&config(&[
            ("Img.Example.com", "Referer", "exact"),
            ("*.example.com", "Referer", "below"),
            ("*.a.example.com", "Referer", "nearer"),
            ("[::1]", "Referer", "address"),
        ]))
        .unwrap();
        let of = |host: &str| {
            let found = headers.of(host, false);
            found.get("referer").map_or("-", |value| value.to_str().unwrap()).to_owned()
        };
        assert_eq!((of("img.example.com"), of("b.example.com")), ("exact".into(), "below".into()));
        assert_eq!((of("x.img.example.com"), of("x.a.example.com")), ("below".into(), "nearer".into()));
        assert_eq!(
            (of("example.com"), of("evil-example.com"), of("com")),
            ("-".into(), "-".into(), "-".into())
        );
        assert_eq!((of("[::1]"), of("img.example.com.")), ("address".into(), "exact".into()));
    }

    #[test]
    fn secrets_are_given_to_who_asks_for_them_and_shown_to_nobody() {
        let config = config(&[
            ("h.example", "Authorization", "Bearer s3cr3t"),
            ("h.example", "X-Api-Key", "s3cr3t"),
            ("h.example", "Referer", "r"),
        ]);
        let headers = HostHeaders::new(&config).unwrap();
        assert_eq!((headers.of("h.example", true).len(), headers.of("h.example", false).len()), (3, 1));
        assert!(!format!("{config:?} {headers:?}").contains("s3cr3t"));
    }

    #[test]
    fn what_may_not_be_set_is_refused_by_name() {
        for (host, name, value, expected) in [
            ("h.example", "Host", "x", "headers.\"h.example\".Host: is set by the client"),
            ("h.example", "content-length", "5", "content-length: is set by the client"),
            ("h.example", "Transfer-Encoding", "chunked", "is set by the client"),
            ("h.example", "Connection", "close", "is set by the client"),
            ("h.example", "Range", "bytes=0-1", "is set by the client"),
            ("h.example", "Proxy-Authorization", "x", "is set by the client"),
            ("h.example", "User-Agent", "x", "fetch.user_agent"),
            ("h.example", "Bad Name", "x", "no name of a header"),
            ("h.example", "X-A", "s3cr3t\r\nHost: evil", "cannot be sent"),
            ("h.example/path", "X-A", "s3cr3t", "must be a host"),
            ("h.example:80", "X-A", "s3cr3t", "must be a host"),
            ("a.*.example", "X-A", "s3cr3t", "must be a host"),
            ("*", "X-A", "s3cr3t", "must be a host"),
            ("*.10.0.0.1", "X-A", "s3cr3t", "must be a host"),
        ] {
            let error = HostHeaders::new(&config(&[(host, name, value)])).unwrap_err();
            assert!(error.contains(expected), "{error}");
            assert!(!error.contains("s3cr3t"), "{error}");
        }
        let long = "x".repeat(VALUE_BYTES_MAX);
        assert!(HostHeaders::new(&config(&[("h.example", "X-A", &long)])).is_ok());
        let error = HostHeaders::new(&config(&[("h.example", "X-A", &(long + "x"))])).unwrap_err();
        assert!(error.contains("at most 4096"), "{error}");
        let names: Vec<String> = (0..=HEADERS_MAX).map(|n| format!("X-{n}")).collect();
        let many: Vec<_> = names.iter().map(|name| ("h.example", name.as_str(), "x")).collect();
        assert!(HostHeaders::new(&config(&many[1..])).is_ok());
        assert!(HostHeaders::new(&config(&many)).unwrap_err().contains("at most 32"));
        let hosts: Vec<String> = (0..=HOSTS_MAX).map(|n| format!("{n}.example")).collect();
        let many: Vec<_> = hosts.iter().map(|host| (host.as_str(), "X-A", "x")).collect();
        assert!(HostHeaders::new(&config(&many)).unwrap_err().contains("at most 1024"));
    }
}
