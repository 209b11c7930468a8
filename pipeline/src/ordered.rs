//! Work on many items at once, results in the order of the items.

use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::thread;

/// Items that wait for a worker, and results that wait for their turn.
const WAITING_MAX: usize = 32;

/// Applies `work` to each item on so many threads and hands the results to `take` in the order
/// of the items; stops at the first error of `take`.
///
/// Items are dealt to the workers in turn and taken from them in the same turn, so that order
/// needs no buffer beyond the channels: at most `workers * 2 * 32` items are in memory.
pub fn map<I, T, E>(
    items: impl Iterator<Item = I> + Send,
    workers: usize,
    work: impl Fn(I) -> T + Sync,
    mut take: impl FnMut(T) -> Result<(), E>,
) -> Result<(), E>
where
    I: Send,
    T: Send,
{
    let lanes = 0..workers.max(1);
    let (senders, inputs): (Vec<_>, Vec<_>) = lanes.clone().map(|_| sync_channel::<I>(WAITING_MAX)).unzip();
    let (outputs, receivers): (Vec<_>, Vec<_>) = lanes.map(|_| sync_channel::<T>(WAITING_MAX)).unzip();
    thread::scope(|scope| {
        scope.spawn(move || deal(items, &senders));
        for (input, output) in inputs.into_iter().zip(outputs) {
            let work = &work;
            scope.spawn(move || {
                for item in input {
                    if output.send(work(item)).is_err() {
                        break;
                    }
                }
            });
        }
        collect(receivers, &mut take)
    })
}

/// Hands out items until there are none, or nobody takes them.
fn deal<I>(items: impl Iterator<Item = I>, senders: &[SyncSender<I>]) {
    for (item, sender) in items.zip(senders.iter().cycle()) {
        if sender.send(item).is_err() {
            return;
        }
    }
}

/// Takes results in turn. The receivers are dropped at the end, so that workers whose results
/// nobody takes stop, too.
fn collect<T, E>(receivers: Vec<Receiver<T>>, take: &mut impl FnMut(T) -> Result<(), E>) -> Result<(), E> {
    for receiver in receivers.iter().cycle() {
        match receiver.recv() {
            Ok(result) => take(result)?,
            // The lane whose turn it is has ended, so all have.
            Err(_) => break,
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn results_come_in_the_order_of_the_items_whatever_each_takes() {
        for workers in [1, 2, 7] {
            let mut seen = Vec::new();
            let work = |n: u64| {
                if n.is_multiple_of(5) {
                    thread::yield_now();
                }
                n * n
            };
            let result: Result<(), ()> = map(0..1_000, workers, work, |n| {
                seen.push(n);
                Ok(())
            });
            assert_eq!(result, Ok(()));
            assert_eq!(seen, (0..1_000).map(|n| n * n).collect::<Vec<_>>());
        }
    }

    #[test]
    fn an_error_ends_it_even_where_items_have_no_end() {
        let mut count = 0;
        let result = map(
            0_u64..,
            3,
            |n| n,
            |n| {
                count += 1;
                if n == 100 { Err("enough") } else { Ok(()) }
            },
        );
        assert_eq!((result, count), (Err("enough"), 101));
    }
}
