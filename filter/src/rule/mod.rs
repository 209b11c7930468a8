//! Rules: what a record is judged by, one per file, all pure once their files are read.
//!
//! A rule looks at one record and returns its [`Finding`]s; it never sees another record. Which
//! rules a kind of record can have is a type, so that a configuration which asks for the side of
//! a text is refused where it is read, with line and key.

pub mod aspect;
pub mod c4;
pub mod classifier;
pub mod counted;
pub mod expression;
pub mod files;
pub mod fineweb;
pub mod gopher_quality;
pub mod gopher_repetition;
pub mod images;
pub mod language;
pub mod megatron;
pub mod person_tag;
pub mod personal;
pub mod repair;
mod runs;
pub mod score;
mod seen;
pub mod side_min;
pub mod symbols;
pub mod url_lists;
pub mod words;

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::panic, clippy::print_stdout)]
mod tests;

use corpus::record::{Page, Pair, RuleValue};
use serde::{Deserialize, Serialize};

pub use crate::text::Counted;
pub use aspect::Aspect;
pub use c4::C4;
pub use classifier::Classifier;
pub use counted::Unspaced;
pub use expression::Expression;
pub use files::{Loaded, NamedFiles, Ready, Rule};
pub use fineweb::Fineweb;
pub use gopher_quality::GopherQuality;
pub use gopher_repetition::GopherRepetition;
pub use images::Images;
pub use language::Language;
pub use megatron::Megatron;
pub use person_tag::PersonTag;
pub use personal::Personal;
pub use repair::Repair;
pub use score::Score;
pub use side_min::SideMin;
pub use symbols::Symbols;
pub use url_lists::UrlLists;
pub use words::Words;

use crate::language::Code;
use crate::text::Text;

/// What one rule saw in one record.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Finding<'r> {
    /// The rule's name, which is also the reason of its drops.
    pub rule: &'r str,
    /// The value it compares.
    pub value: f64,
    /// Whether the record passed.
    pub passed: bool,
    /// What says more than the value where the record is dropped, such as the language's code.
    pub detail: Option<Code>,
}

impl<'r> Finding<'r> {
    fn new(rule: &'r str, value: f64, passed: bool) -> Self {
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
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum TextRule {
    /// Drops texts with too few or too many words.
    Words(Words),
    /// Drops texts with too many hashtags, emoji and URLs.
    Symbols(Symbols),
    /// Keeps texts in the allowed languages.
    Language(Language),
    /// Drops texts whose URL is on a list of blocked domains, URLs or words.
    UrlLists(UrlLists),
    /// Keeps texts that a fastText classifier considers good.
    Classifier(Classifier),
    /// Gopher's bounds on words and lines.
    GopherQuality(GopherQuality),
    /// Gopher's bounds on repetition.
    GopherRepetition(GopherRepetition),
    /// FineWeb's bounds on lines.
    Fineweb(Fineweb),
    /// Keeps only sentences, as C4 does; changes the text.
    C4(C4),
    /// Megatron-LM's bounds on size; changes the text.
    Megatron(Megatron),
    /// Repairs mojibake; changes the text.
    Repair(Repair),
    /// Masks personal data; changes the text.
    Personal(Personal),
    /// Keeps texts for which an expression is true.
    Expression(Expression),
}

/// What of a document a rule may look at beside its text.
#[derive(Debug, Clone, Copy, Default)]
pub struct About<'d> {
    /// The source's name.
    pub source: &'d str,
    /// The page's URL.
    pub url: Option<&'d str>,
    /// The date.
    pub date: Option<&'d str>,
}

impl TextRule {
    /// Judges a text; returns it anew if the rule changes it.
    pub fn judge<'r>(
        &'r self,
        about: &About<'_>,
        text: &Text<'_>,
        loaded: &Loaded,
        findings: &mut Vec<Finding<'r>>,
    ) -> Option<String> {
        match self {
            Self::Words(rule) => findings.extend(rule.judge(text)),
            Self::Symbols(rule) => findings.push(rule.judge(text)),
            Self::Language(rule) => findings.push(rule.judge(text, loaded)),
            Self::UrlLists(rule) => findings.extend(rule.judge(about.url, loaded)),
            Self::Classifier(rule) => findings.push(rule.judge(text, loaded)),
            Self::GopherQuality(rule) => findings.extend(rule.judge(text)),
            Self::GopherRepetition(rule) => findings.extend(rule.judge(text)),
            Self::Fineweb(rule) => findings.extend(rule.judge(text)),
            Self::Expression(rule) => findings.push(rule.judge(about, text, loaded)),
            Self::C4(rule) => {
                let cleaned = rule.clean(text);
                findings.extend(cleaned.findings);
                return Some(cleaned.text);
            }
            Self::Megatron(rule) => {
                let (found, cleaned) = rule.clean(text);
                findings.extend(found);
                return cleaned;
            }
            Self::Repair(rule) => {
                let (found, repaired) = rule.repair(text);
                findings.push(found);
                return repaired;
            }
            Self::Personal(rule) => {
                let (found, masked) = rule.mask(text);
                findings.push(found);
                return masked;
            }
        }
        None
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
            Self::Expression(rule) => rule.validate(&expression::OF_TEXT),
            Self::GopherQuality(_)
            | Self::GopherRepetition(_)
            | Self::Fineweb(_)
            | Self::C4(_)
            | Self::Megatron(_)
            | Self::Repair(_)
            | Self::Personal(_) => Ok(()),
        }
    }
}

