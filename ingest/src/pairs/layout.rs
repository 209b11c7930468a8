//! The layouts in which sources publish pairs.

use corpus::record::PairLayout;
use serde::{Deserialize, Serialize};

use super::PairDraft;
use super::columns::{ColumnNames, Columns, Known};
use crate::kind::{FileKind, delimiter};

/// How to read a source of pairs.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct PairsFormat {
    /// The layout of the files.
    pub layout: Layout,
    /// Further columns to copy to the image's row and to exports.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub extra: Vec<String>,
}

/// A layout of metadata, known or described.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Layout {
    /// LAION-2B and LAION-400M as first published: parquet with `URL`, `TEXT`, `WIDTH`,
    /// `HEIGHT` (integers or floats, by file), `similarity`, and `punsafe`, `pwatermark` or `NSFW`.
    Laion,
    /// Re-LAION: parquet with `url`, `caption`, `original_width`, `original_height`.
    Relaion,
    /// COYO-700M: parquet with `url`, `text`, `width`, `height`, `clip_similarity_vitl14`.
    Coyo,
    /// Conceptual Captions 3M: lines of caption, tab, URL.
    Cc3m,
    /// Conceptual 12M: lines of URL, tab, caption.
    Cc12m,
    /// A list of your own. The file extension determines the format (`.gz`, `.zst`, `.xz`, `.bz2` and `.lz4`
    /// may follow): `.parquet`; `.csv` and `.tsv` with a header; `.json` and `.jsonl`, one object per line or
    /// one array; anything else, one URL per line.
    Columns(Box<Columns>),
}

/// How the rows of a layout are read.
pub(super) enum Reading {
    /// Two fields a line and no header.
    Tsv(TsvOrder),
    /// Columns by name.
    Columns(ColumnNames),
}

/// How a file of named columns is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Container {
    Parquet,
    Json,
    Delimited(u8),
    Urls,
}

/// Which of the two fields of a line is the URL: the classic bug of these two sources.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum TsvOrder {
    CaptionFirst,
    UrlFirst,
}

// Derivatives keep the layout but not the case; Re-LAION left both spellings around.
const LAION: Known = Known {
    url: &["URL", "url"],
    caption: &["TEXT", "text", "caption"],
    nsfw_word: &["NSFW"],
    key: &["SAMPLE_ID", "hash"],
    layout: PairLayout::Laion,
};
const RELAION: Known = Known {
    url: &["url", "URL"],
    caption: &["caption", "TEXT"],
    key: &["key", "SAMPLE_ID", "hash"],
    layout: PairLayout::Relaion,
    ..LAION
};
const COYO: Known =
    Known { url: &["url"], caption: &["text"], nsfw_word: &[], key: &["id"], layout: PairLayout::Coyo };

impl PairsFormat {
    /// Checks every value.
    ///
    /// # Errors
    /// The first setting that cannot work.
    pub fn validate(&self) -> Result<(), String> {
        match &self.layout {
            Layout::Cc3m | Layout::Cc12m if !self.extra.is_empty() => {
                Err("extra: Conceptual Captions has no further columns".to_owned())
            }
            _ => Ok(()),
        }
    }

    /// Returns whether a pair without a caption is a broken row; lists of your own may be of URLs alone.
    pub(super) fn needs_caption(&self) -> bool {
        !matches!(self.layout, Layout::Columns(_))
    }

    pub(super) fn reading(&self) -> Reading {
        match &self.layout {
            Layout::Cc3m => Reading::Tsv(TsvOrder::CaptionFirst),
            Layout::Cc12m => Reading::Tsv(TsvOrder::UrlFirst),
            Layout::Laion => Reading::Columns(ColumnNames::of_known(LAION, &self.extra)),
            Layout::Relaion => Reading::Columns(ColumnNames::of_known(RELAION, &self.extra)),
            Layout::Coyo => Reading::Columns(ColumnNames::of_known(COYO, &self.extra)),
            Layout::Columns(columns) => Reading::Columns(ColumnNames::of_own(columns, &self.extra)),
        }
    }
}

impl Layout {
    /// Returns how a file of this name is written, of which it is known whether it is Parquet; those of the known
    /// layouts all are.
    pub(super) fn container(&self, name: &str, is_parquet: bool) -> Container {
        let Self::Columns(_) = self else {
            return Container::Parquet;
        };
        match (FileKind::of(name), delimiter(name)) {
            _ if is_parquet => Container::Parquet,
            (Some(FileKind::Json), _) => Container::Json,
            (_, Some(delimiter)) => Container::Delimited(delimiter),
            _ => Container::Urls,
        }
    }
}

impl TsvOrder {
    /// Splits a line; captions may hold tabs, URLs may not.
    pub(super) fn split(self, line: &[u8]) -> Result<PairDraft, String> {
        let line = std::str::from_utf8(line).map_err(|_| "not UTF-8".to_owned())?;
        let fields = match self {
            Self::CaptionFirst => line.rsplit_once('\t').map(|(caption, url)| (url, caption)),
            Self::UrlFirst => line.split_once('\t'),
        };
        let (url, caption) = fields.ok_or("no tab")?;
        Ok(PairDraft { url: url.to_owned(), caption: caption.to_owned(), ..PairDraft::default() })
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn the_two_conceptual_captions_have_opposite_orders() {
        let draft = PairDraft { url: "http://h/a".into(), caption: "a dog".into(), ..PairDraft::default() };
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
        let own = parse(r#"{"layout":{"columns":{"url":"u","caption":"c"}},"extra":["x"]}"#).unwrap();
        assert!(matches!(own.layout, Layout::Columns(_)));
        assert!(parse(r#"{"layout":{"columns":{"url":"u","captoin":"c"}}}"#).is_err());
        assert!(parse(r#"{"layout":"cc3m","extra":["x"]}"#).unwrap().validate().is_err());
    }

    #[test]
    fn a_list_is_read_as_its_name_says() {
        let own = Layout::Columns(Box::default());
        for (name, container) in [
            ("/a/list.TSV.gz", Container::Delimited(b'\t')),
            ("list.csv", Container::Delimited(b',')),
            ("list.CSV.xz", Container::Delimited(b',')),
            ("list.tab", Container::Delimited(b'\t')),
            ("list.jsonl.zst", Container::Json),
            ("list.json", Container::Json),
            ("list.txt", Container::Urls),
            ("list", Container::Urls),
        ] {
            assert_eq!(own.container(name, false), container, "{name}");
        }
        assert_eq!(own.container("list", true), Container::Parquet);
        assert_eq!(Layout::Coyo.container("part-0", false), Container::Parquet);
    }
}
