//! Records on which the process died: found by their mark, given up after the second time.
//!
//! While a record is in work that could bring the process down (decoding, parsing), its id is
//! marked in memory. A fatal signal (SIGSEGV, SIGBUS, SIGILL, SIGFPE, SIGABRT, which includes a
//! stack overflow) writes the marked id to the crash file before the process dies. A process
//! that is killed from outside (SIGKILL) leaves no mark: it says nothing about the record, and
//! the run continues as if it had not been stopped.

use std::cell::Cell;
use std::collections::BTreeMap;
use std::fs::{File, OpenOptions};
use std::io::{Read, Write};
use std::os::fd::IntoRawFd;
use std::os::unix::fs::FileExt;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicI32, Ordering};
use std::sync::{Mutex, MutexGuard, Once, PoisonError};

use crate::limits::CRASHES_MAX;
use crate::{Error, Id, Result};

thread_local! {
    static MARK: Cell<u64> = const { Cell::new(0) };
    static CATCHING: Cell<bool> = const { Cell::new(false) };
}
static CRASH_FILE: AtomicI32 = AtomicI32::new(-1);
static HANDLERS: Once = Once::new();
const FATAL_SIGNALS: [libc::c_int; 5] =
    [libc::SIGSEGV, libc::SIGBUS, libc::SIGILL, libc::SIGFPE, libc::SIGABRT];

/// The record could not be worked on at all.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fatal {
    /// The process died on it twice.
    Crash,
    /// The code that worked on it panicked.
    Panic,
}

impl Fatal {
    /// Returns the reason under which the record is failed.
    pub const fn reason(self) -> &'static str {
        match self {
            Self::Crash => "crash",
            Self::Panic => "panic",
        }
    }
}

/// How often the process died on which record.
#[derive(Debug, Default)]
pub struct Crashes {
    deaths: Mutex<BTreeMap<u64, u32>>,
    /// Where they are recorded.
    path: Option<PathBuf>,
    /// Where the one record is written that may be in work at a time; absent where many may.
    alone: Option<Mutex<File>>,
}

impl Crashes {
    /// Reads the crash file of a run, and has fatal signals add to it from now on.
    ///
    /// # Errors
    /// When the file cannot be opened.
    pub fn watch(path: &Path) -> Result<Self> {
        let crashes = Self::read(path)?;
        if let Some(folder) = path.parent() {
            std::fs::create_dir_all(folder).map_err(Error::io("create", folder))?;
        }
        let file = OpenOptions::new().create(true).append(true).open(path);
        let descriptor = file.map_err(Error::io("open", path))?.into_raw_fd();
        CRASH_FILE.store(descriptor, Ordering::SeqCst);
        HANDLERS.call_once(install_handlers);
        Ok(crashes)
    }

    /// Reads the crash file of a run for a process that tries records one by one, and writes each into `mark`
    /// as long as it is in work.
    ///
    /// # Errors
    /// When a file cannot be opened.
    pub fn alone(path: &Path, mark: &Path) -> Result<Self> {
        let file = OpenOptions::new().write(true).open(mark).map_err(Error::io("open", mark))?;
        Ok(Self { alone: Some(Mutex::new(file)), ..Self::read(path)? })
    }

    fn read(path: &Path) -> Result<Self> {
        let mut bytes = Vec::new();
        if let Ok(mut file) = File::open(path) {
            file.read_to_end(&mut bytes).map_err(Error::io("read", path))?;
        }
        let mut deaths = BTreeMap::new();
        for record in bytes.chunks_exact(8) {
            let mut bits = [0; 8];
            bits.copy_from_slice(record);
            *deaths.entry(u64::from_le_bytes(bits)).or_default() += 1;
        }
        Ok(Self { deaths: Mutex::new(deaths), path: Some(path.to_owned()), alone: None })
    }

    /// Records that a record is not to be worked on any more.
    ///
    /// # Errors
    /// When the crash file cannot be written.
    pub(crate) fn give_up(&self, id: Id) -> Result<()> {
        lock(&self.deaths).insert(id.to_bits(), CRASHES_MAX);
        let Some(path) = &self.path else {
            return Ok(());
        };
        let deaths = id.to_bits().to_le_bytes().repeat(CRASHES_MAX as usize);
        let file = OpenOptions::new().create(true).append(true).open(path);
        let written = file.and_then(|mut file| file.write_all(&deaths).and_then(|()| file.sync_all()));
        written.map_err(Error::io("write", path))
    }

