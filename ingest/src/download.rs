//! A stage that downloads one file, such as a model's weights.

use std::fs::File;
use std::io::{Read, Write};
use std::path::Path;
use std::sync::Arc;

use corpus::digest::{Digest, Hasher};
use corpus::{Declared, Error, FileStream, Inputs, Output, Result, Stage, Task};
use serde_json::{Value, json};

use crate::Client;
use crate::fetch::source::source_error;

/// Bytes of a file at most: weights of the largest vision towers have 20 GiB.
const FILE_BYTES_MAX: u64 = 64 << 30;
/// Bytes that are read at a time.
const PIECE_BYTES: usize = 1 << 20;
/// What is counted.
const UNIT: &str = "files";

/// Downloads a file into the run; a broken connection is resumed where it broke.
#[derive(Clone)]
pub struct Download {
    name: String,
    url: String,
    /// Hexadecimal digits of the SHA-256 that it must have.
    stated: Option<String>,
    stream: FileStream,
    client: Arc<Client>,
}

impl Download {
    /// Returns the stage of a URL, which may be that of a file; other bytes than those of a SHA-256 are refused, if one is
    /// stated.
    pub fn new(
        name: &str,
        url: &str,
        stated: Option<&str>,
        stream: FileStream,
        client: &Arc<Client>,
    ) -> Self {
        let stated = stated.map(str::to_ascii_lowercase);
        Self { name: name.to_owned(), url: url.to_owned(), stated, stream, client: client.clone() }
    }

    /// Copies the file, and returns its digest.
    fn copy(&self, task: &Task<'_>, path: &Path) -> Result<Digest> {
        let mut source = self.client.open(&self.url)?;
        let mut file = File::create(path).map_err(Error::io("create", path))?;
        let (mut hasher, mut piece, mut bytes) = (Hasher::default(), vec![0; PIECE_BYTES], 0);
        loop {
            task.cancel.check()?;
            let count = source.read(&mut piece).map_err(|error| source_error(&self.url, &error))?;
            let piece = &piece[..count];
            bytes += count as u64;
            if count == 0 || bytes > FILE_BYTES_MAX {
                break;
            }
            hasher.update(piece);
            file.write_all(piece).map_err(Error::io("write", path))?;
        }
        let refused = |detail| Err(Error::Settings { stage: self.name.clone(), detail });
        let digest = hasher.finish();
        match &self.stated {
            _ if bytes > FILE_BYTES_MAX => {
                refused(format!("{} has more than {FILE_BYTES_MAX} bytes", self.url))
            }
            Some(stated) if stated != digest.as_str() => {
                refused(format!("{} has the SHA-256 {digest}, not the stated {stated}", self.url))
            }
            _ => Ok(digest),
        }
    }
}

impl Stage for Download {
    fn name(&self) -> String {
        self.name.clone()
    }

    fn inputs(&self) -> Vec<String> {
        Vec::new()
    }

    fn settings(&self) -> Result<Value> {
        Ok(json!({"url": self.url, "sha256": self.stated}))
    }

    fn plan(&self, _: &Inputs) -> Result<u32> {
        Ok(1)
    }

    fn streams(&self) -> Vec<Declared> {
        vec![self.stream.into()]
    }

    fn run(&self, task: &Task<'_>, out: &mut Output<'_>) -> Result<()> {
        std::fs::create_dir_all(&task.scratch).map_err(Error::io("create", &task.scratch))?;
        let path = task.scratch.join("download");
        out.read(UNIT);
        self.copy(task, &path)?;
        out.copy_file(self.stream, &path)?;
        out.keep(UNIT);
        out.advance(1)
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use corpus::Store;
    use corpus::mirror::Mirrors;
    use corpus_testing::run_stage_quietly;

    use super::*;
    use crate::fetch::Config;

    const WEIGHTS: FileStream =
        FileStream { name: "weights", extension: "bin", media_type: "application/octet-stream" };

    #[test]
    fn a_file_is_in_the_run_if_its_digest_is_the_stated_one() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("weights");
        let bytes = vec![7; 3 * PIECE_BYTES + 5];
        std::fs::write(&path, &bytes).unwrap();
        let client = Arc::new(Client::new(&Config::default(), Mirrors::default()).unwrap());
        let url = format!("file://{}", path.display());
        let stage = |stated: &str| Download::new("tower", &url, Some(stated), WEIGHTS, &client);
        let store = Store::local(&folder.path().join("run")).unwrap();
        let stated = Digest::of(&bytes).as_str().to_ascii_uppercase();
        let downloaded = run_stage_quietly(&store, &stage(&stated));
        assert_eq!(downloaded.file(WEIGHTS).unwrap().unwrap(), bytes);
        let other = stage(&"0".repeat(64));
        let error = corpus_testing::run_stage(
            &store,
            1,
            (&corpus::observer::Unobserved, &corpus::Cancel::default()),
            &other,
            &Inputs::default(),
        );
        let error = error.unwrap_err().to_string();
        assert!(
            error.contains(&stated.to_ascii_lowercase()) && error.contains("not the stated 000"),
            "{error}"
        );
    }
}
