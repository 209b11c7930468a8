//! Configurations: what is refused, with which words.

use crate::support::Workspace;

#[test]
fn the_built_in_configurations_can_be_listed_shown_and_checked() {
    let workspace = Workspace::new();
    let list = workspace.kosmos(&["config", "list"]).success();
    let names: Vec<&str> = list.lines().filter_map(|line| line.split_whitespace().next()).collect();
    assert_eq!(names, ["sample", "crawl", "dedup", "images", "pages", "obelics", "kosmos1"]);
    assert!(list.lines().all(|line| line.ends_with('.') && line.len() < 200), "{list}");
    let text = workspace.kosmos(&["config", "show", "sample"]).success();
    std::fs::write(workspace.path("mine.toml"), &text).unwrap();
    let checked = workspace.kosmos(&["config", "check", "mine.toml"]).success();
    assert!(checked.contains("evaluate"), "{checked}");
    for name in names.into_iter().filter(|name| *name != "kosmos1") {
        let _ = workspace.kosmos(&["config", "check", name]).success();
    }
}

#[test]
fn the_full_run_is_a_valid_configuration() {
    let workspace = Workspace::new();
    let tokenizer = crate::support::repository().join("tests/golden/tokenizer/small.model");
    let set = format!("tokenizer.path={}", tokenizer.display());
    // The small one's size; the full run's has 64,007 tokens.
    let sets = ["config", "check", "kosmos1", "--set", &set, "--set", "model.decoder.vocabulary_size=148"];
    let check = |more: &[&str]| workspace.kosmos(&[&sets, more].concat());
    let missing = check(&[]).failure(1);
    assert!(missing.contains("clip-vit-large-patch14.safetensors"), "{missing}");
    std::fs::write(workspace.path("clip.safetensors"), "weights").unwrap();
    let weights = "model.tower.weights={file={path=\"clip.safetensors\"}}";
    let checked = check(&["--set", weights]).success();
    let other =
        format!("model.tower.weights={{file={{path=\"clip.safetensors\",sha256=\"{}\"}}}}", "0".repeat(64));
    let refused = check(&["--set", &other]).failure(1);
    assert!(refused.contains("model.tower.weights") && refused.contains("as stated"), "{refused}");
    let weigh =
        |set: &str| check(&["--set", weights, "--set", &format!("train.text_weights.{set}")]).failure(2);
    let unknown = weigh("Enron=0.1");
    assert!(unknown.contains("text_weights has \"Enron\", which no source has; the sets are "), "{unknown}");
    let more =
        check(&["--set", weights, "--set", "sources.more={code=200,path=\"a.jsonl\",format={rows={}}}"])
            .failure(2);
    assert!(more.contains("text_weights lacks \"more\" (0 leaves it out)"), "{more}");
    for stage in ["cc-2020-50", "laion2b-en", "images.pass2", "pack.interleaved", "train"] {
        assert!(checked.contains(stage), "{stage} is missing:\n{checked}");
    }
}

#[test]
fn a_tower_has_weights_that_were_named_and_random_ones_only_where_they_were_asked_for() {
    let workspace = Workspace::new();
    let good = workspace.kosmos(&["config", "show", "sample"]).success();
    let check = |text: &str| {
        std::fs::write(workspace.path("mine.toml"), text).unwrap();
        workspace.kosmos(&["config", "check", "mine.toml"]).failure(2)
    };
    let without = good.replacen("weights.random.seed = 1\n", "", 1);
    assert_ne!(without, good);
    let message = check(&without);
    assert!(
        message.contains("[model.tower] weights is missing: [features] needs CLIP's weights"),
        "{message}"
    );
    let before = without.replacen("[features]\n", "[features]\nweights.random.seed = 1\n", 1);
    assert!(check(&before).contains("features.weights is called model.tower.weights now"));
    let short =
        good.replacen("weights.random.seed = 1", "weights.file = { path = \"a\", sha256 = \"ab\" }", 1);
    assert!(check(&short).contains("must be 64 hexadecimal digits"));
}

#[test]
fn files_of_sources_that_are_not_there_are_told_and_no_server_is_asked() {
    let workspace = Workspace::new();
    let check = || workspace.kosmos(&["config", "check", "dedup", "--set", "sources.input.path=here.jsonl"]);
    let warned = check();
    assert!(warned.stderr.contains("warning: ") && warned.stderr.contains("here.jsonl"), "{}", warned.stderr);
    let _ = warned.success();
    std::fs::write(workspace.path("here.jsonl"), "{}").unwrap();
    assert_eq!(check().stderr, "");
    assert_eq!(workspace.kosmos(&["config", "check", "sample"]).stderr, "");
}

