//! A file that settings name by its path: what it holds decides a stage's output, not where it is.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use crate::digest::Digest;
use crate::{Error, Lazy, Result, remembered};

/// A file that settings name. It is read when a stage that needs it is about to run, not when stages are listed.
#[derive(Debug, Clone)]
pub struct NamedFile {
    path: PathBuf,
    /// Hexadecimal digits of the digest that it must have.
    stated: Option<String>,
    /// As it was when it was first asked for.
    digest: Arc<Lazy<Digest>>,
}

impl NamedFile {
    /// Names a file; nothing is opened.
    pub fn new(path: impl Into<PathBuf>) -> Self {
        Self { path: path.into(), stated: None, digest: Arc::default() }
    }

    /// Refuses other bytes than those of a SHA-256, if one is stated.
    pub fn stated(self, digest: Option<&str>) -> Self {
        Self { stated: digest.map(str::to_ascii_lowercase), ..self }
    }

    /// Returns where it is.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Returns the digest that it had when this was first asked.
    ///
    /// # Errors
    /// When the file cannot be read, or [`Error::OtherDigest`].
    pub fn digest(&self) -> Result<&Digest> {
        let digest = self.digest.get_or_try(|| remembered::digest(&self.path))?;
        match &self.stated {
            Some(stated) if stated != digest.as_str() => Err(Error::OtherDigest {
                path: self.path.clone(),
                stated: stated.clone(),
                found: digest.clone(),
            }),
            _ => Ok(digest),
        }
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
    fn a_file_with_other_bytes_than_stated_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("model");
        std::fs::write(&path, "one").unwrap();
        let stated = |bytes: &[u8]| {
            let digest = Digest::of(bytes).as_str().to_ascii_uppercase();
            NamedFile::new(&path).stated(Some(&digest)).digest().map(ToString::to_string)
        };
        assert_eq!(stated(b"one").unwrap(), Digest::of(b"one").to_string());
        let refused = stated(b"two").unwrap_err().to_string();
        assert!(
            refused.contains(Digest::of(b"one").as_str()) && refused.contains(Digest::of(b"two").as_str())
        );
    }

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
