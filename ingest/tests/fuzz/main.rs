//! Damaged and hostile files: whatever bytes come, it ends, within memory and steps that are bounded, and no
//! more is lost than the damage takes.
//!
//! `KOSMOS_FUZZ_SECS=3600 cargo test --release -p ingest --test fuzz -- --nocapture` goes on for an hour with each
//! kind of file; without it a few thousand are read.
#![allow(missing_docs)]

mod archives;
mod files;

use std::time::{Duration, Instant};

/// Changes made to one file.
const CHANGES_MAX: u64 = 8;

/// Returns the seconds that are asked for, if any.
fn seconds() -> Option<u64> {
    std::env::var("KOSMOS_FUZZ_SECS").ok().and_then(|secs| secs.parse().ok())
}

/// Files of one kind that are read.
struct Runs {
    end: Option<Instant>,
    most: u64,
    count: u64,
}

impl Runs {
    /// Begins so many, or as many as the time that is asked for lets be.
    fn begin(most: u64) -> Self {
        Self { end: seconds().map(|secs| Instant::now() + Duration::from_secs(secs)), most, count: 0 }
    }

    /// Returns whether there is one more.
    fn next(&mut self) -> bool {
        let more = self.end.map_or(self.count < self.most, |end| Instant::now() < end);
        self.count += u64::from(more);
        more
    }
}

/// Random numbers (splitmix64): the same in every run.
struct Random(u64);

impl Random {
    /// Begins; with other numbers where a time is asked for.
    fn new() -> Self {
        Self(seconds().unwrap_or(1))
    }

    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    fn below(&mut self, end: usize) -> usize {
        (self.next() % end.max(1) as u64) as usize
    }
}

/// Flips, cuts, repeats, moves and overwrites bytes.
fn mutate(file: &mut Vec<u8>, random: &mut Random) {
    for _ in 0..=random.next() % CHANGES_MAX {
        let (at, length) = (random.below(file.len()), 1 + random.below(64));
        let end = (at + length).min(file.len());
        match random.next() % 7 {
            0 => file.get_mut(at).into_iter().for_each(|byte| *byte ^= 1 << (length % 8)),
            1 => file.truncate(at),
            2 => drop(file.drain(at..end)),
            3 => {
                let piece = file[at..end].to_vec();
                let to = random.below(file.len());
                file.splice(to..to, piece);
            }
            4 => file[at..end].fill(random.next() as u8),
            // Many times: what costs too much for each of a kind shows then.
            5 => {
                let piece = file[at..end].repeat(1 + random.below(400));
                file.splice(at..at, piece);
            }
            _ => {
                let number = random.next().to_string();
                file.splice(at..at, number.into_bytes());
            }
        }
    }
}
