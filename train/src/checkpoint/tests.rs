#![allow(clippy::unwrap_used)]

use super::*;
use crate::Kind;
use crate::testing::FakeLearner;

const FINGERPRINT: &str = "0123456789abcdef";

fn open(folder: &Path, kept: u32) -> Checkpoints {
    let store = Store::local(folder).unwrap();
    Checkpoints::of(&store, &Fingerprint::parse(FINGERPRINT).unwrap(), &folder.join("scratch"), kept)
}

/// Returns the folder of a step's checkpoint.
fn published_at(folder: &Path, step: u64) -> PathBuf {
    folder.join(FOLDER).join(FINGERPRINT).join(folder_name(step))
}

/// Returns one of the files of a step's checkpoint.
fn file_at(folder: &Path, step: u64, name: &str) -> PathBuf {
    let (stem, _) = name.split_once('.').unwrap();
    let mut files = std::fs::read_dir(published_at(folder, step)).unwrap().map(|entry| entry.unwrap().path());
    files.find(|path| path.file_name().unwrap().to_str().unwrap().starts_with(stem)).unwrap()
}

fn state(step: u64) -> State {
    let row = |step| TrainStep {
        step,
        learning_rate: 0.1,
        text_loss: 1.0 / 3.0,
        pair_loss: f64::NAN,
        interleaved_loss: 0.1 + 0.2,
        gradient_norm: f64::INFINITY,
        loss_tokens: 7,
    };
    let losses = BTreeMap::from([(Kind::Text, Some(0.1 + 0.2)), (Kind::Pairs, None)]);
    State {
        step,
        tokens_seen: step * 10,
        nonfinite_steps: 1,
        loader: LoaderState::from([(Kind::Text, BTreeMap::from([("all".to_owned(), Default::default())]))]),
        validations: vec![ValidationLoss { step, losses }],
        steps: (1..=step).map(row).collect(),
    }
}

fn newest_step(checkpoints: &Checkpoints) -> Option<u64> {
    checkpoints.newest(|_| ()).unwrap().map(|checkpoint| checkpoint.state.step)
}

#[test]
fn a_checkpoint_comes_back_bit_by_bit() {
    let folder = tempfile::tempdir().unwrap();
    let checkpoints = open(folder.path(), 2);
    assert!(checkpoints.newest(|_| ()).unwrap().is_none());
    let learner = FakeLearner::default();
    checkpoints.save(&state(3), &learner).unwrap();
    let found = checkpoints.newest(|_| ()).unwrap().unwrap();
    // NaN is not equal to itself, its text is.
    assert_eq!(format!("{:?}", found.state), format!("{:?}", state(3)));
    let mut loaded = FakeLearner::default();
    loaded.load(found.weights(), Some(found.optimizer())).unwrap();
    assert_eq!(loaded, learner);
    assert_eq!(found.weights(), checkpoints.weights(3).unwrap());
    assert!(!folder.path().join("scratch").join(FOLDER).join("unfinished").exists());
}

#[test]
fn only_the_newest_are_kept() {
    let folder = tempfile::tempdir().unwrap();
    let checkpoints = open(folder.path(), 2);
    for step in [100, 900, 1_000] {
        checkpoints.save(&state(step), &FakeLearner::default()).unwrap();
    }
    let names = checkpoints.store.folders(&format!("{FOLDER}/{FINGERPRINT}")).unwrap();
    assert_eq!(names, ["step-00000900", "step-00001000"]);
    assert_eq!(newest_step(&checkpoints), Some(1_000));
}

#[test]
fn a_kill_between_any_two_files_leaves_the_earlier_checkpoint_the_newest() {
    let folder = tempfile::tempdir().unwrap();
    let checkpoints = open(folder.path(), 5);
    checkpoints.save(&state(1), &FakeLearner::default()).unwrap();
    checkpoints.save(&state(2), &FakeLearner::default()).unwrap();
    for count in 0..=DATA_FILES.len() {
        let unfinished = published_at(folder.path(), 3);
        std::fs::create_dir_all(&unfinished).unwrap();
        for name in &DATA_FILES[..count] {
            let published = file_at(folder.path(), 2, name);
            std::fs::copy(&published, unfinished.join(published.file_name().unwrap())).unwrap();
        }
        let reopened = open(folder.path(), 5);
        assert_eq!(newest_step(&reopened), Some(2), "after {count} files");
        assert_eq!(Checkpoints::newest_step(&reopened.store, &reopened.fingerprint).unwrap(), Some(2));
    }
}

