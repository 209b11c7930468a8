#![allow(clippy::unwrap_used)]

use std::collections::BTreeSet;

use corpus::{Id, Store};

use super::*;
use crate::Amounts;
use crate::testing::{config, held_out, layout, pair, shard, text};

/// Two parts of text from the sources 1 and 2, three parts of pairs; some held out.
fn shards(store: &Store) -> Shards {
    let address = |source: u64, row: u64| source << 56 | row;
    let texts = [(1, 5), (2, 30)].map(|(source, rows)| -> Vec<Sequence> {
        (0..rows).map(|row| text(address(source, row), 4 + (row % 5) as usize)).collect()
    });
    let pairs = (0..3).map(|part: u64| -> Vec<Sequence> {
        let row = |row: u64| match row % 4 {
            0 => held_out(pair(part * 100 + row, &[40])),
            _ => pair(part * 100 + row, &vec![40; 1 + row as usize % 3]),
        };
        (0..12).map(row).collect()
    });
    Shards::from([
        (Kind::Text, shard(store, "pack.text", texts.into())),
        (Kind::Pairs, shard(store, "pack.pairs", pairs.collect())),
    ])
}

fn open(config: &Config, shards: &Shards, state: &LoaderState) -> Result<MicroBatches> {
    MicroBatches::open(config, shards, layout(), Rank::ONLY, state)
}

/// Returns the micro-batches of the next step.
fn step(feed: &mut MicroBatches) -> Vec<Loaded> {
    let mut step = vec![feed.next_batch().unwrap()];
    while !step[step.len() - 1].ends_step {
        step.push(feed.next_batch().unwrap());
    }
    step
}

fn state_after(step: &[Loaded]) -> &LoaderState {
    &step[step.len() - 1].state
}

/// Returns the ids of a micro-batch's pairs, which are their features' values.
fn pair_ids(batch: &MicroBatch) -> Vec<u64> {
    let crate::images::Images::Features(_, values) = &batch.images else { return Vec::new() };
    values.chunks((values.len() / batch.row_count).max(1)).map(|image| image[0].to_f32() as u64).collect()
}

#[test]
fn a_resumed_feed_goes_on_exactly_at_every_step_of_several_epochs() {
    let folder = tempfile::tempdir().unwrap();
    let shards = shards(&Store::local(folder.path()).unwrap());
    let text_weights = BTreeMap::from([("books".to_owned(), 1.0), ("web".to_owned(), 2.0)]);
    let by_rows = Config { text_weights: text_weights.clone(), ..config(100) };
    let batch = Amounts::new(&[(Kind::Text, Amount::tokens(11)), (Kind::Pairs, Amount::tokens(25))]);
    let by_tokens = Config { batch, micro_batch: None, text_weights, ..config(100) };
    for config in [by_rows, by_tokens] {
        is_resumed(&config, &shards);
    }
}

fn is_resumed(config: &Config, shards: &Shards) {
    let mut feed = open(config, shards, &LoaderState::default()).unwrap();
    let steps: Vec<Vec<Loaded>> = (0..25).map(|_| step(&mut feed)).collect();
    let last = &state_after(&steps[24])[&Kind::Pairs]["all"];
    assert!(last.position.epoch >= 2, "the pairs' epochs were not crossed: {last:?}");
    for done in 1..24 {
        let json = serde_json::to_string(state_after(&steps[done - 1])).unwrap();
        let state: LoaderState = serde_json::from_str(&json).unwrap();
        let mut resumed = open(config, shards, &state).unwrap();
        for (found, expected) in step(&mut resumed).iter().zip(&steps[done]) {
            assert_eq!((&found.batch, found.ends_step), (&expected.batch, expected.ends_step));
            assert_eq!(found.state, expected.state);
        }
    }
}

#[test]
fn a_step_has_the_tokens_that_are_asked_for_in_passes_of_like_lengths() {
    let folder = tempfile::tempdir().unwrap();
    let shards = shards(&Store::local(folder.path()).unwrap());
    let batch = Amounts::new(&[(Kind::Text, Amount::tokens(60)), (Kind::Pairs, Amount::Sequences(7))]);
    let pass = Amounts::by_kind(|_| Amount::tokens(20));
    let config = Config { batch, micro_batch: Some(pass), ..config(100) };
    let mut feed = open(&config, &shards, &LoaderState::default()).unwrap();
    for _ in 0..5 {
        let step = step(&mut feed);
        let of_kind =
            |kind| step.iter().filter(move |loaded| loaded.batch.kind == kind).map(|loaded| &loaded.batch);
        let rows = |kind| of_kind(kind).map(|batch| batch.row_count).sum::<usize>();
        // A sequence of 8 tokens at most is the last one; inputs are one less each.
        let tokens =
            of_kind(Kind::Text).map(|batch| batch.token_count).sum::<u64>() + rows(Kind::Text) as u64;
        assert!((60..68).contains(&tokens), "{tokens}");
        assert_eq!(rows(Kind::Pairs), 7);
        let padded = |batch: &MicroBatch| batch.row_count * batch.column_count;
        assert!(step.iter().all(|loaded| loaded.batch.row_count == 1 || padded(&loaded.batch) <= 20));
        let lengths: Vec<usize> = of_kind(Kind::Text).map(|batch| batch.column_count).collect();
        assert!(lengths.is_sorted() && lengths.len() > 1, "{lengths:?}");
        let ends: Vec<bool> = step.iter().map(|loaded| loaded.ends_step).collect();
        assert!(ends.iter().rev().skip(1).all(|ends| !ends));
    }
}

