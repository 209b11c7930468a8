//! The ranges of a task: one after the other from its beginning to its end, without gap or overlap.

use super::Entry;

/// Returns what is wrong with the entries of a complete task; `None` if nothing is.
pub(crate) fn fault(entries: &[Entry]) -> Option<String> {
    let mut position = 0;
    for (index, entry) in entries.iter().enumerate() {
        if entry.range as usize != index {
            return Some(format!("range {} stands in the place of range {index}", entry.range));
        }
        if entry.start != position || entry.position < entry.start {
            let Entry { start, position: end, .. } = entry;
            return Some(format!("range {index} covers {start}..{end} but must start at {position}"));
        }
        if entry.last != (index + 1 == entries.len()) {
            let is = if entry.last { "is marked" } else { "is not marked" };
            return Some(format!("range {index} of {} {is} as the last", entries.len()));
        }
        position = entry.position;
    }
    entries.is_empty().then(|| "it has no range".to_owned())
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use crate::Fingerprint;

    fn entry(range: u32, start: u64, position: u64, last: bool) -> Entry {
        Entry {
            format: crate::format::FORMAT,
            stage: "numbers".into(),
            fingerprint: Fingerprint::parse("0123456789abcdef").unwrap(),
            task: 0,
            range,
            last,
            start,
            position,
            identity: None,
            parts: vec![],
            report: Default::default(),
            context: Default::default(),
        }
    }

    #[test]
    fn gaps_overlaps_and_wrong_ends_are_faults() {
        let first = || entry(0, 0, 10, false);
        assert_eq!(fault(&[first(), entry(1, 10, 15, true)]), None);
        assert_eq!(fault(&[entry(0, 0, 0, true)]), None);
        let faulty: [&[Entry]; 6] = [
            &[],
            &[first()],
            &[first(), entry(1, 11, 15, true)],
            &[first(), entry(1, 9, 15, true)],
            &[entry(0, 0, 10, true), entry(1, 10, 15, true)],
            &[first(), entry(2, 10, 15, true)],
        ];
        for entries in faulty {
            assert!(fault(entries).is_some(), "{entries:?}");
        }
    }
}