#[test]
fn keys_are_listed_with_defaults_and_meanings() {
    let workspace = Workspace::new();
    let keys = |section: &str| workspace.kosmos(&["config", "keys", section]).success();
    let fetch = keys("fetch");
    assert!(fetch.contains("\nfetch.concurrency  (whole number; default "), "{fetch}");
    assert!(!fetch.contains("\ntext"), "{fetch}");
    assert!(keys("text.rules[].words").starts_with("text.rules[].words  (table; none)"));
    assert!(keys("seed").starts_with("seed  (whole number; required)\n    Seed of all random choices"));
    let message = workspace.kosmos(&["config", "keys", "fetsh"]).failure(2);
    assert!(message.contains("no section or key fetsh"), "{message}");
}

#[test]
fn a_mistake_is_named_with_file_line_and_key() {
    let workspace = Workspace::new();
    let good = workspace.kosmos(&["config", "show", "sample"]).success();
    let check = |from: &str, to: &str, expected: &[&str]| {
        assert!(good.contains(from), "{from} is not in the sample");
        let text = good.replacen(from, to, 1);
        std::fs::write(workspace.path("bad.toml"), &text).unwrap();
        let message = workspace.kosmos(&["config", "check", "bad.toml"]).failure(2);
        for part in expected {
            assert!(message.contains(part), "{to}: {part:?} is not in {message}");
        }
        let line = text.lines().position(|line| line.contains(to.trim())).unwrap() + 1;
        assert!(message.contains(&format!("bad.toml:{line}:")), "line {line} is not in {message}");
    };
    check(
        "learning_rate = 3e-3",
        "learning_rat = 3e-3",
        &["train.learning_rat", "did you mean `learning_rate`"],
    );
    check("latent_count = 8", "latent_cout = 8", &["did you mean `latent_count`"]);
    check("seed = 1", "seed = \"one\"", &["seed is \"one\", must be a whole number"]);
    check("words_min = 20", "words_mni = 20", &["did you mean `words_min`"]);
    check("layout = \"coyo\"", "layout = \"cojo\"", &["did you mean `coyo`"]);
}

#[test]
fn sections_that_do_not_fit_each_other_are_refused() {
    let workspace = Workspace::new();
    let refused = |set: &str| workspace.kosmos(&["config", "check", "sample", "--set", set]).failure(2);
    assert!(refused("model.resampler.latent_count=509").contains("[pack] sequence_tokens_max is "));
    assert!(refused("sources.cc3m.code=1").contains("code 1 is that of"));
    assert!(refused("name=../escape").contains("must be letters"));
    assert!(refused("images.passes=0").contains("[images] passes"));
}

#[test]
fn wrong_command_lines_are_refused_with_the_remedy() {
    let workspace = Workspace::new();
    let message = workspace.kosmos(&["run", "no-such"]).failure(2);
    assert!(message.contains("sample, crawl, dedup, images, pages, obelics, kosmos1"), "{message}");
    let message = workspace.kosmos(&["run", "sample", "--until", "txt"]).failure(2);
    assert!(message.contains("did you mean text?"), "{message}");
    let message = workspace.kosmos(&["run", "dedup", "--until", "features"]).failure(2);
    assert!(message.contains("there are: ") && !message.contains("pairs"), "{message}");
    let message = workspace.kosmos(&["status", "."]).failure(2);
    assert!(message.contains("not the folder of a run"), "{message}");
    std::fs::write(workspace.path("thesis.tex"), "mine").unwrap();
    let message = workspace.kosmos(&["run", "sample", "--dir", "."]).failure(2);
    assert!(message.contains("holds other files"), "{message}");
    for arguments in [
        &["train", "sample", "--dir", "gs://bucket/run"][..],
        &["status", "az://bucket/run"],
        &["inspect", "https://h.example/run", "text"],
        &["export", "jsonl", "run", "s3://bucket/out"],
        &["extract", "s3://bucket/page.html"],
        &["classifier", "s3://bucket/model", "--good", "a", "--bad", "b"],
        &["gc", "hdfs://host/run"],
    ] {
        let message = workspace.kosmos(arguments).failure(2);
        assert!(message.contains("must be a path of this machine"), "{message}");
    }
    let message = workspace.kosmos(&["status", "file:///data/run"]).failure(2);
    assert!(message.contains("write a path, not a URL: /data/run"), "{message}");
    for (set, key) in [
        ("base_dir=s3://b/c", "base_dir is"),
        ("sources.pile.files=[\"gs://b/c\"]", "sources.pile.files[0] is"),
    ] {
        let message = workspace.kosmos(&["run", "sample", "--set", set]).failure(2);
        assert!(message.contains(key) && message.contains("is not supported"), "{message}");
    }
    for arguments in [
        &["run", "sample", "--dir", "s3://Bucket/run"][..],
        &["status", "s3://bucket/../run"],
        &["stats", "s3://b"],
    ] {
        let message = workspace.kosmos(arguments).failure(2);
        assert!(message.contains("is no name of a bucket") || message.contains("is no path"), "{message}");
    }
    assert!(!workspace.path("s3:").exists() && !workspace.path("az:").exists());
}
