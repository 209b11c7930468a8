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

/// An image of a page.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Candidate<'p> {
    /// What was fetched, if it was.
    pub seen: Option<Seen>,
    /// Its URL, possibly empty.
    pub url: &'p str,
    /// Whether an image before it that stays has the same URL.
    pub is_repeated: bool,
    /// Images before it that stay.
    pub kept: usize,
}

/// What is left of a page.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Left {
    /// Images.
    pub images: usize,
    /// Whether there is text.
    pub has_text: bool,
    /// Whether an image has text before and after it, next to it or beyond other images.
    pub is_between_texts: bool,
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
    /// Judges one image.
    ///
    /// # Errors
    /// `image_missing`, `image_side_min`, `image_side_max`, `image_aspect`, `image_single_coloured`, `image_url`,
    /// `image_repeated`, `images_max`.
    pub fn judge_image(&self, image: Candidate<'_>) -> Result<(), Refusal> {
        let Candidate { url, is_repeated, kept, .. } = image;
        let Some(seen) = image.seen else {
            return Err(Refusal::new("image_missing", ""));
        };
        let (shorter, longer) = (seen.width.min(seen.height), seen.width.max(seen.height));
        let size = || format!("{}x{}", seen.width, seen.height);
        if shorter < self.side_pixels_min {
            return Err(Refusal::new("image_side_min", size()));
        }
        if self.side_pixels_max.is_some_and(|most| longer > most) {
            return Err(Refusal::new("image_side_max", size()));
        }
        if self.aspect_max.is_some_and(|most| f64::from(longer) > most * f64::from(shorter)) {
            return Err(Refusal::new("image_aspect", size()));
        }
        if seen.colour_spread < self.colour_spread_min {
            return Err(Refusal::new("image_single_coloured", seen.colour_spread));
        }
        if let Some(word) = self.url_words.iter().find(|word| url.contains(word.as_str())) {
            return Err(Refusal::new("image_url", word));
        }
        if self.drop_repeated && is_repeated {
            return Err(Refusal::new("image_repeated", ""));
        }
        if kept >= self.images_max as usize {
            return Err(Refusal::new("images_max", kept));
        }
        Ok(())
    }

    /// Judges a document by what is left of it.
    ///
    /// # Errors
    /// `no_image`, `single_image` (by the coin of its id), `no_text`, `one_sided`.
    pub fn judge_document(&self, seed: u64, id: Id, left: Left) -> Result<(), Refusal> {
        let Left { images, has_text, is_between_texts } = left;
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
        if self.drop_one_sided && !is_between_texts {
            return Err(Refusal::new("one_sided", ""));
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
            let found =
                reason(Config::default().judge_image(Candidate { seen, url: "", is_repeated: true, kept }));
            assert_eq!(found, expected, "{seen:?} after {kept}");
        }
    }

    fn left(images: usize, has_text: bool) -> Left {
        Left { images, has_text, is_between_texts: false }
    }

    #[test]
    fn images_of_other_corpora_s_bounds_are_dropped_by_their_own_reasons() {
        let config = Config {
            side_pixels_min: 150,
            side_pixels_max: Some(20_000),
            aspect_max: Some(2.0),
            url_words: vec!["logo".to_owned(), "icon".to_owned()],
            drop_repeated: true,
            ..Config::default()
        };
        let url = "https://a.example/photo.jpg";
        let table = [
            ((400, 300), url, false, ""),
            ((600, 300), url, false, ""),
            ((601, 300), url, false, "image_aspect"),
            ((300, 601), url, false, "image_aspect"),
            ((20_000, 10_000), url, false, ""),
            ((20_001, 15_000), url, false, "image_side_max"),
            ((400, 149), url, false, "image_side_min"),
            ((400, 300), "https://a.example/icons/a.png", false, "image_url"),
            ((400, 300), "https://a.example/ICONS/a.png", false, ""),
            ((400, 300), url, true, "image_repeated"),
        ];
        for ((width, height), url, is_repeated, expected) in table {
            let seen = Some(Seen { width, height, colour_spread: 99 });
            let found = reason(config.judge_image(Candidate { seen, url, is_repeated, kept: 0 }));
            assert_eq!(found, expected, "{width}x{height} {url}");
        }
    }

    #[test]
    fn a_document_of_one_sided_images_is_dropped_if_asked_for() {
        let config = Config { drop_one_sided: true, ..Config::default() };
        let judge = |is_between_texts| {
            let left = Left { images: 2, has_text: true, is_between_texts };
            reason(config.judge_document(1, Id::from_bits(1), left))
        };
        assert_eq!([judge(true), judge(false)], ["", "one_sided"]);
    }

    #[test]
    fn half_of_the_single_image_documents_are_dropped_and_always_the_same() {
        let config = Config::default();
        let dropped = |seed: u64| -> Vec<bool> {
            let judge = |bits| config.judge_document(seed, Id::from_bits(bits), left(1, true));
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
        let judge =
            |images, has_text| reason(config.judge_document(1, Id::from_bits(1), left(images, has_text)));
        assert_eq!(judge(0, true), "no_image");
        assert_eq!(judge(1, true), "single_image");
        assert_eq!(judge(2, true), "");
        assert_eq!(judge(2, false), "no_text");
    }
}
