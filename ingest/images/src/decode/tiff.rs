//! TIFF: the first image, whatever its samples are, as Pillow shows it. Grey of 16 bits is the exception:
//! Pillow cuts it at 255, here it is scaled.

use std::borrow::Cow;
use std::io::{Cursor, Read, Seek, SeekFrom};

use corpus::crash::caught;
use image::metadata::Orientation;
use tiff::decoder::{Decoder, Limits};
use tiff::{TiffError, TiffUnsupportedError};

use super::super::footprint::tiff::{self as directory, Directory};
use super::super::jpeg::Outline;
use super::samples::RGB_BYTES;
use super::{Fault, Pixels, pixels};

mod colours;
mod plain;

use self::colours::{Colours, Depth};

/// What files are called in faults.
const FORMAT: &str = "tiff";
/// Tags that are read here.
const SIDES: [u16; 2] = [256, 257];
const COMPRESSION: u16 = 259;
const PHOTOMETRIC: u16 = 262;
const FILL_ORDER: u16 = 266;
const ORIENTATION: u16 = 274;
const PREDICTOR: u16 = 317;
const EXTRA_SAMPLES: u16 = 338;
const SAMPLE_FORMAT: u16 = 339;
const STRIPS: [u16; 2] = [273, 279];
const TILES: [u16; 2] = [324, 325];
const TILE_SIDES: [u16; 2] = [322, 323];
const PLANAR: u16 = 284;
const COLOUR_MAP: u16 = 320;
const JPEG: u64 = 7;
/// Compressions that have predictors: LZW and Deflate.
const PREDICTED: [u64; 3] = [5, 8, 32_946];
const NO_PREDICTOR: u8 = 1;
/// The value of a tag for bits of a byte from the lowest on.
const REVERSED: u64 = 2;
/// The value of a tag for samples of a pixel that lie apart.
const APART: u64 = 2;
/// Values of the tag of colours that the library does not decode, and those that it decodes alike.
const PALETTE: u64 = 3;
const YCBCR: u64 = 6;
const LAB: [u64; 2] = [8, 9];
/// Bytes of samples that any file may have, and those for each of its own bytes: a scan in black and white has 16 times its
/// bytes, and a few kilobytes of the same strip over and over would take ten seconds.
const SAMPLE_BYTES: u64 = 40 << 20;
const SAMPLE_BYTES_PER_BYTE: u64 = 32;
const GREY: u8 = 1;
const RGB: u8 = 2;

/// A file whose first directory has been read.
pub(super) struct Tiff<'a> {
    file: &'a [u8],
    decoder: Decoder<Patched<'a>>,
    size: (u32, u32),
    orientation: Option<Orientation>,
    colours: Colours,
    depth: Depth,
    /// Samples of a pixel as they are decoded.
    sample_count: usize,
    /// How the library is given what it does not read as it is.
    detour: Option<Preparation>,
}

/// What is made of a file for the library: see [`plain`].
#[derive(Clone, Copy)]
enum Preparation {
    /// The image without its compression.
    Whole,
    /// Each plane of samples by itself.
    Planes,
}

/// Decoded samples, and how they lie.
struct Samples {
    bytes: Vec<u8>,
    row_bytes: usize,
    /// Bytes of a plane, where samples of a pixel lie apart.
    plane_bytes: Option<usize>,
}

/// A file of which some bytes are read as others.
struct Patched<'a> {
    file: Cursor<Cow<'a, [u8]>>,
    patches: Vec<(u64, u8)>,
}

