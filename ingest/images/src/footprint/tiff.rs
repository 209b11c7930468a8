//! TIFF: samples are decoded at the file's depth, all of them, before they become RGB8.

use super::pixels;

/// Values that the tags of a file may have where the library reads all of them: 2^18 for the offsets and
/// lengths of strips or tiles.
const TAG_VALUES_MAX: u64 = 1 << 18;
/// Bytes that a tag's value takes while it is read.
const TAG_VALUE_BYTES: u64 = 48;
/// Tags that the library reads: sizes, kinds of samples, strips, tiles, tables, orientation.
const READ_TAGS: [u16; 21] =
    [256, 257, 258, 259, 262, 273, 274, 277, 278, 279, 284, 317, 322, 323, 324, 325, 338, 339, 347, 530, 700];
const WIDTH_OF_TILES: u16 = 322;
const BITS: u16 = 258;
const SAMPLES: u16 = 277;
const COMPRESSION: u16 = 259;
const JPEG_TABLES: u16 = 347;
const JPEG: u64 = 7;
/// Rows of a strip or tile that are held beside the image.
const ROWS: u64 = 2;
/// Bytes that decoders of strips hold per pixel of their width.
const ROW_PIXEL_BYTES: u64 = 16;
/// Bytes a pixel of a strip or tile that is a JPEG: its samples, and the coefficients of a progressive one.
const JPEG_PIXEL_BYTES: u64 = 4 + 2 * 4;
/// Bytes behind a frame's marker that hold its length, precision, height and width.
const JPEG_FRAME_BYTES: usize = 8;

/// The directory of a file's first image.
pub(in super::super) struct Directory<'a> {
    file: &'a [u8],
    is_big_endian: bool,
    /// The layout of files above 4 GiB: eight bytes where others have four.
    is_big: bool,
    entries: &'a [u8],
}

/// A tag of a directory: what is at its place is its value, or where that is.
struct Entry<'a> {
    tag: u16,
    kind: u16,
    count: u64,
    place: &'a [u8],
}

/// Says how many values the tags have, if they are too many to be read.
pub(super) fn header_excess(file: &[u8]) -> Option<String> {
    let count = Directory::of(file)?.value_count();
    (count > TAG_VALUES_MAX).then(|| format!("{count} values of tags, at most {TAG_VALUES_MAX}"))
}

/// Returns the bytes held beside the result.
pub(in super::super) fn held_bytes(file: &[u8], size: (u32, u32)) -> Option<u64> {
    let directory = Directory::of(file)?;
    let value = |tag: u16, default: u64| directory.value(tag).unwrap_or(default);
    let bits = value(BITS, 1).saturating_mul(value(SAMPLES, 1));
    let row_bytes = |width: u64| width.saturating_mul(bits).div_ceil(8);
    let image = row_bytes(size.0.into()).saturating_mul(size.1.into());
    let width = value(WIDTH_OF_TILES, 0).max(size.0.into());
    let rows = row_bytes(width).saturating_mul(ROWS).saturating_add(width.saturating_mul(ROW_PIXEL_BYTES));
    let tags = directory.value_count().saturating_mul(TAG_VALUE_BYTES);
    let jpeg = match value(COMPRESSION, 1) {
        JPEG => {
            largest_jpeg(file, &directory)?.saturating_mul(JPEG_PIXEL_BYTES).saturating_add(file.len() as u64)
        }
        _ => 0,
    };
    Some(image.saturating_add(rows).saturating_add(tags).saturating_add(jpeg))
}

/// Returns the pixels of the largest JPEG frame that the file could contain; strips tell their own size.
/// Tables shared by all strips define no frame.
fn largest_jpeg(file: &[u8], directory: &Directory<'_>) -> Option<u64> {
    let frames = |bytes: &[u8]| {
        let at = memchr::memchr_iter(0xFF, bytes).filter(|at| {
            matches!(bytes.get(at + 1), Some(0xC0..=0xC3 | 0xC5..=0xC7 | 0xC9..=0xCB | 0xCD..=0xCF) | None)
        });
        at.collect::<Vec<usize>>()
    };
    if directory.bytes(JPEG_TABLES).is_some_and(|tables| !frames(tables).is_empty()) {
        return None;
    }
    let of_frame = |at: usize| {
        let header = file.get(at + 2..at + 2 + JPEG_FRAME_BYTES)?;
        let side = |at: usize| u32::from(u16::from_be_bytes([header[at], header[at + 1]]));
        Some(pixels((side(5), side(3))))
    };
    Some(frames(file).into_iter().filter_map(of_frame).max().unwrap_or(0))
}

