//! `kosmos status`: how far a run is.

use std::process::ExitCode;

use clap::Args;
use pipeline::Folder;
use pipeline::number::grouped;
use pipeline::status::{StageStatus, State, status as status_of};

use crate::cli::RunDir;
use crate::print::{self, say};
use crate::table::Table;

#[derive(Debug, Args)]
pub(crate) struct StatusArgs {
    #[command(flatten)]
    pub(crate) run: RunDir,
    /// Print JSON
    #[arg(long)]
    pub(crate) json: bool,
}

/// Reasons of a stage that are shown, the commonest ones.
const REASONS_MAX: usize = 5;

/// Prints the state of every stage.
pub(crate) fn status(arguments: &StatusArgs) -> anyhow::Result<ExitCode> {
    let stages = status_of(&Folder::open(&arguments.run.location()?)?)?;
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
        let units = || status.report.iter().flat_map(|report| &report.units);
        // It is the most numerous unit that was timed.
        let timed = units().map(|(_, counts)| counts.read).max();
        let mut pace = status.records_per_sec;
        for (unit, counts) in units() {
            let numbers = [counts.read, counts.kept, counts.dropped_total(), counts.failed_total()];
            let head = [status.stage.clone(), tasks.clone()];
            let pace = if timed == Some(counts.read) { pace.take() } else { None };
            let tail = [pace.map(|pace| grouped(pace as u64)).unwrap_or_default(), unit.clone()];
            table.push(head.into_iter().chain(numbers.map(grouped)).chain(tail));
        }
        if timed.is_none() {
            table.push([status.stage.clone(), tasks]);
        }
    }
    table
}
