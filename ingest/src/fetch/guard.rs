//! The address guard: which URLs and addresses a record may not make us ask.
//!
//! A caption row or a web page is written by strangers; without a guard it could make a
//! download node talk to its own services or to its cloud's metadata address.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use ipnet::{IpNet, Ipv4Net};
use url::{Host, Url};

use super::FetchError;

/// Longest URL that is looked at, in bytes: what servers accept ends far below.
pub const URL_BYTES_MAX: usize = 16 << 10;

/// IPv4 networks that are not public (IANA special-purpose registry).
const PRIVATE_V4: [(Ipv4Addr, u32); 16] = [
    (Ipv4Addr::new(0, 0, 0, 0), 8),
    (Ipv4Addr::new(10, 0, 0, 0), 8),
    (Ipv4Addr::new(100, 64, 0, 0), 10),
    (Ipv4Addr::new(127, 0, 0, 0), 8),
    // Public by number, and the platform's own services from within Azure.
    (Ipv4Addr::new(168, 63, 129, 16), 32),
    (Ipv4Addr::new(169, 254, 0, 0), 16),
    (Ipv4Addr::new(172, 16, 0, 0), 12),
    (Ipv4Addr::new(192, 0, 0, 0), 24),
    (Ipv4Addr::new(192, 0, 2, 0), 24),
    (Ipv4Addr::new(192, 88, 99, 0), 24),
    (Ipv4Addr::new(192, 168, 0, 0), 16),
    (Ipv4Addr::new(198, 18, 0, 0), 15),
    (Ipv4Addr::new(198, 51, 100, 0), 24),
    (Ipv4Addr::new(203, 0, 113, 0), 24),
    (Ipv4Addr::new(224, 0, 0, 0), 4),
    (Ipv4Addr::new(240, 0, 0, 0), 4),
];

/// Networks within global unicast IPv6 that are not public.
const PRIVATE_V6: [(Ipv6Addr, u32); 3] = [
    // Teredo and the other protocol assignments.
    (Ipv6Addr::new(0x2001, 0, 0, 0, 0, 0, 0, 0), 23),
    (Ipv6Addr::new(0x2001, 0xdb8, 0, 0, 0, 0, 0, 0), 32),
    (Ipv6Addr::new(0x3fff, 0, 0, 0, 0, 0, 0, 0), 20),
];

/// Names that stand for this machine or a local network, whatever they resolve to.
const PRIVATE_NAMES: [&str; 4] = ["localhost", "local", "internal", "home.arpa"];

/// Returns true if and only if the address is one of the public internet.
///
/// An IPv6 address that embeds an IPv4 one (mapped, NAT64, 6to4) is judged by it, one with an interface of ISATAP by both.
pub fn is_public(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(address) => is_public_v4(address),
        IpAddr::V6(address) => is_public_v6(address),
    }
}

fn is_public_v4(address: Ipv4Addr) -> bool {
    let within =
        |(network, prefix): &(Ipv4Addr, u32)| (address.to_bits() ^ network.to_bits()) >> (32 - prefix) == 0;
    !PRIVATE_V4.iter().any(within)
}

fn is_public_v6(address: Ipv6Addr) -> bool {
    if let Some(embedded) = embedded(address) {
        return is_public_v4(embedded);
    }
    if !behind(address).is_none_or(is_public_v4) {
        return false;
    }
    let bits = address.to_bits();
    let within = |(network, prefix): &(Ipv6Addr, u32)| (bits ^ network.to_bits()) >> (128 - prefix) == 0;
    // Global unicast is 2000::/3; all else is local, multicast or unassigned.
    bits >> 125 == 1 && !PRIVATE_V6.iter().any(within)
}

/// Returns the IPv4 address that an IPv6 one embeds: mapped, NAT64 (RFC 6052) or 6to4 (RFC 3056).
fn embedded(address: Ipv6Addr) -> Option<Ipv4Addr> {
    let bits = address.to_bits();
    match address.segments() {
        [0x64, 0xff9b, 0, 0, 0, 0, _, _] => Some(Ipv4Addr::from_bits(bits as u32)),
        [0x2002, ..] => Some(Ipv4Addr::from_bits((bits >> 80) as u32)),
        _ => address.to_ipv4_mapped(),
    }
}

/// Returns the IPv4 address to which a router sends what is for an interface of ISATAP (RFC 5214, 6.1), whatever its
/// network is.
fn behind(address: Ipv6Addr) -> Option<Ipv4Addr> {
    match address.segments() {
        [_, _, _, _, 0 | 0x200, 0x5efe, _, _] => Some(Ipv4Addr::from_bits(address.to_bits() as u32)),
        _ => None,
    }
}

/// What records may not reach: all that is not public, and what a site denies beside it.
#[derive(Debug, Clone, Default)]
pub struct Guard {
    networks: Vec<IpNet>,
    names: Vec<String>,
}

