//! Every bound on what a stage boundary may carry, in one place, with its reason.

/// Rows of a row group at most: statistics stay useful for pruning.
pub const ROW_GROUP_ROWS_MAX: usize = 8_192;
/// Payload bytes of a row group at most: what a reader or writer holds in memory per stream.
pub const ROW_GROUP_BYTES_MAX: usize = 16 << 20;
/// Rows a reader decodes at once.
pub const READ_BATCH_ROWS: usize = 1_024;
/// Input records of one committed range at most, unless a stage says otherwise.
pub const RANGE_RECORDS_MAX: u64 = 20_000;
/// Payload bytes written in one committed range at most, unless a stage says otherwise.
pub const RANGE_BYTES_MAX: u64 = 256 << 20;
/// Characters of a removed record that are kept as its preview.
pub const PREVIEW_CHARS_MAX: usize = 200;
/// Deaths on the same record after which it becomes `failed: crash`.
pub const CRASHES_MAX: u32 = 2;
/// Interruptions of one range without progress after which it is tried in a process of its own.
pub const INTERRUPTIONS_MAX: usize = 3;
/// Times that such a process is started for one range.
pub const PROBES_MAX: u32 = 1_000;
/// Bytes of one row at most, 1 GiB: columns of text have offsets of 31 bits.
pub const ROW_BYTES_MAX: usize = 1 << 30;
/// Bytes of one ledger entry or manifest at most, 1 GiB: a million tasks fit.
pub const LEDGER_BYTES_MAX: u64 = 1 << 30;
/// Bytes that must be free on the disk before a stage starts.
pub const FREE_BYTES_MIN: u64 = 256 << 20;
