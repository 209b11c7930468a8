//! Lines of the files that name servers are told by what not to answer: dnsmasq, unbound, response policy zones.

use std::net::IpAddr;

/// Actions of an unbound zone under which its name has no address; others let parts of it through.
const UNBOUND_ACTIONS: [&str; 8] = [
    "always_deny",
    "always_null",
    "always_nxdomain",
    "always_refuse",
    "deny",
    "refuse",
    "redirect",
    "static",
];
/// What a policy zone answers with for a blocked name: no such name, no data, nothing at all.
const POLICY_BLOCKS: [&str; 3] = [".", "*.", "rpz-drop."];
/// And for a name that no policy applies to.
const POLICY_PASSES: &str = "rpz-passthru.";
/// Records that every zone begins with.
const ZONE_RECORDS: [&str; 2] = ["SOA", "NS"];

/// What a line says of names.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Names<'l> {
    /// They and all below them are blocked.
    Blocked(Vec<&'l str>),
    /// It and all below it are allowed.
    Allowed(&'l str),
    /// Nothing: it belongs to the file's form.
    Neither,
}

/// Reads a line; `None` where it is of another format, or does something else with a name.
pub(super) fn parse(line: &str) -> Option<Names<'_>> {
    dnsmasq(line).or_else(|| unbound(line)).or_else(|| policy(line))
}

/// `address=/bad.example/worse.example/0.0.0.0`, `server=/bad.example/`, `local=/bad.example/`.
fn dnsmasq(line: &str) -> Option<Names<'_>> {
    let (option, rest) = line.split_once("=/")?;
    let (names, answer) = rest.rsplit_once('/')?;
    let is_block = match option.trim() {
        "address" => matches!(answer, "" | "#") || is_null(answer),
        "server" | "local" => answer.is_empty(),
        _ => false,
    };
    is_block.then(|| Names::Blocked(names.split('/').collect()))
}

/// `local-zone: "bad.example" always_nxdomain`, `local-data: "bad.example A 0.0.0.0"`.
fn unbound(line: &str) -> Option<Names<'_>> {
    let (option, rest) = line.split_once(':')?;
    let rest = rest.trim();
    match option.trim() {
        "server" if rest.is_empty() => Some(Names::Neither),
        "local-zone" => {
            let (name, action) = rest.rsplit_once(char::is_whitespace)?;
            UNBOUND_ACTIONS.contains(&action).then(|| Names::Blocked(vec![name.trim().trim_matches('"')]))
        }
        "local-data" => {
            let mut fields = rest.trim_matches(['"', '\'']).split_whitespace();
            let (name, address) = (fields.next()?, fields.next_back()?);
            is_null(address).then(|| Names::Blocked(vec![name]))
        }
        _ => None,
    }
}

/// `bad.example CNAME .`, with or without a time to live and a class; the names below it have a line of their own.
fn policy(line: &str) -> Option<Names<'_>> {
    let fields: Vec<&str> = line.split_whitespace().collect();
    if fields.first().is_some_and(|first| first.starts_with('$'))
        || fields.iter().any(|field| ZONE_RECORDS.contains(field))
    {
        return Some(Names::Neither);
    }
    let [name, between @ .., kind, answer] = fields.as_slice() else { return None };
    let is_form = between.iter().all(|field| *field == "IN" || field.bytes().all(|b| b.is_ascii_digit()));
    match *kind {
        "CNAME" if is_form && POLICY_BLOCKS.contains(answer) => Some(Names::Blocked(vec![name])),
        "CNAME" if is_form && *answer == POLICY_PASSES => Some(Names::Allowed(name)),
        "A" | "AAAA" if is_form && is_null(answer) => Some(Names::Blocked(vec![name])),
        _ => None,
    }
}

fn is_null(address: &str) -> bool {
    address.parse::<IpAddr>().is_ok_and(|address| address.is_unspecified() || address.is_loopback())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_of_name_servers_block_or_allow_names() {
        let blocked = |names: &[&'static str]| Some(Names::Blocked(names.to_vec()));
        for (line, expected) in [
            ("address=/bad.example/0.0.0.0", blocked(&["bad.example"])),
            ("address=/bad.example/worse.example/::", blocked(&["bad.example", "worse.example"])),
            ("address=/bad.example/#", blocked(&["bad.example"])),
            ("server=/bad.example/", blocked(&["bad.example"])),
            ("local=/bad.example/", blocked(&["bad.example"])),
            ("server=/office.example/10.0.0.1", None),
            ("address=/office.example/10.0.0.1", None),
            ("server:", Some(Names::Neither)),
            ("local-zone: \"bad.example\" always_nxdomain", blocked(&["bad.example"])),
            ("  local-zone: bad.example. static", blocked(&["bad.example."])),
            ("local-zone: \"office.example\" transparent", None),
            ("local-data: \"bad.example A 0.0.0.0\"", blocked(&["bad.example"])),
            ("local-data: \"office.example A 10.0.0.1\"", None),
            ("bad.example CNAME .", blocked(&["bad.example"])),
            ("*.bad.example. 300 IN CNAME *.", blocked(&["*.bad.example."])),
            ("bad.example A 127.0.0.1", blocked(&["bad.example"])),
            ("good.example CNAME rpz-passthru.", Some(Names::Allowed("good.example"))),
            ("bad.example CNAME walled.example.", None),
            ("$TTL 300", Some(Names::Neither)),
            ("@ IN SOA localhost. root.localhost. 1 1h 15m 30d 2h", Some(Names::Neither)),
            ("two words", None),
            ("address=bad.example", None),
        ] {
            assert_eq!(parse(line), expected, "{line:?}");
        }
    }
}
