//! The rules: which images and which documents stay. Pure.

use corpus::{Id, random};

use super::Config;

/// What the rules see of an image.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Seen {
    /// Width in pixels, as fetched.
    pub width: u32,
    /// Height in pixels, as fetched.
    pub height: u32,
    /// Largest difference within one colour channel.
    pub colour_spread: u16,
}

/// Why an image or a document is dropped.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refusal {
    /// One word of a closed set.
    pub reason: &'static str,
    /// The value that decided.
    pub value: String,
}

impl Refusal {
    fn new(reason: &'static str, value: impl ToString) -> Self {
        Self { reason, value: value.to_string() }
    }
}

impl Config {
    /// Judges one image, `None` where there is none, when `kept` images before it stay.
    ///
    /// # Errors
    /// `image_missing`, `image_side_min`, `image_single_coloured`, `images_max`.
    pub fn judge_image(&self, seen: Option<Seen>, kept: usize) -> Result<(), Refusal> {
        let Some(seen) = seen else {
            return Err(Refusal::new("image_missing", ""));
        };
        if seen.width.min(seen.height) < self.side_pixels_min {
            return Err(Refusal::new("image_side_min", format!("{}x{}", seen.width, seen.height)));
        }
        if seen.colour_spread < self.colour_spread_min {
            return Err(Refusal::new("image_single_coloured", seen.colour_spread));
        }
        if kept >= self.images_max as usize {
            return Err(Refusal::new("images_max", kept));
        }
        Ok(())
    }

    /// Judges a document by what is left of it.
    ///
    /// # Errors
    /// `no_image`, `single_image` (by the coin of its id), `no_text`.
    pub fn judge_document(&self, seed: u64, id: Id, images: usize, has_text: bool) -> Result<(), Refusal> {
        if images == 0 {
            return Err(Refusal::new("no_image", 0));
        }
        let coin = random::uniform(seed, "single_image", &id.to_bits().to_le_bytes());
        if images == 1 && coin < self.single_image_drop_share {
            return Err(Refusal::new("single_image", format!("{coin:.3}")));
        }
        if !has_text {
            return Err(Refusal::new("no_text", ""));
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn reason(result: Result<(), Refusal>) -> &'static str {
        result.map_or_else(|refusal| refusal.reason, |()| "")
    }

    #[test]
    fn images_are_judged_in_the_order_of_the_rules() {
        let table = [
            (None, 0, "image_missing"),
            (Some((64, 64, 3)), 0, ""),
            (Some((64, 64, 3)), 4, ""),
            (Some((63, 640, 200)), 0, "image_side_min"),
            (Some((640, 63, 200)), 0, "image_side_min"),
            (Some((64, 64, 2)), 0, "image_single_coloured"),
            (Some((63, 63, 0)), 9, "image_side_min"),
            (Some((64, 64, 200)), 5, "images_max"),
        ];
        for (seen, kept, expected) in table {
            let seen = seen.map(|(width, height, colour_spread)| Seen { width, height, colour_spread });
            let found = reason(Config::default().judge_image(seen, kept));
            assert_eq!(found, expected, "{seen:?} after {kept}");
        }
    }

    #[test]
    fn half_of_the_single_image_documents_are_dropped_and_always_the_same() {
        let config = Config::default();
        let dropped = |seed: u64| -> Vec<bool> {
            let judge = |bits| config.judge_document(seed, Id::from_bits(bits), 1, true);
            (0..2_000).map(|bits| reason(judge(bits)) == "single_image").collect()
        };
        let count = dropped(1).iter().filter(|dropped| **dropped).count();
        assert!((900..1_100).contains(&count), "{count} of 2000");
        assert_eq!(dropped(1), dropped(1));
        assert_ne!(dropped(1), dropped(2));
    }

    #[test]
    fn the_coin_is_for_single_images_alone() {
        let config = Config { single_image_drop_share: 1.0, ..Config::default() };
        let judge = |images, has_text| reason(config.judge_document(1, Id::from_bits(1), images, has_text));
        assert_eq!(judge(0, true), "no_image");
        assert_eq!(judge(1, true), "single_image");
        assert_eq!(judge(2, true), "");
        assert_eq!(judge(2, false), "no_text");
    }
}
