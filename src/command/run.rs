//! `kosmos run`: the main job.

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use corpus::{Cancel, Inputs};

use crate::cli::RunArgs;
use crate::config::{Loaded, load};
use crate::exit::Usage;
use crate::flow::{Flow, Surroundings};
use crate::folder::{Folder, settings_of};
use crate::run::{Runner, Selection, refuse_stale};
use crate::table::Table;

/// Runs the stages of a configuration.
pub(crate) fn run(arguments: RunArgs) -> anyhow::Result<ExitCode> {
    let loaded = load(&arguments.config)?;
    let dir = arguments.dir.unwrap_or_else(|| default_dir(&loaded.config.name));
    let selection = Selection { until: arguments.until, only: arguments.only, rebuild: arguments.rebuild };
    execute(&loaded, &dir, &selection, arguments.workers)
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
) -> anyhow::Result<ExitCode> {
    if workers == Some(0) {
        return Err(Usage("--workers must be at least 1".to_owned()).into());
    }
    let folder = Folder::create(dir)?;
    let surroundings = Surroundings::start(&loaded.config)?;
    let flow = Flow::new(&loaded.config, &surroundings)?;
    selection.check(&flow.stages)?;
    refuse_stale(&folder, &flow.stages, &selection.rebuild)?;
    folder.freeze(&loaded.text, &settings_of(&flow.stages))?;
    let cancel = Cancel::default();
    stop_on_signal(&cancel)?;
    let runner = Runner {
        folder: &folder,
        workers: workers.unwrap_or_else(cores),
        cancel: &cancel,
        crashes: &folder.crashes()?,
    };
    let sealed = runner.run(&flow.stages, selection)?;
    println!("\n{}", removed(&sealed));
    let is_as_planted = surroundings.compare(&sealed);
    if let Some(evaluation) = sealed.0.get("evaluate") {
        crate::scores::print(evaluation)?;
    }
    println!("results are in {}", folder.path().display());
    Ok(if is_as_planted { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// The first Ctrl-C or SIGTERM abandons the running tasks at their next record; the second
/// ends the process at once, which is harmless too.
fn stop_on_signal(cancel: &Cancel) -> anyhow::Result<()> {
    let cancel = cancel.clone();
    ctrlc::set_handler(move || {
        if cancel.is_requested() {
            std::process::exit(i32::from(crate::exit::CANCELLED));
        }
        eprintln!("stopping; what is committed stays, run again to continue");
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
