//! How the records of a text source look.

use serde::{Deserialize, Serialize};

/// The Pile's JSON lines: `{"text": ..., "meta": {"pile_set_name": ...}}`.
///
/// Some re-uploads hold `meta` as a JSON string; both are read.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct PileFormat {
    /// The sets to keep, by `pile_set_name`; all if empty. KOSMOS-1 keeps seven (paper, appendix B.1.1 and
    /// table 20).
    pub sets: Vec<String>,
}

/// Rows with named fields: Parquet if the file name ends in `.parquet`, otherwise JSON lines.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct RowsFormat {
    /// The field or column that holds the text.
    pub text: String,
    /// The field or column that holds the source's own id, a string or a number. Default: `id`, if it exists.
    pub id: Option<String>,
    /// The field or column that holds the page's URL. Default: `url`, if it exists.
    pub url: Option<String>,
    /// The field or column that holds the date.
    pub date: Option<String>,
}

impl RowsFormat {
    /// Returns the name of the field that holds the id.
    pub(super) fn id(&self) -> &str {
        self.id.as_deref().unwrap_or(ID_DEFAULT)
    }

    /// Returns the name of the field that holds the URL.
    pub(super) fn url(&self) -> &str {
        self.url.as_deref().unwrap_or(URL_DEFAULT)
    }
}

/// Plain text.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct TextFormat {
    /// What ends a document.
    pub separator: Separator,
}

/// What ends a document of plain text.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Separator {
    /// The end of a line.
    #[default]
    Line,
    /// A blank line.
    BlankLine,
}

/// Fields or columns that hold the id and the URL, unless configured.
const ID_DEFAULT: &str = "id";
const URL_DEFAULT: &str = "url";
/// Field or column that holds the text, unless configured.
const TEXT_DEFAULT: &str = "text";

impl Default for RowsFormat {
    fn default() -> Self {
        Self { text: TEXT_DEFAULT.to_owned(), id: None, url: None, date: None }
    }
}

/// The format of any text source.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum DocumentFormat {
    /// The Pile.
    Pile(PileFormat),
    /// JSON lines or Parquet.
    Rows(RowsFormat),
    /// Plain text.
    Text(TextFormat),
}

impl From<PileFormat> for DocumentFormat {
    fn from(format: PileFormat) -> Self {
        Self::Pile(format)
    }
}

impl From<RowsFormat> for DocumentFormat {
    fn from(format: RowsFormat) -> Self {
        Self::Rows(format)
    }
}

impl From<TextFormat> for DocumentFormat {
    fn from(format: TextFormat) -> Self {
        Self::Text(format)
    }
}
