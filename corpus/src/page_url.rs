//! A page's URL in the one spelling by which it is known, and the domain it belongs to.
//!
//! It is an identity, not an address: what is fetched keeps its query as a record gives it, as a
//! server may refuse a signed image whose parameters are not all there (`shard`'s `Address`).

use url::{Host, Url};

/// Bytes of a URL at most, before and after; browsers and crawls cut at about this length.
pub const URL_BYTES_MAX: usize = 8 << 10;

/// Query parameters that name a click or a campaign, in lower case.
const TRACKING: [&str; 26] = [
    "_ga",
    "_gl",
    "_hsenc",
    "_hsmi",
    "dclid",
    "fbclid",
    "gad_source",
    "gbraid",
    "gclid",
    "gclsrc",
    "igshid",
    "li_fat_id",
    "mc_cid",
    "mc_eid",
    "mkt_tok",
    "msclkid",
    "oly_anon_id",
    "oly_enc_id",
    "srsltid",
    "ttclid",
    "twclid",
    "vero_id",
    "wbraid",
    "wickedid",
    "yclid",
    "zanpid",
];
/// What a tracking parameter may begin with.
const TRACKING_PREFIXES: [&str; 2] = ["utm_", "hsa_"];
/// Query parameters that name a visit, in lower case.
const SESSION: [&str; 7] = ["cfid", "cftoken", "jsessionid", "phpsessid", "session_id", "sessionid", "zenid"];
/// What a parameter that names a visit may begin with.
const SESSION_PREFIX: &str = "aspsessionid";
/// Where a Java server puts a visit's name into the path.
const PATH_SESSION: &str = ";jsessionid=";

/// The canonical URL of a page: scheme and host in lower case, no user, default port, fragment,
/// dot segments, tracking or session parameters, and no needless percent-encoding (RFC 3986, 6.2.2
/// and 6.2.3; WHATWG URL). The order of the query is kept.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct PageUrl {
    text: String,
    host: (usize, usize),
    is_name: bool,
}

impl PageUrl {
    /// Returns the canonical form of an `http` or `https` URL, or `None` where the text is not one
    /// or has more than [`URL_BYTES_MAX`] bytes.
    pub fn of(text: &str) -> Option<Self> {
        if text.len() > URL_BYTES_MAX {
            return None;
        }
        let url = Url::parse(text).ok()?;
        if !matches!(url.scheme(), "http" | "https") {
            return None;
        }
        let is_name = matches!(url.host(), Some(Host::Domain(_)));
        // A name may end in a dot; without it, it is the same name.
        let host = url.host_str()?;
        let host = host.strip_suffix('.').unwrap_or(host);
        if host.is_empty() || host.ends_with('.') {
            return None;
        }
        let mut text = format!("{}://", url.scheme());
        let host_start = text.len();
        text.push_str(host);
        let host = (host_start, text.len());
        if let Some(port) = url.port() {
            text.push_str(&format!(":{port}"));
        }
        push_path(url.path(), &mut text);
        push_query(url.query().unwrap_or_default(), &mut text);
        (text.len() <= URL_BYTES_MAX).then_some(Self { text, host, is_name })
    }

    /// Returns the URL's text.
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// Returns the URL's text.
    pub fn into_string(self) -> String {
        self.text
    }

    /// Returns the text from the host on, without the scheme.
    pub fn without_scheme(&self) -> &str {
        &self.text[self.host.0..]
    }

    /// Returns the host: a name in ASCII, or an IP address.
    pub fn host(&self) -> &str {
        &self.text[self.host.0..self.host.1]
    }

    /// Tells whether the host is a name and not an IP address.
    pub fn has_name(&self) -> bool {
        self.is_name
    }

    /// Returns the domain that someone could register, by the public suffix list with its private
    /// part: `bbc.co.uk`, and `kosmos.github.io` as `github.io` is a suffix there. An IP address, or
    /// a suffix itself, has none.
    pub fn registrable_domain(&self) -> Option<&str> {
        psl::domain_str(self.host()).filter(|_| self.is_name)
    }
}

/// Pushes the path without a visit's name.
fn push_path(path: &str, out: &mut String) {
    // Letters of the mark may be of either case, which keeps every byte's place.
    let lower = path.to_ascii_lowercase();
    let session = lower.find(PATH_SESSION).unwrap_or(path.len());
    push_decoded(&path[..session], out);
}

/// Pushes what is left of a query, if anything is.
fn push_query(query: &str, out: &mut String) {
    let mut separator = '?';
    for parameter in query.split('&') {
        let name = parameter.split('=').next().unwrap_or_default();
        let mut decoded = String::new();
        push_decoded(name, &mut decoded);
        if parameter.is_empty() || is_dropped(&decoded.to_ascii_lowercase()) {
            continue;
        }
        out.push(separator);
        push_decoded(parameter, out);
        separator = '&';
    }
}

