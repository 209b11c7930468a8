//! Images of pairs: duplicates by bytes and by looks, which packing and exports leave out.

use corpus::handle::{Handle, Stages, names};
use corpus::record::{Image, ImageDuplicate};

use crate::config::ImageDuplicatesConfig;
use crate::stage::image_hashes::{ImageClusters, ImageLinks};

/// The name of the stage that found duplicates.
pub const DUPLICATES: &str = "images.duplicates";
const LINKS: &str = "images.duplicates.links";

/// Returns the stages that find duplicates among images: those of pairs, then those of evaluation sets, of which
/// any is a duplicate.
pub fn image_duplicate_stages(
    config: &ImageDuplicatesConfig,
    images: &[Handle<Image>],
) -> (Stages, Handle<ImageDuplicate>) {
    let (images, config) = (names(images), config.clone());
    let links = ImageLinks { name: LINKS.to_owned(), images: images.clone(), config: config.clone() };
    let clusters = ImageClusters { name: DUPLICATES.to_owned(), images, links: LINKS.to_owned(), config };
    (vec![Box::new(links), Box::new(clusters)], Handle::new(DUPLICATES))
}
