//! An outcome as bytes: what is kept of it beyond its target, as JSON, and the encoded image.

use bytes::Bytes;
use corpus::record::{EncodedImage, Fetched, Image, Target, key_prefix};
use serde::{Deserialize, Serialize};

use crate::outcome::{Failure, Outcome};

/// What is not in the target itself.
#[derive(Debug, Serialize, Deserialize)]
struct Saved {
    http_status: Option<u16>,
    body_bytes: Option<u64>,
    content_type: Option<String>,
    final_url: Option<String>,
    md5: Option<String>,
    judged: Judged,
}

#[derive(Debug, Serialize, Deserialize)]
enum Judged {
    Image {
        path: Option<String>,
        width: u32,
        height: u32,
        original_width: u32,
        original_height: u32,
        sha256: String,
        perceptual_hash: u64,
        /// The bits of the number, which decimal digits could round.
        sharpness: u32,
        colour_spread: u16,
    },
    Failure {
        reason: String,
        detail: String,
    },
}

/// Returns the bytes of an outcome that is not transient.
pub(super) fn encode(outcome: &Outcome) -> Option<Vec<u8>> {
    // Field by field: a field that is added must be thought of here.
    let Fetched { key: _, url: _, status: _, reason: _, http_status, body_bytes, content_type, final_url } =
        outcome.row.clone();
    let (judged, image) = match &outcome.judged {
        Ok(image) => judged_image(image.clone()),
        Err(Failure { reason, detail, is_transient: _ }) => {
            (Judged::Failure { reason: reason.clone(), detail: detail.clone() }, Bytes::new())
        }
    };
    let md5 = outcome.md5.clone();
    let saved = Saved { http_status, body_bytes, content_type, final_url, md5, judged };
    let json = serde_json::to_vec(&saved).ok()?;
    let length = u32::try_from(json.len()).ok()?.to_le_bytes();
    Some([&length[..], &json, &image].concat())
}

fn judged_image(image: Image) -> (Judged, Bytes) {
    let Image {
        id: _,
        key: _,
        url: _,
        image: EncodedImage { bytes, path },
        width,
        height,
        original_width,
        original_height,
        sha256,
        perceptual_hash,
        sharpness,
        colour_spread,
        uses: _,
    } = image;
    let sharpness = sharpness.to_bits();
    let judged = Judged::Image {
        path,
        width,
        height,
        original_width,
        original_height,
        sha256,
        perceptual_hash,
        sharpness,
        colour_spread,
    };
    (judged, bytes)
}

/// Reads what [`encode`] wrote of a target's outcome.
pub(super) fn decode(target: &Target, payload: &[u8]) -> Option<Outcome> {
    let (length, rest) = payload.split_first_chunk()?;
    let (json, image) = rest.split_at_checked(u32::from_le_bytes(*length) as usize)?;
    let Saved { http_status, body_bytes, content_type, final_url, md5, judged } =
        serde_json::from_slice(json).ok()?;
    let (key, url) = (target.key, target.url.clone());
    let judged = match judged {
        Judged::Image {
            path,
            width,
            height,
            original_width,
            original_height,
            sha256,
            perceptual_hash,
            sharpness,
            colour_spread,
        } => Ok(Image {
            id: key_prefix(&key),
            key,
            url: url.clone(),
            image: EncodedImage { bytes: Bytes::copy_from_slice(image), path },
            width,
            height,
            original_width,
            original_height,
            sha256,
            perceptual_hash,
            sharpness: f32::from_bits(sharpness),
            colour_spread,
            uses: Vec::new(),
        }),
        Judged::Failure { reason, detail } => Err(Failure { reason, detail, is_transient: false }),
    };
    let (status, reason) = ("kept".to_owned(), None);
    let row = Fetched { key, url, status, reason, http_status, body_bytes, content_type, final_url };
    Some(Outcome { row, md5, judged })
}
