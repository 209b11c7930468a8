//! Columns of metadata: under which names a layout has what a pair is made of.

use serde::{Deserialize, Serialize};

use super::Draft;
use super::draft::Stated;
use crate::rows::{Cells, Kind, Wanted};

/// Column names of a list of your own. Where a name is absent, the first of the usual ones that
/// the file has is taken; one that is given must be there.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Columns {
    /// The image's URL.
    pub url: Option<String>,
    /// The caption; pairs of a list without one have an empty caption.
    pub caption: Option<String>,
    /// The image's width in pixels.
    pub width: Option<String>,
    /// The image's height in pixels.
    pub height: Option<String>,
    /// CLIP similarity of image and caption.
    pub similarity: Option<String>,
    /// Probability that the image is unsafe.
    pub nsfw: Option<String>,
    /// Probability of a watermark.
    pub watermark: Option<String>,
    /// Aesthetic score.
    pub aesthetic: Option<String>,
    /// The row's own id.
    pub id: Option<String>,
    /// SHA-256 of the image's bytes, hexadecimal: an image of another is failed.
    pub sha256: Option<String>,
    /// MD5 of the image's bytes, hexadecimal: an image of another is failed.
    pub md5: Option<String>,
}

/// The columns of a layout that are read, in the order of [`Self::draft`].
#[derive(Debug, Clone)]
pub(super) struct ColumnNames {
    wanted: Vec<Wanted>,
    extra: Vec<String>,
}

/// Where what stands in the cells of [`ColumnNames`].
#[derive(Debug, Clone, Copy)]
enum Place {
    Url,
    Caption,
    Width,
    Height,
    Similarity,
    Nsfw,
    NsfwWord,
    Watermark,
    Aesthetic,
    Key,
    Sha256,
    Md5,
    /// The first of the further columns.
    Extra,
}

/// The names that one layout has; empty where it has no such column.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Known {
    pub(super) url: &'static [&'static str],
    pub(super) caption: &'static [&'static str],
    pub(super) width: &'static [&'static str],
    pub(super) height: &'static [&'static str],
    pub(super) similarity: &'static [&'static str],
    pub(super) nsfw: &'static [&'static str],
    /// Of LAION-400M, whose judgement is a word.
    pub(super) nsfw_word: &'static [&'static str],
    pub(super) watermark: &'static [&'static str],
    pub(super) aesthetic: &'static [&'static str],
    pub(super) key: &'static [&'static str],
}

/// The usual names in lists of URLs.
const USUAL: Known = Known {
    url: &["url", "URL", "image_url", "image"],
    caption: &["caption", "text", "TEXT", "top_caption", "alt"],
    width: &["width", "WIDTH", "original_width"],
    height: &["height", "HEIGHT", "original_height"],
    similarity: &["similarity", "clip_similarity_vitl14"],
    nsfw: &["punsafe", "nsfw_score_opennsfw2"],
    nsfw_word: &["NSFW"],
    watermark: &["pwatermark", "watermark_score"],
    aesthetic: &["aesthetic", "aesthetic_score_laion_v2"],
    key: &["id", "key", "uid", "SAMPLE_ID"],
};

impl ColumnNames {
    /// Returns the columns of a layout of known names, and further ones.
    pub(super) fn of_known(known: Known, extra: &[String]) -> Self {
        Self::new(known, &Columns::default(), extra, true)
    }

    /// Returns the columns of a list of one's own.
    pub(super) fn of_own(columns: &Columns, extra: &[String]) -> Self {
        Self::new(USUAL, columns, extra, false)
    }

    fn new(known: Known, own: &Columns, extra: &[String], needs_caption: bool) -> Self {
        let column = |kind, own: &Option<String>, known: &[&str], needed: bool| match own {
            Some(name) => Wanted::required(kind, vec![name.clone()]),
            None => {
                let names = known.iter().map(|name| (*name).to_owned()).collect();
                if needed { Wanted::required(kind, names) } else { Wanted::optional(kind, names) }
            }
        };
        use Kind::{Beside, Id, Number, Text, Texts};
        // In the order of `Place`.
        let mut wanted = vec![
            column(Text, &own.url, known.url, true),
            column(Texts, &own.caption, known.caption, needs_caption),
            column(Number, &own.width, known.width, false),
            column(Number, &own.height, known.height, false),
            column(Number, &own.similarity, known.similarity, false),
            column(Number, &own.nsfw, known.nsfw, false),
            column(Beside, &None, known.nsfw_word, false),
            column(Number, &own.watermark, known.watermark, false),
            column(Number, &own.aesthetic, known.aesthetic, false),
            column(Id, &own.id, known.key, false),
            column(Beside, &own.sha256, &[], false),
            column(Beside, &own.md5, &[], false),
        ];
        wanted.extend(extra.iter().map(|name| Wanted::required(Kind::Json, vec![name.clone()])));
        Self { wanted, extra: extra.to_vec() }
    }

    /// Returns the columns to read.
    pub(super) fn wanted(&self) -> &[Wanted] {
        &self.wanted
    }

    /// Makes a draft of the cells of [`Self::wanted`].
    pub(super) fn draft(&self, mut cells: Cells) -> Draft {
        let extra = self
            .extra
            .iter()
            .enumerate()
            .filter_map(|(index, name)| Some((name.clone(), cells.json(Place::Extra as usize + index)?)));
        let extra: serde_json::Map<String, serde_json::Value> = extra.collect();
        let number = |place: Place| cells.number(place as usize);
        let stated = Stated {
            width: number(Place::Width),
            height: number(Place::Height),
            similarity: number(Place::Similarity),
            nsfw: number(Place::Nsfw),
            watermark: number(Place::Watermark),
            aesthetic: number(Place::Aesthetic),
        };
        let mut text = |place: Place| cells.text(place as usize);
        Draft {
            url: text(Place::Url).unwrap_or_default(),
            caption: text(Place::Caption).unwrap_or_default(),
            key: text(Place::Key),
            extra: (!extra.is_empty()).then(|| serde_json::Value::Object(extra).to_string()),
            ..Draft::default()
        }
        .with_stated(stated)
        .with_nsfw_word(text(Place::NsfwWord).as_deref())
        .with_digests(text(Place::Sha256).as_deref(), text(Place::Md5).as_deref())
    }
}
