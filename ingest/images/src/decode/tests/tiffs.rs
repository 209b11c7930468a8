//! Kinds of TIFF, made here, with the colours that Pillow gives them.

use super::*;

/// A tag of short numbers.
type Tag<'a> = (u16, &'a [u16]);
/// What a file is, its tags, its strip, and its two pixels.
type Case<'a> = (&'a str, Vec<Tag<'a>>, &'a [u8], [u8; 6]);

/// Returns a file of 2 x 1 pixels in one strip, with tags beside those of its size and place.
fn tiff(is_big_endian: bool, tags: &[Tag<'_>], strip: &[u8]) -> Vec<u8> {
    let two = |value: u16| if is_big_endian { value.to_be_bytes() } else { value.to_le_bytes() };
    let four = |value: u32| if is_big_endian { value.to_be_bytes() } else { value.to_le_bytes() };
    let length = [strip.len() as u16];
    let mut all = vec![(256, &[2][..]), (257, &[1]), (273, &[8]), (278, &[1]), (279, &length)];
    all.extend(tags);
    all.sort_unstable_by_key(|(tag, _)| *tag);
    let padded = strip.len().next_multiple_of(2);
    let mut values = 8 + padded as u32 + 2 + 12 * all.len() as u32 + 4;
    let (mut entries, mut behind) = (two(all.len() as u16).to_vec(), Vec::new());
    for (tag, numbers) in all {
        entries.extend([&two(tag)[..], &two(3), &four(numbers.len() as u32)].concat());
        let bytes: Vec<u8> = numbers.iter().flat_map(|number| two(*number)).collect();
        if bytes.len() <= 4 {
            entries.extend([&bytes[..], &vec![0; 4 - bytes.len()]].concat());
        } else {
            entries.extend(four(values));
            values += bytes.len() as u32;
            behind.extend(bytes);
        }
    }
    let mark: &[u8] = if is_big_endian { b"MM\0*" } else { b"II*\0" };
    let strip = [strip, &vec![0; padded - strip.len()]].concat();
    [mark, &four(8 + padded as u32), &strip, &entries, &four(0), &behind].concat()
}

/// Returns the two pixels of a file in either byte order.
fn pixels_of(tags: &[Tag<'_>], strip: impl Fn(bool) -> Vec<u8>) -> Vec<u8> {
    let [little, big] = [false, true].map(|order| decode(&tiff(order, tags, &strip(order))).unwrap().pixels);
    assert_eq!(little, big, "{tags:?}");
    little.rgb().to_vec()
}

/// The tags of bits, colours and samples of a pixel.
fn kind<'a>(bits: &'a [u16], photometric: &'a [u16], samples: &'a [u16]) -> Vec<Tag<'a>> {
    vec![(258, bits), (259, &[1]), (262, photometric), (277, samples)]
}

#[test]
fn samples_of_every_kind_become_the_colours_of_pillow() {
    let both = |strip: &[u8]| {
        let strip = strip.to_vec();
        move |_| strip.clone()
    };
    let with = |tags: Vec<Tag<'static>>, more: Tag<'static>| [&tags[..], &[more]].concat();
    let map: &[u16] =
        &[0, 256 * 10, 256 * 20, 256 * 30, 0, 256 * 11, 256 * 21, 256 * 31, 0, 256 * 12, 256 * 22, 256 * 32];
    let cases: [Case<'_>; 14] = [
        ("grey", kind(&[8], &[1], &[1]), &[7, 200], [7, 7, 7, 200, 200, 200]),
        ("white is zero", kind(&[8], &[0], &[1]), &[7, 200], [248, 248, 248, 55, 55, 55]),
        ("two bits of grey", kind(&[2], &[1], &[1]), &[0b0110_0000], [85, 85, 85, 170, 170, 170]),
        (
            "grey and alpha",
            with(kind(&[8, 8], &[1], &[2]), (338, &[2])),
            &[9, 255, 0, 51],
            [9, 9, 9, 204, 204, 204],
        ),
        ("grey and more", with(kind(&[8, 8], &[1], &[2]), (338, &[0])), &[9, 3, 0, 51], [9, 9, 9, 0, 0, 0]),
        (
            "a palette of two bits",
            with(kind(&[2], &[3], &[1]), (320, map)),
            &[0b1001_0000],
            [20, 21, 22, 10, 11, 12],
        ),
        ("RGB", kind(&[8, 8, 8], &[2], &[3]), &[1, 2, 3, 4, 5, 6], [1, 2, 3, 4, 5, 6]),
        (
            "alpha",
            with(kind(&[8; 4], &[2], &[4]), (338, &[2])),
            &[0, 0, 255, 51, 4, 5, 6, 255],
            [204, 204, 255, 4, 5, 6],
        ),
        (
            "no alpha",
            with(kind(&[8; 4], &[2], &[4]), (338, &[0])),
            &[1, 2, 3, 51, 4, 5, 6, 0],
            [1, 2, 3, 4, 5, 6],
        ),
        (
            "multiplied by alpha",
            with(kind(&[8; 4], &[2], &[4]), (338, &[1])),
            &[0, 10, 51, 51, 4, 5, 6, 255],
            [204, 214, 255, 4, 5, 6],
        ),
        ("CMYK", kind(&[8; 4], &[5], &[4]), &[255, 0, 0, 0, 0, 255, 0, 127], [0, 255, 255, 128, 0, 128]),
        (
            "YCbCr",
            with(kind(&[8; 3], &[6], &[3]), (530, &[1, 1])),
            &[76, 85, 255, 200, 128, 128],
            [254, 0, 0, 200, 200, 200],
        ),
        ("CIE Lab", kind(&[8; 3], &[8], &[3]), &[255, 0, 0, 136, 20, 236], [255, 255, 255, 149, 116, 162]),
        (
            "ICC Lab",
            kind(&[8; 3], &[9], &[3]),
            &[255, 128, 128, 136, 148, 108],
            [255, 255, 255, 149, 116, 162],
        ),
    ];
    for (name, tags, strip, expected) in cases {
        let found = pixels_of(&tags, both(strip));
        let difference = found.iter().zip(expected).map(|(a, b)| a.abs_diff(b)).max().unwrap();
        assert!(difference <= 2, "{name}: {found:?}, not {expected:?}");
    }
}

