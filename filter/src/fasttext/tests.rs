//! Agreement with fastText itself, and what hostile files do: `tests/golden/fasttext.py` makes
//! the models and what Python says of them.

#![allow(clippy::unwrap_used)]

use std::collections::BTreeMap;
use std::path::PathBuf;

use proptest::prelude::*;
use serde::Deserialize;

use super::*;

/// Differences of probabilities at most.
const DIFFERENCE_MAX: f32 = 1e-5;

#[derive(Deserialize)]
struct Expected {
    texts: Vec<String>,
    models: BTreeMap<String, Vec<Vec<(String, f32)>>>,
}

fn folder() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../tests/golden/fasttext")
}

fn expected() -> Expected {
    serde_json::from_slice(&std::fs::read(folder().join("expected.json")).unwrap()).unwrap()
}

fn bytes_of(name: &str) -> Vec<u8> {
    std::fs::read(folder().join(name)).unwrap()
}

fn read(bytes: &[u8]) -> Result<Model> {
    Model::read(bytes, bytes.len() as u64)
}

/// Whether labels are equal, up to the order of those whose probabilities are.
fn agree(found: &[Prediction<'_>], expected: &[(String, f32)]) -> bool {
    let is_near = |(prediction, (_, probability)): (&Prediction<'_>, &(String, f32))| {
        (prediction.probability - probability).abs() < DIFFERENCE_MAX
    };
    let is_known = |prediction: &Prediction<'_>| {
        let same = expected.iter().find(|(label, _)| label == prediction.label);
        let last = expected.last().map_or(0.0, |(_, probability)| *probability);
        // A label that ties with the last may stand in for it.
        same.map_or((prediction.probability - last).abs() < DIFFERENCE_MAX, |(_, probability)| {
            (prediction.probability - probability).abs() < DIFFERENCE_MAX
        })
    };
    found.len() == expected.len() && found.iter().zip(expected).all(is_near) && found.iter().all(is_known)
}

#[test]
fn labels_and_probabilities_are_those_of_fasttext() {
    let expected = expected();
    let mut scratch = Scratch::default();
    assert_eq!(expected.models.len(), 18);
    for (name, predictions) in &expected.models {
        let model = Model::open(&folder().join(name)).unwrap();
        for (text, expected) in expected.texts.iter().zip(predictions) {
            let found = model.predict(text, 3, 0.0, &mut scratch);
            assert!(agree(&found, expected), "{name} {text:?}: {found:?} is not {expected:?}");
        }
    }
}

#[test]
fn a_bound_on_probability_leaves_labels_out() {
    for name in ["softmax.bin", "hs.ftz", "ova.bin"] {
        let model = read(&bytes_of(name)).unwrap();
        let scratch = &mut Scratch::default();
        let all = model.predict("born free and equal", 100, 0.0, scratch);
        // A tree is not walked down to labels of less than 1e-5.
        assert!(all.len() <= model.labels().count() && all.len() > 3, "{name}");
        let probable = model.predict("born free and equal", 100, 0.3, scratch);
        let expected: Vec<_> = all.iter().filter(|p| p.probability >= 0.3).copied().collect();
        assert_eq!(probable, expected, "{name}");
        assert!(model.predict("born free and equal", 0, 0.0, scratch).is_empty());
    }
}

#[test]
fn line_ends_are_spaces() {
    let model = read(&bytes_of("softmax.bin")).unwrap();
    let scratch = &mut Scratch::default();
    let one = model.predict("born free and equal", 3, 0.0, scratch);
    assert_eq!(model.predict("born\nfree\r\nand equal\n", 3, 0.0, scratch), one);
}

#[test]
fn what_is_no_classifier_is_refused_with_a_sentence() {
    let error = |bytes: &[u8]| read(bytes).unwrap_err().to_string();
    assert!(error(b"").contains("states 4 items where 0 bytes are left"), "{}", error(b""));
    assert!(error(&[0; 64]).contains("does not begin like a fastText model"));
    let mut bytes = bytes_of("words.bin");
    bytes[4] = 13;
    assert!(error(&bytes).contains("unknown version 13"));
    bytes[4] = 12;
    // The kind of the model, after seven numbers of its head.
    bytes[36] = 1;
    assert!(error(&bytes).contains("not a classifier"), "{}", error(&bytes));
}

#[test]
fn every_truncated_model_is_refused() {
    for name in ["hs-qout.ftz", "words.bin"] {
        let bytes = bytes_of(name);
        for end in (0..bytes.len()).step_by(97).chain([bytes.len() - 1]) {
            assert!(read(&bytes[..end]).is_err(), "{name} of {end} bytes");
        }
    }
}

proptest! {
    #[test]
    fn a_damaged_model_is_refused_or_predicts(
        name in prop::sample::select(vec!["hs-qout.ftz", "words.bin", "softmax-pruned.ftz"]),
        // Most damage is done in the head and the dictionary.
        damage in prop::collection::vec((0_usize..6_000, any::<u8>()), 1..6),
    ) {
        let mut bytes = bytes_of(name);
        for (place, value) in damage {
            bytes[place] = value;
        }
        if let Ok(model) = read(&bytes) {
            model.predict("born free and equal", 3, 0.0, &mut Scratch::default());
        }
    }
}
