//! Proxies: which one a URL is asked through, if any.
//!
//! `fetch.proxy` names one for all URLs; without it the variables that curl reads do, for http and https each. Which
//! variables there are is for the caller to look up: a library does not read the environment.

use std::fmt;

use hyper::Uri;
use hyper_util::client::proxy::matcher::Matcher;
use reqwest::header::HeaderValue;
use serde::{Deserialize, Serialize};
use url::{Host, Url};

use super::guard::{URL_BYTES_MAX, is_loopback};
use super::hidden::Hidden;
use super::no_proxy::NoProxy;

/// The value of `fetch.proxy` under which there is none, whatever the environment says.
const NONE: &str = "none";
/// Not in capitals: servers pass a request's header `Proxy` to CGI programs as `HTTP_PROXY`. curl reads it so, too.
const HTTP: [&str; 1] = ["http_proxy"];
const HTTPS: [&str; 2] = ["https_proxy", "HTTPS_PROXY"];
/// For what the others leave open.
const ALL: [&str; 2] = ["all_proxy", "ALL_PROXY"];
const EXCEPT: [&str; 2] = ["no_proxy", "NO_PROXY"];

/// For which record URLs the proxy gets the host name and resolves it itself, instead of the address that
/// kosmos resolved and checked.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum ProxyNames {
    /// Http URLs only, after checking the name: proxies commonly allow tunnels to port 443 only, and rewrite
    /// the `Host` header.
    #[default]
    Http,
    /// None: http also goes through a tunnel to the address.
    Never,
    /// All, without checking names: for networks where only the proxy can resolve names. The proxy must then
    /// refuse private addresses.
    Always,
}

/// A proxy.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Proxy {
    /// Its scheme, host and port.
    pub(super) address: Uri,
    /// What it is told of who we are; never shown.
    pub(super) credentials: Option<HeaderValue>,
    /// What names it: a key or a variable.
    named_by: &'static str,
}

/// The proxies in use.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Proxies {
    http: Option<Proxy>,
    https: Option<Proxy>,
    except: NoProxy,
}

impl Proxies {
    /// Returns those of `fetch.proxy`, or of the variables where it is not set.
    ///
    /// # Errors
    /// The key or variable that does not name a proxy, and what may stand there; never the value.
    pub(super) fn new(
        setting: Option<&Hidden>,
        variable: &dyn Fn(&str) -> Option<String>,
    ) -> Result<Self, String> {
        if setting.is_some_and(|text| text.get() == NONE) {
            return Ok(Self::default());
        }
        let except = first(&EXCEPT, variable).map(|(_, list)| NoProxy::parse(&list)).unwrap_or_default();
        if let Some(text) = setting {
            let proxy =
                Some(Proxy::parse("fetch.proxy", text.get()).map_err(|error| format!("proxy: {error}"))?);
            return Ok(Self { http: proxy.clone(), https: proxy, except });
        }
        let named = |names: &[&'static str]| {
            let found = first(names, variable).or_else(|| first(&ALL, variable));
            let proxy = found.map(|(name, text)| {
                Proxy::parse(name, &text).map_err(|error| {
                    format!("the variable {name}: {error}; fetch.proxy = \"none\" ignores the environment")
                })
            });
            proxy.transpose()
        };
        Ok(Self { http: named(&HTTP)?, https: named(&HTTPS)?, except })
    }

    /// Returns whether any URL is asked through a proxy.
    pub(super) fn are_any(&self) -> bool {
        self.http.is_some() || self.https.is_some()
    }

    /// Returns the proxy of a URL: none for this machine itself, and for what `NO_PROXY` lists.
    pub(super) fn of(&self, url: &Url) -> Option<&Proxy> {
        let (host, port) = (url.host()?, url.port_or_known_default()?);
        if is_here(&host) || self.except.covers(&host, port) {
            return None;
        }
        if url.scheme() == "https" { self.https.as_ref() } else { self.http.as_ref() }
    }
}

impl Proxy {
    fn parse(named_by: &'static str, text: &str) -> Result<Self, String> {
        const FORM: &str = "must be the URL of a proxy, such as \"http://proxy.example:3128\"";
        let text = text.trim();
        let has_scheme = text.contains("://");
        let url = if has_scheme { text.to_owned() } else { format!("http://{text}") };
        let mut url = Url::parse(&url).ok().filter(|_| text.len() <= URL_BYTES_MAX).ok_or(FORM)?;
        if !matches!(url.scheme(), "http" | "https") {
            return Err(format!("a proxy's scheme is http or https, {:?} is not supported", url.scheme()));
        }
        let credentials = credentials(&url);
        // Only URLs without a host refuse.
        url.set_username("").and_then(|()| url.set_password(None)).map_err(|()| FORM)?;
        let authority = &url[url::Position::BeforeHost..url::Position::AfterPort];
        let address = format!("{}://{authority}/", url.scheme()).parse().map_err(|_| FORM)?;
        Ok(Self { address, credentials, named_by })
    }
}

impl fmt::Display for Proxy {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let address = self.address.to_string();
        write!(formatter, "{} (named by {})", address.trim_end_matches('/'), self.named_by)
    }
}

/// Returns the header that tells a proxy its URL's user and password; it is marked as one not to be shown.
fn credentials(proxy: &Url) -> Option<HeaderValue> {
    let matcher = Matcher::builder().all(proxy.as_str()).build();
    matcher.intercept(&Uri::from_static("http://any.example/"))?.basic_auth().cloned()
}

