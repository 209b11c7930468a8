//! A budget: the memory that images in work hold together, over all workers of the process.
//!
//! A thread leases what an image needs before it decodes, waits while others hold too much, and gives it
//! back when the image is stored, also if it panics. A thread holds at most one lease and nothing else that
//! another one waits for, so every wait ends when those before it end. Leases are granted in the order in
//! which they are asked for: small images do not pass a large one that waits.

use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};

/// What all images in work of this process are accounted in.
pub(super) static MEMORY: Budget = Budget::new();

/// Bytes of a lease from which the allocator is asked to return what was freed. It keeps up to 32 MB per
/// buffer and thread, which the next image of another thread would not use; below this, keeping is cheaper.
const RETURNED_BYTES_MIN: u64 = 16 << 20;

/// Bytes that are lent to threads, and the order of those that wait.
#[derive(Debug)]
pub(super) struct Budget {
    state: Mutex<State>,
    changed: Condvar,
}

#[derive(Debug)]
struct State {
    held_bytes: u64,
    /// The ticket that the next thread draws.
    next_ticket: u64,
    /// The ticket whose turn it is.
    turn: u64,
}

/// Bytes of a budget, given back when this is dropped.
#[derive(Debug)]
pub struct Lease<'a> {
    budget: &'a Budget,
    bytes: u64,
}

impl Budget {
    const fn new() -> Self {
        let state = State { held_bytes: 0, next_ticket: 0, turn: 0 };
        Self { state: Mutex::new(state), changed: Condvar::new() }
    }

    /// Waits until `bytes` fit into `capacity_bytes` beside what others hold. More than the capacity is
    /// granted when nothing else is held: who asks knows whether to refuse.
    pub(super) fn lease(&self, bytes: u64, capacity_bytes: u64) -> Lease<'_> {
        let mut state = self.state();
        let ticket = state.next_ticket;
        state.next_ticket += 1;
        let waits = |state: &mut State| {
            let fits = state.held_bytes == 0 || state.held_bytes.saturating_add(bytes) <= capacity_bytes;
            state.turn != ticket || !fits
        };
        state = self.changed.wait_while(state, waits).unwrap_or_else(PoisonError::into_inner);
        state.held_bytes = state.held_bytes.saturating_add(bytes);
        state.turn += 1;
        drop(state);
        self.changed.notify_all();
        Lease { budget: self, bytes }
    }

    /// A panic under the lock is not possible; a state that one left behind would still be whole.
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Lease<'_> {
    fn drop(&mut self) {
        if self.bytes >= RETURNED_BYTES_MIN {
            return_freed_memory();
        }
        let mut state = self.budget.state();
        state.held_bytes = state.held_bytes.saturating_sub(self.bytes);
        drop(state);
        self.budget.changed.notify_all();
    }
}

/// Has the allocator return free pages to the operating system, where it would keep them.
#[cfg(all(target_os = "linux", target_env = "gnu"))]
fn return_freed_memory() {
    unsafe extern "C" {
        safe fn malloc_trim(kept_bytes: usize) -> std::ffi::c_int;
    }
    // It says whether there was anything to return.
    let _ = malloc_trim(0);
}

/// Other allocators return large buffers when they are freed.
#[cfg(not(all(target_os = "linux", target_env = "gnu")))]
fn return_freed_memory() {}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::panic)]
mod tests {
    use std::sync::atomic::{AtomicU64, Ordering};

    use proptest::prelude::*;

    use super::*;

    fn held(budget: &Budget) -> u64 {
        budget.state().held_bytes
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(32))]
        #[test]
        fn threads_never_hold_more_than_the_capacity_and_give_all_of_it_back(
            sizes in prop::collection::vec(prop::collection::vec(0..=100_u64, 1..20), 1..6),
        ) {
            const CAPACITY: u64 = 100;
            let (budget, in_work, most) = (Budget::new(), AtomicU64::new(0), AtomicU64::new(0));
            std::thread::scope(|scope| {
                let (budget, in_work, most) = (&budget, &in_work, &most);
                for sizes in &sizes {
                    scope.spawn(move || for bytes in sizes {
                        let lease = budget.lease(*bytes, CAPACITY);
                        let now = in_work.fetch_add(*bytes, Ordering::SeqCst) + bytes;
                        most.fetch_max(now, Ordering::SeqCst);
                        std::thread::yield_now();
                        in_work.fetch_sub(*bytes, Ordering::SeqCst);
                        drop(lease);
                    });
                }
            });
            prop_assert!(most.into_inner() <= CAPACITY);
            prop_assert_eq!(held(&budget), 0);
        }
    }

    #[test]
    fn a_panic_gives_the_lease_back() {
        let budget = Budget::new();
        let work = || {
            let _lease = budget.lease(7, 10);
            panic!("on purpose");
        };
        assert!(std::panic::catch_unwind(std::panic::AssertUnwindSafe(work)).is_err());
        assert_eq!(held(&budget), 0);
        drop(budget.lease(10, 10));
    }

    #[test]
    fn a_large_image_that_waits_is_not_passed_by_small_ones() {
        let budget = Budget::new();
        let order = Mutex::new(Vec::new());
        let first = budget.lease(1, 10);
        std::thread::scope(|scope| {
            for (place, bytes) in [10, 1, 2].into_iter().enumerate() {
                let (budget, order) = (&budget, &order);
                scope.spawn(move || {
                    let _lease = budget.lease(bytes, 10);
                    order.lock().unwrap().push(bytes);
                });
                // The next one asks only after this one did.
                while budget.state().next_ticket < place as u64 + 2 {
                    std::thread::yield_now();
                }
            }
            assert!(order.lock().unwrap().is_empty());
            drop(first);
        });
        assert_eq!(order.into_inner().unwrap().first(), Some(&10));
    }

    #[test]
    fn more_than_the_capacity_waits_until_nothing_else_is_held() {
        let budget = Budget::new();
        drop(budget.lease(11, 10));
        drop(budget.lease(u64::MAX, 10));
        assert_eq!(held(&budget), 0);
    }
}