#[test]
fn numbers_of_more_than_eight_bits_are_scaled_or_cut_off() {
    let words = |values: [u16; 2]| {
        move |order| {
            values
                .iter()
                .flat_map(|value| if order { value.to_be_bytes() } else { value.to_le_bytes() })
                .collect()
        }
    };
    let floats = |values: [f32; 2]| {
        move |order| {
            values
                .iter()
                .flat_map(|value| if order { value.to_be_bytes() } else { value.to_le_bytes() })
                .collect()
        }
    };
    let format = |bits: &'static [u16], format: &'static [u16]| {
        [&kind(bits, &[1], &[1])[..], &[(339, format)]].concat()
    };
    assert_eq!(pixels_of(&kind(&[16], &[1], &[1]), words([0x8080, 0xFFFF])), [128, 128, 128, 255, 255, 255]);
    assert_eq!(pixels_of(&format(&[16], &[2]), words([100, 0xFFFF])), [100, 100, 100, 0, 0, 0]);
    assert_eq!(pixels_of(&format(&[32], &[3]), floats([100.9, 1e9])), [100, 100, 100, 255, 255, 255]);
    assert_eq!(pixels_of(&format(&[32], &[3]), floats([-3.0, f32::NAN])), [0; 6]);
}

#[test]
fn planes_are_put_together() {
    let tags = [&kind(&[8; 3], &[2], &[3])[..], &[(284, &[2])]].concat();
    let mut file = tiff(false, &tags, &[1, 4, 2, 5, 3, 6]);
    // One strip of each plane: places and lengths are lists of three, put behind the file.
    let lists = file.len() as u32;
    for (tag, numbers) in [(273_u16, [8_u16, 10, 12]), (279, [2; 3])] {
        let entry =
            file.windows(4).position(|bytes| bytes == [&tag.to_le_bytes()[..], &[3, 0]].concat()).unwrap();
        let at = file.len() as u32;
        file[entry + 4..entry + 12].copy_from_slice(&[3_u32.to_le_bytes(), at.to_le_bytes()].concat());
        file.extend(numbers.iter().flat_map(|number| number.to_le_bytes()));
    }
    assert!(file.len() as u32 > lists);
    assert_eq!(decode(&file).unwrap().pixels.rgb(), [1, 2, 3, 4, 5, 6]);
}

#[test]
fn a_predictor_counts_only_where_the_compression_has_one() {
    let tags = [&kind(&[8], &[1], &[1])[..], &[(317, &[2])]].concat();
    assert_eq!(pixels_of(&tags, |_| vec![7, 200]), [7, 7, 7, 200, 200, 200]);
}

#[test]
fn kinds_that_are_not_read_are_refused_by_name() {
    let refused = |tags: &[Tag<'_>]| decode(&tiff(false, tags, &[0; 16])).unwrap_err().to_string();
    let compressed =
        |compression: &'static [u16]| refused(&[(258, &[8]), (259, compression), (262, &[1]), (277, &[1])]);
    for compression in [&[2][..], &[3], &[6], &[50_000], &[34_712]] {
        assert_eq!(compressed(compression), "image/tiff (compression) is not read");
    }
    let reversed = [&kind(&[1], &[1], &[1])[..], &[(266, &[2])]].concat();
    assert_eq!(refused(&reversed), "image/tiff (reversed bits) is not read");
    let palette = refused(&kind(&[8], &[3], &[1]));
    assert_eq!(palette, "image/tiff (Gray(8), photometric 3) is not read", "without its colours");
    assert!(refused(&kind(&[8; 5], &[4], &[5])).starts_with("image/tiff ("));
    let planes = [(258, &[8; 3][..]), (259, &[7]), (262, &[2]), (277, &[3])];
    let planes = [&planes[..], &[(284, &[2]), (322, &[16]), (323, &[16])]].concat();
    assert_eq!(refused(&planes), "image/tiff (cut tiles of planes) is not read");
    assert_eq!(decode(b"II*\0\x08\0\0\0").unwrap_err().reason(), "image_broken");
}

#[test]
fn a_tile_of_gigabytes_is_refused_before_there_is_room_for_it() {
    let long = |tag: u16, value: u32| {
        [&tag.to_le_bytes()[..], &4_u16.to_le_bytes(), &1_u32.to_le_bytes(), &value.to_le_bytes()].concat()
    };
    let sides = [(256, 21), (257, 51)];
    let kind = [(258, 8), (259, 5), (262, 1), (277, 1)];
    let tiles = [(322, 0x4000_0010), (323, 64), (324, 8), (325, 10)];
    let entries: Vec<u8> =
        [&sides[..], &kind, &tiles].concat().into_iter().flat_map(|(tag, value)| long(tag, value)).collect();
    let file = [&b"II*\0\x08\0\0\0\x0a\0"[..], &entries, &[0; 4]].concat();
    assert!(matches!(decode(&file), Err(Fault::TooManyBytes { .. })), "{:?}", decode(&file).err());
}

#[test]
fn a_file_on_which_the_library_panics_is_broken() {
    let file = include_bytes!("bits.tif");
    let fault = Decoder::new(10_000).decode(file).unwrap_err();
    assert_eq!(fault.reason(), "image_broken", "{fault:?}");
}
