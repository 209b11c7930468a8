//! Text from files of one's own to documents: duplicates, contamination, and what is told of them.

use std::collections::BTreeMap;
use std::fs;

use serde_json::{Value, json};

use crate::support::Workspace;

const INPUT: [&str; 4] = ["--set", "sources.input.path=input.jsonl.zst", "--dir", "out"];

/// A text of two hundred words that no other has.
fn story(number: usize) -> String {
    let word = |at: usize| corpus::random::hash(number as u64, "story", &at.to_le_bytes()) % 100_000;
    let words: Vec<String> = (0..200).map(|at| format!("w{}", word(at))).collect();
    words.chunks(10).map(|sentence| sentence.join(" ") + ". ").collect()
}

/// Returns the rows of a stage's stream.
fn rows(workspace: &Workspace, stage: &str, stream: &str) -> Vec<Value> {
    let versions: Vec<_> = fs::read_dir(workspace.path("out/data").join(stage))
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .collect();
    assert_eq!(versions.len(), 1, "{versions:?}");
    let path = versions[0].join(stream);
    let shown = workspace.kosmos(&["inspect", path.to_str().unwrap(), "--json", "--rows", "100"]).success();
    shown.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
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
    let settings = [
        "sources.input.format.rows.text=content",
        "sources.input.format.rows.id=doc",
        "text.decontaminate.sets.ships.path=questions.jsonl",
    ];
    let settings = settings.iter().flat_map(|setting| ["--set", setting]);
    let arguments: Vec<_> = ["run", "dedup"].into_iter().chain(INPUT).chain(settings).collect();
    workspace.kosmos(&arguments).success();

    let dropped = rows(&workspace, "text.deduplicated", "dropped");
    let text = |row: &Value, key: &str| row[key].as_str().unwrap().to_owned();
    let dropped: BTreeMap<_, _> =
        dropped.iter().map(|row| (text(row, "key"), (text(row, "reason"), text(row, "value")))).collect();
    // Of near-duplicates the longer stays, of equal ones the first.
    let because = |reason: &str, of: &str| (reason.to_owned(), of.to_owned());
    let expected = [
        ("again".to_owned(), because("duplicate", "1:0:1")),
        ("story-0".to_owned(), because("near_duplicate", "1:0:10")),
    ];
    assert_eq!(dropped, expected.into());

    assert_eq!(rows(&workspace, "text", "documents").len(), 11);
    let excisions = rows(&workspace, "text", "excisions");
    assert_eq!((excisions.len(), &excisions[0]["sets"]), (1, &json!(["ships"])));
    let report = &rows(&workspace, "text.contamination", "sets")[0];
    assert_eq!([&report["items"], &report["items_found"], &report["documents"]], [1, 1, 1]);
}

#[test]
fn an_evaluation_set_that_is_missing_is_named_before_anything_runs() {
    let workspace = Workspace::new();
    write_input(&workspace);
    let missing = ["--set", "text.decontaminate.sets.ships.path=nowhere.jsonl"];
    let arguments: Vec<_> = ["run", "dedup"].into_iter().chain(INPUT).chain(missing).collect();
    let output = workspace.kosmos(&arguments);
    assert_ne!(output.code, Some(0));
    assert!(output.stderr.contains("nowhere.jsonl"), "{}", output.stderr);
    assert!(!workspace.path("out/data").exists());
}
