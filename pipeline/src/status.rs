//! How far a run is: reads names and roll-ups only, so it stays quick with a hundred thousand tasks; opens nothing
//! that the configuration names, and writes nothing.

use std::path::Path;
use std::time::Duration;

use corpus::{Dataset, Description, Fingerprint, Inputs, Ledger, Report};
use serde::Serialize;

use crate::folder::Folder;
use crate::number::duration;
use crate::{Result, advice, unread};

/// Time after which a task that said nothing may not be running any more.
const SILENCE_MAX: Duration = Duration::from_secs(60);
/// Characters of what a task says it is doing that are shown.
const WORDS_CHARS_MAX: usize = 200;

/// How far one stage is.
#[derive(Debug, Serialize)]
pub struct StageStatus {
    /// The stage.
    pub stage: String,
    /// Whether it is finished, or was begun.
    pub state: State,
    /// Of its settings and inputs; none while an input is not sealed.
    pub fingerprint: Option<Fingerprint>,
    /// Tasks that are complete.
    pub tasks_done: usize,
    /// All tasks, once they are planned.
    pub task_count: Option<u32>,
    /// What it counted, once it is sealed.
    pub report: Option<Report>,
    /// Records a second of one task, in the mean.
    pub records_per_sec: Option<f64>,
    /// What its first unfinished task is doing right now.
    pub doing: Option<String>,
    /// What a striking share of its reasons means.
    pub advice: Vec<String>,
}

/// Whether a stage is finished, or was begun.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum State {
    /// All its tasks are complete.
    Sealed,
    /// Some task was begun.
    Running,
    /// Nothing was begun, with these settings and inputs.
    Waiting,
}

/// Returns how far every stage is as it was last run, with what its reasons mean.
///
/// # Errors
/// When the ledger cannot be read.
pub fn status(folder: &Folder) -> Result<Vec<StageStatus>> {
    let descriptions = folder.stages()?;
    let mut stages = collect(folder, &descriptions)?;
    advise(&descriptions, &mut stages);
    Ok(stages)
}

fn collect(folder: &Folder, stages: &[Description]) -> Result<Vec<StageStatus>> {
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
) -> Result<()> {
    let (name, ledger) = (status.stage.clone(), Ledger::new(folder.store.clone()));
    if let Some(manifest) = ledger.manifest(&name, fingerprint)? {
        let tasks: Vec<u32> = (0..manifest.task_count).collect();
        status.records_per_sec = ledger.pace(&name, fingerprint, &tasks);
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
    let begun: Vec<u32> = progress.keys().copied().collect();
    status.records_per_sec = ledger.pace(&name, fingerprint, &begun);
    status.state = State::Running;
    status.task_count = Some(plan.task_count);
    status.tasks_done = progress.values().filter(|task| task.done).count();
    let unfinished = (0..plan.task_count).find(|task| !progress.get(task).is_some_and(|task| task.done));
    let note = unfinished.map(|task| folder.work.note(&name, fingerprint, task));
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
