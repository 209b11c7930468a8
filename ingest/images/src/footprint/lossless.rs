//! The code tables of a WebP image without loss: no header states how many there are, so the file is read up
//! to its pixels (the format's specification, "WebP Lossless Bitstream").

/// Bytes of a code whatever it is, in a list that may have doubled.
const CODE_BYTES: u64 = 256;
/// Bits of a code that are looked up in one table, four bytes each of its values.
const TABLE_BITS: usize = 10;
const TABLE_ENTRY_BYTES: u64 = 4;
/// Bytes of a symbol whose code is longer: two nodes of a tree.
const LONG_SYMBOL_BYTES: u64 = 32;
/// Codes of a group: green and lengths, red, blue, alpha, distances; and how many symbols each has.
const ALPHABETS: [usize; 5] = [256 + 24, 256, 256, 256, 40];
/// In which order the lengths of the code for lengths are stored.
const LENGTH_ORDER: [usize; 19] = [17, 18, 0, 1, 2, 3, 4, 5, 16, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15];
const CODE_BITS_MAX: usize = 15;
/// Pixels near by that short distances stand for: rows up in the high four bits, columns left from 8 on.
const NEAR: [u8; 120] = [
    0x18, 0x07, 0x17, 0x19, 0x28, 0x06, 0x27, 0x29, 0x16, 0x1A, 0x26, 0x2A, 0x38, 0x05, 0x37, 0x39, 0x15,
    0x1B, 0x36, 0x3A, 0x25, 0x2B, 0x48, 0x04, 0x47, 0x49, 0x14, 0x1C, 0x35, 0x3B, 0x46, 0x4A, 0x24, 0x2C,
    0x58, 0x45, 0x4B, 0x34, 0x3C, 0x03, 0x57, 0x59, 0x13, 0x1D, 0x56, 0x5A, 0x23, 0x2D, 0x44, 0x4C, 0x55,
    0x5B, 0x33, 0x3D, 0x68, 0x02, 0x67, 0x69, 0x12, 0x1E, 0x66, 0x6A, 0x22, 0x2E, 0x54, 0x5C, 0x43, 0x4D,
    0x65, 0x6B, 0x32, 0x3E, 0x78, 0x01, 0x77, 0x79, 0x53, 0x5D, 0x11, 0x1F, 0x64, 0x6C, 0x42, 0x4E, 0x76,
    0x7A, 0x21, 0x2F, 0x75, 0x7B, 0x31, 0x3F, 0x63, 0x6D, 0x52, 0x5E, 0x00, 0x74, 0x7C, 0x41, 0x4F, 0x10,
    0x20, 0x62, 0x6E, 0x30, 0x73, 0x7D, 0x51, 0x5F, 0x40, 0x72, 0x7E, 0x61, 0x6F, 0x50, 0x71, 0x7F, 0x60,
    0x70,
];

/// A file's bits, the lowest of a byte first, and what its tables take.
struct Reader<'a> {
    bytes: &'a [u8],
    bit: usize,
    table_bytes: u64,
}

/// A prefix code: how many symbols have codes of each length, and the symbols in the order of their codes.
struct Code {
    counts: [usize; CODE_BITS_MAX + 1],
    symbols: Vec<usize>,
}

/// Returns the bytes of the tables of an image's stream, which a header of its own precedes unless it is a
/// plane of transparency. A stream that is damaged counts as far as it can be read.
pub(super) fn table_bytes(stream: &[u8], (width, height): (u32, u32), has_header: bool) -> u64 {
    let mut reader = Reader { bytes: stream, bit: if has_header { 40 } else { 0 }, table_bytes: 0 };
    let _end = reader.read(width as usize, height as usize);
    reader.table_bytes
}

