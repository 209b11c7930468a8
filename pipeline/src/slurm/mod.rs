//! Slurm: the tasks of a stage as an array of jobs.
//!
//! The driver submits what is missing and watches the ledger, which alone tells what is done; the queue is asked only
//! whether a job is still there. A driver that was killed finds its jobs again by their name. After so many arrays the
//! tasks that are still missing are told with the last lines of their logs.
//!
//! ```text
//! array   which element runs which tasks
//! script  the batch script
//! queue   sbatch, squeue, scontrol
//! ```

mod array;
mod queue;
mod script;

use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use corpus::executor::{Batch, Executor, RunTask};
use corpus::stage::Resources;
use corpus::{Description, Error, Fingerprint, Inputs, Result};

use crate::{Flow, Folder, config};
use queue::Known;
use script::{Script, quoted};

/// Longest wait between two looks whether to stop.
const NAP: Duration = Duration::from_millis(200);
/// Looks into the ledger take at most this share of the driver's time: 1 in so many.
const LOOKS_SHARE: u32 = 10;
/// Missing tasks whose logs are shown.
const SHOWN_TASKS: usize = 3;
/// Lines and bytes of a log that are shown.
const SHOWN_LINES: usize = 5;
const SHOWN_BYTES: usize = 2_048;
/// What ends a batch script within the script that submits it.
const END: &str = "KOSMOS_STAGE";

/// Runs tasks as jobs. Every node sees the run's folder and this program under the same paths.
pub struct Slurm<'a> {
    config: &'a config::Slurm,
    folder: &'a Folder,
    program: PathBuf,
}

impl Executor for Slurm<'_> {
    fn run(&self, batch: Batch<'_>, _here: &RunTask<'_>) -> Result<()> {
        let name = job_name(&batch.stage.name(), batch.fingerprint);
        let mut missing = batch.missing.clone();
        for round in 0..self.config.rounds_max {
            if missing.is_empty() {
                return Ok(());
            }
            if round > 0 {
                let line = format!(
                    "{} tasks are missing after round {round}; they are submitted again",
                    missing.len()
                );
                batch.observer.warned(&batch.stage.name(), &line);
            }
            let jobs = match queue::jobs_named(&name).map_err(|error| self.failed(&batch, error))? {
                jobs if jobs.is_empty() => vec![self.submit(&batch, &name, &missing)?],
                // A driver before this one submitted them.
                jobs => jobs,
            };
            missing = self.watch(&batch, &jobs, missing)?;
        }
        if missing.is_empty() { Ok(()) } else { Err(self.given_up(&batch, &missing)) }
    }
}

impl<'a> Slurm<'a> {
    /// Returns the executor of a run's folder.
    pub fn new(config: &'a config::Slurm, folder: &'a Folder, program: PathBuf) -> Self {
        Self { config, folder, program }
    }

    /// Returns a shell script that submits the stages of a run that are not sealed, each behind the one before it.
    /// How many tasks a stage will have is not known before it is planned: unless its inputs are sealed it gets as
    /// many elements as an array may have, and those without a task end at once.
    ///
    /// # Errors
    /// When the ledger or a file that the settings name cannot be read.
    pub fn submission(&self, flow: &Flow) -> crate::Result<String> {
        let mut text = format!(
            "#!/bin/bash\n# Submits the stages of {} that are not sealed; each waits for the one before it.\n\
             set -euo pipefail\nbehind=\n",
            self.folder.place()
        );
        let mut sealed = Inputs::default();
        for stage in &flow.stages {
            let (stage, name) = (stage.as_ref(), stage.name());
            let description = Description::of(stage)?;
            if let Some(dataset) = description.dataset(&self.folder.store, &sealed)? {
                sealed.0.insert(name, dataset);
                continue;
            }
            let are_there = description.inputs.iter().all(|input| sealed.0.contains_key(input));
            let count = if are_there { stage.plan(&sealed)? } else { u32::MAX };
            let elements = array::elements(count, self.array_max());
            let all = format!("0-{}", elements - 1);
            let script =
                self.script(&format!("kosmos-{name}"), &name, stage.resources(), (&all, elements))?;
            text.push_str(&format!(
                "\njob=$(sbatch --parsable --kill-on-invalid-dep=yes $behind <<'{END}'\n{script}{END}\n)\n\
                 echo \"{name}: job ${{job%%;*}}\"\nbehind=--dependency=afterok:${{job%%;*}}\n"
            ));
        }
        Ok(text)
    }

    fn submit(&self, batch: &Batch<'_>, name: &str, missing: &[u32]) -> Result<String> {
        let elements = array::elements(batch.count, self.array_max());
        let specification = array::specification(missing, elements);
        let stage = batch.stage.name();
        let text = self.script(name, &stage, batch.stage.resources(), (&specification, elements))?;
        let job = queue::submit(&text).map_err(|error| self.failed(batch, error))?;
        tracing::debug!(stage, job, array = specification, elements, "submitted");
        Ok(job)
    }

    /// Returns the batch script of a stage.
    fn script(
        &self,
        name: &str,
        stage: &str,
        resources: Resources,
        (array, elements): (&str, u32),
    ) -> Result<String> {
        let logs = self.logs();
        let paths = [&self.program, &logs].map(|path| path.display().to_string());
        if paths.iter().any(|path| path.contains('"') || path.chars().any(char::is_control)) {
            let detail = format!("a batch script cannot hold the path {:?} or {:?}", paths[0], paths[1]);
            return Err(Error::Settings { stage: stage.to_owned(), detail });
        }
        std::fs::create_dir_all(&logs).map_err(Error::io("create", &logs))?;
        let script = Script {
            name,
            array,
            elements,
            running_max: self.config.running_max,
            stage,
            resources,
            job: &self.config.job_of(stage),
            program: &self.program,
            run: &self.run(),
            logs: &logs,
        };
        Ok(script.text())
    }