#[test]
fn an_epoch_holds_every_training_pair_once_and_no_held_out_one() {
    let folder = tempfile::tempdir().unwrap();
    let shards = shards(&Store::local(folder.path()).unwrap());
    let mut feed = open(&config(100), &shards, &LoaderState::default()).unwrap();
    let mut seen = Vec::new();
    // 27 of 36 pairs are for training, three of them a step.
    for _ in 0..9 * 3 {
        seen.extend(pair_ids(&feed.next_batch().unwrap().batch));
    }
    let distinct: BTreeSet<u64> = seen.iter().copied().collect();
    assert_eq!((seen.len(), distinct.len()), (27, 27));
    assert!(distinct.iter().all(|id| id % 100 % 4 != 0), "{distinct:?}");
    assert_ne!(seen, distinct.into_iter().collect::<Vec<u64>>(), "the order is the shard's");
}

#[test]
fn text_is_mixed_by_the_weights_of_its_sources() {
    let folder = tempfile::tempdir().unwrap();
    let shards = shards(&Store::local(folder.path()).unwrap());
    let weights = |books, web| Config {
        batch: Amounts::of_sequences(&[(Kind::Text, 8)]),
        text_weights: BTreeMap::from([("books".to_owned(), books), ("web".to_owned(), web)]),
        ..config(100)
    };
    let mut feed = open(&weights(3.0, 1.0), &shards, &LoaderState::default()).unwrap();
    let mut state = LoaderState::default();
    for _ in 0..8 {
        state = feed.next_batch().unwrap().state;
    }
    let text = &state[&Kind::Text];
    let (books, web) = (text["books"].tokens, text["web"].tokens);
    // Of tokens, whatever the number of sequences that they take: none of these has more than 8.
    assert!((books as f64 - 0.75 * (books + web) as f64).abs() <= 8.0, "{books} of {}", books + web);
    assert_eq!(text["books"].position.epoch, 1);
    let mut feed = open(&weights(0.0, 1.0), &shards, &LoaderState::default()).unwrap();
    assert_eq!(feed.next_batch().unwrap().state[&Kind::Text].len(), 1);
}

#[test]
fn a_set_without_a_weight_and_a_weight_without_a_set_are_refused() {
    let folder = tempfile::tempdir().unwrap();
    let shards = shards(&Store::local(folder.path()).unwrap());
    let refused = |weights: &[(&str, f64)]| {
        let text_weights = weights.iter().map(|(name, weight)| ((*name).to_owned(), *weight)).collect();
        let config = Config { text_weights, ..config(100) };
        open(&config, &shards, &LoaderState::default()).unwrap_err().to_string()
    };
    let error = refused(&[("web", 1.0)]);
    assert!(error.contains("books has sequences but no weight (0 leaves it out)"), "{error}");
    let error = refused(&[("web", 1.0), ("books", 1.0), ("papers", 1.0)]);
    assert!(error.contains("papers has a weight but no sequence"), "{error}");
    assert!(error.contains("the sets are books, web"), "{error}");
}