impl<'a> Directory<'a> {
    /// Reads where the entries of the first directory are.
    pub(in super::super) fn of(file: &'a [u8]) -> Option<Self> {
        let is_big_endian = file.starts_with(b"MM");
        let is_big = matches!(file.get(2..4)?, [43, 0] | [0, 43]);
        let mut directory = Self { file, is_big_endian, is_big, entries: &[] };
        let (offset, count_bytes, entry_bytes) = match is_big {
            true => (directory.number(file.get(8..16)?), 8, 20),
            false => (directory.number(file.get(4..8)?), 2, 12),
        };
        let start = file.get(usize::try_from(offset).ok()?..)?;
        let (count, rest) = start.split_at_checked(count_bytes)?;
        let bytes = usize::try_from(directory.number(count)).ok()?.checked_mul(entry_bytes)?;
        directory.entries = rest.get(..bytes)?;
        Some(directory)
    }

    /// Returns true if numbers begin with their highest byte.
    pub(in super::super) fn is_big_endian(&self) -> bool {
        self.is_big_endian
    }

    /// Reads a number of as many bytes as there are.
    fn number(&self, bytes: &[u8]) -> u64 {
        let add = |number: u64, byte: &u8| (number << 8) | u64::from(*byte);
        if self.is_big_endian { bytes.iter().fold(0, add) } else { bytes.iter().rev().fold(0, add) }
    }

    fn entries(&self) -> impl Iterator<Item = Entry<'a>> {
        let (bytes, place) = if self.is_big { (20, 12) } else { (12, 8) };
        self.entries.chunks_exact(bytes).map(move |entry| Entry {
            tag: self.number(&entry[..2]) as u16,
            kind: self.number(&entry[2..4]) as u16,
            count: self.number(&entry[4..place]),
            place: &entry[place..],
        })
    }

    /// Returns the values that reading the image's tags makes room for, also where they are not within the file.
    fn value_count(&self) -> u64 {
        let read = self.entries().filter(|entry| READ_TAGS.contains(&entry.tag));
        read.map(|entry| entry.count).fold(0, u64::saturating_add)
    }

    /// Returns the first value of a tag, the largest where a tag is there more than once.
    pub(in super::super) fn value(&self, tag: u16) -> Option<u64> {
        let of_tag = self.entries().filter(|entry| entry.tag == tag && entry.count > 0);
        of_tag.filter_map(|entry| self.first(&entry)).max()
    }

    fn first(&self, entry: &Entry<'a>) -> Option<u64> {
        let bytes = entry_bytes(entry.kind);
        Some(self.number(self.at(entry, bytes)?.get(..bytes)?))
    }

    /// Returns the file from where a tag's values are, if each has so many bytes.
    fn at(&self, entry: &Entry<'a>, bytes: usize) -> Option<&'a [u8]> {
        if entry.count.saturating_mul(bytes as u64) <= entry.place.len() as u64 {
            return Some(entry.place);
        }
        self.file.get(usize::try_from(self.number(entry.place)).ok()?..)
    }

    /// Returns where in the file the lowest byte of a tag's only value is, where it is within the directory.
    pub(in super::super) fn low_byte(&self, tag: u16) -> Option<u64> {
        let entry = self.entries().find(|entry| entry.tag == tag)?;
        let bytes = entry_bytes(entry.kind);
        let place = entry.place.as_ptr() as usize - self.file.as_ptr() as usize;
        Some((place + if self.is_big_endian { bytes - 1 } else { 0 }) as u64)
    }

    /// Returns all values of a tag that are within the file, at most as many as tags may have.
    pub(in super::super) fn numbers(&self, tag: u16) -> Option<Vec<u64>> {
        let entry = self.entries().find(|entry| entry.tag == tag)?;
        let bytes = entry_bytes(entry.kind);
        let count = usize::try_from(entry.count.min(TAG_VALUES_MAX)).ok()?;
        let values = self.at(&entry, bytes)?.chunks_exact(bytes).take(count);
        Some(values.map(|value| self.number(value)).collect())
    }

    /// Returns the bytes of a tag whose values are bytes.
    fn bytes(&self, tag: u16) -> Option<&'a [u8]> {
        let entry = self.entries().find(|entry| entry.tag == tag)?;
        let start = self.at(&entry, 1)?;
        Some(&start[..start.len().min(usize::try_from(entry.count).ok()?)])
    }
}

/// Returns the bytes of a value of a kind.
fn entry_bytes(kind: u16) -> usize {
    match kind {
        3 | 8 => 2,
        4 | 9 | 13 => 4,
        16..=18 => 8,
        _ => 1,
    }
}
