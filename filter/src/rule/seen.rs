//! A set of hashes that is cleared at no cost, for the many small ones that a text needs.

/// Hashes with how often they were added.
#[derive(Debug)]
pub(super) struct Seen {
    slots: Vec<Slot>,
    generation: u32,
}

#[derive(Debug, Clone, Copy, Default)]
struct Slot {
    hash: u64,
    generation: u32,
    times: u32,
    first: u32,
}

impl Seen {
    /// Returns a set with room for so many different hashes.
    pub(super) fn for_items(count: usize) -> Self {
        let slots = vec![Slot::default(); (count * 2 + 2).next_power_of_two()];
        Self { slots, generation: 1 }
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
        let mask = self.slots.len() - 1;
        let mut place = (hash >> 32 ^ hash) as usize & mask;
        // Where more were added than there is room for, the last ones share a slot.
        for _ in 0..self.slots.len() {
            let slot = &mut self.slots[place];
            if slot.generation != self.generation {
                *slot = Slot { hash, generation: self.generation, times: 1, first: at };
                return (1, at);
            }
            if slot.hash == hash {
                slot.times += 1;
                return (slot.times, slot.first);
            }
            place = (place + 1) & mask;
        }
        (1, at)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hashes_are_counted_until_the_set_is_cleared() {
        let mut seen = Seen::for_items(4);
        assert_eq!([7, 7, 9, 7].map(|hash| seen.add(hash)), [1, 2, 1, 3]);
        seen.clear();
        assert_eq!((seen.add_at(7, 5), seen.add_at(7, 6)), ((1, 5), (2, 5)));
    }

    #[test]
    fn more_hashes_than_room_end() {
        let mut seen = Seen::for_items(1);
        assert!((0..100).all(|hash| seen.add(hash) == 1));
    }
}