    /// Returns the run as `kosmos task` takes it, as words of a shell.
    fn run(&self) -> String {
        let place = self.folder.place();
        let run = quoted(Path::new(&place.to_argument()));
        match place.folder() {
            Some(_) => run,
            // Every node has a working folder of its own at this path, or one that they share.
            None => format!("{run} --work {}", quoted(self.folder.work.path())),
        }
    }

    /// Returns the folder of what jobs print.
    fn logs(&self) -> PathBuf {
        self.folder.work.path().join("logs").join("slurm")
    }

    fn array_max(&self) -> u32 {
        // Indexes go from 0 to one below the cluster's bound.
        queue::array_size_max().map_or(self.config.array_max, |size| size.min(self.config.array_max))
    }

    /// Watches the ledger until all tasks are in, or no job is left; returns the tasks that are missing then.
    fn watch(&self, batch: &Batch<'_>, jobs: &[String], mut missing: Vec<u32>) -> Result<Vec<u32>> {
        loop {
            // In this order: what a job commits before it ends is seen.
            let known: Vec<Known> = jobs.iter().map(|job| queue::known(job)).collect();
            let began = Instant::now();
            let progress = batch.ledger.progress(&batch.stage.name(), batch.fingerprint)?;
            let before = missing.len();
            missing.retain(|task| !progress.get(task).is_some_and(|task| task.done));
            (missing.len()..before).for_each(|_| batch.observer.task_done());
            if missing.is_empty() || known.iter().all(|known| *known == Known::Gone) {
                return Ok(missing);
            }
            batch.observer.noted(&told(jobs, &known));
            let pause = Duration::from_secs(self.config.poll_secs.into()).max(began.elapsed() * LOOKS_SHARE);
            tracing::debug!(missing = missing.len(), ?pause, "looks again after a pause");
            self.wait(batch, jobs, pause)?;
        }
    }

    fn wait(&self, batch: &Batch<'_>, jobs: &[String], pause: Duration) -> Result<()> {
        let began = Instant::now();
        while began.elapsed() < pause {
            if let Err(stopped) = batch.cancel.check() {
                let line = format!(
                    "the jobs go on without this driver: scancel {} ends them, and the next run finds them again",
                    jobs.join(" ")
                );
                batch.observer.warned(&batch.stage.name(), &line);
                return Err(stopped);
            }
            std::thread::sleep(NAP);
        }
        Ok(())
    }

    fn failed(&self, batch: &Batch<'_>, error: std::io::Error) -> Error {
        Error::work(&batch.stage.name(), error)
    }

    /// Names the tasks that no round completed, and shows what the first of them said last.
    fn given_up(&self, batch: &Batch<'_>, missing: &[u32]) -> Error {
        let stage = batch.stage.name();
        let shown: Vec<String> = missing.iter().take(SHOWN_TASKS).map(ToString::to_string).collect();
        let more = missing.len().saturating_sub(SHOWN_TASKS);
        let more = if more > 0 { format!(" and {more} more") } else { String::new() };
        let mut detail = format!(
            "tasks {}{more} are missing after {} rounds; what jobs said is in {}",
            shown.join(", "),
            self.config.rounds_max,
            self.logs().display()
        );
        for task in missing.iter().take(SHOWN_TASKS) {
            let log = self.folder.work.log(&stage, batch.fingerprint, *task);
            let said = std::fs::read(&log).map(|log| last_lines(&log)).unwrap_or_default();
            let said = if said.is_empty() { "it was never begun".to_owned() } else { said };
            detail.push_str(&format!("\ntask {task}:\n{said}"));
        }
        Error::Settings { stage, detail }
    }
}

/// Returns the name of a stage's jobs: another fingerprint is other work.
fn job_name(stage: &str, fingerprint: &Fingerprint) -> String {
    format!("kosmos-{stage}-{fingerprint}")
}

/// Returns what the queue says, for the screen.
fn told(jobs: &[String], known: &[Known]) -> String {
    let told = jobs.iter().zip(known).map(|(job, known)| match known {
        Known::Live(states) => format!("job {job}: {states}"),
        Known::Gone => format!("job {job}: ended"),
        Known::Unknown => format!("job {job}: the scheduler does not answer"),
    });
    told.collect::<Vec<_>>().join("; ")
}

/// Returns the last lines of a log.
fn last_lines(log: &[u8]) -> String {
    let tail = String::from_utf8_lossy(&log[log.len().saturating_sub(SHOWN_BYTES)..]).into_owned();
    let lines: Vec<&str> = tail.lines().collect();
    lines[lines.len().saturating_sub(SHOWN_LINES)..]
        .iter()
        .map(|line| format!("  {line}"))
        .collect::<Vec<_>>()
        .join("\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_end_of_a_log_is_shown_however_long_it_is() {
        let log: String = (0..10_000).map(|n| format!("line {n}\n")).collect();
        assert_eq!(
            last_lines(log.as_bytes()),
            "  line 9995\n  line 9996\n  line 9997\n  line 9998\n  line 9999"
        );
        assert_eq!(last_lines(b""), "");
    }
}