impl Guard {
    /// Makes a guard that also denies these addresses, networks (`10.0.0.0/8`) and domains.
    ///
    /// # Errors
    /// The first entry that is none of them.
    pub fn new(deny: &[String]) -> Result<Self, String> {
        let mut guard = Self::default();
        for entry in deny {
            let address = entry.trim_start_matches('[').trim_end_matches(']').parse::<IpAddr>();
            if let Ok(network) = entry.parse::<IpNet>().or_else(|_| address.map(IpNet::from)) {
                guard.networks.push(unmapped(network));
                continue;
            }
            // A domain stands for all below it, also where it is written so.
            let domain = entry.strip_prefix("*.").or(entry.strip_prefix('.')).unwrap_or(entry);
            match Host::parse(domain) {
                Ok(Host::Domain(name)) if is_name(&name) => guard.names.push(whole(&name)),
                _ => {
                    return Err(format!(
                        "deny: {entry:?} must be a network such as \"192.0.2.0/24\", an address or a domain"
                    ));
                }
            }
        }
        Ok(guard)
    }

    /// Returns true if and only if records may reach the address.
    pub fn passes(&self, address: IpAddr) -> bool {
        let inner = match address {
            IpAddr::V6(address) => embedded(address).or(behind(address)).map(IpAddr::V4),
            IpAddr::V4(_) => None,
        };
        let is_denied = |address: &IpAddr| self.networks.iter().any(|network| network.contains(address));
        is_public(address) && !is_denied(&address) && !inner.as_ref().is_some_and(is_denied)
    }

    /// Returns true if and only if the host is refused before any name is resolved.
    pub fn refuses(&self, host: &Host<&str>) -> bool {
        match host {
            Host::Ipv4(address) => !self.passes((*address).into()),
            Host::Ipv6(address) => !self.passes((*address).into()),
            Host::Domain(name) => {
                let name = whole(name);
                let mut domains = PRIVATE_NAMES.into_iter().chain(self.names.iter().map(String::as_str));
                domains.any(|domain| is_below(&name, domain))
            }
        }
    }
}

/// Returns true if and only if what is sent to the host never leaves this machine.
pub(super) fn is_loopback(host: &Host<&str>) -> bool {
    match host {
        Host::Ipv4(address) => address.is_loopback(),
        Host::Ipv6(address) => address.is_loopback(),
        Host::Domain(name) => name.eq_ignore_ascii_case("localhost"),
    }
}

/// Returns true for a domain and all names below it, each as [`whole`] gives it.
pub(super) fn is_below(name: &str, domain: &str) -> bool {
    name.strip_suffix(domain).is_some_and(|rest| rest.is_empty() || rest.ends_with('.'))
}

/// Returns the IPv4 network that a network of mapped addresses stands for; any other as it is.
pub(super) fn unmapped(network: IpNet) -> IpNet {
    /// Bits before the IPv4 address in a mapped one.
    const BEFORE: u8 = 96;
    let IpNet::V6(mapped) = network else { return network };
    let inner = mapped.network().to_ipv4_mapped().zip(mapped.prefix_len().checked_sub(BEFORE));
    let inner = inner.and_then(|(address, prefix)| Ipv4Net::new(address, prefix).ok());
    inner.map_or(network, IpNet::V4)
}

/// Returns true for names whose labels are all there and are nothing but names.
fn is_name(name: &str) -> bool {
    let is_label = |label: &str| {
        !label.is_empty() && label.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '-' | '_'))
    };
    name.trim_end_matches('.').split('.').all(is_label)
}

/// Returns a name as names are compared.
pub(super) fn whole(name: &str) -> String {
    name.trim_end_matches('.').to_ascii_lowercase()
}

/// Tells a name without an empty label, `..` above all, and every address.
fn is_host(host: &Host<&str>) -> bool {
    match host {
        Host::Domain(name) => {
            name.strip_suffix('.').unwrap_or(name).split('.').all(|label| !label.is_empty())
        }
        Host::Ipv4(_) | Host::Ipv6(_) => true,
    }
}

