//! One line of a block list, in any of the formats that lists are published in.

use std::net::{IpAddr, Ipv6Addr};

use corpus::PageUrl;

use super::resolver::{self, Names};
use super::{ListKind, exact_form};

/// Bytes of a host name, and of one of its labels, at most (RFC 1035, 2.3.4).
const HOST_BYTES_MAX: usize = 253;
const LABEL_BYTES_MAX: usize = 63;
/// Ports that say no more than the scheme: an entry with one of them means the host.
const SCHEME_PORTS: [&str; 2] = [":80", ":443"];
/// How a line starts that is a comment in one of the formats. `#` is handled apart.
const COMMENTS: [&str; 3] = ["!", ";", "//"];
/// Names of the machine itself in hosts files, beside `ip6-localhost` and its like.
const LOCAL_NAMES: [&str; 8] = [
    "localhost",
    "localhost4",
    "localhost6",
    "localhost.localdomain",
    "localhost4.localdomain4",
    "localhost6.localdomain6",
    "local",
    "broadcasthost",
];
/// How the rest of them starts.
const LOCAL_PREFIX: &str = "ip6-";
/// Options of adblock rules under which the whole host is still blocked.
const BLOCK_OPTIONS: [&str; 7] = ["all", "doc", "document", "important", "popup", "third-party", "3p"];
/// Options of adblock exceptions that allow pages, and not only scripts or the like.
const ALLOW_OPTIONS: [&str; 4] = ["all", "doc", "document", "important"];

/// What an entry blocks or allows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Target {
    /// A host with all hosts below it.
    Host,
    /// One URL.
    Url,
    /// A word within URLs.
    Word,
    /// A host that no list blocks, with all hosts below it.
    AllowedHost,
    /// A URL that no list blocks.
    AllowedUrl,
}

impl Target {
    /// Returns what an exception of the same form allows.
    fn allowed(self) -> Self {
        match self {
            Self::Host => Self::AllowedHost,
            Self::Url => Self::AllowedUrl,
            other => other,
        }
    }
}

/// Calls `add` with every entry of a line, in the form in which entries are looked up. Returns false if
/// the line, or a part of it, is neither an entry nor a comment.
///
/// Formats: one host, URL or word per line; hosts files (`0.0.0.0 bad.example worse.example`); adblock rules for
/// whole hosts and URLs (`||bad.example^$third-party`, `@@||good.bad.example^`), and what name servers read (see
/// [`resolver`]). Comments start with `#` (at
/// the line's start or after white space), `!`, `;` or `//`.
pub(super) fn parse(line: &str, kind: ListKind, mut add: impl FnMut(Target, String)) -> bool {
    let line = without_comment(line);
    if line.is_empty() || COMMENTS.iter().any(|mark| line.starts_with(mark)) || is_header(line) {
        return true;
    }
    if kind == ListKind::Words {
        return is_word(line).then(|| add(Target::Word, line.to_ascii_lowercase())).is_some();
    }
    if let Some((first, names)) = line.split_once(char::is_whitespace)
        && let Some(address) = address(first)
    {
        return hosts(address, names, add);
    }
    if let Some(names) = resolver::parse(line) {
        return named(names, add);
    }
    if line.contains(char::is_whitespace) {
        return false;
    }
    let entry = if line.starts_with("@@") || line.starts_with('|') { rule(line) } else { plain(line, kind) };
    entry.map(|(target, text)| add(target, text)).is_some()
}

/// Cuts a comment after `#` off: within a URL the character is part of it.
fn without_comment(line: &str) -> &str {
    let is_comment = |at: &usize| line[..*at].chars().next_back().is_none_or(char::is_whitespace);
    let comment = line.match_indices('#').map(|(at, _)| at).find(is_comment);
    line[..comment.unwrap_or(line.len())].trim()
}

/// Tells whether a line names the format, such as `[Adblock Plus 2.0]`; `[::1]` is an address.
fn is_header(line: &str) -> bool {
    let inner = line.strip_prefix('[').and_then(|line| line.strip_suffix(']'));
    inner.is_some_and(|inner| inner.parse::<Ipv6Addr>().is_err())
}

