//! PNG: decoded row by row, so that no more than the RGB8 image is held whole, whatever its depth.
//!
//! Checksums are those of the chunks. Where one of the pixels' is wrong, that of the compressed pixels decides:
//! it is of what was stored, and chunks are changed by programs that do not know how to.

use std::io::{Cursor, ErrorKind};

use png::{
    BitDepth, ColorType, DecodeOptions, Decoder, DecodingError, InterlaceInfo, Limits, Reader,
    Transformations,
};

use super::samples::{RGB_BYTES, append_row};
use super::{Fault, Pixels};

/// What files are called in faults.
const FORMAT: &str = "png";
/// Rows that the decoder holds at once: those of the file that are inflated and the one before them.
const FILE_ROWS: u64 = 6;
/// Rows that are held at the depth of the file after palettes and keys are expanded.
const EXPANDED_ROWS: u64 = 2;
/// Bytes that the decoder holds whatever the size: windows, tables, and the rows of small images.
const WINDOW_BYTES: u64 = 1 << 20;

/// A file whose header has been read.
pub(super) struct Png<'a> {
    file: &'a [u8],
    reader: Reader<Cursor<&'a [u8]>>,
}

/// Reads the width and height that the first chunk states.
pub(super) fn size(file: &[u8]) -> Result<(u32, u32), Fault> {
    Ok(Decoder::new(Cursor::new(file)).read_header_info()?.size())
}

impl<'a> Png<'a> {
    /// Reads what is before the pixels. Texts and colour profiles, which can inflate to any size and are not
    /// used, are passed over.
    pub(super) fn open(file: &'a [u8]) -> Result<Self, Fault> {
        Ok(Self { file, reader: reader(file, DecodeOptions::default())? })
    }

    pub(super) fn size(&self) -> (u32, u32) {
        self.reader.info().size()
    }

    pub(super) fn exif(&self) -> Option<&[u8]> {
        self.reader.info().exif_metadata.as_deref()
    }

    /// Returns how many bytes [`Self::decode`] holds at its peak.
    pub(super) fn held_bytes(&self) -> u64 {
        let info = self.reader.info();
        let (width, height) = (u64::from(info.width), u64::from(info.height));
        let row = |width: u32| self.reader.output_line_size(width).map_or(u64::MAX, |bytes| bytes as u64);
        let (expanded, file) = (row(info.width), info.raw_row_length() as u64);
        let rgb = width.saturating_mul(height).saturating_mul(RGB_BYTES as u64);
        let rows = file.saturating_mul(FILE_ROWS).saturating_add(expanded.saturating_mul(EXPANDED_ROWS));
        rgb.saturating_add(rows).saturating_add(width * RGB_BYTES as u64).saturating_add(WINDOW_BYTES)
    }

    /// Returns the pixels of the image, of an animation those of its default image.
    pub(super) fn decode(self) -> Result<Pixels, Fault> {
        let (file, (width, height)) = (self.file, self.size());
        let rgb = decode(self.reader).or_else(|error| {
            // The chunks before the pixels are right, or there would be no reader.
            let mut options = DecodeOptions::default();
            options.set_ignore_crc(true);
            options.set_ignore_adler32(false);
            reader(file, options).and_then(decode).map_err(|_| error)
        })?;
        Pixels::new(width, height, rgb).ok_or_else(|| Fault::broken(FORMAT, "no pixels"))
    }
}

fn reader(file: &[u8], options: DecodeOptions) -> Result<Reader<Cursor<&[u8]>>, DecodingError> {
    let mut decoder = Decoder::new_with_options(Cursor::new(file), options);
    // Rows are charged before they are held; all else that is left is no larger than the file.
    decoder.set_limits(Limits { bytes: usize::MAX });
    decoder.set_ignore_text_chunk(true);
    decoder.set_ignore_iccp_chunk(true);
    decoder.set_transformations(Transformations::EXPAND);
    decoder.read_info()
}

fn decode(mut reader: Reader<Cursor<&[u8]>>) -> Result<Vec<u8>, DecodingError> {
    let (width, height) = reader.info().size();
    let (colour, depth) = reader.output_color_type();
    let stride = width as usize * RGB_BYTES;
    let bytes = stride * height as usize;
    if (colour, depth) == (ColorType::Rgb, BitDepth::Eight) && !reader.info().interlaced {
        // Rows are decoded where they belong.
        let mut rgb = vec![0; bytes];
        for row in rgb.chunks_exact_mut(stride) {
            reader.read_row(row)?;
        }
        return after_rows(reader.next_row()).map(|()| rgb);
    }
    if !reader.info().interlaced {
        let mut rgb = Vec::with_capacity(bytes);
        for _ in 0..height {
            let Some(row) = reader.next_row()? else { break };
            append_row(colour, depth, row.data(), &mut rgb);
        }
        return after_rows(reader.next_row()).map(|()| rgb);
    }
    let (mut rgb, mut line) = (vec![0; bytes], Vec::with_capacity(stride));
    for _ in 0..interlaced_row_count(width, height) {
        let Some(row) = reader.next_interlaced_row()? else { break };
        line.clear();
        append_row(colour, depth, row.data(), &mut line);
        if let InterlaceInfo::Adam7(pass) = row.interlace() {
            png::expand_interlaced_row(&mut rgb, stride, &line, pass, 8 * RGB_BYTES as u8);
        }
    }
    after_rows(reader.next_interlaced_row()).map(|()| rgb)
}

/// Judges what is behind the last row, which can be damaged too; it may be missing.
fn after_rows<T>(next: Result<T, DecodingError>) -> Result<(), DecodingError> {
    match next {
        Err(DecodingError::IoError(error)) if error.kind() == ErrorKind::UnexpectedEof => Ok(()),
        next => next.map(drop),
    }
}

/// Returns the rows of all seven passes (Adam7).
fn interlaced_row_count(width: u32, height: u32) -> u32 {
    const PASSES: [[u32; 4]; 7] =
        [[0, 8, 0, 8], [4, 8, 0, 8], [0, 4, 4, 8], [2, 4, 0, 4], [0, 2, 2, 4], [1, 2, 0, 2], [0, 1, 1, 2]];
    let count = |side: u32, first: u32, step: u32| side.saturating_sub(first).div_ceil(step);
    let rows = PASSES.map(|[left, across, top, down]| match count(width, left, across) {
        0 => 0,
        _ => count(height, top, down),
    });
    rows.iter().sum()
}

impl From<DecodingError> for Fault {
    fn from(error: DecodingError) -> Self {
        Self::broken(FORMAT, error.to_string())
    }
}
