//! A TIFF as another one that the library reads: LZW undone, and a plane of samples as an image of its own.
//!
//! The library undoes LZW by rows, and gives up where a row ends in what the decoder holds back, as in nearly every tile
//! that reaches over the edge of the image; over such tiles of planes it panics.

use weezl::{BitOrder, LzwStatus, decode::Configuration};

use super::super::super::footprint::tiff::Directory;
use super::{
    COMPRESSION, EXTRA_SAMPLES, PHOTOMETRIC, PLANAR, PREDICTOR, SAMPLE_FORMAT, SIDES, STRIPS, TILE_SIDES,
    TILES,
};

/// Tags that are read here alone.
const BITS: u16 = 258;
const SAMPLES: u16 = 277;
const ROWS_OF_STRIPS: u16 = 278;
/// Values of the tag of compression.
const NONE: u64 = 1;
pub(super) const LZW: u64 = 5;
/// The value of a tag for samples of a pixel that lie together.
const TOGETHER: u64 = 1;
/// The kinds of values: numbers of two bytes and of four.
const SHORT: u16 = 3;
const LONG: u16 = 4;
/// Bytes before what a file holds.
const HEADER_BYTES: usize = 8;
/// Tags of numbers of four bytes.
const LONGS: [u16; 9] = [256, 257, 273, 278, 279, 322, 323, 324, 325];

/// Where the samples of an image are, in strips or tiles.
struct Chunks {
    tags: [u16; 2],
    places: Vec<u64>,
    lengths: Vec<u64>,
    /// Bytes of the samples of a whole one.
    bytes: u64,
}

impl Chunks {
    /// Finds those of an image, or of one of its planes.
    fn of(tags: &Directory<'_>, plane: Option<usize>) -> Option<Self> {
        let value = |tag: u16, default: u64| tags.value(tag).unwrap_or(default);
        let planes = usize::try_from(value(SAMPLES, 1)).ok().filter(|planes| *planes > 0)?;
        let samples = if plane.is_some() { 1 } else { value(SAMPLES, 1) };
        let [width, height] = SIDES.map(|tag| value(tag, 0));
        let (own, [width, height]) = match tags.value(TILE_SIDES[0]) {
            Some(_) => (TILES, TILE_SIDES.map(|tag| value(tag, 0))),
            None => (STRIPS, [width, value(ROWS_OF_STRIPS, height).min(height)]),
        };
        let bytes =
            width.checked_mul(samples)?.checked_mul(value(BITS, 1))?.div_ceil(8).checked_mul(height)?;
        let [mut places, mut lengths] = [tags.numbers(own[0])?, tags.numbers(own[1])?];
        let count = places.len().min(lengths.len());
        if let Some(plane) = plane {
            let range = plane * (count / planes)..(plane + 1) * (count / planes);
            (places, lengths) = (places.get(range.clone())?.to_vec(), lengths.get(range)?.to_vec());
        }
        // Without any there is nothing that may take room.
        (!places.is_empty() && !lengths.is_empty()).then_some(Self { tags: own, places, lengths, bytes })
    }

    /// Returns the bytes of all samples, those over the edge of the image included.
    fn all_bytes(&self) -> u64 {
        self.bytes.saturating_mul(self.places.len() as u64)
    }
}

/// Returns the bytes that [`of`] holds, for an image of as many planes as are read apart.
pub(super) fn held_bytes(file: &[u8], tags: &Directory<'_>, planes: Option<usize>) -> u64 {
    let of_plane = |plane| Chunks::of(tags, plane).map_or(0, |chunks| chunks.all_bytes());
    let chunks =
        (0..planes.unwrap_or(1)).map(|plane| of_plane(planes.map(|_| plane))).fold(0, u64::saturating_add);
    // Its places and lengths are some of those of the file.
    chunks.saturating_add(file.len() as u64)
}

