//! The program itself, started again for one task: what a record costs that kills it is the child's alone.

use std::path::{Path, PathBuf};
use std::process::{Command, ExitStatus, Stdio};

use corpus::probe::Prober;
use corpus::store::Place;

/// Starts `kosmos task` in a run's folder.
#[derive(Debug, Clone)]
pub struct Child {
    /// The program.
    pub program: PathBuf,
    /// Where the run is.
    pub place: Place,
    /// Its working folder, which the child has in common with this process.
    pub work: PathBuf,
}

impl Prober for Child {
    fn try_range(&self, stage: &str, index: u32, mark: &Path) -> std::io::Result<ExitStatus> {
        let mut task = Command::new(&self.program);
        task.arg("task")
            .arg(self.place.to_argument())
            .args([stage, &index.to_string()])
            .arg("--probe")
            .arg(mark);
        if self.place.folder().is_none() {
            task.arg("--work").arg(&self.work);
        }
        task.stdin(Stdio::null()).stdout(Stdio::null()).status()
    }
}
