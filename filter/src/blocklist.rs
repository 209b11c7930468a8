//! Block lists of URLs: hosts, exact URLs and words, kept as sorted hashes.

use std::fs::File;
use std::io::{BufRead, BufReader, Read};
use std::path::{Path, PathBuf};

use corpus::PageUrl;
use corpus::page_url::URL_BYTES_MAX;
use flate2::read::MultiGzDecoder;
use xxhash_rust::xxh3::xxh3_64;

/// Entries of all lists of a kind at most: 8 bytes each in memory.
pub const ENTRIES_MAX: usize = 1 << 26;
/// Bytes of a line at most.
const LINE_BYTES_MAX: u64 = URL_BYTES_MAX as u64;
/// The first bytes of a gzipped list.
const GZIP_MAGIC: [u8; 2] = [0x1F, 0x8B];

/// What the entries of a list are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// Hosts; what is below them is meant too.
    Domains,
    /// URLs.
    Urls,
    /// Words within URLs.
    Words,
}

impl Kind {
    /// Returns the key of the configuration, and UT1's name of the file.
    pub fn name(self) -> &'static str {
        match self {
            Self::Domains => "domains",
            Self::Urls => "urls",
            Self::Words => "words",
        }
    }

    /// Returns the form in which an entry is looked up, or `None` where it cannot match anything.
    fn normalise(self, entry: &str) -> Option<String> {
        match self {
            Self::Domains => Some(PageUrl::of(&format!("http://{entry}/"))?.host().to_owned()),
            Self::Urls if entry.contains("://") => Some(exact_form(&PageUrl::of(entry)?).to_owned()),
            Self::Urls => Some(exact_form(&PageUrl::of(&format!("http://{entry}"))?).to_owned()),
            Self::Words => Some(entry.to_ascii_lowercase()),
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
    domains: Hashes,
    urls: Hashes,
    words: Hashes,
}

impl Blocklists {
    /// Reads lists; what is the same in two lists is kept once.
    ///
    /// # Errors
    /// With a sentence that names the file: when it cannot be read, has a line of more than
    /// 8,192 bytes, or the lists of a kind have more than [`ENTRIES_MAX`] entries.
    pub fn read(lists: &[(Kind, Vec<PathBuf>)]) -> Result<Self, String> {
        let mut read = Self::default();
        for (kind, paths) in lists {
            let hashes = match kind {
                Kind::Domains => &mut read.domains,
                Kind::Urls => &mut read.urls,
                Kind::Words => &mut read.words,
            };
            for path in paths {
                let named = |error| format!("{}: {}: {error}", kind.name(), path.display());
                hashes.extend(path, *kind).map_err(named)?;
            }
            hashes.sort();
        }
        Ok(read)
    }

    /// Looks a URL up. What is not a URL of a page has no domain and no exact form, but words.
    pub fn look_up(&self, url: &str) -> Listed {
        let url = url.get(..url.floor_char_boundary(URL_BYTES_MAX)).unwrap_or_default();
        let page = PageUrl::of(url);
        Listed {
            domain: page.as_ref().is_some_and(|page| self.has_domain(page)),
            url: page.as_ref().is_some_and(|page| self.urls.contains(exact_form(page))),
            words: self.count_words(url),
        }
    }

    /// Looks up the host and each domain above it; an address of numbers has none.
    fn has_domain(&self, page: &PageUrl) -> bool {
        let mut host = page.host();
        loop {
            if self.domains.contains(host) {
                return true;
            }
            match host.split_once('.').filter(|_| page.has_name()) {
                Some((_, above)) => host = above,
                None => return false,
            }
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
pub fn file_of(path: &Path, kind: Kind) -> PathBuf {
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
    fn extend(&mut self, path: &Path, kind: Kind) -> Result<(), String> {
        let mut lines = open(path).map_err(|error| error.to_string())?;
        let mut line = Vec::new();
        loop {
            line.clear();
            let read = lines.by_ref().take(LINE_BYTES_MAX + 1).read_until(b'\n', &mut line);
            if read.map_err(|error| error.to_string())? == 0 {
                return Ok(());
            }
            if line.len() as u64 > LINE_BYTES_MAX {
                return Err(format!("has a line of more than {LINE_BYTES_MAX} bytes"));
            }
            let text = String::from_utf8_lossy(&line);
            let entry = entry_of(&text, kind);
            let Some(entry) = entry.and_then(|entry| kind.normalise(entry)) else {
                continue;
            };
            if self.0.len() == ENTRIES_MAX {
                return Err(format!("the lists have more than {ENTRIES_MAX} entries"));
            }
            self.0.push(xxh3_64(entry.as_bytes()));
        }
    }

    fn sort(&mut self) {
        self.0.sort_unstable();
        self.0.dedup();
        self.0.shrink_to_fit();
    }

    fn contains(&self, entry: &str) -> bool {
        self.0.binary_search(&xxh3_64(entry.as_bytes())).is_ok()
    }
}

/// Returns a line's entry, or `None` where there is none. `#` begins a comment at the line's start
/// or after white space: within a URL it is part of it.
fn entry_of(line: &str, kind: Kind) -> Option<&str> {
    let is_comment = |at: &usize| *at == 0 || line[..*at].ends_with(char::is_whitespace);
    let comment = line.match_indices('#').map(|(at, _)| at).find(is_comment);
    let entry = line[..comment.unwrap_or(line.len())].trim();
    // Some lists begin a domain with a dot or `*.`, which is what it means here anyway.
    let entry = match kind {
        Kind::Domains => entry.trim_start_matches("*.").trim_start_matches('.'),
        Kind::Urls | Kind::Words => entry,
    };
    (!entry.is_empty()).then_some(entry)
}

/// Opens a list, plain or gzipped, whatever its name.
fn open(path: &Path) -> std::io::Result<Box<dyn BufRead>> {
    let mut file = BufReader::new(File::open(path)?);
    if file.fill_buf()?.starts_with(&GZIP_MAGIC) {
        return Ok(Box::new(BufReader::new(MultiGzDecoder::new(file))));
    }
    Ok(Box::new(file))
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use std::io::Write;

    use flate2::Compression;
    use flate2::write::GzEncoder;

    use super::*;

    fn lists(kind: Kind, bytes: &[u8]) -> Result<Blocklists, String> {
        let file = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(file.path(), bytes).unwrap();
        Blocklists::read(&[(kind, vec![file.path().to_owned()])])
    }

    #[test]
    fn a_domain_blocks_what_is_below_it_and_nothing_beside() {
        let lists =
            lists(Kind::Domains, b"# adult\nBad.Example\n.worse.example # very\n\n192.0.2.1\n").unwrap();
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
        let lists = lists(Kind::Urls, b"news.example/bad/\nhttps://www.other.example/x?id=1\n").unwrap();
        let blocked = |url| lists.look_up(url).url;
        assert!(blocked("http://news.example/bad"));
        assert!(blocked("https://www.News.example/bad/?utm_source=x#top"));
        assert!(blocked("http://other.example/x?id=1"));
        assert!(!blocked("http://other.example/x?id=2"));
        assert!(!blocked("http://news.example/bad/more"));
    }

    #[test]
    fn words_are_whole_and_counted_once() {
        let lists = lists(Kind::Words, b"casino\nPoker\n").unwrap();
        assert_eq!(lists.look_up("https://x.example/Casino-and-casino_poker.html").words, 2);
        assert_eq!(lists.look_up("https://x.example/casinos").words, 0);
        assert_eq!(lists.look_up("no url, but a casino").words, 1);
    }

    #[test]
    fn a_gzipped_list_is_read_by_its_content() {
        let mut gzip = GzEncoder::new(Vec::new(), Compression::fast());
        gzip.write_all(b"bad.example\n").unwrap();
        let bytes = gzip.finish().unwrap();
        assert!(lists(Kind::Domains, &bytes).unwrap().look_up("http://bad.example").domain);
        assert!(lists(Kind::Domains, &bytes[..bytes.len() - 9]).is_err());
    }

    #[test]
    fn odd_lines_are_skipped_and_endless_ones_refused() {
        let odd = lists(Kind::Domains, b"\xFF\xFE\nhttp://\n a b \nbad.example\r\n").unwrap();
        assert!(odd.look_up("http://bad.example/").domain);
        let endless = vec![b'a'; URL_BYTES_MAX + 1];
        assert!(lists(Kind::Domains, &endless).unwrap_err().contains("a line of more than"));
    }
}
