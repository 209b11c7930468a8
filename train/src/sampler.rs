//! The sampler: in which order the rows of a shard are visited, epoch after epoch.
//!
//! Rows are visited window by window. A window is a few *blocks* (ranges of rows of one part)
//! that a keyed permutation of all blocks puts together; inside the window the rows of all its
//! blocks are permuted together. So a part is read sequentially, memory is bounded by one
//! window, and the position is three numbers. Blocks are dealt out to ranks round-robin: the
//! ranks of an epoch are disjoint and together they are the epoch.

use serde::{Deserialize, Serialize};

use crate::permutation::Permutation;

/// Rows of a block at most, however small they are.
pub const BLOCK_ROWS_MAX: u64 = 8_192;

/// A range of rows of one part: what is read at once.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Block {
    /// Index of the part.
    pub part: usize,
    /// The first row.
    pub row_start: u64,
    /// How many rows.
    pub row_count: u64,
}

/// Which share of the work this process does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Rank {
    /// From 0.
    pub index: u64,
    /// How many processes there are, at least 1.
    pub count: u64,
}

impl Rank {
    /// A process alone.
    pub const ONLY: Self = Self { index: 0, count: 1 };
}

/// How far a rank has come in a shard.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Position {
    /// Completed epochs.
    pub epoch: u64,
    /// Completed windows of this epoch.
    pub window: u64,
    /// Visited rows of this window.
    pub row: u64,
}

/// Cuts runs of rows into blocks, a pure function of the runs and of (rows, bytes) of each part.
///
/// A block has about `block_bytes_max` of its part's bytes, at least one row and at most
/// [`BLOCK_ROWS_MAX`].
pub fn blocks_of(runs: &[Block], parts: &[(u64, u64)], block_bytes_max: u64) -> Vec<Block> {
    let mut blocks = Vec::new();
    for &Block { part, row_start, row_count } in runs {
        let (rows, bytes) = parts.get(part).copied().unwrap_or_default();
        let fitting = u128::from(rows) * u128::from(block_bytes_max) / u128::from(bytes.max(1));
        let block_rows = fitting.clamp(1, u128::from(BLOCK_ROWS_MAX)) as u64;
        let (mut row_start, end) = (row_start, row_start + row_count);
        while row_start < end {
            let row_count = block_rows.min(end - row_start);
            blocks.push(Block { part, row_start, row_count });
            row_start += row_count;
        }
    }
    blocks
}

/// Orders the blocks of a shard.
#[derive(Debug, Clone)]
pub struct Sampler {
    seed: u64,
    stream: String,
    block_count: u64,
    window_blocks: u64,
    rank: Rank,
}

impl Sampler {
    /// Returns the sampler of a shard, by the name of its random stream; `None` if there are
    /// fewer blocks than ranks, so that a rank would have nothing.
    pub fn new(seed: u64, stream: &str, block_count: u64, window_blocks: u32, rank: Rank) -> Option<Self> {
        (rank.index < rank.count && block_count >= rank.count).then(|| Self {
            seed,
            stream: stream.to_owned(),
            block_count,
            window_blocks: u64::from(window_blocks.max(1)),
            rank,
        })
    }

    /// Returns the windows of an epoch of this rank.
    pub fn window_count(&self) -> u64 {
        let blocks = (self.block_count - self.rank.index).div_ceil(self.rank.count);
        blocks.div_ceil(self.window_blocks)
    }

    /// Returns the indexes of a window's blocks, at least one for a window of the epoch.
    pub fn window(&self, epoch: u64, window: u64) -> Vec<u64> {
        let order = Permutation::new(self.seed, &self.stream, &[epoch], self.block_count);
        let first = window * self.window_blocks;
        (first..first + self.window_blocks)
            .map(|turn| turn * self.rank.count + self.rank.index)
            .take_while(|place| *place < self.block_count)
            .map(|place| order.at(place))
            .collect()
    }

    /// Returns the order of a window's rows, all blocks together.
    pub fn row_order(&self, epoch: u64, window: u64, row_count: u64) -> Permutation {
        // Ranks have other windows, whose rows need another order.
        let key = [epoch, window, self.rank.index, self.rank.count];
        Permutation::new(self.seed, &self.stream, &key, row_count)
    }