#[test]
fn a_full_disk_leaves_the_earlier_checkpoint_and_the_next_attempt_succeeds() {
    let folder = tempfile::tempdir().unwrap();
    let checkpoints = open(folder.path(), 1);
    let learner = FakeLearner::default();
    checkpoints.save(&state(1), &learner).unwrap();
    learner.save_fails.set(true);
    assert!(checkpoints.save(&state(2), &learner).is_err());
    assert_eq!(newest_step(&checkpoints), Some(1));
    learner.save_fails.set(false);
    checkpoints.save(&state(2), &learner).unwrap();
    assert_eq!(newest_step(&checkpoints), Some(2));
}

#[test]
fn a_damaged_checkpoint_is_passed_over_and_named() {
    for name in [MODEL, OPTIMIZER, STEPS, STATE] {
        for truncated in [false, true] {
            let folder = tempfile::tempdir().unwrap();
            let checkpoints = open(folder.path(), 2);
            checkpoints.save(&state(1), &FakeLearner::default()).unwrap();
            checkpoints.save(&state(2), &FakeLearner::default()).unwrap();
            let path = file_at(folder.path(), 2, name);
            let mut bytes = std::fs::read(&path).unwrap();
            match truncated {
                true => bytes.truncate(bytes.len() / 2),
                false => bytes[0] ^= 1,
            }
            std::fs::write(&path, bytes).unwrap();
            let mut lines = Vec::new();
            let newest = checkpoints.newest(|line| lines.push(line.to_owned())).unwrap().unwrap();
            assert_eq!(newest.state.step, 1, "{name} truncated {truncated}");
            assert!(lines[0].contains("step-00000002") && lines[0].contains(name), "{lines:?}");
        }
    }
}

#[test]
fn a_checkpoint_of_another_run_or_of_a_foreign_name_is_not_taken_up() {
    let folder = tempfile::tempdir().unwrap();
    let checkpoints = open(folder.path(), 2);
    checkpoints.save(&state(1), &FakeLearner::default()).unwrap();
    let other = Fingerprint::parse("fedcba9876543210").unwrap();
    let others = Checkpoints::of(&checkpoints.store, &other, &folder.path().join("scratch"), 2);
    assert_eq!(newest_step(&others), None);
    let theirs = folder.path().join(FOLDER).join(other.as_str());
    std::fs::create_dir(&theirs).unwrap();
    std::fs::rename(published_at(folder.path(), 1), theirs.join("step-00000001")).unwrap();
    std::fs::create_dir(theirs.join("step-mine")).unwrap();
    assert_eq!(newest_step(&others), None);
}

#[test]
fn looking_for_checkpoints_writes_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let checkpoints = open(folder.path(), 2);
    assert_eq!(newest_step(&checkpoints), None);
    assert_eq!(Checkpoints::newest_step(&checkpoints.store, &checkpoints.fingerprint).unwrap(), None);
    assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 0);
    checkpoints.save(&state(7), &FakeLearner::default()).unwrap();
    assert_eq!(Checkpoints::newest_step(&checkpoints.store, &checkpoints.fingerprint).unwrap(), Some(7));
}

#[test]
fn a_checkpoint_that_another_attempt_published_stays_and_a_damaged_one_is_replaced() {
    let folder = tempfile::tempdir().unwrap();
    let checkpoints = open(folder.path(), 2);
    checkpoints.save(&state(1), &FakeLearner::default()).unwrap();
    let (weights, state_file) = (checkpoints.weights(1).unwrap(), file_at(folder.path(), 1, STATE));
    std::fs::write(&state_file, [&std::fs::read(&state_file).unwrap()[..], b" "].concat()).unwrap();
    let theirs = std::fs::read(&state_file).unwrap();
    checkpoints.save(&state(1), &FakeLearner::default()).unwrap();
    assert_eq!(std::fs::read(&state_file).unwrap(), theirs);
    std::fs::write(&weights, "damaged").unwrap();
    checkpoints.save(&state(1), &FakeLearner::default()).unwrap();
    assert_ne!(std::fs::read(&state_file).unwrap(), theirs);
    assert_eq!(newest_step(&checkpoints), Some(1));
    let names = std::fs::read_dir(published_at(folder.path(), 1)).unwrap();
    assert_eq!(names.count(), DATA_FILES.len() + 1);
}

