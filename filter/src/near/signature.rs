//! From a text to one key per band: texts that share a key are candidates.
//!
//! With `b` bands of `r` rows, two texts of Jaccard similarity `J` (of their shingles) share
//! a key with probability `1 - (1 - J^r)^b`.

use serde::{Deserialize, Serialize};
use twox_hash::XxHash64;

use super::datatrove::Permutations;
use super::hashes::{MULTIPLIER, for_each_hash, for_each_run, mixed};
use super::minima::Minima;
use super::words;

/// The seed of our own permutations; another would give other bytes and the same quality.
const SEED: u64 = 0x6B6F_736D_6F73;

/// How shingles are hashed and permuted.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Scheme {
    /// Rolling 64-bit hashes of words, 32-bit permutations: what the machine does fast.
    #[default]
    Fast,
    /// Values equal to datatrove's for the same words.
    Datatrove,
}

/// What shingles are runs of.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Unit {
    /// Words.
    #[default]
    Words,
    /// Characters of words, and one space between them.
    Characters,
}

/// Bands, rows and shingles.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
pub struct Shape {
    /// Bands, `b`.
    pub bands: u32,
    /// Rows of a band, `r`.
    pub rows: u32,
    /// What a shingle is a run of.
    pub unit: Unit,
    /// And how many of them.
    pub shingle: u32,
}

/// Computes the keys of texts; holds what is reused from text to text.
#[derive(Debug, Clone)]
pub struct Signer {
    shape: Shape,
    permutations: Scheming,
    keys: Vec<u64>,
}

#[derive(Debug, Clone)]
enum Scheming {
    Fast { minima: Minima, words: Vec<u64>, shingles: Vec<u32>, values: Vec<u32> },
    Datatrove { permutations: Permutations, values: Vec<u64> },
}

impl Signer {
    /// Returns a signer of this shape.
    pub fn new(scheme: Scheme, shape: Shape) -> Self {
        let count = shape.bands as usize * shape.rows as usize;
        let permutations = match scheme {
            Scheme::Fast => Scheming::Fast {
                minima: Minima::new(count, SEED),
                words: Vec::new(),
                shingles: Vec::new(),
                values: Vec::new(),
            },
            Scheme::Datatrove => {
                Scheming::Datatrove { permutations: Permutations::new(count), values: Vec::new() }
            }
        };
        Self { shape, permutations, keys: Vec::new() }
    }

    /// Returns the keys of a text, one per band; none where it has no shingle.
    ///
    /// A text that is shorter than a shingle is one shingle (with datatrove, whose shingles are always
    /// of words, it has none).
    pub fn keys(&mut self, text: &str) -> &[u64] {
        self.keys.clear();
        self.permutations.compute(text, &self.shape);
        let (rows, bands) = (self.shape.rows as usize, self.shape.bands as usize);
        match &self.permutations {
            Scheming::Fast { values, .. } => {
                // Lanes beyond the last row belong to no band.
                let bands = values.chunks_exact(rows).take(bands);
                self.keys.extend((0..).zip(bands).map(|(band, values)| key(band, values)));
            }
            Scheming::Datatrove { values, .. } => {
                let bands = values.chunks_exact(rows);
                self.keys.extend((0..).zip(bands).map(|(band, values)| wide_key(band, values)));
            }
        }
        &self.keys
    }

    /// Returns a byte for each minimum of a text, for [`similarity`]; nothing where it has no shingle.
    pub fn sketch(&mut self, text: &str) -> Vec<u8> {
        self.permutations.compute(text, &self.shape);
        let count = self.shape.bands as usize * self.shape.rows as usize;
        let byte = |minimum: u64| (mixed(minimum) >> 56) as u8;
        match &self.permutations {
            Scheming::Fast { values, .. } => {
                values.iter().take(count).map(|value| byte(u64::from(*value))).collect()
            }
            Scheming::Datatrove { values, .. } => values.iter().map(|value| byte(*value)).collect(),
        }
    }
}

impl Scheming {
    /// Computes the minima of a text's shingles; none if it has no shingle.
    fn compute(&mut self, text: &str, shape: &Shape) {
        match self {
            Self::Fast { minima, words, shingles, values } => {
                words.clear();
                hash(text, shape.unit, words);
                shingle(words, shape.shingle as usize, shingles);
                values.clear();
                if !shingles.is_empty() {
                    minima.compute(shingles, values);
                }
            }
            Self::Datatrove { permutations, values } => {
                permutations.compute(&words::words(text), shape.shingle as usize, values);
            }
        }
    }
}

