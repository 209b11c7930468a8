//! What is made when it is first asked for, and may fail: the contents of files that settings name.

use std::sync::OnceLock;

use crate::Result;

/// A value that is made once. Failing makes none, so that the next asker tries again.
#[derive(Debug, Clone)]
pub struct Lazy<T>(OnceLock<T>);

impl<T> Default for Lazy<T> {
    fn default() -> Self {
        Self(OnceLock::new())
    }
}

impl<T> Lazy<T> {
    /// Returns the value; makes it if that has not been done.
    ///
    /// # Errors
    /// Those of making it.
    pub fn get_or_try(&self, make: impl FnOnce() -> Result<T>) -> Result<&T> {
        match self.0.get() {
            Some(value) => Ok(value),
            None => {
                let value = make()?;
                Ok(self.0.get_or_init(|| value))
            }
        }
    }
}
