//! A fault: why fetched bytes did not become an image.

/// Why bytes are not an image that can be stored; [`Self::reason`] is the word in reports.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Fault {
    /// The bytes do not begin like a file of any format that is read.
    #[error("not an image: begins with {beginning}")]
    NotAnImage {
        /// The first bytes in hexadecimal.
        beginning: String,
    },
    /// The file is an image of a format that is not read.
    #[error("{format} is not read")]
    Unsupported {
        /// The format's media type; in parentheses which kind of it.
        format: String,
    },
    /// The file begins like an image and is damaged or cut off.
    #[error("broken {format}: {detail}")]
    Broken {
        /// The format its first bytes name.
        format: &'static str,
        /// The decoder's words.
        detail: String,
    },
    /// The image is above the bound in pixels, before or after resizing.
    #[error("too many pixels: {detail}")]
    TooManyPixels {
        /// Width and height, or the bound that the decoder met.
        detail: String,
    },
    /// Decoding or storing the image would hold more memory than one image may.
    #[error("too many bytes in memory: {detail}")]
    TooManyBytes {
        /// The image and its bytes, or what there is too much of.
        detail: String,
    },
    /// The image is a JPEG whose scans would take minutes.
    #[error("too many scans: {scans} of {width}x{height} pixels")]
    TooManyScans {
        /// Width in pixels.
        width: u32,
        /// Height in pixels.
        height: u32,
        /// How often all pixels are gone over.
        scans: u64,
    },
}

impl Fault {
    pub(super) fn broken(format: &'static str, detail: impl Into<String>) -> Self {
        Self::Broken { format, detail: detail.into() }
    }

    pub(super) fn too_many(width: u32, height: u32) -> Self {
        Self::TooManyPixels { detail: format!("{width}x{height}") }
    }

    /// Returns the reason under which the image is failed.
    pub const fn reason(&self) -> &'static str {
        match self {
            Self::NotAnImage { .. } => "not_an_image",
            Self::Unsupported { .. } => "format_unsupported",
            Self::Broken { .. } => "image_broken",
            Self::TooManyPixels { .. } => "pixels_too_many",
            Self::TooManyBytes { .. } => "decoded_bytes_too_many",
            Self::TooManyScans { .. } => "scans_too_many",
        }
    }
}
