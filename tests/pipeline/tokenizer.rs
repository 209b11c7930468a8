//! `kosmos tokenizer`: ids beside SentencePiece's own, files in and out.

use std::fs;
use std::path::Path;
use std::process::Command;

use corpus_testing::tools::installed;

use crate::support::{Workspace, repository, small_run};

fn ids(json: &str) -> Vec<Vec<u32>> {
    json.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

fn text(path: &Path) -> String {
    path.to_str().unwrap().to_owned()
}

#[test]
fn every_kind_of_model_gives_the_ids_of_sentencepiece() {
    let Some(python) = installed("python3") else { return };
    let workspace = Workspace::new();
    let folder = workspace.path("matrix");
    let script = repository().join("tests/golden/tokenizer_matrix.py");
    let trained = Command::new(python).arg(script).arg(&folder).output().unwrap();
    assert!(trained.status.success(), "{}", String::from_utf8_lossy(&trained.stderr));
    let lines: Vec<String> =
        fs::read_to_string(folder.join("lines.txt")).unwrap().split('\n').map(str::to_owned).collect();
    let mut models = 0;
    for entry in fs::read_dir(&folder).unwrap() {
        let model = entry.unwrap().path();
        if model.extension().is_none_or(|extension| extension != "model") {
            continue;
        }
        let expected = ids(&fs::read_to_string(model.with_extension("ids")).unwrap());
        let encode = ["tokenizer", "encode", "--tokenizer", &text(&model), &text(&folder.join("lines.txt"))];
        let found = ids(&workspace.kosmos(&encode).success());
        assert_eq!(found.len(), expected.len(), "{}", model.display());
        for (line, (found, expected)) in lines.iter().zip(found.iter().zip(&expected)) {
            assert_eq!(found, expected, "{}: {line:?}", model.display());
        }
        models += 1;
    }
    assert!(models >= 60, "{models}");
}

#[test]
fn a_trained_model_is_imported_and_its_ids_are_those_of_its_size() {
    let workspace = Workspace::new();
    let texts: String = (0..400).map(|n| format!("Box {n} holds {} red ｃｉｒｃｌｅｓ.\n", n * 7)).collect();
    fs::write(workspace.path("texts.txt"), &texts).unwrap();
    let rows: String =
        texts.lines().map(|line| serde_json::json!({"body": line}).to_string() + "\n").collect();
    fs::write(workspace.path("rows.jsonl"), rows).unwrap();
    let size = ["--vocabulary-size", "60"];
    let said =
        workspace.kosmos(&[&["tokenizer", "train", "a.model", "texts.txt"], &size[..]].concat()).success();
    let rows = ["tokenizer", "train", "b.model", "rows.jsonl", "--field", "body"];
    workspace.kosmos(&[&rows, &size[..]].concat()).success();
    assert_eq!(fs::read(workspace.path("a.model")).unwrap(), fs::read(workspace.path("b.model")).unwrap());
    assert!(said.contains("SentencePiece, unigram; "), "{said}");

    let said = workspace.kosmos(&["tokenizer", "import", "a.model", "c.model"]).success();
    assert_eq!(fs::read(workspace.path("a.model")).unwrap(), fs::read(workspace.path("c.model")).unwrap());
    let tokens = said.lines().find_map(|line| line.trim().strip_prefix("model.decoder.vocabulary_size = "));
    let tokens: u32 = tokens.unwrap().parse().unwrap();

    let encode = ["tokenizer", "encode", "--tokenizer", "c.model", "texts.txt"];
    let (file, fairseq) = (
        ids(&workspace.kosmos(&encode).success()),
        ids(&workspace.kosmos(&[&encode[..], &["--fairseq"]].concat()).success()),
    );
    assert_eq!(file.len(), 400);
    // `<unk>`, `<s>` and `</s>` are 3, 0 and 2 of fairseq's, and `<pad>` is 1: the others move by one.
    let moved = |ids: &Vec<u32>| ids.iter().map(|id| if *id == 0 { 3 } else { id + 1 }).collect::<Vec<_>>();
    assert_eq!(file.iter().map(moved).collect::<Vec<_>>(), fairseq);
    assert!(file.iter().flatten().all(|id| *id < tokens - 7));
}

#[test]
fn a_tokenizer_json_is_used_and_no_text_is_a_special_token() {
    let workspace = Workspace::new();
    let model = serde_json::json!({
        "version": "1.0",
        "added_tokens": [{"id": 2, "content": "</s>", "single_word": false, "lstrip": false, "rstrip": false, "normalized": false, "special": true}],
        "pre_tokenizer": {"type": "WhitespaceSplit"},
        "truncation": {"max_length": 1, "stride": 0, "strategy": "LongestFirst", "direction": "Right"},
        "model": {"type": "WordLevel", "unk_token": "<unk>", "vocab": {"<unk>": 0, "<s>": 1, "</s>": 2, "red": 3, "box": 4}},
    });
    fs::write(workspace.path("tokenizer.json"), model.to_string()).unwrap();
    fs::write(workspace.path("lines.txt"), "red box red\nbox </s> box").unwrap();
    let encode = ["tokenizer", "encode", "--tokenizer", "tokenizer.json", "lines.txt"];
    let found = ids(&workspace.kosmos(&encode).success());
    assert_eq!(found[0], [3, 4, 3]);
    assert_eq!(found[1], [4, 0, 4]);
    let import = workspace.kosmos(&["tokenizer", "import", "tokenizer.json", "copy.json"]).success();
    assert!(import.contains("tokenizer.json; 5 pieces, 12 tokens"), "{import}");

    let mut other = model.clone();
    other["added_tokens"][0] = serde_json::json!({"id": 3, "content": "red", "single_word": false, "lstrip": false, "rstrip": false, "normalized": false, "special": true});
    fs::write(workspace.path("tokenizer.json"), other.to_string()).unwrap();
    assert_eq!(ids(&workspace.kosmos(&encode).success())[0], [0, 4, 0]);
}

#[test]
fn a_tokenizer_json_whose_ids_would_be_others_than_pythons_is_refused() {
    let workspace = Workspace::new();
    let refused = |file: serde_json::Value, reason: &str| {
        fs::write(workspace.path("tokenizer.json"), file.to_string()).unwrap();
        let said = workspace.kosmos(&["tokenizer", "import", "tokenizer.json", "no.json"]).failure(2);
        assert!(said.contains(reason), "{said}");
        assert!(!workspace.path("no.json").exists());
    };
    let words = serde_json::json!({"type": "WordLevel", "unk_token": "?", "vocab": {"a": 0}});
    refused(serde_json::json!({"version": "1.0", "model": words}), "it has no unknown piece");
    let merges = serde_json::json!({"type": "BPE", "dropout": 0.5, "vocab": {"a": 0}, "merges": []});
    refused(serde_json::json!({"version": "1.0", "model": merges}), "by chance");
    let merges = serde_json::json!({"type": "BPE", "unk_token": "?", "vocab": {"a": 0}, "merges": []});
    refused(serde_json::json!({"version": "1.0", "model": merges}), "it has no unknown piece");
    let merges = serde_json::json!({"type": "BPE", "vocab": {"a": 0}, "merges": []});
    let split = serde_json::json!({"type": "Split", "pattern": {"Regex": "[[:alnum:]]+"}, "behavior": "Isolated", "invert": false});
    refused(serde_json::json!({"version": "1.0", "pre_tokenizer": split, "model": merges}), "[:alnum:]");
}

#[test]
fn a_given_model_of_another_size_than_the_network_is_refused_before_anything_runs() {
    let workspace = Workspace::new();
    let model = repository().join("tests/golden/tokenizer/small.model");
    let model = format!("tokenizer={{path=\"{}\"}}", model.display());
    let run = small_run(&["--set", &model]);
    let refused = workspace.kosmos(&run).failure(1);
    assert!(refused.contains("set model.decoder.vocabulary_size to "), "{refused}");
}
