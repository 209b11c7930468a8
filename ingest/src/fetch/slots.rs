//! Slots: what may be in flight at once, over all callers of a client.
//!
//! Answers are handed over in input order, so the answer that is waited for must never wait
//! for slots which later answers hold. It needs none: see [`Turn`].

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::{OwnedSemaphorePermit, Semaphore, watch};
use tokio::time::Instant;

use super::adaptive_limit::AdaptiveLimit;
use super::hosts::{Host, Hosts};
use super::{Config, FetchError};

/// Bytes of one byte slot.
const SLOT_BYTES: u64 = 1 << 10;

/// Wait after which a host's time has passed.
const WAIT_MAX: Duration = Duration::from_millis(50);

/// The slots of a client.
pub(super) struct Slots {
    /// How many requests may be in flight.
    pub(super) limit: AdaptiveLimit,
    /// What each host may be asked.
    pub(super) hosts: Hosts,
    bytes: Arc<Semaphore>,
    byte_slots: usize,
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
            limit: AdaptiveLimit::new(config.concurrency as usize),
            hosts: Hosts::new(config),
            bytes: Arc::new(Semaphore::new(bytes)),
            byte_slots: bytes,
        }
    }

    /// Returns true if and only if bodies take half of the room that they may.
    pub(super) fn are_half_full(&self) -> bool {
        self.bytes.available_permits() < self.byte_slots / 2
    }

    /// Waits for a slot of the host and for the host's own time, then for a slot of the client: in
    /// this order, so that a crowd before one host does not keep the others waiting. Who waited long for
    /// the last of them asks for the host's time again.
    ///
    /// # Errors
    /// When the host wants to be left alone for too long.
    pub(super) async fn request(&self, host: &Host, turn: &mut Turn) -> Result<(Held, Held), FetchError> {
        let of_host = turn.wait(host.slots.clone(), 1).await;
        host.turn().await?;
        let begun = Instant::now();
        let of_client = turn.wait(self.limit.slots(), 1).await;
        if begun.elapsed() > WAIT_MAX {
            host.turn().await?;
        }
        Ok((of_host, of_client))
    }

    /// Waits for room for so many bytes.
    pub(super) async fn bytes(&self, bytes: u64, turn: &mut Turn) -> Held {
        let slots = u32::try_from(bytes.div_ceil(SLOT_BYTES)).unwrap_or(u32::MAX);
        turn.wait(self.bytes.clone(), slots).await
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
}
