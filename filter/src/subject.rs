//! What can be judged: documents, pairs and pages, and what of them a rule sees.

use corpus::ledger::StreamSummary;
use corpus::record::{DOCUMENTS, Document, DocumentName, PAGES, PAIRS, Page, PageName, Pair, PairName};
use corpus::table::Record;
use corpus::{Dataset, Id, Part, Result, Split, Stream};

use crate::content::Content;
use crate::rule::{About, Finding, PageRule, PairRule, Ready, Rule, TextRule};
use crate::text::Text;

/// Rows of one part, in order.
pub type Rows<R> = Box<dyn Iterator<Item = Result<R>>>;

/// What users know a record by.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RecordName {
    /// Its address.
    pub id: Id,
    /// The source's own id of it, if it has one.
    pub key: Option<String>,
    /// Its URL, if it has one.
    pub url: Option<String>,
}

/// A record that goes through rules and duplicate finding.
pub trait Subject: Record {
    /// The rules it can have.
    type Rule: Rule + Clone;

    /// Where it is written to.
    const STREAM: Stream<Self>;
    /// What it is counted as.
    const UNIT: &'static str = Self::STREAM.name();

    /// Returns its address.
    fn id(&self) -> Id;

    /// Returns the source's own id of it, where it has one.
    fn key(&self) -> Option<&str> {
        None
    }

    /// Returns its URL, if it has one.
    fn url(&self) -> Option<&str>;

    /// Returns the text that shows what it is.
    fn preview(&self) -> &str;

    /// Evaluates all rules, and notes in the record what they found out about it.
    fn judge<'r>(&mut self, rules: &'r [Ready<Self::Rule>]) -> Vec<Finding<'r>>;

    /// Returns the identity of its content, or `None` where duplicates are not looked for.
    fn content(&self, normalise: bool) -> Option<Content>;

    /// Assigns its split, where it holds one.
    fn assign(&mut self, _split: Split) {}

    /// Returns the stream of a dataset that it can be read from.
    ///
    /// # Errors
    /// When there is none.
    fn stream(dataset: &Dataset) -> Result<&StreamSummary> {
        dataset.summary(Self::STREAM)
    }

    /// Reads a part of [`Self::stream`] from a row on.
    ///
    /// # Errors
    /// When the part is missing or is not a table of its type.
    fn open(dataset: &Dataset, part: &Part, row: u64) -> Result<Rows<Self>> {
        Ok(Box::new(dataset.open_at::<Self>(part, row)?))
    }

    /// Reads what users know the records of a part of [`Self::stream`] by, in its order.
    ///
    /// # Errors
    /// As [`Self::open`].
    fn names(dataset: &Dataset, part: &Part) -> Result<Rows<RecordName>>;
}

/// Reads what users know pages by.
fn names_of_pages(dataset: &Dataset, part: &Part) -> Result<Rows<RecordName>> {
    let rows = dataset.open::<PageName>(part)?;
    Ok(Box::new(rows.map(|row| row.map(|PageName { id, key, url }| RecordName { id, key, url }))))
}

impl Subject for Document {
    type Rule = TextRule;
    const STREAM: Stream<Self> = DOCUMENTS;

    fn id(&self) -> Id {
        self.id
    }

    fn key(&self) -> Option<&str> {
        self.key.as_deref()
    }

    fn url(&self) -> Option<&str> {
        self.url.as_deref()
    }

    fn preview(&self) -> &str {
        &self.text
    }

    fn judge<'r>(&mut self, rules: &'r [Ready<TextRule>]) -> Vec<Finding<'r>> {
        let about = About { source: &self.source, url: self.url.as_deref(), date: self.date.as_deref() };
        let mut findings = Vec::new();
        let mut rules = rules.iter();
        let mut changed = true;
        while std::mem::take(&mut changed) {
            let text = Text::new(&self.text);
            let anew = rules.find_map(|ready| ready.rule.judge(&about, &text, &ready.loaded, &mut findings));
            if let Some(language) = text.known_language() {
                self.language = Some(language.to_string());
            }
            if let Some(anew) = anew {
                (self.text, changed) = (anew, true);
            }
        }
        findings
    }

    fn content(&self, normalise: bool) -> Option<Content> {
        Some(Content::of_text(&self.text, normalise))
    }

    fn assign(&mut self, split: Split) {
        self.split = Some(split);
    }

    fn stream(dataset: &Dataset) -> Result<&StreamSummary> {
        if dataset.has(PAGES) { dataset.summary(PAGES) } else { dataset.summary(DOCUMENTS) }
    }

    fn open(dataset: &Dataset, part: &Part, row: u64) -> Result<Rows<Self>> {
        if part.stream == PAGES.name() {
            let pages = dataset.open_at::<Page>(part, row)?;
            return Ok(Box::new(pages.map(|page| page.map(|page| document_of(&page)))));
        }
        Ok(Box::new(dataset.open_at::<Self>(part, row)?))
    }

    fn names(dataset: &Dataset, part: &Part) -> Result<Rows<RecordName>> {
        if part.stream == PAGES.name() {
            return names_of_pages(dataset, part);
        }
        let rows = dataset.open::<DocumentName>(part)?;
        Ok(Box::new(rows.map(|row| row.map(|DocumentName { id, key, url }| RecordName { id, key, url }))))
    }
}

