//! What `setup/test-tools.sh` installs.

use std::io::Write as _;
use std::path::PathBuf;

/// Finds a program, or says that tests are skipped.
pub fn installed(name: &str) -> Option<PathBuf> {
    let cache = std::env::var_os("XDG_CACHE_HOME").map(PathBuf::from);
    let cache = cache.or_else(|| Some(PathBuf::from(std::env::var_os("HOME")?).join(".cache")))?;
    let program = cache.join("kosmos/test-tools/bin").join(name);
    if program.exists() {
        return Some(program);
    }
    // Not by a macro that a test's own output is caught by.
    let _ = writeln!(std::io::stderr(), "skipped: {name} is not installed (setup/test-tools.sh)");
    None
}
