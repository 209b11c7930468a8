//! Lists of blocked domains, URLs and words in URLs.

use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use super::Finding;
use super::files::{Loaded, NamedFiles};
use crate::blocklist::{Blocklists, ListKind, file_of};

/// What a record's URL must not be; the reasons are `url_domain`, `url_exact` and `url_word`. A
/// record without a URL passes.
///
/// Lists are text, plain or gzipped: one entry per line, hosts files (`0.0.0.0 bad.example`) or adblock rules
/// (`||bad.example^`). Comments start with `#`, `!`, `;` or `//`. An adblock exception (`@@||good.example^`) allows
/// what any of the lists of hosts and URLs blocks. Adblock rules for parts of pages, for patterns, or for requests from
/// certain sites block nothing. A list without one entry is an error; other lines that are not
/// understood are counted in the log of the first task. A folder stands for its file `domains` or `urls`, as UT1's
/// block lists have one per category. After RefinedWeb's filter of URLs (Penedo et al. 2023) as datatrove has it.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct UrlLists {
    /// Lists of hosts; each entry also blocks all subdomains. An entry with a path blocks only that URL, with
    /// the reason `url_exact`; one with a port blocks that port.
    pub domains: Vec<PathBuf>,
    /// Lists of URLs, with or without a scheme. Each entry blocks only that URL, not those below it.
    pub urls: Vec<PathBuf>,
    /// Lists of words made of the letters a to z and digits. A URL is blocked if it contains one of them,
    /// delimited by other characters.
    pub words: Vec<PathBuf>,
}

impl UrlLists {
    /// Looks the URL up; the value is 1 where it is listed, and the number of listed words.
    pub fn judge(&self, url: Option<&str>, loaded: &Loaded) -> [Finding<'static>; 3] {
        let listed = url.zip(loaded.blocklists()).map(|(url, lists)| lists.look_up(url)).unwrap_or_default();
        let finding = |rule, count: u64| Finding::new(rule, count as f64, count == 0);
        [
            finding("url_domain", u64::from(listed.domain)),
            finding("url_exact", u64::from(listed.url)),
            finding("url_word", listed.words),
        ]
    }

    /// Returns the lists with their kinds, folders resolved.
    fn lists(&self) -> [(ListKind, Vec<PathBuf>); 3] {
        [(ListKind::Domains, &self.domains), (ListKind::Urls, &self.urls), (ListKind::Words, &self.words)]
            .map(|(kind, paths)| (kind, paths.iter().map(|path| file_of(path, kind)).collect()))
    }

    pub(super) fn files(&self) -> Vec<NamedFiles> {
        self.lists().map(|(kind, paths)| NamedFiles { key: kind.name(), paths }).into()
    }

    pub(super) fn load(&self) -> Result<Loaded, String> {
        let lists = Blocklists::read(&self.lists()).map_err(|error| format!("url_lists.{error}"))?;
        Ok(Loaded::Blocklists(lists))
    }

    pub(super) fn validate(&self) -> Result<(), String> {
        if self.domains.is_empty() && self.urls.is_empty() && self.words.is_empty() {
            return Err("url_lists names no list: everything would pass".to_owned());
        }
        Ok(())
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn a_url_is_dropped_by_the_list_it_is_on() {
        let folder = tempfile::tempdir().unwrap();
        let adult = folder.path().join("adult");
        std::fs::create_dir(&adult).unwrap();
        std::fs::write(adult.join("domains"), "bad.example\n").unwrap();
        std::fs::write(adult.join("urls"), "mixed.example/bad\n").unwrap();
        let words = folder.path().join("words");
        std::fs::write(&words, "casino\n").unwrap();
        let rule = UrlLists { domains: vec![adult.clone()], urls: vec![adult], words: vec![words] };
        assert_eq!(rule.validate(), Ok(()));
        let loaded = rule.load().unwrap();
        let reason = |url| {
            let findings = rule.judge(url, &loaded);
            findings.iter().find(|finding| !finding.passed).map(|finding| finding.rule)
        };
        assert_eq!(reason(Some("https://www.bad.example/x")), Some("url_domain"));
        assert_eq!(reason(Some("https://mixed.example/bad")), Some("url_exact"));
        assert_eq!(reason(Some("https://good.example/best-Casino.html")), Some("url_word"));
        assert_eq!(reason(Some("https://mixed.example/good")), None);
        assert_eq!(reason(None), None);
    }

    #[test]
    fn a_list_of_which_nothing_is_understood_is_refused_by_key_and_file() {
        let file = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(file.path(), "<html>not found</html>\n").unwrap();
        let rule = UrlLists { domains: vec![file.path().to_owned()], ..UrlLists::default() };
        let error = rule.load().unwrap_err();
        let named = format!("url_lists.domains: {}: ", file.path().display());
        assert!(error.starts_with(&named) && error.contains("<html>"), "{error}");
    }

    #[test]
    fn no_list_and_a_missing_list_are_refused() {
        assert!(UrlLists::default().validate().is_err());
        let rule = UrlLists { words: vec!["missing".into()], ..UrlLists::default() };
        let error = rule.load().unwrap_err();
        assert!(error.starts_with("url_lists.words: missing: "), "{error}");
    }
}
