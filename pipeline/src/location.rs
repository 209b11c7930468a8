//! Where a run is, and by what it is reached: its store, and its working folder on this machine.

use std::path::{Path, PathBuf};

use corpus::gc::MARKER;
use corpus::store::Place;
use corpus::{Store, WorkFolder};

use crate::context::Environment;
use crate::{Error, Result};

/// Where a run is, and by what it is reached.
pub struct Location<'e> {
    /// Where its objects are.
    place: Place,
    /// Its folder on this machine.
    work: PathBuf,
    /// Credentials and servers of object stores are named there.
    environment: Environment<'e>,
}

impl<'e> Location<'e> {
    /// Finds a run by what a user named. Of a run in an object store the working folder is `work`, or one in the user's
    /// cache; of any other it is the run's folder itself.
    ///
    /// # Errors
    /// When `work` is given for a run in a folder.
    pub fn new(place: &Place, work: Option<&Path>, environment: Environment<'e>) -> Result<Self> {
        let absolute = |path: &Path| {
            let failed = || format!("cannot tell where {} is", path.display());
            std::path::absolute(path).map_err(Error::because(failed))
        };
        if let Some(folder) = place.folder() {
            if work.is_some() {
                return Err(Error::usage(
                    "--work is for runs in an object store: of others it is the run's folder",
                ));
            }
            let folder = absolute(folder)?;
            return Ok(Self { place: Place::Folder(folder.clone()), work: folder, environment });
        }
        let work = match work {
            Some(work) => absolute(work)?,
            None => default_work(place, environment),
        };
        Ok(Self { place: place.clone(), work, environment })
    }

    /// As [`Self::new`], of a path that may be something else than a run: none where it is.
    ///
    /// # Errors
    /// When it is a URL that cannot be used.
    pub fn of_run(path: &Path, work: Option<&Path>, environment: Environment<'e>) -> Result<Option<Self>> {
        match Place::parse(path).map_err(Error::Usage)? {
            Place::Folder(folder) if !folder.join(MARKER).exists() => Ok(None),
            place @ Place::Folder(_) => Self::new(&place, None, environment).map(Some),
            place @ Place::Url(_) => Self::new(&place, work, environment).map(Some),
        }
    }

    /// Returns where it is.
    pub fn place(&self) -> &Place {
        &self.place
    }

    /// Returns what looks up variables of the environment.
    pub fn environment(&self) -> Environment<'e> {
        self.environment
    }

    /// Opens the store; a folder is made if it is missing.
    pub(crate) fn store(&self) -> Result<Store> {
        Store::open_at(&self.place, self.environment).map_err(|error| match error {
            error @ corpus::Error::Place { .. } => Error::Usage(error.to_string()),
            error => error.into(),
        })
    }

    /// Names the working folder; it is made when something is written into it.
    pub(crate) fn work(&self) -> Result<WorkFolder> {
        Ok(WorkFolder::at(&self.work)?)
    }
}

/// Returns a folder for what a run in an object store leaves on this machine: the same one for the same place.
fn default_work(place: &Place, environment: Environment<'_>) -> PathBuf {
    let name = place.identity(environment);
    let cache = cache_folder(environment).unwrap_or_else(|| std::env::temp_dir().join("kosmos"));
    cache.join("work").join(name.short())
}

/// Returns the folder of this user for what can be made again, if the environment names one.
pub fn cache_folder(environment: Environment<'_>) -> Option<PathBuf> {
    let variable = |name: &str| environment(name).filter(|value| !value.is_empty()).map(PathBuf::from);
    let cache = variable("XDG_CACHE_HOME").or_else(|| Some(variable("HOME")?.join(".cache")));
    Some(cache?.join("kosmos"))
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn a_run_elsewhere_has_a_folder_of_its_own_on_this_machine() {
        let place = |text: &str| Place::parse(Path::new(text)).unwrap();
        let server = |url: &'static str| {
            move |name: &str| match name {
                "HOME" => Some("/home/me".to_owned()),
                "AWS_ENDPOINT_URL" => Some(url.to_owned()),
                _ => None,
            }
        };
        let (one, other) = (server("http://a"), server("http://b"));
        let work = |text: &str, environment: Environment<'_>| {
            Location::new(&place(text), None, environment).unwrap().work
        };
        let run = work("s3://bucket/run", &one);
        assert!(run.starts_with("/home/me/.cache/kosmos/work"));
        assert_eq!(run, work("s3://bucket/run/", &one));
        assert_ne!(run, work("s3://bucket/run", &other));
        assert_ne!(run, work("s3://bucket/run2", &one));
        assert_eq!(work("/data/run", &one), Path::new("/data/run"));
        let given = Location::new(&place("s3://bucket/run"), Some(Path::new("/x")), &one).unwrap();
        assert_eq!(given.work, Path::new("/x"));
        assert!(Location::new(&place("/data/run"), Some(Path::new("/x")), &one).is_err());
    }
}