/// Parses a URL that may be asked for at all: absolute, http or https, with a host.
///
/// # Errors
/// [`FetchError::UrlInvalid`] or [`FetchError::SchemeRefused`].
pub fn parse(text: &str) -> Result<Url, FetchError> {
    if text.len() > URL_BYTES_MAX {
        return Err(FetchError::UrlInvalid);
    }
    let url = Url::parse(text.trim()).map_err(|_| FetchError::UrlInvalid)?;
    match url.scheme() {
        "http" | "https" if url.host().is_some_and(|host| is_host(&host)) => Ok(url),
        "http" | "https" => Err(FetchError::UrlInvalid),
        scheme => Err(FetchError::SchemeRefused(scheme.to_owned())),
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn private_addresses_are_refused_in_every_spelling() {
        for host in [
            "127.0.0.1",
            "127.1",
            "0x7f000001",
            "2130706433",
            "017700000001",
            "0",
            "10.0.0.5",
            "100.64.0.1",
            "168.63.129.16",
            "2822734096",
            "[::ffff:168.63.129.16]",
            "169.254.169.254",
            "172.16.0.1",
            "172.31.255.255",
            "192.168.1.1",
            "192.0.2.7",
            "198.18.0.1",
            "224.0.0.1",
            "255.255.255.255",
            "[::]",
            "[::1]",
            "[::ffff:10.0.0.5]",
            "[::ffff:7f00:1]",
            "[::127.0.0.1]",
            "[64:ff9b::10.0.0.5]",
            "[64:ff9b:1::1]",
            "[2002:7f00:1::]",
            "[2a00:1450::5efe:7f00:1]",
            "[2a00:1450::200:5efe:10.0.0.1]",
            "[2001::1]",
            "[fc00::1]",
            "[fd00:ec2::254]",
            "[fe80::1]",
            "[fec0::1]",
            "[ff02::1]",
            "[2001:db8::1]",
            "localhost",
            "LOCALHOST.",
            "a.localhost",
            "printer.local",
            "metadata.google.internal",
            "%6cocalhost",
            "127。0。0。1",
        ] {
            let url = parse(&format!("http://{host}/x")).unwrap();
            assert!(Guard::default().refuses(&url.host().unwrap()), "{host} became {url}");
        }
    }

    #[test]
    fn public_addresses_pass() {
        for host in [
            "1.1.1.1",
            "172.15.255.255",
            "172.32.0.1",
            "100.128.0.1",
            "198.20.0.1",
            "223.255.255.1",
            "[2606:4700::1111]",
            "[::ffff:1.1.1.1]",
            "[64:ff9b::1.1.1.1]",
            "[2002:101:101::]",
            "[2a00:1450::5efe:1.1.1.1]",
            "example.org",
            "notlocalhost",
            "local.example.org",
            "internal.example.org",
        ] {
            let url = parse(&format!("http://{host}/x")).unwrap();
            assert!(!Guard::default().refuses(&url.host().unwrap()), "{host} became {url}");
        }
    }

    #[test]
    fn what_a_site_denies_is_refused_in_every_spelling_and_nothing_else() {
        let deny =
            ["8.8.0.0/16", "9.9.9.9", "2606:4700::/32", "[2620:fe::9]", "Corp.example."].map(str::to_owned);
        let guard = Guard::new(&deny).unwrap();
        let refuses = |host: &str| guard.refuses(&parse(&format!("http://{host}/")).unwrap().host().unwrap());
        for host in [
            "8.8.4.4",
            "0x08080404",
            "[::ffff:8.8.4.4]",
            "[64:ff9b::8.8.4.4]",
            "[2002:808:404::]",
            "[2a00:1450::5efe:8.8.4.4]",
            "9.9.9.9",
            "[2606:4700::1111]",
            "[2620:fe::9]",
            "corp.example",
            "wiki.CORP.example.",
            "10.0.0.1",
        ] {
            assert!(refuses(host), "{host}");
        }
        for host in ["8.9.0.1", "9.9.9.10", "[2620:fe::a]", "corp.example.org", "acorp.example"] {
            assert!(!refuses(host), "{host}");
        }
        let deny = ["*.one.example", ".two.example", "::ffff:9.9.8.0/120"].map(str::to_owned);
        let guard = Guard::new(&deny).unwrap();
        let refuses = |host: &str| guard.refuses(&parse(&format!("http://{host}/")).unwrap().host().unwrap());
        assert!(
            ["x.one.example", "one.example", "x.two.example", "9.9.8.7", "[::ffff:9.9.8.7]"]
                .into_iter()
                .all(refuses)
        );
        assert!(!refuses("9.9.9.7"));
        for wrong in [
            ".",
            "*",
            "a.*.example",
            "a..example",
            "8.8.0.0/33",
            "a b",
            "",
            "http://corp.example/",
            "corp.example/24",
        ] {
            let error = Guard::new(&[wrong.to_owned()]).unwrap_err();
            assert!(error.contains(&format!("{wrong:?}")), "{error}");
        }
    }

    #[test]
    fn what_is_no_web_url_is_told_apart() {
        for text in [
            "",
            "images/a.png",
            "http://?a",
            "https://[::1/x",
            "http://a<>b/",
            "http://h:99999/",
            "http://../x",
            "http://./x",
            "http://a..b/",
            "http://.a/",
            "http://a../",
        ] {
            assert_eq!(parse(text), Err(FetchError::UrlInvalid), "{text}");
        }
        for text in ["ftp://h/a", "data:image/png;base64,AA", "file:///etc/passwd", "javascript:1"] {
            assert_eq!(parse(text).unwrap_err().reason(), "scheme_refused", "{text}");
        }
        assert!(parse(&format!("http://h/{}", "a".repeat(URL_BYTES_MAX))).is_err());
    }
}
