//! An image: encoded bytes with their sizes and digest.

use bytes::Bytes;

use crate::Id;
use crate::column::record;
use crate::record::Use;

record! {
    /// Encoded image bytes in the layout that Hugging Face `datasets` reads as an image.
    pub struct EncodedImage as "Image" {
        /// The JPEG, PNG or WebP file.
        pub bytes: Bytes,
        /// A file name that tells the format; not a path of any disk.
        pub path: Option<String>,
    }
}

record! {
    /// A fetched, decoded and resized image with what wants it.
    pub struct Image in "image/1" {
        /// The first use's id, by which page images are sorted.
        pub id: Id,
        /// The target's key.
        pub key: [u8; 16],
        /// The URL it was fetched for.
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
        /// Largest spread of a colour channel (0 to 255): 0 means single-coloured.
        pub colour_spread: u16,
        /// The pairs or the page slot that want it.
        pub uses: Vec<Use>,
    }
}
