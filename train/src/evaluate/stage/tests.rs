#![allow(clippy::unwrap_used)]

use corpus::record::Generated;
use corpus::{Dataset, Id, Store};
use shard::tokenizer::{TOKENIZER_MODEL, Tokenizer};

use super::*;
use crate::testing::{
    FakeLearner, file, held_out as validation, network, pair, run, run_until, shard, tokenizer_file,
};

fn words() -> BTreeMap<String, Vec<String>> {
    let group = |words: &[&str]| words.iter().map(|word| (*word).to_owned()).collect();
    BTreeMap::from([
        ("colour".to_owned(), group(&["red", "blue"])),
        ("shape".to_owned(), group(&["circle", "square"])),
    ])
}

fn evaluate() -> Evaluate {
    let rows_max = 2;
    Evaluate {
        name: "evaluate".to_owned(),
        train: "train".to_owned(),
        tokenizer: "tokenizer".to_owned(),
        packed: BTreeMap::from([(Kind::Pairs, "pack.pairs".to_owned())]),
        config: EvaluateConfig {
            pairs_max: 5,
            generate: model::GenerateConfig { rows_max, ..Default::default() },
            words: words(),
            ..EvaluateConfig::default()
        },
        model: network(),
        settings: model::Settings::default(),
        micro_batch: Amounts::of_sequences(&[(Kind::Text, 1), (Kind::Pairs, 2), (Kind::Interleaved, 1)]),
        payload: PayloadFormat::Features(model::Tap::BeforeLastBlock),
        reset_attention: false,
    }
}

/// Captions as the pairs have them, and as the fake network gives them, by the pair's id.
const CAPTIONED: [(u64, &str, &str); 3] = [
    (1, "a red circle", "a red circle"),
    (2, "two blue squares", "two red squares"),
    (3, "a blue circle", ""),
];

fn tokens(text: &str) -> Vec<u32> {
    let tokenizer = Tokenizer::parse(&tokenizer_file()).unwrap();
    let mut tokens = Vec::new();
    tokenizer.encoder().tokens(text, &mut tokens).unwrap();
    tokens
}

fn inputs(store: &Store, weights: Vec<u8>) -> Inputs {
    let mut pairs = vec![pair(0, &tokens("a red square"))];
    pairs.extend(CAPTIONED.map(|(id, reference, _)| validation(pair(id, &tokens(reference)))));
    Inputs(BTreeMap::from([
        ("train".to_owned(), file(store, "train", MODEL, weights)),
        ("tokenizer".to_owned(), file(store, "tokenizer", TOKENIZER_MODEL, tokenizer_file())),
        ("pack.pairs".to_owned(), shard(store, "pack.pairs", vec![pairs])),
    ]))
}

/// The stage with a learner that is no network.
struct Faked(Evaluate);

impl Stage for Faked {
    fn name(&self) -> String {
        self.0.name()
    }

    fn inputs(&self) -> Vec<String> {
        self.0.inputs()
    }

    fn settings(&self) -> corpus::Result<Value> {
        self.0.settings()
    }

    fn plan(&self, inputs: &Inputs) -> corpus::Result<u32> {
        self.0.plan(inputs)
    }

    fn streams(&self) -> Vec<Declared> {
        self.0.streams()
    }

    fn run(&self, task: &Task<'_>, out: &mut Output<'_>) -> corpus::Result<()> {
        let answers = CAPTIONED.map(|(id, _, answer)| (id as u32, tokens(answer))).into();
        let run =
            self.0.run_with(task, out, || Ok(Box::new(FakeLearner { answers, ..FakeLearner::default() })));
        run.map_err(|error| error.of_stage("evaluate"))
    }
}

fn scores(dataset: &Dataset) -> Scores {
    serde_json::from_slice(&dataset.file(SCORES).unwrap().unwrap()).unwrap()
}

#[test]
fn held_out_pairs_are_captioned_written_as_text_and_scored() {
    let folder = tempfile::tempdir().unwrap();
    let store = Store::local(folder.path()).unwrap();
    let evaluated = run(&store, &Faked(evaluate()), &inputs(&store, vec![0; 8])).unwrap();
    let rows: Vec<Generated> = evaluated.rows(CAPTIONS).collect::<corpus::Result<_>>().unwrap();
    let expected = CAPTIONED.map(|(id, reference, caption)| Generated {
        id: Id::from_bits(id),
        reference: reference.to_owned(),
        caption: caption.to_owned(),
    });
    assert_eq!(rows, expected);
    let scores = scores(&evaluated);
    assert_eq!((scores.captions.captions, scores.captions.exact_matches), (3, 1));
    let shares: Vec<(&str, u64, u64)> =
        scores.captions.words.iter().map(|(name, s)| (name.as_str(), s.named, s.agreed)).collect();
    assert_eq!(shares, [("colour", 3, 1), ("shape", 3, 2)]);
    let loss = &scores.losses[&Kind::Pairs];
    assert_eq!(loss.sequences, 3);
    assert!(loss.nll_per_token.is_some_and(|nll| (0.0..1.0).contains(&nll)));
    assert_eq!(evaluated.manifest().report.units["captions"].kept, 3);
}

#[test]
fn an_evaluation_that_was_stopped_gives_the_same_when_it_is_continued() {
    let folders = [tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap()];
    let [whole, stopped] = folders.each_ref().map(|f| Store::local(f.path()).unwrap());
    let expected = run(&whole, &Faked(evaluate()), &inputs(&whole, vec![0; 8])).unwrap();
    let inputs = inputs(&stopped, vec![0; 8]);
    assert!(run_until(&stopped, &Faked(evaluate()), &inputs, 1).is_err());
    let found = run(&stopped, &Faked(evaluate()), &inputs).unwrap();
    assert_eq!(found.manifest(), expected.manifest());
}

#[test]
fn a_row_without_an_image_is_named() {
    let folder = tempfile::tempdir().unwrap();
    let store = Store::local(folder.path()).unwrap();
    let mut inputs = inputs(&store, vec![0; 8]);
    let rows = vec![validation(crate::testing::text(7, 4))];
    inputs.0.insert("pack.pairs".to_owned(), shard(&store, "pack.pairs", vec![rows]));
    let error = run(&store, &Faked(evaluate()), &inputs).unwrap_err();
    let corpus::Error::Work { source, .. } = error else { unreachable!("{error}") };
    assert!(source.to_string().contains("pairs sequence of 0:0:7"), "{source}");
}