/// Returns an image, or one of its planes, as a file; colours are those that the library is told.
pub(super) fn of(
    file: &[u8],
    tags: &Directory<'_>,
    (photometric, predictor): (u64, u64),
    plane: Option<usize>,
) -> Option<Vec<u8>> {
    let chunks = Chunks::of(tags, plane)?;
    let compression = tags.value(COMPRESSION).unwrap_or(NONE);
    let is_lzw = compression == LZW;
    let mut plain =
        Plain { is_big_endian: tags.is_big_endian(), bytes: vec![0; HEADER_BYTES], entries: Vec::new() };
    let (mut places, mut lengths) = (Vec::new(), Vec::new());
    let bytes_max = chunks.all_bytes().saturating_add(file.len() as u64);
    let mut samples = vec![0; if is_lzw { usize::try_from(chunks.bytes).ok()? } else { 0 }];
    for (place, length) in std::iter::zip(&chunks.places, &chunks.lengths) {
        let chunk = file.get(usize::try_from(*place).ok()?..)?;
        let chunk = &chunk[..usize::try_from(*length).ok()?.min(chunk.len())];
        let begin = plain.bytes.len();
        match is_lzw {
            true => plain.bytes.extend_from_slice(undone(chunk, &mut samples)?),
            // What is not compressed has no more bytes than it needs.
            false => plain.bytes.extend_from_slice(chunk),
        }
        if plain.bytes.len() as u64 > bytes_max {
            return None;
        }
        places.push(begin as u64);
        lengths.push((plain.bytes.len() - begin) as u64);
    }
    let all = |tag: u16| tags.numbers(tag).map(|values| (tag, values));
    let one = |tag: u16| all(tag).map(|(tag, values)| (tag, values.into_iter().take(1).collect()));
    let of_samples = |tag: u16| if plane.is_some() { one(tag) } else { all(tag) };
    let count = if plane.is_some() { 1 } else { tags.value(SAMPLES).unwrap_or(1) };
    let known = [
        one(SIDES[0]),
        one(SIDES[1]),
        of_samples(BITS),
        Some((COMPRESSION, vec![if is_lzw { NONE } else { compression }])),
        Some((PHOTOMETRIC, vec![photometric])),
        Some((chunks.tags[0], places)),
        Some((SAMPLES, vec![count])),
        one(ROWS_OF_STRIPS),
        Some((chunks.tags[1], lengths)),
        Some((PLANAR, vec![TOGETHER])),
        Some((PREDICTOR, vec![predictor])),
        one(TILE_SIDES[0]),
        one(TILE_SIDES[1]),
        if plane.is_some() { None } else { all(EXTRA_SAMPLES) },
        of_samples(SAMPLE_FORMAT),
    ];
    for (tag, values) in known.into_iter().flatten() {
        plain.add(tag, &values)?;
    }
    plain.finish()
}

/// Undoes LZW, as far as there is room; what follows the last sample does not matter.
fn undone<'s>(chunk: &[u8], samples: &'s mut [u8]) -> Option<&'s [u8]> {
    let mut decoder = Configuration::with_tiff_size_switch(BitOrder::Msb, 8).build();
    let (mut rest, mut count) = (chunk, 0);
    loop {
        let result = decoder.decode_bytes(rest, &mut samples[count..]);
        rest = &rest[result.consumed_in..];
        count += result.consumed_out;
        let is_over = match result.status {
            Ok(LzwStatus::Ok) => result.consumed_in == 0 && result.consumed_out == 0,
            Ok(LzwStatus::Done | LzwStatus::NoProgress) => true,
            Err(_) => return None,
        };
        if is_over || count == samples.len() {
            return Some(&samples[..count]);
        }
    }
}

/// A file that is being written: its image first, its directory last.
struct Plain {
    is_big_endian: bool,
    bytes: Vec<u8>,
    entries: Vec<Vec<u8>>,
}

impl Plain {
    fn short(&self, value: u16) -> [u8; 2] {
        if self.is_big_endian { value.to_be_bytes() } else { value.to_le_bytes() }
    }

    fn long(&self, value: u32) -> [u8; 4] {
        if self.is_big_endian { value.to_be_bytes() } else { value.to_le_bytes() }
    }

    /// Adds a tag behind those of lower numbers; its values go before the directory if there is no room for them in it.
    fn add(&mut self, tag: u16, values: &[u64]) -> Option<()> {
        let is_long = LONGS.contains(&tag);
        let mut bytes = Vec::new();
        for value in values {
            match is_long {
                true => bytes.extend(self.long(u32::try_from(*value).ok()?)),
                false => bytes.extend(self.short(u16::try_from(*value).ok()?)),
            }
        }
        let place = if bytes.len() > 4 {
            let place = self.long(u32::try_from(self.bytes.len()).ok()?);
            self.bytes.extend(bytes);
            place.to_vec()
        } else {
            bytes.resize(4, 0);
            bytes
        };
        let kind = self.short(if is_long { LONG } else { SHORT });
        let count = self.long(u32::try_from(values.len()).ok()?);
        self.entries.push([&self.short(tag)[..], &kind, &count, &place].concat());
        Some(())
    }

    /// Writes the directory, and where it is.
    fn finish(mut self) -> Option<Vec<u8>> {
        let place = self.long(u32::try_from(self.bytes.len()).ok()?);
        let mark: &[u8] = if self.is_big_endian { b"MM\0*" } else { b"II*\0" };
        self.bytes[..HEADER_BYTES].copy_from_slice(&[mark, &place].concat());
        let count = self.short(u16::try_from(self.entries.len()).ok()?);
        self.bytes.extend(count);
        self.bytes.extend(self.entries.concat());
        self.bytes.extend([0; 4]);
        Some(self.bytes)
    }
}
