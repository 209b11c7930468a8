//! Images with their captions as tar files in the layout of the `webdataset` package.

use std::fs::File;
use std::io::{self, BufWriter, IntoInnerError};
use std::path::{Path, PathBuf};

use corpus::Dataset;
use corpus::record::{IMAGES, Image, Use};
use filter::flow::DUPLICATES;
use images::Duplicates;
use images::flow::{PASSES, pass_name};
use ingest::rows::strict;
use serde_json::{Value, json};
use tar::{Builder, EntryType, Header};

use super::{partial, prepare, publish, unfinished, unwritten};
use crate::{Folder, Result};

/// Digits of a shard's name.
const SHARD_DIGITS: usize = 5;
const FILE_MODE: u32 = 0o644;

/// What was written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ImageExport {
    /// Pairs of an image and a caption.
    pub samples: u64,
    /// Tar files.
    pub files: u64,
}

/// Writes `00000.tar`, `00001.tar`, ... of at most `samples_max` samples each: one for every pair whose image was
/// stored, in the order of the fetch list, with the image, its caption (`.txt`) and what is known of both (`.json`).
/// Images that the run found to be duplicates are left out.
///
/// # Errors
/// When a stage is not finished, `out` holds other files, or a file cannot be read or written.
pub fn images(folder: &Folder, out: &Path, samples_max: u64) -> Result<ImageExport> {
    let (sealed, stages) = (folder.sealed()?, folder.stages()?);
    let finished = |stage: &str| sealed.0.get(stage).ok_or_else(|| unfinished(stage, folder));
    let names = || stages.iter().map(|stage| stage.name.as_str());
    let passes = names().filter(|name| name.starts_with(PASSES)).map(finished);
    let passes: Vec<&Dataset> = passes.collect::<Result<_>>()?;
    if passes.is_empty() {
        return Err(unfinished(&pass_name(0), folder));
    }
    let found = names().find(|name| *name == DUPLICATES).map(finished).transpose()?;
    prepare(out)?;
    let mut shards = Shards::new(out, samples_max);
    let parts = passes.iter().flat_map(|dataset| dataset.parts(IMAGES).map(move |part| (dataset, part)));
    for (dataset, part) in parts {
        let part = part?;
        let duplicates = match found {
            Some(found) => Duplicates::of_part(found, dataset, &part)?,
            None => Duplicates::default(),
        };
        for image in dataset.open::<Image>(&part)? {
            let image = image?;
            if duplicates.get(image.id).is_none() {
                image.uses.iter().try_for_each(|place| shards.push(&image, place))?;
            }
        }
    }
    shards.finish()
}

/// Tar files that are filled one after the other.
struct Shards<'a> {
    folder: &'a Path,
    samples_max: u64,
    /// Samples of all files.
    samples: u64,
    written: Vec<PathBuf>,
    open: Option<Shard>,
}

impl<'a> Shards<'a> {
    fn new(folder: &'a Path, samples_max: u64) -> Self {
        Self { folder, samples_max, samples: 0, written: Vec::new(), open: None }
    }

    fn push(&mut self, image: &Image, place: &Use) -> Result<()> {
        let (shard, row) = (self.samples / self.samples_max, self.samples % self.samples_max);
        if row == 0 {
            self.close()?;
            let name = partial(format_args!("{shard:0SHARD_DIGITS$}"));
            self.open = Some(Shard::create(self.folder.join(name))?);
        }
        let digits = (self.samples_max - 1).max(1).ilog10() as usize + 1;
        let key = format!("{shard:0SHARD_DIGITS$}{row:0digits$}");
        if let Some(shard) = &mut self.open {
            shard.push(&key, image, place).map_err(unwritten(&shard.path))?;
        }
        self.samples += 1;
        Ok(())
    }

    fn close(&mut self) -> Result<()> {
        if let Some(Shard { path, tar }) = self.open.take() {
            let file = tar.into_inner().and_then(|out| out.into_inner().map_err(IntoInnerError::into_error));
            file.and_then(|file| file.sync_all()).map_err(unwritten(&path))?;
            self.written.push(path);
        }
        Ok(())
    }

    /// Gives all files their names; returns samples and files.
    fn finish(mut self) -> Result<ImageExport> {
        self.close()?;
        for (index, path) in self.written.iter().enumerate() {
            let name = format!("{index:0SHARD_DIGITS$}.tar");
            publish(path, self.folder, &name)?;
        }
        Ok(ImageExport { samples: self.samples, files: self.written.len() as u64 })
    }
}

/// A tar file that is being written.
struct Shard {
    path: PathBuf,
    tar: Builder<BufWriter<File>>,
}

impl Shard {
    fn create(path: PathBuf) -> Result<Self> {
        let file = File::create(&path).map_err(unwritten(&path))?;
        Ok(Self { path, tar: Builder::new(BufWriter::new(file)) })
    }

    fn push(&mut self, key: &str, image: &Image, place: &Use) -> io::Result<()> {
        let extension = image.image.path.as_deref().and_then(|path| path.rsplit_once('.'));
        let extension = extension.map_or("jpg", |(_, extension)| extension);
        self.append(&format!("{key}.{extension}"), &image.image.bytes)?;
        self.append(&format!("{key}.txt"), place.caption.as_deref().unwrap_or_default().as_bytes())?;
        self.append(&format!("{key}.json"), description(key, image, place).as_bytes())
    }