/// Estimates the Jaccard similarity of the shingles of two texts by their sketches, 0 to 1: the share of equal
/// minima, less what is equal in eight bits by chance (Li and Koenig, "b-Bit Minwise Hashing", WWW
/// 2010). With 112 minima the standard error is at most 0.05. `None` if a text has no shingle.
pub fn similarity(one: &[u8], other: &[u8]) -> Option<f64> {
    if one.is_empty() || one.len() != other.len() {
        return None;
    }
    let equal = one.iter().zip(other).filter(|(one, other)| one == other).count();
    let (share, by_chance) = (equal as f64 / one.len() as f64, 1.0 / 256.0);
    Some(((share - by_chance) / (1.0 - by_chance)).max(0.0))
}

/// Returns the hashes of a text's shingles as [`Scheme::Fast`] takes them, for comparing sets.
pub fn shingles(text: &str, unit: Unit, length: u32) -> Vec<u32> {
    let (mut hashes, mut shingles) = (Vec::new(), Vec::new());
    hash(text, unit, &mut hashes);
    shingle(&hashes, length as usize, &mut shingles);
    shingles
}

/// Hashes what shingles are runs of.
fn hash(text: &str, unit: Unit, hashes: &mut Vec<u64>) {
    match unit {
        Unit::Words => for_each_hash(text, |word| hashes.push(word)),
        Unit::Characters => {
            words::for_each_character(text, |c| hashes.push(mixed(u64::from(u32::from(c)) + 1)))
        }
    }
}

/// Hashes every run of `n` words, or all of them where there are fewer.
fn shingle(words: &[u64], n: usize, shingles: &mut Vec<u32>) {
    shingles.clear();
    for_each_run(words, n.min(words.len()), |word| *word, |hash| shingles.push((hash >> 32) as u32));
}

/// Hashes a band's values; the band is part of it, so that keys of all bands share one space.
fn key(band: u64, values: &[u32]) -> u64 {
    let mut hash = mixed(band.wrapping_add(MULTIPLIER));
    for value in values {
        hash = mixed(hash ^ u64::from(*value)).wrapping_mul(MULTIPLIER);
    }
    mixed(hash)
}

