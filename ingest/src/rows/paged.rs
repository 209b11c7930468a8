//! A Parquet file whose pages are looked at before they are decoded: the decoder allocates what a page's header
//! claims.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use bytes::Bytes;
use parquet::errors::ParquetError;
use parquet::file::reader::{ChunkReader, Length};

use super::page_header::PageSizes;
use crate::fetch::Ranged;
use crate::inflation;

/// Bytes of one page: some writers put a whole row group into one.
const PAGE_BYTES_MAX: u64 = 256 << 20;
/// Bytes in which a page's header is looked for; longer ones have long statistics.
const HEADER_BYTES: [usize; 3] = [256, 8 << 10, 1 << 20];

/// The file, once its footer is read: all that is read in sequence from now on are pages.
#[derive(Clone)]
pub(super) struct Paged {
    file: Ranged,
    /// Bytes that the pages so far become.
    inflated: Arc<AtomicU64>,
}

impl Paged {
    pub(super) fn new(file: Ranged) -> Self {
        Self { file, inflated: Arc::default() }
    }

    /// Refuses a page that claims more than a page, or than this file may become.
    fn check(&self, start: u64) -> Result<(), ParquetError> {
        let left = usize::try_from(self.len().saturating_sub(start)).unwrap_or(usize::MAX);
        let sizes = HEADER_BYTES
            .iter()
            .find_map(|length| PageSizes::read(&self.file.get_bytes(start, left.min(*length)).ok()?));
        if self.file.has_failed() {
            return Err(ParquetError::General("the file cannot be read".to_owned()));
        }
        let sizes = sizes.ok_or_else(|| ParquetError::General(format!("no page at byte {start}")))?;
        let claims = |what: &str, bytes: u64| {
            ParquetError::General(format!("the page at byte {start} claims {bytes} bytes, {what}"))
        };
        if sizes.compressed > left as u64 {
            return Err(claims("more than are left in the file", sizes.compressed));
        }
        if sizes.uncompressed > PAGE_BYTES_MAX {
            return Err(claims(&format!("the most is {PAGE_BYTES_MAX}"), sizes.uncompressed));
        }
        let before = self.inflated.fetch_add(sizes.uncompressed, Ordering::Relaxed);
        let excess = inflation::excess(self.len(), before + sizes.uncompressed);
        excess.map_or(Ok(()), |detail| Err(ParquetError::General(detail)))
    }
}

impl Length for Paged {
    fn len(&self) -> u64 {
        self.file.len()
    }
}

impl ChunkReader for Paged {
    type T = <Ranged as ChunkReader>::T;

    fn get_read(&self, start: u64) -> Result<Self::T, ParquetError> {
        self.check(start)?;
        self.file.get_read(start)
    }

    fn get_bytes(&self, start: u64, length: usize) -> Result<Bytes, ParquetError> {
        self.file.get_bytes(start, length)
    }
}