/// Tells whether an entry can be found in a URL, which is split at all other characters.
fn is_word(entry: &str) -> bool {
    entry.bytes().all(|byte| byte.is_ascii_alphanumeric())
}

/// Returns the address that a line of a hosts file starts with; some lists shorten 0.0.0.0 to 0.
fn address(field: &str) -> Option<IpAddr> {
    let plain = field.split('%').next().unwrap_or_default();
    if plain == "0" { Some(IpAddr::from([0, 0, 0, 0])) } else { plain.parse().ok() }
}

/// Adds the names of a line of a hosts file. Only names of the null and loopback addresses are blocked: other
/// lines send a name somewhere else.
fn hosts(address: IpAddr, names: &str, mut add: impl FnMut(Target, String)) -> bool {
    let is_block = address.is_unspecified() || address.is_loopback();
    let names = names.split('#').next().unwrap_or_default().split_whitespace();
    let mut is_understood = true;
    for name in names.filter(|name| !is_local(name)) {
        match plain(name, ListKind::Domains).filter(|(target, _)| is_block && *target == Target::Host) {
            Some((target, host)) => add(target, host),
            None => is_understood = false,
        }
    }
    is_understood
}

/// Adds the names of a line for a name server.
fn named(names: Names<'_>, mut add: impl FnMut(Target, String)) -> bool {
    let (names, is_allowed) = match names {
        Names::Blocked(names) => (names, false),
        Names::Allowed(name) => (vec![name], true),
        Names::Neither => return true,
    };
    let mut is_understood = true;
    for name in names {
        match plain(name, ListKind::Domains).filter(|(target, _)| *target == Target::Host) {
            Some((target, host)) => add(if is_allowed { target.allowed() } else { target }, host),
            None => is_understood = false,
        }
    }
    is_understood
}

/// Tells whether a name of a hosts file is one of the machine itself or its network.
fn is_local(name: &str) -> bool {
    let name = name.to_ascii_lowercase();
    LOCAL_NAMES.contains(&name.as_str())
        || (name.starts_with(LOCAL_PREFIX) && !name.contains('.'))
        || name.parse::<IpAddr>().is_ok()
}

/// Reads an adblock rule for a whole host or one URL; rules for parts of pages, for patterns and for
/// requests from certain sites are none.
fn rule(line: &str) -> Option<(Target, String)> {
    let (is_exception, rule) = line.strip_prefix("@@").map_or((false, line), |rule| (true, rule));
    let (pattern, options) =
        rule.rsplit_once('$').map_or((rule, None), |(rule, options)| (rule, Some(options)));
    let known = if is_exception { &ALLOW_OPTIONS[..] } else { &BLOCK_OPTIONS[..] };
    if options.is_some_and(|options| options.split(',').any(|option| !known.contains(&option))) {
        return None;
    }
    let (start, text) = match pattern.strip_prefix("||") {
        Some(text) => (text.strip_prefix("*."), text),
        None => (None, pattern.strip_prefix('|').filter(|text| text.contains("://"))?),
    };
    let text = start.unwrap_or(text);
    let text = text.strip_suffix('|').unwrap_or(text);
    let text = text.strip_suffix('^').unwrap_or(text);
    let (target, text) = plain(text, ListKind::Domains).filter(|_| !text.contains(['*', '^', '|']))?;
    Some((if is_exception { target.allowed() } else { target }, text))
}