impl<'a> Tiff<'a> {
    /// Reads the directory of the first image.
    ///
    /// # Errors
    /// A [`Fault`] for a directory that is damaged, or an image of a kind that is not read.
    pub(super) fn open(file: &'a [u8]) -> Result<Self, Fault> {
        let tags = Directory::of(file).ok_or_else(|| Fault::broken(FORMAT, "no directory"))?;
        let photometric = tags.value(PHOTOMETRIC).unwrap_or(0);
        if tags.value(FILL_ORDER) == Some(REVERSED) {
            return Err(Fault::Unsupported { format: "image/tiff (reversed bits)".to_owned() });
        }
        let detour = Preparation::of(&tags);
        if tags.value(COMPRESSION) == Some(JPEG) && matches!(detour, Some(Preparation::Planes)) {
            // The library panics over them.
            return Err(Fault::Unsupported { format: "image/tiff (cut tiles of planes)".to_owned() });
        }
        let patched = Patched { file: Cursor::new(file.into()), patches: patches(&tags, photometric) };
        let mut decoder = Decoder::new(patched).map_err(fault)?.with_limits(Limits::unlimited());
        let size = decoder.dimensions().map_err(fault)?;
        let kind = decoder.colortype().map_err(fault)?;
        // Two components are a grey with alpha, which no decoder of JPEG knows.
        let is_odd = || kind.num_samples() == 2 || !has_common_jpegs(file, &tags);
        if tags.value(COMPRESSION) == Some(JPEG) && is_odd() {
            return Err(Fault::Unsupported { format: "image/tiff (odd JPEG)".to_owned() });
        }
        let depth = Depth::of(kind.bit_depth(), tags.value(SAMPLE_FORMAT).unwrap_or(1));
        let map = (photometric == PALETTE).then(|| tags.numbers(COLOUR_MAP)).flatten();
        let colours = Colours::of(photometric, kind, tags.value(EXTRA_SAMPLES), map.as_deref());
        let (Some(depth), Some(colours)) = (depth, colours) else {
            let format = format!("image/tiff ({kind:?}, photometric {photometric})");
            return Err(Fault::Unsupported { format });
        };
        let orientation = tags.value(ORIENTATION).and_then(|value| u8::try_from(value).ok());
        let orientation = orientation.and_then(Orientation::from_exif);
        let sample_count = kind.num_samples().into();
        // A pixel takes a step whatever its bits are, and one of Lab takes twice as long.
        let bits = u64::from(kind.bit_depth()) * u64::from(kind.num_samples());
        let pixel_cost = bits.div_ceil(8) * if LAB.contains(&photometric) { 2 } else { 1 };
        let bound = SAMPLE_BYTES + SAMPLE_BYTES_PER_BYTE * file.len() as u64;
        if pixels(size).saturating_mul(pixel_cost) > bound {
            let detail = format!("{}x{} of {} bytes", size.0, size.1, file.len());
            return Err(Fault::TooManyPixels { detail });
        }
        Ok(Self { file, decoder, size, orientation, colours, depth, sample_count, detour })
    }

    pub(super) fn size(&self) -> (u32, u32) {
        self.size
    }

    pub(super) fn orientation(&self) -> Option<Orientation> {
        self.orientation
    }

    /// Returns how many bytes [`Self::decode`] holds at its peak.
    pub(super) fn held_bytes(&self) -> Result<u64, Fault> {
        let no_image = || Fault::broken(FORMAT, "no first image");
        let bytes = directory::held_bytes(self.file, self.size).ok_or_else(no_image)?;
        let tags = Directory::of(self.file).ok_or_else(no_image)?;
        let detour = match self.detour {
            None => 0,
            Some(Preparation::Whole) => plain::held_bytes(self.file, &tags, None),
            Some(Preparation::Planes) => plain::held_bytes(self.file, &tags, Some(self.sample_count)),
        };
        let rgb = pixels(self.size).saturating_mul(RGB_BYTES as u64);
        Ok(bytes.saturating_add(rgb).saturating_add(detour))
    }

