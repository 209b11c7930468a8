//! Places of a commit at which tests stop or kill the process; nothing outside of tests.

/// A place of a commit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Point {
    /// No part of the range is in the store yet.
    BeforeParts,
    /// All parts are, and no entry names them.
    BeforeEntry,
    /// The entry is in the store; a mark of the task's end is not.
    AfterEntry,
}

#[cfg(not(test))]
pub(crate) fn reach(_point: Point) {}

#[cfg(test)]
pub(crate) use armed::{arm, reach};

#[cfg(test)]
mod armed {
    use std::sync::Mutex;
    use std::sync::PoisonError;

    use super::Point;

    struct Armed {
        point: Point,
        /// Times that the point is passed before the signal.
        passes: u32,
        signal: libc::c_int,
    }

    static ARMED: Mutex<Option<Armed>> = Mutex::new(None);

    /// Sends this process a signal when it reaches the point for the `passes + 1`st time.
    pub(crate) fn arm(point: Point, passes: u32, signal: libc::c_int) {
        *ARMED.lock().unwrap_or_else(PoisonError::into_inner) = Some(Armed { point, passes, signal });
    }

    pub(crate) fn reach(point: Point) {
        let mut guard = ARMED.lock().unwrap_or_else(PoisonError::into_inner);
        let Some(armed) = guard.as_mut().filter(|armed| armed.point == point) else {
            return;
        };
        if armed.passes > 0 {
            armed.passes -= 1;
            return;
        }
        let signal = armed.signal;
        *guard = None;
        drop(guard);
        // SAFETY: raising a signal has no preconditions.
        unsafe { libc::raise(signal) };
    }
}