impl Reader<'_> {
    fn take(&mut self, count: usize) -> Option<usize> {
        let first = self.bit / 8;
        let bytes = self.bytes.get(first..)?.iter().take(4);
        let value = bytes.rev().fold(0_usize, |value, byte| (value << 8) | usize::from(*byte));
        // Shorter than four bytes, the file may end; then the bytes above are none.
        let value = (value >> (self.bit % 8)) & ((1 << count) - 1);
        self.bit += count;
        (self.bit <= 8 * self.bytes.len()).then_some(value)
    }

    /// Reads up to the pixels.
    fn read(&mut self, mut width: usize, height: usize) -> Option<()> {
        while self.take(1)? == 1 {
            match self.take(2)? {
                // Predictions, colour transforms: an image of blocks.
                0 | 1 => {
                    let block = self.take(3)? + 2;
                    self.image(blocks(width, block), blocks(height, block), None)?;
                }
                2 => {}
                // A palette; pixels of few colours are packed into bytes.
                _ => {
                    let colours = self.take(8)? + 1;
                    self.image(colours, 1, None)?;
                    width = blocks(
                        width,
                        match colours {
                            0..=2 => 3,
                            3..=4 => 2,
                            5..=16 => 1,
                            _ => 0,
                        },
                    );
                }
            }
        }
        let cache_bits = self.cache_bits()?;
        let mut group_count = 1;
        if self.take(1)? == 1 {
            let block = self.take(3)? + 2;
            let mut groups = Vec::new();
            self.image(blocks(width, block), blocks(height, block), Some(&mut groups))?;
            let number = |pixel: &[u8; 4]| usize::from(u16::from_be_bytes([pixel[0], pixel[1]]));
            group_count = groups.iter().map(number).max()? + 1;
        }
        (0..group_count).try_for_each(|_| self.group(cache_bits).map(drop))
    }

    /// Reads an image of its own, for which one group of codes is enough, and keeps its pixels if asked to.
    fn image(&mut self, width: usize, height: usize, mut kept: Option<&mut Vec<[u8; 4]>>) -> Option<()> {
        let cache_bits = self.cache_bits()?;
        let [green, red, blue, alpha, distance] = self.group(cache_bits)?;
        let mut cache = vec![[0; 4]; 1 << cache_bits];
        let (mut count, pixel_count) = (0, width * height);
        while count < pixel_count {
            let symbol = green.read(self)?;
            let pixel = match symbol {
                0..256 => {
                    let [red, blue, alpha] = [red.read(self)?, blue.read(self)?, alpha.read(self)?];
                    [red, symbol, blue, alpha].map(|value| value as u8)
                }
                256..280 => {
                    let length = self.length(symbol - 256)?;
                    let prefix = distance.read(self)?;
                    let back = near(self.length(prefix)?, width);
                    count += length;
                    if let Some(kept) = kept.as_deref_mut() {
                        for _ in 0..length {
                            let pixel = *kept.get(kept.len().checked_sub(back)?)?;
                            cache[place(pixel, cache_bits)] = pixel;
                            kept.push(pixel);
                        }
                    }
                    continue;
                }
                _ => *cache.get(symbol - 280)?,
            };
            count += 1;
            if let Some(kept) = kept.as_deref_mut() {
                cache[place(pixel, cache_bits)] = pixel;
                kept.push(pixel);
            }
        }
        (count == pixel_count).then_some(())
    }

    /// Reads of how many bits the numbers of recent colours are, 0 without any.
    fn cache_bits(&mut self) -> Option<usize> {
        if self.take(1)? == 0 {
            return Some(0);
        }
        let bits = self.take(4)?;
        (1..=11).contains(&bits).then_some(bits)
    }

    fn group(&mut self, cache_bits: usize) -> Option<[Code; 5]> {
        let colours = if cache_bits == 0 { 0 } else { 1 << cache_bits };
        let [green, red, blue, alpha, distance] = ALPHABETS;
        let mut read = |symbol_count: usize| {
            let code = self.code(symbol_count)?;
            self.table_bytes += code.table_bytes();
            Some(code)
        };
        Some([read(green + colours)?, read(red)?, read(blue)?, read(alpha)?, read(distance)?])
    }

    fn code(&mut self, symbol_count: usize) -> Option<Code> {
        if self.take(1)? == 1 {
            let (is_pair, is_byte) = (self.take(1)? == 1, self.take(1)?);
            let first = self.take(1 + 7 * is_byte)?;
            let symbols = if is_pair { vec![first, self.take(8)?] } else { vec![first] };
            let mut counts = [0; CODE_BITS_MAX + 1];
            counts[1] = symbols.len();
            return Some(Code { counts, symbols });
        }
        let mut lengths = [0; LENGTH_ORDER.len()];
        let length_count = 4 + self.take(4)?;
        for place in LENGTH_ORDER.iter().take(length_count) {
            lengths[*place] = self.take(3)?;
        }
        let of_lengths = Code::of(&lengths);
        let mut left = if self.take(1)? == 1 {
            let bits = 2 + 2 * self.take(3)?;
            2 + self.take(bits)?
        } else {
            symbol_count
        };
        let (mut lengths, mut repeated) = (Vec::with_capacity(symbol_count), 8);
        while lengths.len() < symbol_count && left > 0 {
            left -= 1;
            let (length, count) = match of_lengths.read(self)? {
                16 => (repeated, 3 + self.take(2)?),
                17 => (0, 3 + self.take(3)?),
                18 => (0, 11 + self.take(7)?),
                length => (length, 1),
            };
            if length != 0 {
                repeated = length;
            }
            lengths.extend(std::iter::repeat_n(length, count));
        }
        (lengths.len() <= symbol_count).then(|| Code::of(&lengths))
    }

    /// Reads the rest of a length or distance behind its prefix.
    fn length(&mut self, prefix: usize) -> Option<usize> {
        if prefix < 4 {
            return Some(prefix + 1);
        }
        let bits = (prefix - 2) >> 1;
        Some(((2 + (prefix & 1)) << bits) + self.take(bits)? + 1)
    }
}

