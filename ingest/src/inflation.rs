//! Inflation: how much more a compressed file may give than it holds.
//!
//! Formats of compression shrink a repeated byte a thousand times and more, so a small file can stand for
//! more than any machine can work through. Real lists and texts shrink to a tenth or a twentieth, real pages
//! to a fifth. What goes beyond the bounds here is failed as [`INFLATED`], with nothing read behind it.

use crate::html::charset::GUESS_BYTES;

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
/// What reading the pages of every archive may cost, 16 MiB, beside [`PAGE_INFLATION_MAX`].
const PAGES_FREE: u64 = 16 << 20;
/// What reading the pages in the rows of a plain file may cost, 256 MiB: of tiny pages a hundred thousand.
const PLAIN_PAGES_FREE: u64 = 256 << 20;
/// What it may cost for each byte of the archive before the page.
const PAGE_INFLATION_MAX: u64 = 40;
/// What a page costs beside its bytes, and what a place costs where a record is broken, in bytes of plain text.
const PAGE_COST: u64 = 2_048;
const DAMAGE_COST: u64 = 8_192;
/// What a tag costs, and an attribute, in bytes of plain text: making its node takes longer than reading its name.
/// Real pages (473 labelled ones) cost 8 to 10 times their compressed bytes on average, and the dearest 29 times.
const TAG_COST: u64 = 32;

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
        let tags = memchr::memchr2_iter(b'<', b'=', html).count() as u64;
        let bytes = html.len() as u64;
        // The charset of a page that is not UTF-8 may have to be guessed.
        let guess = if std::str::from_utf8(html).is_ok() { 0 } else { bytes.min(GUESS_BYTES as u64) };
        let cost = PAGE_COST + bytes + tags * TAG_COST + guess;
        self.spend(cost, file_bytes).map_err(|()| {
            self.spent += bytes;
            format!("a page of {bytes} bytes and {tags} tags and attributes, too much behind {file_bytes} bytes of the file")
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
        file_bytes.saturating_mul(PAGE_INFLATION_MAX).saturating_add(self.free)
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn pages_cost_their_tags_and_a_small_file_has_little_to_spend() {
        let (plain, tags) = (vec![b'x'; 4 << 20], b"<p>x".repeat(1 << 20));
        let taken = |page: &[u8], file_bytes| {
            let mut budget = PageBudget::default();
            (0..50).take_while(|_| budget.take(file_bytes, page).is_ok()).count()
        };
        assert_eq!((taken(&plain, 0), taken(&tags, 0)), (3, 0));
        assert_eq!((taken(&plain, 2 << 20), taken(&tags, 2 << 20)), (23, 2));
        let broken = |file_bytes| {
            let mut budget = PageBudget::default();
            (0..100_000).take_while(|_| budget.take_damage(file_bytes).is_ok()).count()
        };
        assert_eq!((broken(0), broken(2 << 20), broken(1 << 30)), (2_048, 12_288, 100_000));
        assert_eq!(taken(&tags, 1 << 30), 50);
    }

    #[test]
    fn pages_that_cost_too_much_are_no_longer_decompressed_after_a_few() {
        let (large, mut budget) = (vec![b'x'; 10 << 20], PageBudget::default());
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
        let small = b"<p>Fifty-six bytes of a page are more than its tags cost.";
        assert_eq!((taken(b"x", 1_000_000), taken(small, 1_000_000)), (133_616, 1_000_000));
    }

    #[test]
    fn a_page_whose_charset_may_have_to_be_guessed_costs_more() {
        let taken = |page: &[u8]| {
            let mut budget = PageBudget::default();
            (0..10_000).take_while(|_| budget.take(0, page).is_ok()).count()
        };
        assert_eq!((taken("é".repeat(10_000).as_bytes()), taken(&[0xe9; 20_000])), (760, 399));
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
