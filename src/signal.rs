//! Signals: what asks a run or a task to stop.

use corpus::Cancel;

use crate::exit;
use crate::print::note;

/// The first Ctrl-C or SIGTERM abandons the running tasks at their next record; the second
/// ends the process at once, which is harmless too.
pub(crate) fn stop_on_signal(cancel: &Cancel) -> anyhow::Result<()> {
    let cancel = cancel.clone();
    ctrlc::set_handler(move || {
        if cancel.is_requested() {
            std::process::exit(i32::from(exit::CANCELLED));
        }
        note!("stopping; what is committed stays, run again to continue");
        cancel.request();
    })?;
    Ok(())
}
