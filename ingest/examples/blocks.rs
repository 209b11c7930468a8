//! Writes the blocks of pages with their features as JSON lines: what the forests of
//! `ingest::html` are trained with (`forest/train.py` calls this).
//!
//! usage: blocks < REQUESTS > BLOCKS
//! a request is a JSON object a line: {"path": FILE, "url": URL, "judged": [[P ...], [P ...]] or null}
#![allow(missing_docs)]

use std::io::{self, BufRead, Read, Write};

use flate2::read::MultiGzDecoder;
use ingest::html::{charset, training::TrainingPage};
use serde_json::{Value, json};

fn main() -> io::Result<()> {
    let mut out = io::BufWriter::new(io::stdout().lock());
    for line in io::stdin().lock().lines() {
        let request: Value = serde_json::from_str(&line?)?;
        let path = request["path"].as_str().unwrap_or_default();
        let url = request["url"].as_str().unwrap_or_default();
        let judged: Option<[Vec<f32>; 2]> = serde_json::from_value(request["judged"].clone())?;
        let mut bytes = std::fs::read(path)?;
        if path.ends_with(".gz") {
            let mut plain = Vec::new();
            MultiGzDecoder::new(&bytes[..]).read_to_end(&mut plain)?;
            bytes = plain;
        }
        let (html, _) = charset::decode(&bytes, "", url).map_err(io::Error::other)?;
        let judged = judged.as_ref().map(|[article, any]| [&article[..], &any[..]]);
        let TrainingPage { texts, features, page } = TrainingPage::new(&html, judged);
        let page = json!({ "path": path, "texts": texts, "features": features, "page": page });
        serde_json::to_writer(&mut out, &page)?;
        out.write_all(b"\n")?;
    }
    out.flush()
}
