//! Text from files of one's own to documents: duplicates, contamination, and what is told of them.

use std::collections::BTreeMap;
use std::fs;

use serde_json::{Value, json};

use crate::support::{Output, Workspace};

/// The columns of the input.
const TEXT: &str = "sources.input.format.rows.text=content";
const ID: &str = "sources.input.format.rows.id=doc";

/// Runs `dedup` on the input with these settings, and what stages are rebuilt.
fn dedup(workspace: &Workspace, settings: &[&str], rebuild: &[&str]) -> Output {
    let path = "sources.input.path=input.jsonl.zst";
    let settings = [path].into_iter().chain(settings.iter().copied()).flat_map(|setting| ["--set", setting]);
    let rebuild = rebuild.iter().flat_map(|stage| ["--rebuild", *stage]);
    let arguments = ["run", "dedup", "--dir", "out"].into_iter().chain(settings).chain(rebuild);
    workspace.kosmos(&arguments.collect::<Vec<_>>())
}

/// A text of two hundred words that no other has.
fn story(number: usize) -> String {
    let word = |at: usize| corpus::random::hash(number as u64, "story", &at.to_le_bytes()) % 100_000;
    let words: Vec<String> = (0..200).map(|at| format!("w{}", word(at))).collect();
    words.chunks(10).map(|sentence| sentence.join(" ") + ". ").collect()
}

/// Returns the rows of a stage's stream.
fn rows(workspace: &Workspace, stage: &str, stream: &str) -> Vec<Value> {
    workspace.rows("out", stage, stream)
}

/// Ten stories, an edited copy of the first, an exact one of the second, and one with a question in it.
fn write_input(workspace: &Workspace) {
    let mut texts: Vec<(String, String)> = (0..10).map(|n| (format!("story-{n}"), story(n))).collect();
    texts.push(("edited".into(), story(0).replacen(' ', " changed ", 1)));
    texts.push(("again".into(), format!("  {}", story(1))));
    let question =
        "which of the two ships that left the harbour in the morning came back before the evening bell";
    texts.push(("asked".into(), format!("{}{}? {}", story(20), question.to_uppercase(), story(21))));
    let lines = texts.iter().map(|(id, text)| json!({"doc": id, "content": text}).to_string() + "\n");
    let packed = zstd::encode_all(lines.collect::<String>().as_bytes(), 1).unwrap();
    fs::write(workspace.path("input.jsonl.zst"), packed).unwrap();
    fs::write(workspace.path("questions.jsonl"), json!({"q": question}).to_string()).unwrap();
}

#[test]
fn duplicates_among_rows_of_ones_own_are_dropped_by_their_ids() {
    let workspace = Workspace::new();
    write_input(&workspace);
    dedup(&workspace, &[TEXT, ID, "text.decontaminate.sets.ships.path=questions.jsonl"], &[]).success();

    let dropped = rows(&workspace, "text.deduplicated", "dropped");
    let text = |row: &Value, key: &str| row[key].as_str().unwrap().to_owned();
    let dropped: BTreeMap<_, _> =
        dropped.iter().map(|row| (text(row, "key"), (text(row, "reason"), text(row, "value")))).collect();
    // Of near-duplicates the longer stays, of equal ones the first.
    let because = |reason: &str, of: &str| (reason.to_owned(), of.to_owned());
    let expected = [
        ("again".to_owned(), because("duplicate", "1:0:1 story-1")),
        ("story-0".to_owned(), because("near_duplicate", "1:0:10 0.98 edited")),
    ];
    assert_eq!(dropped, expected.into());

    assert_eq!(rows(&workspace, "text", "documents").len(), 11);
    let excisions = rows(&workspace, "text", "excisions");
    assert_eq!((excisions.len(), &excisions[0]["sets"]), (1, &json!(["ships"])));
    let report = &rows(&workspace, "text.contamination", "sets")[0];
    assert_eq!([&report["items"], &report["items_found"], &report["documents"]], [1, 1, 1]);
}

