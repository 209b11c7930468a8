//! Ids and texts equal to those of SentencePiece 0.2.3 (`tests/golden/tokenizer.py`).
#![allow(clippy::unwrap_used)]

use std::io::Write;
use std::path::PathBuf;

use proptest::prelude::*;
use serde::Deserialize;

use super::*;
use crate::tokenizer::file::PieceKind;

/// A model of the letters a to e, the space symbol and some of their combinations.
fn letters_model() -> ModelFile {
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
    ModelFile::of_pieces(pieces.map(|(text, score)| (text.to_owned(), score)))
}

/// That model, to encode with.
pub(crate) fn letters() -> Tokenizer {
    Tokenizer::from_file(letters_model()).unwrap()
}

/// The same model as a file.
pub(crate) fn letters_file() -> Vec<u8> {
    letters_model().encode()
}

impl Tokenizer {
    /// Returns a text's ids.
    pub(crate) fn ids(&self, text: &str) -> Vec<u32> {
        let mut ids = Vec::new();
        self.encoder().encode(text, &mut ids).unwrap();
        ids
    }
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
        assert_eq!(&model.ids(text), ids, "ids of {text:?}");
        assert_eq!(&model.decode(ids).unwrap(), decoded, "text of {text:?}");
    }
    for GoldenLong { text, repeated, id_count, checksum } in &golden.long {
        let ids = model.ids(&text.repeat(*repeated));
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
    assert_eq!(model.ids("漢字 xyz").iter().filter(|id| **id == 0).count(), 2);
    assert_eq!(model.decode(&model.ids("ab xyz")).unwrap(), "ab  \u{2047} ");
}

#[test]
fn byte_fallback_gives_every_byte_of_an_unknown_character() {
    let mut file = letters_model();
    let bytes = (0..=u8::MAX).map(|byte| file::Piece {
        text: format!("<0x{byte:02X}>"),
        score: 0.0,
        kind: PieceKind::Byte(byte),
    });
    file.pieces.extend(bytes);
    file.byte_fallback = true;
    let model = Tokenizer::parse(&file.encode()).unwrap();
    let first = letters_model().pieces.len() as u32;
    let ids = model.ids("a漢");
    assert_eq!(ids[1..], "漢".bytes().map(|byte| first + u32::from(byte)).collect::<Vec<_>>());
    assert_eq!(model.decode(&ids).unwrap(), "a漢");
    assert_eq!(model.decode(&ids[..3]).unwrap(), "a\u{fffd}\u{fffd}");
}

#[test]
fn special_tokens_are_no_text_and_a_line_end_is_a_newline() {
    let model = letters();
    let vocabulary = *model.vocabulary();
    let mut tokens = vec![Vocabulary::SEQUENCE_START, vocabulary.image_start(), vocabulary.image_end()];
    let mut encoder = model.encoder();
    encoder.tokens("ab c", &mut tokens).unwrap();
    tokens.push(vocabulary.line_end());
    encoder.tokens("d", &mut tokens).unwrap();
    tokens.extend([Vocabulary::END, Vocabulary::PAD]);
    assert_eq!(model.text(&tokens).unwrap(), "ab c\nd");
    let joined = encoder.joined_lines("ab c\nd").unwrap();
    assert_eq!(model.text(&joined).unwrap(), "ab c d");
}

/// A model in which many ways are equally good, or nearly so.
fn ties(scores: &[f32]) -> ModelFile {
    let pieces = ["▁", "a", "b", "aa", "ab", "ba", "bb", "▁a", "aab", "abb", "▁ab", "abab"];
    ModelFile::of_pieces(std::iter::zip(pieces.map(str::to_owned), scores.iter().copied()))
}

proptest! {
    #[test]
    fn words_that_came_before_are_encoded_as_in_a_lattice_of_the_whole_text(
        scores in prop::collection::vec(prop::sample::select(vec![-3.0_f32, -3.0001, -3.5, -6.0, -6.000_001, -7.0]), 12),
        words in prop::collection::vec("[abx]{1,9}", 1..8),
        order in prop::collection::vec(0_usize..8, 1..200),
        algorithm in prop::sample::select(vec![Algorithm::Unigram, Algorithm::Bpe]),
    ) {
        let text = order.iter().map(|at| words[at % words.len()].as_str()).collect::<Vec<_>>().join(" ");
        let mut file = ties(&scores);
        file.algorithm = algorithm;
        // A piece over two words makes the whole text one lattice; it is never found in the text.
        let mut whole = ties(&scores);
        whole.algorithm = algorithm;
        whole.pieces.push(file::Piece { text: "z▁z".to_owned(), score: -3.0, kind: PieceKind::Normal });
        let (model, whole) = (Tokenizer::from_file(file).unwrap(), Tokenizer::from_file(whole).unwrap());
        prop_assert_eq!(model.ids(&text), whole.ids(&text));
    }

    #[test]
    fn any_text_is_encoded_and_known_letters_come_back(text: String, known in "[a-e]{1,9}( [a-e]{1,9}){0,5}") {
        let model = letters();
        let ids = model.ids(&text);
        prop_assert!(ids.iter().all(|id| *id < 11 && *id != 1 && *id != 2));
        prop_assert_eq!(model.decode(&model.ids(&known)).unwrap(), known);
    }

    #[test]
    fn any_ids_are_decoded(ids: Vec<u32>) {
        prop_assert_eq!(letters().decode(&[]).unwrap(), "");
        letters().decode(&ids).unwrap();
        letters().text(&ids).unwrap();
    }
}
