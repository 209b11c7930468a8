//! A draft: a pair as its row states it, before it has an address.

use corpus::Id;
use corpus::record::{Pair, PairNumber};

/// Words of LAION-400M for how unsafe an image is, with the probability that stands for them.
const NSFW_WORDS: [(&str, f64); 3] = [("UNLIKELY", 0.0), ("UNSURE", 0.5), ("NSFW", 1.0)];
/// Hexadecimal digits of the digests that may be stated.
const DIGEST_DIGITS: [(&str, usize); 2] = [("sha256", 64), ("md5", 32)];

/// A pair as a row states it.
#[derive(Debug, Clone, Default, PartialEq)]
pub(super) struct PairDraft {
    pub(super) url: String,
    pub(super) caption: String,
    pub(super) key: Option<String>,
    /// What is stated in numbers, in the order of [`PairNumber::ALL`]: integers or floats, and whatever else.
    pub(super) stated: [Option<f64>; PairNumber::ALL.len()],
    pub(super) digest: Option<String>,
    pub(super) extra: Option<String>,
}

impl PairDraft {
    /// Takes a word for how unsafe the image is, if there is no number.
    pub(super) fn with_nsfw_word(mut self, word: Option<&str>) -> Self {
        let known = word.and_then(|word| NSFW_WORDS.iter().find(|(known, _)| *known == word));
        let stated = &mut self.stated[PairNumber::Nsfw as usize];
        *stated = stated.filter(|number| number.is_finite()).or(known.map(|(_, probability)| *probability));
        self
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

    /// Makes it a pair; of its numbers those count that make sense.
    pub(super) fn into_pair(self, id: Id, source: String) -> Pair {
        let Self { url, caption, key, stated, digest, extra } = self;
        let mut pair = Pair { source, url, caption, key, digest, extra, ..Pair::new(id, "", "", "") };
        for (number, stated) in PairNumber::ALL.iter().zip(stated) {
            if let Some(stated) = stated {
                pair.state(*number, stated);
            }
        }
        pair
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pair(stated: &[(PairNumber, f64)], word: Option<&str>) -> Pair {
        let mut draft = PairDraft::default();
        stated.iter().for_each(|(number, value)| draft.stated[*number as usize] = Some(*value));
        draft.with_nsfw_word(word).into_pair(Id::from_bits(0), String::new())
    }

    #[test]
    fn numbers_that_make_no_sense_are_unknown() {
        use PairNumber::{Height, Nsfw, Similarity, Width};
        let stated = [(Width, 640.0), (Height, -1.0), (Similarity, f64::NAN), (Nsfw, 0.25)];
        let found = pair(&stated, Some("NSFW"));
        assert_eq!((found.width, found.height, found.similarity), (Some(640), None, None));
        assert_eq!(found.nsfw, Some(0.25));
        assert_eq!(pair(&[(Nsfw, f64::NAN)], Some("UNSURE")).nsfw, Some(0.5));
        assert_eq!(pair(&[], Some("?")).nsfw, None);
    }

    #[test]
    fn a_digest_has_its_digits() {
        let digest =
            |sha256: &str, md5: &str| PairDraft::default().with_digests(Some(sha256), Some(md5)).digest;
        let (sha256, md5) = ("AB".repeat(32), "0f".repeat(16));
        assert_eq!(digest(&sha256, &md5), Some(format!("sha256:{}", "ab".repeat(32))));
        assert_eq!(digest("x", &md5), Some(format!("md5:{md5}")));
        assert_eq!(digest("x", &"0g".repeat(16)), None);
    }
}
