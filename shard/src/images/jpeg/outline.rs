//! An outline: what the segments of a JPEG say of it, found by passing over them (ITU T.81, annex B).

use memchr::memchr;

/// Bytes of a block of 8 x 8 coefficients.
const BLOCK_BYTES: u64 = 2 * 64;
const BLOCK_PIXELS: u64 = 8;
/// Rows of samples that decoders hold at once per component.
const ROWS: u64 = 256;

/// What a JPEG is made of.
#[derive(Debug, Default, PartialEq, Eq)]
pub(in super::super) struct Outline {
    /// Scans before the end of the image: each costs a pass over its pixels.
    pub(in super::super) scan_count: u64,
    component_count: u64,
    /// Coefficients of the whole image.
    coefficient_bytes: u64,
    /// Bytes of the rows that are decoded at once.
    row_bytes: u64,
    /// Scans add to each other: all coefficients are held until the last one.
    is_buffered: bool,
}

impl Outline {
    /// Reads the segments of a file. `None` unless an end-of-image marker follows a scan: decoders fill up
    /// what is missing of a cut file with grey, and do not say so. Segments are passed over by their
    /// lengths, so thumbnails within and whatever follows the image say nothing.
    pub(in super::super) fn read(file: &[u8]) -> Option<Self> {
        let (mut at, mut outline) = (0, Self::default());
        while let Some(found) = memchr(0xFF, file.get(at..)?) {
            at += found + 1;
            match *file.get(at)? {
                // A stuffed byte, a restart, the image's beginning, or a byte that fills up.
                0x00 | 0x01 | 0xD0..=0xD8 => at += 1,
                0xFF => {}
                0xD9 => return (outline.scan_count > 0).then_some(outline),
                marker => {
                    let length = file.get(at + 1..at + 3)?;
                    let length = usize::from(u16::from_be_bytes([length[0], length[1]]));
                    let segment = file.get(at + 3..at + 1 + length).unwrap_or_default();
                    outline.add(marker, segment);
                    at += 1 + length;
                }
            }
        }
        None
    }

    /// Returns the bytes that a decoder holds beside its result.
    pub(in super::super) fn held_bytes(&self) -> u64 {
        self.row_bytes + if self.is_buffered { self.coefficient_bytes } else { 0 }
    }

    fn add(&mut self, marker: u8, segment: &[u8]) {
        match marker {
            0xDA => {
                self.scan_count += 1;
                let components = segment.first().copied().unwrap_or(0);
                self.is_buffered |= u64::from(components) < self.component_count;
            }
            // Tables and an extension lie between the kinds of frames.
            0xC4 | 0xC8 | 0xCC => {}
            0xC0..=0xCF => {
                self.is_buffered |= marker & 3 == 2;
                self.add_frame(segment);
            }
            _ => {}
        }
    }

    /// Adds a frame; of several, which no decoder accepts, the largest counts.
    fn add_frame(&mut self, segment: &[u8]) {
        let [_, high, low, wide, narrow, _, components @ ..] = segment else { return };
        let height = u64::from(u16::from_be_bytes([*high, *low]));
        let width = u64::from(u16::from_be_bytes([*wide, *narrow]));
        let factors = components.chunks_exact(3).map(|component| (component[1] >> 4, component[1] & 15));
        let factors: Vec<(u64, u64)> =
            factors.map(|(across, down)| (u64::from(across).max(1), u64::from(down).max(1))).collect();
        let most = |factor: fn(&(u64, u64)) -> u64| factors.iter().map(factor).max().unwrap_or(1);
        let (across, down) = (most(|factors| factors.0), most(|factors| factors.1));
        let units = width.div_ceil(BLOCK_PIXELS * across) * height.div_ceil(BLOCK_PIXELS * down);
        let blocks: u64 = factors.iter().map(|(across, down)| across * down).sum();
        self.component_count = self.component_count.max(factors.len() as u64);
        self.coefficient_bytes = self.coefficient_bytes.max(units * blocks * BLOCK_BYTES);
        self.row_bytes = self.row_bytes.max(width * factors.len() as u64 * ROWS);
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    fn has_end(file: &[u8]) -> bool {
        Outline::read(file).is_some()
    }

    #[test]
    fn an_end_counts_only_after_a_scan() {
        assert!(has_end(b"\xFF\xD8\xFF\xDA\0\x02..\xFF\0.\xFF\xD0.\xFF\xFF\xD9"));
        assert!(has_end(b"\xFF\xD8\xFF\xDA\0\x02..\xFF\xD9trailing \xFF\xDA\0\x02.."));
        // A thumbnail's end within a segment is not the image's.
        assert!(!has_end(b"\xFF\xD8\xFF\xE1\0\x0A\xFF\xDA\0\x02.\xFF\xD9.\xFF\xDA\0\x02.."));
        assert!(!has_end(b"\xFF\xD8\xFF\xDA\0\x02..\xFF\xDA\0\x02.."));
        assert!(!has_end(b"\xFF\xD8\xFF\xD9"));
        assert!(!has_end(b""));
    }

    /// A file of a frame of 33 x 20 pixels, colour at half the resolution, and scans of so many components.
    fn file(frame: u8, scans: &[u8]) -> Vec<u8> {
        let mut file = b"\xFF\xD8\xFF\xC0\0\x11\x08\0\x14\0\x21\x03\x01\x22\0\x02\x11\0\x03\x11\0".to_vec();
        file[3] = frame;
        for components in scans {
            file.extend([0xFF, 0xDA, 0, 3, *components]);
        }
        [&file[..], b"\xFF\xD9"].concat()
    }

    #[test]
    fn coefficients_are_held_when_scans_add_to_each_other() {
        // Three by two units of four blocks of brightness and two of colour.
        let whole = 3 * 2 * 6 * BLOCK_BYTES;
        for (frame, scans, held) in
            [(0xC0, &[3][..], 0), (0xC0, &[1, 1, 1], whole), (0xC2, &[3], whole), (0xCA, &[3, 1], whole)]
        {
            let outline = Outline::read(&file(frame, scans)).unwrap();
            assert_eq!(outline.held_bytes(), held + 33 * 3 * ROWS, "{frame:x} {scans:?}");
            assert_eq!(outline.scan_count, scans.len() as u64);
        }
    }
}
