//! What a stage found, written in order: how all stages end that sort.

use corpus::table::Record;
use corpus::{Output, Result};

use crate::near::sorter::Sorted;

/// Writes sorted rows into a stream, each read and kept as one `unit`, after those that an earlier attempt
/// committed; the task is complete then. Ranges end at bytes alone, so that few parts are to be merged.
///
/// # Errors
/// When the disk refuses or a stop is asked for.
pub(super) fn write<const N: usize, R: Record>(
    mut out: Output<'_>,
    unit: &str,
    stream: &str,
    rows: Sorted<N>,
    record: impl Fn([u64; N]) -> R,
) -> Result<()> {
    out.set_range_records_max(u64::MAX);
    let done = out.position() as usize;
    for row in rows.skip(done) {
        out.read(unit);
        out.write(stream, record(row?))?;
        out.keep(unit);
        out.advance(1)?;
    }
    out.finish()
}
