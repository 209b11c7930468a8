//! `kosmos status`: how far a run is. Reads names and roll-ups alone, so it stays quick with
//! a hundred thousand tasks.

use std::process::ExitCode;

use corpus::{Engine, Fingerprint, Inputs, Ledger, Report, Stage};
use serde::Serialize;

use crate::cli::StatusArgs;
use crate::flow::{Flow, Surroundings};
use crate::folder::Folder;
use crate::number::grouped;
use crate::table::Table;

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
    let config = folder.config()?;
    let flow = Flow::new(&config, &Surroundings::offline(&config)?)?;
    let stages = collect(&folder, &flow.stages)?;
    if arguments.json {
        println!("{}", serde_json::to_string_pretty(&stages)?);
    } else {
        print!("{}", show(&stages));
    }
    Ok(ExitCode::SUCCESS)
}

fn collect(folder: &Folder, stages: &[Box<dyn Stage>]) -> anyhow::Result<Vec<StageStatus>> {
    let ledger = Ledger::new(folder.store.clone());
    let mut sealed = Inputs::default();
    let mut all = Vec::new();
    for stage in stages {
        let name = stage.name();
        let fingerprint = Engine::fingerprint(stage.as_ref(), &sealed).ok();
        let mut status = StageStatus {
            stage: name.clone(),
            state: State::Waiting,
            fingerprint: fingerprint.clone(),
            tasks_done: 0,
            task_count: None,
            report: None,
            records_per_sec: None,
        };
        if let Some(fingerprint) = fingerprint {
            status.records_per_sec = ledger.pace(&name, &fingerprint)?;
            if let Some(manifest) = ledger.manifest(&name, &fingerprint)? {
                status.state = State::Sealed;
                status.tasks_done = manifest.task_count as usize;
                status.task_count = Some(manifest.task_count);
                status.report = Some(manifest.report.clone());
                sealed.0.insert(name, corpus::Dataset::new(folder.store.clone(), manifest));
            } else {
                let progress = ledger.progress(&name, &fingerprint)?;
                status.tasks_done = progress.values().filter(|task| task.done).count();
                status.task_count = stage.plan(&sealed).ok();
                if !progress.is_empty() {
                    status.state = State::Running;
                }
            }
        }
        all.push(status);
    }
    Ok(all)
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
