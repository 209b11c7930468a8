//! Packing of any lines of any documents.
#![allow(clippy::unwrap_used)]

use std::collections::BTreeMap;

use proptest::prelude::*;

use super::*;
use crate::tokenizer::Tokenizer;
use crate::tokenizer::tests::letters;

fn pack(tokenizer: &Tokenizer, documents: &[String], tokens_max: usize) -> Vec<Sequence> {
    let frame = Frame { vocabulary: *tokenizer.vocabulary(), tokens_max, latent_count: 0 };
    let mut packer = TextPacker::new(frame, Split::Train, "set");
    let (mut encoder, mut full) = (tokenizer.encoder(), Vec::new());
    for (document, bits) in documents.iter().zip(1..) {
        packer.push(Id::from_bits(bits), document, &mut encoder, &mut full).unwrap();
    }
    packer.flush(&mut full);
    full
}

/// What the rules say a document's lines become, each cut to a sequence.
fn lines(tokenizer: &Tokenizer, document: &str, line_tokens_max: usize) -> Vec<Vec<u32>> {
    let mut lines: Vec<Vec<u32>> = document
        .split('\n')
        .filter(|line| !line.is_empty())
        .map(|line| tokenizer.ids(line).iter().map(|id| tokenizer.vocabulary().token(*id)).collect())
        .collect();
    let count = lines.len();
    for line in lines.iter_mut().take(count.saturating_sub(1)) {
        line.push(tokenizer.vocabulary().line_end());
    }
    match lines.last_mut() {
        Some(last) => last.push(Vocabulary::END),
        None => lines.push(vec![Vocabulary::END]),
    }
    lines.iter_mut().for_each(|line| line.truncate(line_tokens_max));
    lines
}

fn documents() -> impl Strategy<Value = Vec<String>> {
    let line = prop_oneof![Just(String::new()), Just("   ".to_owned()), "[a-e ]{1,30}", "[a-eé漢]{1,60}"];
    let document = prop::collection::vec(line, 0..6).prop_map(|lines| lines.join("\n"));
    prop::collection::vec(document, 0..8)
}

proptest! {
    #[test]
    fn every_token_is_there_once_and_in_order(documents in documents(), tokens_max in 3_usize..40) {
        let tokenizer = letters();
        let expected: Vec<u32> = documents
            .iter()
            .flat_map(|document| lines(&tokenizer, document, tokens_max - 1))
            .flatten()
            .collect();
        let rows = pack(&tokenizer, &documents, tokens_max);
        let mut packed: Vec<u32> = Vec::new();
        for row in &rows {
            prop_assert!(row.tokens.len() <= tokens_max);
            prop_assert_eq!(row.tokens[0], Vocabulary::SEQUENCE_START);
            packed.extend(&row.tokens[1..]);
        }
        prop_assert_eq!(packed, expected);
    }

    #[test]
    fn no_line_is_split_across_sequences(documents in documents(), tokens_max in 3_usize..40) {
        let tokenizer = letters();
        let mut lines = documents.iter().flat_map(|d| lines(&tokenizer, d, tokens_max - 1)).peekable();
        for row in pack(&tokenizer, &documents, tokens_max) {
            let mut rest = &row.tokens[1..];
            while !rest.is_empty() {
                let line = lines.next().unwrap();
                prop_assert!(rest.starts_with(&line));
                rest = &rest[line.len()..];
            }
            // A sequence ends only because the next line would not have fitted.
            if let Some(next) = lines.peek() {
                prop_assert!(row.tokens.len() + next.len() > tokens_max);
            }
        }
        prop_assert_eq!(lines.next(), None);
    }

    #[test]
    fn spans_tile_the_sequence_and_lead_to_the_document(documents in documents(), tokens_max in 3_usize..40) {
        let tokenizer = letters();
        let mut by_document: BTreeMap<u64, Vec<u32>> = BTreeMap::new();
        for row in pack(&tokenizer, &documents, tokens_max) {
            let mut position = 0;
            for span in &row.spans {
                prop_assert_eq!(span.start, position);
                prop_assert!(span.end > span.start);
                position = span.end;
                let tokens = &row.tokens[(span.start.max(1)) as usize..span.end as usize];
                by_document.entry(span.id.to_bits()).or_default().extend(tokens);
            }
            prop_assert_eq!(position as usize, row.tokens.len());
        }
        for (document, bits) in documents.iter().zip(1_u64..) {
            let expected = lines(&tokenizer, document, tokens_max - 1).concat();
            prop_assert_eq!(by_document.remove(&bits), Some(expected));
        }
    }

    #[test]
    fn the_loss_counts_every_prediction_but_none_after_the_end(documents in documents()) {
        for row in pack(&letters(), &documents, 20) {
            let (last, others) = row.loss_mask.split_last().unwrap();
            prop_assert!(!last && others.iter().all(|counts| *counts));
            prop_assert!(row.image_starts.is_empty() && row.payloads.is_empty());
        }
    }
}

#[test]
fn a_document_ends_with_its_mark_and_an_empty_one_is_the_mark_alone() {
    let tokenizer = letters();
    let line_end = tokenizer.vocabulary().line_end();
    let rows = pack(&tokenizer, &["a\n\nb".to_owned(), String::new(), "c".to_owned()], 64);
    let tokens = |text: &str| {
        let mut tokens = Vec::new();
        tokenizer.encoder().tokens(text, &mut tokens).unwrap();
        tokens
    };
    assert_eq!(rows.len(), 1);
    let expected = [&[0], &tokens("a")[..], &[line_end], &tokens("b"), &[2, 2], &tokens("c"), &[2]];
    assert_eq!(rows[0].tokens, expected.concat());
}
