//! The innermost loop of MinHash: the minimum of every permutation over all shingles.
//!
//! One plain loop is compiled for three instruction sets, and the machine's best is chosen at
//! run time; equal results follow from it being the same loop.

use super::hashes::mixed;

/// Permutations computed at once: one AVX-512 register of 32-bit values.
const LANES: usize = 16;
/// Multiplies what two permutations of a shingle have in common away (from MurmurHash3).
const SPREAD: u32 = 0x85EB_CA6B;

type Lane = [u32; LANES];

/// `x -> spread((x ^ xor) * multiplier)`, a bijection of 32 bits, for every lane.
#[derive(Debug, Clone)]
struct Permutations {
    xor: Lane,
    multiplier: Lane,
}

/// Permutations and the instructions they are computed with.
#[derive(Debug, Clone)]
pub(super) struct Minima {
    blocks: Vec<Permutations>,
    instructions: Instructions,
}

/// Instruction sets, the same results each.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Instructions {
    Portable,
    #[cfg(target_arch = "x86_64")]
    Avx2,
    #[cfg(target_arch = "x86_64")]
    Avx512,
}

impl Instructions {
    /// Returns what this machine has, the best last.
    fn available() -> Vec<Self> {
        let mut available = vec![Self::Portable];
        #[cfg(target_arch = "x86_64")]
        {
            if is_x86_feature_detected!("avx2") {
                available.push(Self::Avx2);
            }
            if is_x86_feature_detected!("avx512f") {
                available.push(Self::Avx512);
            }
        }
        available
    }
}

impl Minima {
    /// Returns `count` permutations that a seed decides, rounded up to whole lanes.
    pub(super) fn new(count: usize, seed: u64) -> Self {
        let instructions = Instructions::available().last().copied().unwrap_or(Instructions::Portable);
        let drawn =
            |index: usize| mixed(seed.wrapping_add(1 + index as u64).wrapping_mul(0x9E37_79B9_7F4A_7C15));
        let block = |block: usize| {
            let at = |lane: usize| drawn(block * LANES + lane);
            Permutations {
                xor: std::array::from_fn(|lane| at(lane) as u32),
                multiplier: std::array::from_fn(|lane| (at(lane) >> 32) as u32 | 1),
            }
        };
        Self { blocks: (0..count.div_ceil(LANES)).map(block).collect(), instructions }
    }

    /// Writes the minimum of every permutation over the shingles.
    pub(super) fn compute(&self, shingles: &[u32], minima: &mut Vec<u32>) {
        minima.clear();
        for block in &self.blocks {
            let lane = match self.instructions {
                Instructions::Portable => minimum(block, shingles),
                // SAFETY: `available` found the instruction set on this machine.
                #[cfg(target_arch = "x86_64")]
                Instructions::Avx2 => unsafe { minimum_avx2(block, shingles) },
                // SAFETY: as above.
                #[cfg(target_arch = "x86_64")]
                Instructions::Avx512 => unsafe { minimum_avx512(block, shingles) },
            };
            minima.extend_from_slice(&lane);
        }
    }
}

#[inline(always)]
fn minimum(permutations: &Permutations, shingles: &[u32]) -> Lane {
    let Permutations { xor, multiplier } = permutations;
    let mut minima = [u32::MAX; LANES];
    for shingle in shingles {
        for lane in 0..LANES {
            let product = (shingle ^ xor[lane]).wrapping_mul(multiplier[lane]);
            let value = (product ^ (product >> 15)).wrapping_mul(SPREAD);
            minima[lane] = minima[lane].min(value);
        }
    }
    minima
}

#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx2")]
fn minimum_avx2(permutations: &Permutations, shingles: &[u32]) -> Lane {
    minimum(permutations, shingles)
}

#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx512f")]
fn minimum_avx512(permutations: &Permutations, shingles: &[u32]) -> Lane {
    minimum(permutations, shingles)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn with(instructions: Instructions, shingles: &[u32]) -> Vec<u32> {
        let mut minima = Vec::new();
        Minima { instructions, ..Minima::new(112, 1) }.compute(shingles, &mut minima);
        minima
    }

    proptest! {
        #[test]
        fn every_instruction_set_gives_the_same(shingles in prop::collection::vec(any::<u32>(), 0..200)) {
            let expected = with(Instructions::Portable, &shingles);
            for instructions in Instructions::available() {
                prop_assert_eq!(&with(instructions, &shingles), &expected, "{:?}", instructions);
            }
        }

        #[test]
        fn the_order_and_repetition_of_shingles_do_not_matter(shingles in prop::collection::vec(any::<u32>(), 1..50)) {
            let again: Vec<u32> = shingles.iter().rev().chain(&shingles).copied().collect();
            prop_assert_eq!(with(Instructions::Portable, &again), with(Instructions::Portable, &shingles));
        }
    }

    #[test]
    fn the_share_of_equal_minima_is_the_jaccard_similarity() {
        // Sets of 100 shingles, 60 of them shared: Jaccard 60 / 140.
        let (trials, mut equal, mut squares) = (400_u64, 0.0, 0.0);
        for trial in 0..trials {
            let shingle = |n: u64| (mixed(trial << 32 | n) >> 32) as u32;
            let a: Vec<u32> = (0..100).map(shingle).collect();
            let b: Vec<u32> = (40..140).map(shingle).collect();
            let (a, b) = (with(Instructions::Portable, &a), with(Instructions::Portable, &b));
            let share = a.iter().zip(&b).filter(|(a, b)| a == b).count() as f64 / 112.0;
            equal += share;
            squares += (share - 60.0 / 140.0) * (share - 60.0 / 140.0);
        }
        let (mean, variance) = (equal / trials as f64, squares / trials as f64);
        // The standard error of the mean is 0.0023; independent permutations have variance J(1-J)/112.
        assert!((mean - 60.0 / 140.0).abs() < 0.008, "{mean}");
        assert!(variance < 1.25 * (60.0 / 140.0) * (80.0 / 140.0) / 112.0, "{variance}");
    }
}
