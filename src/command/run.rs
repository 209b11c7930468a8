//! `kosmos run`: the main job.

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use corpus::{Cancel, Description, Inputs};
use images::RETRY;

use crate::advice;
use crate::cli::RunArgs;
use crate::config::{Config, Loaded, load_based};
use crate::exit::Usage;
use crate::flow::{Flow, RunContext};
use crate::folder::Folder;
use crate::names;
use crate::print::{note, say};
use crate::run::{Runner, Selection, refuse_stale};
use crate::sources;
use crate::table::Table;
use crate::unread;

/// Runs the stages of a configuration.
pub(crate) fn run(arguments: RunArgs) -> anyhow::Result<ExitCode> {
    let loaded = load_based(&arguments.config)?;
    let dir = arguments.dir.unwrap_or_else(|| default_dir(&loaded.config.name));
    let selection = Selection { until: arguments.until, only: arguments.only, rebuild: arguments.rebuild };
    execute(&loaded, &dir, &selection, arguments.workers, arguments.retry_failed)
}

/// Returns where a run goes unless `--dir` says otherwise.
pub(crate) fn default_dir(name: &str) -> PathBuf {
    Path::new("run").join(name)
}

/// Runs a loaded configuration in a folder, and prints what was removed and why.
pub(crate) fn execute(
    loaded: &Loaded,
    dir: &Path,
    selection: &Selection,
    workers: Option<usize>,
    retry_failed: bool,
) -> anyhow::Result<ExitCode> {
    if workers == Some(0) {
        return Err(Usage("--workers must be at least 1".to_owned()).into());
    }
    let folder = Folder::create(dir)?;
    let _lock = folder.lock()?;
    loaded.enter()?;
    let retry_passes = retry_passes(&folder, &loaded.config, retry_failed)?;
    // A misspelt name is told before anything that the configuration names is opened.
    selection.check(&names::possible(&loaded.config, retry_passes))?;
    let context = RunContext::start(&loaded.config)?;
    let flow = Flow::new(&loaded.config, &context, retry_passes)?;
    let stages: Vec<Description> = flow.stages.iter().map(|stage| Description::of(stage.as_ref())).collect();
    let stage_names: Vec<String> = stages.iter().map(|stage| stage.name.clone()).collect();
    selection.check(&stage_names)?;
    let selection = &sources::refuse_changed(&folder, &loaded.config, context.client(), selection.clone())?;
    refuse_stale(&folder, &stages, &covering(&folder, selection, &stage_names)?)?;
    folder.freeze(&loaded.text, &stages)?;
    let cancel = Cancel::default();
    stop_on_signal(&cancel)?;
    let runner = Runner {
        folder: &folder,
        workers: workers.unwrap_or_else(cores),
        cancel: &cancel,
        crashes: &folder.crashes(None)?,
        limits: &loaded.config.limits,
        sources: loaded.config.sources.keys().cloned().collect(),
    };
    let sealed = runner.run(&flow.stages, selection)?;
    say!("\n{}", removed(&sealed))?;
    let reports = stages
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
    let last_pass = loaded.config.images.as_ref().map(|images| names::pass(images.passes + retry_passes - 1));
    let is_as_planted = context.compare(&sealed, last_pass.as_deref())?;
    if let Some(evaluation) = sealed.0.get("evaluate") {
        crate::scores::print(evaluation)?;
    }
    say!("results are in {}", folder.path().display())?;
    Ok(if is_as_planted { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// Returns the passes over images beyond those of the configuration; one more if failures are to be retried
/// and the last pass left some.
fn retry_passes(folder: &Folder, config: &Config, retry_failed: bool) -> anyhow::Result<u32> {
    let passes = folder.retry_passes()?;
    if !retry_failed {
        return Ok(passes);
    }
    let Some(images) = &config.images else {
        return Err(Usage("--retry-failed: the configuration has no [images]".to_owned()).into());
    };
    let last = names::pass(images.passes + passes - 1);
    let sealed = folder.sealed()?;
    let Some(dataset) = sealed.0.get(&last) else {
        let message = format!("--retry-failed: {last} is not finished; run without it first");
        return Err(Usage(message).into());
    };
    let left: u64 = dataset.parts(RETRY).map(|part| part.rows).sum();
    if left == 0 {
        note!("{last}: no image failed for a reason that may have passed");
        return Ok(passes);
    }
    folder.set_retry_passes(passes + 1)?;
    Ok(passes + 1)
}

/// Returns the stages whose change the user agreed to: those to run again, and passes that were just added.
fn covering(folder: &Folder, selection: &Selection, names: &[String]) -> anyhow::Result<Vec<String>> {
    let before = folder.stages()?;
    let is_known = |name: &String| before.iter().any(|stage| stage.name == *name);
    let is_added = |name: &&String| name.starts_with(names::PASSES) && !is_known(name);
    Ok(selection.rebuild.iter().chain(names.iter().filter(is_added)).cloned().collect())
}

/// The first Ctrl-C or SIGTERM abandons the running tasks at their next record; the second
/// ends the process at once, which is harmless too.
fn stop_on_signal(cancel: &Cancel) -> anyhow::Result<()> {
    let cancel = cancel.clone();
    ctrlc::set_handler(move || {
        if cancel.is_requested() {
            std::process::exit(i32::from(crate::exit::CANCELLED));
        }
        note!("stopping; what is committed stays, run again to continue");
        cancel.request();
    })?;
    Ok(())
}

fn cores() -> usize {
    std::thread::available_parallelism().map_or(1, std::num::NonZero::get)
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
                table.push(row(crate::number::grouped(*count), String::new(), reason));
            }
            for (reason, count) in &counts.failed {
                table.push(row(String::new(), crate::number::grouped(*count), reason));
            }
        }
    }
    table
}
