//! A forest: boosted regression trees that give a probability.
//!
//! The file, in little endian: number of features (u32), bias (f32), number of trees (u32);
//! then by tree its number of splits (u32) and of each split the feature (u16), the greatest
//! value that goes left (f32), and where left and right lead (i16 each): to a split by its
//! index, or to leaf n by -1-n; then the values of the leaves (f32), one more than splits.

use super::feature::Rows;

/// Rows that pass all trees before the next ones do: together they fit a cache.
const ROWS_AT_ONCE: usize = 32;

/// A split of a tree.
#[derive(Debug, Clone, Copy, PartialEq)]
struct Split {
    threshold: f32,
    feature: u16,
    /// Where values at most the threshold lead, and where others do.
    next: [i16; 2],
}

/// Trees by their splits and leaves, one after the other.
#[derive(Debug, Default)]
pub(super) struct Forest {
    width: usize,
    bias: f32,
    splits: Vec<Split>,
    leaves: Vec<f32>,
    /// By tree, where its splits and its leaves begin.
    trees: Vec<(u32, u32)>,
}

impl Forest {
    /// Reads a forest; none where the bytes are not one.
    pub(super) fn parse(bytes: &[u8]) -> Option<Self> {
        let mut input = Input(bytes);
        let width = input.u32()? as usize;
        let mut forest = Self { width, bias: input.f32()?, ..Self::default() };
        for _ in 0..input.u32()? {
            let count = input.u32()? as usize;
            forest.trees.push((forest.splits.len() as u32, forest.leaves.len() as u32));
            for index in 0..count {
                let (feature, threshold) = (input.u16()?, input.f32()?);
                let split = Split { threshold, feature, next: [input.u16()? as i16, input.u16()? as i16] };
                // Every way leads on, so that none is without an end.
                let leads_on = |next: &i16| match *next {
                    split @ 0.. => (split as usize) < count && split as usize > index,
                    leaf => (-1 - leaf) as usize <= count,
                };
                if usize::from(feature) >= width || !split.next.iter().all(leads_on) {
                    return None;
                }
                forest.splits.push(split);
            }
            for _ in 0..=count {
                forest.leaves.push(input.f32()?);
            }
        }
        input.0.is_empty().then_some(forest)
    }

    /// Returns the number of features of a row.
    #[cfg(test)]
    pub(super) fn width(&self) -> usize {
        self.width
    }

    /// Returns the probability of each row, 0 to 1: the logistic function of the trees' sum.
    ///
    /// `libm` gives the same bits on every machine.
    pub(super) fn judge(&self, rows: &Rows) -> Vec<f32> {
        debug_assert!(rows.iter().all(|row| row.len() == self.width));
        let mut sums = vec![self.bias; rows.iter().len()];
        let rows: Vec<&[f32]> = rows.iter().collect();
        for (rows, sums) in rows.chunks(ROWS_AT_ONCE).zip(sums.chunks_mut(ROWS_AT_ONCE)) {
            // Tree by tree, so that a tree stays in the nearest cache while the rows pass.
            for (splits, leaves) in &self.trees {
                let (splits, leaves) = (&self.splits[*splits as usize..], &self.leaves[*leaves as usize..]);
                for (row, sum) in rows.iter().zip(sums.iter_mut()) {
                    *sum += leaves[leaf(splits, row)];
                }
            }
        }
        sums.iter().map(|sum| 1.0 / (1.0 + libm::expf(-sum))).collect()
    }
}

/// Returns the leaf that a row falls to.
fn leaf(splits: &[Split], row: &[f32]) -> usize {
    let mut next = 0_i16;
    // A tree of one leaf has no split to begin with.
    while let (0.., Some(split)) = (next, splits.get(next as usize)) {
        let is_greater = row.get(usize::from(split.feature)).is_some_and(|value| *value > split.threshold);
        next = split.next[usize::from(is_greater)];
    }
    (-1 - next).max(0) as usize
}

struct Input<'b>(&'b [u8]);

impl Input<'_> {
    fn take<const N: usize>(&mut self) -> Option<[u8; N]> {
        let (head, rest) = self.0.split_first_chunk::<N>()?;
        self.0 = rest;
        Some(*head)
    }

    fn u16(&mut self) -> Option<u16> {
        self.take().map(u16::from_le_bytes)
    }

    fn u32(&mut self) -> Option<u32> {
        self.take().map(u32::from_le_bytes)
    }

    fn f32(&mut self) -> Option<f32> {
        self.take().map(f32::from_le_bytes)
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    /// One tree: feature 1 at most 2 leads to leaf 0, else feature 0 at most 5 to leaf 1, else 2.
    fn bytes(width: u32, right: i16) -> Vec<u8> {
        let mut bytes = [&width.to_le_bytes()[..], &0.5_f32.to_le_bytes(), &1_u32.to_le_bytes()].concat();
        bytes.extend(2_u32.to_le_bytes());
        for (feature, threshold, left, right) in [(1_u16, 2_f32, -1_i16, right), (0, 5.0, -2, -3)] {
            bytes.extend(feature.to_le_bytes());
            bytes.extend(threshold.to_le_bytes());
            bytes.extend(left.to_le_bytes());
            bytes.extend(right.to_le_bytes());
        }
        bytes.extend([-0.5_f32, 1.5, -1.5].iter().flat_map(|leaf| leaf.to_le_bytes()));
        bytes
    }

    #[test]
    fn a_row_falls_to_the_leaf_its_values_lead_to() {
        let forest = Forest::parse(&bytes(2, 1)).unwrap();
        let judged = |row: [f32; 2]| forest.judge(&Rows::of(row.to_vec()))[0];
        assert_eq!(judged([0.0, 2.0]), 0.5);
        assert!((judged([5.0, 3.0]) - 0.880_797).abs() < 1e-6);
        assert!((judged([6.0, 3.0]) - 0.268_941).abs() < 1e-6);
    }

    #[test]
    fn a_file_that_leads_nowhere_in_circles_or_on_is_not_a_forest() {
        assert!(Forest::parse(&bytes(1, 1)).is_none(), "a feature that no row has");
        assert!(Forest::parse(&bytes(2, 0)).is_none(), "a circle");
        assert!(Forest::parse(&bytes(2, 2)).is_none(), "a split that is not there");
        assert!(Forest::parse(&bytes(2, -4)).is_none(), "a leaf that is not there");
        let whole = bytes(2, 1);
        assert!((0..whole.len()).all(|length| Forest::parse(&whole[..length]).is_none()));
    }
}
