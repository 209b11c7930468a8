//! Runs in a bucket of a real S3 server: what they leave is what a run in a folder leaves.

use std::collections::BTreeSet;
use std::fs;
use std::time::Duration;

use corpus::Store;
use corpus_testing::fault::{Fault, Proxy};
use corpus_testing::s3::{self, BUCKET, Server};

use crate::support::{Output, Workspace, small_run};

/// A run in a bucket, and a machine.
struct Bucket {
    server: &'static Server,
    prefix: String,
    workspace: Workspace,
    variables: Vec<(String, String)>,
}

impl Bucket {
    /// Makes an empty one, where there is a server.
    fn new() -> Option<Self> {
        let server = s3::seaweed()?;
        let variables = server.variables(server.address());
        Some(Self { server, prefix: s3::new_prefix(), workspace: Workspace::new(), variables })
    }

    fn url(&self) -> String {
        format!("s3://{BUCKET}/{}", self.prefix)
    }

    fn store(&self) -> Store {
        self.server.store(&self.prefix)
    }

    fn kosmos(&self, arguments: &[&str]) -> Output {
        let variables: Vec<_> =
            self.variables.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
        self.workspace.kosmos_in(&variables, arguments)
    }

    /// Returns the paths of all parts, as [`Workspace::parts`] has them.
    fn parts(&self) -> BTreeSet<String> {
        let names = self.store().names("data").unwrap();
        names.iter().map(|path| path.strip_prefix("data/").unwrap().to_owned()).collect()
    }

    /// Starts a run and kills it after so many milliseconds; false if it was through before.
    fn is_killed(&self, arguments: &[&str], millis: u64) -> bool {
        let mut command = self.workspace.command(arguments);
        command.envs(self.variables.iter().cloned());
        command.stdout(std::process::Stdio::null()).stderr(std::process::Stdio::null());
        let mut child = command.spawn().unwrap();
        std::thread::sleep(Duration::from_millis(millis));
        let is_through = child.try_wait().unwrap().is_some();
        child.kill().unwrap();
        child.wait().unwrap();
        !is_through
    }
}

#[test]
fn a_run_in_a_bucket_has_the_parts_of_one_in_a_folder_and_every_command_reads_it() {
    let Some(bucket) = Bucket::new() else { return };
    let (url, workspace) = (bucket.url(), &bucket.workspace);
    let _ = workspace.kosmos(&small_run(&["--dir", "local"])).success();
    let ended = bucket.kosmos(&small_run(&["--dir", &url])).success();
    assert!(ended.contains(&format!("results are in {url}")), "{ended}");
    assert_eq!(bucket.parts(), workspace.parts("local"));

    let again = bucket.kosmos(&small_run(&["--dir", &url])).success();
    assert!(again.contains("skipped, sealed before"), "{again}");
    let of = |arguments: &[&str]| {
        let there = bucket.kosmos(
            &arguments.iter().map(|word| if *word == "RUN" { &url } else { *word }).collect::<Vec<_>>(),
        );
        let here = workspace.kosmos(
            &arguments.iter().map(|word| if *word == "RUN" { "local" } else { *word }).collect::<Vec<_>>(),
        );
        (there.success(), here.success())
    };
    for arguments in [
        &["verify", "RUN"][..],
        &["stats", "RUN", "text", "--json"],
        &["inspect", "RUN", "text", "--rows", "3", "--json"],
        &["inspect", "RUN", "images.pass0/images", "--rows", "2", "--json"],
        // By the name of the stage alone, though what was held out is a stream beside it.
        &["inspect", "RUN", "pack.pairs", "--rows", "1", "--json"],
        &["gc", "RUN"],
        &["task", "RUN", "text.rules", "0"],
    ] {
        let (there, here) = of(arguments);
        assert_eq!(there, here, "{arguments:?}");
    }
    let parts = bucket.kosmos(&["parts", &url, "text"]).success();
    assert!(parts.lines().all(|line| line.starts_with(&format!("{url}/data/text/"))), "{parts}");
    let status = bucket.kosmos(&["status", &url, "--json"]).success();
    assert!(status.contains("\"sealed\"") && !status.contains("\"running\""), "{status}");
    let _ = bucket.kosmos(&["export", "jsonl", &url, "there", "--compression", "none"]).success();
    let _ = workspace.kosmos(&["export", "jsonl", "local", "here", "--compression", "none"]).success();
    for entry in fs::read_dir(workspace.path("here")).unwrap() {
        let name = entry.unwrap().file_name();
        let of = |folder: &str| fs::read(workspace.path(folder).join(&name)).unwrap();
        assert_eq!(of("there"), of("here"), "{name:?}");
    }
    let train = [&["train"], &small_run(&["--dir", &url])[1..]].concat();
    let trained = bucket.kosmos(&train).success();
    assert!(trained.contains("skipped, sealed before"), "{trained}");

    // What is no object is on this machine, in the user's cache alone; scratch files and copies are gone.
    let work = fs::read_dir(workspace.path(".cache/kosmos/work")).unwrap().next().unwrap().unwrap().path();
    assert!(work.join("logs/text").is_dir());
    assert_eq!(fs::read_dir(work.join("scratch")).map_or(0, Iterator::count), 0);
    let names = bucket.store().names("").unwrap();
    let tops: BTreeSet<&str> = names.iter().map(|path| path.split('/').next().unwrap()).collect();
    let expected = ["checkpoints", "config.toml", "data", "kosmos.json", "lease", "ledger", "stages.json"];
    assert!(tops.into_iter().eq(expected));
}

