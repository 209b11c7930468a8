//! Slots: what may be in flight at once, over all callers of a client.
//!
//! Answers are handed over in input order, so the answer that is waited for must never wait
//! for slots which later answers hold. It needs none: see [`Turn`].

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use tokio::sync::{OwnedSemaphorePermit, Semaphore, watch};

use super::Config;

/// Hosts whose slots are remembered before unused ones are forgotten.
const HOSTS_MAX: usize = 4_096;
/// Bytes of one byte slot.
const SLOT_BYTES: u64 = 1 << 10;

/// The slots of a client.
pub(super) struct Slots {
    requests: Arc<Semaphore>,
    bytes: Arc<Semaphore>,
    hosts: Mutex<BTreeMap<String, Arc<Semaphore>>>,
    per_host: usize,
}

/// A request's place in the input order.
#[derive(Debug, Clone)]
pub(super) struct Turn {
    /// The request's index in the input.
    pub(super) index: u64,
    /// The index of the answer that is waited for.
    pub(super) head: watch::Receiver<u64>,
}

/// Slots that are held until this is dropped; `None` where the turn had come.
pub(super) type Held = Option<OwnedSemaphorePermit>;

impl Slots {
    pub(super) fn new(config: &Config) -> Self {
        let bytes = usize::try_from(config.inflight_bytes_max.div_ceil(SLOT_BYTES));
        let bytes = bytes.map_or(Semaphore::MAX_PERMITS, |n| n.min(Semaphore::MAX_PERMITS));
        Self {
            requests: Arc::new(Semaphore::new(config.concurrency as usize)),
            bytes: Arc::new(Semaphore::new(bytes)),
            hosts: Mutex::new(BTreeMap::new()),
            per_host: config.per_host_concurrency as usize,
        }
    }

    /// Waits for a slot of the host, then for one of the client: in this order, so that a
    /// crowd before one host does not keep the others waiting.
    pub(super) async fn request(&self, host: &str, turn: &mut Turn) -> (Held, Held) {
        let of_host = turn.wait(self.host(host), 1).await;
        let of_client = turn.wait(self.requests.clone(), 1).await;
        (of_host, of_client)
    }

    /// Waits for room for so many bytes.
    pub(super) async fn bytes(&self, bytes: u64, turn: &mut Turn) -> Held {
        let slots = u32::try_from(bytes.div_ceil(SLOT_BYTES)).unwrap_or(u32::MAX);
        turn.wait(self.bytes.clone(), slots).await
    }

    fn host(&self, host: &str) -> Arc<Semaphore> {
        let mut hosts = self.hosts.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(slots) = hosts.get(host) {
            return slots.clone();
        }
        if hosts.len() >= HOSTS_MAX {
            hosts.retain(|_, slots| Arc::strong_count(slots) > 1);
        }
        let slots = Arc::new(Semaphore::new(self.per_host));
        hosts.insert(host.to_owned(), slots.clone());
        slots
    }
}

impl Turn {
    /// Waits for slots, or until this request is the one that is waited for.
    async fn wait(&mut self, slots: Arc<Semaphore>, count: u32) -> Held {
        let index = self.index;
        tokio::select! {
            biased;
            held = slots.acquire_many_owned(count) => held.ok(),
            _ = self.head.wait_for(|head| *head >= index) => None,
        }
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use std::time::Duration;

    #[tokio::test]
    async fn the_awaited_request_needs_no_slot_and_others_wait() {
        let slots =
            Slots::new(&Config { inflight_bytes_max: 2_048, body_bytes_max: 2_048, ..Config::default() });
        let (head, receiver) = watch::channel(0);
        let turn = |index| Turn { index, head: receiver.clone() };
        let held = slots.bytes(2_000, &mut turn(5)).await;
        assert!(held.is_some());
        let mut third = turn(3);
        let waiting = slots.bytes(1, &mut third);
        assert!(tokio::time::timeout(Duration::from_millis(20), waiting).await.is_err());
        head.send(3).unwrap();
        assert!(slots.bytes(1, &mut third).await.is_none(), "went ahead without a slot");
        drop(held);
        assert!(slots.bytes(1, &mut turn(4)).await.is_some());
    }

    #[test]
    fn unused_hosts_are_forgotten() {
        let slots = Slots::new(&Config::default());
        let busy = slots.host("busy.example");
        for number in 0..HOSTS_MAX * 2 {
            slots.host(&format!("{number}.example"));
        }
        assert!(slots.hosts.lock().unwrap().len() <= HOSTS_MAX);
        assert!(Arc::ptr_eq(&busy, &slots.host("busy.example")));
    }
}