    /// Decodes the first image.
    ///
    /// # Errors
    /// A [`Fault`] for what is damaged, cut off, or compressed in a way that is not read.
    pub(super) fn decode(mut self) -> Result<Pixels, Fault> {
        let no_pixels = || Fault::broken(FORMAT, "no pixels");
        let samples = match self.detour {
            None => self.samples(None)?,
            Some(Preparation::Whole) => {
                self.decoder = self.detoured(None)?;
                self.samples(None)?
            }
            Some(Preparation::Planes) => self.planes()?,
        };
        let Samples { bytes, row_bytes, plane_bytes } = samples;
        let (width, height) = self.size;
        let mut rgb = Vec::with_capacity(pixels(self.size) as usize * RGB_BYTES);
        let mut row = vec![0.0_f32; width as usize * self.sample_count];
        for y in 0..height as usize {
            match plane_bytes {
                Some(plane_bytes) => {
                    for plane in 0..self.sample_count {
                        let bytes = bytes.get(plane * plane_bytes + y * row_bytes..).unwrap_or_default();
                        self.depth.read(bytes, row.iter_mut().skip(plane).step_by(self.sample_count));
                    }
                }
                None => self.depth.read(bytes.get(y * row_bytes..).unwrap_or_default(), row.iter_mut()),
            }
            row.chunks_exact(self.sample_count)
                .for_each(|pixel| rgb.extend(self.colours.rgb(pixel, self.depth)));
        }
        Pixels::new(width, height, rgb).ok_or_else(no_pixels)
    }

    /// Has the library decode all samples, or those of the one plane that it was given.
    fn samples(&mut self, plane: Option<usize>) -> Result<Samples, Fault> {
        let layout = self.decoder.image_buffer_layout().map_err(fault)?;
        let no_pixels = || Fault::broken(FORMAT, "no pixels");
        // What was charged is what the tags say.
        if layout.complete_len as u64 > self.held_bytes()? {
            return Err(Fault::broken(FORMAT, "more samples than its tags say"));
        }
        let row_bytes = layout.row_stride.ok_or_else(no_pixels)?.get();
        let plane_bytes = layout.plane_stride.map_or(layout.complete_len, |bytes| bytes.get());
        let mut bytes = vec![0; layout.complete_len];
        // The library takes some tags at their word, and panics.
        let read = caught(|| self.decoder.read_image_bytes(&mut bytes));
        read.map_err(|panic| Fault::broken(FORMAT, panic))?.map_err(fault)?;
        let is_apart = plane.is_some() || layout.planes > 1;
        if plane.is_none() && is_apart && layout.planes < self.sample_count {
            return Err(no_pixels());
        }
        Ok(Samples { bytes, row_bytes, plane_bytes: is_apart.then_some(plane_bytes) })
    }

    /// Decodes plane by plane.
    fn planes(&mut self) -> Result<Samples, Fault> {
        let mut all = Samples { bytes: Vec::new(), row_bytes: 0, plane_bytes: None };
        for plane in 0..self.sample_count {
            self.decoder = self.detoured(Some(plane))?;
            let Samples { bytes, row_bytes, plane_bytes } = self.samples(Some(plane))?;
            (all.row_bytes, all.plane_bytes) = (row_bytes, plane_bytes);
            all.bytes.extend(bytes);
        }
        Ok(all)
    }

    /// Returns a decoder of what is made of the file for the library.
    fn detoured(&self, plane: Option<usize>) -> Result<Decoder<Patched<'a>>, Fault> {
        let broken = || Fault::broken(FORMAT, "its strips or tiles are damaged");
        let tags = Directory::of(self.file).ok_or_else(broken)?;
        let photometric = match tags.value(PHOTOMETRIC).unwrap_or(0) {
            _ if plane.is_some() => GREY,
            PALETTE => GREY,
            photometric if LAB.contains(&photometric) => RGB,
            photometric => u8::try_from(photometric).unwrap_or(RGB),
        };
        let is_predicted = PREDICTED.contains(&tags.value(COMPRESSION).unwrap_or(1));
        let predictor = tags.value(PREDICTOR).filter(|_| is_predicted).unwrap_or(NO_PREDICTOR.into());
        let file = plain::of(self.file, &tags, (photometric.into(), predictor), plane).ok_or_else(broken)?;
        let file = Patched { file: Cursor::new(file.into()), patches: Vec::new() };
        Ok(Decoder::new(file).map_err(fault)?.with_limits(Limits::unlimited()))
    }
}

