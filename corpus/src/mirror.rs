//! Mirrors: the same configuration runs against the public hosts, a site's mirror or a test server.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use url::{Position, Url};

/// Prefixes that stand for all servers.
const SCHEMES: [&str; 2] = ["http://", "https://"];

/// URL prefixes and their replacements; the longest match wins.
///
/// A prefix is a server and whole segments of a path, so both sides end with a slash: without one,
/// `http://img.example` would also match `http://img.example.other.host/`. A scheme alone, `https://`,
/// stands for all its servers.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(transparent)]
pub struct Mirrors(pub BTreeMap<String, String>);

impl Mirrors {
    /// Checks that every prefix is one of whole path segments.
    ///
    /// # Errors
    /// The first prefix that is not, and what it should be.
    pub fn validate(&self) -> Result<(), String> {
        for (prefix, mirror) in &self.0 {
            for text in [prefix, mirror] {
                if !text.ends_with('/') {
                    return Err(format!(
                        "{prefix:?} = {mirror:?}: {text:?} must end with a slash, or it is also the beginning of \
                         other servers and folders"
                    ));
                }
            }
            let is_plain = |url: Url| {
                url.has_host() && !has_credentials(&url) && url.query().is_none() && url.fragment().is_none()
            };
            if !SCHEMES.contains(&prefix.as_str()) && !Url::parse(prefix).is_ok_and(is_plain) {
                return Err(format!(
                    "{prefix:?} must be a server and a path alone, such as \"https://img.example/\""
                ));
            }
            // What a mirror answers is trusted, so it may not be whatever server a record names.
            if !Url::parse(mirror).is_ok_and(|url| url.has_host() || url.scheme() == "file") {
                return Err(format!(
                    "{prefix:?} = {mirror:?}: {mirror:?} must be a server, such as \"http://10.0.0.5/\", or a folder, \
                     such as \"file:///data/\""
                ));
            }
        }
        Ok(())
    }

    /// Returns the URL to ask for, and whether a mirror was applied.
    pub fn apply(&self, url: &str) -> (String, bool) {
        let Ok(parsed) = Url::parse(url) else {
            return (url.to_owned(), false);
        };
        let rests = self.0.iter().filter_map(|(prefix, mirror)| Some((rest(&parsed, prefix)?, mirror)));
        // The longest prefix leaves the shortest rest.
        let asked = rests.min_by_key(|(rest, _)| rest.len()).and_then(|(rest, mirror)| below(mirror, rest));
        asked.map_or_else(|| (url.to_owned(), false), |asked| (asked, true))
    }
}

/// Returns the URL of a path below a mirror's folder; `None` if its dots lead out of it, as those of the server `..` do.
fn below(mirror: &str, rest: &str) -> Option<String> {
    let asked = format!("{mirror}{rest}");
    let (folder, parsed) = (Url::parse(mirror).ok()?, Url::parse(&asked).ok()?);
    parsed.as_str().starts_with(folder.as_str()).then_some(asked)
}

/// Returns what of a URL is behind a prefix: the same server, and a path below the prefix's folder.
fn rest<'u>(url: &'u Url, prefix: &str) -> Option<&'u str> {
    if has_credentials(url) {
        return None;
    }
    if SCHEMES.contains(&prefix) {
        return url.as_str().strip_prefix(prefix);
    }
    let prefix = Url::parse(prefix).ok()?;
    let folder = prefix.path();
    let is_same_server = url.scheme() == prefix.scheme()
        && url.host() == prefix.host()
        && url.port_or_known_default() == prefix.port_or_known_default();
    let is_below = folder.ends_with('/') && url.path().starts_with(folder);
    (is_same_server && is_below).then(|| url[Position::BeforePath..].get(folder.len()..)).flatten()
}

