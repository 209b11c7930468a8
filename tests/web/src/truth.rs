//! What is expected of a pipeline that reads the whole world.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

/// Records that entered a stage and what became of them: `read = kept + dropped + failed`.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Counts {
    /// Records that entered.
    pub read: u64,
    /// Records that left.
    pub kept: u64,
    /// Records that a rule took out, by reason.
    pub dropped: BTreeMap<String, u64>,
    /// Records that could not be judged, by reason.
    pub failed: BTreeMap<String, u64>,
}

impl Counts {
    /// Says whether every record that was read is accounted for.
    pub fn is_conserved(&self) -> bool {
        let lost: u64 = self.dropped.values().chain(self.failed.values()).sum();
        self.read == self.kept + lost
    }

    pub(crate) fn keep(&mut self) {
        self.read += 1;
        self.kept += 1;
    }

    pub(crate) fn drop(&mut self, reason: &str) {
        self.read += 1;
        *self.dropped.entry(reason.to_owned()).or_default() += 1;
    }

    pub(crate) fn fail(&mut self, reason: &str) {
        self.read += 1;
        *self.failed.entry(reason.to_owned()).or_default() += 1;
    }
}

/// Where a text is to be found.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum DocumentRef {
    /// A line of a Pile file.
    Pile {
        /// `train/00.jsonl.zst`, `train/01.jsonl.zst` or `val.jsonl.zst`.
        file: String,
        /// Line of the file, from 0, broken lines counted.
        row: u32,
    },
    /// A crawled page.
    Page {
        /// Its `WARC-Target-URI`, which occurs once in the world.
        url: String,
    },
}

/// Two kept texts of which one is the other with a few words changed.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NearDuplicate {
    /// The text as it was told first.
    pub original: DocumentRef,
    /// The text with words changed.
    pub changed: DocumentRef,
    /// Exact Jaccard similarity of the sets of five-word shingles; a word is a run of
    /// letters or digits, lower-cased.
    pub jaccard: f64,
}

/// What a crawled page is, by its URL.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Page {
    /// `kept`, or the one reason for which it is dropped: `status` and `mime` by the
    /// crawl, `language`, `words_min` and `symbols` by the text rules, `duplicate` by
    /// exact deduplication (of two equal pages the one named here is the planted copy).
    pub outcome: String,
    /// Absolute URLs of the images in the main text, in reading order; none for a
    /// page that is not kept. Logos, icons, tracking pixels and thumbnails outside the
    /// main text are not listed.
    pub images: Vec<String>,
}

/// What is expected of a pipeline that reads every file of the world.
///
/// Every planted item affects one count only: that of the first stage which sees it.
/// Counts of a stage are defined over what the stage before it keeps.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Truth {
    /// Lines of the Pile's three files: dropped `set` (not one of the seven sets
    /// KOSMOS-1 keeps), failed `json` (the line is not JSON) and `no_text` (`text` is
    /// missing or not a string).
    pub pile: Counts,
    /// The same by file, named as in [`DocumentRef::Pile`].
    pub pile_files: BTreeMap<String, Counts>,
    /// WARC records of type `response` in all four files: dropped `status` (not 200)
    /// and `mime` (not HTML), the status being judged first; failed `gzip_broken`, one
    /// for each gzip member that was cut or has a flipped byte. Such a member holds
    /// exactly one response; all members around it are whole.
    pub crawl: Counts,
    /// The same by file, named by its path below `https://data.commoncrawl.org/`.
    pub crawl_files: BTreeMap<String, Counts>,
    /// Every response that is whole, by `WARC-Target-URI`.
    pub pages: BTreeMap<String, Page>,
    /// Text rules over kept Pile documents and kept pages, in this order: `words_min`
    /// (fewer than 20 Unicode words), `symbols` (hashtags, emoji and URLs are more
    /// than 0.1 of the words), `language` (whatlang does not say English).
    pub text_rules: Counts,
    /// Exact deduplication over what the rules keep, Pile and pages together: dropped
    /// `duplicate`, all copies of a text but one. Text that differs in white space
    /// between paragraphs never stands against its copy: copies across the Pile and
    /// the crawl have one paragraph.
    pub text_exact: Counts,
    /// Pairs of near-duplicates among what exact deduplication keeps.
    pub near_duplicates: Vec<NearDuplicate>,
    /// Rows by source (`laion2b-en`, `laion400m`, `coyo700m`, `cc3m`, `cc12m`): failed
    /// `no_url` (null or empty URL), `no_caption` (null or empty caption),
    /// `row_broken` (a TSV line without a tab, or of more than
    /// [`crate::LINE_BYTES_MAX`]). A malformed URL is a URL here; it fails under
    /// [`Truth::images`].
    pub pairs_read: BTreeMap<String, Counts>,
    /// Pair rules over the kept rows of all sources: dropped `person_tag` (the caption
    /// has `<PERSON>`, CC12M only) and `side_min` (LAION-2B reports width or height
    /// below 200).
    pub pairs_rules: Counts,
    /// Deduplication by (URL, caption) over what the rules keep: dropped `duplicate`.
    pub pairs_exact: Counts,
    /// Distinct URLs of the pairs that deduplication keeps: kept when an image can be
    /// had, failed by the reasons of [`Truth::image_urls`].
    pub images: Counts,
    /// What becomes of each distinct URL of those pairs: `kept`, or `http_404`,
    /// `http_403`, `http_410`, `http_500`, `connect`, `timeout`, `body_truncated`,
    /// `redirect_limit`, `address_refused`, `url_invalid`, `scheme_refused`,
    /// `body_too_large`, `not_an_image`, `image_broken`, `pixels_too_many`.
    pub image_urls: BTreeMap<String, String>,
    /// Distinct image URLs in the main text of kept pages: kept when the image can be
    /// had, failed `http_404`. None of them is a URL of a pair.
    pub page_images: Counts,
    /// Image rules over the page images that can be had: dropped `side_min` (width or
    /// height below 64) and `single_colour`.
    pub page_image_rules: Counts,
    /// What becomes of each page image: `kept`, `http_404`, `side_min` or
    /// `single_colour`.
    pub page_image_urls: BTreeMap<String, String>,
}

/// What becomes of a text once its source has kept it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum TextOutcome {
    Kept,
    Duplicate,
    Rule(&'static str),
}

impl TextOutcome {
    /// Names the outcome as the truth does.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Kept => "kept",
            Self::Duplicate => "duplicate",
            Self::Rule(reason) => reason,
        }
    }
}

impl Truth {
    /// Counts a text in the rules and in exact deduplication.
    pub(crate) fn count_text(&mut self, outcome: TextOutcome) {
        match outcome {
            TextOutcome::Rule(reason) => return self.text_rules.drop(reason),
            TextOutcome::Duplicate => self.text_exact.drop("duplicate"),
            TextOutcome::Kept => self.text_exact.keep(),
        }
        self.text_rules.keep();
    }

    /// Notes a page image and counts it.
    pub(crate) fn count_page_image(&mut self, url: String, outcome: &str) {
        match outcome {
            "kept" => self.page_image_rules.keep(),
            "http_404" => self.page_images.fail(outcome),
            rule => self.page_image_rules.drop(rule),
        }
        if outcome != "http_404" {
            self.page_images.keep();
        }
        self.page_image_urls.insert(url, outcome.to_owned());
    }
}
