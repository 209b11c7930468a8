//! The scheduler's own commands: `sbatch`, `squeue`, `scontrol`.

use std::io::{self, Write};
use std::process::{Command, Output, Stdio};

/// What the queue knows of a job.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Known {
    /// It is waiting or running: its states with their counts and reasons, for people.
    Live(String),
    /// It has ended.
    Gone,
    /// The scheduler does not answer.
    Unknown,
}

/// Submits a script; returns the job's number.
///
/// # Errors
/// When `sbatch` is not there or refuses.
pub(crate) fn submit(script: &str) -> io::Result<String> {
    let sbatch = command("sbatch").arg("--parsable").stdin(Stdio::piped()).spawn();
    let mut sbatch = sbatch.map_err(not_there("sbatch"))?;
    if let Some(mut input) = sbatch.stdin.take() {
        // What sbatch does not read it tells of itself.
        let _ = input.write_all(script.as_bytes());
    }
    let output = succeeded("sbatch", sbatch.wait_with_output()?)?;
    // `job` or `job;cluster`.
    Ok(output.trim().split(';').next().unwrap_or_default().to_owned())
}

/// Returns the jobs of this name that wait or run.
///
/// # Errors
/// When `squeue` is not there or fails.
pub(crate) fn jobs_named(name: &str) -> io::Result<Vec<String>> {
    let asked = command("squeue").args(["--noheader", "--format=%F", "--name", name]).output();
    let asked = asked.map_err(not_there("squeue"))?;
    let mut jobs: Vec<String> = succeeded("squeue", asked)?
        .lines()
        .map(|job| job.trim().to_owned())
        .filter(|job| !job.is_empty())
        .collect();
    jobs.dedup();
    Ok(jobs)
}

/// Returns what the queue knows of a job.
pub(crate) fn known(job: &str) -> Known {
    let asked = command("squeue").args(["--noheader", "--array", "--format=%T %r", "--jobs", job]).output();
    match asked {
        Ok(output) if output.status.success() => match states(&String::from_utf8_lossy(&output.stdout)) {
            states if states.is_empty() => Known::Gone,
            states => Known::Live(states),
        },
        // A job that ended long ago is forgotten.
        Ok(output) if String::from_utf8_lossy(&output.stderr).contains("Invalid job id") => Known::Gone,
        _ => Known::Unknown,
    }
}

/// Returns the cluster's bound of an array's indexes, if it tells.
pub(crate) fn array_size_max() -> Option<u32> {
    let asked = command("scontrol").args(["show", "config"]).output().ok()?;
    let text = String::from_utf8_lossy(&asked.stdout);
    let line = text.lines().find(|line| line.trim_start().starts_with("MaxArraySize"))?;
    line.split_once('=')?.1.trim().parse().ok()
}

/// Counts lines: `RUNNING None` twice and `PENDING Resources` become `2 running, 1 pending (Resources)`.
fn states(lines: &str) -> String {
    let mut counts = std::collections::BTreeMap::<&str, u32>::new();
    for line in lines.lines().map(str::trim).filter(|line| !line.is_empty()) {
        *counts.entry(line).or_default() += 1;
    }
    let shown = counts.into_iter().map(|(line, count)| {
        let (state, reason) = line.split_once(' ').unwrap_or((line, "None"));
        let reason = if reason == "None" { String::new() } else { format!(" ({reason})") };
        format!("{count} {}{reason}", state.to_lowercase())
    });
    shown.collect::<Vec<_>>().join(", ")
}

fn command(program: &str) -> Command {
    let mut command = Command::new(program);
    command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    command
}

/// Names the program that cannot be started.
fn not_there(program: &'static str) -> impl FnOnce(io::Error) -> io::Error {
    move |error| {
        let detail =
            format!("cannot start {program}: {error}; --executor slurm runs on a machine of the cluster");
        io::Error::new(error.kind(), detail)
    }
}

fn succeeded(program: &str, output: Output) -> io::Result<String> {
    if output.status.success() {
        return Ok(String::from_utf8_lossy(&output.stdout).into_owned());
    }
    let said = String::from_utf8_lossy(&output.stderr);
    Err(io::Error::other(format!("{program} ended with {}: {}", output.status, said.trim())))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn states_are_counted_with_their_reasons() {
        let lines = "RUNNING None\nPENDING Resources\nRUNNING None\n\n";
        assert_eq!(states(lines), "1 pending (Resources), 2 running");
        assert_eq!(states(""), "");
    }
}
