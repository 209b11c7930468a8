//! Stage `images.evaluation`: what the images of evaluation sets look like.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use bytes::Bytes;
use corpus::digest::Digest;
use corpus::record::{EncodedImage, IMAGES, Image};
use corpus::{
    Declared, Error, Id, Inputs, Lazy, NamedFile, Output, Removal, Result, SourceCode, Stage, Task,
};
use ingest::files_below;
use serde_json::{Value, json};

use super::{Config, Stored, jpeg, store};

/// The unit that is counted.
const UNIT: &str = IMAGES.name();
/// Bytes of a file that is read.
const FILE_BYTES_MAX: u64 = 256 << 20;

/// The stage: one task per set. Rows have no image bytes, only what was measured.
#[derive(Debug, Clone)]
pub struct Evaluation {
    name: String,
    sets: BTreeMap<String, PathBuf>,
    /// The files of each set with their digests, once they were asked for.
    files: Lazy<BTreeMap<String, Vec<(PathBuf, Digest)>>>,
    config: Config,
    source: SourceCode,
}

impl Evaluation {
    /// Returns the stage `name` for files or folders by set. Images are resized as those that they are
    /// compared with; `source` is the source number of the rows' ids.
    pub fn new(name: &str, sets: &BTreeMap<String, PathBuf>, config: &Config, source: SourceCode) -> Self {
        Self {
            name: name.to_owned(),
            sets: sets.clone(),
            files: Lazy::default(),
            config: config.clone(),
            source,
        }
    }

    /// Returns the files of all sets with their digests, read when this is first asked.
    ///
    /// # Errors
    /// When a set cannot be read: an empty one would let everything pass.
    fn digested(&self) -> Result<&BTreeMap<String, Vec<(PathBuf, Digest)>>> {
        self.files.get_or_try(|| {
            let sets = self.sets.iter().map(|(set, path)| {
                let key = format!("evaluation.{set}");
                Ok((set.clone(), Self::digested_files(path).map_err(Error::of_setting(&self.name, &key))?))
            });
            sets.collect()
        })
    }

    fn digested_files(path: &Path) -> Result<Vec<(PathBuf, Digest)>> {
        let files = if path.is_dir() { files_below(path)? } else { vec![path.to_owned()] };
        let digested = |path: PathBuf| NamedFile::new(&path).digest().cloned().map(|digest| (path, digest));
        files.into_iter().map(digested).collect()
    }
}

impl Stage for Evaluation {
    fn name(&self) -> String {
        self.name.clone()
    }

    fn settings(&self) -> Result<Value> {
        let Config { side_pixels, mode, only_shrink, preprocess, pixels_max, decoded_bytes_max, .. } =
            &self.config;
        // A file's content counts, not its path.
        let sets = self.digested()?.iter().map(|(set, files)| {
            let digests: Vec<&Digest> = files.iter().map(|(_, digest)| digest).collect();
            (set, digests)
        });
        Ok(json!({
            "sets": sets.collect::<BTreeMap<_, _>>(),
            "jpeg": jpeg::CODEC,
            "side_pixels": side_pixels,
            "mode": mode,
            "only_shrink": only_shrink,
            "preprocess": preprocess,
            "pixels_max": pixels_max,
            "decoded_bytes_max": decoded_bytes_max,
        }))
    }

    fn version(&self) -> u32 {
        2
    }

    fn plan(&self, _inputs: &Inputs) -> Result<u32> {
        Ok(self.sets.len() as u32)
    }

    fn streams(&self) -> Vec<Declared> {
        vec![IMAGES.into()]
    }

    fn guards_records(&self) -> bool {
        true
    }

    fn run(&self, task: &Task<'_>, out: &mut Output<'_>) -> Result<()> {
        let files = self.digested()?.values().nth(task.index as usize).map(Vec::as_slice).unwrap_or_default();
        for (row, (path, _)) in (0_u64..).zip(files).skip(out.position() as usize) {
            let id = Id::new(self.source, task.index, row).map_err(|error| Error::work(task.stage, error))?;
            out.read(UNIT);
            let bytes = read(path)?;
            let judged = task.crashes.guard(id, || store(&bytes, &self.config));
            let judged = judged
                .map_err(|fatal| (fatal.reason(), String::new()))
                .and_then(|stored| stored.map_err(|fault| (fault.reason(), fault.to_string())));
            match judged {
                Ok(stored) => {
                    out.write(IMAGES, look(id, &bytes, stored))?;
                    out.keep(UNIT);
                }
                Err((reason, value)) => {
                    let preview = path.display().to_string();
                    out.fail(UNIT, Removal { id, key: None, url: None, reason, value, preview: &preview })?;
                }
            }
            out.advance(1)?;
        }
        Ok(())
    }
}

fn read(path: &Path) -> Result<Bytes> {
    let length = std::fs::metadata(path).map_err(Error::io("read", path))?.len();
    if length > FILE_BYTES_MAX {
        return Ok(Bytes::new());
    }
    Ok(std::fs::read(path).map_err(Error::io("read", path))?.into())
}

/// The row of an image, without its bytes.
fn look(id: Id, bytes: &Bytes, stored: Stored) -> Image {
    let key = u128::from(id.to_bits()).to_be_bytes();
    let image = stored.into_image(key, String::new(), Digest::of(bytes).as_str().to_owned());
    Image { id, image: EncodedImage { bytes: Bytes::new(), path: None }, ..image }
}