/// Reads a host or URL: a host with a path or a query is a URL in a list of hosts, too.
fn plain(entry: &str, kind: ListKind) -> Option<(Target, String)> {
    let entry = match kind {
        // Some lists start a host with a dot or `*.`, which is what it means here anyway.
        ListKind::Domains => entry.trim_start_matches("*.").trim_start_matches('.'),
        ListKind::Urls | ListKind::Words => entry,
    };
    let url = match entry.parse::<Ipv6Addr>() {
        Ok(address) => format!("http://[{address}]/"),
        Err(_) if entry.contains("://") => entry.to_owned(),
        Err(_) => format!("http://{entry}"),
    };
    let (_, rest) = url.split_once("://")?;
    let (authority, path) = rest.split_at(rest.find(['/', '?', '#']).unwrap_or(rest.len()));
    let page = PageUrl::of(&url)?;
    // A number sign after a host is a rule for parts of its pages (`bad.example##.ad`).
    if !is_host(&page, authority) || path.starts_with('#') {
        return None;
    }
    if kind == ListKind::Urls || !["", "/"].contains(&path) {
        return Some((Target::Url, exact_form(&page).to_owned()));
    }
    let (host, path) = (page.host(), page.without_scheme());
    let port = path.strip_prefix(host)?.trim_end_matches('/');
    let port = Some(port).filter(|port| !SCHEME_PORTS.contains(port)).unwrap_or_default();
    Some((Target::Host, format!("{host}{port}")))
}

