//! A file that settings name by its path: what it holds decides a stage's output, not where it is.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use crate::digest::Digest;
use crate::{Error, Lazy, Result, remembered};

/// A file that settings name. It is read when a stage that needs it is about to run, not when stages are listed.
#[derive(Debug, Clone)]
pub struct NamedFile {
    path: PathBuf,
    /// As it was when it was first asked for.
    digest: Arc<Lazy<Digest>>,
}

impl NamedFile {
    /// Names a file; nothing is opened.
    pub fn new(path: impl Into<PathBuf>) -> Self {
        Self { path: path.into(), digest: Arc::default() }
    }

    /// Returns where it is.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Returns the digest that it had when this was first asked.
    ///
    /// # Errors
    /// When the file cannot be read.
    pub fn digest(&self) -> Result<&Digest> {
        self.digest.get_or_try(|| remembered::digest(&self.path))
    }

    /// Checks that the file is still what it was when its digest was first asked for.
    ///
    /// # Errors
    /// [`Error::Settings`] of the stage when it changed since.
    pub fn check(&self, stage: &str) -> Result<()> {
        if remembered::digest(&self.path)? == *self.digest()? {
            return Ok(());
        }
        let detail = format!("{} changed while the run was going on", self.path.display());
        Err(Error::Settings { stage: stage.to_owned(), detail })
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn a_file_is_read_when_its_digest_is_asked_for_and_a_change_is_noticed() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("model");
        let file = NamedFile::new(&path);
        assert!(file.digest().is_err());
        std::fs::write(&path, "one").unwrap();
        assert_eq!(file.digest().unwrap(), &Digest::of(b"one"));
        file.check("features").unwrap();
        std::fs::write(&path, "two").unwrap();
        assert_eq!(file.clone().digest().unwrap(), &Digest::of(b"one"));
        assert!(
            file.check("features").unwrap_err().to_string().contains("changed while the run was going on")
        );
    }
}
