//! The lock of a run in an object store, which has none: a lease that its holder renews.
//!
//! ```text
//! lease/00000007.json      who holds it, and how often it was renewed; the highest number counts
//! ```
//!
//! A lease is taken by putting the next number, of which create-if-absent lets one succeed. It may be taken when the
//! last one was given back, or was not renewed for [`PATIENCE`] while somebody watched, which compares no clocks, or is
//! of this very working folder, whose lock tells that its holder is gone. A holder that could not renew it stops before
//! anybody else may take it. Commits do not depend on it: two runs at a time waste work, and damage nothing.

use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use corpus::{Cancel, Store};
use serde::{Deserialize, Serialize};

use crate::folder::json;
use crate::{Error, Result};

const FOLDER: &str = "lease";
/// Time between two looks at it.
const TICK: Duration = Duration::from_secs(1);
/// Time between two renewals.
const BEAT: Duration = Duration::from_secs(5);
/// Time without a renewal after which a lease may be taken.
const PATIENCE: Duration = Duration::from_secs(60);
/// Time without a renewal after which a holder stops: well before anybody else begins.
const CONFIDENCE: Duration = Duration::from_secs(30);

/// Who holds a lease, or held it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct Holder {
    /// In words.
    who: String,
    /// The working folder's identity.
    work: String,
    /// How often it was renewed.
    beats: u64,
    is_given_back: bool,
}

/// A lease that is held, and renewed until this is dropped.
#[derive(Debug)]
pub(crate) struct Lease {
    state: Arc<Mutex<State>>,
    /// One thread renews it and may have to wait for the store, another looks whether it did.
    threads: Vec<(Sender<()>, JoinHandle<()>)>,
}

/// How a lease is.
#[derive(Debug)]
struct State {
    renewed: Instant,
    is_lost: bool,
    /// What is stopped when it is lost.
    stops: Option<Cancel>,
}

impl Lease {
    /// Takes the lease of a store for whoever holds the lock of a working folder.
    ///
    /// # Errors
    /// [`Error::Usage`] when somebody else holds it; when the store fails.
    pub(crate) fn take(store: &Store, who: &str, work: &str) -> Result<Self> {
        let number = match newest(store)? {
            None => 0,
            Some((number, holder)) => {
                if !holder.is_given_back && holder.work != work {
                    wait_for_end(store, number, holder)?;
                }
                number + 1
            }
        };
        let holder = Holder { who: who.to_owned(), work: work.to_owned(), beats: 0, is_given_back: false };
        if !store.put_if_absent(&path(number), json(&holder)?.into())? {
            let holder = read(store, number)?.map_or_else(String::new, |holder| holder.who);
            return Err(in_use(store, &holder));
        }
        let older = numbers(store)?.into_iter().filter(|older| *older < number).map(path);
        store.delete_all(older.collect::<Vec<_>>().iter().map(String::as_str))?;
        Ok(Self::hold(store.clone(), number, holder))
    }

    fn hold(store: Store, number: u64, holder: Holder) -> Self {
        let state = State { renewed: Instant::now(), is_lost: false, stops: None };
        let state = Arc::new(Mutex::new(state));
        let thread = |work: Box<dyn FnOnce(Receiver<()>) + Send>| {
            let (ends, ended) = channel();
            (ends, std::thread::spawn(move || work(ended)))
        };
        let (renewed, watched) = (state.clone(), state.clone());
        let renewing = thread(Box::new(move |ended| keep_renewing(&store, number, holder, &renewed, &ended)));
        let watching = thread(Box::new(move |ended| watch(&watched, &ended)));
        Self { state, threads: vec![renewing, watching] }
    }

    /// Has the loss of the lease ask for a stop.
    pub(crate) fn stops(&self, cancel: &Cancel) {
        let mut state = lock(&self.state);
        if state.is_lost {
            cancel.request();
        }
        state.stops = Some(cancel.clone());
    }

    /// Returns true if and only if the lease was lost.
    pub(crate) fn is_lost(&self) -> bool {
        lock(&self.state).is_lost
    }
}

impl Drop for Lease {
    fn drop(&mut self) {
        for (ends, thread) in self.threads.drain(..) {
            drop(ends);
            // It panics nowhere, and a lease that is not given back runs out.
            let _ = thread.join();
        }
    }
}

/// Renews a lease until somebody else has it or it is given back.
fn keep_renewing(store: &Store, number: u64, mut holder: Holder, state: &Mutex<State>, ended: &Receiver<()>) {
    while ended.recv_timeout(BEAT) == Err(RecvTimeoutError::Timeout) {
        holder.beats += 1;
        match renew(store, number, &holder) {
            Ok(true) => lock(state).renewed = Instant::now(),
            Ok(false) => return lose(state),
            Err(error) => tracing::debug!(%error, "the lease could not be renewed"),
        }
    }
    holder.is_given_back = true;
    // Otherwise the next one waits.
    if let Err(error) = renew(store, number, &holder) {
        tracing::debug!(%error, "the lease could not be given back");
    }
}