/// Returns the first of the variables that is set and not empty, with its name.
fn first(
    names: &[&'static str],
    variable: &dyn Fn(&str) -> Option<String>,
) -> Option<(&'static str, String)> {
    let set = |name: &&'static str| {
        let text = variable(name).filter(|text| !text.trim().is_empty())?;
        Some((*name, text))
    };
    names.iter().find_map(set)
}

/// Returns true for hosts that are this machine by any name.
fn is_here(host: &Host<&str>) -> bool {
    is_loopback(host)
        || match host {
            Host::Ipv4(address) => address.is_unspecified(),
            Host::Ipv6(address) => {
                address.is_unspecified() || address.to_ipv4_mapped().is_some_and(|inner| inner.is_loopback())
            }
            Host::Domain(name) => super::guard::is_below(&super::guard::whole(name), "localhost"),
        }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    fn proxies(setting: Option<&str>, variables: &[(&str, &str)]) -> Result<Proxies, String> {
        let find =
            |name: &str| variables.iter().find(|(own, _)| *own == name).map(|(_, text)| (*text).to_owned());
        Proxies::new(setting.map(Hidden::from).as_ref(), &find)
    }

    fn of(proxies: &Proxies, url: &str) -> Option<String> {
        proxies.of(&Url::parse(url).unwrap()).map(|proxy| proxy.address.to_string())
    }

    const WEB: [&str; 2] = ["http://h.example/a", "https://h.example/a"];

    #[test]
    fn the_variables_are_those_of_curl() {
        let found = |variables: &[(&str, &str)]| {
            let proxies = proxies(None, variables).unwrap();
            WEB.map(|url| {
                of(&proxies, url).unwrap_or_default().trim_start_matches("http://").replace('/', "")
            })
        };
        assert_eq!(found(&[]), ["", ""]);
        assert_eq!(found(&[("http_proxy", "a:1"), ("https_proxy", "http://b:2")]), ["a:1", "b:2"]);
        assert_eq!(found(&[("HTTP_PROXY", "a:1"), ("HTTPS_PROXY", "b:2")]), ["", "b:2"]);
        assert_eq!(found(&[("https_proxy", "a:1"), ("HTTPS_PROXY", "b:2")]), ["", "a:1"]);
        assert_eq!(found(&[("ALL_PROXY", "c:3"), ("https_proxy", "b:2")]), ["c:3", "b:2"]);
        assert_eq!(found(&[("all_proxy", "c:3"), ("https_proxy", " ")]), ["c:3", "c:3"]);
    }

    #[test]
    fn the_setting_goes_before_the_environment_and_the_exceptions_hold_for_both() {
        let variables = [("https_proxy", "b:2"), ("NO_PROXY", "h.example,10.0.0.0/8")];
        let both = proxies(Some("https://p.example"), &variables).unwrap();
        assert_eq!(of(&both, "https://other.example/").as_deref(), Some("https://p.example/"));
        assert_eq!(of(&both, "http://other.example/").as_deref(), Some("https://p.example/"));
        assert_eq!((of(&both, WEB[0]), of(&both, "https://10.1.1.1/")), (None, None));
        let none = proxies(Some("none"), &variables).unwrap();
        assert!(!none.are_any() && of(&none, "https://other.example/").is_none());
    }

    #[test]
    fn this_machine_is_never_asked_through_a_proxy() {
        let all = proxies(Some("p:1"), &[]).unwrap();
        for host in [
            "127.0.0.1",
            "127.9.9.9",
            "localhost",
            "LOCALHOST.",
            "a.localhost",
            "[::1]",
            "[::ffff:127.0.0.1]",
            "0",
        ] {
            assert_eq!(of(&all, &format!("http://{host}:8000/")), None, "{host}");
        }
        for host in ["10.0.0.1", "localhost.example", "[2606:4700::1]", "notlocalhost"] {
            assert!(of(&all, &format!("http://{host}:8000/")).is_some(), "{host}");
        }
    }

    #[test]
    fn a_password_is_sent_and_never_shown() {
        let found = proxies(Some("http://me:p%40ss@p.example:3128/ignored"), &[]).unwrap();
        let proxy = found.of(&Url::parse(WEB[0]).unwrap()).unwrap();
        // "me:p@ss" in base64.
        assert_eq!(proxy.credentials.as_ref().unwrap(), "Basic bWU6cEBzcw==");
        let shown = format!("{proxy} {found:?} {proxy:?}");
        assert!(!shown.contains("p%40ss") && !shown.contains("p@ss") && !shown.contains("bWU6"), "{shown}");
        assert_eq!(proxy.to_string(), "http://p.example:3128 (named by fetch.proxy)");
    }

    #[test]
    fn what_is_no_proxy_is_named_without_its_value() {
        for (text, expected) in [
            ("socks5://me:secret@p:1", "\"socks5\" is not supported"),
            ("http://", "must be"),
            ("a b:secret", "must be"),
        ] {
            let error = proxies(Some(text), &[]).unwrap_err();
            assert!(error.starts_with("proxy: ") && error.contains(expected), "{error}");
            assert!(!error.contains("secret"), "{error}");
            let error = proxies(None, &[("ALL_PROXY", text)]).unwrap_err();
            assert!(error.contains("ALL_PROXY") && error.contains("fetch.proxy = \"none\""), "{error}");
            assert!(!error.contains("secret"), "{error}");
        }
    }
}
