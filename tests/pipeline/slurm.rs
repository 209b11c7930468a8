//! Tasks as jobs of a real Slurm of three nodes, which `setup/slurm.sh` brings up where it can.

use std::path::Path;
use std::process::{Child, Command};
use std::time::{Duration, Instant};

use crate::support::{Workspace, repository, small_run};

/// How long a stage's tasks may take to appear in the queue.
const WAIT: Duration = Duration::from_secs(120);

/// A cluster that goes with its value.
struct Cluster {
    folder: tempfile::TempDir,
}

impl Cluster {
    /// Brings a cluster up; none where Slurm cannot be had.
    fn up() -> Option<Self> {
        let folder = tempfile::Builder::new().prefix("slurm").tempdir_in("/tmp").unwrap();
        let cluster = Self { folder };
        let output = cluster.script("up").output().unwrap();
        if !output.status.success() {
            eprintln!("skipped: no Slurm here: {}", String::from_utf8_lossy(&output.stderr).trim());
            return None;
        }
        Some(cluster)
    }

    fn script(&self, action: &str) -> Command {
        let mut command = Command::new(repository().join("setup/slurm.sh"));
        command.arg(action).arg(self.folder.path());
        command
    }

    fn conf(&self) -> String {
        self.folder.path().join("slurm.conf").display().to_string()
    }

    /// Kills a node's daemon and what it started, as a machine that fails.
    fn kill_node(&self, node: &str) {
        let pid = std::fs::read_to_string(self.folder.path().join(format!("slurmd-{node}.pid"))).unwrap();
        signal("-KILL", pid.trim());
        let _ = Command::new("pkill").args(["-KILL", "-f", &format!("slurmstepd.*{node}")]).status();
    }
}

impl Drop for Cluster {
    fn drop(&mut self) {
        let _ = self.script("down").status();
    }
}

fn signal(name: &str, pid: &str) {
    let _ = Command::new("kill").args([name, pid]).status();
}

/// Starts a driver with the cluster's variables.
fn driver(workspace: &Workspace, cluster: &Cluster) -> Child {
    let run = small_run(&["--dir", "out", "--executor", "slurm", "--set", "slurm.poll_secs=1"]);
    let mut command = workspace.command(&run);
    command.env("SLURM_CONF", cluster.conf()).env("PATH", std::env::var("PATH").unwrap());
    command.spawn().unwrap()
}

/// Waits for a task of a folder to be at work; returns its process.
fn working_task(folder: &Path, but: &[u32]) -> u32 {
    let begun = Instant::now();
    let pattern = format!("kosmos task {}", folder.display());
    loop {
        let found = Command::new("pgrep").args(["-f", &pattern]).output().unwrap();
        let pids = String::from_utf8_lossy(&found.stdout).into_owned();
        if let Some(pid) = pids.lines().filter_map(|pid| pid.parse().ok()).find(|pid| !but.contains(pid)) {
            return pid;
        }
        assert!(begun.elapsed() < WAIT, "no task was begun");
        std::thread::sleep(Duration::from_millis(20));
    }
}

#[test]
fn a_run_on_slurm_with_aborted_tasks_a_dead_node_and_a_killed_driver_has_the_parts_of_a_local_one() {
    let Some(cluster) = Cluster::up() else { return };
    let workspace = Workspace::new();
    let _ = workspace.kosmos(&small_run(&["--dir", "whole"])).success();

    let mut first = driver(&workspace, &cluster);
    let out = workspace.path("out").canonicalize().unwrap_or_else(|_| workspace.path("out"));
    let aborted = working_task(&out, &[]);
    signal("-KILL", &aborted.to_string());
    let other = working_task(&out, &[aborted]);
    cluster.kill_node("n1");
    signal("-ABRT", &other.to_string());
    // The driver dies too; its jobs go on, and the next one finds them.
    let _ = working_task(&out, &[aborted, other]);
    first.kill().unwrap();
    first.wait().unwrap();
    assert!(driver(&workspace, &cluster).wait().unwrap().success());

    assert_eq!(workspace.parts("out"), workspace.parts("whole"));
    assert!(workspace.kosmos(&["verify", "out"]).success().contains(": 0 wrong"));
    let again = workspace.kosmos(&small_run(&["--dir", "out"])).success();
    assert!(!again.contains(" s)"), "nothing is left to be done: {again}");
}

#[test]
fn a_machine_without_slurm_is_told_what_is_missing() {
    let workspace = Workspace::new();
    let run = small_run(&["--dir", "out", "--executor", "slurm", "--until", "pile"]);
    let told = workspace.kosmos_in(&[("PATH", "/nowhere")], &run).failure(1);
    assert!(told.contains("cannot start squeue") && told.contains("machine of the cluster"), "{told}");
}

#[test]
fn a_submission_script_asks_for_every_stage_once_and_in_order() {
    let workspace = Workspace::new();
    let sets = ["--set", "slurm.array_max=4", "--set", "slurm.partition=\"cpu\""];
    let render = ["render", "slurm", "sample", "--dir", "out"];
    let script = workspace.kosmos(&[&render[..], &sets].concat()).success();
    let stages: Vec<&str> =
        script.lines().filter_map(|line| line.strip_prefix("#SBATCH --job-name=kosmos-")).collect();
    assert!(stages.len() > 20 && stages.last() == Some(&"evaluate"), "{stages:?}");
    assert!(
        script.contains("#SBATCH --array=0-3\n") && script.contains("#SBATCH --partition=cpu\n"),
        "{script}"
    );
    assert!(script.contains("--dependency=afterok:"), "{script}");
    let checked = Command::new("bash").args(["-n", "-c", &script]).status().unwrap();
    assert!(checked.success(), "it is no shell script:\n{script}");
    assert!(!workspace.path("out/ledger").exists(), "nothing is run");
}