#[test]
fn a_run_in_a_bucket_that_is_killed_and_continued_elsewhere_has_the_same_parts() {
    let Some(bucket) = Bucket::new() else { return };
    let (url, workspace) = (bucket.url(), &bucket.workspace);
    let _ = workspace.kosmos(&small_run(&["--dir", "local"])).success();
    let mut kills = 0;
    for millis in [700, 1_500, 2_500, 4_000, 6_000, 8_000] {
        kills += u32::from(bucket.is_killed(&small_run(&["--dir", &url, "--workers", "1"]), millis));
    }
    assert!(kills >= 3, "{kills}");
    // Another machine, which has nothing of what the first one left there, and waits whether that one is gone.
    let _ = bucket.kosmos(&small_run(&["--dir", &url, "--work", "elsewhere"])).success();
    let (found, expected) = (bucket.parts(), workspace.parts("local"));
    assert!(expected.is_subset(&found), "{:?}", expected.difference(&found));
    let extra: Vec<_> = found.difference(&expected).collect();
    assert!(extra.is_empty(), "other bytes: {extra:?}");
    let _ = bucket.kosmos(&["verify", &url]).success();
    assert!(workspace.path("elsewhere/logs").is_dir());
}

#[test]
fn a_run_by_a_server_with_faults_has_the_same_parts() {
    let Some(mut bucket) = Bucket::new() else { return };
    let until = ["--until", "text"];
    let _ = bucket.workspace.kosmos(&small_run(&[&["--dir", "local"][..], &until].concat())).success();
    // Of every few requests one meets a fault, each in its turn; an answer that is cut is one of an object.
    let proxy = Proxy::start(bucket.server.address(), |request, count| match count % 28 {
        6 => Fault::SlowDown,
        13 => Fault::Lost,
        20 => Fault::AnswerLost,
        27 if request.method == "GET" && !request.is_listing() => Fault::AnswerCut,
        _ if request.is_listing() => Fault::Stale,
        _ => Fault::None,
    });
    bucket.variables = bucket.server.variables(proxy.address());
    let url = bucket.url();
    let _ = bucket.kosmos(&small_run(&[&["--dir", url.as_str()][..], &until].concat())).success();
    assert_eq!(bucket.parts(), bucket.workspace.parts("local"));
    assert!(proxy.requests().len() > 280, "{}", proxy.requests().len());
    let _ = bucket.kosmos(&["verify", &url]).success();
}

#[test]
fn damage_in_a_bucket_is_found_and_repaired() {
    let Some(bucket) = Bucket::new() else { return };
    let (url, store) = (bucket.url(), bucket.store());
    let _ = bucket.kosmos(&small_run(&["--dir", &url, "--until", "text"])).success();
    let expected = bucket.parts();
    let names = store.names("data/text").unwrap();
    store.replace(&names[0], "damaged".into()).unwrap();
    let entry =
        store.names("ledger/text").unwrap().into_iter().find(|path| path.contains("/00000000-0")).unwrap();
    store.replace(&entry, "{".into()).unwrap();
    let found = bucket.kosmos(&["verify", &url]).failure(1);
    assert!(found.contains(&names[0]), "{found}");
    let _ = bucket.kosmos(&["verify", &url, "--repair"]).success();
    let _ = bucket.kosmos(&["verify", &url]).success();
    assert_eq!(bucket.parts(), expected);
}

#[test]
fn what_a_bucket_needs_is_named_and_two_runs_do_not_share_one() {
    let Some(bucket) = Bucket::new() else { return };
    let (url, workspace) = (bucket.url(), &bucket.workspace);
    let run = small_run(&["--dir", &url, "--until", "text"]);
    let refused = workspace.kosmos(&run).failure(2);
    assert!(refused.contains("AWS_ACCESS_KEY_ID is not set"), "{refused}");
    let refused = bucket.kosmos(&["status", &url]).failure(2);
    assert!(refused.contains(&format!("{url} is not the folder of a run")), "{refused}");
    let refused = bucket.kosmos(&["status", "local", "--work", "x"]).failure(2);
    assert!(refused.contains("--work is for runs in an object store"), "{refused}");
    bucket.store().replace("thesis.tex", "mine".into()).unwrap();
    let refused = bucket.kosmos(&run).failure(2);
    assert!(refused.contains("holds other files"), "{refused}");
    bucket.store().delete("thesis.tex").unwrap();
    let missing = bucket.kosmos(&small_run(&["--dir", "s3://no-such-bucket/run"])).failure(1);
    assert!(missing.contains("NoSuchBucket") && !missing.contains("hidden"), "{missing}");

    let mut command = workspace.command(&small_run(&["--dir", &url]));
    command.envs(bucket.variables.iter().cloned());
    command.stdout(std::process::Stdio::null()).stderr(std::process::Stdio::null());
    let mut first = command.spawn().unwrap();
    while bucket.store().is_empty("lease").unwrap() && first.try_wait().unwrap().is_none() {
        std::thread::sleep(Duration::from_millis(20));
    }
    let here = bucket.kosmos(&run).failure(2);
    assert!(here.contains("is in use by process"), "{here}");
    let elsewhere = bucket.kosmos(&[&run[..], &["--work", "elsewhere"]].concat()).failure(2);
    assert!(elsewhere.contains("is in use by process"), "{elsewhere}");
    first.kill().unwrap();
    first.wait().unwrap();
}