impl Code {
    fn of(lengths: &[usize]) -> Self {
        let mut counts = [0; CODE_BITS_MAX + 1];
        let mut symbols: Vec<usize> = (0..lengths.len()).filter(|symbol| lengths[*symbol] > 0).collect();
        symbols.sort_by_key(|symbol| lengths[*symbol]);
        for symbol in &symbols {
            counts[lengths[*symbol]] += 1;
        }
        Self { counts, symbols }
    }

    /// Reads a symbol; the only one of a code takes no bits.
    fn read(&self, reader: &mut Reader<'_>) -> Option<usize> {
        if let [only] = self.symbols[..] {
            return Some(only);
        }
        let (mut code, mut first, mut before) = (0, 0, 0);
        for count in &self.counts[1..] {
            code |= reader.take(1)?;
            if code < first + count {
                return self.symbols.get(before + code - first).copied();
            }
            before += count;
            first = (first + count) << 1;
            code <<= 1;
        }
        None
    }

    fn table_bytes(&self) -> u64 {
        if self.symbols.len() == 1 {
            return CODE_BYTES;
        }
        let longest = self.counts.iter().rposition(|count| *count > 0).unwrap_or(0);
        let long_count: usize = self.counts[TABLE_BITS + 1..].iter().sum();
        let table = TABLE_ENTRY_BYTES << longest.min(TABLE_BITS);
        CODE_BYTES + table + LONG_SYMBOL_BYTES * long_count as u64
    }
}

/// How many blocks of 2^`bits` pixels a side has.
fn blocks(side: usize, bits: usize) -> usize {
    side.div_ceil(1 << bits)
}

/// The place of a colour among the recent ones.
fn place(pixel: [u8; 4], bits: usize) -> usize {
    let [red, green, blue, alpha] = pixel;
    let hash = u32::from_be_bytes([alpha, red, green, blue]).wrapping_mul(0x1E35_A7BD);
    if bits == 0 { 0 } else { (hash >> (32 - bits)) as usize }
}

/// How many pixels back a distance leads.
fn near(distance: usize, width: usize) -> usize {
    match NEAR.get(distance - 1) {
        Some(near) => {
            let back = usize::from(near >> 4) * width + 8;
            back.saturating_sub(usize::from(near & 15)).max(1)
        }
        None => distance - NEAR.len(),
    }
}