    /// Returns the position after a window.
    pub fn next_window(&self, position: Position) -> Position {
        let Position { epoch, window, .. } = position;
        if window + 1 < self.window_count() {
            Position { epoch, window: window + 1, row: 0 }
        } else {
            Position { epoch: epoch + 1, window: 0, row: 0 }
        }
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// Returns all rows of parts.
    fn whole(parts: &[(u64, u64)]) -> Vec<Block> {
        let all = |(part, (rows, _)): (usize, &(u64, u64))| Block { part, row_start: 0, row_count: *rows };
        parts.iter().enumerate().map(all).collect()
    }

    #[test]
    fn blocks_of_runs_lie_within_them() {
        let runs =
            [Block { part: 0, row_start: 5, row_count: 7 }, Block { part: 0, row_start: 20, row_count: 2 }];
        let blocks = blocks_of(&runs, &[(100, 1_000)], 30);
        let found: Vec<(u64, u64)> = blocks.iter().map(|block| (block.row_start, block.row_count)).collect();
        assert_eq!(found, [(5, 3), (8, 3), (11, 1), (20, 2)]);
    }

    /// Returns (block, row) in the order in which a rank visits an epoch.
    fn visits(sampler: &Sampler, epoch: u64, blocks: &[Block]) -> Vec<(u64, u64)> {
        let mut visits = Vec::new();
        for window in 0..sampler.window_count() {
            let indexes = sampler.window(epoch, window);
            assert!(!indexes.is_empty(), "window {window} has no block");
            let rows: Vec<(u64, u64)> = indexes
                .iter()
                .flat_map(|&b| (0..blocks[b as usize].row_count).map(move |row| (b, row)))
                .collect();
            let order = sampler.row_order(epoch, window, rows.len() as u64);
            visits.extend((0..rows.len() as u64).map(|place| rows[order.at(place) as usize]));
        }
        visits
    }

    proptest! {
        #[test]
        fn blocks_cover_every_row_of_every_part_once(
            parts in prop::collection::vec((0..30_000_u64, 0..1_u64 << 40), 0..6),
            block_bytes in 0..1_u64 << 26,
        ) {
            let parts: Vec<(u64, u64)> =
                parts.into_iter().map(|(rows, bytes)| (rows.min(2_000), bytes)).collect();
            let blocks = blocks_of(&whole(&parts), &parts, block_bytes);
            let mut next = vec![0; parts.len()];
            for block in blocks {
                prop_assert_eq!(block.row_start, next[block.part]);
                prop_assert!((1..=BLOCK_ROWS_MAX).contains(&block.row_count));
                next[block.part] += block.row_count;
            }
            prop_assert_eq!(next, parts.iter().map(|part| part.0).collect::<Vec<u64>>());
        }

        #[test]
        fn ranks_are_disjoint_and_together_the_epoch(
            seed: u64, epoch in 0..5_u64, row_counts in prop::collection::vec(1..9_u64, 1..40),
            ranks in 1..6_u64, window_blocks in 1..5_u32,
        ) {
            let blocks: Vec<Block> = row_counts
                .iter()
                .map(|&row_count| Block { part: 0, row_start: 0, row_count })
                .collect();
            let count = ranks.min(blocks.len() as u64);
            let mut all = Vec::new();
            for index in 0..count {
                let rank = Rank { index, count };
                let sampler =
                    Sampler::new(seed, "pairs", blocks.len() as u64, window_blocks, rank).unwrap();
                all.extend(visits(&sampler, epoch, &blocks));
            }
            all.sort_unstable();
            let expected: Vec<(u64, u64)> = row_counts
                .iter()
                .enumerate()
                .flat_map(|(block, &rows)| (0..rows).map(move |row| (block as u64, row)))
                .collect();
            prop_assert_eq!(all, expected);
        }
    }

    #[test]
    fn positions_walk_through_windows_and_epochs() {
        let sampler = Sampler::new(1, "text", 5, 2, Rank::ONLY).unwrap();
        assert_eq!(sampler.window_count(), 3);
        let mut position = Position::default();
        let mut walked = Vec::new();
        for _ in 0..4 {
            position = sampler.next_window(position);
            walked.push((position.epoch, position.window));
        }
        assert_eq!(walked, [(0, 1), (0, 2), (1, 0), (1, 1)]);
    }

    #[test]
    fn epochs_differ_and_rows_of_a_window_s_blocks_mix() {
        let blocks = vec![Block { part: 0, row_start: 0, row_count: 50 }; 4];
        let sampler = Sampler::new(3, "text", 4, 2, Rank::ONLY).unwrap();
        let first = visits(&sampler, 0, &blocks);
        assert_eq!(first, visits(&sampler, 0, &blocks));
        assert_ne!(first, visits(&sampler, 1, &blocks));
        let changes = first[..100].windows(2).filter(|pair| pair[0].0 != pair[1].0).count();
        assert!(changes > 25, "the window's two blocks alternate only {changes} times");
    }

    #[test]
    fn windows_and_rows_are_in_another_order_for_every_seed_stream_epoch_window_and_rank() {
        let order = |seed, stream, epoch, window, rank| -> Vec<u64> {
            let sampler = Sampler::new(seed, stream, 60, 3, rank).unwrap();
            let order = sampler.row_order(epoch, window, 60);
            (0..60).map(|place| order.at(place)).collect()
        };
        let (first, second) = (Rank { index: 0, count: 2 }, Rank { index: 1, count: 2 });
        let one = order(1, "text", 0, 0, first);
        assert_eq!(one, order(1, "text", 0, 0, first));
        let others = [
            order(2, "text", 0, 0, first),
            order(1, "pairs", 0, 0, first),
            order(1, "text", 1, 0, first),
            order(1, "text", 0, 1, first),
            order(1, "text", 0, 0, second),
            order(1, "text", 0, 0, Rank::ONLY),
        ];
        assert!(others.iter().all(|other| *other != one));
        let windows =
            |seed, stream, epoch| Sampler::new(seed, stream, 60, 30, Rank::ONLY).unwrap().window(epoch, 0);
        let one = windows(1, "text", 0);
        assert_eq!(one, windows(1, "text", 0));
        assert!(
            [windows(2, "text", 0), windows(1, "pairs", 0), windows(1, "text", 1)].iter().all(|o| *o != one)
        );
    }

    #[test]
    fn a_block_has_its_share_of_bytes_and_never_more_rows_than_the_bound() {
        let lengths = |rows, bytes, max| -> Vec<u64> {
            blocks_of(&whole(&[(rows, bytes)]), &[(rows, bytes)], max)
                .into_iter()
                .map(|block| block.row_count)
                .collect()
        };
        assert_eq!(lengths(10, 1_000, 300), [3, 3, 3, 1]);
        assert_eq!(lengths(10, 1_000, 99), [1; 10]);
        assert_eq!(lengths(8_193, 1, 1 << 32), [8_192, 1]);
        assert!(lengths(0, 100, 10).is_empty());
    }

    #[test]
    fn more_ranks_than_blocks_are_refused() {
        assert!(Sampler::new(1, "text", 2, 1, Rank { index: 0, count: 3 }).is_none());
        assert!(Sampler::new(1, "text", 0, 1, Rank::ONLY).is_none());
    }
}
