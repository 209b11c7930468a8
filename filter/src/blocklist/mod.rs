//! Block lists of URLs: hosts, exact URLs and words, kept as sorted hashes.

mod file;
mod line;
mod resolver;

use std::path::{Path, PathBuf};

use corpus::PageUrl;
use corpus::page_url::URL_BYTES_MAX;
use xxhash_rust::xxh3::xxh3_64;

use line::Target;

/// Entries of all lists of a kind at most: 8 bytes each in memory.
pub const ENTRIES_MAX: usize = 1 << 26;

/// What the entries of a list are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ListKind {
    /// Hosts; what is below them is meant too.
    Domains,
    /// URLs.
    Urls,
    /// Words within URLs.
    Words,
}

impl ListKind {
    /// Returns the key of the configuration, and UT1's name of the file.
    pub fn name(self) -> &'static str {
        match self {
            Self::Domains => "domains",
            Self::Urls => "urls",
            Self::Words => "words",
        }
    }

    /// Returns what an entry of such a list is, for errors.
    fn entry_name(self) -> &'static str {
        match self {
            Self::Domains => "a domain",
            Self::Urls => "a URL",
            Self::Words => "a word of the letters a to z and digits",
        }
    }
}

/// What of a URL is on the lists.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Listed {
    /// Whether its host, or a domain above it, is.
    pub domain: bool,
    /// Whether the URL itself is.
    pub url: bool,
    /// How many different words of it are.
    pub words: u64,
}

/// Block lists in memory. Two entries share a hash once in 2^64 / [`ENTRIES_MAX`] look-ups.
#[derive(Debug, Default)]
pub struct Blocklists {
    hosts: Hashes,
    urls: Hashes,
    words: Hashes,
    allowed_hosts: Hashes,
    allowed_urls: Hashes,
    notes: Vec<String>,
}

impl Blocklists {
    /// Reads lists; what is the same in two lists is kept once.
    ///
    /// # Errors
    /// With a sentence that names the file: when it cannot be read or has not one entry (with the first line
    /// that was not understood), or the lists have more than [`ENTRIES_MAX`] entries of a kind.
    pub fn read(lists: &[(ListKind, Vec<PathBuf>)]) -> Result<Self, String> {
        let mut read = Self::default();
        for (kind, path) in lists.iter().flat_map(|(kind, paths)| paths.iter().map(move |path| (*kind, path)))
        {
            let named = |what: String| format!("{}: {}: {what}", kind.name(), path.display());
            let file =
                file::read(path, kind, |target, entry| read.hashes(target).push(&entry)).map_err(named)?;
            let not_understood = file.not_understood.map(|first| first.to_string());
            if file.entries == 0 {
                let why = not_understood.map_or("the list is empty".to_owned(), |first| {
                    format!("no line of the list is {}; {first}", kind.entry_name())
                });
                return Err(named(why));
            }
            read.notes.extend(not_understood.map(|first| {
                named(format!("lines that are not {}: {}; {first}", kind.entry_name(), file.skipped))
            }));
        }
        for hashes in [
            &mut read.hosts,
            &mut read.urls,
            &mut read.words,
            &mut read.allowed_hosts,
            &mut read.allowed_urls,
        ] {
            hashes.sort();
        }
        Ok(read)
    }

    /// Returns a sentence for every list with lines that were not understood: how many, and the first.
    pub fn notes(&self) -> &[String] {
        &self.notes
    }

    /// Looks a URL up. What is not a URL of a page has no domain and no exact form, but words. What an
    /// exception of any list allows is on none of hosts and URLs.
    pub fn look_up(&self, url: &str) -> Listed {
        let url = url.get(..url.floor_char_boundary(URL_BYTES_MAX)).unwrap_or_default();
        let page = PageUrl::of(url);
        let page = page.as_ref().filter(|page| {
            !self.allowed_urls.contains(exact_form(page)) && !self.allowed_hosts.contains_host_of(page)
        });
        Listed {
            domain: page.is_some_and(|page| self.hosts.contains_host_of(page)),
            url: page.is_some_and(|page| self.urls.contains(exact_form(page))),
            words: self.count_words(url),
        }
    }

    fn hashes(&mut self, target: Target) -> &mut Hashes {
        match target {
            Target::Host => &mut self.hosts,
            Target::Url => &mut self.urls,
            Target::Word => &mut self.words,
            Target::AllowedHost => &mut self.allowed_hosts,
            Target::AllowedUrl => &mut self.allowed_urls,
        }
    }

    fn count_words(&self, url: &str) -> u64 {
        if self.words.0.is_empty() {
            return 0;
        }
        let lower = url.to_ascii_lowercase();
        let words = lower.split(|c: char| !c.is_ascii_alphanumeric()).filter(|word| !word.is_empty());
        let mut listed: Vec<_> = words.filter(|word| self.words.contains(word)).collect();
        listed.sort_unstable();
        listed.dedup();
        listed.len() as u64
    }
}

