//! Rules: what a record is judged by, one per file, all pure once their files are read.
//!
//! A rule looks at one record and returns its [`Finding`]s; it never sees another record. Which
//! rules a kind of record can have is a type, so that a configuration which asks for the side of
//! a text is refused where it is read, with line and key.

pub mod classifier;
pub mod files;
pub mod images;
pub mod language;
pub mod person_tag;
pub mod side_min;
pub mod symbols;
pub mod url_lists;
pub mod words;

use corpus::record::{Page, Pair, RuleValue};
use serde::{Deserialize, Serialize};

pub use classifier::Classifier;
pub use files::{Loaded, NamedFiles, Ready, Rule};
pub use images::Images;
pub use language::Language;
pub use person_tag::PersonTag;
pub use side_min::SideMin;
pub use symbols::Symbols;
pub use url_lists::UrlLists;
pub use words::Words;

use crate::language::Code;
use crate::text::Text;

/// What one rule saw in one record.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Finding {
    /// The rule's name, which is also the reason of its drops.
    pub rule: &'static str,
    /// The value it compares.
    pub value: f64,
    /// Whether the record passed.
    pub passed: bool,
    /// What says more than the value where the record is dropped, such as the language's code.
    pub detail: Option<Code>,
}

impl Finding {
    fn new(rule: &'static str, value: f64, passed: bool) -> Self {
        Self { rule, value, passed, detail: None }
    }

    /// Returns the value as the `dropped` stream shows it.
    pub fn shown(&self) -> String {
        self.detail.map_or_else(|| self.value.to_string(), |code| code.to_string())
    }

    /// Returns the finding as the `verdicts` stream keeps it.
    pub fn to_rule_value(self) -> RuleValue {
        RuleValue { rule: self.rule.to_owned(), value: self.value, passed: self.passed }
    }
}

/// A rule for text documents.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum TextRule {
    /// Enough words, and not too many.
    Words(Words),
    /// Few hashtags, emoji and URLs.
    Symbols(Symbols),
    /// One of the allowed languages.
    Language(Language),
    /// Not on a list of blocked domains, URLs and words.
    UrlLists(UrlLists),
    /// Good by a fastText classifier.
    Classifier(Classifier),
}

impl TextRule {
    /// Judges a text that may have a URL.
    pub fn judge(&self, url: Option<&str>, text: &Text<'_>, loaded: &Loaded, findings: &mut Vec<Finding>) {
        match self {
            Self::Words(rule) => findings.extend(rule.judge(text)),
            Self::Symbols(rule) => findings.push(rule.judge(text)),
            Self::Language(rule) => findings.push(rule.judge(text, loaded)),
            Self::UrlLists(rule) => findings.extend(rule.judge(url, loaded)),
            Self::Classifier(rule) => findings.push(rule.judge(text, loaded)),
        }
    }

    /// Checks the settings.
    ///
    /// # Errors
    /// With the key and what is wrong with its value.
    pub fn validate(&self) -> Result<(), String> {
        match self {
            Self::Words(rule) => rule.validate("words"),
            Self::Symbols(rule) => rule.validate(),
            Self::Language(rule) => rule.validate(),
            Self::UrlLists(rule) => rule.validate(),
            Self::Classifier(rule) => rule.validate(),
        }
    }
}

/// A rule for image-caption pairs.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PairRule {
    /// No special tag such as `<PERSON>` in the caption.
    PersonTag(PersonTag),
    /// Large enough by the sizes the source states.
    SideMin(SideMin),
    /// Enough words in the caption, and not too many.
    CaptionWords(Words),
}

impl PairRule {
    /// Judges a pair; `caption` is the view of its caption.
    pub fn judge(&self, pair: &Pair, caption: &Text<'_>, findings: &mut Vec<Finding>) {
        match self {
            Self::PersonTag(rule) => findings.push(rule.judge(pair)),
            Self::SideMin(rule) => findings.push(rule.judge(pair)),
            Self::CaptionWords(rule) => findings.extend(rule.judge(caption)),
        }
    }

    /// Checks the settings.
    ///
    /// # Errors
    /// With the key and what is wrong with its value.
    pub fn validate(&self) -> Result<(), String> {
        match self {
            Self::PersonTag(_) | Self::SideMin(_) => Ok(()),
            Self::CaptionWords(rule) => rule.validate("caption_words"),
        }
    }
}

/// A rule for pages that may become interleaved documents.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PageRule {
    /// Images with text around them.
    Images(Images),
    /// Enough words, and not too many.
    Words(Words),
    /// Few hashtags, emoji and URLs.
    Symbols(Symbols),
    /// One of the allowed languages.
    Language(Language),
    /// Not on a list of blocked domains, URLs and words.
    UrlLists(UrlLists),
}

impl PageRule {
    /// Judges a page; `text` is the view of its main text.
    pub fn judge(&self, page: &Page, text: &Text<'_>, loaded: &Loaded, findings: &mut Vec<Finding>) {
        match self {
            Self::Images(rule) => findings.push(rule.judge(page)),
            Self::Words(rule) => findings.extend(rule.judge(text)),
            Self::Symbols(rule) => findings.push(rule.judge(text)),
            Self::Language(rule) => findings.push(rule.judge(text, loaded)),
            Self::UrlLists(rule) => findings.extend(rule.judge(Some(&page.url), loaded)),
        }
    }

    /// Checks the settings.
    ///
    /// # Errors
    /// With the key and what is wrong with its value.
    pub fn validate(&self) -> Result<(), String> {
        match self {
            Self::Images(rule) => rule.validate(),
            Self::Words(rule) => rule.validate("words"),
            Self::Symbols(rule) => rule.validate(),
            Self::Language(rule) => rule.validate(),
            Self::UrlLists(rule) => rule.validate(),
        }
    }
}

impl Rule for TextRule {
    fn files(&self) -> Vec<NamedFiles> {
        match self {
            Self::Words(_) | Self::Symbols(_) => Vec::new(),
            Self::Language(rule) => rule.files(),
            Self::UrlLists(rule) => rule.files(),
            Self::Classifier(rule) => rule.files(),
        }
    }

    fn load(&self) -> Result<Loaded, String> {
        match self {
            Self::Words(_) | Self::Symbols(_) => Ok(Loaded::Nothing),
            Self::Language(rule) => rule.load(),
            Self::UrlLists(rule) => rule.load(),
            Self::Classifier(rule) => rule.load(),
        }
    }
}

impl Rule for PairRule {
    fn files(&self) -> Vec<NamedFiles> {
        Vec::new()
    }

    fn load(&self) -> Result<Loaded, String> {
        Ok(Loaded::Nothing)
    }
}

impl Rule for PageRule {
    fn files(&self) -> Vec<NamedFiles> {
        match self {
            Self::Images(_) | Self::Words(_) | Self::Symbols(_) => Vec::new(),
            Self::Language(rule) => rule.files(),
            Self::UrlLists(rule) => rule.files(),
        }
    }

    fn load(&self) -> Result<Loaded, String> {
        match self {
            Self::Images(_) | Self::Words(_) | Self::Symbols(_) => Ok(Loaded::Nothing),
            Self::Language(rule) => rule.load(),
            Self::UrlLists(rule) => rule.load(),
        }
    }
}
