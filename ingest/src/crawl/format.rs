//! The section `format.crawl`: which archives there are, and what is taken of them.

use serde::{Deserialize, Serialize};

use super::select::Select;
use crate::html::Ruby;

/// Where Common Crawl publishes its snapshots.
const COMMON_CRAWL: &str = "https://data.commoncrawl.org/";

/// A crawl: a snapshot by its name, or archives, folders of them and lists of their paths.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct CrawlFormat {
    /// A Common Crawl snapshot such as `CC-MAIN-2020-50`, in place of `files`.
    pub snapshot: Option<String>,
    /// What to read: HTML pages, or the text that the crawl extracted from them.
    pub kind: CrawlKind,
    /// Prefix for the paths in a `*.paths` or `*.paths.gz` list. Default: the snapshot's own.
    pub prefix: String,
    /// How to read ruby in pages: `base` text only, or with `readings` in parentheses after it.
    pub ruby: Ruby,
    /// Maximum number of files to read, in list order; all if absent. Raising it later does not renumber
    /// files.
    pub files_max: Option<u32>,
    /// Fetch individual records, chosen by the snapshot's index, instead of whole files.
    pub select: Option<Select>,
    /// Where to store archives while they are read, and optionally afterwards. If absent, archives are
    /// streamed.
    pub raw: Option<Raw>,
}

/// The kind of archives.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum CrawlKind {
    /// Raw responses: pages with images.
    #[default]
    Warc,
    /// Extracted text: documents for the text corpus.
    Wet,
}

/// Archives on this machine's disk.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Raw {
    /// The folder; created if missing.
    pub dir: std::path::PathBuf,
    /// Keep archives after reading them, so that later runs read them from here.
    #[serde(default)]
    pub keep: bool,
    /// Maximum total bytes of the archives in the folder. A task waits until there is room.
    #[serde(default = "bytes_max")]
    pub bytes_max: u64,
}

/// A hundred gigabytes: a hundred archives of a snapshot.
fn bytes_max() -> u64 {
    100_000_000_000
}

impl CrawlFormat {
    /// Returns the list of paths that a named snapshot has, with what they are appended to.
    pub(crate) fn snapshot_list(&self) -> Option<(String, String)> {
        let snapshot = self.snapshot.as_ref()?;
        let kind = match self.kind {
            CrawlKind::Warc => "warc",
            CrawlKind::Wet => "wet",
        };
        let base = self.base().to_owned();
        Some((format!("{base}crawl-data/{snapshot}/{kind}.paths.gz"), base))
    }

    /// Returns the list of the parts of a snapshot's index, likewise.
    pub(crate) fn index_list(&self) -> Option<(String, String)> {
        let (snapshot, base) = (self.snapshot.as_ref()?, self.base().to_owned());
        Some((format!("{base}crawl-data/{snapshot}/cc-index-table.paths.gz"), base))
    }

    fn base(&self) -> &str {
        if self.prefix.is_empty() { COMMON_CRAWL } else { &self.prefix }
    }

    /// Checks every value.
    ///
    /// # Errors
    /// The first setting that cannot work, and what it should be.
    pub(crate) fn validate(&self) -> Result<(), String> {
        if self.files_max == Some(0) {
            return Err("format.crawl.files_max is 0".to_owned());
        }
        if !self.prefix.is_empty() && !self.prefix.ends_with('/') {
            return Err(format!("format.crawl.prefix {:?} does not end with /", self.prefix));
        }
        if let Some(snapshot) = &self.snapshot {
            let is_name = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-';
            if !snapshot.starts_with("CC-MAIN-") || !snapshot.bytes().all(is_name) {
                return Err(format!("format.crawl.snapshot {snapshot:?} is no name such as CC-MAIN-2020-50"));
            }
        }
        let Some(select) = &self.select else {
            return Ok(());
        };
        match (&self.snapshot, self.kind, &self.raw) {
            (None, ..) => {
                Err("format.crawl.select needs format.crawl.snapshot: it reads its index".to_owned())
            }
            (_, CrawlKind::Wet, _) => {
                Err("format.crawl.select is for kind = \"warc\": the index knows no other".to_owned())
            }
            (.., Some(_)) => {
                Err("format.crawl.select takes single records: there is no raw to keep".to_owned())
            }
            _ => select.validate(),
        }
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn a_snapshot_is_where_common_crawl_puts_it() {
        let format = |toml: &str| -> CrawlFormat { toml::from_str(toml).unwrap() };
        let warc = format("snapshot = 'CC-MAIN-2020-50'");
        let list = "https://data.commoncrawl.org/crawl-data/CC-MAIN-2020-50/warc.paths.gz";
        assert_eq!(warc.snapshot_list().unwrap(), (list.to_owned(), COMMON_CRAWL.to_owned()));
        let wet = format("snapshot = 'CC-MAIN-2021-04'\nkind = 'wet'\nprefix = '/data/'");
        assert_eq!(wet.snapshot_list().unwrap().0, "/data/crawl-data/CC-MAIN-2021-04/wet.paths.gz");
    }

    #[test]
    fn what_cannot_work_is_refused_by_name() {
        let refused = |toml: &str| toml::from_str::<CrawlFormat>(toml).unwrap().validate().unwrap_err();
        assert!(refused("snapshot = '../etc'").contains("CC-MAIN-2020-50"));
        assert!(refused("prefix = 'http://h'").contains("does not end with /"));
        assert!(refused("files_max = 0").contains("files_max"));
        assert!(refused("select = {}").contains("snapshot"));
        assert!(refused("snapshot = 'CC-MAIN-2020-50'\nkind = 'wet'\nselect = {}").contains("kind"));
    }
}