#[test]
fn passages_that_were_before_are_cut_and_named() {
    let workspace = Workspace::new();
    let menu = "Home | News | About";
    let texts = [
        format!("{menu}\n{}", story(1)),
        format!("{menu}\n{}", story(2)),
        format!("{}\n{menu}\n{}", story(3), story(1).to_uppercase()),
    ];
    let lines = texts.iter().map(|text| json!({"text": text}).to_string() + "\n").collect::<String>();
    fs::write(workspace.path("input.jsonl.zst"), zstd::encode_all(lines.as_bytes(), 1).unwrap()).unwrap();
    let repeats =
        r#"text.repeats=[{unit="lines",keep="none",words_left_min=10},{unit="words",run=30,partitions=2}]"#;
    dedup(&workspace, &[repeats], &[]).success();

    let kept: Vec<Value> = rows(&workspace, "text", "documents");
    let begin = |text: &str| text.chars().take(100).collect::<String>();
    let left: Vec<_> = kept.iter().map(|row| begin(row["text"].as_str().unwrap())).collect();
    assert_eq!(left, [begin(&story(2)), begin(&story(3))]);
    let id = |position: u64| json!(corpus::Id::new(corpus::SourceCode(1), 0, position).unwrap().to_bits());
    let dropped = rows(&workspace, "text.lines", "dropped");
    assert_eq!((dropped.len(), &dropped[0]["reason"], &dropped[0]["id"]), (1, &json!("repeated"), &id(0)));
    let cuts = rows(&workspace, "text.lines", "cuts");
    let of: Vec<_> = cuts.iter().map(|row| (row["id"].clone(), row["first"].clone())).collect();
    assert_eq!(of, [(id(0), id(0)), (id(1), id(0)), (id(2), id(0))]);
}

#[test]
fn an_evaluation_set_that_is_missing_is_named_before_anything_runs() {
    let workspace = Workspace::new();
    write_input(&workspace);
    let output = dedup(&workspace, &["text.decontaminate.sets.ships.path=nowhere.jsonl"], &[]);
    assert_ne!(output.code, Some(0));
    assert!(output.stderr.contains("nowhere.jsonl"), "{}", output.stderr);
    assert!(!workspace.path("out/data").exists());
}

#[test]
fn an_evaluation_set_that_cannot_be_used_is_refused_before_a_document_is_read() {
    let workspace = Workspace::new();
    write_input(&workspace);
    fs::write(workspace.path("short.jsonl"), "{\"q\": \"which of the two?\"}\n").unwrap();
    fs::write(workspace.path("broken.jsonl"), "{\"q\": \n{\"q\": \n").unwrap();
    for (path, field, expected) in [
        (
            "questions.jsonl",
            "question",
            &["ships.fields: no row of ", "has a field \"question\"; there are \"q\""][..],
        ),
        ("short.jsonl", "q", &["ships: no item of ", "short.jsonl has 8 words or more in q"]),
        ("broken.jsonl", "q", &["ships.path: ", "broken.jsonl: not one row can be read: row 1: "]),
        ("input.jsonl.zst", "id", &["ships.fields: no row of ", "\"content\", \"doc\""]),
    ] {
        let path = format!("text.decontaminate.sets.ships.path={path}");
        let fields = format!("text.decontaminate.sets.ships.fields=[\"{field}\"]");
        let output = dedup(&workspace, &[&path, &fields], &[]);
        assert_ne!(output.code, Some(0));
        let told = output.stderr;
        assert!(told.contains("text.decontaminate.sets.ships"), "{told}");
        assert!(expected.iter().all(|part| told.contains(part)), "{told}");
        assert!(!workspace.path("out/ledger/input").exists());
        fs::remove_dir_all(workspace.path("out")).unwrap();
    }
}

#[test]
fn an_evaluation_set_of_which_nothing_was_read_is_corrected_without_a_rebuild() {
    let workspace = Workspace::new();
    write_input(&workspace);
    let run = || dedup(&workspace, &[TEXT, "text.decontaminate.sets.ships.path=set.jsonl"], &[]);
    fs::write(workspace.path("set.jsonl"), "no rows\n").unwrap();
    assert_ne!(run().code, Some(0));
    fs::copy(workspace.path("questions.jsonl"), workspace.path("set.jsonl")).unwrap();
    let _ = run().success();
    assert_eq!(rows(&workspace, "text", "excisions").len(), 1);
}

