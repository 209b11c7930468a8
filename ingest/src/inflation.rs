//! Inflation: how much more a compressed file may give than it holds.
//!
//! Formats of compression shrink a repeated byte a thousand times and more, so a small file can stand for
//! more than any machine can work through. Real lists and texts shrink to a tenth or a twentieth, real pages
//! to a fifth. What goes beyond the bounds here is failed as [`INFLATED`], with nothing read behind it.

use crate::html::cost;

/// Reason: the file, or a page in it, decompresses to more than is worked through.
pub(crate) const INFLATED: &str = "inflated";

/// Bytes that a byte of the file may become.
const INFLATION_MAX: u64 = 100;
/// Bytes that every file may become, 64 MiB: small ones may well repeat one line.
const INFLATED_BYTES_FREE: u64 = 64 << 20;
/// Rows that every compressed file may hold, beside one for every second of its bytes: a row of a URL or an id takes
/// several, however well it compresses.
const ROWS_FREE: u64 = 1 << 19;
/// Streams that every lz4, xz or bzip2 file may consist of.
const STREAMS_FREE: u64 = 1_000;
/// Bytes of such a file for each further stream: beginning one costs as much as reading a page.
const STREAM_BYTES: u64 = 1_024;
/// What reading the pages of every archive may [`cost`], beside what its bytes allow.
const PAGES_FREE: u64 = 16 << 20;
/// What reading the pages in the rows of a plain file may cost: of tiny pages a hundred thousand.
const PLAIN_PAGES_FREE: u64 = 256 << 20;
/// What pages may cost for each byte of the archive before them: of the first of these bytes, which are read within two
/// seconds whatever they hold, and of all others. Dictionaries make large archives twice as dense as gzip does.
const PAGE_COST_OF_FIRST_BYTES: u64 = 40;
const FIRST_BYTES: u64 = 2 << 20;
const PAGE_COST_OF_BYTES: u64 = 120;
/// What a place costs where a record is broken.
const DAMAGE_COST: u64 = 8_192;

/// Returns the bytes that so many bytes of a file may become.
pub(crate) fn bytes_max(file_bytes: u64) -> u64 {
    file_bytes.saturating_mul(INFLATION_MAX).saturating_add(INFLATED_BYTES_FREE)
}

/// Says that so many bytes of a file give more than they may; none if they do not.
pub(crate) fn excess(file_bytes: u64, given: u64) -> Option<String> {
    let most = bytes_max(file_bytes);
    (given > most).then(|| format!("{file_bytes} bytes become more than {most}, a bomb"))
}

/// Says the same of streams.
pub(crate) fn excess_streams(file_bytes: u64, streams: u64) -> Option<String> {
    let most = STREAMS_FREE + file_bytes / STREAM_BYTES;
    (streams > most).then(|| format!("{file_bytes} bytes hold more than {most} streams, a bomb"))
}

/// Says the same of rows.
pub(crate) fn excess_rows(file_bytes: u64, rows: u64) -> Option<String> {
    let most = (file_bytes / 2).saturating_add(ROWS_FREE);
    (rows > most).then(|| format!("{file_bytes} bytes hold more than {most} rows, a bomb"))
}

/// What reading the pages of one archive, or of one compressed file of HTML, has cost so far.
#[derive(Debug)]
pub(crate) struct PageBudget {
    spent: u64,
    free: u64,
}

impl Default for PageBudget {
    fn default() -> Self {
        Self { spent: 0, free: PAGES_FREE }
    }
}

impl PageBudget {
    /// Returns that of the rows of a file that is not compressed.
    pub(crate) fn of_plain_rows() -> Self {
        Self { spent: 0, free: PLAIN_PAGES_FREE }
    }

    /// Takes the cost of a page before which the file has so many bytes.
    ///
    /// A page that costs too much takes no more than its bytes, which were decompressed after all.
    ///
    /// # Errors
    /// What is wrong, if the pages before it left too little.
    pub(crate) fn take(&mut self, file_bytes: u64, html: &[u8]) -> Result<(), String> {
        let bytes = html.len() as u64;
        self.spend(cost(html, self.most(file_bytes).saturating_sub(self.spent)), file_bytes).map_err(|()| {
            self.spent += bytes;
            format!("a page of {bytes} bytes, too much to read behind {file_bytes} bytes of the file")
        })
    }

