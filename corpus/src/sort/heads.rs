//! The rows that several sorted sequences begin with, of which the smallest is next.

use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::collections::binary_heap::PeekMut;

use crate::Result;

/// A row of each sequence that has not ended, with the number of the sequence.
#[derive(Debug)]
pub(super) struct Heads<R>(BinaryHeap<Reverse<(R, usize)>>);

impl<R: Ord> Heads<R> {
    /// Begins with the first rows of so many sequences; `next` takes a row of one.
    ///
    /// # Errors
    /// As `next`.
    pub(super) fn new(count: usize, mut next: impl FnMut(usize) -> Result<Option<R>>) -> Result<Self> {
        let mut heap = BinaryHeap::with_capacity(count);
        for index in 0..count {
            heap.extend(next(index)?.map(|row| Reverse((row, index))));
        }
        Ok(Self(heap))
    }

    /// Returns the smallest row.
    pub(super) fn peek(&self) -> Option<&R> {
        self.0.peek().map(|Reverse((row, _))| row)
    }

    /// Takes the smallest row; `next` takes the one behind it, of the same sequence.
    ///
    /// # Errors
    /// As `next`.
    pub(super) fn pop(&mut self, next: impl FnOnce(usize) -> Result<Option<R>>) -> Result<Option<R>> {
        let Some(mut top) = self.0.peek_mut() else {
            return Ok(None);
        };
        // The next row takes the place of this one: one way down the heap, not one up and one down.
        let Reverse((row, index)) = &mut *top;
        match next(*index)? {
            Some(next) => Ok(Some(std::mem::replace(row, next))),
            None => {
                let Reverse((row, _)) = PeekMut::pop(top);
                Ok(Some(row))
            }
        }
    }
}
