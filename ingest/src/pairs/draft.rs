//! A draft: a pair as its row states it, before it has an address.

use corpus::Id;
use corpus::record::Pair;

/// Words of LAION-400M for how unsafe an image is, with the probability that stands for them.
const NSFW_WORDS: [(&str, f32); 3] = [("UNLIKELY", 0.0), ("UNSURE", 0.5), ("NSFW", 1.0)];
/// Hexadecimal digits of the digests that may be stated.
const DIGEST_DIGITS: [(&str, usize); 2] = [("sha256", 64), ("md5", 32)];

/// A pair as a row states it.
#[derive(Debug, Clone, Default, PartialEq)]
pub(super) struct Draft {
    pub(super) url: String,
    pub(super) caption: String,
    pub(super) key: Option<String>,
    pub(super) width: Option<u32>,
    pub(super) height: Option<u32>,
    pub(super) similarity: Option<f32>,
    pub(super) nsfw: Option<f32>,
    pub(super) watermark: Option<f32>,
    pub(super) aesthetic: Option<f32>,
    pub(super) digest: Option<String>,
    pub(super) extra: Option<String>,
}

/// Numbers as they stand in a row: integers or floats, and whatever else.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Stated {
    pub(super) width: Option<f64>,
    pub(super) height: Option<f64>,
    pub(super) similarity: Option<f64>,
    pub(super) nsfw: Option<f64>,
    pub(super) watermark: Option<f64>,
    pub(super) aesthetic: Option<f64>,
}

impl Draft {
    /// Takes the numbers that make sense.
    pub(super) fn with_stated(self, stated: Stated) -> Self {
        let sides = 1.0..=f64::from(u32::MAX);
        let side = |number: Option<f64>| number.filter(|n| sides.contains(n)).map(|n| n as u32);
        let score = |number: Option<f64>| number.filter(|n| n.is_finite()).map(|n| n as f32);
        Self {
            width: side(stated.width),
            height: side(stated.height),
            similarity: score(stated.similarity),
            nsfw: score(stated.nsfw),
            watermark: score(stated.watermark),
            aesthetic: score(stated.aesthetic),
            ..self
        }
    }

    /// Takes a word for how unsafe the image is, if there is no number.
    pub(super) fn with_nsfw_word(self, word: Option<&str>) -> Self {
        let known = word.and_then(|word| NSFW_WORDS.iter().find(|(known, _)| *known == word));
        Self { nsfw: self.nsfw.or(known.map(|(_, probability)| *probability)), ..self }
    }

    /// Takes the first digest that is one.
    pub(super) fn with_digests(self, sha256: Option<&str>, md5: Option<&str>) -> Self {
        let valid = |(text, (name, digits)): (Option<&str>, (&str, usize))| {
            let text = text?.trim();
            let is_digest = text.len() == digits && text.bytes().all(|byte| byte.is_ascii_hexdigit());
            is_digest.then(|| format!("{name}:{}", text.to_ascii_lowercase()))
        };
        Self { digest: [sha256, md5].into_iter().zip(DIGEST_DIGITS).find_map(valid), ..self }
    }

    /// Makes it a pair.
    pub(super) fn into_pair(self, id: Id, source: String) -> Pair {
        let Self { url, caption, key, width, height, similarity, nsfw, watermark, aesthetic, digest, extra } =
            self;
        Pair {
            id,
            key,
            source,
            url,
            caption,
            width,
            height,
            similarity,
            nsfw,
            watermark,
            aesthetic,
            digest,
            extra,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_that_make_no_sense_are_unknown() {
        let stated = Stated {
            width: Some(640.0),
            height: Some(-1.0),
            similarity: Some(f64::NAN),
            nsfw: Some(0.25),
            ..Stated::default()
        };
        let draft = Draft::default().with_stated(stated);
        assert_eq!((draft.width, draft.height, draft.similarity), (Some(640), None, None));
        assert_eq!(draft.clone().with_nsfw_word(Some("NSFW")).nsfw, Some(0.25));
        assert_eq!(Draft::default().with_nsfw_word(Some("UNSURE")).nsfw, Some(0.5));
        assert_eq!(Draft::default().with_nsfw_word(Some("?")).nsfw, None);
    }

    #[test]
    fn a_digest_has_its_digits() {
        let digest = |sha256: &str, md5: &str| Draft::default().with_digests(Some(sha256), Some(md5)).digest;
        let (sha256, md5) = ("AB".repeat(32), "0f".repeat(16));
        assert_eq!(digest(&sha256, &md5), Some(format!("sha256:{}", "ab".repeat(32))));
        assert_eq!(digest("x", &md5), Some(format!("md5:{md5}")));
        assert_eq!(digest("x", &"0g".repeat(16)), None);
    }
}
