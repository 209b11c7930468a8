//! The adaptive limit of requests in flight.
//!
//! It begins low, grows while answers come, and shrinks when so many requests end without one
//! that the machine, its resolver or its line must be the reason and not the hosts. So nobody
//! has to find the number that a line can bear: `concurrency` is only the most that is tried.

use std::sync::{Arc, Mutex, PoisonError};

use tokio::sync::Semaphore;

use super::FetchError;
use super::slots::Held;

/// Requests in flight in the beginning.
const LIMIT_BEGIN: usize = 64;
/// Requests in flight at least.
const LIMIT_MIN: usize = 16;
/// Requests after which the limit is thought over.
const WINDOW_REQUESTS: u32 = 256;
/// Share of strained requests above which the limit shrinks. Dead hosts alone are a tenth to a
/// fifth of an old list.
const STRAINED_SHARE_MAX: f64 = 0.4;

/// Adapts a number of slots.
pub(super) struct AdaptiveLimit {
    slots: Arc<Semaphore>,
    limit_max: usize,
    state: Mutex<State>,
}

struct State {
    limit: usize,
    /// Slots to take away that were in use when the limit shrank.
    debt: usize,
    requests: u32,
    strained: u32,
}

impl AdaptiveLimit {
    pub(super) fn new(limit_max: usize) -> Self {
        let limit = limit_max.min(LIMIT_BEGIN);
        let state = State { limit, debt: 0, requests: 0, strained: 0 };
        Self { slots: Arc::new(Semaphore::new(limit)), limit_max, state: Mutex::new(state) }
    }

    /// Returns the slots, of which a request holds one.
    pub(super) fn slots(&self) -> Arc<Semaphore> {
        self.slots.clone()
    }

    /// Takes back the slot of a request that ended, and notes how.
    pub(super) fn end(&self, held: Held, error: Option<&FetchError>) {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        // Whoever waits for a slot would have it before a shrunk limit could take it away.
        if let Some(slot) = held
            && state.debt > 0
        {
            slot.forget();
            state.debt -= 1;
        }
        state.requests += 1;
        state.strained += u32::from(error.is_some_and(is_strain));
        if state.requests < WINDOW_REQUESTS {
            return;
        }
        let share = f64::from(state.strained) / f64::from(state.requests);
        let wanted = match share > STRAINED_SHARE_MAX {
            true => (state.limit * 2 / 3).max(LIMIT_MIN),
            false => state.limit + state.limit / 2,
        };
        let wanted = wanted.min(self.limit_max);
        if wanted < state.limit {
            tracing::debug!(before = state.limit, now = wanted, share, "strain: fewer requests at a time");
        }
        if wanted > state.limit {
            let repaid = (wanted - state.limit).min(state.debt);
            state.debt -= repaid;
            self.slots.add_permits(wanted - state.limit - repaid);
        } else {
            let excess = state.limit - wanted;
            state.debt += excess - self.slots.forget_permits(excess);
        }
        (state.limit, state.requests, state.strained) = (wanted, 0, 0);
    }
}

/// Returns true for an end that our own side may have caused.
fn is_strain(error: &FetchError) -> bool {
    matches!(
        error,
        FetchError::DnsFailed(_)
            | FetchError::Unjudged(_)
            | FetchError::Connect(_)
            | FetchError::ConnectRefused(_)
            | FetchError::ProxyUnreachable { .. }
            | FetchError::ProxyFailed(_)
            | FetchError::Timeout
    )
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    fn windows(limit: &AdaptiveLimit, count: u32, error: Option<&FetchError>) {
        (0..count * WINDOW_REQUESTS).for_each(|_| limit.end(None, error));
    }

    #[test]
    fn it_grows_to_the_most_while_answers_come_and_shrinks_under_strain() {
        let limit = AdaptiveLimit::new(500);
        assert_eq!(limit.slots.available_permits(), LIMIT_BEGIN);
        windows(&limit, 10, Some(&FetchError::Status(404)));
        assert_eq!(limit.slots.available_permits(), 500);
        windows(&limit, 1, Some(&FetchError::Timeout));
        assert_eq!(limit.slots.available_permits(), 333);
        windows(&limit, 30, Some(&FetchError::DnsFailed("busy".into())));
        assert_eq!(limit.slots.available_permits(), LIMIT_MIN);
        assert_eq!(AdaptiveLimit::new(4).slots.available_permits(), 4);
    }

    #[test]
    fn slots_in_use_are_taken_away_when_they_come_back() {
        let limit = AdaptiveLimit::new(64);
        let held: Vec<Held> = (0..64).map(|_| limit.slots().try_acquire_owned().ok()).collect();
        windows(&limit, 1, Some(&FetchError::Timeout));
        held.into_iter().for_each(|slot| limit.end(slot, None));
        assert_eq!(limit.slots.available_permits(), 42);
    }
}
