//! An address: a URL in the one spelling under which it is fetched, with its key.

use url::Url;
use xxhash_rust::xxh3::xxh3_128;

/// 128-bit xxh3 of an address, big-endian, so that keys sort like numbers.
pub type Key = [u8; 16];

/// A canonical URL.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Address(String);

impl Address {
    /// Returns the address of a URL as a record gives it: host in lower case, default port,
    /// dot segments and fragment removed (WHATWG URL). What is not a URL keeps its text, gets
    /// a key all the same, and fails when it is fetched.
    ///
    /// Unlike a page's canonical form ([`corpus::PageUrl`]) it keeps the whole query and its
    /// encoding: it is fetched, and a signed address is refused if a byte differs.
    pub fn of(text: &str) -> Self {
        match Url::parse(text) {
            Ok(mut url) => {
                url.set_fragment(None);
                Self(url.into())
            }
            Err(_) => Self(text.to_owned()),
        }
    }

    /// Returns the key; two addresses of one key do not occur in practice (2^-60 for 2^34).
    pub fn key(&self) -> Key {
        xxh3_128(self.0.as_bytes()).to_be_bytes()
    }

    /// Returns the address's text.
    pub fn into_string(self) -> String {
        self.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn spellings_of_one_resource_have_one_address() {
        let canonical = "https://img.example/a/c.png?q=1";
        for spelling in [
            "https://img.example/a/c.png?q=1",
            "HTTPS://IMG.Example:443/a/c.png?q=1",
            "https://img.example/a/b/../c.png?q=1#top",
            " https://img.example/a/./c.png?q=1\n",
        ] {
            assert_eq!(Address::of(spelling).into_string(), canonical, "{spelling:?}");
        }
        for other in ["http://img.example/a/c.png?q=1", "https://img.example:8443/a/c.png?q=1"] {
            assert_ne!(Address::of(other).key(), Address::of(canonical).key(), "{other}");
        }
    }

    #[test]
    fn what_is_not_a_url_keeps_its_text() {
        for text in ["", "not a url", "//no.scheme/x", "https://"] {
            assert_eq!(Address::of(text).into_string(), text);
        }
    }

    proptest! {
        #[test]
        fn an_address_is_its_own_address(text in "\\PC{0,40}|https?://[a-z.:0-9/%#?]{0,30}") {
            let address = Address::of(&text);
            prop_assert_eq!(Address::of(&address.clone().into_string()), address);
        }
    }
}
