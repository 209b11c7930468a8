//! A folder, a binary, and what they leave behind.

pub(crate) mod archive;
pub(crate) mod hostile;
pub(crate) mod names;
pub(crate) mod proxy;
pub(crate) mod static_server;

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

/// What a finished command left.
#[must_use = "look at the output or assert how it ended"]
#[derive(Debug)]
pub(crate) struct Output {
    pub(crate) code: Option<i32>,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

impl Output {
    /// Asserts that the command succeeded, and returns what it printed.
    #[track_caller]
    pub(crate) fn success(self) -> String {
        assert_eq!(self.code, Some(0), "stdout:\n{}\nstderr:\n{}", self.stdout, self.stderr);
        self.stdout
    }

    /// Asserts how the command failed, and returns its messages.
    #[track_caller]
    pub(crate) fn failure(self, code: i32) -> String {
        assert_eq!(self.code, Some(code), "stdout:\n{}\nstderr:\n{}", self.stdout, self.stderr);
        format!("{}{}", self.stdout, self.stderr)
    }
}

/// Returns how often a test is to do something: as a variable of the environment asks, else a few times.
pub(crate) fn times(variable: &str, default: u32) -> u32 {
    std::env::var(variable).ok().and_then(|text| text.parse().ok()).unwrap_or(default)
}

/// Returns the folder of the checkout.
pub(crate) fn repository() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// A folder for one test.
pub(crate) struct Workspace {
    folder: tempfile::TempDir,
}

impl Workspace {
    pub(crate) fn new() -> Self {
        Self { folder: tempfile::tempdir().unwrap() }
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// Runs the binary in this folder, without the user's environment.
    pub(crate) fn kosmos(&self, arguments: &[&str]) -> Output {
        self.kosmos_in(&[], arguments)
    }

    /// Runs the binary in this folder, with these variables alone.
    pub(crate) fn kosmos_in(&self, variables: &[(&str, &str)], arguments: &[&str]) -> Output {
        let output = self.command(arguments).envs(variables.iter().copied()).output().unwrap();
        let text = |bytes: Vec<u8>| String::from_utf8_lossy(&bytes).into_owned();
        Output { code: output.status.code(), stdout: text(output.stdout), stderr: text(output.stderr) }
    }

    /// Runs the binary in a folder of this one.
    pub(crate) fn kosmos_from(&self, folder: &str, arguments: &[&str]) -> Output {
        let mut command = self.command(arguments);
        let output = command.current_dir(self.path(folder)).output().unwrap();
        let text = |bytes: Vec<u8>| String::from_utf8_lossy(&bytes).into_owned();
        Output { code: output.status.code(), stdout: text(output.stdout), stderr: text(output.stderr) }
    }

    /// Returns every file below a folder.
    pub(crate) fn files(&self, dir: &str) -> Vec<(String, std::fs::Metadata)> {
        let (root, mut found) = (self.path(dir), BTreeSet::new());
        collect(&root, &root, &mut found);
        found.into_iter().map(|path| (path.clone(), root.join(path).metadata().unwrap())).collect()
    }

    /// Starts the binary and returns at once.
    pub(crate) fn spawn(&self, arguments: &[&str]) -> Child {
        let mut command = self.command(arguments);
        command.stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap()
    }

    pub(crate) fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_kosmos"));
        command.args(arguments).current_dir(self.folder.path()).env_clear().env("HOME", self.folder.path());
        command
    }

    /// Returns all rows of a stream of a finished stage.
    pub(crate) fn rows(&self, dir: &str, stage: &str, stream: &str) -> Vec<serde_json::Value> {
        let stream = format!("{stage}/{stream}");
        let shown = self.kosmos(&["inspect", dir, &stream, "--rows", "1000000", "--json"]);
        shown.success().lines().map(|line| serde_json::from_str(line).unwrap()).collect()
    }

    /// Returns the paths of all parts of a run; a part's name holds its digest.
    pub(crate) fn parts(&self, dir: &str) -> BTreeSet<String> {
        let data = self.path(dir).join("data");
        let mut found = BTreeSet::new();
        collect(&data, &data, &mut found);
        assert!(!found.is_empty(), "no parts in {}", data.display());
        found
    }
}

fn collect(root: &Path, folder: &Path, found: &mut BTreeSet<String>) {
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            collect(root, &path, found);
        } else {
            found.insert(path.strip_prefix(root).unwrap().to_str().unwrap().to_owned());
        }
    }
}

/// Arguments of a run of the sample that takes seconds.
pub(crate) const SMALL: [&str; 16] = [
    "--set",
    "sample_web.images=300",
    "--set",
    "sample_web.documents=300",
    "--set",
    "sample_web.pages=150",
    "--set",
    "train.steps=6",
    "--set",
    "train.warmup_steps=2",
    "--set",
    "train.checkpoint_steps=2",
    "--set",
    // Tests run beside each other: a second thread would wait for a core.
    "train.thread_count=1",
    "--set",
    "evaluate.pairs_max=4",
];

/// Returns `run sample` with the small sizes and more arguments.
pub(crate) fn small_run<'a>(more: &[&'a str]) -> Vec<&'a str> {
    ["run", "sample"].into_iter().chain(SMALL).chain(more.iter().copied()).collect()
}
