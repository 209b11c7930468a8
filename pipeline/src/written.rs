//! Files written whole or not at all.

use std::fs::File;
use std::io::{BufWriter, Write};
use std::path::Path;

use crate::{Error, Result};

/// Writes a file under another name beside it, and then takes its place.
///
/// # Errors
/// With the file's name, when it cannot be written; the file that was there is left as it was.
pub fn whole<E>(
    path: &Path,
    write: impl FnOnce(&mut BufWriter<File>) -> std::result::Result<(), E>,
) -> Result<()>
where
    E: Into<Box<dyn std::error::Error + Send + Sync>>,
{
    let failed = || format!("cannot write {}", path.display());
    let temporary = path.with_added_extension("partial");
    let mut out = BufWriter::new(File::create(&temporary).map_err(Error::because(failed))?);
    write(&mut out).map_err(Error::because(failed))?;
    out.flush().map_err(Error::because(failed))?;
    std::fs::rename(&temporary, path).map_err(Error::because(failed))
}
