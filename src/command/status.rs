//! `kosmos status`: how far a run is. Reads names and roll-ups only, so it stays quick with
//! a hundred thousand tasks; opens nothing that the configuration names, and writes nothing.

use std::path::Path;
use std::process::ExitCode;
use std::time::Duration;

use corpus::engine::note_path;
use corpus::{Dataset, Description, Fingerprint, Inputs, Ledger, Report};
use serde::Serialize;

use crate::advice;
use crate::cli::StatusArgs;
use crate::folder::Folder;
use crate::number::{duration, grouped};
use crate::print::{self, say};
use crate::table::Table;
use crate::unread;

/// Time after which a task that said nothing may not be running any more.
const SILENCE_MAX: Duration = Duration::from_secs(60);
/// Characters of what a task says it is doing that are shown.
const WORDS_CHARS_MAX: usize = 200;
/// Reasons of a stage that are shown, the commonest ones.
const REASONS_MAX: usize = 5;

/// How far one stage is.
#[derive(Debug, Serialize)]
struct StageStatus {
    stage: String,
    state: State,
    fingerprint: Option<Fingerprint>,
    tasks_done: usize,
    task_count: Option<u32>,
    report: Option<Report>,
    /// Records a second of one task, in the mean.
    records_per_sec: Option<f64>,
    /// What its first unfinished task is doing right now.
    doing: Option<String>,
    /// What a striking share of its reasons means.
    advice: Vec<String>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
enum State {
    Sealed,
    Running,
    Waiting,
}

/// Prints the state of every stage.
pub(crate) fn status(arguments: &StatusArgs) -> anyhow::Result<ExitCode> {
    let folder = Folder::open(&arguments.dir)?;
    let descriptions = folder.stages()?;
    let mut stages = collect(&folder, &descriptions)?;
    advise(&descriptions, &mut stages);
    if arguments.json {
        say!("{}", serde_json::to_string_pretty(&stages)?)?;
    } else {
        print::text(&show(&stages).to_string())?;
        let reasons = reasons(&stages);
        if !reasons.is_empty() {
            say!("\n{reasons}")?;
        }
        for sentence in stages.iter().flat_map(|stage| &stage.advice) {
            say!("{sentence}")?;
        }
        for stage in &stages {
            if let Some(doing) = &stage.doing {
                say!("{}: {doing}", stage.stage)?;
            }
        }
    }
    Ok(ExitCode::SUCCESS)
}

fn collect(folder: &Folder, stages: &[Description]) -> anyhow::Result<Vec<StageStatus>> {
    let mut sealed = Inputs::default();
    let mut all = Vec::new();
    for stage in stages {
        let mut status = StageStatus {
            stage: stage.name.clone(),
            state: State::Waiting,
            fingerprint: stage.current(&folder.store, &sealed)?,
            tasks_done: 0,
            task_count: None,
            report: None,
            records_per_sec: None,
            doing: None,
            advice: Vec::new(),
        };
        if let Some(fingerprint) = status.fingerprint.clone() {
            fill(&mut status, folder, &fingerprint, &mut sealed)?;
        }
        if unread::is_source(stage) {
            let warning = unread::sentence(&stage.name, &sealed)?;
            status.advice.extend(warning.map(|sentence| format!("warning: {sentence}")));
        }
        all.push(status);
    }
    Ok(all)
}

fn fill(
    status: &mut StageStatus,
    folder: &Folder,
    fingerprint: &Fingerprint,
    sealed: &mut Inputs,
) -> anyhow::Result<()> {
    let (name, ledger) = (status.stage.clone(), Ledger::new(folder.store.clone()));
    status.records_per_sec = ledger.pace(&name, fingerprint)?;
    if let Some(manifest) = ledger.manifest(&name, fingerprint)? {
        status.state = State::Sealed;
        status.tasks_done = manifest.task_count as usize;
        status.task_count = Some(manifest.task_count);
        status.report = Some(manifest.report.clone());
        sealed.0.insert(name, Dataset::new(folder.store.clone(), manifest));
        return Ok(());
    }
    let Some(plan) = ledger.plan(&name, fingerprint)? else {
        return Ok(());
    };
    let progress = ledger.progress(&name, fingerprint)?;
    status.state = State::Running;
    status.task_count = Some(plan.task_count);
    status.tasks_done = progress.values().filter(|task| task.done).count();
    let unfinished = (0..plan.task_count).find(|task| !progress.get(task).is_some_and(|task| task.done));
    let note = unfinished.map(|task| note_path(&folder.store, &name, fingerprint, task));
    status.doing = note.and_then(|path| doing(&path));
    Ok(())
}

/// Returns what a task said last, and how long ago, if it should have said something since.
fn doing(note: &Path) -> Option<String> {
    let words: String = std::fs::read_to_string(note).ok()?.chars().take(WORDS_CHARS_MAX).collect();
    let age = std::fs::metadata(note).ok()?.modified().ok()?.elapsed().unwrap_or_default();
    Some(match age > SILENCE_MAX {
        true => format!("{words} (said {} ago: is it running?)", duration(age)),
        false => words,
    })
}

/// Says of every stage what its reasons mean.
fn advise(descriptions: &[Description], stages: &mut [StageStatus]) {
    let finished = descriptions
        .iter()
        .zip(&*stages)
        .filter_map(|(description, status)| status.report.as_ref().map(|report| (description, report)));
    for (name, sentence) in advice::of_stages(finished) {
        if let Some(status) = stages.iter_mut().find(|status| status.stage == name) {
            status.advice.push(sentence);
        }
    }
}

/// Returns the commonest reasons of every stage, with their share of what it read.
fn reasons(stages: &[StageStatus]) -> Table {
    let mut table = Table::new(&["stage", "unit", "removed", "share", "reason"]);
    for status in stages {
        for (unit, counts) in status.report.iter().flat_map(|report| &report.units) {
            let mut reasons: Vec<(&String, u64)> =
                counts.dropped.iter().chain(&counts.failed).map(|(reason, count)| (reason, *count)).collect();
            reasons.sort_by_key(|(_, count)| std::cmp::Reverse(*count));
            let others = reasons.split_off(reasons.len().min(REASONS_MAX));
            let mut row = |count: u64, reason: String| {
                let share = format!("{:.1} %", 100.0 * count as f64 / counts.read.max(1) as f64);
                table.push([status.stage.clone(), unit.clone(), grouped(count), share, reason]);
            };
            reasons.into_iter().for_each(|(reason, count)| row(count, reason.clone()));
            if !others.is_empty() {
                row(others.iter().map(|(_, count)| count).sum(), format!("{} other reasons", others.len()));
            }
        }
    }
    table
}

fn show(stages: &[StageStatus]) -> Table {
    let mut table =
        Table::new(&["stage", "tasks", "read", "kept", "dropped", "failed", "per second and task", "unit"]);
    for status in stages {
        let of = status.task_count.map_or_else(|| "?".to_owned(), |count| count.to_string());
        let tasks = match status.state {
            State::Waiting => "waiting".to_owned(),
            _ => format!("{}/{of}", status.tasks_done),
        };
        let units = status.report.iter().flat_map(|report| &report.units);
        let mut has_row = false;
        for (unit, counts) in units {
            let numbers = [counts.read, counts.kept, counts.dropped_total(), counts.failed_total()];
            let head = [status.stage.clone(), tasks.clone()];
            // Of the first unit: it is the stage's records that were timed.
            let pace = status.records_per_sec.filter(|_| !has_row).map(|pace| grouped(pace as u64));
            let tail = [pace.unwrap_or_default(), unit.clone()];
            table.push(head.into_iter().chain(numbers.map(grouped)).chain(tail));
            has_row = true;
        }
        if !has_row {
            table.push([status.stage.clone(), tasks]);
        }
    }
    table
}
