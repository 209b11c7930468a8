//! A forest: boosted regression trees that give a probability.
//!
//! The file, in little endian: number of features (u32), bias (f32), number of trees (u32);
//! then by tree its number of splits (u32) and of each split the feature (u16), the greatest
//! value that goes left (f32), and where left and right lead (i16 each): to a split by its
//! index, or to leaf n by -1-n; then the values of the leaves (f32), one more than splits.

//!
//! Rows are judged many at a time and without branches: a value greater than a split's threshold cannot fall to the
//! leaves on the split's left, whatever the splits above it say, so what is left of a tree's leaves after all its
//! splits begins with the one that the row falls to (QuickScorer, Lucchese et al., SIGIR 2015).

use super::feature::Rows;

/// Rows that are judged together, value by value beside each other.
const LANES: usize = 16;
/// Leaves of a tree, a bit each.
const LEAVES_MAX: usize = u32::BITS as usize;

/// A split of a tree.
#[derive(Debug, Clone, Copy, PartialEq)]
struct Split {
    threshold: f32,
    feature: u16,
    /// The leaves that a greater value can fall to, as far as this split knows.
    kept: u32,
}

/// A split as the file has it.
#[derive(Debug, Clone, Copy)]
struct Fork {
    threshold: f32,
    feature: u16,
    /// Where values at most the threshold lead, and where others do.
    next: [i16; 2],
}

/// Trees by their splits and leaves, one after the other; leaves from left to right.
#[derive(Debug, Default)]
pub(super) struct Forest {
    width: usize,
    bias: f32,
    splits: Vec<Split>,
    leaves: Vec<f32>,
    /// By tree, its number of splits; it has one leaf more.
    trees: Vec<usize>,
}

impl Forest {
    /// Reads a forest; none where the bytes are not one.
    pub(super) fn parse(bytes: &[u8]) -> Option<Self> {
        let mut input = Input(bytes);
        let width = input.u32()? as usize;
        let mut forest = Self { width, bias: input.f32()?, ..Self::default() };
        for _ in 0..input.u32()? {
            let count = input.u32()? as usize;
            if count >= LEAVES_MAX {
                return None;
            }
            let forks: Vec<Fork> = (0..count).map(|_| input.fork()).collect::<Option<_>>()?;
            let leaves: Vec<f32> = (0..=count).map(|_| input.f32()).collect::<Option<_>>()?;
            let first = (forest.splits.len(), forest.leaves.len());
            let root = if count > 0 { 0 } else { -1 };
            forest.grow((&forks, &leaves), root, first.1)?;
            if (forest.splits.len(), forest.leaves.len()) != (first.0 + count, first.1 + leaves.len()) {
                return None;
            }
            forest.trees.push(count);
        }
        input.0.is_empty().then_some(forest)
    }

    /// Appends the splits and leaves of a file's tree that `next` leads to; `first` is the place of the tree's first
    /// leaf. Returns the leaves, a bit each.
    fn grow(&mut self, tree: (&[Fork], &[f32]), next: i16, first: usize) -> Option<u32> {
        let (forks, leaves) = tree;
        let Ok(index) = usize::try_from(next) else {
            let place = self.leaves.len() - first;
            self.leaves.push(*leaves.get((-1 - next) as usize)?);
            // More than there are lead to one of them twice.
            return (place < leaves.len()).then(|| 1 << place);
        };
        let Fork { threshold, feature, next: [left, right] } = *forks.get(index)?;
        // Every way leads on, so that none is without an end.
        let leads_on = |to: i16| to < 0 || to > next;
        if usize::from(feature) >= self.width || !leads_on(left) || !leads_on(right) {
            return None;
        }
        let left = self.grow(tree, left, first)?;
        let right = self.grow(tree, right, first)?;
        self.splits.push(Split { threshold, feature, kept: !left });
        Some(left | right)
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
        let rows: Vec<&[f32]> = rows.iter().collect();
        let mut sums = vec![self.bias; rows.len()];
        let mut columns = vec![[0.0; LANES]; self.width];
        for (rows, sums) in rows.chunks(LANES).zip(sums.chunks_mut(LANES)) {
            for (lane, row) in rows.iter().enumerate() {
                columns.iter_mut().zip(*row).for_each(|(column, value)| column[lane] = *value);
            }
            self.add(&columns, sums);
        }
        sums.iter().map(|sum| 1.0 / (1.0 + libm::expf(-sum))).collect()
    }

    /// Adds what the trees say of at most [`LANES`] rows, given by columns.
    fn add(&self, columns: &[[f32; LANES]], sums: &mut [f32]) {
        let (mut splits, mut leaves) = (&self.splits[..], &self.leaves[..]);
        for count in &self.trees {
            let (of_tree, other_splits) = splits.split_at(*count);
            let left = reachable(of_tree, columns);
            for (sum, left) in sums.iter_mut().zip(left) {
                *sum += leaves[left.trailing_zeros() as usize];
            }
            (splits, leaves) = (other_splits, &leaves[count + 1..]);
        }
    }
}

/// Returns the leaves of a tree that rows can fall to, as far as its splits know.
///
/// On its own, since compilers make vectors of it as long as nobody looks at single lanes.
#[inline(never)]
fn reachable(splits: &[Split], columns: &[[f32; LANES]]) -> [u32; LANES] {
    let mut reachable = [u32::MAX; LANES];
    for split in splits {
        let column = &columns[usize::from(split.feature)];
        for (reachable, value) in reachable.iter_mut().zip(column) {
            // All ones where the value is at most the threshold.
            let is_known = u32::from(*value > split.threshold).wrapping_sub(1);
            *reachable &= split.kept | is_known;
        }
    }
    reachable
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

    fn fork(&mut self) -> Option<Fork> {
        let (feature, threshold) = (self.u16()?, self.f32()?);
        Some(Fork { threshold, feature, next: [self.u16()? as i16, self.u16()? as i16] })
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
        let judged = |row: [f32; 2]| forest.judge(&Rows::new(row.to_vec(), 1))[0];
        assert_eq!(judged([0.0, 2.0]), 0.5);
        assert!((judged([5.0, 3.0]) - 0.880_797).abs() < 1e-6);
        assert!((judged([6.0, 3.0]) - 0.268_941).abs() < 1e-6);
    }

    #[test]
    fn rows_beside_each_other_fall_to_the_leaves_that_each_alone_falls_to() {
        let forest = Forest::parse(include_bytes!("../../forest/any.forest")).unwrap();
        let values: Vec<f32> =
            (0..37 * forest.width).map(|i| ((i * 7_919) % 613) as f32 / 61.3 - 1.0).collect();
        let alone: Vec<f32> =
            values.chunks(forest.width).map(|row| forest.judge(&Rows::new(row.to_vec(), 1))[0]).collect();
        assert_eq!(forest.judge(&Rows::new(values, 37)), alone);
        assert!(alone.iter().any(|probability| *probability != alone[0]));
    }

    #[test]
    fn a_file_that_leads_nowhere_in_circles_or_on_is_not_a_forest() {
        assert!(Forest::parse(&bytes(1, 1)).is_none(), "a feature that no row has");
        assert!(Forest::parse(&bytes(2, 0)).is_none(), "a circle");
        assert!(Forest::parse(&bytes(2, 2)).is_none(), "a split that is not there");
        assert!(Forest::parse(&bytes(2, -4)).is_none(), "a leaf that is not there");
        assert!(Forest::parse(&bytes(2, -2)).is_none(), "a split that nothing leads to");
        let whole = bytes(2, 1);
        assert!((0..whole.len()).all(|length| Forest::parse(&whole[..length]).is_none()));
    }
}
