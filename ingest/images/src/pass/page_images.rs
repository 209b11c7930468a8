//! Images of page slots, of one range: on disk until the range ends, then written sorted by place.
//!
//! Memory holds what is known of each image without its bytes, about 500 bytes, and its slots.

use std::path::{Path, PathBuf};

use bytes::Bytes;
use corpus::record::{EncodedImage, Image, PAGE_IMAGES, Use};
use corpus::{Output, Result};

use corpus::spool::{Place, Spool};

/// The images of one range that pages want.
#[derive(Debug)]
pub(super) struct PageImages {
    path: PathBuf,
    /// Encoded images, each once however many slots it fills.
    spool: Option<Spool>,
    /// Images without their bytes, and where those lie.
    images: Vec<(Image, Place)>,
    /// Slots, and which image fills them.
    slots: Vec<(Use, usize)>,
}

impl PageImages {
    /// Begins without images; the file is made in `folder` once there is one.
    pub(super) fn new(folder: &Path) -> Self {
        let path = folder.join("page_images.spool");
        Self { path, spool: None, images: Vec::new(), slots: Vec::new() }
    }

    /// Adds an image that fills some slots.
    ///
    /// # Errors
    /// When the disk refuses.
    pub(super) fn add(&mut self, image: &Image, slots: Vec<Use>) -> Result<()> {
        if slots.is_empty() {
            return Ok(());
        }
        let spool = match &mut self.spool {
            Some(spool) => spool,
            none => none.insert(Spool::create(&self.path)?),
        };
        let place = spool.add(&image.image.bytes)?;
        let index = self.images.len();
        self.slots.extend(slots.into_iter().map(|slot| (slot, index)));
        let without_bytes = EncodedImage { bytes: Bytes::new(), path: image.image.path.clone() };
        self.images.push((Image { image: without_bytes, uses: Vec::new(), ..image.clone() }, place));
        Ok(())
    }

    /// Writes a row for every slot, sorted by (id, slot), and is empty again.
    ///
    /// # Errors
    /// When the disk refuses.
    pub(super) fn write(&mut self, out: &mut Output<'_>) -> Result<()> {
        // The next range's images begin a new file under the same name.
        let Some(spool) = self.spool.take() else { return Ok(()) };
        let (spooled, images) = (spool.finish()?, std::mem::take(&mut self.images));
        let mut slots = std::mem::take(&mut self.slots);
        slots.sort_by_key(|(slot, _)| (slot.id, slot.slot));
        for (slot, index) in slots {
            if let Some((image, place)) = images.get(index) {
                let encoded = EncodedImage { bytes: spooled.read(*place)?, ..image.image.clone() };
                let row = Image { id: slot.id, image: encoded, uses: vec![slot], ..image.clone() };
                out.write(PAGE_IMAGES, row)?;
            }
        }
        Ok(())
    }
}
