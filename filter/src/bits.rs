//! Many bytes as one number: what lets text be looked at without a branch on each of its bytes.

/// Bytes that are looked at together.
pub(crate) const BLOCK_BYTES: usize = 64;

/// Returns a bit for each of up to 64 bytes: whether it is what is looked for.
#[inline(always)]
pub(crate) fn bits(block: &[u8], is_found: impl Fn(u8) -> bool) -> u64 {
    let mut flags = [0_u8; BLOCK_BYTES];
    for (flag, byte) in flags.iter_mut().zip(block) {
        *flag = u8::from(is_found(*byte));
    }
    // Eight flags at a time: the product moves flag i to bit 56 + i.
    let (eights, _) = flags.as_chunks::<8>();
    let bits =
        eights.iter().map(|eight| u64::from_le_bytes(*eight).wrapping_mul(0x0102_0408_1020_4080) >> 56);
    (0..).zip(bits).fold(0, |all, (eight, bits)| all | bits << (8 * eight))
}

/// Returns true if and only if two bytes next to each other are of a kind: those for which `is_such` is not 0.
pub(crate) fn has_pair(text: &str, is_such: impl Fn(u8, u8) -> u8) -> bool {
    let (bytes, next) = (text.as_bytes(), text.as_bytes().get(1..).unwrap_or_default());
    // Blocks without branches, so that many bytes are looked at together.
    bytes.chunks(128).zip(next.chunks(128)).any(|(bytes, next)| {
        bytes.iter().zip(next).fold(0, |found, (first, second)| found | is_such(*first, *second)) != 0
    })
}

/// Returns up to eight bytes as a number, the first one lowest; of more, the first eight.
#[inline(always)]
pub(crate) const fn number(bytes: &[u8]) -> u64 {
    // Halves that overlap where there are fewer than twice as many bytes.
    if let Some(eight) = bytes.first_chunk() {
        u64::from_le_bytes(*eight)
    } else if let (Some(first), Some(last)) = (bytes.first_chunk(), bytes.last_chunk()) {
        u32::from_le_bytes(*first) as u64 | (u32::from_le_bytes(*last) as u64) << (8 * (bytes.len() - 4))
    } else if let (Some(first), Some(last)) = (bytes.first_chunk(), bytes.last_chunk()) {
        u16::from_le_bytes(*first) as u64 | (u16::from_le_bytes(*last) as u64) << (8 * (bytes.len() - 2))
    } else if let [byte] = bytes {
        *byte as u64
    } else {
        0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_byte_has_its_bit() {
        let text: Vec<u8> = (0..64).map(|at| if at % 3 == 0 { b'x' } else { b'-' }).collect();
        let expected = (0..64).filter(|at| at % 3 == 0).fold(0, |bits, at| bits | 1_u64 << at);
        assert_eq!(bits(&text, |byte| byte == b'x'), expected);
        assert_eq!(bits(&text[..4], |byte| byte == b'-'), 0b0110);
    }

    #[test]
    fn a_number_has_its_bytes_in_order() {
        let bytes = [1, 2, 3, 4, 5, 6, 7, 8, 9];
        for length in 0..=9 {
            let plain = bytes[..length.min(8)].iter().rev().fold(0, |all, byte| all << 8 | u64::from(*byte));
            assert_eq!(number(&bytes[..length]), plain, "{length}");
        }
    }
}