/// Returns a page's main text as a document.
fn document_of(page: &Page) -> Document {
    Document {
        key: page.key.clone(),
        id: page.id,
        source: page.source.clone(),
        url: page.url.clone(),
        date: page.date.clone(),
        language: None,
        text: page.text(),
        split: None,
    }
}

impl Subject for Pair {
    type Rule = PairRule;
    const STREAM: Stream<Self> = PAIRS;

    fn id(&self) -> Id {
        self.id
    }

    fn key(&self) -> Option<&str> {
        self.key.as_deref()
    }

    fn url(&self) -> Option<&str> {
        Some(&self.url)
    }

    fn preview(&self) -> &str {
        &self.caption
    }

    fn judge<'r>(&mut self, rules: &'r [Ready<PairRule>]) -> Vec<Finding<'r>> {
        let caption = Text::new(&self.caption);
        let mut findings = Vec::new();
        rules.iter().for_each(|ready| ready.rule.judge(self, &caption, &ready.loaded, &mut findings));
        findings
    }

    fn content(&self, normalise: bool) -> Option<Content> {
        Some(Content::of_pair(&self.url, &self.caption, normalise))
    }

    fn names(dataset: &Dataset, part: &Part) -> Result<Rows<RecordName>> {
        let rows = dataset.open::<PairName>(part)?;
        let name = |PairName { id, key, url }: PairName| RecordName { id, key, url: Some(url) };
        Ok(Box::new(rows.map(move |row| row.map(name))))
    }
}

impl Subject for Page {
    type Rule = PageRule;
    const STREAM: Stream<Self> = PAGES;

    fn id(&self) -> Id {
        self.id
    }

    fn key(&self) -> Option<&str> {
        self.key.as_deref()
    }

    fn url(&self) -> Option<&str> {
        self.url.as_deref()
    }

    fn preview(&self) -> &str {
        &self.title
    }

    fn judge<'r>(&mut self, rules: &'r [Ready<PageRule>]) -> Vec<Finding<'r>> {
        let text = self.text();
        let text = Text::new(&text);
        let mut findings = Vec::new();
        rules.iter().for_each(|ready| ready.rule.judge(self, &text, &ready.loaded, &mut findings));
        findings
    }

    /// Pages are equal by their main text, whatever their addresses are.
    fn content(&self, normalise: bool) -> Option<Content> {
        Some(Content::of_text(&self.text(), normalise))
    }

    fn names(dataset: &Dataset, part: &Part) -> Result<Rows<RecordName>> {
        names_of_pages(dataset, part)
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
pub(crate) mod tests {
    use corpus::record::{Segment, SegmentKind};

    use super::*;

    pub(crate) fn document(id: u64, text: &str) -> Document {
        Document {
            key: None,
            id: Id::from_bits(id),
            source: "pile".into(),
            url: None,
            date: None,
            language: None,
            text: text.into(),
            split: None,
        }
    }

    pub(crate) fn pair(source: &str, caption: &str) -> Pair {
        Pair::new(Id::from_bits(1), source, "https://a.example/1.png", caption)
    }

    pub(crate) fn page(segments: &[(SegmentKind, &str)]) -> Page {
        let segment = |&(kind, text): &(SegmentKind, &str)| match kind {
            SegmentKind::Image => Segment {
                kind,
                text: String::new(),
                url: Some(text.to_owned()).filter(|url| !url.is_empty()),
            },
            _ => Segment { kind, text: text.into(), url: None },
        };
        Page {
            id: Id::from_bits(1),
            key: None,
            source: "crawl".into(),
            url: Some("https://a.example/".into()),
            date: None,
            title: "a page".into(),
            charset: "UTF-8".into(),
            segments: segments.iter().map(segment).collect(),
        }
    }

    #[test]
    fn judging_notes_the_language_and_evaluates_every_rule() {
        let rules = [
            TextRule::Words(crate::rule::Words::default()),
            TextRule::Language(crate::rule::Language::default()),
        ]
        .map(|rule| Ready::new(rule).unwrap());
        let mut document = document(1, "Too short, but clearly written in the English language.");
        let findings = document.judge(&rules);
        let names: Vec<_> = findings.iter().map(|f| (f.rule, f.passed)).collect();
        assert_eq!(names, [("words_min", false), ("words_max", true), ("language", true)]);
        assert_eq!(document.language.as_deref(), Some("eng"));
    }

    #[test]
    fn the_text_of_a_page_is_that_of_its_document() {
        let page =
            page(&[(SegmentKind::Text, "one"), (SegmentKind::Image, "x"), (SegmentKind::Heading, "two")]);
        let document = document_of(&page);
        assert_eq!(document.text, "one\ntwo");
        assert_eq!(document.url.as_deref(), Some("https://a.example/"));
    }
}
