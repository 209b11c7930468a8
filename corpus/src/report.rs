//! What a stage did with what it read: `read = kept + dropped[reason] + failed[reason]`.

use std::collections::BTreeMap;
use std::ops::AddAssign;

use serde::{Deserialize, Serialize};

/// Counts of one unit (documents, images, ...).
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Counts {
    /// Records taken from the input.
    pub read: u64,
    /// Records that went on.
    pub kept: u64,
    /// Records judged and removed, by reason.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub dropped: BTreeMap<String, u64>,
    /// Records that could not be judged, by reason.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub failed: BTreeMap<String, u64>,
}

impl Counts {
    /// Returns the number of dropped records, all reasons together.
    pub fn dropped_total(&self) -> u64 {
        self.dropped.values().sum()
    }

    /// Returns the number of failed records, all reasons together.
    pub fn failed_total(&self) -> u64 {
        self.failed.values().sum()
    }

    /// Returns true if and only if no record was lost.
    pub fn is_conserved(&self) -> bool {
        self.read == self.kept + self.dropped_total() + self.failed_total()
    }
}

/// A stage's or task's counts; additive, so that ranges and tasks roll up by `+=`.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Report {
    /// Counts by unit.
    pub units: BTreeMap<String, Counts>,
    /// Rows written, by stream.
    pub made: BTreeMap<String, u64>,
}

impl Report {
    /// Changes the counts of a unit, which begin with zero; the name is copied once, since millions are counted.
    pub fn count(&mut self, unit: &str, change: impl FnOnce(&mut Counts)) {
        match self.units.get_mut(unit) {
            Some(counts) => change(counts),
            None => change(self.units.entry(unit.to_owned()).or_default()),
        }
    }

    /// Returns the first unit of which a record was lost, described.
    pub fn violation(&self) -> Option<String> {
        let (unit, counts) = self.units.iter().find(|(_, c)| !c.is_conserved())?;
        Some(format!(
            "{unit}: read {} != kept {} + dropped {} + failed {}",
            counts.read,
            counts.kept,
            counts.dropped_total(),
            counts.failed_total()
        ))
    }
}

/// Adds one under a key that is usually there already.
pub(crate) fn count(map: &mut BTreeMap<String, u64>, key: &str, amount: u64) {
    match map.get_mut(key) {
        Some(value) => *value += amount,
        None => drop(map.insert(key.to_owned(), amount)),
    }
}

impl AddAssign<&Report> for Report {
    fn add_assign(&mut self, other: &Report) {
        for (unit, counts) in &other.units {
            self.count(unit, |mine| {
                mine.read += counts.read;
                mine.kept += counts.kept;
                for (reason, amount) in &counts.dropped {
                    count(&mut mine.dropped, reason, *amount);
                }
                for (reason, amount) in &counts.failed {
                    count(&mut mine.failed, reason, *amount);
                }
            });
        }
        for (stream, rows) in &other.made {
            count(&mut self.made, stream, *rows);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reports_add_up_and_a_lost_record_is_named() {
        let mut one = Report::default();
        one.count("documents", |counts| {
            counts.read = 3;
            counts.kept = 1;
            counts.dropped.insert("language".to_owned(), 1);
            counts.failed.insert("json".to_owned(), 1);
        });
        let mut sum = one.clone();
        sum += &one;
        assert_eq!(sum.units["documents"].dropped["language"], 2);
        assert_eq!(sum.violation(), None);
        sum.count("documents", |counts| counts.read += 1);
        assert_eq!(sum.violation().as_deref(), Some("documents: read 7 != kept 2 + dropped 2 + failed 2"));
    }
}