    /// Appends a file without anything that varies from run to run.
    fn append(&mut self, name: &str, bytes: &[u8]) -> io::Result<()> {
        let mut header = Header::new_ustar();
        header.set_entry_type(EntryType::Regular);
        header.set_size(bytes.len() as u64);
        header.set_mode(FILE_MODE);
        header.set_mtime(0);
        self.tar.append_data(&mut header, name, bytes)
    }
}

/// Describes a sample; further columns of the source never hide what we know ourselves.
fn description(key: &str, image: &Image, place: &Use) -> String {
    let mut all = place.extra.as_deref().map(strict::fields).unwrap_or_default();
    let ours = json!({
        "key": key,
        "id": place.id.to_string(),
        "source_key": place.key,
        "url": image.url,
        "caption": place.caption,
        "status": "success",
        "width": image.width,
        "height": image.height,
        "original_width": image.original_width,
        "original_height": image.original_height,
        "sha256": image.sha256,
        "perceptual_hash": format!("{:016x}", image.perceptual_hash),
    });
    if let Value::Object(ours) = ours {
        all.extend(ours.into_iter().map(|(name, value)| (name, value.to_string())));
    }
    strict::object(&all)
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use std::collections::BTreeMap;
    use std::io::Read;

    use corpus::record::EncodedImage;
    use corpus::{Id, SourceCode};

    use super::*;

    fn id(row: u64) -> Id {
        Id::new(SourceCode(3), 1, row).unwrap()
    }

    /// An image that was made smaller, every field another value.
    fn image() -> Image {
        Image {
            id: id(1),
            key: [7; 16],
            url: "https://a.example/1.png".to_owned(),
            image: EncodedImage { bytes: b"pixels".as_slice().into(), path: Some("1.webp".to_owned()) },
            width: 20,
            height: 10,
            original_width: 400,
            original_height: 200,
            sha256: "ab".repeat(32),
            perceptual_hash: 0x0123,
            sharpness: 2.5,
            colour_spread: 77,
            uses: Vec::new(),
        }
    }

    fn place(row: u64, extra: Option<&str>) -> Use {
        let (key, caption) = (Some(format!("row-{row}")), Some(format!("caption {row}")));
        Use { key, caption, extra: extra.map(str::to_owned), ..Use::of_slot(id(row), 0) }
    }

    #[test]
    fn a_sample_is_described_by_every_field_of_its_image_and_its_use() {
        let extra = r#"{"licence": "CC0", "width": 9999, "url": "https://other.example/", "n": 18446744073709551616}"#;
        let described = |place: &Use| -> Value {
            serde_json::from_str(&description("0000012", &image(), place)).unwrap()
        };
        let expected = json!({
            "key": "0000012",
            "id": "3:1:5",
            "source_key": "row-5",
            "url": "https://a.example/1.png",
            "caption": "caption 5",
            "status": "success",
            "width": 20,
            "height": 10,
            "original_width": 400,
            "original_height": 200,
            "sha256": "ab".repeat(32),
            "perceptual_hash": "0000000000000123",
            "licence": "CC0",
            "n": 18_446_744_073_709_551_616_f64,
        });
        assert_eq!(described(&place(5, Some(extra))), expected);
        assert!(
            description("0000012", &image(), &place(5, Some(extra))).contains("\"n\":18446744073709551616,")
        );
        let without = described(&Use { key: None, caption: None, ..place(5, None) });
        assert_eq!((&without["source_key"], &without["caption"]), (&Value::Null, &Value::Null));
    }

    #[test]
    fn shards_are_full_and_hold_each_sample_with_its_files() {
        let folder = tempfile::tempdir().unwrap();
        let mut shards = Shards::new(folder.path(), 2);
        (0..3).for_each(|row| shards.push(&image(), &place(row, None)).unwrap());
        assert_eq!(shards.finish().unwrap(), ImageExport { samples: 3, files: 2 });
        let mut files = BTreeMap::new();
        for shard in ["00000.tar", "00001.tar"] {
            let mut tar = tar::Archive::new(File::open(folder.path().join(shard)).unwrap());
            for entry in tar.entries().unwrap() {
                let mut entry = entry.unwrap();
                let (name, mut text) = (entry.path().unwrap().display().to_string(), String::new());
                entry.read_to_string(&mut text).unwrap();
                files.insert(format!("{shard}/{name}"), text);
            }
        }
        let names: Vec<&str> = files.keys().map(String::as_str).collect();
        let sample =
            |shard: &str, key: &str| ["json", "txt", "webp"].map(|end| format!("{shard}/{key}.{end}"));
        let expected =
            [sample("00000.tar", "000000"), sample("00000.tar", "000001"), sample("00001.tar", "000010")];
        assert_eq!(names, expected.concat());
        assert_eq!(files["00000.tar/000001.txt"], "caption 1");
        assert_eq!(files["00001.tar/000010.webp"], "pixels");
        assert_eq!(files["00001.tar/000010.json"], description("000010", &image(), &place(2, None)));
    }
}
