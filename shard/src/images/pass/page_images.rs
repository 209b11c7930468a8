//! Images of page slots, of one range: on disk until the range ends, then written sorted by place.
//!
//! Memory holds what is known of each image without its bytes, about 500 bytes, and its slots.

use std::fs::File;
use std::io::Write;
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};

use bytes::Bytes;
use corpus::record::{EncodedImage, Image, Use};
use corpus::{Error, Output, Result};

/// The images of one range that pages want.
#[derive(Debug)]
pub(super) struct PageImages {
    path: PathBuf,
    /// Encoded images one after the other, each once however many slots it fills.
    file: Option<File>,
    length: u64,
    images: Vec<Spilled>,
    /// Slots, and which image fills them.
    slots: Vec<(Use, usize)>,
}

/// An image without its bytes, and where they lie.
#[derive(Debug)]
struct Spilled {
    image: Image,
    offset: u64,
    length: usize,
}

impl PageImages {
    /// Begins without images; the file is made in `folder` once there is one.
    pub(super) fn new(folder: &Path) -> Self {
        let path = folder.join("page_images.spool");
        Self { path, file: None, length: 0, images: Vec::new(), slots: Vec::new() }
    }

    /// Adds an image that fills some slots.
    ///
    /// # Errors
    /// When the disk refuses.
    pub(super) fn add(&mut self, image: &Image, slots: Vec<Use>) -> Result<()> {
        if slots.is_empty() {
            return Ok(());
        }
        let bytes = &image.image.bytes;
        let file = match &mut self.file {
            Some(file) => file,
            none => none.insert(create(&self.path)?),
        };
        file.write_all(bytes).map_err(Error::io("write", &self.path))?;
        let index = self.images.len();
        self.slots.extend(slots.into_iter().map(|slot| (slot, index)));
        let without_bytes = EncodedImage { bytes: Bytes::new(), path: image.image.path.clone() };
        self.images.push(Spilled {
            image: Image { image: without_bytes, uses: Vec::new(), ..image.clone() },
            offset: self.length,
            length: bytes.len(),
        });
        self.length += bytes.len() as u64;
        Ok(())
    }

    /// Writes a row for every slot, sorted by (id, slot), and is empty again.
    ///
    /// # Errors
    /// When the disk refuses.
    pub(super) fn write(&mut self, out: &mut Output<'_>) -> Result<()> {
        let mut slots = std::mem::take(&mut self.slots);
        slots.sort_by_key(|(slot, _)| (slot.id, slot.slot));
        for (slot, index) in slots {
            if let (Some(spilled), Some(file)) = (self.images.get(index), &self.file) {
                let mut bytes = vec![0; spilled.length];
                file.read_exact_at(&mut bytes, spilled.offset).map_err(Error::io("read", &self.path))?;
                let image = EncodedImage { bytes: bytes.into(), ..spilled.image.image.clone() };
                out.write(
                    "page_images",
                    Image { id: slot.id, image, uses: vec![slot], ..spilled.image.clone() },
                )?;
            }
        }
        self.images.clear();
        self.length = 0;
        // The next range's images begin a new file under the same name.
        self.file = None;
        Ok(())
    }
}

fn create(path: &Path) -> Result<File> {
    if let Some(folder) = path.parent() {
        std::fs::create_dir_all(folder).map_err(Error::io("create", folder))?;
    }
    let options = File::options().read(true).write(true).create(true).truncate(true).open(path);
    options.map_err(Error::io("create", path))
}