fn has_credentials(url: &Url) -> bool {
    !url.username().is_empty() || url.password().is_some()
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    fn mirrors(pairs: &[(&str, &str)]) -> Mirrors {
        Mirrors(pairs.iter().map(|(prefix, mirror)| ((*prefix).to_owned(), (*mirror).to_owned())).collect())
    }

    #[test]
    fn the_longest_prefix_wins_and_others_stay() {
        let mirrors = mirrors(&[
            ("https://a.example/", "http://127.0.0.1:1/a/"),
            ("https://a.example/big/", "file:///data/"),
        ]);
        assert_eq!(mirrors.validate(), Ok(()));
        assert_eq!(mirrors.apply("https://a.example/x?y=1").0, "http://127.0.0.1:1/a/x?y=1");
        assert_eq!(mirrors.apply("https://a.example/big/y").0, "file:///data/y");
        assert_eq!(mirrors.apply("https://A.example:443/big/../x").0, "http://127.0.0.1:1/a/x");
        assert_eq!(mirrors.apply("https://b.example/x"), ("https://b.example/x".into(), false));
    }

    #[test]
    fn a_scheme_stands_for_all_its_servers() {
        let mirrors = mirrors(&[("https://", "http://cache/s/"), ("https://a.example/", "http://a/")]);
        assert_eq!(mirrors.validate(), Ok(()));
        assert_eq!(mirrors.apply("https://b.example:8443/x").0, "http://cache/s/b.example:8443/x");
        assert_eq!(mirrors.apply("https://a.example/x").0, "http://a/x");
        assert!(!mirrors.apply("http://b.example/x").1);
    }

    #[test]
    fn no_server_leads_out_of_a_mirror() {
        let mirrors = mirrors(&[("https://", "http://cache:80/s/"), ("http://", "http://cache/")]);
        for out in
            ["https://../x", "https://%2e%2e/x", "https://．．/x", "https://..:443/x", "https://。。/x"]
        {
            assert_eq!(mirrors.apply(out), (out.to_owned(), false), "{out}");
        }
        assert_eq!(mirrors.apply("https://a.example/../..%2fx").0, "http://cache:80/s/a.example/..%2fx");
    }

    #[test]
    fn only_the_very_server_is_mirrored() {
        let mirrors = mirrors(&[
            ("http://img.example/", "http://10.0.0.5/"),
            ("http://h.example/a/", "http://10.0.0.5/"),
        ]);
        for other in [
            "http://img.example:18779/x",
            "http://img.example.evil.com/x",
            "http://img.example@evil.com/x",
            "http://me@img.example/x",
            "http://img.example%2f@evil.com/",
            "https://img.example/x",
            "http://xn--img.example/x",
            "http://evil.com/http://img.example/",
            "http://h.example/ab",
            "http://h.example/a",
            "http://h.example/a/../b",
            "http://h.example/a/%2e%2e/b",
        ] {
            assert_eq!(mirrors.apply(other), (other.to_owned(), false), "{other}");
        }
        assert_eq!(mirrors.apply("http://IMG.example:80/x").0, "http://10.0.0.5/x");
    }

    #[test]
    fn what_does_not_end_with_a_slash_is_refused() {
        for (prefix, mirror) in [
            ("http://img.example", "http://10.0.0.5/"),
            ("http://img.example/a", "http://10.0.0.5/"),
            ("http://img.example/", "http://10.0.0.5:80"),
            ("http://img.example/", "/data/images"),
        ] {
            let refused = mirrors(&[(prefix, mirror)]).validate().unwrap_err();
            assert!(refused.contains("must end with a slash"), "{refused}");
        }
        for mirror in ["http://", "https://", "/data/images/", "img.example/"] {
            let refused = mirrors(&[("http://", mirror)]).validate().unwrap_err();
            assert!(refused.contains("must be a server, such as"), "{refused}");
        }
        for prefix in ["http://me:secret@img.example/", "http://img.example/?a/", "img.example/", "/data/"] {
            assert!(mirrors(&[(prefix, "http://10.0.0.5/")]).validate().is_err(), "{prefix}");
        }
    }
}