    /// Works on a record under its mark; a panic or an earlier crash becomes a reason.
    ///
    /// # Errors
    /// [`Fatal`], by whose reason the record is to be failed.
    pub fn guard<T>(&self, id: Id, work: impl FnOnce() -> T) -> Result<T, Fatal> {
        if lock(&self.deaths).get(&id.to_bits()).is_some_and(|deaths| *deaths >= CRASHES_MAX) {
            return Err(Fatal::Crash);
        }
        // Zero stands for no mark; ids are shifted by one to keep id 0 apart.
        let mark = id.to_bits().wrapping_add(1);
        let alone = self.alone.as_ref().map(lock);
        // Unwritten, it blames nobody.
        let write = |mark: u64| alone.as_ref().map(|file| file.write_all_at(&mark.to_le_bytes(), 0));
        let outer = MARK.replace(mark);
        write(mark);
        let result = caught(work);
        write(outer);
        MARK.set(outer);
        result.map_err(|_| Fatal::Panic)
    }
}

/// Runs code of others on data of others; a panic of it is data, with its message.
///
/// # Errors
/// What the panic says.
pub fn caught<T>(work: impl FnOnce() -> T) -> Result<T, String> {
    let outer = CATCHING.replace(true);
    let result = catch_unwind(AssertUnwindSafe(work));
    CATCHING.set(outer);
    result.map_err(|panic| {
        let text = panic.downcast_ref::<&str>().map(|text| (*text).to_owned());
        text.or_else(|| panic.downcast_ref::<String>().cloned()).unwrap_or_else(|| "no message".to_owned())
    })
}

/// Returns true while a panic of this thread would be [`caught`].
pub fn is_catching() -> bool {
    CATCHING.get()
}

/// A poisoned lock only means that another worker panicked.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

fn install_handlers() {
    for signal in FATAL_SIGNALS {
        // SAFETY: `on_fatal` only uses async-signal-safe calls; SA_ONSTACK uses the alternate
        // stack that the standard library gives every thread, so stack overflows are seen too;
        // SA_RESETHAND restores the default action, by which the second signal ends the process.
        unsafe {
            let mut action: libc::sigaction = std::mem::zeroed();
            action.sa_sigaction = on_fatal as *const () as usize;
            action.sa_flags = libc::SA_ONSTACK | libc::SA_RESETHAND;
            libc::sigaction(signal, &action, std::ptr::null_mut());
        }
    }
}

extern "C" fn on_fatal(signal: libc::c_int) {
    let mark = MARK.try_with(Cell::get).unwrap_or(0);
    let descriptor = CRASH_FILE.load(Ordering::SeqCst);
    if mark != 0 && descriptor >= 0 {
        let bytes = mark.wrapping_sub(1).to_le_bytes();
        // SAFETY: `write` is async-signal-safe; the buffer is on this stack.
        unsafe { libc::write(descriptor, bytes.as_ptr().cast(), bytes.len()) };
    }
    // SAFETY: `raise` is async-signal-safe; the default action was restored by SA_RESETHAND.
    unsafe { libc::raise(signal) };
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::panic)]
mod tests {
    use super::*;

    #[test]
    fn a_panic_becomes_a_reason() {
        let id = Id::from_bits(7);
        let crashes = Crashes::default();
        assert_eq!(crashes.guard(id, || 1), Ok(1));
        assert_eq!(crashes.guard::<()>(id, || panic!("on purpose")), Err(Fatal::Panic));
    }

    /// Runs this test binary again as a child which aborts on record 42.
    #[test]
    fn a_record_on_which_the_process_died_twice_is_given_up() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("crashes");
        for _ in 0..2 {
            assert_eq!(Crashes::watch(&path).unwrap().guard(Id::from_bits(42), || 1), Ok(1));
            let child = std::process::Command::new(std::env::current_exe().unwrap())
                .args(["--exact", "crash::tests::dies_on_record_42", "--nocapture"])
                .env("CRASH_FILE_OF_TEST", &path)
                .output()
                .unwrap();
            assert!(!child.status.success());
        }
        let crashes = Crashes::watch(&path).unwrap();
        assert_eq!(crashes.guard(Id::from_bits(42), || 1), Err(Fatal::Crash));
        assert_eq!(crashes.guard(Id::from_bits(43), || 1), Ok(1));
    }

    /// Does nothing unless it is run as the child of the test above.
    #[test]
    fn dies_on_record_42() {
        let Some(path) = std::env::var_os("CRASH_FILE_OF_TEST") else {
            return;
        };
        let crashes = Crashes::watch(Path::new(&path)).unwrap();
        let _ = crashes.guard(Id::from_bits(42), || std::process::abort());
    }
}
