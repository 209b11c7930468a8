//! What a stage found, written in order: how all stages end that sort.

use corpus::record::{DUPLICATES, Duplicate, REPRESENTED};
use corpus::sort::Sorted;
use corpus::table::Record;
use corpus::{Id, Output, Result, Stream};

/// Writes sorted rows into a stream, each read and kept as one `unit`, after those that an earlier attempt
/// committed; the task is complete then. Ranges end at bytes alone, so that few parts are to be merged.
///
/// # Errors
/// When the disk refuses or a stop is asked for.
pub(super) fn write<const N: usize, R: Record>(
    out: &mut Output<'_>,
    unit: &str,
    stream: Stream<R>,
    rows: Sorted<[u64; N]>,
    record: impl Fn([u64; N]) -> Result<R>,
) -> Result<()> {
    write_rows(out, unit, stream, rows, record)?;
    Ok(())
}

/// As [`write()`], and after these rows `[representative, id]` into the stream [`REPRESENTED`], which are counted
/// as nothing: they say the same in another order.
///
/// # Errors
/// As [`write()`].
pub(super) fn write_represented<const N: usize, R: Record>(
    out: &mut Output<'_>,
    unit: &str,
    stream: Stream<R>,
    rows: Sorted<[u64; N]>,
    record: impl Fn([u64; N]) -> Result<R>,
    represented: Sorted<[u64; 2]>,
) -> Result<()> {
    let rows = write_rows(out, unit, stream, rows, record)?;
    let done = out.position().saturating_sub(rows) as usize;
    for row in represented.skip(done) {
        let [representative, id] = row?.map(Id::from_bits);
        out.write(REPRESENTED, Duplicate { id, representative })?;
        out.advance(1)?;
    }
    Ok(())
}

/// As [`write_represented`], of rows `[id, representative]`.
///
/// # Errors
/// As [`write()`].
pub(super) fn write_duplicates(
    out: &mut Output<'_>,
    unit: &str,
    duplicates: Sorted<[u64; 2]>,
    represented: Sorted<[u64; 2]>,
) -> Result<()> {
    let duplicate = |row: [u64; 2]| {
        let [id, representative] = row.map(Id::from_bits);
        Ok(Duplicate { id, representative })
    };
    write_represented(out, unit, DUPLICATES, duplicates, duplicate, represented)
}

/// Writes the rows that are not committed yet; returns how many there are with those that are.
fn write_rows<const N: usize, R: Record>(
    out: &mut Output<'_>,
    unit: &str,
    stream: Stream<R>,
    rows: Sorted<[u64; N]>,
    record: impl Fn([u64; N]) -> Result<R>,
) -> Result<u64> {
    out.set_range_records_max(u64::MAX);
    let done = out.position();
    let mut count = 0;
    for row in rows {
        let row = row?;
        count += 1;
        if count <= done {
            continue;
        }
        out.read(unit);
        out.write(stream, record(row)?)?;
        out.keep(unit);
        out.advance(1)?;
    }
    Ok(count)
}