#[test]
fn sets_of_one_part_are_told_apart() {
    let folder = tempfile::tempdir().unwrap();
    let store = Store::local(folder.path()).unwrap();
    let of = |source: &str, ids: std::ops::Range<u64>| -> Vec<Sequence> {
        let token = if source == "a" { 30 } else { 40 };
        let row = |id| Sequence { source: Some(source.to_owned()), tokens: vec![token; 6], ..text(id, 6) };
        ids.map(row).collect()
    };
    let rows = [of("a", 0..7), of("b", 7..9), of("a", 9..12), of("b", 12..20)].concat();
    let shards = Shards::from([(Kind::Text, shard(&store, "pack.text", vec![rows]))]);
    let batch = Amounts::of_sequences(&[(Kind::Text, 4)]);
    let text_weights = BTreeMap::from([("a".to_owned(), 1.0), ("b".to_owned(), 3.0)]);
    let config =
        Config { batch, micro_batch: Some(batch), text_weights, block_bytes_max: 100, ..config(100) };
    let mut feed = open(&config, &shards, &LoaderState::default()).unwrap();
    let loaded: Vec<Loaded> = (0..10).map(|_| feed.next_batch().unwrap()).collect();
    let input = || loaded.iter().flat_map(|loaded| &loaded.batch.input);
    let of_token = |token: u32| input().filter(|found| **found == token).count();
    assert_eq!(
        (of_token(30), of_token(40), input().count()),
        (10 * 5, 30 * 5, 40 * 5),
        "rows are their own set's"
    );
    let text = &loaded[9].state[&Kind::Text];
    // Ten rows are each of the two sets, and 40 sequences of 6 tokens were drawn.
    assert_eq!((text["a"].tokens, text["b"].tokens), (60, 180));
    assert_eq!((text["a"].position.epoch, text["b"].position.epoch), (0, 2));
}

#[test]
fn a_shard_without_training_rows_ends_with_an_error_and_not_in_an_endless_search() {
    let folder = tempfile::tempdir().unwrap();
    let store = Store::local(folder.path()).unwrap();
    let rows = (0..9).map(|id| held_out(pair(id, &[40]))).collect();
    let shards = Shards::from([(Kind::Pairs, shard(&store, "pack.pairs", vec![rows]))]);
    let config = Config { batch: Amounts::of_sequences(&[(Kind::Pairs, 1)]), ..config(10) };
    let error = open(&config, &shards, &LoaderState::default()).unwrap_err().to_string();
    assert!(error.contains("no row is for training"), "{error}");
    let text = crate::testing::config(10);
    let error = open(&text, &shards, &LoaderState::default()).unwrap_err().to_string();
    assert!(error.contains("no text sequences"), "{error}");
}

#[test]
fn ranks_get_disjoint_pairs_that_are_together_the_epoch() {
    let folder = tempfile::tempdir().unwrap();
    let store = Store::local(folder.path()).unwrap();
    let rows = (0..40).map(|id| pair(id, &[40])).collect();
    let shards = Shards::from([(Kind::Pairs, shard(&store, "pack.pairs", vec![rows]))]);
    let one = Amounts::of_sequences(&[(Kind::Pairs, 1)]);
    let config = Config { batch: one, micro_batch: Some(one), block_bytes_max: 400, ..config(10) };
    let mut seen = Vec::new();
    for index in 0..3 {
        let rank = Rank { index, count: 3 };
        let begin = LoaderState::default();
        let mut feed = MicroBatches::open(&config, &shards, layout(), rank, &begin).unwrap();
        loop {
            let loaded = feed.next_batch().unwrap();
            if loaded.state[&Kind::Pairs]["all"].position.epoch > 0 {
                break;
            }
            seen.extend(pair_ids(&loaded.batch));
        }
    }
    seen.sort_unstable();
    assert_eq!(seen, (0..40).collect::<Vec<u64>>());
}

#[test]
fn the_thread_gives_what_the_feed_gives_and_ends_when_it_is_dropped() {
    let folder = tempfile::tempdir().unwrap();
    let shards = shards(&Store::local(folder.path()).unwrap());
    let config = config(100);
    let mut feed = open(&config, &shards, &LoaderState::default()).unwrap();
    let ahead = open(&config, &shards, &LoaderState::default()).unwrap();
    let mut loader = Loader::start(ahead, 2).unwrap();
    for _ in 0..7 {
        assert_eq!(loader.next_batch().unwrap().batch, feed.next_batch().unwrap().batch);
    }
    drop(loader);
}

#[test]
fn a_row_that_packing_does_not_write_reaches_the_trainer_as_an_error() {
    let folder = tempfile::tempdir().unwrap();
    let store = Store::local(folder.path()).unwrap();
    let broken = Sequence { image_starts: vec![90], ..pair(0, &[40]) };
    let shards = Shards::from([(Kind::Pairs, shard(&store, "pack.pairs", vec![vec![broken]]))]);
    let one = Amounts::of_sequences(&[(Kind::Pairs, 1)]);
    let config = Config { batch: one, micro_batch: Some(one), ..config(10) };
    let feed = open(&config, &shards, &LoaderState::default()).unwrap();
    let mut loader = Loader::start(feed, 1).unwrap();
    assert!(matches!(loader.next_batch(), Err(Error::Sequence { id, .. }) if id == Id::from_bits(0)));
    assert!(matches!(loader.next_batch(), Err(Error::LoaderEnded)));
}
