//! Duplicates: which images of a part show nothing new.

use std::collections::BTreeMap;

use corpus::record::{IMAGE_DUPLICATES, ImageDuplicate, ImageHash, key_prefix};
use corpus::{Dataset, Id, Part, Result};

/// The duplicates among the images of one part; holds them in memory.
#[derive(Debug, Default)]
pub struct Duplicates(BTreeMap<Id, (Id, String)>);

impl Duplicates {
    /// Reads the duplicates in the range of a part's keys.
    ///
    /// # Errors
    /// When a part is missing or damaged.
    pub fn of_part(found: &Dataset, images: &Dataset, part: &Part) -> Result<Self> {
        let (mut first, mut last) = (Id::from_bits(u64::MAX), Id::from_bits(0));
        for image in images.open::<ImageHash>(part)? {
            let prefix = key_prefix(&image?.key);
            (first, last) = (first.min(prefix), last.max(prefix));
        }
        let mut duplicates = BTreeMap::new();
        for reader in found.rows_near(IMAGE_DUPLICATES, "key_prefix", &(first..=last))? {
            for row in reader {
                let ImageDuplicate { id, representative, reason, .. } = row?;
                duplicates.insert(id, (representative, reason));
            }
        }
        Ok(Self(duplicates))
    }

    /// Returns what stands for an image, and why, if it is a duplicate.
    pub fn get(&self, image: Id) -> Option<(Id, &str)> {
        self.0.get(&image).map(|(representative, reason)| (*representative, reason.as_str()))
    }
}
