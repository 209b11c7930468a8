//! A pool of connections: kept open for a while after an answer, and bounded in number.
//!
//! The HTTP library bounds idle connections by host alone, and a list names thousands of hosts. So a pool
//! that has opened many connections is put away, with those that are idle, and a fresh one takes its place.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll};

use tower_layer::Layer;
use tower_service::Service;

use super::transport::{Parts, Transport};

/// What becomes of a connection after an answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Idle {
    /// It is kept open for a while.
    Kept,
    /// It is closed, so that every request has a connection of its own.
    Closed,
}

/// The pool.
pub(super) struct Pool {
    parts: Parts,
    connections_max: usize,
    current: Mutex<(Transport, Counted)>,
    fresh: Transport,
}

impl Pool {
    /// Makes a pool that is put away once it opened so many connections.
    ///
    /// # Errors
    /// When the library cannot make a client.
    pub(super) fn new(connections_max: usize, parts: Parts) -> reqwest::Result<Self> {
        let opened = Counted::default();
        let current = Mutex::new((parts.transport(opened.clone(), Idle::Kept)?, opened));
        let fresh = parts.transport(Counted::default(), Idle::Closed)?;
        Ok(Self { parts, connections_max, current, fresh })
    }

    /// Returns a transport that opens a connection for each request.
    pub(super) fn fresh(&self) -> Transport {
        self.fresh.clone()
    }

    /// Returns the transport that asks next.
    pub(super) fn transport(&self) -> Transport {
        let mut current = self.current.lock().unwrap_or_else(PoisonError::into_inner);
        if current.1.0.load(Ordering::Relaxed) >= self.connections_max {
            self.renew(&mut current);
        }
        current.0.clone()
    }

    /// Closes what is idle.
    pub(super) fn put_away(&self) {
        self.renew(&mut self.current.lock().unwrap_or_else(PoisonError::into_inner));
    }

    fn renew(&self, current: &mut (Transport, Counted)) {
        let opened = Counted::default();
        // The same was made before; should it fail now, the old one goes on.
        if let Ok(transport) = self.parts.transport(opened.clone(), Idle::Kept) {
            *current = (transport, opened);
        }
    }
}

/// Counts the connections that are opened through it.
#[derive(Debug, Clone, Default)]
pub(super) struct Counted(Arc<AtomicUsize>);

impl Counted {
    /// Counts one.
    pub(super) fn add(&self) {
        self.0.fetch_add(1, Ordering::Relaxed);
    }
}

impl<S> Layer<S> for Counted {
    type Service = Counting<S>;

    fn layer(&self, inner: S) -> Counting<S> {
        Counting { inner, opened: self.clone() }
    }
}

/// A connector that is counted.
#[derive(Debug, Clone)]
pub(super) struct Counting<S> {
    inner: S,
    opened: Counted,
}

impl<S: Service<R>, R> Service<R> for Counting<S> {
    type Response = S::Response;
    type Error = S::Error;
    type Future = S::Future;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        self.inner.poll_ready(context)
    }

    fn call(&mut self, request: R) -> S::Future {
        self.opened.add();
        self.inner.call(request)
    }
}