#[test]
fn a_checkpoint_of_plain_names_is_taken_up() {
    let folder = tempfile::tempdir().unwrap();
    let checkpoints = open(folder.path(), 2);
    checkpoints.save(&state(3), &FakeLearner::default()).unwrap();
    for name in DATA_FILES {
        let plain = published_at(folder.path(), 3).join(name);
        std::fs::rename(file_at(folder.path(), 3, name), plain).unwrap();
    }
    assert_eq!(newest_step(&checkpoints), None);
    let path = file_at(folder.path(), 3, STATE);
    let mut json: serde_json::Value = serde_json::from_slice(&std::fs::read(&path).unwrap()).unwrap();
    json["format"] = FORMAT_PLAIN_NAMES.into();
    std::fs::write(&path, serde_json::to_vec(&json).unwrap()).unwrap();
    assert_eq!(newest_step(&checkpoints), Some(3));
    checkpoints.save(&state(4), &FakeLearner::default()).unwrap();
    checkpoints.save(&state(5), &FakeLearner::default()).unwrap();
    assert!(!published_at(folder.path(), 3).exists(), "it is removed like any other");
}

#[test]
fn a_checkpoint_in_a_store_elsewhere_is_copied_here_and_its_copy_removed() {
    let folder = tempfile::tempdir().unwrap();
    let (store, fingerprint) = (Store::memory().unwrap(), Fingerprint::parse(FINGERPRINT).unwrap());
    let checkpoints = Checkpoints::of(&store, &fingerprint, folder.path(), 1);
    let learner = FakeLearner::default();
    checkpoints.save(&state(1), &learner).unwrap();
    checkpoints.save(&state(2), &learner).unwrap();
    assert_eq!(Checkpoints::newest_step(&store, &fingerprint).unwrap(), Some(2));
    let elsewhere = tempfile::tempdir().unwrap();
    let checkpoints = Checkpoints::of(&store, &fingerprint, elsewhere.path(), 1);
    let found = checkpoints.newest(|_| ()).unwrap().unwrap();
    let mut loaded = FakeLearner::default();
    loaded.load(found.weights(), Some(found.optimizer())).unwrap();
    assert_eq!((loaded, format!("{:?}", found.state)), (learner, format!("{:?}", state(2))));
    let copy = found.weights().to_owned();
    drop(found);
    assert!(!copy.exists());
    assert_eq!(store.names(FOLDER).unwrap().len(), DATA_FILES.len() + 1, "the older one is removed");
}

#[test]
fn each_check_of_a_checkpoint_is_enough_to_refuse_it() {
    // Changes the file of the weights, or what the checkpoint says of itself.
    let refused = |change: &dyn Fn(&Path, &mut serde_json::Value)| {
        let folder = tempfile::tempdir().unwrap();
        let checkpoints = open(folder.path(), 2);
        checkpoints.save(&state(1), &FakeLearner::default()).unwrap();
        let published = published_at(folder.path(), 1);
        let path = published.join(STATE);
        let mut json: serde_json::Value = serde_json::from_slice(&std::fs::read(&path).unwrap()).unwrap();
        change(&file_at(folder.path(), 1, MODEL), &mut json);
        std::fs::write(&path, serde_json::to_vec(&json).unwrap()).unwrap();
        newest_step(&checkpoints).is_none()
    };
    assert!(!refused(&|_, _| ()));
    assert!(refused(&|_, json| json["format"] = 3.into()));
    assert!(refused(&|_, json| json["fingerprint"] = "fedcba9876543210".into()));
    assert!(refused(&|_, json| json["state"]["step"] = 2.into()));
    assert!(refused(&|_, json| json["unknown"] = 0.into()));
    for name in DATA_FILES {
        assert!(refused(&|_, json| drop(json["files"].as_object_mut().unwrap().remove(name))));
    }
    // The size is right, the digest is not; and the other way round.
    assert!(refused(&|path, _| std::fs::write(path, [7; 8]).unwrap()));
    assert!(refused(&|_, json| json["files"][MODEL]["bytes"] = 9.into()));
}