impl Preparation {
    /// Returns how the library is given an image of these tags; none if it reads it as it is.
    fn of(tags: &Directory<'_>) -> Option<Self> {
        let is_tiled = tags.value(TILE_SIDES[0]).is_some();
        let is_lzw = tags.value(COMPRESSION) == Some(plain::LZW);
        let is_apart = tags.value(PLANAR) == Some(APART);
        if is_apart && has_cut_tiles(tags) {
            return Some(Self::Planes);
        }
        // Samples that are no colours are passed over pixel by pixel.
        let is_read_by_rows = is_tiled || tags.value(EXTRA_SAMPLES).is_some();
        let is_detour = is_lzw && is_read_by_rows && tags.value(PHOTOMETRIC) != Some(YCBCR);
        is_detour.then_some(if is_apart { Self::Planes } else { Self::Whole })
    }
}

/// Returns true if tiles reach over the edge of the image.
fn has_cut_tiles(tags: &Directory<'_>) -> bool {
    let is_cut = |(side, tile): (&u16, &u16)| {
        let (side, tile) = (tags.value(*side).unwrap_or(0), tags.value(*tile).unwrap_or(0));
        tile > 0 && side % tile > 0
    };
    SIDES.iter().zip(&TILE_SIDES).any(is_cut)
}

/// Returns what the library is to read in other ways: colours that it does not know as others that are
/// decoded alike, and as no predictor one that libtiff does not apply.
fn patches(tags: &Directory<'_>, photometric: u64) -> Vec<(u64, u8)> {
    let mut patches = Vec::new();
    let mut read_as = |tag: u16, value: u8| patches.extend(tags.low_byte(tag).map(|place| (place, value)));
    if photometric == PALETTE {
        read_as(PHOTOMETRIC, GREY);
    } else if LAB.contains(&photometric) {
        read_as(PHOTOMETRIC, RGB);
    }
    if !PREDICTED.contains(&tags.value(COMPRESSION).unwrap_or(1)) {
        read_as(PREDICTOR, NO_PREDICTOR);
    }
    patches
}

/// Whether the decoder within the library, which is the common one, reads all strips or tiles right. They are
/// not read if they are longer than the file together, which would cost more than it.
fn has_common_jpegs(file: &[u8], tags: &Directory<'_>) -> bool {
    let chunks = |[places, lengths]: [u16; 2]| Some((tags.numbers(places)?, tags.numbers(lengths)?));
    let Some((places, lengths)) = chunks(STRIPS).or_else(|| chunks(TILES)) else { return false };
    if lengths.iter().copied().fold(0, u64::saturating_add) > file.len() as u64 {
        return false;
    }
    places.iter().zip(lengths).all(|(place, length)| {
        let chunk = usize::try_from(*place).ok().and_then(|place| file.get(place..)).unwrap_or_default();
        let length = usize::try_from(length).unwrap_or(usize::MAX).min(chunk.len());
        // A chunk that is cut off is the library's to judge.
        Outline::read(&chunk[..length]).is_none_or(|outline| outline.has_common_scans())
    })
}

fn fault(error: TiffError) -> Fault {
    match error {
        TiffError::UnsupportedError(TiffUnsupportedError::UnsupportedCompressionMethod(_)) => {
            Fault::Unsupported { format: "image/tiff (compression)".to_owned() }
        }
        TiffError::UnsupportedError(error) => Fault::Unsupported { format: format!("image/tiff ({error})") },
        error => Fault::broken(FORMAT, error.to_string()),
    }
}

impl Read for Patched<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        let at = self.file.position();
        let count = self.file.read(buffer)?;
        for (place, value) in &self.patches {
            let offset = place.checked_sub(at).and_then(|offset| usize::try_from(offset).ok());
            if let Some(byte) = offset.and_then(|offset| buffer[..count].get_mut(offset)) {
                *byte = *value;
            }
        }
        Ok(count)
    }
}

impl Seek for Patched<'_> {
    fn seek(&mut self, to: SeekFrom) -> std::io::Result<u64> {
        self.file.seek(to)
    }
}
