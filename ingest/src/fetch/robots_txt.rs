//! `robots.txt` (RFC 9309): which paths of a host a crawler is asked to leave alone.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use tokio::sync::OnceCell;
use url::Url;

use super::FetchError;
use super::client::{Origin, Rest, Shared};

/// Bytes of a file that are read: what the RFC asks for at least.
const FILE_BYTES_MAX: usize = 500 << 10;
/// Bytes of one file's rules that are kept.
const RULES_BYTES_MAX: usize = 64 << 10;
/// Bytes that are searched for the stars of a file's rules, all rules together: 1,000 of them in a path of 1 KiB.
const SEARCHED_BYTES_MAX: usize = 1 << 20;
/// Hosts whose files are remembered; then all are forgotten.
const HOSTS_MAX: usize = 4_096;

/// The files of all hosts, each fetched once.
#[derive(Default)]
pub(super) struct RobotsFiles {
    known: Mutex<HashMap<String, Arc<OnceCell<Rules>>>>,
}

impl RobotsFiles {
    /// Returns an error if the host asks us to leave this URL alone, or does not say.
    pub(super) async fn check(&self, shared: &Shared, url: &Url) -> Result<(), FetchError> {
        let origin = url.origin().ascii_serialization();
        let file = {
            let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
            if known.len() >= HOSTS_MAX {
                known.clear();
            }
            known.entry(origin.clone()).or_default().clone()
        };
        let rules = file.get_or_try_init(|| ask(shared, &origin)).await?;
        let path = &url[url::Position::BeforePath..url::Position::AfterQuery];
        match rules.refusal(path) {
            Some(pattern) => Err(FetchError::RobotsTxt(pattern.to_owned())),
            None => Ok(()),
        }
    }
}

async fn ask(shared: &Shared, origin: &str) -> Result<Rules, FetchError> {
    let url = format!("{origin}/robots.txt");
    let (mut response, _) = match shared.get(&url, Origin::Robots, &Rest::default()).await {
        // RFC 9309, 2.3.1.2: after too many redirects there is no file.
        Err(FetchError::RedirectLimit(_)) => return Ok(Rules::default()),
        answer => answer?,
    };
    match response.status().as_u16() {
        200..=299 => {}
        // RFC 9309, 2.3.1.4: a server that fails does not allow; it may do so later.
        status @ (429 | 500..=599) => return Err(FetchError::Status(status)),
        _ => return Ok(Rules::default()),
    }
    let mut body = Vec::new();
    while let Some(chunk) = shared.next_chunk(&mut response).await? {
        body.extend_from_slice(&chunk);
        if body.len() >= FILE_BYTES_MAX {
            break;
        }
    }
    Ok(Rules::read(&body, shared.agent()))
}

/// The rules of a file that hold for us.
#[derive(Debug, Default, PartialEq)]
pub struct Rules(Vec<Rule>);

#[derive(Debug, PartialEq)]
struct Rule {
    allows: bool,
    pattern: String,
}

impl Rules {
    /// Reads a file, or as much of a large one as is read at all, for an agent of this name.
    pub fn read(bytes: &[u8], agent: &str) -> Self {
        Self::parse(&String::from_utf8_lossy(&bytes[..bytes.len().min(FILE_BYTES_MAX)]), agent)
    }

    /// Reads the groups of our name, or those of `*` where there is none.
    fn parse(text: &str, agent: &str) -> Self {
        let (mut ours, mut everyones, mut kept_bytes) = (Vec::new(), Vec::new(), 0);
        let (mut for_us, mut for_all, mut in_names, mut is_named) = (false, false, false, false);
        // A byte order mark would hide the first line, and old systems end lines with CR alone.
        for line in text.trim_start_matches('\u{feff}').split(['\r', '\n']) {
            let line = line.split('#').next().unwrap_or_default();
            let Some((key, value)) = line.split_once(':') else { continue };
            let value = value.trim();
            match key.trim().to_ascii_lowercase().as_str() {
                "user-agent" => {
                    if !in_names {
                        (for_us, for_all, in_names) = (false, false, true);
                    }
                    for_all |= value == "*";
                    for_us |= value.eq_ignore_ascii_case(agent);
                    is_named |= for_us;
                }
                key @ ("allow" | "disallow") => {
                    in_names = false;
                    let rules = [(for_us, &mut ours), (for_all, &mut everyones)];
                    for (_, rules) in rules.into_iter().filter(|(applies, _)| *applies && !value.is_empty()) {
                        kept_bytes += value.len() + size_of::<Rule>();
                        if kept_bytes <= RULES_BYTES_MAX {
                            rules.push(Rule { allows: key == "allow", pattern: value.to_owned() });
                        }
                    }
                }
                _ => {}
            }
        }
        Self(if is_named { ours } else { everyones })
    }

    /// Returns the pattern that refuses a path: of all that match the longest decides, and of two as
    /// long the one that allows. Where there are too many to be looked for in a long path, the first that refuses
    /// anything decides.
    pub fn refusal(&self, path: &str) -> Option<&str> {
        let with_stars = self.0.iter().filter(|rule| rule.pattern.contains('*')).count();
        if with_stars.saturating_mul(path.len()) > SEARCHED_BYTES_MAX {
            return self.0.iter().find(|rule| !rule.allows).map(|rule| rule.pattern.as_str());
        }
        let matching = self.0.iter().filter(|rule| matches(&rule.pattern, path));
        let rule = matching.max_by_key(|rule| (rule.pattern.len(), rule.allows))?;
        (!rule.allows).then_some(rule.pattern.as_str())
    }
}

