//! The layouts in which sources publish pairs.

use serde::{Deserialize, Serialize};

use super::Draft;
use crate::rows::{Kind, Wanted};

/// How a pairs source is read.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PairsFormat {
    /// The layout of the files.
    pub layout: Layout,
}

/// A layout of metadata, known or described.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Layout {
    /// LAION-2B and LAION-400M as first published: parquet with `URL`, `TEXT`, `WIDTH`,
    /// `HEIGHT` (integers or floats, by file) and `similarity`.
    Laion,
    /// Re-LAION: parquet with `url`, `caption`, `original_width`, `original_height`.
    Relaion,
    /// COYO-700M: parquet with `url`, `text`, `width`, `height`, `clip_similarity_vitl14`.
    Coyo,
    /// Conceptual Captions 3M: lines of caption, tab, URL.
    Cc3m,
    /// Conceptual 12M: lines of URL, tab, caption.
    Cc12m,
    /// Parquet with other column names.
    Columns(Columns),
}

/// Column names of a parquet file.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Columns {
    /// The image's URL.
    pub url: String,
    /// The caption.
    pub caption: String,
    /// The image's width in pixels.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub width: Option<String>,
    /// The image's height in pixels.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub height: Option<String>,
    /// CLIP similarity of image and caption.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub similarity: Option<String>,
}

/// How the files of a layout are read.
pub(super) enum Reading {
    Tsv(TsvOrder),
    Parquet(ParquetColumns),
}

/// Which of the two fields of a line is the URL: the classic bug of these two sources.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum TsvOrder {
    CaptionFirst,
    UrlFirst,
}

/// Column names that may hold URL, caption, width, height and similarity.
pub(super) struct ParquetColumns([Vec<String>; 5]);

impl PairsFormat {
    /// Checks every value.
    ///
    /// # Errors
    /// The first column name that is empty.
    pub fn validate(&self) -> Result<(), String> {
        match &self.layout {
            Layout::Columns(columns) if columns.url.is_empty() || columns.caption.is_empty() => {
                Err("layout.columns needs url and caption".to_owned())
            }
            _ => Ok(()),
        }
    }
}

impl Layout {
    pub(super) fn reading(&self) -> Reading {
        let names = |columns: [&[&str]; 5]| {
            let owned = columns.map(|names| names.iter().map(|n| (*n).to_owned()).collect());
            Reading::Parquet(ParquetColumns(owned))
        };
        match self {
            Self::Cc3m => Reading::Tsv(TsvOrder::CaptionFirst),
            Self::Cc12m => Reading::Tsv(TsvOrder::UrlFirst),
            // Derivatives keep the layout but not the case; Re-LAION left both spellings around.
            Self::Laion => names([
                &["URL", "url"],
                &["TEXT", "text", "caption"],
                &["WIDTH", "width"],
                &["HEIGHT", "height"],
                &["similarity"],
            ]),
            Self::Relaion => names([
                &["url", "URL"],
                &["caption", "TEXT"],
                &["original_width", "width", "WIDTH"],
                &["original_height", "height", "HEIGHT"],
                &["similarity"],
            ]),
            Self::Coyo => names([
                &["url"],
                &["text"],
                &["width"],
                &["height"],
                &["clip_similarity_vitl14", "clip_similarity_vitb32"],
            ]),
            Self::Columns(columns) => {
                let optional = |name: &Option<String>| name.iter().cloned().collect();
                Reading::Parquet(ParquetColumns([
                    vec![columns.url.clone()],
                    vec![columns.caption.clone()],
                    optional(&columns.width),
                    optional(&columns.height),
                    optional(&columns.similarity),
                ]))
            }
        }
    }
}

impl ParquetColumns {
    /// Returns the columns in the order in which [`Draft::of`] takes them.
    pub(super) fn wanted(&self) -> [Wanted; 5] {
        let [url, caption, width, height, similarity] = self.0.clone();
        [
            Wanted::required(Kind::Text, url),
            Wanted::required(Kind::Text, caption),
            Wanted::optional(Kind::Number, width),
            Wanted::optional(Kind::Number, height),
            Wanted::optional(Kind::Number, similarity),
        ]
    }
}

impl TsvOrder {
    /// Splits a line; captions may hold tabs, URLs may not.
    pub(super) fn split(self, line: &[u8]) -> Result<Draft, String> {
        let line = std::str::from_utf8(line).map_err(|_| "not UTF-8".to_owned())?;
        let fields = match self {
            Self::CaptionFirst => line.rsplit_once('\t').map(|(caption, url)| (url, caption)),
            Self::UrlFirst => line.split_once('\t'),
        };
        let (url, caption) = fields.ok_or("no tab")?;
        Ok(Draft { url: url.to_owned(), caption: caption.to_owned(), ..Draft::default() })
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn the_two_conceptual_captions_have_opposite_orders() {
        let draft = Draft { url: "http://h/a".into(), caption: "a dog".into(), ..Draft::default() };
        assert_eq!(TsvOrder::CaptionFirst.split(b"a dog\thttp://h/a"), Ok(draft));
        let tabbed = TsvOrder::UrlFirst.split(b"http://h/a\ta\tdog").unwrap();
        assert_eq!((tabbed.url.as_str(), tabbed.caption.as_str()), ("http://h/a", "a\tdog"));
        assert!(TsvOrder::UrlFirst.split(b"http://h/a").is_err());
        assert!(TsvOrder::UrlFirst.split(b"\xff\t\xff").is_err());
    }

    #[test]
    fn a_layout_is_a_name_or_columns() {
        let parse = serde_json::from_str::<PairsFormat>;
        assert_eq!(parse(r#"{"layout":"coyo"}"#).unwrap().layout, Layout::Coyo);
        let own = parse(r#"{"layout":{"columns":{"url":"u","caption":"c"}}}"#).unwrap();
        assert!(matches!(own.layout, Layout::Columns(_)));
        assert!(parse(r#"{"layout":{"columns":{"url":"u","captoin":"c"}}}"#).is_err());
    }
}
