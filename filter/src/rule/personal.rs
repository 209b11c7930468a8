//! Masking of personal data: e-mail addresses, public IP addresses, telephone numbers.

use std::borrow::Cow;
use std::net::Ipv4Addr;
use std::sync::LazyLock;

use regex::{Captures, Regex};
use serde::{Deserialize, Serialize};

use super::Finding;
use crate::text::Text;

static EMAIL: LazyLock<Option<Regex>> =
    LazyLock::new(|| Regex::new(r"(?i)\b[a-z0-9._%+'-]+@[a-z0-9](?:[a-z0-9-]{0,62}\.)+[a-z]{2,24}\b").ok());
static IP: LazyLock<Option<Regex>> = LazyLock::new(|| Regex::new(r"\b(?:[0-9]{1,3}\.){3}[0-9]{1,3}\b").ok());
/// International numbers, and those in the United States' form: what is rarely something else.
static PHONE: LazyLock<Option<Regex>> = LazyLock::new(|| {
    Regex::new(r"\+[1-9][0-9]{0,2}[ .-]?\(?[0-9]{1,4}\)?(?:[ .-]?[0-9]{2,4}){2,4}\b|\(?\b[2-9][0-9]{2}\)?[ .-][0-9]{3}[ .-][0-9]{4}\b")
        .ok()
});

/// Puts the same words in place of personal data; never a reason of a drop. The value is the
/// number of places. An empty word leaves that kind of data as it is.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Personal {
    /// In place of e-mail addresses; of a domain reserved for examples (RFC 2606).
    pub email: String,
    /// In place of public IPv4 addresses; one reserved for documentation (RFC 5737).
    pub ip: String,
    /// In place of telephone numbers.
    pub phone: String,
}

impl Default for Personal {
    fn default() -> Self {
        Self { email: "email@example.com".to_owned(), ip: "192.0.2.1".to_owned(), phone: String::new() }
    }
}

impl Personal {
    /// Returns the number of places, and the masked text where there are any.
    pub(super) fn mask(&self, text: &Text<'_>) -> (Finding<'static>, Option<String>) {
        let mut places = 0;
        let mut masked = Cow::Borrowed(text.as_str());
        let always = |_: &str| true;
        if !self.email.is_empty() && masked.contains('@') {
            masked = replaced(masked, &EMAIL, &self.email, always, &mut places);
        }
        if !self.ip.is_empty() {
            masked = replaced(masked, &IP, &self.ip, is_public, &mut places);
        }
        if !self.phone.is_empty() {
            masked = replaced(masked, &PHONE, &self.phone, always, &mut places);
        }
        let finding = Finding::new("personal", f64::from(places), true);
        (finding, (places > 0).then(|| masked.into_owned()))
    }
}

fn replaced<'t>(
    text: Cow<'t, str>,
    pattern: &LazyLock<Option<Regex>>,
    word: &str,
    is_meant: impl Fn(&str) -> bool,
    places: &mut u32,
) -> Cow<'t, str> {
    let Some(pattern) = &**pattern else { return text };
    if !pattern.is_match(&text) {
        return text;
    }
    let replace = |found: &Captures<'_>| match is_meant(&found[0]) {
        true => {
            *places += 1;
            word.to_owned()
        }
        false => found[0].to_owned(),
    };
    Cow::Owned(pattern.replace_all(&text, replace).into_owned())
}

/// Returns true if and only if a text is an address that somebody may have on the internet.
fn is_public(text: &str) -> bool {
    let Ok(address) = text.parse::<Ipv4Addr>() else { return false };
    let [first, second, ..] = address.octets();
    let is_shared = first == 100 && (64..128).contains(&second);
    let is_reserved = address.is_private()
        || address.is_loopback()
        || address.is_link_local()
        || address.is_multicast()
        || address.is_documentation()
        || address.is_unspecified()
        || address.is_broadcast();
    !(is_reserved || is_shared || first == 0 || first >= 240)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn masked(text: &str) -> Option<String> {
        let rule = Personal { phone: "PHONE".to_owned(), ..Personal::default() };
        rule.mask(&Text::new(text)).1
    }

    #[test]
    fn addresses_and_numbers_are_masked() {
        let text = "Ask Ann.Lee+x@mail.example.org, +44 20 7946 0958 or (212) 555-0147 at 8.8.8.8.";
        assert_eq!(masked(text).as_deref(), Some("Ask email@example.com, PHONE or PHONE at 192.0.2.1."));
    }

    #[test]
    fn what_is_no_personal_data_stays() {
        for text in
            ["version 1.2.3.400, host 192.168.0.1", "@handle a@b", "3.14 and 2020-11-23", "1,000 of 10-20-30"]
        {
            assert_eq!(masked(text), None, "{text}");
        }
    }
}
