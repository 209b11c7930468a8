//! A source: a file of any format whose headers have been read, and which can be decoded.

use std::borrow::Cow;
use std::io::Cursor;

use image::metadata::Orientation;
use image::{ImageDecoder, ImageError, ImageFormat, ImageReader};

use super::bitmap;
use super::gif::Gif;
use super::icon::{AlphaMask, Icon, icon};
use super::jpeg::Jpeg;
use super::png::{self, Png};
use super::samples;
use super::tiff::Tiff;
use super::{Fault, Pixels, footprint, pixels};

/// What the EXIF segment of a JPEG begins with.
pub(super) const EXIF_PREFIX: &[u8] = b"Exif\0\0";

/// A file whose headers have been read.
pub(super) enum Source<'a> {
    Jpeg(Box<Jpeg<'a>>),
    Png(Box<Png<'a>>),
    Gif(Box<Gif<'a>>),
    Tiff(Box<Tiff<'a>>),
    Other(Library<'a>),
}

/// A file that the image library decodes.
pub(super) struct Library<'a> {
    decoder: Box<dyn ImageDecoder + 'a>,
    format: ImageFormat,
    extension: &'static str,
    file: &'a [u8],
    /// Bytes of a copy of the file that is decoded in its place.
    copy_bytes: u64,
    /// What shows of it, where the library does not know.
    veil: Option<AlphaMask<'a>>,
}

impl<'a> Source<'a> {
    /// Reads the headers of a file, and refuses it if `check` refuses its size.
    ///
    /// # Errors
    /// A [`Fault`] for headers that are damaged or of a kind that is not read, and that of `check`.
    pub(super) fn open(
        file: &'a [u8],
        format: ImageFormat,
        extension: &'static str,
        check: impl Fn((u32, u32)) -> Result<(), Fault>,
    ) -> Result<Self, Fault> {
        if let Some(detail) = footprint::header_excess(format, file) {
            return Err(Fault::TooManyBytes { detail });
        }
        if format == ImageFormat::Png {
            check(png::size(file)?)?;
        }
        let source = match format {
            ImageFormat::Jpeg => Self::Jpeg(Box::new(Jpeg::open(file)?)),
            ImageFormat::Png => Self::Png(Box::new(Png::open(file)?)),
            ImageFormat::Gif => Self::Gif(Box::new(Gif::open(file)?)),
            ImageFormat::Tiff => Self::Tiff(Box::new(Tiff::open(file)?)),
            ImageFormat::Ico => match icon(file)? {
                Icon::Png(png) => return Self::open(png, ImageFormat::Png, "png", check),
                Icon::Bitmap(bitmap, veil) => {
                    let library = Library::copied(file, bitmap.into(), ImageFormat::Bmp, extension)?;
                    Self::Other(Library { veil: Some(veil), ..library })
                }
            },
            ImageFormat::Bmp => {
                Self::Other(Library::copied(file, bitmap::windows(file)?, format, extension)?)
            }
            _ => Self::Other(Library::open(file, format, extension)?),
        };
        check(source.size())?;
        Ok(source)
    }

    /// Returns width and height as stored.
    pub(super) fn size(&self) -> (u32, u32) {
        match self {
            Self::Jpeg(jpeg) => jpeg.size(),
            Self::Png(png) => png.size(),
            Self::Gif(gif) => gif.size(),
            Self::Tiff(tiff) => tiff.size(),
            Self::Other(library) => library.size(),
        }
    }

    /// Returns which way is up.
    pub(super) fn orientation(&mut self) -> Orientation {
        match self {
            Self::Jpeg(jpeg) => jpeg.outline.exif().and_then(of_exif),
            Self::Png(png) => png.exif().and_then(of_exif),
            Self::Gif(_) => None,
            Self::Tiff(tiff) => tiff.orientation(),
            Self::Other(library) => library.orientation(),
        }
        .unwrap_or(Orientation::NoTransforms)
    }

    /// Returns how many bytes [`Self::decode`] holds at its peak.
    ///
    /// # Errors
    /// A [`Fault`] for a file that has no image, or one of a kind that is not read.
    pub(super) fn held_bytes(&self) -> Result<u64, Fault> {
        match self {
            Self::Jpeg(jpeg) => jpeg.held_bytes(),
            Self::Png(png) => Ok(png.held_bytes()),
            Self::Gif(gif) => Ok(gif.held_bytes()),
            Self::Tiff(tiff) => tiff.held_bytes(),
            Self::Other(library) => library.held_bytes(),
        }
    }

    /// Decodes the first image.
    ///
    /// # Errors
    /// A [`Fault`] for what is damaged.
    pub(super) fn decode(self) -> Result<Pixels, Fault> {
        match self {
            Self::Jpeg(jpeg) => jpeg.decode(),
            Self::Png(png) => png.decode(),
            Self::Gif(gif) => gif.decode(),
            Self::Tiff(tiff) => tiff.decode(),
            Self::Other(library) => library.decode(),
        }
    }
}

impl<'a> Library<'a> {
    /// Reads the headers of a file.
    pub(super) fn open(file: &'a [u8], format: ImageFormat, extension: &'static str) -> Result<Self, Fault> {
        Self::copied(file, Cow::Borrowed(file), format, extension)
    }

    /// Reads the headers of what stands for a file.
    fn copied(
        file: &'a [u8],
        decoded: Cow<'a, [u8]>,
        format: ImageFormat,
        extension: &'static str,
    ) -> Result<Self, Fault> {
        let copy_bytes = if let Cow::Owned(copy) = &decoded { copy.len() as u64 } else { 0 };
        // What limits would check is known and leased before anything is decoded.
        let mut reader = ImageReader::with_format(Cursor::new(decoded), format);
        reader.no_limits();
        let decoder = reader.into_decoder().map_err(|error| fault(extension, &error))?;
        Ok(Self { decoder: Box::new(decoder), format, extension, file, copy_bytes, veil: None })
    }

    pub(super) fn size(&self) -> (u32, u32) {
        self.decoder.dimensions()
    }

    fn orientation(&mut self) -> Option<Orientation> {
        let exif = self.decoder.exif_metadata().ok().flatten();
        let of_jpeg = exif.filter(|exif| exif.starts_with(EXIF_PREFIX));
        of_jpeg.as_deref().and_then(of_exif).or_else(|| self.decoder.orientation().ok())
    }

    fn held_bytes(&self) -> Result<u64, Fault> {
        footprint::held_bytes(self.format, self.file, self.size(), self.decoder.color_type())
            .map(|bytes| bytes.saturating_add(self.copy_bytes))
            .ok_or_else(|| Fault::broken(self.extension, "no first image"))
    }

    pub(super) fn decode(self) -> Result<Pixels, Fault> {
        let (size, colour) = (self.size(), self.decoder.color_type());
        let count = pixels(size) as usize;
        let sample_bytes = count * usize::from(colour.bytes_per_pixel());
        let mut samples = vec![0; sample_bytes.max(count * samples::RGB_BYTES)];
        let read = self.decoder.read_image_boxed(&mut samples[..sample_bytes]);
        read.map_err(|error| fault(self.extension, &error))?;
        samples::into_rgb(samples, colour, count)
            .and_then(|rgb| Pixels::new(size.0, size.1, rgb))
            .and_then(|pixels| match &self.veil {
                Some(veil) => veil.over(pixels),
                None => Some(pixels),
            })
            .ok_or_else(|| Fault::broken(self.extension, "no pixels"))
    }
}

fn fault(extension: &'static str, error: &ImageError) -> Fault {
    let detail = error.to_string();
    match error {
        ImageError::Limits(_) => Fault::TooManyPixels { detail },
        ImageError::Unsupported(_) => Fault::Unsupported { format: format!("image/{extension} ({detail})") },
        _ => Fault::broken(extension, detail),
    }
}

/// Returns which way is up; metadata that cannot be read does not say. WebP and PNG files often have the
/// prefix of JPEG's EXIF segment, where a decoder would not expect it.
fn of_exif(exif: &[u8]) -> Option<Orientation> {
    Orientation::from_exif_chunk(exif.strip_prefix(EXIF_PREFIX).unwrap_or(exif))
}
