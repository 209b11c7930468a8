//! Images with text around them: what makes a page an interleaved document.

use corpus::record::{Page, SegmentKind};
use serde::{Deserialize, Serialize};

use super::Finding;

/// Images a page has at least, by default.
pub const IMAGES_MIN_DEFAULT: u64 = 1;

/// Keeps pages with images interspersed in their text; the reason is `images`.
///
/// KOSMOS-1 does so before anything else is looked at (B.1.3). The bound of five images and the
/// halving of single-image documents need the images themselves and come after the fetch.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Images {
    /// Minimum number of images with a URL.
    pub images_min: u64,
}

impl Default for Images {
    fn default() -> Self {
        Self { images_min: IMAGES_MIN_DEFAULT }
    }
}

impl Images {
    /// Counts the images that have a URL; on a page without any text the count is 0.
    pub fn judge(&self, page: &Page) -> Finding<'static> {
        let is_image = |kind| kind == SegmentKind::Image;
        let has_text = page.segments.iter().any(|s| !is_image(s.kind) && !s.text.trim().is_empty());
        let images = page.segments.iter().filter(|s| is_image(s.kind) && s.url.is_some()).count() as u64;
        let interspersed = if has_text { images } else { 0 };
        Finding::new("images", interspersed as f64, interspersed >= self.images_min)
    }

    pub(super) fn validate(&self) -> Result<(), String> {
        if self.images_min == 0 {
            return Err("images.images_min is 0: leave the rule out instead".to_owned());
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::subject::tests::page;

    #[test]
    fn images_count_only_beside_text_and_with_a_url() {
        let rule = Images::default();
        let judge = |segments: &[(SegmentKind, &str)]| {
            let finding = rule.judge(&page(segments));
            (finding.value, finding.passed)
        };
        use SegmentKind::{Heading, Image, Text};
        assert_eq!(judge(&[(Text, "a bird"), (Image, "https://a.example/1.png")]), (1.0, true));
        assert_eq!(judge(&[(Image, "https://a.example/1.png"), (Heading, "birds")]), (1.0, true));
        assert_eq!(judge(&[(Image, "https://a.example/1.png"), (Text, " \n")]), (0.0, false));
        assert_eq!(judge(&[(Image, ""), (Text, "a bird")]), (0.0, false));
        assert_eq!(judge(&[(Text, "a bird")]), (0.0, false));
        assert_eq!(judge(&[]), (0.0, false));
    }
}
