//! The address guard: which URLs and addresses a record may not make us ask.
//!
//! A caption row or a web page is written by strangers; without a guard it could make a
//! download node talk to its own services or to its cloud's metadata address.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use url::{Host, Url};

use super::FetchError;

/// Longest URL that is looked at, in bytes: what servers accept ends far below.
pub const URL_BYTES_MAX: usize = 16 << 10;

/// IPv4 networks that are not public (IANA special-purpose registry).
const PRIVATE_V4: [(Ipv4Addr, u32); 15] = [
    (Ipv4Addr::new(0, 0, 0, 0), 8),
    (Ipv4Addr::new(10, 0, 0, 0), 8),
    (Ipv4Addr::new(100, 64, 0, 0), 10),
    (Ipv4Addr::new(127, 0, 0, 0), 8),
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
/// An IPv6 address that embeds an IPv4 one (mapped, NAT64, 6to4) is judged by it.
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
    let bits = address.to_bits();
    if let Some(embedded) = address.to_ipv4_mapped() {
        return is_public_v4(embedded);
    }
    match address.segments() {
        // NAT64 (RFC 6052): the last 32 bits.
        [0x64, 0xff9b, 0, 0, 0, 0, _, _] => is_public_v4(Ipv4Addr::from_bits(bits as u32)),
        // 6to4 (RFC 3056): the 32 bits after the prefix.
        [0x2002, ..] => is_public_v4(Ipv4Addr::from_bits((bits >> 80) as u32)),
        _ => {
            let within =
                |(network, prefix): &(Ipv6Addr, u32)| (bits ^ network.to_bits()) >> (128 - prefix) == 0;
            // Global unicast is 2000::/3; all else is local, multicast or unassigned.
            bits >> 125 == 1 && !PRIVATE_V6.iter().any(within)
        }
    }
}

/// Returns true if and only if the host is refused before any name is resolved.
pub fn refuses(host: &Host<&str>) -> bool {
    match host {
        Host::Ipv4(address) => !is_public_v4(*address),
        Host::Ipv6(address) => !is_public_v6(*address),
        Host::Domain(name) => {
            let name = name.trim_end_matches('.').to_ascii_lowercase();
            PRIVATE_NAMES.iter().any(|private| {
                name.strip_suffix(private).is_some_and(|rest| rest.is_empty() || rest.ends_with('.'))
            })
        }
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
        "http" | "https" if url.host().is_some() => Ok(url),
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
            assert!(refuses(&url.host().unwrap()), "{host} became {url}");
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
            "example.org",
            "notlocalhost",
            "local.example.org",
            "internal.example.org",
        ] {
            let url = parse(&format!("http://{host}/x")).unwrap();
            assert!(!refuses(&url.host().unwrap()), "{host} became {url}");
        }
    }

    #[test]
    fn what_is_no_web_url_is_told_apart() {
        for text in ["", "images/a.png", "http://?a", "https://[::1/x", "http://a<>b/", "http://h:99999/"] {
            assert_eq!(parse(text), Err(FetchError::UrlInvalid), "{text}");
        }
        for text in ["ftp://h/a", "data:image/png;base64,AA", "file:///etc/passwd", "javascript:1"] {
            assert_eq!(parse(text).unwrap_err().reason(), "scheme_refused", "{text}");
        }
        assert!(parse(&format!("http://h/{}", "a".repeat(URL_BYTES_MAX))).is_err());
    }
}