#[test]
fn an_evaluation_set_with_other_content_is_refused_until_it_is_read_again() {
    let workspace = Workspace::new();
    write_input(&workspace);
    let set = "text.decontaminate.sets.ships.path=questions.jsonl";
    let run = |rebuild: &[&str]| dedup(&workspace, &[TEXT, set], rebuild);
    let _ = run(&[]).success();
    assert_eq!(rows(&workspace, "text", "excisions").len(), 1);
    // Other bytes with the same items change nothing behind the stage that reads them.
    let question = fs::read_to_string(workspace.path("questions.jsonl")).unwrap();
    fs::write(workspace.path("questions.jsonl"), format!("{question}\n\n")).unwrap();
    let refused = run(&[]).failure(2);
    assert!(refused.contains("files of the evaluation sets changed"), "{refused}");
    assert!(refused.contains("--rebuild text.evaluation"), "{refused}");
    let again = run(&["text.evaluation"]).success();
    let is_skipped = |printed: &str, stage: &str| {
        printed.lines().any(|line| line.starts_with(&format!("{stage} ")) && line.contains("skipped"))
    };
    assert!(is_skipped(&again, "text.matches") && !is_skipped(&again, "text.evaluation"), "{again}");

    let other = story(3).split(' ').take(20).collect::<Vec<_>>().join(" ");
    fs::write(workspace.path("questions.jsonl"), json!({"q": other}).to_string()).unwrap();
    let again = run(&["text.evaluation"]).success();
    assert!(is_skipped(&again, "input") && !is_skipped(&again, "text.matches"), "{again}");
    let excisions = rows(&workspace, "text", "excisions");
    assert!(excisions.len() == 1 && excisions[0]["text"].as_str().unwrap().contains(&other), "{excisions:?}");
}

#[test]
fn texts_are_exported_for_other_tools() {
    let workspace = Workspace::new();
    write_input(&workspace);
    dedup(&workspace, &[TEXT, ID, "text.validation_share=0.4"], &[]).success();
    let summary = workspace.kosmos(&["export", "jsonl", "out", "jsonl"]).success();
    let mut ids = Vec::new();
    for split in ["train", "validation"] {
        let path = workspace.path("jsonl").join(format!("{split}-00000-of-00001.jsonl.zst"));
        let text = String::from_utf8(zstd::decode_all(fs::File::open(path).unwrap()).unwrap()).unwrap();
        let rows: Vec<Value> = text.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
        assert!(!rows.is_empty() && rows.iter().all(|row| row["text"].as_str().unwrap().len() > 500));
        ids.extend(rows.iter().map(|row| row["id"].as_str().unwrap().to_owned()));
    }
    ids.sort();
    assert_eq!((ids.len(), ids[0].as_str(), ids[1].as_str()), (11, "asked", "edited"));
    assert!(summary.contains("validation texts in 2 files"), "{summary}");

    workspace.kosmos(&["export", "parquet", "out", "parquet"]).success();
    let shown = workspace.kosmos(&["stats", "parquet"]).success();
    assert!(shown.contains("text/1: 11 rows"), "{shown}");
    let refused = workspace.kosmos(&["export", "jsonl", "out", "jsonl"]).failure(2);
    assert!(refused.contains("holds other files"), "{refused}");
}

#[test]
fn a_classifier_is_trained_and_judges() {
    let workspace = Workspace::new();
    let lines = |words: [&str; 4]| -> String {
        let text = |at: usize| (0..40).map(|n| words[(at * 7 + n * n) % 4]).collect::<Vec<_>>().join(" ");
        (0..60).map(|at| json!({"text": text(at)}).to_string() + "\n").collect()
    };
    let (good, bad) = (lines(["harbour", "evening", "ship", "sea"]), lines(["buy", "cheap", "click", "sea"]));
    fs::write(workspace.path("good.jsonl"), &good).unwrap();
    fs::write(workspace.path("bad.jsonl"), &bad).unwrap();
    let model = ["classifier", "model.bin", "--good", "good.jsonl", "--bad", "bad.jsonl", "--rate", "0.5"];
    let told = workspace.kosmos(&[&model[..], &["--dimension", "8"]].concat()).success();
    assert!(told.starts_with("of 12 texts it has not seen 100.0 % are told right"), "{told}");

    fs::write(workspace.path("input.jsonl"), good + &bad).unwrap();
    let config = "name = \"judged\"\nseed = 1\n[sources.input]\ncode = 1\npath = \"input.jsonl\"\n\
        format.rows = { text = \"text\" }\n[text]\nexact = { normalise = false }\n\
        rules = [{ classifier = { model = \"model.bin\", label = \"__label__good\", probability_min = 0.5 } }]\n";
    fs::write(workspace.path("judged.toml"), config).unwrap();
    let told = workspace.kosmos(&["run", "judged.toml", "--dir", "out"]).success();
    assert!(told.contains("120 documents: 60 kept, 60 dropped"), "{told}");
}
