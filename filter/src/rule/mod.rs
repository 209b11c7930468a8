//! Rules: what a record is judged by, one per file, all pure.
//!
//! A rule looks at one record and returns its [`Finding`]s; it never sees another record. Which
//! rules a kind of record can have is a type, so that a configuration which asks for the side of
//! a text is refused where it is read, with line and key.

pub mod images;
pub mod language;
pub mod person_tag;
pub mod side_min;
pub mod symbols;
pub mod words;

use corpus::record::{Page, Pair, RuleValue};
use serde::{Deserialize, Serialize};

pub use images::Images;
pub use language::Language;
pub use person_tag::PersonTag;
pub use side_min::SideMin;
pub use symbols::Symbols;
pub use words::Words;

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
    pub detail: Option<&'static str>,
}

impl Finding {
    fn new(rule: &'static str, value: f64, passed: bool) -> Self {
        Self { rule, value, passed, detail: None }
    }

    /// Returns the value as the `dropped` stream shows it.
    pub fn shown(&self) -> String {
        self.detail.map_or_else(|| self.value.to_string(), str::to_owned)
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
}

impl TextRule {
    /// Judges a text.
    pub fn judge(&self, text: &Text<'_>, findings: &mut Vec<Finding>) {
        match self {
            Self::Words(rule) => findings.extend(rule.judge(text)),
            Self::Symbols(rule) => findings.push(rule.judge(text)),
            Self::Language(rule) => findings.push(rule.judge(text)),
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
}

impl PageRule {
    /// Judges a page; `text` is the view of its main text.
    pub fn judge(&self, page: &Page, text: &Text<'_>, findings: &mut Vec<Finding>) {
        match self {
            Self::Images(rule) => findings.push(rule.judge(page)),
            Self::Words(rule) => findings.extend(rule.judge(text)),
            Self::Symbols(rule) => findings.push(rule.judge(text)),
            Self::Language(rule) => findings.push(rule.judge(text)),
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
        }
    }
}
