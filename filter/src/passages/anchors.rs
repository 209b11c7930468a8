//! Anchors: of long passages, few places that equal ones share.
//!
//! A passage of `r` units holds `w = r - k + 1` shorter runs of `k = r / 2` units. The one of them with the
//! smallest hash, of several the last, is its anchor: passages that are equal have equal anchors, and neighbours
//! mostly the same (Schleimer et al., "Winnowing", SIGMOD 2003). So of texts whose anchors are nowhere else
//! no passage is, and only about every `w / 2`-th place has to be compared with all others.

use super::{Passage, Unit, passages_of, run_keys, units};
use crate::config::RepeatsConfig;

/// Units of a passage from which anchors are worth their while.
const RUN_MIN: usize = 16;

/// Returns true if and only if passages are looked for by anchors first.
pub fn has_anchors(config: &RepeatsConfig) -> bool {
    config.run() as usize >= RUN_MIN
}

/// Returns the anchors of a text, each once, in order.
pub fn anchors(text: &str, config: &RepeatsConfig) -> Vec<Passage> {
    let (keys, mut places) = placed(&units(text, config.unit, config.any_digit), config);
    places.dedup();
    places.into_iter().map(|place| Passage { unit: place, key: keys[place as usize] }).collect()
}

/// Returns the passages of a text of which `is_shared` is true for the place of their anchor.
pub fn anchored(text: &str, config: &RepeatsConfig, is_shared: impl Fn(u32) -> bool) -> Vec<Passage> {
    let units = units(text, config.unit, config.any_digit);
    let (_, places) = placed(&units, config);
    let passages = passages_of(&units, config).into_iter().zip(places);
    passages.filter(|(_, place)| is_shared(*place)).map(|(passage, _)| passage).collect()
}

/// Returns the keys of all shorter runs, and the place of every passage's anchor.
fn placed(units: &[Unit], config: &RepeatsConfig) -> (Vec<u64>, Vec<u32>) {
    let run = config.run() as usize;
    let keys = run_keys(units, run / 2);
    let window = run - run / 2 + 1;
    let (mut places, mut least) = (Vec::with_capacity(keys.len()), 0);
    for last in 0..keys.len() {
        let first = (last + 1).saturating_sub(window);
        if least < first {
            // The smallest one is left behind: that of the others.
            least = (first..last).rev().min_by_key(|at| keys[*at]).unwrap_or(last);
        }
        if keys[last] <= keys[least] {
            least = last;
        }
        if last + 1 >= window {
            places.push(least as u32);
        }
    }
    (keys, places)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::config;

    proptest! {
        #[test]
        fn passages_that_are_equal_have_equal_anchors_at_the_same_place(
            texts in prop::collection::vec(prop::collection::vec(0_u8..2, 0..60), 1..4), run in 2_u32..9,
        ) {
            let config = RepeatsConfig { run: Some(run), ..super::super::tests::config(config::Unit::Words) };
            let mut seen = std::collections::BTreeMap::new();
            for text in texts {
                let text: String = text.iter().map(|word| format!("w{word} ")).collect();
                let (keys, places) = placed(&units(&text, config.unit, config.any_digit), &config);
                let passages = super::super::passages(&text, &config);
                prop_assert_eq!(passages.len(), places.len());
                for (passage, place) in passages.iter().zip(places) {
                    let offset = place - passage.unit;
                    prop_assert!(offset <= run - run / 2);
                    let anchor = (offset, keys[place as usize]);
                    prop_assert_eq!(*seen.entry(passage.key).or_insert(anchor), anchor);
                }
            }
        }
    }

    #[test]
    fn anchors_are_few() {
        let words: String =
            (0..5_000_u32).map(|word| format!("{} ", word.wrapping_mul(2_654_435_761))).collect();
        let config = super::super::tests::config(config::Unit::Words);
        let count = anchors(&words, &config).len();
        assert!((300..450).contains(&count), "{count}");
        assert!(anchored(&words, &config, |_| false).is_empty());
        assert_eq!(anchored(&words, &config, |_| true).len(), 4_951);
    }
}
