//! A location: where a source file is, here or elsewhere.

use std::io;
use std::path::{Path, PathBuf};

use url::Url;

/// A file of this machine, or a URL.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Location {
    /// A local path.
    File(PathBuf),
    /// An http or https URL.
    Remote(String),
}

impl Location {
    /// Tells a URL from a path; `file://` names a path.
    ///
    /// A `file` URL with an encoded slash names none: behind a mirror it comes from a listing, and
    /// `..%2f` would lead out of the mirror's folder.
    pub(crate) fn of(text: &str) -> Self {
        match Url::parse(text) {
            Ok(url) if url.scheme() == "file" => match url.to_file_path() {
                Ok(path) if !url.path().to_ascii_lowercase().contains("%2f") => Self::File(path),
                _ => Self::Remote(text.to_owned()),
            },
            Ok(url) if url.has_host() => Self::Remote(text.to_owned()),
            _ => Self::File(PathBuf::from(text)),
        }
    }
}

/// Returns how listings name a file of this machine: by its path, or by a `file` URL where that is not UTF-8.
///
/// # Errors
/// When the current folder cannot be told.
pub(crate) fn named(path: &Path) -> io::Result<String> {
    if let Some(path) = path.to_str() {
        return Ok(path.to_owned());
    }
    let url = Url::from_file_path(std::path::absolute(path)?);
    url.map(String::from).map_err(|()| io::Error::other("its path has no URL"))
}

/// Returns a URL as it may be shown: without user, password and query, which may be secrets.
pub fn shown(text: &str) -> String {
    match Url::parse(text) {
        Ok(mut url) if url.has_host() => {
            // Only URLs that cannot have them refuse, and then there is nothing to hide.
            let _ = url.set_username("");
            let _ = url.set_password(None);
            url.set_query(None);
            url.into()
        }
        _ => text.to_owned(),
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn paths_and_urls_are_told_apart() {
        let file = |path: &str| Location::File(path.into());
        assert_eq!(Location::of("/data/a b.jsonl"), file("/data/a b.jsonl"));
        assert_eq!(Location::of("data/00.jsonl"), file("data/00.jsonl"));
        assert_eq!(Location::of("file:///data/a%20b"), file("/data/a b"));
        for outside in ["file:///data/..%2fb", "file:///data/%2e%2E%2Fb"] {
            assert_eq!(Location::of(outside), Location::Remote(outside.into()));
        }
        let remote = "https://h.example/a?b";
        assert_eq!(Location::of(remote), Location::Remote(remote.into()));
    }

    #[test]
    fn a_name_that_is_not_utf_8_is_a_url_of_the_same_file() {
        use std::os::unix::ffi::OsStrExt;
        let path = PathBuf::from(std::ffi::OsStr::from_bytes(b"/data/caf\xe9 #1?.jsonl"));
        let name = named(&path).unwrap();
        assert_eq!(name, "file:///data/caf%E9%20%231%3F.jsonl");
        assert_eq!((Location::of(&name), shown(&name)), (Location::File(path), name.clone()));
        assert_eq!(named(Path::new("a b")).unwrap(), "a b");
    }

    #[test]
    fn secrets_of_a_url_are_not_shown() {
        assert_eq!(shown("https://me:secret@h.example/a?X-Signature=secret"), "https://h.example/a");
        assert_eq!(shown("/data/a?b"), "/data/a?b");
    }
}
