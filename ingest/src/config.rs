//! The section `[sources.NAME]`: where a source's files are and how they are read.

use corpus::SourceCode;
use serde::{Deserialize, Serialize};

use crate::braces;
use crate::crawl::CrawlFormat;
use crate::documents::{PileFormat, RowsFormat, TextFormat};
use crate::pages::HtmlFormat;
use crate::pairs::PairsFormat;

/// A source of documents, pages or pairs.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct SourceConfig {
    /// The source's number in ids. Never change or reuse it.
    pub code: SourceCode,
    /// URLs or local paths. Brace ranges are expanded (`part-{00000..00127}.parquet`, `{train,val}.zst`), and
    /// any part of a path may contain wildcards (`data/*/part-*.jsonl`). A crawl also accepts path lists, and
    /// folders, which stand for the archives in them, sorted by name. Omit `files` if you name a snapshot.
    ///
    /// A file's position in this list is its index in ids, so add files only at the end.
    #[serde(default)]
    pub files: Vec<String>,
    /// In place of `files`: one file, or a local folder. A folder stands for all files of the format in it
    /// and its subfolders, sorted by name.
    #[serde(default)]
    pub path: Option<String>,
    /// How the files are read.
    pub format: Format,
}

/// How a source's files are read.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Format {
    /// The Pile's JSON lines.
    Pile(PileFormat),
    /// Common Crawl's WARC files, by their path lists.
    Crawl(CrawlFormat),
    /// Saved pages: HTML files, or rows with a column of HTML.
    Html(HtmlFormat),
    /// Metadata of image-caption pairs.
    Pairs(PairsFormat),
    /// JSON lines or Parquet with a text field.
    Rows(RowsFormat),
    /// Plain text.
    Text(TextFormat),
}

/// What is wrong with a source that names nothing to read.
const NO_FILES: &str = "path and files are both missing: path names a file or a folder, files lists several";

impl SourceConfig {
    /// Returns the files that are named, whichever way.
    pub(crate) fn patterns(&self) -> &[String] {
        self.path.as_ref().map_or(&self.files, std::slice::from_ref)
    }

    /// Checks every value.
    ///
    /// # Errors
    /// The first setting that cannot work, and what it should be.
    pub fn validate(&self) -> Result<(), String> {
        let snapshot = match &self.format {
            Format::Crawl(format) => format.snapshot.as_deref(),
            _ => None,
        };
        match (self.patterns().is_empty(), snapshot) {
            _ if self.path.is_some() && !self.files.is_empty() => {
                return Err("files and path exclude each other".to_owned());
            }
            (true, None) => return Err(NO_FILES.to_owned()),
            (false, Some(_)) => return Err("files and format.crawl.snapshot exclude each other".to_owned()),
            _ => {}
        }
        let key = if self.path.is_some() { "path" } else { "files" };
        for pattern in self.patterns() {
            if pattern.trim().is_empty() {
                return Err(format!("{key} is {pattern:?}, must name a file, a folder or a URL"));
            }
            braces::expand(pattern).map_err(|error| format!("{key}: {error}"))?;
        }
        match &self.format {
            Format::Pairs(format) => format.validate(),
            Format::Crawl(format) => format.validate(),
            Format::Html(format) => format.validate(),
            Format::Pile(_) | Format::Rows(_) | Format::Text(_) => Ok(()),
        }
    }
}
