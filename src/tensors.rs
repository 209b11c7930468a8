//! Goes on as `kosmos-torch` where tensors are computed, before anything is opened, locked or written.

use std::io;
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::Context as _;
use corpus::Stage;
use pipeline::{Context, Flow, Loaded, Selection};

/// The executable that has libtorch; it stands beside this one.
const EXECUTABLE: &str = "kosmos-torch";

/// Goes on as the executable that computes tensors, with the same arguments, if one of the selected stages does and
/// this one cannot.
pub(crate) fn go_on_for(loaded: &Loaded, selection: &Selection) -> anyhow::Result<()> {
    let Some(stage) = computing(loaded, selection)? else { return Ok(()) };
    let program = program()?;
    Err(go_on(&program)).with_context(|| missing(&stage, &program))
}

/// As [`go_on_for`] of all stages, if that executable is there: nearly all can be done without it.
pub(crate) fn go_on_if_possible(loaded: &Loaded) -> anyhow::Result<()> {
    let program = program()?;
    match program.exists() && computing(loaded, &Selection::default())?.is_some() {
        true => Err(go_on(&program)).with_context(|| format!("cannot start {}", program.display())),
        false => Ok(()),
    }
}

/// Returns the first of the selected stages that computes tensors, if this process cannot.
fn computing(loaded: &Loaded, selection: &Selection) -> anyhow::Result<Option<String>> {
    if model::backend().is_ok() {
        return Ok(None);
    }
    let context = Context::offline(&loaded.config)?;
    let flow = Flow::new(&loaded.config, &context, 0)?;
    // A stage that there is not is told where the run begins.
    let is_known = selection.check(&flow.names()).is_ok();
    let stage = selection.stages(&flow).find(|stage| stage.computes_tensors()).map(Stage::name);
    Ok(stage.filter(|_| is_known))
}

fn program() -> anyhow::Result<PathBuf> {
    let current = std::env::current_exe().context("cannot tell where this program is")?;
    Ok(current.with_file_name(EXECUTABLE))
}

/// Does not return unless it fails.
fn go_on(program: &Path) -> io::Error {
    Command::new(program).args(std::env::args_os().skip(1)).exec()
}

fn missing(stage: &str, program: &Path) -> String {
    format!(
        "stage {stage} computes tensors, which {} does: it cannot be started. Build it \
         (`cargo build --release`, or `make build`), or stop before that stage (--until)",
        program.display()
    )
}
