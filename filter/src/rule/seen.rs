//! A set of hashes that is cleared at no cost, for the many small ones that a text needs.

use std::cell::Cell;

/// Hashes with how often they were added.
#[derive(Debug)]
pub(super) struct Seen {
    slots: Vec<Slot>,
    /// Of the slots in use, less one; they are a power of two.
    mask: usize,
    generation: u32,
}

#[derive(Debug, Clone, Copy, Default)]
struct Slot {
    hash: u64,
    generation: u32,
    times: u32,
    first: u32,
}

/// Slots of a set at most that a thread keeps for its next text.
const KEPT_SLOTS_MAX: usize = 1 << 18;

thread_local! {
    static KEPT: Cell<Option<Seen>> = const { Cell::new(None) };
}

impl Seen {
    /// Lends the thread's set, empty, with room for so many different hashes.
    pub(super) fn with<T>(count: usize, work: impl FnOnce(&mut Self) -> T) -> T {
        let slots = (count * 2 + 2).next_power_of_two();
        let kept = KEPT.take().filter(|kept| kept.slots.len() >= slots && kept.generation < u32::MAX / 2);
        let mut seen =
            kept.unwrap_or_else(|| Self { slots: vec![Slot::default(); slots], mask: 0, generation: 0 });
        seen.mask = slots - 1;
        seen.clear();
        let found = work(&mut seen);
        if seen.slots.len() <= KEPT_SLOTS_MAX {
            KEPT.set(Some(seen));
        }
        found
    }

    /// Forgets all hashes.
    pub(super) fn clear(&mut self) {
        self.generation += 1;
    }

    /// Adds a hash; returns how often it was added by now.
    pub(super) fn add(&mut self, hash: u64) -> u32 {
        self.add_at(hash, 0).0
    }

    /// Adds a hash; returns how often it was added by now, and where it was first.
    pub(super) fn add_at(&mut self, hash: u64, at: u32) -> (u32, u32) {
        let mut place = (hash >> 32 ^ hash) as usize & self.mask;
        // Where more were added than there is room for, the last ones share a slot.
        for _ in 0..=self.mask {
            let slot = &mut self.slots[place];
            if slot.generation != self.generation {
                *slot = Slot { hash, generation: self.generation, times: 1, first: at };
                return (1, at);
            }
            if slot.hash == hash {
                slot.times += 1;
                return (slot.times, slot.first);
            }
            place = (place + 1) & self.mask;
        }
        (1, at)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hashes_are_counted_until_the_set_is_cleared() {
        Seen::with(4, |seen| {
            assert_eq!([7, 7, 9, 7].map(|hash| seen.add(hash)), [1, 2, 1, 3]);
            seen.clear();
            assert_eq!((seen.add_at(7, 5), seen.add_at(7, 6)), ((1, 5), (2, 5)));
        });
        Seen::with(2, |seen| assert_eq!(seen.add(7), 1));
    }

    #[test]
    fn more_hashes_than_room_end() {
        Seen::with(1, |seen| assert!((0..100).all(|hash| seen.add(hash) == 1)));
    }
}