/// Returns the file a path of the configuration means: within a folder, the one of its kind.
pub fn file_of(path: &Path, kind: ListKind) -> PathBuf {
    if path.is_dir() { path.join(kind.name()) } else { path.to_owned() }
}

/// Returns the form by which URLs are equal: scheme, `www.` and a last slash say nothing.
fn exact_form(page: &PageUrl) -> &str {
    let url = page.without_scheme();
    url.strip_prefix("www.").unwrap_or(url).trim_end_matches('/')
}

/// Hashes of entries, sorted once all are in.
#[derive(Debug, Default)]
struct Hashes(Vec<u64>);

impl Hashes {
    /// Adds an entry.
    ///
    /// # Errors
    /// When there are [`ENTRIES_MAX`] already.
    fn push(&mut self, entry: &str) -> Result<(), String> {
        if self.0.len() == ENTRIES_MAX {
            return Err(format!("the lists have more than {ENTRIES_MAX} entries"));
        }
        self.0.push(xxh3_64(entry.as_bytes()));
        Ok(())
    }

    fn sort(&mut self) {
        self.0.sort_unstable();
        self.0.dedup();
        self.0.shrink_to_fit();
    }

    fn contains(&self, entry: &str) -> bool {
        self.0.binary_search(&xxh3_64(entry.as_bytes())).is_ok()
    }

    /// Looks up a page's host and each domain above it, with and without its port; an address of numbers has
    /// none above it.
    fn contains_host_of(&self, page: &PageUrl) -> bool {
        let (mut host, rest) = (page.host(), page.without_scheme());
        let port = rest.strip_prefix(host).and_then(|rest| rest.split(['/', '?']).next()).unwrap_or_default();
        while !self.0.is_empty() {
            if self.contains(host) || (!port.is_empty() && self.contains(&format!("{host}{port}"))) {
                return true;
            }
            match host.split_once('.').filter(|_| page.has_name()) {
                Some((_, above)) => host = above,
                None => return false,
            }
        }
        false
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::panic)]
mod tests {
    use std::io::Write;

    use flate2::Compression;
    use flate2::write::GzEncoder;

    use super::*;

    fn lists(kind: ListKind, bytes: &[u8]) -> Result<Blocklists, String> {
        let file = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(file.path(), bytes).unwrap();
        Blocklists::read(&[(kind, vec![file.path().to_owned()])])
    }

    #[test]
    fn a_domain_blocks_what_is_below_it_and_nothing_beside() {
        let lists =
            lists(ListKind::Domains, b"# adult\nBad.Example\n.worse.example # very\n\n192.0.2.1\n").unwrap();
        let blocked = |url| lists.look_up(url).domain;
        for url in [
            "https://bad.example/",
            "http://a.b.BAD.example:8080/x",
            "https://worse.example",
            "http://192.0.2.1/",
        ] {
            assert!(blocked(url), "{url}");
        }
        for url in ["https://notbad.example/", "https://example/", "https://bad.example.org/", "not a url"] {
            assert!(!blocked(url), "{url}");
        }
    }

    #[test]
    fn a_url_is_the_same_in_all_its_spellings() {
        let lists = lists(ListKind::Urls, b"news.example/bad/\nhttps://www.other.example/x?id=1\n").unwrap();
        let blocked = |url| lists.look_up(url).url;
        assert!(blocked("http://news.example/bad"));
        assert!(blocked("https://www.News.example/bad/?utm_source=x#top"));
        assert!(blocked("http://other.example/x?id=1"));
        assert!(!blocked("http://other.example/x?id=2"));
        assert!(!blocked("http://news.example/bad/more"));
    }

    #[test]
    fn words_are_whole_and_counted_once() {
        let lists = lists(ListKind::Words, b"casino\nPoker\n").unwrap();
        assert_eq!(lists.look_up("https://x.example/Casino-and-casino_poker.html").words, 2);
        assert_eq!(lists.look_up("https://x.example/casinos").words, 0);
        assert_eq!(lists.look_up("no url, but a casino").words, 1);
    }

    #[test]
    fn a_gzipped_list_is_read_by_its_content() {
        let mut gzip = GzEncoder::new(Vec::new(), Compression::fast());
        gzip.write_all(b"bad.example\n").unwrap();
        let bytes = gzip.finish().unwrap();
        assert!(lists(ListKind::Domains, &bytes).unwrap().look_up("http://bad.example").domain);
        assert!(lists(ListKind::Domains, &bytes[..bytes.len() - 9]).is_err());
    }

    #[test]
    fn a_list_that_is_packed_otherwise_is_refused_by_name() {
        let packed = zstd::encode_all(&b"bad.example\n"[..], 1).unwrap();
        for (bytes, name) in [(&packed[..], "zstd"), (b"\xFD7zXZ\0\0", "xz"), (b"BZh91AY", "bzip2")] {
            let error = lists(ListKind::Domains, bytes).unwrap_err();
            assert!(error.contains(&format!("it is {name}: lists are plain or gzip")), "{error}");
        }
    }