/// Returns true if and only if the pattern matches the beginning of a path: `*` stands for
/// anything, `$` at the end for the path's end. Pieces are found greedily from the left, so the
/// time is linear in the path for each piece.
fn matches(pattern: &str, path: &str) -> bool {
    let (pattern, to_end) = pattern.strip_suffix('$').map_or((pattern, false), |pattern| (pattern, true));
    let mut pieces = pattern.split('*');
    let Some(mut rest) = pieces.next().and_then(|first| path.strip_prefix(first)) else {
        return false;
    };
    let mut last = None;
    for piece in pieces {
        if let Some(piece) = last.replace(piece) {
            match find(rest, piece) {
                Some(at) => rest = &rest[at + piece.len()..],
                None => return false,
            }
        }
    }
    match (last, to_end) {
        (Some(piece), true) => rest.ends_with(piece),
        (Some(piece), false) => find(rest, piece).is_some(),
        (None, to_end) => !to_end || rest.is_empty(),
    }
}

/// As [`str::find`], several times as fast.
fn find(text: &str, piece: &str) -> Option<usize> {
    memchr::memmem::find(text.as_bytes(), piece.as_bytes())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const FILE: &str = "
        User-agent: other
        Disallow: /

        User-agent: *
        Disallow: /private # and below
        Allow: /private/open
        Disallow: /*.gif$
        Disallow: /a*b*c
        Disallow:
    ";

    #[test]
    fn the_longest_pattern_that_matches_decides() {
        let rules = Rules::parse(FILE, "kosmos");
        let refusal = |path: &str| rules.refusal(path).unwrap_or("-").to_owned();
        assert_eq!(refusal("/x.png"), "-");
        assert_eq!(refusal("/private/x.png"), "/private");
        assert_eq!(refusal("/private/open/x.png"), "-");
        assert_eq!(refusal("/x.gif"), "/*.gif$");
        assert_eq!(refusal("/x.gif?y"), "-");
        assert_eq!(refusal("/a1b2c3"), "/a*b*c");
        assert_eq!(refusal("/a1c2b3"), "-");
    }

    #[test]
    fn a_group_of_our_name_replaces_that_for_all() {
        let file = format!("{FILE}\nUser-Agent: KOSMOS\nUser-agent: third\nDisallow: /images\n");
        let rules = Rules::parse(&file, "kosmos");
        assert_eq!(rules.refusal("/private"), None);
        assert_eq!(rules.refusal("/images/1.png"), Some("/images"));
        let free = Rules::parse("User-agent: *\nDisallow: /\nUser-agent: kosmos\nDisallow:\n", "kosmos");
        assert_eq!(free.refusal("/"), None);
    }

    /// Tries all that a star may stand for.
    fn matches_slowly(pattern: &[u8], path: &[u8]) -> bool {
        match pattern {
            [] => true,
            b"$" => path.is_empty(),
            [b'*', rest @ ..] => (0..=path.len()).any(|at| matches_slowly(rest, &path[at..])),
            [byte, rest @ ..] => path.first() == Some(byte) && matches_slowly(rest, &path[1..]),
        }
    }

    proptest! {
        #[test]
        fn patterns_match_what_trying_everything_matches(pattern in "[ab*]{0,8}\\$?", path in "[ab]{0,10}") {
            prop_assert_eq!(matches(&pattern, &path), matches_slowly(pattern.as_bytes(), path.as_bytes()));
        }
    }

    #[test]
    fn rules_that_cost_too_much_for_a_long_path_refuse_it() {
        let file = format!("user-agent: *\nallow: /x\n{}", "disallow: *aabaa*\n".repeat(1_200));
        let rules = Rules::parse(&file, "kosmos");
        let path = |bytes: usize| format!("/{}", "a".repeat(bytes - 1));
        assert_eq!(rules.refusal(&path(800)), None);
        assert_eq!(rules.refusal(&path(900)), Some("*aabaa*"));
        let plain = file.replace('*', "/");
        let plain = Rules::parse(&plain.replacen("user-agent: /", "user-agent: *", 1), "kosmos");
        assert_eq!(plain.refusal(&path(60_000)), None, "what begins a path is no search");
    }

    #[test]
    fn no_more_of_a_file_is_read_than_is_bounded() {
        let long = format!("user-agent: *\n{}\ndisallow: /last\n", "#".repeat(FILE_BYTES_MAX));
        assert_eq!(Rules::read(long.as_bytes(), "kosmos"), Rules::default());
        let many = format!("user-agent: *\n{}", "disallow: /aaaaaaaaaaaaaaaa\n".repeat(10_000));
        let kept: usize = Rules::read(many.as_bytes(), "kosmos")
            .0
            .iter()
            .map(|r| r.pattern.len() + size_of::<Rule>())
            .sum();
        assert!(kept <= RULES_BYTES_MAX);
        assert_eq!(Rules::read(b"user-agent: *\r\ndisallow: /\xff\r\n", "kosmos").refusal("/a"), None);
    }

    #[test]
    fn a_byte_order_mark_and_other_line_ends_hide_nothing() {
        for file in
            [&b"\xef\xbb\xbfUser-agent: *\nDisallow: /a"[..], b"User-agent: *\rDisallow: /a\rAllow: /b"]
        {
            assert_eq!(Rules::read(file, "kosmos").refusal("/a"), Some("/a"));
        }
    }

    #[test]
    fn equal_patterns_allow() {
        let rules = Rules::parse("user-agent: *\ndisallow: /a\nallow: /a", "kosmos");
        assert_eq!(rules.refusal("/a"), None);
    }
}
