//! `NO_PROXY`: the hosts that are asked directly although there is a proxy.

use std::net::IpAddr;

use ipnet::IpNet;
use url::Host;

use super::guard::{is_below, unmapped, whole};

/// Entries of the list that are read.
const ENTRIES_MAX: usize = 4_096;

/// The list.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct NoProxy {
    is_all: bool,
    entries: Vec<Entry>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
struct Entry {
    place: Place,
    /// The one port that is meant, if not all.
    port: Option<u16>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Place {
    Network(IpNet),
    /// A name, with all names below it.
    Domain(String),
}

impl NoProxy {
    /// Reads a list as curl does: `*` for all hosts, names (which include all names below them, with a dot in
    /// front or without), addresses and networks, separated by commas or blanks. An entry may also end in a port.
    /// What is none of these is skipped.
    pub(super) fn parse(text: &str) -> Self {
        let mut list = Self::default();
        let entries = text.split(|c: char| c == ',' || c.is_whitespace()).filter(|entry| !entry.is_empty());
        for entry in entries.take(ENTRIES_MAX) {
            match entry {
                "*" => list.is_all = true,
                entry => list.entries.extend(Entry::parse(entry)),
            }
        }
        list
    }

    /// Returns true if and only if the host is asked directly at this port.
    pub(super) fn covers(&self, host: &Host<&str>, port: u16) -> bool {
        let is_meant = |entry: &Entry| entry.port.is_none_or(|own| own == port) && entry.place.contains(host);
        self.is_all || self.entries.iter().any(is_meant)
    }
}

impl Entry {
    fn parse(text: &str) -> Option<Self> {
        // First as a whole: an IPv6 address has colons too.
        if let Some(place) = Place::parse(text) {
            return Some(Self { place, port: None });
        }
        let (place, port) = text.rsplit_once(':')?;
        Some(Self { place: Place::parse(place)?, port: Some(port.parse().ok()?) })
    }
}

impl Place {
    fn parse(text: &str) -> Option<Self> {
        let address = text.trim_start_matches('[').trim_end_matches(']').parse::<IpAddr>();
        if let Ok(network) = text.parse::<IpNet>().or_else(|_| address.map(IpNet::from)) {
            return Some(Self::Network(unmapped(network)));
        }
        let name = text.strip_prefix("*.").or(text.strip_prefix('.')).unwrap_or(text);
        match Host::parse(name).ok()? {
            Host::Domain(name) => Some(Self::Domain(whole(&name))),
            Host::Ipv4(address) => Some(Self::Network(IpAddr::V4(address).into())),
            Host::Ipv6(_) => None,
        }
    }

    fn contains(&self, host: &Host<&str>) -> bool {
        match (self, host) {
            (Self::Domain(domain), Host::Domain(name)) => is_below(&whole(name), domain),
            (Self::Network(network), Host::Ipv4(address)) => network.contains(&IpAddr::V4(*address)),
            (Self::Network(network), Host::Ipv6(address)) => network.contains(&address.to_canonical()),
            _ => false,
        }
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    fn covers(list: &str, url: &str) -> bool {
        let url = url::Url::parse(url).unwrap();
        NoProxy::parse(list).covers(&url.host().unwrap(), url.port_or_known_default().unwrap())
    }

    #[test]
    fn names_mean_all_below_them_and_nothing_beside() {
        for list in
            ["corp.example", ".corp.example", "*.corp.example", "a.example, CORP.example.", "x corp.example"]
        {
            for host in ["corp.example", "wiki.corp.example", "WIKI.Corp.Example."] {
                assert!(covers(list, &format!("https://{host}/")), "{list}: {host}");
            }
            for host in ["acorp.example", "corp.example.org", "example", "10.0.0.1"] {
                assert!(!covers(list, &format!("https://{host}/")), "{list}: {host}");
            }
        }
        assert!(covers("*", "http://any.example/") && covers("a,*", "http://1.1.1.1/"));
        assert!(!covers("", "http://any.example/") && !covers(" , ", "http://any.example/"));
    }

    #[test]
    fn addresses_and_networks_mean_hosts_that_are_addresses() {
        let list = "10.0.0.0/8,192.0.2.7,[2001:db8::1],2606:4700::/32,::ffff:9.9.0.0/112";
        for host in
            ["10.1.2.3", "192.0.2.7", "[2001:db8::1]", "[2606:4700::9]", "9.9.1.1", "[::ffff:10.1.2.3]"]
        {
            assert!(covers(list, &format!("http://{host}/")), "{host}");
        }
        for host in ["11.0.0.1", "192.0.2.8", "[2001:db8::2]", "[2607::1]", "9.8.1.1", "ten.example"] {
            assert!(!covers(list, &format!("http://{host}/")), "{host}");
        }
    }

    #[test]
    fn a_port_is_the_one_that_is_meant() {
        let list = "corp.example:8080,10.0.0.1:80,[::1]:443,wrong:port,a b:99999999";
        for url in
            ["http://corp.example:8080/", "http://x.corp.example:8080/", "http://10.0.0.1/", "https://[::1]/"]
        {
            assert!(covers(list, url), "{url}");
        }
        for url in ["http://corp.example/", "https://10.0.0.1/", "http://[::1]/", "http://wrong/"] {
            assert!(!covers(list, url), "{url}");
        }
        assert!(covers("a", "http://a/"), "what cannot be read is skipped alone");
    }

    #[test]
    fn a_list_is_bounded() {
        let list = "x.example,".repeat(ENTRIES_MAX) + "last.example";
        assert!(!covers(&list, "http://last.example/"));
    }
}
