//! The section `[sources.NAME]`: where a source's files are and how they are read.

use corpus::SourceCode;
use serde::{Deserialize, Serialize};

use crate::braces;
use crate::documents::{JsonlFormat, ParquetFormat, PileFormat, TextFormat};
use crate::pairs::PairsFormat;

/// A source of documents, pages or pairs.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SourceConfig {
    /// The source's number in ids; fixed for ever and never reused.
    pub code: SourceCode,
    /// URLs or local paths, with brace ranges: `part-{00000..00127}.parquet`, `{train,val}.zst`.
    ///
    /// A file's place in this list is its index in ids: files are added at the end alone.
    pub files: Vec<String>,
    /// How the files are read.
    pub format: Format,
}

/// How a source's files are read.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Format {
    /// The Pile's JSON lines.
    Pile(PileFormat),
    /// Common Crawl's WARC files, by their path lists.
    Crawl(CrawlFormat),
    /// Metadata of image-caption pairs.
    Pairs(PairsFormat),
    /// JSON lines with a text field.
    Jsonl(JsonlFormat),
    /// Parquet with a text column.
    Parquet(ParquetFormat),
    /// Plain text.
    Text(TextFormat),
}

/// A crawl: WARC files, or lists of their paths.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct CrawlFormat {
    /// What the paths of a `*.paths` or `*.paths.gz` list are appended to.
    pub prefix: String,
    /// Files taken at most, in the order of the lists; all where absent. It may be raised
    /// later without renumbering.
    pub files_max: Option<u32>,
}

impl SourceConfig {
    /// Checks every value.
    ///
    /// # Errors
    /// The first setting that cannot work, and what it should be.
    pub fn validate(&self) -> Result<(), String> {
        if self.files.is_empty() {
            return Err("files is empty".to_owned());
        }
        for pattern in &self.files {
            braces::expand(pattern)?;
        }
        match &self.format {
            Format::Pairs(format) => format.validate(),
            Format::Crawl(CrawlFormat { prefix, files_max }) => {
                if *files_max == Some(0) {
                    return Err("format.crawl.files_max is 0".to_owned());
                }
                match prefix.is_empty() || prefix.ends_with('/') {
                    true => Ok(()),
                    false => Err(format!("format.crawl.prefix {prefix:?} does not end with /")),
                }
            }
            Format::Pile(_) | Format::Jsonl(_) | Format::Parquet(_) | Format::Text(_) => Ok(()),
        }
    }
}
