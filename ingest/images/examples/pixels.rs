//! Decodes and resizes images for a script that compares: `ingest/images/benches/pixels.py`.
//!
//! Reads JSON lines `{"path", "side", "preprocess"}`; writes for each `{"seconds", "sha256", "size", "error"}`:
//! CPU time of decoding and resizing the shorter side to `side`, digest and size of the pixels.
#![allow(clippy::print_stdout, clippy::unwrap_used)]

use std::io::BufRead;
use std::time::Instant;

use corpus::digest::Digest;
use images::{Decoder, Preprocess, resize, short_side_to};
use serde::Deserialize;

const PIXELS_MAX: u64 = 1 << 28;

#[derive(Deserialize)]
struct Request {
    path: String,
    side: u32,
    preprocess: Preprocess,
}

fn main() {
    for line in std::io::stdin().lock().lines() {
        let request: Request = serde_json::from_str(&line.unwrap()).unwrap();
        let bytes = std::fs::read(&request.path).unwrap();
        let target = |width, height| match request.preprocess {
            Preprocess::Fast => short_side_to(request.side, width, height),
            Preprocess::PilExact => (width, height),
        };
        let begun = Instant::now();
        let resized = Decoder::new(PIXELS_MAX).decode_towards(&bytes, target).and_then(|decoded| {
            let (width, height) = short_side_to(request.side, decoded.width, decoded.height);
            resize(decoded.pixels, width, height, PIXELS_MAX, request.preprocess)
        });
        let seconds = begun.elapsed().as_secs_f64();
        let row = match resized {
            Ok(pixels) => serde_json::json!({
                "seconds": seconds,
                "sha256": Digest::of(pixels.rgb()).as_str(),
                "size": [pixels.width(), pixels.height()],
            }),
            Err(fault) => serde_json::json!({"seconds": seconds, "error": fault.to_string()}),
        };
        println!("{row}");
    }
}
