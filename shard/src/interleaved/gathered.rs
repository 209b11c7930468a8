//! Images of one task's pages, gathered from all parts into a scratch file.
//!
//! Images lie in the shuffled order of fetching, pages in that of the crawl. One scan over the
//! row groups near a task's pages brings them together; memory holds an index alone, about
//! 150 bytes an image, and the disk the encoded images of one part of pages.

use std::collections::BTreeMap;
use std::ops::RangeInclusive;
use std::path::Path;

use corpus::record::{EncodedImage, Image, PAGE_IMAGES};
use corpus::{Dataset, Id, Result};

use super::Seen;
use corpus::spool::{Place, Spool, Spooled};

/// Gathers images; [`Self::finish`] makes them readable.
#[derive(Debug)]
pub(super) struct Gathering {
    spool: Spool,
    index: BTreeMap<(Id, u16), Found>,
}

/// Where an image lies, and what the rules see of it.
#[derive(Debug)]
struct Found {
    place: Place,
    name: Option<String>,
    seen: Seen,
}

/// Gathered images by page and slot.
#[derive(Debug)]
pub(super) struct Gathered {
    spooled: Spooled,
    index: BTreeMap<(Id, u16), Found>,
}

impl Gathering {
    pub(super) fn create(folder: &Path) -> Result<Self> {
        Ok(Self { spool: Spool::create(&folder.join("page_images.spool"))?, index: BTreeMap::new() })
    }

    /// Adds the images of a dataset whose pages are in the range.
    pub(super) fn gather(&mut self, images: &Dataset, pages: &RangeInclusive<Id>) -> Result<()> {
        for reader in images.rows_near(PAGE_IMAGES, "id", pages)? {
            for image in reader {
                self.add(image?, pages)?;
            }
        }
        Ok(())
    }

    fn add(&mut self, image: Image, pages: &RangeInclusive<Id>) -> Result<()> {
        for place in image.uses.iter().filter(|place| pages.contains(&place.id)) {
            let found = Found {
                place: self.spool.add(&image.image.bytes)?,
                name: image.image.path.clone(),
                seen: Seen {
                    width: image.original_width,
                    height: image.original_height,
                    colour_spread: image.colour_spread,
                },
            };
            self.index.insert((place.id, place.slot), found);
        }
        Ok(())
    }

    pub(super) fn finish(self) -> Result<Gathered> {
        Ok(Gathered { spooled: self.spool.finish()?, index: self.index })
    }
}

impl Gathered {
    /// Returns what the rules see of an image, or `None` if it was not had.
    pub(super) fn seen(&self, page: Id, slot: u16) -> Option<Seen> {
        self.index.get(&(page, slot)).map(|found| found.seen)
    }

    /// Reads an image that [`Self::seen`] has seen.
    pub(super) fn read(&self, page: Id, slot: u16) -> Result<Option<EncodedImage>> {
        let Some(found) = self.index.get(&(page, slot)) else {
            return Ok(None);
        };
        Ok(Some(EncodedImage { bytes: self.spooled.read(found.place)?, path: found.name.clone() }))
    }
}
