//! An outline: what the segments of a JPEG say of it, found by passing over them (ITU T.81, annex B).

use memchr::memchr;

/// Bytes of a block of 8 x 8 coefficients.
const BLOCK_BYTES: u64 = 2 * 64;
const BLOCK_PIXELS: u64 = 8;
/// Rows of samples that decoders hold at once per component.
const ROWS: u64 = 256;
/// Names at the beginning of segments, and the bytes behind which libjpeg believes the segment.
const EXIF: &[u8] = b"Exif\0\0";
const JFIF: (&[u8], usize) = (b"JFIF\0", 14);
const ADOBE: (&[u8], usize) = (b"Adobe", 12);

/// What a JPEG is made of.
#[derive(Debug, Default, PartialEq, Eq)]
pub(in super::super) struct Outline<'a> {
    /// Scans before the end of the image: each costs a pass over its pixels.
    pub(in super::super) scan_count: u64,
    /// The first frame; several are a fault in all kinds of files that are read.
    pub(super) frame: Option<Frame>,
    pub(super) frame_count: u64,
    pub(super) is_jfif: bool,
    pub(super) adobe: Adobe,
    /// Components in the first scan.
    pub(super) first_scan: usize,
    /// Ids of components that a scan has to itself.
    pub(super) alone: Vec<u8>,
    exif: Option<&'a [u8]>,
    component_count: u64,
    /// Coefficients of the whole image.
    pub(super) coefficient_bytes: u64,
    /// Bytes of the rows that are decoded at once.
    row_bytes: u64,
    /// Scans add to each other: all coefficients are held until the last one.
    pub(super) is_buffered: bool,
}

/// The header of a frame.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Frame {
    /// The marker, which names the coding process.
    pub(super) marker: u8,
    /// Bits of a sample.
    pub(super) precision: u8,
    pub(super) width: u16,
    pub(super) height: u16,
    pub(super) components: Vec<Component>,
}

/// A component of a frame: its id, and its samples per unit across and down.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Component {
    pub(super) id: u8,
    pub(super) across: u8,
    pub(super) down: u8,
}

/// What Adobe's segment says of the colours.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub(super) enum Adobe {
    #[default]
    Absent,
    /// Too short to say anything.
    Cut,
    Transform(u8),
}

impl<'a> Outline<'a> {
    /// Reads the segments of a file. `None` unless an end-of-image marker follows a scan: decoders fill up
    /// what is missing of a cut file with grey, and do not say so. Segments are passed over by their
    /// lengths, so thumbnails within and whatever follows the image say nothing. JPEG-LS, which marks bytes
    /// in scans in another way, is read up to its frame.
    pub(in super::super) fn read(file: &'a [u8]) -> Option<Self> {
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
                    if outline.is_jpeg_ls() {
                        return Some(outline);
                    }
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

    /// Returns width and height as stored. `None` without a frame.
    pub(in super::super) fn size(&self) -> Option<(u32, u32)> {
        self.frame.as_ref().map(|frame| (frame.width.into(), frame.height.into()))
    }

    /// Returns the metadata of the first EXIF segment, without the prefix.
    pub(in super::super) fn exif(&self) -> Option<&'a [u8]> {
        self.exif
    }

    /// Returns how many components the image has.
    pub(super) fn component_count(&self) -> u64 {
        self.component_count
    }

    fn is_jpeg_ls(&self) -> bool {
        self.frame.as_ref().is_some_and(|frame| frame.marker == super::kind::JPEG_LS)
    }

    fn add(&mut self, marker: u8, segment: &'a [u8]) {
        let is = |(name, bytes): (&[u8], usize)| segment.starts_with(name) && segment.len() >= bytes;
        match marker {
            0xDA => self.add_scan(segment),
            // Tables and an extension lie between the kinds of frames.
            0xC4 | 0xC8 | 0xCC => {}
            0xC0..=0xCF | super::kind::JPEG_LS => {
                self.is_buffered |= marker & 3 == 2;
                self.add_frame(marker, segment);
            }
            0xE0 => self.is_jfif |= is(JFIF),
            0xE1 => self.exif = self.exif.or_else(|| segment.strip_prefix(EXIF)),
            0xEE if is(ADOBE) => self.adobe = Adobe::Transform(segment[ADOBE.1 - 1]),
            0xEE if segment.starts_with(ADOBE.0) && self.adobe == Adobe::Absent => self.adobe = Adobe::Cut,
            _ => {}
        }
    }

    fn add_scan(&mut self, segment: &[u8]) {
        let count = segment.first().copied().unwrap_or(0);
        self.is_buffered |= u64::from(count) < self.component_count;
        if self.scan_count == 0 {
            self.first_scan = count.into();
        }
        self.scan_count += 1;
        if let [1, id, ..] = segment
            && !self.alone.contains(id)
        {
            self.alone.push(*id);
        }
    }

    /// Adds a frame; of several, which no decoder accepts, the largest counts in memory.
    fn add_frame(&mut self, marker: u8, segment: &[u8]) {
        let [precision, high, low, wide, narrow, _, components @ ..] = segment else { return };
        let (height, width) = (u16::from_be_bytes([*high, *low]), u16::from_be_bytes([*wide, *narrow]));
        let components = components.chunks_exact(3);
        let component = |bytes: &[u8]| Component { id: bytes[0], across: bytes[1] >> 4, down: bytes[1] & 15 };
        let frame = Frame {
            marker,
            precision: *precision,
            width,
            height,
            components: components.map(component).collect(),
        };
        let (across, down) = frame.most();
        let units = |side: u16, factor: u8| u64::from(side).div_ceil(BLOCK_PIXELS * u64::from(factor.max(1)));
        let blocks =
            |component: &Component| u64::from(component.across.max(1)) * u64::from(component.down.max(1));
        let blocks: u64 = frame.components.iter().map(blocks).sum();
        let count = frame.components.len() as u64;
        self.component_count = self.component_count.max(count);
        let bytes = units(width, across) * units(height, down) * blocks * BLOCK_BYTES;
        self.coefficient_bytes = self.coefficient_bytes.max(bytes);
        self.row_bytes = self.row_bytes.max(u64::from(width) * count * ROWS);
        self.frame_count += 1;
        self.frame.get_or_insert(frame);
    }
}

impl Frame {
    /// Returns the largest number of samples per unit, across and down.
    pub(super) fn most(&self) -> (u8, u8) {
        let most = |factor: fn(&Component) -> u8| self.components.iter().map(factor).max().unwrap_or(1);
        (most(|component| component.across), most(|component| component.down))
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
            let file = file(frame, scans);
            let outline = Outline::read(&file).unwrap();
            assert_eq!(outline.held_bytes(), held + 33 * 3 * ROWS, "{frame:x} {scans:?}");
            assert_eq!(outline.scan_count, scans.len() as u64);
        }
    }
}
