//! The SHA-256 digest of bytes: what `sha256sum` prints, so that anyone can check a part.

use std::fmt;
use std::fs::File;
use std::io::{self, Read};
use std::path::Path;

use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

use crate::{Error, Result};

/// A SHA-256 digest in lower-case hexadecimal.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Digest(String);

impl Digest {
    /// Returns the digest of bytes in memory.
    pub fn of(bytes: &[u8]) -> Self {
        let mut hasher = Hasher::default();
        hasher.update(bytes);
        hasher.finish()
    }

    /// Returns the digest and the length of a local file.
    ///
    /// # Errors
    /// When the file cannot be read, or is a pipe, a socket or a device: reading one may never end, and twice it gives
    /// something else.
    pub fn of_file(path: &Path) -> Result<(Self, u64)> {
        let kind = std::fs::metadata(path).map_err(Error::io("open", path))?.file_type();
        if !kind.is_file() && !kind.is_dir() {
            let refused = io::Error::new(io::ErrorKind::InvalidInput, "it is a device, a pipe or a socket");
            return Err(Error::io("read", path)(refused));
        }
        let mut file = File::open(path).map_err(Error::io("open", path))?;
        let (mut hasher, mut length) = (Hasher::default(), 0);
        let mut buffer = vec![0; 1 << 16];
        loop {
            match file.read(&mut buffer).map_err(Error::io("read", path))? {
                0 => return Ok((hasher.finish(), length)),
                count => {
                    hasher.update(&buffer[..count]);
                    length += count as u64;
                }
            }
        }
    }

    /// Reads what [`Self::as_str`] returned.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        let is_digit = |byte: u8| byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte);
        (text.len() == 64 && text.bytes().all(is_digit)).then(|| Self(text.to_owned()))
    }

    /// Returns all 64 hexadecimal digits.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Returns the first 16 digits, as part names and fingerprints show it.
    pub fn short(&self) -> &str {
        self.0.get(..16).unwrap_or(&self.0)
    }
}

impl fmt::Display for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Computes a digest piece by piece.
#[derive(Debug, Default)]
pub struct Hasher(Sha256);

impl Hasher {
    /// Adds bytes.
    pub fn update(&mut self, bytes: &[u8]) {
        self.0.update(bytes);
    }

    /// Returns the digest of all bytes added.
    pub fn finish(self) -> Digest {
        Digest(hexadecimal(&self.0.finalize()))
    }
}

/// Returns bytes as lower-case hexadecimal digits.
pub fn hexadecimal(bytes: &[u8]) -> String {
    use fmt::Write as _;
    let mut text = String::with_capacity(2 * bytes.len());
    for byte in bytes {
        // Writing to a String cannot fail.
        let _ = write!(text, "{byte:02x}");
    }
    text
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn a_pipe_is_refused_and_not_waited_for() {
        let folder = tempfile::tempdir().unwrap();
        let pipe = folder.path().join("pipe");
        let made = std::process::Command::new("mkfifo").arg(&pipe).status();
        assert!(made.is_ok_and(|status| status.success()));
        assert!(Digest::of_file(&pipe).is_err() && Digest::of_file(Path::new("/dev/zero")).is_err());
    }

    #[test]
    fn the_digest_is_what_sha256sum_prints() {
        let expected = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";
        assert_eq!(Digest::of(b"abc").as_str(), expected);
        assert_eq!(Digest::of(b"abc").short(), "ba7816bf8f01cfea");
    }
}
