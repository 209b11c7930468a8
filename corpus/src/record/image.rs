//! An image: encoded bytes with their sizes and digest.

use bytes::Bytes;

use crate::Id;
use crate::column::record;
use crate::record::Use;
use crate::stream::Stream;

/// Images of pairs.
pub const IMAGES: Stream<Image> = Stream::new("images");
/// Images of pages, by page and slot.
pub const PAGE_IMAGES: Stream<Image> = Stream::new("page_images");
/// Images that another one stands for.
pub const IMAGE_DUPLICATES: Stream<ImageDuplicate> = Stream::new("duplicates");

record! {
    /// Encoded image bytes in the layout that Hugging Face `datasets` reads as an image.
    pub struct EncodedImage as "Image" {
        /// The JPEG, PNG or WebP file.
        pub bytes: Bytes,
        /// A file name that shows the format; not a path on disk.
        pub path: Option<String>,
    }
}

record! {
    /// A fetched, decoded and resized image, with its uses.
    pub struct Image in "image/2" {
        /// Id of the first use; page images are sorted by it.
        pub id: Id,
        /// The target's key.
        pub key: [u8; 16],
        /// The URL for which it was fetched.
        pub url: String,
        /// The encoded image.
        pub image: EncodedImage,
        /// Width in pixels, as stored.
        pub width: u32,
        /// Height in pixels, as stored.
        pub height: u32,
        /// Width in pixels, as fetched.
        pub original_width: u32,
        /// Height in pixels, as fetched.
        pub original_height: u32,
        /// SHA-256 of the bytes as fetched, hexadecimal.
        pub sha256: String,
        /// 64-bit perceptual hash (pHash); copies differ in few bits. 0 for flat images, gradients and simple
        /// drawings, which have no meaningful hash.
        pub perceptual_hash: u64,
        /// Variance of the Laplacian of the brightness, after resizing; low for blurred images.
        pub sharpness: f32,
        /// Largest spread of a colour channel (0 to 255); 0 means single-coloured.
        pub colour_spread: u16,
        /// The pairs, or the page slot, that use the image.
        pub uses: Vec<Use>,
    }
}

record! {
    /// The columns for finding duplicates: a projection of the same table, without the image.
    pub struct ImageHash in "image/2" {
        /// The first use's id.
        pub id: Id,
        /// The target's key.
        pub key: [u8; 16],
        /// Width in pixels, as fetched.
        pub original_width: u32,
        /// Height in pixels, as fetched.
        pub original_height: u32,
        /// SHA-256 of the bytes as fetched, hexadecimal.
        pub sha256: String,
        /// 64-bit perceptual hash, or 0 for none.
        pub perceptual_hash: u64,
        /// Largest spread of a colour channel.
        pub colour_spread: u16,
    }
}

record! {
    /// A duplicate image, and the image kept in its place.
    pub struct ImageDuplicate in "image_duplicate/1" {
        /// First 64 bits of the target's key; rows are sorted by it, as images are.
        pub key_prefix: Id,
        /// The image to drop, by the id of its first use.
        pub id: Id,
        /// The image that is kept.
        pub representative: Id,
        /// `duplicate` (equal bytes), `near_duplicate` or `evaluation`.
        pub reason: String,
    }
}

/// Returns the first 64 bits of a key as the number that [`ImageDuplicate`] is sorted by.
pub fn key_prefix(key: &[u8; 16]) -> Id {
    let [a, b, c, d, e, f, g, h, ..] = *key;
    Id::from_bits(u64::from_be_bytes([a, b, c, d, e, f, g, h]))
}
