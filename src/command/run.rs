//! `kosmos run`: the main job.

use std::process::ExitCode;

use clap::{Args, ValueEnum};
use corpus::executor::Executor;
use corpus::{Cancel, Inputs};
use pipeline::number::grouped;
use pipeline::run::Options;
use pipeline::sample_web::Comparison;
use pipeline::slurm::Slurm;
use pipeline::{Loaded, Location, Prepared, Selection, advice, cores, unread};

use crate::cli::{ConfigRun, workers};
use crate::opening::{child, enter};
use crate::print::say;
use crate::progress::Display;
use crate::scores;
use crate::signal::stop_on_signal;
use crate::table::Table;
use crate::tensors;

#[derive(Debug, Args)]
pub(crate) struct RunArgs {
    #[command(flatten)]
    pub(crate) run: ConfigRun,
    /// Stop after this stage
    #[arg(long, value_name = "STAGE", conflicts_with = "only")]
    pub(crate) until: Option<String>,
    /// Run only this stage; its inputs must exist
    #[arg(long, value_name = "STAGE")]
    pub(crate) only: Option<String>,
    /// Rerun this stage although its results exist; later stages follow if its results change
    /// (repeatable)
    #[arg(long, value_name = "STAGE")]
    pub(crate) rebuild: Vec<String>,
    /// Add a pass over images that failed for a transient reason
    #[arg(long, conflicts_with = "only")]
    pub(crate) retry_failed: bool,
    /// Number of parallel tasks [default: number of cores]
    #[arg(long, value_parser = workers())]
    pub(crate) workers: Option<usize>,
    /// Where tasks run; the section `slurm` configures the cluster
    #[arg(long, value_enum, default_value_t)]
    pub(crate) executor: ExecutorName,
}

/// Where tasks run.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, ValueEnum)]
pub(crate) enum ExecutorName {
    /// In this process
    #[default]
    Local,
    /// As jobs on a Slurm cluster
    Slurm,
}

/// Runs the stages of a configuration.
pub(crate) fn run(arguments: RunArgs) -> anyhow::Result<ExitCode> {
    let (loaded, location) = arguments.run.load()?;
    let RunArgs { until, only, rebuild, retry_failed, .. } = arguments;
    let options = Options { selection: Selection { until, only, rebuild }, retry_failed };
    // What a driver hands to a cluster computes there.
    if arguments.executor == ExecutorName::Local {
        tensors::go_on_for(&loaded, &options.selection)?;
    }
    execute(&loaded, &location, &options, (arguments.executor, arguments.workers))
}

/// Runs a loaded configuration in a folder, and prints what was removed and why.
pub(crate) fn execute(
    loaded: &Loaded,
    location: &Location<'_>,
    options: &Options,
    (executor, workers): (ExecutorName, Option<usize>),
) -> anyhow::Result<ExitCode> {
    enter(loaded)?;
    let display = Display::new();
    let prepared = Prepared::new(loaded, location, options, &display)?;
    let cancel = Cancel::default();
    stop_on_signal(&cancel)?;
    let prober = child(prepared.folder())?;
    let slurm = Slurm::new(&loaded.config.slurm, prepared.folder(), prober.program.clone());
    let executor = (executor == ExecutorName::Slurm).then_some(&slurm as &dyn Executor);
    let sealed = prepared.run((executor, workers.unwrap_or_else(cores)), &cancel, &prober, &display)?;
    say!("\n{}", removed(&sealed))?;
    let reports = prepared
        .stages()
        .iter()
        .filter_map(|stage| sealed.0.get(&stage.name).map(|dataset| (stage, &dataset.manifest().report)));
    for (_, sentence) in advice::of_stages(reports) {
        say!("{sentence}")?;
    }
    for source in loaded.config.sources.keys() {
        if let Some(sentence) = unread::sentence(source, &sealed)? {
            say!("warning: {sentence}")?;
        }
    }
    let is_as_planted = match prepared.context().sample_web() {
        Some(web) => compare(&web.compare(&sealed, prepared.last_pass().as_deref()))?,
        None => true,
    };
    if let Some(evaluation) = sealed.0.get("evaluate") {
        scores::print(evaluation)?;
    }
    say!("results are in {}", prepared.folder().place())?;
    Ok(if is_as_planted { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// Returns what was dropped and failed, stage by stage, reason by reason.
fn removed(sealed: &Inputs) -> Table {
    let mut table = Table::new(&["stage", "unit", "dropped", "failed", "reason"]);
    for (stage, dataset) in &sealed.0 {
        for (unit, counts) in &dataset.manifest().report.units {
            let row = |dropped: String, failed: String, reason: &str| {
                [stage.clone(), unit.clone(), dropped, failed, reason.to_owned()]
            };
            for (reason, count) in &counts.dropped {
                table.push(row(grouped(*count), String::new(), reason));
            }
            for (reason, count) in &counts.failed {
                table.push(row(String::new(), grouped(*count), reason));
            }
        }
    }
    table
}

/// Prints what was planted beside what was found; returns true if and only if they agree.
fn compare(comparisons: &[Comparison]) -> std::io::Result<bool> {
    let mut table = Table::new(&["removed in", "reason", "planted", "found", ""]);
    for Comparison { stage, reason, planted, found } in comparisons {
        let mark = if planted == found { "" } else { "DIFFERENT" }.to_owned();
        table.push([stage.clone(), reason.clone(), grouped(*planted), grouped(*found), mark]);
    }
    say!("{table}")?;
    Ok(comparisons.iter().all(|comparison| comparison.planted == comparison.found))
}
