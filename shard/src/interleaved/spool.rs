//! The spool: the images of one task's pages, gathered from all parts into a scratch file.
//!
//! Images lie in the shuffled order of fetching, pages in that of the crawl. One scan over the
//! row groups near a task's pages brings them together; memory holds an index alone, about
//! 150 bytes an image, and the disk the encoded images of one part of pages.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{BufWriter, Write};
use std::ops::RangeInclusive;
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};

use bytes::Bytes;
use corpus::record::{EncodedImage, Image};
use corpus::{Dataset, Error, Id, Result};

use super::Seen;

/// Gathers images; [`Self::finish`] makes them readable.
#[derive(Debug)]
pub(super) struct Gathering {
    path: PathBuf,
    file: BufWriter<File>,
    length: u64,
    index: BTreeMap<(Id, u16), Spooled>,
}

/// Where an image lies, and what the rules see of it.
#[derive(Debug)]
struct Spooled {
    offset: u64,
    length: usize,
    name: Option<String>,
    seen: Seen,
}

/// Gathered images by page and slot.
#[derive(Debug)]
pub(super) struct Spool {
    path: PathBuf,
    file: File,
    index: BTreeMap<(Id, u16), Spooled>,
}

impl Gathering {
    pub(super) fn create(folder: &Path) -> Result<Self> {
        std::fs::create_dir_all(folder).map_err(Error::io("create", folder))?;
        let path = folder.join("page_images.spool");
        let options = File::options().read(true).write(true).create(true).truncate(true).open(&path);
        let file = BufWriter::new(options.map_err(Error::io("create", &path))?);
        Ok(Self { path, file, length: 0, index: BTreeMap::new() })
    }

    /// Adds the images of a dataset whose pages are in the range.
    pub(super) fn gather(&mut self, images: &Dataset, pages: &RangeInclusive<Id>) -> Result<()> {
        for reader in images.rows_near::<Image>("page_images", "id", pages)? {
            for image in reader {
                self.add(image?, pages)?;
            }
        }
        Ok(())
    }

    fn add(&mut self, image: Image, pages: &RangeInclusive<Id>) -> Result<()> {
        let bytes = &image.image.bytes;
        for place in image.uses.iter().filter(|place| pages.contains(&place.id)) {
            self.file.write_all(bytes).map_err(Error::io("write", &self.path))?;
            let spooled = Spooled {
                offset: self.length,
                length: bytes.len(),
                name: image.image.path.clone(),
                seen: Seen {
                    width: image.original_width,
                    height: image.original_height,
                    colour_spread: image.colour_spread,
                },
            };
            self.length += bytes.len() as u64;
            self.index.insert((place.id, place.slot), spooled);
        }
        Ok(())
    }

    pub(super) fn finish(self) -> Result<Spool> {
        let Self { path, file, index, .. } = self;
        let file = file.into_inner().map_err(|error| Error::io("write", &path)(error.into_error()))?;
        Ok(Spool { path, file, index })
    }
}

impl Spool {
    /// Returns what the rules see of an image, or `None` if it was not had.
    pub(super) fn seen(&self, page: Id, slot: u16) -> Option<Seen> {
        self.index.get(&(page, slot)).map(|spooled| spooled.seen)
    }

    /// Reads an image that [`Self::seen`] has seen.
    pub(super) fn read(&self, page: Id, slot: u16) -> Result<Option<EncodedImage>> {
        let Some(spooled) = self.index.get(&(page, slot)) else {
            return Ok(None);
        };
        let mut bytes = vec![0; spooled.length];
        self.file.read_exact_at(&mut bytes, spooled.offset).map_err(Error::io("read", &self.path))?;
        Ok(Some(EncodedImage { bytes: Bytes::from(bytes), path: spooled.name.clone() }))
    }
}
