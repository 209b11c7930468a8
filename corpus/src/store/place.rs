//! Where a run is: a folder of this machine, or a URL of an object store.

use std::ffi::OsString;
use std::fmt;
use std::path::{Path, PathBuf};

use super::{SCHEMES, Variables};
use crate::digest::Digest;

/// Where a run is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Place {
    /// A folder of this machine.
    Folder(PathBuf),
    /// A place in an object store.
    Url(PlaceUrl),
}

/// A URL of a scheme that there is a backend of, well formed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PlaceUrl {
    pub(super) scheme: &'static str,
    /// What stands behind `://`, without a slash at its end.
    pub(super) rest: String,
}

impl Place {
    /// Reads what a user named: a path, or a URL of an object store.
    ///
    /// # Errors
    /// What is wrong with such a URL. One of an unknown scheme is taken for a path here.
    pub fn parse(text: &Path) -> Result<Self, String> {
        let Some((scheme, rest)) = text.to_str().and_then(|text| text.split_once("://")) else {
            let begins =
                |name: &str| text.to_str().is_some_and(|text| text.starts_with(&format!("{name}:/")));
            return match SCHEMES.iter().map(|known| known.name).find(|name| begins(name)) {
                Some(name) => Err(format!("{}: a slash is missing behind {name}:/", text.display())),
                None => Ok(Self::Folder(text.to_owned())),
            };
        };
        match SCHEMES.iter().find(|known| known.name == scheme) {
            Some(known) => {
                let rest = rest.trim_end_matches('/').to_owned();
                (known.check)(&rest).map_err(|why| format!("{scheme}://{rest}: {why}"))?;
                Ok(Self::Url(PlaceUrl { scheme: known.name, rest }))
            }
            None => Ok(Self::Folder(text.to_owned())),
        }
    }

    /// Returns what [`Self::parse`] reads as this place.
    pub fn to_argument(&self) -> OsString {
        match self {
            Self::Folder(path) => path.clone().into_os_string(),
            Self::Url(_) => self.to_string().into(),
        }
    }

    /// Returns what tells the place from any other, whichever server variables name.
    pub fn identity(&self, variables: Variables<'_>) -> Digest {
        let scheme = match self {
            Self::Folder(_) => None,
            Self::Url(url) => SCHEMES.iter().find(|known| known.name == url.scheme),
        };
        let server = scheme.map(|known| (known.server)(variables)).unwrap_or_default();
        Digest::of(format!("{self}\n{server}").as_bytes())
    }

    /// Returns the folder, where it is one of this machine.
    pub fn folder(&self) -> Option<&Path> {
        match self {
            Self::Folder(path) => Some(path),
            Self::Url(_) => None,
        }
    }
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Folder(path) => path.display().fmt(f),
            Self::Url(PlaceUrl { scheme, rest }) => write!(f, "{scheme}://{rest}"),
        }
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn a_url_of_a_known_scheme_is_told_from_a_path() {
        let parse = |text: &str| Place::parse(Path::new(text));
        assert_eq!(parse("s3://bucket/run/").unwrap().to_string(), "s3://bucket/run");
        assert_eq!(parse("s3://bucket/run").unwrap().folder(), None);
        for path in ["run", "/data/run", "./s3:/x", "/x/s3://y", ""] {
            assert_eq!(parse(path).unwrap(), Place::Folder(path.into()), "{path}");
        }
        assert_eq!(parse("s3:/bucket/run").unwrap_err(), "s3:/bucket/run: a slash is missing behind s3:/");
        for bad in ["s3://", "s3:///run", "s3://bucket/../run", "s3://BUCKET"] {
            assert!(parse(bad).unwrap_err().starts_with("s3://"), "{bad}");
        }
    }
}