fn is_dropped(name: &str) -> bool {
    TRACKING.contains(&name)
        || SESSION.contains(&name)
        || name.starts_with(SESSION_PREFIX)
        || TRACKING_PREFIXES.iter().any(|prefix| name.starts_with(prefix))
}

/// Pushes an ASCII text with characters that need no percent-encoding decoded, and the hexadecimal
/// digits of the others in upper case (RFC 3986, 6.2.2.1 and 6.2.2.2).
fn push_decoded(text: &str, out: &mut String) {
    let mut rest = text;
    while let Some(start) = rest.find('%') {
        out.push_str(&rest[..start]);
        rest = &rest[start..];
        let code = rest.get(1..3).filter(|digits| digits.bytes().all(|digit| digit.is_ascii_hexdigit()));
        let Some(byte) = code.and_then(|digits| u8::from_str_radix(digits, 16).ok()) else {
            out.push('%');
            rest = &rest[1..];
            continue;
        };
        // Behind a stray percent sign a decoded digit would make a code that was not there.
        let is_behind_stray = out.bytes().rev().take(2).any(|byte| byte == b'%');
        if !is_behind_stray && (byte.is_ascii_alphanumeric() || b"-._~".contains(&byte)) {
            out.push(char::from(byte));
        } else {
            out.push_str(&format!("%{byte:02X}"));
        }
        rest = &rest[3..];
    }
    out.push_str(rest);
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn canonical(text: &str) -> String {
        PageUrl::of(text).unwrap().into_string()
    }

    #[test]
    fn spellings_of_one_page_have_one_form() {
        for spelling in [
            "https://news.example/a/c~d?id=1&x=%2F",
            "HTTPS://NEWS.Example:443/a/c%7Ed?id=1&x=%2f#top",
            "https://news.example./a/b/../c~d?id=1&x=%2F",
            "https://user:secret@news.example/a/./c~d?id=1&x=%2F&utm_source=feed",
            " https://news.example/a/c~d;jsessionid=12AB?id=1&&fbclid=abc&x=%2F&UTM_Medium=m\n",
            "https://news.example/a/c~d?PHPSESSID=0&%69d=1&x=%2F&gclid",
        ] {
            assert_eq!(canonical(spelling), "https://news.example/a/c~d?id=1&x=%2F", "{spelling:?}");
        }
    }

    #[test]
    fn what_tells_pages_apart_is_kept() {
        let url = "https://news.example/";
        for other in [
            "http://news.example/",
            "https://news.example:8443/",
            "https://news.example/?b=1&a=2",
            "https://news.example/?a=2&b=1",
            "https://news.example/A",
            "https://news.example/a%2Fb",
            "https://news.example/%3%30",
            "https://news.example/?q=utm_source",
        ] {
            assert_eq!(canonical(other), other);
            assert_ne!(canonical(other), canonical(url));
        }
    }

    #[test]
    fn what_is_not_a_page_has_no_form() {
        let long = format!("https://news.example/{}", "a".repeat(URL_BYTES_MAX));
        for text in [
            "",
            "news.example",
            "ftp://news.example/",
            "data:text/html,x",
            "https://",
            "https://./",
            "http://0../",
            &long,
        ] {
            assert_eq!(PageUrl::of(text), None);
        }
    }

    #[test]
    fn a_domain_is_what_could_be_registered() {
        let domain = |text| PageUrl::of(text).unwrap().registrable_domain().map(str::to_owned);
        for (url, expected) in [
            ("https://www.news.example.com/x", Some("example.com")),
            ("https://www.bbc.co.uk/", Some("bbc.co.uk")),
            ("https://kosmos.github.io/", Some("kosmos.github.io")),
            ("https://a.kosmos.blogspot.com/", Some("kosmos.blogspot.com")),
            ("https://bücher.de/", Some("xn--bcher-kva.de")),
            ("https://co.uk/", None),
            ("https://192.0.2.1/", None),
            ("https://[2001:db8::1]:8080/x", None),
        ] {
            assert_eq!(domain(url).as_deref(), expected, "{url}");
        }
        assert_eq!(PageUrl::of("https://[2001:db8::1]:8080/x").unwrap().host(), "[2001:db8::1]");
    }

    proptest! {
        #[test]
        fn a_canonical_form_is_its_own(text in "https?://[a-zA-Z0-9.]{1,12}/[a-z%0-9A-F;=./~é]{0,20}(\\?[a-z_=&%0-9A-F]{0,20})?") {
            if let Some(url) = PageUrl::of(&text) {
                prop_assert_eq!(PageUrl::of(url.as_str()), Some(url));
            }
        }

        #[test]
        fn no_text_is_too_odd(text in "\\PC{0,60}") {
            let _ = PageUrl::of(&text);
        }
    }
}