/// A rule for image-caption pairs.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum PairRule {
    /// Drops captions with a special tag such as `<PERSON>`.
    PersonTag(PersonTag),
    /// Drops images that are too small according to the source.
    SideMin(SideMin),
    /// Drops captions with too few or too many words.
    CaptionWords(Words),
    /// Bounds a score that the source states.
    Score(Score),
    /// Drops images that are too elongated according to the source.
    Aspect(Aspect),
    /// Drops pairs whose URL is on a list of blocked domains, URLs or words.
    UrlLists(UrlLists),
    /// Keeps pairs for which an expression is true.
    Expression(Expression),
}

impl PairRule {
    /// Judges a pair; `caption` is the view of its caption.
    pub fn judge<'r>(
        &'r self,
        pair: &Pair,
        caption: &Text<'_>,
        loaded: &Loaded,
        findings: &mut Vec<Finding<'r>>,
    ) {
        match self {
            Self::PersonTag(rule) => findings.push(rule.judge(pair)),
            Self::SideMin(rule) => findings.push(rule.judge(pair)),
            Self::CaptionWords(rule) => findings.extend(rule.judge(caption)),
            Self::Score(rule) => findings.push(rule.judge(pair)),
            Self::Aspect(rule) => findings.push(rule.judge(pair)),
            Self::UrlLists(rule) => findings.extend(rule.judge(Some(&pair.url), loaded)),
            Self::Expression(rule) => findings.push(rule.judge_pair(pair, caption, loaded)),
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
            Self::Score(rule) => rule.validate(),
            Self::Aspect(rule) => rule.validate(),
            Self::UrlLists(rule) => rule.validate(),
            Self::Expression(rule) => rule.validate(&expression::names_of_pair()),
        }
    }
}

/// A rule for pages that may become interleaved documents.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum PageRule {
    /// Keeps pages with images that have text around them.
    Images(Images),
    /// Drops pages with too few or too many words.
    Words(Words),
    /// Drops pages with too many hashtags, emoji and URLs.
    Symbols(Symbols),
    /// Keeps pages in the allowed languages.
    Language(Language),
    /// Drops pages whose URL is on a list of blocked domains, URLs or words.
    UrlLists(UrlLists),
}

impl PageRule {
    /// Judges a page; `text` is the view of its main text.
    pub fn judge<'r>(
        &'r self,
        page: &Page,
        text: &Text<'_>,
        loaded: &Loaded,
        findings: &mut Vec<Finding<'r>>,
    ) {
        match self {
            Self::Images(rule) => findings.push(rule.judge(page)),
            Self::Words(rule) => findings.extend(rule.judge(text)),
            Self::Symbols(rule) => findings.push(rule.judge(text)),
            Self::Language(rule) => findings.push(rule.judge(text, loaded)),
            Self::UrlLists(rule) => findings.extend(rule.judge(page.url.as_deref(), loaded)),
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
            Self::Language(rule) => rule.files(),
            Self::UrlLists(rule) => rule.files(),
            Self::Classifier(rule) => rule.files(),
            Self::Words(_)
            | Self::Symbols(_)
            | Self::GopherQuality(_)
            | Self::GopherRepetition(_)
            | Self::Fineweb(_)
            | Self::C4(_)
            | Self::Megatron(_)
            | Self::Repair(_)
            | Self::Personal(_)
            | Self::Expression(_) => Vec::new(),
        }
    }

    fn load(&self) -> Result<Loaded, String> {
        match self {
            Self::Language(rule) => rule.load(),
            Self::UrlLists(rule) => rule.load(),
            Self::Classifier(rule) => rule.load(),
            Self::Expression(rule) => rule.load(&expression::OF_TEXT),
            Self::Words(_)
            | Self::Symbols(_)
            | Self::GopherQuality(_)
            | Self::GopherRepetition(_)
            | Self::Fineweb(_)
            | Self::C4(_)
            | Self::Megatron(_)
            | Self::Repair(_)
            | Self::Personal(_) => Ok(Loaded::Nothing),
        }
    }
}

impl Rule for PairRule {
    fn files(&self) -> Vec<NamedFiles> {
        match self {
            Self::UrlLists(rule) => rule.files(),
            Self::PersonTag(_)
            | Self::SideMin(_)
            | Self::CaptionWords(_)
            | Self::Score(_)
            | Self::Aspect(_)
            | Self::Expression(_) => Vec::new(),
        }
    }

    fn load(&self) -> Result<Loaded, String> {
        match self {
            Self::UrlLists(rule) => rule.load(),
            Self::Expression(rule) => rule.load(&expression::names_of_pair()),
            Self::PersonTag(_)
            | Self::SideMin(_)
            | Self::CaptionWords(_)
            | Self::Score(_)
            | Self::Aspect(_) => Ok(Loaded::Nothing),
        }
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