    /// Takes bytes that were decompressed for no page: of a body that is too large, broken or something else.
    pub(crate) fn take_refused(&mut self, bytes: u64) {
        self.spent += bytes;
    }

    /// Takes the cost of a place where a record is broken: what it stands for is looked through for the next one.
    ///
    /// # Errors
    /// As [`Self::take`].
    pub(crate) fn take_damage(&mut self, file_bytes: u64) -> Result<(), String> {
        let spent = self.spend(DAMAGE_COST, file_bytes);
        spent.map_err(|()| format!("too many broken records behind {file_bytes} bytes of the file"))
    }

    /// Checks that something is left, before a page's bytes are decompressed.
    ///
    /// # Errors
    /// As [`Self::take`].
    pub(crate) fn check(&self, file_bytes: u64) -> Result<(), String> {
        match self.spent > self.most(file_bytes) {
            true => Err(format!("a page, too much behind {file_bytes} bytes of the file")),
            false => Ok(()),
        }
    }

    fn spend(&mut self, cost: u64, file_bytes: u64) -> Result<(), ()> {
        let spent = self.spent + cost;
        if spent > self.most(file_bytes) {
            return Err(());
        }
        self.spent = spent;
        Ok(())
    }

    /// Returns what the pages behind so many bytes of a file may have cost.
    fn most(&self, file_bytes: u64) -> u64 {
        let first = file_bytes.min(FIRST_BYTES);
        let further = (file_bytes - first).saturating_mul(PAGE_COST_OF_BYTES);
        (first * PAGE_COST_OF_FIRST_BYTES).saturating_add(further).saturating_add(self.free)
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn a_small_file_has_little_to_spend_and_a_large_one_enough_for_real_pages() {
        let (plain, tags) = (vec![b'x'; 4 << 20], b"<p>x".repeat(1 << 18));
        let taken = |page: &[u8], file_bytes| {
            let mut budget = PageBudget::default();
            (0..50).take_while(|_| budget.take(file_bytes, page).is_ok()).count()
        };
        assert_eq!((taken(&plain, 0), taken(&tags, 0)), (1, 0));
        assert_eq!((taken(&plain, 2 << 20), taken(&tags, 2 << 20)), (11, 1));
        let broken = |file_bytes| {
            let mut budget = PageBudget::default();
            (0..100_000).take_while(|_| budget.take_damage(file_bytes).is_ok()).count()
        };
        assert_eq!((broken(0), broken(2 << 20), broken(1 << 30)), (2_048, 12_288, 100_000));
        assert_eq!(taken(&tags, 1 << 30), 50);
    }

    #[test]
    fn pages_that_cost_too_much_are_no_longer_decompressed_after_a_few() {
        let (large, mut budget) = (vec![b'x'; 5 << 20], PageBudget::default());
        let decompressed =
            (0..50).filter(|_| budget.check(1_000).is_ok() && budget.take(1_000, &large).is_ok());
        assert_eq!(decompressed.count(), 1);
        assert!(budget.check(1_000).is_err() && budget.check(1 << 20).is_ok());
    }

    #[test]
    fn a_plain_file_of_tiny_pages_has_a_bound_and_one_of_small_pages_has_none() {
        let taken = |page: &[u8], count: usize| {
            let mut budget = PageBudget::of_plain_rows();
            (0..count).take_while(|row| budget.take((row * page.len()) as u64, page).is_ok()).count()
        };
        let small = b"<p>Seventy bytes of a page are more than its tag, its block and itself.";
        assert_eq!((taken(b"x", 1_000_000), taken(small, 1_000_000)), (133_549, 1_000_000));
    }

    #[test]
    fn what_a_real_file_holds_is_never_an_excess() {
        for bytes in [0, 1_000, 1 << 40] {
            assert_eq!(excess(bytes, bytes * 50), None);
            assert_eq!(excess_rows(bytes, bytes / 2), None);
            assert_eq!(excess_streams(bytes, bytes / 100_000), None);
        }
        assert!(excess(1_000, 100 << 20).unwrap().contains("1000 bytes become more than"));
        assert!(excess_rows(1_000, 2 << 20).is_some() && excess_streams(1_000, 2_000).is_some());
    }
}
