//! Connected components of a graph that need not fit into memory.
//!
//! Large-star and small-star operations in turn (Kiveris et al., "Connected Components in
//! MapReduce and Beyond", SoCC 2014): each is one sort of the edges and one pass over them, and
//! after about log(longest path) rounds every node has one edge, to the smallest of its component.

use std::path::PathBuf;

use corpus::sort::{Sorted, Sorter};
use corpus::stage::Cancel;
use corpus::{Error, Result};

use super::hashes::mixed;

/// Rounds until the edges must have settled; a path of 2^60 nodes takes fewer.
const ROUNDS_MAX: u32 = 128;

/// Finds components within a bound of memory.
#[derive(Debug)]
pub struct Components<'c> {
    /// A folder of its own.
    pub scratch: PathBuf,
    /// Bytes that are held at a time.
    pub memory_bytes: usize,
    /// A request to stop.
    pub cancel: &'c Cancel,
}

/// A graph's edges `[larger, smaller]` in order, with what tells whether they changed.
struct Edges {
    sorted: Sorter<[u64; 2]>,
    count: u64,
    checksum: u64,
}

impl Components<'_> {
    /// Returns `[node, smallest node of its component]` for every node but the smallest ones.
    ///
    /// # Errors
    /// When the disk refuses, or a stop is asked for.
    pub fn of(&self, edges: impl Iterator<Item = Result<[u64; 2]>>) -> Result<Sorted<[u64; 2]>> {
        let mut current = self.small_star(0, edges)?;
        for round in 1..ROUNDS_MAX {
            let (count, checksum) = (current.count, current.checksum);
            let large = self.large_star(round, current.sorted.finish()?)?;
            current = self.small_star(round, large)?;
            if (current.count, current.checksum) == (count, checksum) {
                return current.sorted.finish();
            }
        }
        Err(Error::work("components", "the edges do not settle"))
    }

    /// Returns `[node, smallest node of its component]` for every node, the smallest ones too, by node.
    ///
    /// # Errors
    /// As [`Self::of`].
    pub fn members(&self, edges: impl Iterator<Item = Result<[u64; 2]>>) -> Result<Sorted<[u64; 2]>> {
        let mut members = Sorter::new(&self.scratch.join("members"), self.memory_bytes / 2)?;
        for row in self.of(edges)? {
            let [node, smallest] = row?;
            members.push([node, smallest])?;
            members.push([smallest, smallest])?;
        }
        members.finish()
    }

    /// Connects every node's larger neighbours to its smallest one.
    fn large_star(
        &self,
        round: u32,
        edges: impl Iterator<Item = Result<[u64; 2]>>,
    ) -> Result<impl Iterator<Item = Result<[u64; 2]>>> {
        let mut both = self.sorter(round, "large")?;
        for edge in edges {
            let [a, b] = edge?;
            both.push([a, b])?;
            both.push([b, a])?;
            self.cancel.check()?;
        }
        let (mut node, mut smallest) = (None, 0);
        let stars = both.finish()?.filter_map(move |edge| match edge {
            Ok([u, v]) => {
                if node != Some(u) {
                    (node, smallest) = (Some(u), u.min(v));
                }
                (v > u).then_some(Ok([v, smallest]))
            }
            Err(error) => Some(Err(error)),
        });
        Ok(stars)
    }

    /// Connects every node and its smaller neighbours to the smallest of them.
    fn small_star(&self, round: u32, edges: impl Iterator<Item = Result<[u64; 2]>>) -> Result<Edges> {
        let mut downwards = self.sorter(round, "down")?;
        for edge in edges {
            let [a, b] = edge?;
            if a != b {
                downwards.push([a.max(b), a.min(b)])?;
            }
            self.cancel.check()?;
        }
        let mut stars = Edges { sorted: self.sorter(round, "small")?, count: 0, checksum: 0 };
        let (mut node, mut smallest) = (None, 0);
        for edge in downwards.finish()? {
            let [u, v] = edge?;
            if node == Some(u) {
                stars.sorted.push([v, smallest])?;
            } else {
                (node, smallest) = (Some(u), v);
                stars.sorted.push([u, v])?;
            }
            self.cancel.check()?;
        }
        self.settled(round, stars)
    }

    /// Removes repeated edges, and sums up what is left.
    fn settled(&self, round: u32, edges: Edges) -> Result<Edges> {
        let mut unique = Edges { sorted: self.sorter(round, "edges")?, count: 0, checksum: 0 };
        for edge in edges.sorted.finish()? {
            let [a, b] = edge?;
            unique.count += 1;
            unique.checksum = unique.checksum.wrapping_add(mixed(mixed(a) ^ b));
            unique.sorted.push([a, b])?;
        }
        Ok(unique)
    }

    fn sorter(&self, round: u32, name: &str) -> Result<Sorter<[u64; 2]>> {
        // Two sorters are open at a time: one is read while the other is filled.
        Sorter::new(&self.scratch.join(format!("{name}-{round}")), self.memory_bytes / 2)
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use std::collections::BTreeMap;

    use proptest::prelude::*;

    use super::*;

    fn components(edges: &[(u64, u64)], memory_bytes: usize) -> BTreeMap<u64, u64> {
        let folder = tempfile::tempdir().unwrap();
        let cancel = Cancel::default();
        let components = Components { scratch: folder.path().to_owned(), memory_bytes, cancel: &cancel };
        let found = components.of(edges.iter().map(|(a, b)| Ok([*a, *b]))).unwrap();
        let found: Vec<[u64; 2]> = found.map(Result::unwrap).collect();
        let unique: BTreeMap<u64, u64> = found.iter().map(|[node, smallest]| (*node, *smallest)).collect();
        assert_eq!(unique.len(), found.len(), "{found:?}");
        unique
    }

    /// The plain way: the smallest label wins until nothing changes.
    fn reference(edges: &[(u64, u64)]) -> BTreeMap<u64, u64> {
        let mut labels: BTreeMap<u64, u64> = edges.iter().flat_map(|(a, b)| [(*a, *a), (*b, *b)]).collect();
        loop {
            let before = labels.clone();
            for (a, b) in edges {
                let least = labels[a].min(labels[b]);
                labels.insert(*a, least);
                labels.insert(*b, least);
            }
            if labels == before {
                return labels.into_iter().filter(|(node, label)| node != label).collect();
            }
        }
    }

    #[test]
    fn a_long_path_is_one_component() {
        // Neighbours are far from each other in the order of nodes.
        let node = |n: u64| n.wrapping_mul(0x9E37_79B9_7F4A_7C15);
        let path: Vec<_> = (0..3_000).map(|n| (node(n), node(n + 1))).collect();
        let found = components(&path, 1 << 20);
        assert_eq!(found.len(), 3_000);
        assert!(found.values().all(|smallest| *smallest == 0));
    }

    proptest! {
        #[test]
        fn every_node_finds_the_smallest_of_its_component_whatever_the_memory(
            edges in prop::collection::vec((0_u64..40, 0_u64..40), 0..60), memory in 32_usize..4_000,
        ) {
            prop_assert_eq!(components(&edges, memory), reference(&edges));
        }
    }
}
