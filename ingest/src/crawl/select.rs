//! The section `format.crawl.select`: which records of a snapshot, by the columns of its index.

use corpus::digest::Digest;
use serde::{Deserialize, Serialize};

/// What of an index row decides (columns of the snapshot's `cc-index` table).
#[derive(Debug, Clone, Default)]
pub(super) struct IndexRow {
    pub(super) url: String,
    pub(super) status: Option<f64>,
    /// Codes by falling share: `eng,deu`.
    pub(super) languages: Option<String>,
    pub(super) mime: Option<String>,
    pub(super) domain: Option<String>,
}

/// Which records to read; each configured rule must hold.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Select {
    /// ISO 639-3 codes. The page's first language must be one of them; any if empty.
    pub languages: Vec<String>,
    /// Skip pages with more than one language.
    pub one_language: bool,
    /// HTTP status codes.
    pub status: Vec<u16>,
    /// Media types by content.
    pub mime: Vec<String>,
    /// Registrable domains; any if empty.
    pub domains: Vec<String>,
    /// Share of the remaining records to read, above 0 up to 1. The draw depends only on the URL: a larger
    /// share contains all of a smaller one.
    pub share: f64,
    /// Maximum number of index parts to read, in order; all if absent.
    pub index_parts_max: Option<u32>,
}

impl Default for Select {
    fn default() -> Self {
        Self {
            languages: Vec::new(),
            one_language: false,
            status: vec![200],
            mime: vec!["text/html".to_owned(), "application/xhtml+xml".to_owned()],
            domains: Vec::new(),
            share: 1.0,
            index_parts_max: None,
        }
    }
}

impl Select {
    /// Returns the first rule that leaves a row out; none where it is taken. A rule on a
    /// column that is empty is not held: older snapshots lack languages and types.
    pub(super) fn leaves_out(&self, row: &IndexRow) -> Option<&'static str> {
        let is_status =
            row.status.is_some_and(|status| self.status.iter().any(|code| f64::from(*code) == status));
        if !self.status.is_empty() && !is_status {
            return Some("status");
        }
        if !self.mime.is_empty() && !row.mime.as_ref().is_some_and(|mime| self.mime.contains(mime)) {
            return Some("mime");
        }
        let mut languages = row.languages.as_deref().unwrap_or_default().split(',');
        let first = languages.next().unwrap_or_default();
        let is_language = self.languages.iter().any(|code| code == first);
        if !self.languages.is_empty() && !is_language || self.one_language && languages.next().is_some() {
            return Some("language");
        }
        if !self.domains.is_empty()
            && !row.domain.as_ref().is_some_and(|domain| self.domains.contains(domain))
        {
            return Some("domain");
        }
        (draw(&row.url) >= self.share).then_some("share")
    }

    pub(super) fn validate(&self) -> Result<(), String> {
        if !(self.share > 0.0 && self.share <= 1.0) {
            return Err(format!("format.crawl.select.share is {}, must be above 0 to 1", self.share));
        }
        if self.index_parts_max == Some(0) {
            return Err("format.crawl.select.index_parts_max is 0".to_owned());
        }
        match self.languages.iter().find(|code| code.len() != 3) {
            Some(code) => Err(format!("format.crawl.select.languages: {code:?} is no ISO 639-3 code")),
            None => Ok(()),
        }
    }
}

/// Returns a number from 0 to 1 that a URL always has.
fn draw(url: &str) -> f64 {
    let digest = Digest::of(url.as_bytes());
    // 52 bits, which a double holds exactly.
    let bits = digest.as_str().get(..13).and_then(|digits| u64::from_str_radix(digits, 16).ok());
    bits.unwrap_or_default() as f64 / (1_u64 << 52) as f64
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(number: u32) -> IndexRow {
        IndexRow {
            url: format!("http://h.example/{number}"),
            status: Some(200.0),
            languages: Some("eng,deu".to_owned()),
            mime: Some("text/html".to_owned()),
            domain: Some("h.example".to_owned()),
        }
    }

    #[test]
    fn the_first_rule_that_does_not_hold_is_named() {
        let select = Select {
            languages: vec!["eng".to_owned()],
            domains: vec!["h.example".to_owned()],
            ..Select::default()
        };
        assert_eq!(select.leaves_out(&row(1)), None);
        let out = |change: fn(&mut IndexRow)| {
            let mut row = row(1);
            change(&mut row);
            select.leaves_out(&row)
        };
        assert_eq!(out(|row| row.status = Some(404.0)), Some("status"));
        assert_eq!(out(|row| row.mime = None), Some("mime"));
        assert_eq!(out(|row| row.languages = Some("deu,eng".to_owned())), Some("language"));
        assert_eq!(out(|row| row.domain = Some("g.example".to_owned())), Some("domain"));
        let one = Select { one_language: true, ..Select::default() };
        assert_eq!(one.leaves_out(&row(1)), Some("language"));
    }

    #[test]
    fn a_share_is_about_that_and_holds_all_of_a_smaller_one() {
        let taken = |share: f64| -> Vec<u32> {
            let select = Select { share, ..Select::default() };
            (0..10_000).filter(|number| select.leaves_out(&row(*number)).is_none()).collect()
        };
        let (small, large) = (taken(0.01), taken(0.1));
        assert!((70..130).contains(&small.len()) && (900..1_100).contains(&large.len()));
        assert!(small.iter().all(|number| large.contains(number)));
    }
}