    #[test]
    fn lines_that_are_not_understood_are_counted_with_the_first_of_them() {
        let odd = lists(ListKind::Domains, b"\xFF\xFE\nhttp://\n a b \nbad.example\r\n").unwrap();
        assert!(odd.look_up("http://bad.example/").domain);
        let [note] = odd.notes() else { panic!("{:?}", odd.notes()) };
        assert!(note.starts_with("domains: "), "{note}");
        assert!(note.contains("lines that are not a domain: 3; line 1 is"), "{note}");
        assert!(lists(ListKind::Domains, b"# a\nbad.example\n").unwrap().notes().is_empty());
    }

    #[test]
    fn an_endless_line_is_skipped() {
        let mut endless = vec![b'a'; 3 * URL_BYTES_MAX];
        assert!(lists(ListKind::Domains, &endless).unwrap_err().contains("line 1 is \"aaa"));
        endless.extend(b"\nbad.example\n");
        let lists = lists(ListKind::Domains, &endless).unwrap();
        assert!(lists.look_up("http://bad.example/").domain);
        assert!(lists.notes()[0].contains("a domain: 1;"), "{:?}", lists.notes());
    }

    #[test]
    fn a_byte_order_mark_and_line_ends_of_windows_change_nothing() {
        let lists = lists(ListKind::Domains, b"\xEF\xBB\xBFfirst.example\r\nsecond.example\r\n").unwrap();
        for host in ["first", "second"] {
            assert!(lists.look_up(&format!("http://{host}.example/")).domain, "{host}");
        }
    }

    #[test]
    fn a_list_without_one_entry_is_refused_with_its_first_odd_line() {
        let refused = |kind, bytes: &[u8]| lists(kind, bytes).unwrap_err();
        let error = refused(ListKind::Domains, b"# adult sites\n<html>\n<body>not found</body>\n");
        assert!(error.starts_with("domains: ") && error.ends_with("line 2 is \"<html>\""), "{error}");
        assert!(error.contains("no line of the list is a domain"), "{error}");
        let error = refused(ListKind::Words, b"(^|[-?+=&/_])(casino|poker)\n");
        assert!(error.contains("a word of the letters a to z and digits"), "{error}");
        for empty in ["", "\n\n", "# nothing\n! nothing\n127.0.0.1 localhost\n"] {
            let error = refused(ListKind::Domains, empty.as_bytes());
            assert!(error.ends_with("the list is empty"), "{error}");
        }
    }

    #[test]
    fn lists_of_other_formats_block_the_same_hosts() {
        let formats = [
            "bad.example\nworse.example\n",
            "127.0.0.1 localhost\n0.0.0.0 bad.example worse.example\n",
            "[Adblock Plus 2.0]\n! adult\n||bad.example^$third-party\n||worse.example^\n",
            "https://bad.example/\n*.worse.example\n",
        ];
        for format in formats {
            let lists = lists(ListKind::Domains, format.as_bytes()).unwrap();
            for host in ["bad.example", "www.bad.example", "worse.example"] {
                assert!(lists.look_up(&format!("https://{host}/page")).domain, "{host} by {format:?}");
            }
            for host in ["good.example", "localhost", "example"] {
                assert_eq!(lists.look_up(&format!("https://{host}/")), Listed::default(), "{format:?}");
            }
        }
    }

    #[test]
    fn a_path_in_a_list_of_hosts_blocks_that_path_alone() {
        let lists = lists(ListKind::Domains, b"mixed.example/bad\nbad.example:8080\n").unwrap();
        let listed = |url| (lists.look_up(url).domain, lists.look_up(url).url);
        assert_eq!(listed("https://mixed.example/bad/"), (false, true));
        assert_eq!(listed("https://mixed.example/good"), (false, false));
        assert_eq!(listed("https://mixed.example/"), (false, false));
        assert_eq!(listed("http://www.bad.example:8080/x?y"), (true, false));
        assert_eq!(listed("http://bad.example/"), (false, false));
        assert_eq!(listed("http://bad.example:8081/"), (false, false));
    }

    #[test]
    fn exceptions_allow_what_any_list_blocks() {
        let text = b"||bad.example^\n@@||good.bad.example^\n@@||bad.example/good|\nbad.example/also\n@@||x.example^\n";
        let lists = lists(ListKind::Domains, text).unwrap();
        let blocked = |url| lists.look_up(url).domain;
        assert!(blocked("http://bad.example/") && blocked("http://worse.bad.example/"));
        assert!(blocked("http://bad.example/good/more"));
        for url in ["http://good.bad.example/", "http://a.good.bad.example/x", "https://bad.example/good"] {
            assert!(!blocked(url), "{url}");
        }
    }
}
