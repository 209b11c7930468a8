#![allow(clippy::unwrap_used)]

use std::path::Path;

use corpus::{Dataset, Store};
use model::WeightsSource;

use super::*;
use crate::drawn::{Drawn, StepPart};
use crate::testing::{
    FakeLearner, config, file, held_out, network, pair, run, run_until, shard, text, tokenizer_file,
};

fn train(config: Config) -> Train {
    Train {
        name: "train".to_owned(),
        tokenizer: "tokenizer".to_owned(),
        packed: BTreeMap::from([
            (Kind::Text, "pack.text".to_owned()),
            (Kind::Pairs, "pack.pairs".to_owned()),
        ]),
        config,
        model: network(),
        payload: PayloadFormat::Features(model::Tap::BeforeLastBlock),
        tower: TowerStart::Random { seed: 5 },
    }
}

fn inputs(store: &Store) -> Inputs {
    let texts = (0..7).map(|id| text(id, 4 + id as usize)).collect();
    let pairs = (0..20).map(|id| match id % 5 {
        0 => held_out(pair(id, &[40])),
        _ => pair(id, &[40, 41]),
    });
    Inputs(BTreeMap::from([
        ("tokenizer".to_owned(), file(store, "tokenizer", TOKENIZER_MODEL, tokenizer_file())),
        ("pack.text".to_owned(), shard(store, "pack.text", vec![texts])),
        ("pack.pairs".to_owned(), shard(store, "pack.pairs", vec![pairs.collect()])),
    ]))
}

/// The stage with a learner that is no network.
struct Faked(Train);

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
        let run = self.0.run_with(task, out, || Ok(Box::new(FakeLearner::default())));
        run.map_err(|error| error.of_stage("train"))
    }
}

/// Trains once without and once with a stop, each in a folder of its own; returns both results.
fn whole_and_stopped(stage: &dyn Stage, stop_after: u64) -> (Dataset, Dataset) {
    let folders = [tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap()];
    let [whole, stopped] = folders.each_ref().map(|f| Store::local(f.path()).unwrap());
    let expected = run(&whole, stage, &inputs(&whole)).unwrap();
    let inputs = inputs(&stopped);
    let cancelled = run_until(&stopped, stage, &inputs, stop_after);
    assert!(matches!(cancelled, Err(corpus::Error::Cancelled)));
    (expected, run(&stopped, stage, &inputs).unwrap())
}

#[test]
fn the_dataset_holds_the_weights_a_row_for_every_step_and_the_validations() {
    let folder = tempfile::tempdir().unwrap();
    let store = Store::local(folder.path()).unwrap();
    let trained = run(&store, &Faked(train(config(6))), &inputs(&store)).unwrap();
    let steps: Vec<u64> = trained.rows(STEPS).map(|row| row.unwrap().step).collect();
    assert_eq!(steps, [1, 2, 3, 4, 5, 6]);
    let counts = &trained.manifest().report.units["steps"];
    assert_eq!((counts.read, counts.kept), (6, 6));
    assert_eq!(trained.file(MODEL).unwrap().unwrap().len(), 8);
    let validations: Value = serde_json::from_slice(&trained.file(VALIDATION).unwrap().unwrap()).unwrap();
    assert_eq!(validations[1]["step"], 6);
    assert!(validations[1]["losses"]["pairs"].is_f64());
    let mixture: BTreeMap<Kind, BTreeMap<String, Drawn>> =
        serde_json::from_slice(&trained.file(MIXTURE).unwrap().unwrap()).unwrap();
    let drawn = |kind| mixture[&kind]["all"].clone();
    assert_eq!(mixture.keys().copied().collect::<Vec<_>>(), [Kind::Text, Kind::Pairs]);
    assert_eq!((drawn(Kind::Text).share, drawn(Kind::Pairs).share), (1.0, 1.0));
    let parts: BTreeMap<Kind, StepPart> =
        serde_json::from_slice(&trained.file(BATCH).unwrap().unwrap()).unwrap();
    assert_eq!(parts[&Kind::Pairs].asked, crate::Amount::Sequences(3));
    assert_eq!(parts[&Kind::Pairs].tokens_per_step, drawn(Kind::Pairs).tokens as f64 / 6.0);
    // Eight tokens are the longest text; a pair has two words at most, and seven tokens beside them.
    assert!(drawn(Kind::Text).tokens >= 6 * 4 && drawn(Kind::Pairs).tokens >= 6 * 3 * 7);
}

#[test]
fn a_stopped_and_continued_run_has_the_parts_of_one_that_was_not_stopped() {
    let (expected, found) = whole_and_stopped(&Faked(train(config(9))), 5);
    assert_eq!(found.manifest(), expected.manifest());
}

#[test]
fn a_network_too_small_for_the_tokenizer_is_refused_with_the_remedy() {
    let folder = tempfile::tempdir().unwrap();
    let store = Store::local(folder.path()).unwrap();
    let mut small = train(config(6));
    small.model.decoder.vocabulary_size = 10;
    let Err(corpus::Error::Work { source, .. }) = run(&store, &Faked(small), &inputs(&store)) else {
        unreachable!("10 tokens are too few")
    };
    assert!(source.to_string().contains("set decoder.vocabulary_size to"), "{source}");
}

#[test]
fn what_is_learnt_is_in_the_settings_and_where_it_runs_is_not() {
    let settings = |change: fn(&mut Train)| {
        let mut stage = train(config(6));
        change(&mut stage);
        stage.settings().unwrap()
    };
    let same = settings(|_| ());
    assert_eq!(same, settings(|stage| stage.config.thread_count = 9));
    assert_ne!(same, settings(|stage| stage.config.steps = 7));
    assert_ne!(same, settings(|stage| stage.model.decoder.width = 16));
    assert_ne!(same, settings(|stage| stage.tower = TowerStart::Random { seed: 6 }));
}

fn start(path: &Path) -> TowerStart {
    TowerStart::of(&WeightsSource::File { path: path.to_owned(), sha256: None })
}

#[test]
fn a_tower_file_is_known_by_its_digest_and_not_by_its_path() {
    let folder = tempfile::tempdir().unwrap();
    let of = |name: &str, bytes: &[u8]| {
        let path = folder.path().join(name);
        std::fs::write(&path, bytes).unwrap();
        let tower = start(&path);
        Train { tower, ..train(config(6)) }.settings().unwrap()
    };
    assert_eq!(of("a", b"weights"), of("b", b"weights"));
    assert_ne!(of("a", b"weights"), of("b", b"others"));
}

#[test]
fn a_tower_file_that_changed_since_its_digest_was_taken_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("tower");
    std::fs::write(&path, b"weights").unwrap();
    let stage = Train { tower: start(&path), ..train(config(6)) };
    let _ = stage.settings().unwrap();
    std::fs::write(&path, b"others").unwrap();
    let store = Store::local(&folder.path().join("run")).unwrap();
    let Err(corpus::Error::Settings { detail, .. }) = run(&store, &stage, &inputs(&store)) else {
        unreachable!("the file changed")
    };
    assert!(detail.contains("tower changed while the run was going on"), "{detail}");
}
