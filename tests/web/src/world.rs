//! The world: every file's bytes, and who answers for any other path.

use std::collections::BTreeMap;
use std::fmt::Display;

use bytes::Bytes;

use crate::config::Config;
use crate::crawl::{self, PAGE_HOSTS};
use crate::fault::IMAGE_HOSTS;
use crate::gallery::{Answer, Gallery};
use crate::page::CDN_HOST;
use crate::pairs::{self, Rows, Source};
use crate::pile;
use crate::random::stream;
use crate::table::{self, Sides};
use crate::truth::Truth;
use crate::tsv::{self, Order};

const PILE: &str = "the-eye.eu/public/AI/pile/";
const CRAWL: &str = "data.commoncrawl.org/";
const LAION_2B: &str = "huggingface.co/datasets/laion/laion2B-en/resolve/main/";
const LAION_400M: &str = "the-eye.eu/public/AI/cah/laion400m-met-release/laion400m-meta/";
const COYO: &str = "huggingface.co/datasets/kakaobrain/coyo-700m/resolve/main/data/";
const CC3M: &str = "storage.googleapis.com/gcc-data/Train/GCC-training.tsv";
const CC12M: &str = "storage.googleapis.com/conceptual_12m/cc12m.tsv";

/// A world: files in memory, images drawn when asked for. The same [`Config`] makes
/// the same bytes.
#[derive(Debug)]
pub struct World {
    seed: u64,
    /// Bytes by host and path, or why they could not be made.
    files: BTreeMap<String, Result<Bytes, String>>,
    truth: Truth,
}

impl World {
    /// Makes the world that `config` describes; about a second at the default size.
    ///
    /// A file that could not be encoded is answered with status 500.
    pub fn new(config: &Config) -> Self {
        let mut truth = Truth::default();
        let mut files = BTreeMap::new();
        let pile = pile::build(config, &mut truth);
        for (name, bytes) in pile.files {
            files.insert(format!("{PILE}{name}"), stored(bytes));
        }
        for (path, bytes) in crawl::build(config, pile.singles, &mut truth) {
            files.insert(format!("{CRAWL}{path}"), stored(bytes));
        }
        let rows = pairs::build(config, &mut truth);
        add_pair_files(&mut files, &rows, config.seed, &mut truth);
        Self { seed: config.seed, files, truth }
    }

    /// Says what is expected of a pipeline that reads this world.
    pub fn truth(&self) -> &Truth {
        &self.truth
    }

    /// Lists the public URLs of all files but images, in order.
    pub fn file_urls(&self) -> Vec<String> {
        self.files.keys().map(|path| format!("https://{path}")).collect()
    }

    /// Lists every host that the server answers for.
    pub(crate) fn hosts() -> impl Iterator<Item = &'static str> {
        let metadata = ["the-eye.eu", "data.commoncrawl.org", "huggingface.co", "storage.googleapis.com"];
        metadata.into_iter().chain(IMAGE_HOSTS).chain([CDN_HOST]).chain(PAGE_HOSTS)
    }

    /// Answers a path of the form `/HOST/PATH`; the same path is always answered alike.
    pub(crate) fn answer(&self, path: &str) -> Answer {
        let path = path.trim_start_matches('/');
        if let Some(file) = self.files.get(path) {
            return match file {
                Ok(bytes) => Answer::content(content_type(path), bytes.clone()),
                Err(_) => Answer::Status(500),
            };
        }
        let Some((host, rest)) = path.split_once('/') else {
            return Answer::Status(404);
        };
        let segments: Vec<&str> = rest.split('/').collect();
        let gallery = Gallery { seed: self.seed };
        let answer = if IMAGE_HOSTS.contains(&host) {
            gallery.pair_image(&segments)
        } else if host == CDN_HOST || PAGE_HOSTS.contains(&host) {
            gallery.page_image(&segments)
        } else {
            None
        };
        answer.unwrap_or(Answer::Status(404))
    }
}

/// Writes the metadata of all pair sources.
fn add_pair_files(
    files: &mut BTreeMap<String, Result<Bytes, String>>,
    rows: &Rows,
    seed: u64,
    truth: &mut Truth,
) {
    for (source, rows) in rows {
        let mut stream = stream(seed, "table", *source as u64);
        let (first, second) = rows.split_at(rows.len() / 2);
        let counts = truth.pairs_read.entry(source.name().to_owned()).or_default();
        match source {
            Source::Laion2b => {
                let name = |part| {
                    format!(
                        "{LAION_2B}part-{part:05}-5114fd87-297e-42b0-9d11-50f1df323dfa-c000.snappy.parquet"
                    )
                };
                let file = table::laion(first, Sides::Float64, &mut stream);
                files.insert(name(0), stored(file));
                let file = table::laion(second, Sides::Int32, &mut stream);
                files.insert(name(1), stored(file));
            }
            Source::Laion400m => {
                let name = format!(
                    "{LAION_400M}part-00000-5b54c5d5-bbcf-484d-a2ce-0d6f73df1a36-c000.snappy.parquet"
                );
                let file = table::laion(rows, Sides::Int32, &mut stream);
                files.insert(name, stored(file));
            }
            Source::Coyo => {
                for (part, rows) in [first, second].into_iter().enumerate() {
                    let name = format!(
                        "{COYO}part-{part:05}-17da4908-939c-46e5-91d0-15f256041956-c000.snappy.parquet"
                    );
                    files.insert(name, stored(table::coyo(rows, &mut stream)));
                }
            }
            Source::Cc3m => {
                let file = tsv::write(rows, Order::CaptionUrl, counts);
                files.insert(CC3M.to_owned(), Ok(file.into()));
            }
            Source::Cc12m => {
                let file = tsv::write(rows, Order::UrlCaption, counts);
                files.insert(CC12M.to_owned(), Ok(file.into()));
            }
        }
    }
}

fn stored<E: Display>(bytes: Result<Vec<u8>, E>) -> Result<Bytes, String> {
    bytes.map(Bytes::from).map_err(|error| error.to_string())
}

fn content_type(path: &str) -> &'static str {
    match path.rsplit('.').next() {
        Some("gz") => "application/gzip",
        Some("tsv") => "text/tab-separated-values",
        Some("zst") => "application/zstd",
        _ => "application/octet-stream",
    }
}

#[cfg(test)]
mod tests;
