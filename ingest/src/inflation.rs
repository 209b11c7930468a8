//! Inflation: how much more a compressed file may give than it holds.
//!
//! Formats of compression shrink a repeated byte a thousand times and more, so a small file can stand for
//! what no machine could work through. Real lists and texts shrink to a tenth or a twentieth.

/// Bytes that a byte of the file may become.
const INFLATION_MAX: u64 = 100;
/// Bytes that every file may become, 64 MiB: small ones may well repeat one line.
const INFLATED_BYTES_FREE: u64 = 64 << 20;

/// Returns the bytes that so many bytes of a file may become.
pub(crate) fn bytes_max(file_bytes: u64) -> u64 {
    file_bytes.saturating_mul(INFLATION_MAX).saturating_add(INFLATED_BYTES_FREE)
}

/// Says that a file gives more than that.
pub(crate) fn excess(file_bytes: u64) -> String {
    format!("{file_bytes} bytes become more than {}, a bomb", bytes_max(file_bytes))
}
