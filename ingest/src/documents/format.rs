//! How the records of a text source look.

use serde::{Deserialize, Serialize};

/// The Pile's JSON lines: `{"text": ..., "meta": {"pile_set_name": ...}}`.
///
/// Some re-uploads hold `meta` as a JSON string; both are read.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct PileFormat {
    /// The sets that are kept, by `pile_set_name`; all where empty. KOSMOS-1 keeps seven
    /// (paper, appendix B.1.1 and table 20).
    pub sets: Vec<String>,
}

/// JSON lines with a text field.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct JsonlFormat {
    /// The field that holds the text.
    pub text: String,
    /// The field that holds the page's URL.
    pub url: Option<String>,
    /// The field that holds the date.
    pub date: Option<String>,
}

/// Parquet with a text column.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct ParquetFormat {
    /// The column that holds the text.
    pub text: String,
    /// The column that holds the page's URL.
    pub url: Option<String>,
    /// The column that holds the date.
    pub date: Option<String>,
}

/// Plain text.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct TextFormat {
    /// What ends a document.
    pub separator: Separator,
}

/// What ends a document of plain text.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Separator {
    /// The end of a line.
    #[default]
    Line,
    /// A blank line.
    BlankLine,
}

/// Field or column that holds the text, unless configured.
const TEXT_DEFAULT: &str = "text";

impl Default for JsonlFormat {
    fn default() -> Self {
        Self { text: TEXT_DEFAULT.to_owned(), url: None, date: None }
    }
}

impl Default for ParquetFormat {
    fn default() -> Self {
        Self { text: TEXT_DEFAULT.to_owned(), url: None, date: None }
    }
}

/// The format of any text source.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum DocumentFormat {
    /// The Pile.
    Pile(PileFormat),
    /// JSON lines.
    Jsonl(JsonlFormat),
    /// Parquet.
    Parquet(ParquetFormat),
    /// Plain text.
    Text(TextFormat),
}

impl From<PileFormat> for DocumentFormat {
    fn from(format: PileFormat) -> Self {
        Self::Pile(format)
    }
}

impl From<JsonlFormat> for DocumentFormat {
    fn from(format: JsonlFormat) -> Self {
        Self::Jsonl(format)
    }
}

impl From<ParquetFormat> for DocumentFormat {
    fn from(format: ParquetFormat) -> Self {
        Self::Parquet(format)
    }
}

impl From<TextFormat> for DocumentFormat {
    fn from(format: TextFormat) -> Self {
        Self::Text(format)
    }
}
