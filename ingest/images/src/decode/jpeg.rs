//! A JPEG whose headers have been read: decoded by the decoder that reads its kind right.

use image::{ColorType, ImageFormat};

use super::super::footprint;
use super::super::jpeg::{Kind, Outline, odd};
use super::source::Library;
use super::{Fault, Pixels, pixels, samples};

/// What files are called in faults.
const FORMAT: &str = "jpg";

/// A file whose segments have been passed over.
pub(super) struct Jpeg<'a> {
    file: &'a [u8],
    pub(super) outline: Outline<'a>,
    size: (u32, u32),
}

impl<'a> Jpeg<'a> {
    /// Reads the segments of a file.
    pub(super) fn open(file: &'a [u8]) -> Result<Self, Fault> {
        let outline = Outline::read(file)
            .ok_or_else(|| Fault::broken(FORMAT, "cut off: no end of image after the last scan"))?;
        let size = outline.size().ok_or_else(|| Fault::broken(FORMAT, "no frame"))?;
        Ok(Self { file, outline, size })
    }

    pub(super) fn size(&self) -> (u32, u32) {
        self.size
    }

    /// Returns how many bytes [`Self::decode`] holds at its peak.
    pub(super) fn held_bytes(&self) -> Result<u64, Fault> {
        match self.outline.kind() {
            // Grey is decoded into the beginning of what becomes RGB.
            Kind::Common => footprint::held_bytes(ImageFormat::Jpeg, self.file, self.size, ColorType::Rgb8)
                .ok_or_else(|| Fault::broken(FORMAT, "no image")),
            Kind::Odd(_) => Ok(odd::held_bytes(&self.outline, self.size, self.file.len() as u64)),
            Kind::Unread(name) => Err(Fault::Unsupported { format: name.to_owned() }),
        }
    }

    pub(super) fn decode(self) -> Result<Pixels, Fault> {
        match self.outline.kind() {
            Kind::Common => {
                let library = Library::open(self.file, ImageFormat::Jpeg, FORMAT)?;
                // The size that was held against the bound is the one that memory is taken for.
                if library.size() != self.size {
                    return Err(Fault::broken(FORMAT, "two sizes"));
                }
                library.decode()
            }
            Kind::Odd(colours) => {
                let samples = odd::decode(self.file, self.size, colours)
                    .map_err(|error| Fault::broken(FORMAT, error.to_string()))?;
                samples::of_jpeg(samples, pixels(self.size) as usize)
                    .and_then(|rgb| Pixels::new(self.size.0, self.size.1, rgb))
                    .ok_or_else(|| Fault::broken(FORMAT, "no pixels"))
            }
            Kind::Unread(name) => Err(Fault::Unsupported { format: name.to_owned() }),
        }
    }
}
