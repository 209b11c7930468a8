//! Objects in memory: for tests, which see what an object store does.

use std::sync::Arc;

use object_store::memory::InMemory;

use super::remote::Remote;
use crate::Result;

/// Makes an empty one.
pub(super) fn open() -> Result<Remote> {
    let objects = Arc::new(InMemory::new());
    Remote::new("memory".to_owned(), objects.clone(), objects)
}
