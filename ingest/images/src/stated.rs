//! Digests that sources state for images: an image that was replaced since is another.

use corpus::record::Target;
use corpus::{Output, Removal, Result};
use md5::Md5;

use corpus::digest::hexadecimal;

/// The unit that is counted: a use whose source states a digest.
const UNIT: &str = "stated digests";

/// The check of a target's uses against the bytes that were fetched.
pub(super) struct Stated;

impl Stated {
    /// Returns true if and only if a use states a digest that only the fetched bytes can be held against.
    pub(super) fn needs_bytes(target: &Target) -> bool {
        let is_md5 = |digest: &String| digest.starts_with("md5:");
        target.uses.iter().any(|place| place.digest.as_ref().is_some_and(is_md5))
    }

    /// Drops the uses that state another digest than the bytes have; returns false if there were uses
    /// and none is left. The MD5 must be given if [`Self::needs_bytes`].
    ///
    /// # Errors
    /// When the disk refuses.
    pub(super) fn check(
        out: &mut Output<'_>,
        target: &mut Target,
        md5: Option<&str>,
        sha256: &str,
    ) -> Result<bool> {
        let had_uses = !target.uses.is_empty();
        let mut kept = Vec::with_capacity(target.uses.len());
        for place in std::mem::take(&mut target.uses) {
            let Some(stated) = &place.digest else {
                kept.push(place);
                continue;
            };
            out.read(UNIT);
            let found = match stated.starts_with("md5:") {
                true => format!("md5:{}", md5.unwrap_or_default()),
                false => format!("sha256:{sha256}"),
            };
            if *stated == found {
                out.keep(UNIT);
                kept.push(place);
            } else {
                let (id, key, url) = (place.id, place.key.as_deref(), target.url.as_str());
                let reason = "digest_mismatch";
                out.drop(UNIT, Removal { id, key, url: Some(url), reason, value: found, preview: url })?;
            }
        }
        target.uses = kept;
        Ok(!had_uses || !target.uses.is_empty())
    }
}

/// Returns the MD5 of bytes, hexadecimal.
pub(super) fn md5_of(bytes: &[u8]) -> String {
    use md5::Digest as _;
    hexadecimal(&Md5::digest(bytes))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn md5_is_that_of_rfc_1321() {
        assert_eq!(md5_of(b"abc"), "900150983cd24fb0d6963f7d28e17f72");
    }
}
