//! Masking of personal data: e-mail addresses, public IP addresses, telephone numbers.

use std::borrow::Cow;
use std::net::Ipv4Addr;
use std::ops::Range;
use std::sync::LazyLock;

use regex::Regex;
use serde::{Deserialize, Serialize};

use super::Finding;
use crate::text::Text;

/// A letter that is not ASCII belongs to the name or to the domain, but ends an address: other scripts go on without a
/// space.
static EMAIL: LazyLock<Option<Regex>> = LazyLock::new(|| {
    Regex::new(r"(?i)[\p{Latin}0-9._%+'-]+@[\p{L}0-9](?:[\p{L}0-9-]{0,62}\.)+(?-iu:[a-zA-Z]{2,24}\b)").ok()
});
static IP: LazyLock<Option<Regex>> = LazyLock::new(|| Regex::new(r"\b(?:[0-9]{1,3}\.){3}[0-9]{1,3}\b").ok());
/// International numbers, and those in North America's form (NANP) with more than spaces between: what is rarely
/// something else.
static PHONE: LazyLock<Option<Regex>> = LazyLock::new(|| {
    Regex::new(concat!(
        r"\+[1-9][0-9]{0,2}[ .-]?\(?[0-9]{1,4}\)?(?:[ .-]?[0-9]{2,4}){2,4}\b|",
        r"(?:\([2-9][0-9]{2}\)[ .-]?|\b[2-9][0-9]{2}[.-])[2-9][0-9]{2}[ .-][0-9]{4}\b",
    ))
    .ok()
});
/// Digits of a number in North America, with the country's.
const NANP_DIGITS: usize = 11;
/// Ends of file names that are no domains: "logo@2x.png".
const FILE_ENDS: [&str; 24] = [
    "png", "jpg", "jpeg", "gif", "svg", "webp", "bmp", "ico", "tif", "tiff", "css", "js", "json", "html",
    "htm", "xml", "pdf", "txt", "doc", "docx", "xls", "xlsx", "csv", "exe",
];
/// Words before numbers with dots that are no addresses.
static NUMBERED: LazyLock<Option<Regex>> = LazyLock::new(|| {
    let words = concat!(
        "sections?|sec|clauses?|chapters?|paragraphs?|para|articles?|art|appendix|annex|figures?|fig|tables?|rules?|",
        "steps?|items?|parts?|equations?|eq|versions?|ver|v|releases?|firmware|software|builds?|revisions?|rev|",
        "updates?|patch|numbers?|no|abschnitt|kapitel|chapitre|secci[oó]n|cap[ií]tulo|sezione|раздел|глава|пункт|версия",
    );
    Regex::new(&format!(r"(?i)(?:\b(?:{words})[.:]?|§)[ \u{{A0}}]?\(?$")).ok()
});
/// What joins numbers to those before them, which are then of their kind.
static JOINED: LazyLock<Option<Regex>> =
    LazyLock::new(|| Regex::new(r"^(?:,? ?(?:and|or|to|und|et|y|e|и)?|[–-]|;) ?$").ok());
/// Units behind what is then no telephone number.
static UNIT: LazyLock<Option<Regex>> =
    LazyLock::new(|| Regex::new(r"^[ \u{A0}]?(?:%|°|(?:[munk]?m|cm|k?g|mg|px|pt|k?W|m?l|s|ms)\b)").ok());
/// The highest number of a section at the beginning of a line.
const SECTION_MAX: u8 = 40;
/// Bytes before a number that are looked at.
const BEFORE_BYTES: usize = 24;

/// Puts the same words in place of personal data; never a reason of a drop. The value is the
/// number of places. An empty word leaves that kind of data as it is.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Personal {
    /// Replacement for e-mail addresses. The default is in a domain reserved for examples (RFC 2606).
    pub email: String,
    /// Replacement for public IPv4 addresses. The default is reserved for documentation (RFC 5737).
    pub ip: String,
    /// Replacement for telephone numbers.
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
        if !self.email.is_empty() {
            let found = addresses(&masked);
            masked = replaced(masked, found, &self.email, |found| !is_file(found.text), &mut places);
        }
        if !self.ip.is_empty() {
            let (mut end, mut was_number) = (0, false);
            let is_address = |found: &Found<'_>| {
                let joins = |joined: &Regex| joined.is_match(&found.all[end..found.begin]);
                let goes_on = end > 0 && was_number && JOINED.as_ref().is_some_and(joins);
                was_number = goes_on || is_numbering(found);
                end = found.begin + found.text.len();
                !was_number && is_public(found.text)
            };
            let found = places_of(&IP, &masked);
            masked = replaced(masked, found, &self.ip, is_address, &mut places);
        }
        if !self.phone.is_empty() {
            let found = places_of(&PHONE, &masked);
            masked = replaced(masked, found, &self.phone, is_phone, &mut places);
        }
        let finding = Finding::new("personal", f64::from(places), true);
        (finding, (places > 0).then(|| masked.into_owned()))
    }
}

/// What a pattern found.
struct Found<'t> {
    all: &'t str,
    begin: usize,
    text: &'t str,
}

