//! Pixels: a decoded image, eight bits each of red, green and blue.

const CHANNELS: usize = 3;
/// What shows through where an image is transparent, and what fills up borders.
const WHITE: u8 = 255;

/// An RGB8 image; its buffer always holds `width * height * 3` bytes, row by row.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pixels {
    width: u32,
    height: u32,
    rgb: Vec<u8>,
}

impl Pixels {
    /// Returns an image, or `None` if it is empty or the buffer does not fit its size.
    pub fn new(width: u32, height: u32, rgb: Vec<u8>) -> Option<Self> {
        let bytes = width as usize * height as usize * CHANNELS;
        (bytes > 0 && rgb.len() == bytes).then_some(Self { width, height, rgb })
    }

    /// Returns the width in pixels.
    pub fn width(&self) -> u32 {
        self.width
    }

    /// Returns the height in pixels.
    pub fn height(&self) -> u32 {
        self.height
    }

    /// Returns the bytes, row by row, `[height, width, 3]`.
    pub fn rgb(&self) -> &[u8] {
        &self.rgb
    }

    /// Returns the bytes alone.
    pub(super) fn into_rgb(self) -> Vec<u8> {
        self.rgb
    }

    /// Returns the rows, each `width * 3` bytes.
    pub fn rows(&self) -> impl Iterator<Item = &[u8]> {
        self.rgb.chunks_exact(self.width as usize * CHANNELS)
    }

    /// Cuts out the middle, at most `width` x `height`. An odd remainder is halved to the even
    /// number, as Python's `round` does in CLIP's `CenterCrop`.
    #[must_use]
    pub fn crop_center(&self, width: u32, height: u32) -> Self {
        let (width, height) = (width.clamp(1, self.width), height.clamp(1, self.height));
        let offset = |whole: u32, part: u32| (f64::from(whole - part) / 2.0).round_ties_even() as usize;
        let (left, top) = (offset(self.width, width), offset(self.height, height));
        let mut rgb = Vec::with_capacity(width as usize * height as usize * CHANNELS);
        for row in self.rows().skip(top).take(height as usize) {
            rgb.extend(row.iter().skip(left * CHANNELS).take(width as usize * CHANNELS));
        }
        Self { width, height, rgb }
    }

    /// Puts the image into the middle of a white square.
    #[must_use]
    pub fn pad_to_square(&self, side: u32) -> Self {
        let side = side.max(self.width).max(self.height);
        let (left, top) = ((side - self.width) as usize / 2, (side - self.height) as usize / 2);
        let side_bytes = side as usize * CHANNELS;
        let mut rgb = vec![WHITE; side as usize * side_bytes];
        for (row, line) in self.rows().zip(rgb.chunks_exact_mut(side_bytes).skip(top)) {
            for (from, to) in row.iter().zip(line.iter_mut().skip(left * CHANNELS)) {
                *to = *from;
            }
        }
        Self { width: side, height: side, rgb }
    }
}

/// Puts a transparent colour on white; the result is rounded to the nearest.
pub(super) fn on_white(rgba: [u8; 4]) -> [u8; 3] {
    let [red, green, blue, alpha] = rgba;
    let alpha = u32::from(alpha);
    [red, green, blue].map(|colour| {
        let mixed = u32::from(colour) * alpha + u32::from(WHITE) * (255 - alpha);
        ((mixed + 127) / 255) as u8
    })
}

/// Puts inks on white paper, 0 for none of an ink, as Pillow does it.
pub(super) fn of_cmyk(cmyk: [u8; 4]) -> [u8; 3] {
    let [cyan, magenta, yellow, black] = cmyk;
    let light = 255 - u32::from(black);
    [cyan, magenta, yellow].map(|ink| {
        let product = u32::from(ink) * light + 128;
        (light - (((product >> 8) + product) >> 8)) as u8
    })
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    /// Every pixel's red is its column, green its row.
    fn grid(width: u32, height: u32) -> Pixels {
        let rgb = (0..height).flat_map(|y| (0..width).flat_map(move |x| [x as u8, y as u8, 7]));
        Pixels::new(width, height, rgb.collect()).unwrap()
    }

    #[test]
    fn a_buffer_of_another_size_is_refused() {
        assert_eq!(Pixels::new(2, 2, vec![0; 11]), None);
        assert_eq!(Pixels::new(0, 2, Vec::new()), None);
    }

    #[test]
    fn the_middle_is_cut_out_with_odd_remainders_halved_to_even() {
        for (width, left) in [(4, 0), (5, 0), (6, 1), (7, 2), (8, 2), (9, 2), (11, 4)] {
            let cut = grid(width, 4).crop_center(4, 4);
            assert_eq!((cut.width(), cut.height(), cut.rgb().len()), (4, 4, 48));
            assert_eq!(cut.rgb()[..3], [left, 0, 7], "width {width}");
        }
        assert_eq!(grid(3, 2).crop_center(10, 10), grid(3, 2));
    }

    #[test]
    fn a_border_is_white_and_the_image_in_the_middle() {
        let padded = grid(1, 2).pad_to_square(4);
        let reds: Vec<u8> = padded.rgb().chunks(3).map(|pixel| pixel[0]).collect();
        assert_eq!(reds, [255, 255, 255, 255, 255, 0, 255, 255, 255, 0, 255, 255, 255, 255, 255, 255]);
    }

    #[test]
    fn transparency_shows_white() {
        assert_eq!(on_white([10, 20, 30, 255]), [10, 20, 30]);
        assert_eq!(on_white([10, 20, 30, 0]), [255; 3]);
        assert_eq!(on_white([0, 100, 255, 128]), [127, 177, 255]);
    }
}
