//! The section `format.html`: saved pages, and what is known of them.

use serde::{Deserialize, Serialize};

use crate::html::Ruby;

/// Columns that hold the URL and the source's own id, unless configured.
const URL_DEFAULT: &str = "url";
const ID_DEFAULT: &str = "id";

/// Saved pages: every file is one (`format.html = {}`), or every row of Parquet, CSV, TSV and JSON lines
/// (`format.html = { column = "html" }`).
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct HtmlFormat {
    /// The column that holds the HTML: text, or in Parquet also bytes in any charset.
    pub column: Option<String>,
    /// The column that holds the page's URL. Default: `url`, if it exists.
    pub url: Option<String>,
    /// The column that holds the source's own id. Default: `id`, if it exists.
    pub id: Option<String>,
    /// The column that holds the date.
    pub date: Option<String>,
    /// How to read ruby: `base` text only, or with `readings` in parentheses after it.
    pub ruby: Ruby,
}

impl HtmlFormat {
    /// Checks every value.
    ///
    /// # Errors
    /// The first setting that cannot work, and what it should be.
    pub(crate) fn validate(&self) -> Result<(), String> {
        let columns = [("url", &self.url), ("id", &self.id), ("date", &self.date)];
        match columns.iter().find(|(_, column)| column.is_some()) {
            Some((key, _)) if self.column.is_none() => Err(format!(
                "format.html.{key} names a column, but format.html.column, that of the HTML, is not set"
            )),
            _ => Ok(()),
        }
    }

    /// Returns the name of the column that holds the URL.
    pub(super) fn url(&self) -> &str {
        self.url.as_deref().unwrap_or(URL_DEFAULT)
    }

    /// Returns the name of the column that holds the id.
    pub(super) fn id(&self) -> &str {
        self.id.as_deref().unwrap_or(ID_DEFAULT)
    }
}