impl<'t> Found<'t> {
    /// Returns the end of what comes before.
    fn before(&self) -> &'t str {
        let from = self.all.ceil_char_boundary(self.begin.saturating_sub(BEFORE_BYTES));
        &self.all[from..self.begin]
    }

    /// Returns all that comes behind.
    fn after(&self) -> &'t str {
        &self.all[self.begin + self.text.len()..]
    }
}

/// Finds addresses of e-mail: in what stands between white space around an @, since the pattern begins with any letter.
fn addresses(text: &str) -> Vec<Range<usize>> {
    let (mut found, mut end) = (Vec::new(), 0);
    for at in memchr::memchr_iter(b'@', text.as_bytes()) {
        if at < end {
            continue;
        }
        let begin = text[end..at].rfind(char::is_whitespace).map_or(end, |space| end + space);
        end = text[at..].find(char::is_whitespace).map_or(text.len(), |space| at + space);
        found.extend(
            places_of(&EMAIL, &text[begin..end])
                .into_iter()
                .map(|place| place.start + begin..place.end + begin),
        );
    }
    found
}

fn places_of(pattern: &LazyLock<Option<Regex>>, text: &str) -> Vec<Range<usize>> {
    pattern
        .as_ref()
        .into_iter()
        .flat_map(|pattern| pattern.find_iter(text))
        .map(|found| found.range())
        .collect()
}

fn replaced<'t>(
    text: Cow<'t, str>,
    found: Vec<Range<usize>>,
    word: &str,
    mut is_meant: impl FnMut(&Found<'_>) -> bool,
    places: &mut u32,
) -> Cow<'t, str> {
    let (mut out, mut copied) = (String::new(), 0);
    for place in found {
        if is_meant(&Found { all: &text, begin: place.start, text: &text[place.clone()] }) {
            *places += 1;
            out.push_str(&text[copied..place.start]);
            out.push_str(word);
            copied = place.end;
        }
    }
    if copied == 0 {
        return text;
    }
    out.push_str(&text[copied..]);
    Cow::Owned(out)
}

/// Returns true if and only if an address of e-mail is the name of a file.
fn is_file(address: &str) -> bool {
    let end = address.rsplit('.').next().unwrap_or_default();
    FILE_ENDS.iter().any(|known| known.eq_ignore_ascii_case(end))
}

/// Returns true if and only if numbers with dots are those of a section or a version: by the word before them, or
/// where they begin a line that goes on as a heading does.
fn is_numbering(found: &Found<'_>) -> bool {
    let before = found.before();
    let is_first = before.is_empty() && found.begin == 0 || before.ends_with('\n');
    let heading = found.after().trim_start_matches(['.', ')']);
    let is_small = |part: &str| part.parse().is_ok_and(|part: u8| part <= SECTION_MAX);
    let is_heading = || {
        heading.starts_with(' ')
            && heading.trim_start().starts_with(char::is_uppercase)
            && found.text.split('.').all(is_small)
    };
    NUMBERED.as_ref().is_some_and(|words| words.is_match(before)) || is_first && is_heading()
}

/// Returns true if and only if digits are a telephone number: no measure, and in North America as many as there are.
fn is_phone(found: &Found<'_>) -> bool {
    let digits = found.text.bytes().filter(u8::is_ascii_digit).count();
    let is_whole = !found.text.starts_with("+1") || digits == NANP_DIGITS;
    let joined = found
        .before()
        .strip_suffix(['.', '-'])
        .is_some_and(|before| before.ends_with(|c: char| c.is_ascii_digit()));
    is_whole && !joined && !UNIT.as_ref().is_some_and(|unit| unit.is_match(found.after()))
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
        for text in [
            "version 1.2.3.400, host 192.168.0.1",
            "@handle a@b",
            "3.14 and 2020-11-23",
            "1,000 of 10-20-30",
            "As section 4.2.1.3 and clause 5.1.2.10 say, firmware 2.4.1.9; § 4.2.1.3",
            "Sections 4.2.1.3, 4.2.1.4 and 4.2.1.5–4.2.1.7 of it",
            "4.2.1.3 Scope\n4.2.1.4. Terms",
            "logo@2x.png and pkg@1.2.3, me@localhost",
            "rows 300 450 2019; ISBN 978 030 6406157; +1 234 567 890 votes; 2.300.450.2019",
            "At 2024-01-02 03:04:05 and 200-300-4000 mm; 555.123.4567 m",
        ] {
            assert_eq!(masked(text), None, "{text}");
        }
    }

    #[test]
    fn addresses_are_masked_beside_what_is_none() {
        let cases = [
            ("müller@bücher.example 联系我a@b.com吧", "email@example.com 联系我email@example.com吧"),
            (
                "a@b.example,c@d.example\u{A0}e@f.example",
                "email@example.com,email@example.com\u{A0}email@example.com",
            ),
            ("section 4.2.1.3 at 4.2.2.2", "section 4.2.1.3 at 192.0.2.1"),
            ("8.8.8.8 is one\n9.9.99.9 A", "192.0.2.1 is one\n192.0.2.1 A"),
            ("212-555-0147, +1 212 555 0147.", "PHONE, PHONE."),
        ];
        for (text, expected) in cases {
            assert_eq!(masked(text).as_deref(), Some(expected), "{text}");
        }
    }
}
