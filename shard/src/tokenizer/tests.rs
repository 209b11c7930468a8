//! Ids and texts equal to those of SentencePiece 0.2.3 (`tests/golden/tokenizer.py`).
#![allow(clippy::unwrap_used)]

use std::io::Write;
use std::path::PathBuf;

use proptest::prelude::*;
use serde::Deserialize;

use super::*;

/// A model of the letters a to e, the space symbol and some of their combinations.
pub(crate) fn letters() -> Tokenizer {
    let pieces = [
        ("▁", -1.0),
        ("a", -2.0),
        ("b", -2.5),
        ("c", -3.0),
        ("d", -3.5),
        ("e", -4.0),
        ("▁a", -2.2),
        ("ab", -3.2),
    ];
    let pieces = pieces.map(|(text, score)| (text.to_owned(), score));
    Tokenizer::from_file(ModelFile::of_pieces(pieces)).unwrap()
}

/// The same model as a file.
pub(crate) fn letters_file() -> Vec<u8> {
    letters().file.encode()
}

#[derive(Deserialize)]
struct Golden {
    texts: Vec<GoldenText>,
    long: Vec<GoldenLong>,
}

#[derive(Deserialize)]
struct GoldenText {
    text: String,
    ids: Vec<u32>,
    decoded: String,
}

#[derive(Deserialize)]
struct GoldenLong {
    text: String,
    repeated: usize,
    id_count: usize,
    checksum: u32,
}

fn repository() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("..")
}

fn check(model: &Tokenizer, golden: &str) {
    let golden = std::fs::read(repository().join("tests/golden/tokenizer").join(golden)).unwrap();
    let golden: Golden = serde_json::from_slice(&golden).unwrap();
    assert!(golden.texts.len() > 50 && golden.long.len() > 3);
    for GoldenText { text, ids, decoded } in &golden.texts {
        assert_eq!(&model.encode(text), ids, "ids of {text:?}");
        assert_eq!(&model.decode(ids), decoded, "text of {text:?}");
    }
    for GoldenLong { text, repeated, id_count, checksum } in &golden.long {
        let ids = model.encode(&text.repeat(*repeated));
        let sum = ids.iter().fold(0_u32, |sum, id| sum.wrapping_mul(31).wrapping_add(*id));
        assert_eq!((ids.len(), sum), (*id_count, *checksum), "ids of {text:?} times {repeated}");
    }
}

#[test]
fn a_small_model_gives_the_ids_of_sentencepiece() {
    let model = std::fs::read(repository().join("tests/golden/tokenizer/small.model")).unwrap();
    check(&Tokenizer::parse(&model).unwrap(), "small.json");
}

#[test]
fn the_model_of_kosmos_1_gives_the_ids_of_sentencepiece() {
    let path = repository().join("../shared/data/open/tokenizer/sentencepiece.bpe.model");
    let Ok(model) = std::fs::read(&path) else {
        // Past the capture of the test's output, which is shown for failures alone.
        writeln!(std::io::stderr(), "skipped: no file {}", path.display()).unwrap();
        return;
    };
    let model = Tokenizer::parse(&model).unwrap();
    check(&model, "kosmos.json");
    assert_eq!(model.vocabulary().size(), 64_007);
}

#[test]
fn unknown_characters_in_a_row_are_one_piece() {
    let model = letters();
    assert_eq!(model.encode("漢字 xyz").iter().filter(|id| **id == 0).count(), 2);
    assert_eq!(model.decode(&model.encode("ab xyz")), "ab  \u{2047} ");
}

#[test]
fn byte_fallback_gives_every_byte_of_an_unknown_character() {
    let mut file = letters().file;
    let bytes = (0..=u8::MAX).map(|byte| file::Piece {
        text: format!("<0x{byte:02X}>"),
        score: 0.0,
        kind: PieceKind::Byte(byte),
    });
    file.pieces.extend(bytes);
    file.byte_fallback = true;
    let model = Tokenizer::parse(&file.encode()).unwrap();
    let first = letters().file.pieces.len() as u32;
    let ids = model.encode("a漢");
    assert_eq!(ids[1..], "漢".bytes().map(|byte| first + u32::from(byte)).collect::<Vec<_>>());
    assert_eq!(model.decode(&ids), "a漢");
    assert_eq!(model.decode(&ids[..3]), "a\u{fffd}\u{fffd}");
}

#[test]
fn special_tokens_are_no_text_and_a_line_end_is_a_newline() {
    let model = letters();
    let vocabulary = *model.vocabulary();
    let mut tokens = vec![Vocabulary::SEQUENCE_START, vocabulary.image_start(), vocabulary.image_end()];
    let mut encoder = model.encoder();
    encoder.tokens("ab c", &mut tokens);
    tokens.push(vocabulary.line_end());
    encoder.tokens("d", &mut tokens);
    tokens.extend([Vocabulary::END, Vocabulary::PAD]);
    assert_eq!(model.text(&tokens), "ab c\nd");
    let joined = encoder.joined_lines("ab c\nd");
    assert_eq!(model.text(&joined), "ab c d");
}

proptest! {
    #[test]
    fn any_text_is_encoded_and_known_letters_come_back(text: String, known in "[a-e]{1,9}( [a-e]{1,9}){0,5}") {
        let model = letters();
        let ids = model.encode(&text);
        prop_assert!(ids.iter().all(|id| *id < 11 && *id != 1 && *id != 2));
        prop_assert_eq!(model.decode(&model.encode(&known)), known);
    }

    #[test]
    fn any_ids_are_decoded(ids: Vec<u32>) {
        prop_assert_eq!(letters().decode(&[]), "");
        letters().decode(&ids);
        letters().text(&ids);
    }
}
