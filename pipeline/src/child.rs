//! The program itself, started again for one task: what a record costs that kills it is the child's alone.

use std::path::{Path, PathBuf};
use std::process::{Command, ExitStatus, Stdio};

use corpus::probe::Prober;

/// Starts `kosmos task` in a run's folder.
#[derive(Debug, Clone)]
pub struct Child {
    /// The program.
    pub program: PathBuf,
    /// The run's folder.
    pub folder: PathBuf,
}

impl Prober for Child {
    fn try_range(&self, stage: &str, index: u32, mark: &Path) -> std::io::Result<ExitStatus> {
        let mut task = Command::new(&self.program);
        task.arg("task").arg(&self.folder).args([stage, &index.to_string()]).arg("--probe").arg(mark);
        task.stdin(Stdio::null()).stdout(Stdio::null()).status()
    }
}