fn wide_key(band: u64, values: &[u64]) -> u64 {
    let bytes: Vec<u8> = values.iter().flat_map(|value| value.to_le_bytes()).collect();
    XxHash64::oneshot(band, &bytes)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const SHAPE: Shape = Shape { bands: 14, rows: 8, unit: Unit::Words, shingle: 5 };

    fn keys(scheme: Scheme, text: &str) -> Vec<u64> {
        Signer::new(scheme, SHAPE).keys(text).to_vec()
    }

    #[test]
    fn the_same_words_have_the_same_keys_in_both_schemes() {
        for scheme in [Scheme::Fast, Scheme::Datatrove] {
            let one = keys(scheme, "One two three four five six, seven eight nine ten.");
            assert_eq!(one.len(), 14);
            assert_eq!(one, keys(scheme, "one TWO three\nfour five six seven eight nine -- ten"));
            assert_ne!(one, keys(scheme, "two one three four five six, seven eight nine ten."));
            assert!(keys(scheme, " ... ").is_empty());
        }
    }

    #[test]
    fn a_short_text_is_one_shingle() {
        assert_eq!(keys(Scheme::Fast, "Hello world"), keys(Scheme::Fast, "hello, world!"));
        assert_ne!(keys(Scheme::Fast, "Hello world"), keys(Scheme::Fast, "hello"));
        assert!(keys(Scheme::Datatrove, "Hello world").is_empty());
    }

    #[test]
    fn bands_do_not_meet_each_other() {
        let keys = keys(Scheme::Fast, "one");
        let distinct: std::collections::BTreeSet<u64> = keys.iter().copied().collect();
        assert_eq!(distinct.len(), keys.len());
    }

    #[test]
    fn equal_rows_of_two_bands_are_two_keys() {
        let (rows, wide) = ([7_u32; 8], [7_u64; 8]);
        assert_ne!(key(0, &rows), key(1, &rows));
        assert_ne!(wide_key(0, &wide), wide_key(1, &wide));
    }

    #[test]
    fn a_key_is_of_all_rows_of_its_band_in_their_order() {
        let rows = [1_u32, 2, 3, 4, 5, 6, 7, 8];
        for place in 0..rows.len() {
            let (mut changed, mut wide) = (rows, rows.map(u64::from));
            changed[place] = 99;
            assert_ne!(key(3, &rows), key(3, &changed), "{place}");
            let whole = wide_key(3, &wide);
            wide[place] = 99;
            assert_ne!(whole, wide_key(3, &wide), "{place}");
        }
        let mut turned = rows;
        turned.reverse();
        assert_ne!(key(3, &rows), key(3, &turned));
    }

    #[test]
    fn bands_rows_and_shingles_are_those_of_the_shape() {
        let text = "one two three four five six seven eight nine ten eleven twelve";
        for scheme in [Scheme::Fast, Scheme::Datatrove] {
            // Of three times five minima, as of a row of lanes that no band has.
            let of = |shape| {
                let mut signer = Signer::new(scheme, shape);
                (signer.keys(text).to_vec(), signer.sketch(text))
            };
            let shape = Shape { bands: 3, rows: 5, ..SHAPE };
            let (keys, sketch) = of(shape);
            assert_eq!((keys.len(), sketch.len()), (3, 15));
            assert_ne!(of(Shape { shingle: 4, ..shape }).0, keys);
            // Datatrove draws its summands after all multipliers: there every minimum depends on the number of them.
            if scheme == Scheme::Fast {
                assert_eq!(of(Shape { bands: 2, ..shape }).0, keys[..2]);
            }
        }
    }

    #[test]
    fn sketches_estimate_the_similarity_of_shingles() {
        // One word in 62 is edited: 5 in 62 shingles differ, and the similarity is 0.85.
        let word = |n: u64| format!("w{:x}", mixed(n));
        let original: Vec<String> = (0..2_000).map(word).collect();
        let edited: Vec<String> =
            (0..2_000).map(|n| if n % 62 == 31 { word(n + 9_000) } else { word(n) }).collect();
        for scheme in [Scheme::Fast, Scheme::Datatrove] {
            let mut signer = Signer::new(scheme, Shape { bands: 64, ..SHAPE });
            let mut sketch = |words: &[String]| signer.sketch(&words.join(" "));
            let (one, two, other) =
                (sketch(&original), sketch(&edited), sketch(&[&original[..40]; 2].concat()));
            assert_eq!(similarity(&one, &one), Some(1.0));
            let found = similarity(&one, &two).unwrap_or_default();
            assert!((found - 0.85).abs() < 0.05, "{found}");
            // 36 of 1,996 shingles are the same.
            assert!(similarity(&one, &other).unwrap_or(1.0) < 0.06);
            assert_eq!(similarity(&sketch(&[]), &one), None);
        }
    }

    #[test]
    fn candidates_follow_the_theoretical_curve() {
        // 120 words; every shingle that a replaced word touches is lost: Jaccard from the sets.
        let mut signer = Signer::new(Scheme::Fast, SHAPE);
        let (mut expected, mut found, pairs) = (0.0, 0.0, 600_u64);
        for pair in 0..pairs {
            let word = |n: u64| format!("w{:x}", mixed(pair << 20 | n));
            let original: Vec<String> = (0..120).map(word).collect();
            let mut edited = original.clone();
            (0..1 + pair % 6).for_each(|n| edited[(mixed(pair * 7 + n) % 120) as usize] = word(1_000 + n));
            let (a, b) = (original.join(" "), edited.join(" "));
            let set = |text: &str| {
                shingles(text, Unit::Words, 5).into_iter().collect::<std::collections::BTreeSet<u32>>()
            };
            let (one, two) = (set(&a), set(&b));
            let shared = one.intersection(&two).count() as f64;
            let jaccard = shared / (one.len() as f64 + two.len() as f64 - shared);
            expected += 1.0 - (1.0 - jaccard.powi(8)).powi(14);
            let keys = signer.keys(&a).to_vec();
            found += f64::from(u8::from(keys.iter().zip(signer.keys(&b)).any(|(a, b)| a == b)));
        }
        assert!((expected - found).abs() < 0.04 * pairs as f64, "{found} of {expected} expected");
    }

    proptest! {
        #[test]
        fn a_rolled_shingle_is_a_fresh_one(words in prop::collection::vec(any::<u64>(), 0..30), n in 1_usize..7) {
            let (mut all, mut one) = (Vec::new(), Vec::new());
            shingle(&words, n, &mut all);
            for (window, rolled) in words.windows(n).zip(&all) {
                shingle(window, n, &mut one);
                prop_assert_eq!(&one, &[*rolled]);
            }
        }
    }
}