/// Tells whether what stands before the path is a host and no more: the parser of URLs makes hosts of
/// numbers, user names and most marks, too.
fn is_host(page: &PageUrl, authority: &str) -> bool {
    let is_label = |label: &str| {
        (1..=LABEL_BYTES_MAX).contains(&label.len())
            && label.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_')
            && !label.starts_with('-')
            && !label.ends_with('-')
    };
    let host = page.host();
    let is_plain =
        !authority.is_empty() && !authority.ends_with(':') && !authority.contains(['@', '%', '\\']);
    if !is_plain || host.len() > HOST_BYTES_MAX {
        return false;
    }
    if page.has_name() {
        return host.split('.').all(is_label);
    }
    let port = authority.strip_prefix(host);
    port.is_some_and(|port| port.is_empty() || port.starts_with(':'))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The entries of a line, a character before each for what it is; `None` where it is not understood.
    fn entries(line: &str, kind: ListKind) -> Option<String> {
        let mut all = Vec::new();
        let is_understood = parse(line, kind, |target, text| {
            let mark = match target {
                Target::Host => "host",
                Target::Url => "url",
                Target::Word => "word",
                Target::AllowedHost => "allowed-host",
                Target::AllowedUrl => "allowed-url",
            };
            all.push(format!("{mark}:{text}"));
        });
        is_understood.then(|| all.join(" "))
    }

    #[test]
    fn a_line_of_a_list_of_hosts_is_read_in_every_usual_format() {
        let cases = [
            ("bad.example", "host:bad.example"),
            ("  Bad.Example.\r\n", "host:bad.example"),
            ("*.bad.example", "host:bad.example"),
            (".bad.example # very bad", "host:bad.example"),
            ("bücher.example", "host:xn--bcher-kva.example"),
            ("xn--bcher-kva.example", "host:xn--bcher-kva.example"),
            ("under_score.bad.example", "host:under_score.bad.example"),
            ("zip", "host:zip"),
            ("bad.example:8080", "host:bad.example:8080"),
            ("bad.example:443", "host:bad.example"),
            ("http://bad.example:80", "host:bad.example"),
            ("https://bad.example/", "host:bad.example"),
            ("bad.example/", "host:bad.example"),
            ("192.0.2.1", "host:192.0.2.1"),
            ("2001:db8::1", "host:[2001:db8::1]"),
            // A path or a query is never its whole host.
            ("bad.example/path", "url:bad.example/path"),
            ("https://www.bad.example/path/?id=1", "url:bad.example/path/?id=1"),
            ("bad.example?id=1", "url:bad.example/?id=1"),
            // Hosts files.
            ("0.0.0.0 bad.example", "host:bad.example"),
            ("127.0.0.1\tbad.example  Worse.example #bad", "host:bad.example host:worse.example"),
            ("0.0.0.0 bad.example#comment", "host:bad.example"),
            ("0 bad.example", "host:bad.example"),
            (":: bad.example", "host:bad.example"),
            ("::1 localhost ip6-localhost ip6-loopback", ""),
            ("127.0.0.1 localhost.localdomain local", ""),
            ("255.255.255.255 broadcasthost", ""),
            ("fe80::1%lo0 localhost", ""),
            ("0.0.0.0 0.0.0.0", ""),
            (
                "0.0.0.0 localhosting.example ip6-bad.example",
                "host:localhosting.example host:ip6-bad.example",
            ),
            // Name servers.
            ("address=/bad.example/worse.example/0.0.0.0", "host:bad.example host:worse.example"),
            ("server:", ""),
            ("local-zone: \"Bad.example\" always_nxdomain", "host:bad.example"),
            ("*.bad.example. 300 IN CNAME .", "host:bad.example"),
            ("good.example CNAME rpz-passthru.", "allowed-host:good.example"),
            // Adblock.
            ("||bad.example^", "host:bad.example"),
            ("||bad.example", "host:bad.example"),
            ("||*.bad.example^", "host:bad.example"),
            ("||bad.example^$third-party,important", "host:bad.example"),
            ("||bad.example/path^", "url:bad.example/path"),
            ("|https://bad.example/path|", "url:bad.example/path"),
            ("|https://bad.example^", "host:bad.example"),
            ("@@||good.example^", "allowed-host:good.example"),
            ("@@||good.example^$document", "allowed-host:good.example"),
            ("@@||bad.example/good", "allowed-url:bad.example/good"),
            ("[Adblock Plus 2.0]", ""),
            ("! bad.example", ""),
            ("!bad.example", ""),
            ("; bad.example", ""),
            ("// bad.example", ""),
            ("# bad.example", ""),
            ("##.banner", ""),
            ("", ""),
        ];
        for (line, expected) in cases {
            assert_eq!(entries(line, ListKind::Domains).as_deref(), Some(expected), "{line:?}");
        }
    }

    #[test]
    fn what_is_no_entry_of_a_list_of_hosts_is_told() {
        let cases = [
            "two words",
            "<!DOCTYPE>",
            "{",
            "\"bad.example\",",
            "bad.example,adult",
            "address=/office.example/10.0.0.1",
            "address=/-bad.example/0.0.0.0",
            "someone@bad.example",
            "ftp://bad.example/",
            "http://",
            "bad..example",
            "-bad.example",
            "1234",
            "bad.example##.banner",
            "bad.example#@#.banner",
            "||ads*.bad.example^",
            "||bad.example^*/ads",
            "||bad.example^$script",
            "||bad.example^$domain=other.example",
            "@@||bad.example^$script",
            "|bad.example^",
            "/ads[0-9]+/",
            "/ads/",
            "&ad_box=",
            "216.239.38.120 www.search.example",
            "bad.example CNAME walled.example.",
        ];
        for line in cases {
            assert_eq!(entries(line, ListKind::Domains), None, "{line:?}");
        }
        // Of a line of a hosts file the names that are understood are blocked.
        let mut all = Vec::new();
        assert!(!parse("0.0.0.0 bad.example {", ListKind::Domains, |_, text| all.push(text)));
        assert_eq!(all, ["bad.example"]);
    }

    #[test]
    fn a_list_of_urls_means_urls_and_one_of_words_means_words() {
        let urls = [
            ("bad.example/path/", Some("url:bad.example/path")),
            ("https://www.bad.example/path#top", Some("url:bad.example/path")),
            ("bad.example/a#b", Some("url:bad.example/a")),
            ("bad.example", Some("url:bad.example")),
            ("||bad.example^", Some("host:bad.example")),
            ("0.0.0.0 bad.example", Some("host:bad.example")),
            ("bad.example/two words", None),
        ];
        for (line, expected) in urls {
            assert_eq!(entries(line, ListKind::Urls).as_deref(), expected, "{line:?}");
        }
        let words =
            [("Casino", Some("word:casino")), ("free poker", None), ("(porn|sex)", None), ("été", None)];
        for (line, expected) in words {
            assert_eq!(entries(line, ListKind::Words).as_deref(), expected, "{line:?}");
        }
    }
}
