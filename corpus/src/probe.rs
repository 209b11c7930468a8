//! The probe: a range at which the process was killed again and again is tried in a child process, its records
//! one by one under a limit of memory, and nothing of it is committed.
//!
//! The kernel kills a process that takes all memory without a word, so no mark says on which record. The
//! child writes each record down before it begins. A record on which it dies twice becomes `failed: crash`; kills
//! from outside never meet one record twice, and blame none.

use std::collections::BTreeMap;
use std::fs::File;
use std::os::unix::fs::FileExt;
use std::os::unix::process::ExitStatusExt;
use std::path::Path;
use std::process::ExitStatus;

use crate::crash::Crashes;
use crate::limits::{CRASHES_MAX, INTERRUPTIONS_MAX, PROBES_MAX};
use crate::{Error, Id, Result, attempt};

/// Starts child processes that try a range.
pub trait Prober: Sync {
    /// Runs the first range of a task that is not committed, as [`crate::Engine::try_range`] does, and has
    /// [`Crashes::alone`] write each record into this file; returns how the process ended.
    ///
    /// # Errors
    /// When no process can be started.
    fn try_range(&self, stage: &str, index: u32, mark: &Path) -> std::io::Result<ExitStatus>;
}

/// Tries a range until no record kills the process any more.
///
/// # Errors
/// When it dies where no record is in work, or more often than [`PROBES_MAX`] times.
pub(crate) fn probe(
    prober: &dyn Prober,
    (stage, index, range): (&str, u32, u32),
    keep: &Path,
    crashes: &Crashes,
    warn: impl Fn(&str),
) -> Result<()> {
    warn(&format!(
        "task {index} was interrupted {INTERRUPTIONS_MAX} times without progress: its records are tried one by one, in \
         case one of them takes all memory (after interruptions from outside this finds nothing and costs little)"
    ));
    let mark = keep.join("mark");
    let mut deaths = BTreeMap::<u64, u32>::new();
    for _ in 0..PROBES_MAX {
        File::create(&mark).map_err(Error::io("create", &mark))?;
        let ended = prober.try_range(stage, index, &mark).map_err(|error| Error::work(stage, error))?;
        // It came through, or met a fault that it could tell: either is for the attempt that follows.
        let Some(signal) = ended.signal() else {
            attempt::forget(keep, range);
            return Ok(());
        };
        let Some(id) = marked(&mark) else {
            return Err(Error::work(stage, Outside { index, signal }));
        };
        let died = deaths.entry(id.to_bits()).or_default();
        *died += 1;
        if *died >= CRASHES_MAX {
            crashes.give_up(id)?;
            warn(&format!(
                "task {index}: record {id} kills the process (signal {signal}), also alone: it is given up"
            ));
        }
    }
    Err(Error::work(stage, Outside { index, signal: 0 }))
}

/// A range dies, and no record is to blame.
#[derive(Debug, thiserror::Error)]
#[error(
    "task {index} was interrupted again and again, also alone (signal {signal}), with no record in work: raise \
     limits.record_memory_mb, or give the task more memory"
)]
struct Outside {
    index: u32,
    signal: i32,
}

/// Reads the record that was in work, if one was.
fn marked(mark: &Path) -> Option<Id> {
    let mut bits = [0; 8];
    File::open(mark).ok()?.read_exact_at(&mut bits, 0).ok()?;
    // Zero stands for none; ids are shifted by one.
    u64::from_le_bytes(bits).checked_sub(1).map(Id::from_bits)
}

/// Bounds what this process may hold beyond what it does now, and has it end with the one that started it.
/// An allocation beyond the bound ends the process.
pub fn confine(bytes: u64) {
    let Ok(status) = std::fs::read_to_string("/proc/self/status") else {
        return;
    };
    let data = status.lines().find_map(|line| line.strip_prefix("VmData:"));
    let kibibytes = data.and_then(|text| text.trim().split(' ').next()?.parse::<u64>().ok());
    let most = kibibytes.unwrap_or_default().saturating_mul(1_024).saturating_add(bytes);
    let limits = libc::rlimit { rlim_cur: most, rlim_max: most };
    // SAFETY: both calls read their arguments alone. Refused, the process goes on without a bound.
    unsafe {
        libc::setrlimit(libc::RLIMIT_DATA, &raw const limits);
        libc::prctl(libc::PR_SET_PDEATHSIG, libc::SIGKILL);
    }
}
