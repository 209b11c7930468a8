//! The footer of a Parquet file, looked through before the library reads it: the library believes a list that claims to
//! have 2^32 elements, and counts them.

use parquet::errors::{ParquetError, Result};
use parquet::file::reader::{ChunkReader, Length};

use super::thrift;
use crate::container::PARQUET_MAGIC;
use crate::fetch::Ranged;

/// Bytes behind a footer: its length, and the mark.
const TAIL_BYTES: u64 = 8;

/// Checks that a footer, where there is one, claims no more elements than its bytes can hold.
///
/// # Errors
/// When it does, or the file cannot be read.
pub(super) fn check(file: &Ranged) -> Result<()> {
    let Some(end) = file.len().checked_sub(TAIL_BYTES) else { return Ok(()) };
    let tail = file.get_bytes(end, TAIL_BYTES as usize)?;
    let Some((length, mark)) = tail.split_first_chunk() else { return Ok(()) };
    let length = u32::from_le_bytes(*length);
    let Some(begin) = end.checked_sub(length.into()).filter(|_| mark == PARQUET_MAGIC) else { return Ok(()) };
    match thrift::is_struct(&file.get_bytes(begin, length as usize)?) {
        true => Ok(()),
        false => Err(ParquetError::General("its footer is damaged".to_owned())),
    }
}
