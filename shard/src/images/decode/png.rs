//! PNG: decoded row by row, so that no more than the RGB8 image is held whole, whatever its depth.

use std::io::Cursor;

use png::{BitDepth, ColorType, Decoder, DecodingError, InterlaceInfo, Limits, Reader, Transformations};

use super::samples::{RGB_BYTES, append_row};

/// Rows that the decoder holds at once: those of the file that are inflated and the one before them.
const FILE_ROWS: u64 = 6;
/// Rows that are held at the depth of the file after palettes and keys are expanded.
const EXPANDED_ROWS: u64 = 2;
/// Bytes that the decoder holds whatever the size: windows, tables, and the rows of small images.
const WINDOW_BYTES: u64 = 1 << 20;

/// A file whose header has been read.
pub(super) struct Png<'a> {
    reader: Reader<Cursor<&'a [u8]>>,
}

/// Reads the width and height that the first chunk states.
pub(super) fn size(file: &[u8]) -> Result<(u32, u32), DecodingError> {
    Decoder::new(Cursor::new(file)).read_header_info().map(|info| info.size())
}

impl<'a> Png<'a> {
    /// Reads what is before the pixels. Texts and colour profiles, which can inflate to any size and are not
    /// used, are passed over.
    pub(super) fn open(file: &'a [u8]) -> Result<Self, DecodingError> {
        // Rows are charged before they are held; all else that is left is no larger than the file.
        let mut decoder = Decoder::new_with_limits(Cursor::new(file), Limits { bytes: usize::MAX });
        decoder.set_ignore_text_chunk(true);
        decoder.set_ignore_iccp_chunk(true);
        decoder.set_transformations(Transformations::EXPAND);
        Ok(Self { reader: decoder.read_info()? })
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
    pub(super) fn decode(mut self) -> Result<Vec<u8>, DecodingError> {
        let (width, height) = self.reader.info().size();
        let (colour, depth) = self.reader.output_color_type();
        let stride = width as usize * RGB_BYTES;
        let bytes = stride * height as usize;
        if (colour, depth) == (ColorType::Rgb, BitDepth::Eight) && !self.reader.info().interlaced {
            // Rows are decoded where they belong.
            let mut rgb = vec![0; bytes];
            for row in rgb.chunks_exact_mut(stride) {
                self.reader.read_row(row)?;
            }
            // Reads what is behind the last row, which can be damaged too.
            return self.reader.next_row().map(|_| rgb);
        }
        if !self.reader.info().interlaced {
            let mut rgb = Vec::with_capacity(bytes);
            while let Some(row) = self.reader.next_row()? {
                append_row(colour, depth, row.data(), &mut rgb);
            }
            return Ok(rgb);
        }
        let (mut rgb, mut line) = (vec![0; bytes], Vec::with_capacity(stride));
        while let Some(row) = self.reader.next_interlaced_row()? {
            line.clear();
            append_row(colour, depth, row.data(), &mut line);
            if let InterlaceInfo::Adam7(pass) = row.interlace() {
                png::expand_interlaced_row(&mut rgb, stride, &line, pass, 8 * RGB_BYTES as u8);
            }
        }
        Ok(rgb)
    }
}
