//! Whether this process stood still: stopped by a signal or starved, it sees deadlines pass that no server missed.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use tokio::runtime::Handle;

/// Time between two beats.
const BEAT: Duration = Duration::from_millis(500);
/// Time without a beat after which the process stood still.
const STILL_MILLIS: u64 = 3_000;

/// Beats as long as somebody holds it.
pub(super) struct Heartbeat {
    begun: Instant,
    beats: Beats,
}

/// When the heart beat, in milliseconds.
#[derive(Default)]
struct Beats {
    last: AtomicU64,
    /// The end of the last time without beats; 0 if there was none.
    still_until: AtomicU64,
}

impl Heartbeat {
    /// Begins to beat on a runtime.
    pub(super) fn start(runtime: &Handle) -> Arc<Self> {
        let heart = Arc::new(Self { begun: Instant::now(), beats: Beats::default() });
        let weak = Arc::downgrade(&heart);
        runtime.spawn(async move {
            while let Some(heart) = weak.upgrade() {
                heart.beats.beat(heart.now());
                drop(heart);
                tokio::time::sleep(BEAT).await;
            }
        });
        heart
    }

    /// Returns the time by this clock, in milliseconds.
    pub(super) fn now(&self) -> u64 {
        u64::try_from(self.begun.elapsed().as_millis()).unwrap_or(u64::MAX)
    }

    /// Returns true if the process stood still at some time since then.
    pub(super) fn stood_still_since(&self, began: u64) -> bool {
        self.beats.stood_still(began, self.now())
    }
}

impl Beats {
    fn beat(&self, now: u64) {
        if now.saturating_sub(self.last.swap(now, Ordering::Relaxed)) > STILL_MILLIS {
            self.still_until.store(now, Ordering::Relaxed);
        }
    }

    fn stood_still(&self, began: u64, now: u64) -> bool {
        // Behind a stop a deadline may be seen before the next beat is.
        let is_late = now.saturating_sub(self.last.load(Ordering::Relaxed)) > STILL_MILLIS;
        let until = self.still_until.load(Ordering::Relaxed);
        is_late || (until > 0 && until >= began)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_time_without_beats_is_told_of_whoever_was_under_way_in_it() {
        let beats = Beats::default();
        [500, 1_000, 1_500].into_iter().for_each(|now| beats.beat(now));
        assert!(!beats.stood_still(0, 1_900));
        // Seen before the next beat, and after it.
        assert!(beats.stood_still(1_200, 9_000));
        beats.beat(9_001);
        assert!(beats.stood_still(1_200, 9_100));
        [9_500, 10_000].into_iter().for_each(|now| beats.beat(now));
        assert!(!beats.stood_still(9_200, 10_100), "it began behind it");
    }
}