/// Gives a lease up that is not renewed for too long, whatever the renewal waits for.
fn watch(state: &Mutex<State>, ended: &Receiver<()>) {
    while ended.recv_timeout(TICK) == Err(RecvTimeoutError::Timeout) {
        if lock(state).renewed.elapsed() > CONFIDENCE {
            return lose(state);
        }
    }
}

fn lose(state: &Mutex<State>) {
    let mut state = lock(state);
    state.is_lost = true;
    if let Some(cancel) = &state.stops {
        cancel.request();
    }
}

/// A poisoned lock only means that another thread panicked.
fn lock(state: &Mutex<State>) -> MutexGuard<'_, State> {
    state.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Renews a lease; false if somebody else took the next one.
fn renew(store: &Store, number: u64, holder: &Holder) -> Result<bool> {
    if numbers(store)?.last().is_some_and(|newest| *newest > number) {
        return Ok(false);
    }
    store.replace(&path(number), json(holder)?.into())?;
    Ok(true)
}

/// Waits until a lease was not renewed for long enough.
fn wait_for_end(store: &Store, number: u64, holder: Holder) -> Result<()> {
    let begun = Instant::now();
    let (who, seconds) = (&holder.who, PATIENCE.as_secs());
    tracing::warn!("{store} was in use by {who}: waits up to {seconds} s whether it still is");
    while begun.elapsed() < PATIENCE {
        std::thread::sleep(TICK);
        match read(store, number)? {
            Some(now) if now.is_given_back => return Ok(()),
            Some(now) if now == holder => {}
            // It is renewed, or somebody took the next one.
            _ => return Err(in_use(store, &holder.who)),
        }
    }
    Ok(())
}

fn in_use(store: &Store, who: &str) -> Error {
    let who = if who.is_empty() { "another process" } else { who };
    Error::Usage(format!("{store} is in use by {who}: wait for it, or stop it"))
}

/// Returns the lease that counts.
fn newest(store: &Store) -> Result<Option<(u64, Holder)>> {
    let Some(number) = numbers(store)?.pop() else {
        return Ok(None);
    };
    // It may have been removed by whoever took the next one.
    let gone = || in_use(store, "");
    Ok(Some((number, read(store, number)?.ok_or_else(gone)?)))
}

fn numbers(store: &Store) -> Result<Vec<u64>> {
    let names = store.names(FOLDER)?;
    let number = |path: &String| path.rsplit('/').next()?.strip_suffix(".json")?.parse().ok();
    let mut numbers: Vec<u64> = names.iter().filter_map(number).collect();
    numbers.sort_unstable();
    Ok(numbers)
}

fn read(store: &Store, number: u64) -> Result<Option<Holder>> {
    let damaged = || format!("{} is damaged: remove it if no run is at work", path(number));
    let bytes = store.get(&path(number))?;
    bytes.map(|bytes| serde_json::from_slice(&bytes).map_err(Error::because(damaged))).transpose()
}

fn path(number: u64) -> String {
    format!("{FOLDER}/{number:08}.json")
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn a_lease_is_held_by_one_and_taken_by_the_next_when_it_is_given_back() {
        let store = Store::memory().unwrap();
        let first = Lease::take(&store, "the first", "a").unwrap();
        assert!(!first.is_lost());
        assert_eq!(numbers(&store).unwrap(), [0]);
        // It is renewed, so nobody else waits for its end.
        let error = Lease::take(&store, "the second", "b").unwrap_err();
        assert!(error.to_string().contains("memory is in use by the first"), "{error}");
        drop(first);
        let second = Lease::take(&store, "the second", "b").unwrap();
        assert_eq!(numbers(&store).unwrap(), [1]);
        drop(second);
    }

    #[test]
    fn what_died_in_this_working_folder_is_not_waited_for_and_whoever_lost_it_stops() {
        let store = Store::memory().unwrap();
        let first = Lease::take(&store, "the first", "a").unwrap();
        let cancel = Cancel::default();
        first.stops(&cancel);
        let begun = Instant::now();
        let _second = Lease::take(&store, "the second", "a").unwrap();
        assert!(begun.elapsed() < BEAT);
        while !cancel.is_requested() {
            assert!(begun.elapsed() < 4 * BEAT, "it notices at its next renewal");
            std::thread::sleep(Duration::from_millis(100));
        }
        assert!(first.is_lost());
        drop(first);
        assert_eq!(read(&store, 1).unwrap().map(|holder| holder.who).as_deref(), Some("the second"));
    }
}
