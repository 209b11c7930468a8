//! The configuration: one TOML file is one complete run.
//!
//! Every section belongs to the crate that acts on it; a section that is absent leaves its
//! stages out. Secrets are never here: they come from the environment.

mod base;
pub mod builtin;
mod explain;
mod fit;
pub mod keys;
mod limits;
pub mod load;
mod slurm;

use std::collections::BTreeMap;
use std::path::PathBuf;

use corpus::mirror::Mirrors;
use filter::near::planted::PLANTED_SOURCE;
use filter::stage::image_hashes::EVALUATION_SOURCE;
use serde::Deserialize;

use crate::place;
use crate::reserved::is_reserved;

pub use base::load_based;
pub(crate) use explain::nearest;
pub use limits::Limits;
pub use load::Loaded;
pub use slurm::{Job, Slurm};

/// A complete run.
#[derive(Debug, Clone, Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Config {
    /// The run's name, and its folder unless `--dir` is given.
    pub name: String,
    /// The folder that relative paths are resolved against. Default: the folder of this file. It is recorded
    /// in a run's own `config.toml`, so that the run works from anywhere.
    pub base_dir: Option<PathBuf>,
    /// Failures at which a run stops.
    #[serde(default)]
    pub limits: Limits,
    /// Settings for running tasks as Slurm jobs (`--executor slurm`).
    #[serde(default)]
    pub slurm: Slurm,
    /// Seed of all random choices in building the corpus.
    pub seed: u64,
    /// Serve a synthetic web in this process and read all sources from it.
    #[serde(default)]
    pub sample_web: Option<web::Config>,
    /// URL prefixes and their replacements.
    #[serde(default)]
    pub mirrors: Mirrors,
    /// The HTTP client: limits, timeouts, proxies, and what records may reach.
    #[serde(default)]
    pub fetch: ingest::fetch::Config,
    /// The sources, by name.
    pub sources: BTreeMap<String, ingest::SourceConfig>,
    /// Text: rules, duplicates, split.
    pub text: Option<filter::TextConfig>,
    /// Pairs: rules, duplicates.
    pub pairs: Option<filter::PairsConfig>,
    /// Interleaved documents.
    pub interleaved: Option<Interleaved>,
    /// Fetching and storing images.
    pub images: Option<images::Config>,
    /// Duplicate detection among the images of pairs. Packing and exports exclude duplicates.
    pub image_duplicates: Option<filter::ImageDuplicatesConfig>,
    /// Precomputed CLIP features. If absent, the trainer encodes pixels.
    pub features: Option<shard::features::Config>,
    /// The tokenizer.
    pub tokenizer: Option<shard::tokenizer::TokenizerConfig>,
    /// Packing into sequences.
    pub pack: Option<shard::pack::stage::PackConfig>,
    /// The network.
    #[serde(default)]
    pub model: model::Config,
    /// Training.
    pub train: Option<train::Config>,
    /// Evaluation of the trained model.
    pub evaluate: Option<train::EvaluateConfig>,
}

/// `[interleaved]`: which pages to select before anything is fetched, and how to build documents from them
/// afterwards.
#[derive(Debug, Clone, Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Interleaved {
    /// The rules that select candidate pages.
    pub select: filter::InterleavedConfig,
    /// KOSMOS-1's rules for images and texts.
    #[serde(default)]
    pub build: shard::interleaved::Config,
}

impl Config {
    /// Checks every section, and that they fit each other; the error names the section and key.
    pub fn validate(&self) -> Result<(), String> {
        let section = |name: &'static str| move |problem: String| format!("[{name}] {problem}");
        if !is_plain_name(&self.name) {
            return Err(format!("name {:?} must be letters, digits, - and _", self.name));
        }
        if let Some(problem) = self.base_dir.as_deref().and_then(place::elsewhere) {
            return Err(format!("base_dir {:?}: {problem}", self.base_dir.clone().unwrap_or_default()));
        }
        if let Some(web) = &self.sample_web {
            web.validate().map_err(section("sample_web"))?;
        }
        self.limits.validate().map_err(section("limits"))?;
        self.slurm.validate().map_err(section("slurm"))?;
        self.fetch.validate().map_err(section("fetch"))?;
        self.mirrors.validate().map_err(section("mirrors"))?;
        self.validate_sources()?;
        validate(&self.text, |c| c.validate()).map_err(section("text"))?;
        validate(&self.pairs, |c| c.validate()).map_err(section("pairs"))?;
        validate(&self.interleaved, |c| c.select.validate()).map_err(section("interleaved.select"))?;
        validate(&self.interleaved, |c| c.build.validate()).map_err(section("interleaved.build"))?;
        validate(&self.images, |c| c.validate()).map_err(section("images"))?;
        validate(&self.image_duplicates, |c| c.validate()).map_err(section("image_duplicates"))?;
        validate(&self.features, |c| c.validate()).map_err(section("features"))?;
        validate(&self.tokenizer, |c| c.validate()).map_err(section("tokenizer"))?;
        validate(&self.pack, |c| c.validate(&self.model)).map_err(section("pack"))?;
        self.model.validate().map_err(|problem| problem.to_string())?;
        validate(&self.train, |c| c.validate().map_err(|e| e.to_string()))?;
        validate(&self.evaluate, |c| c.validate().map_err(|e| e.to_string()))?;
        fit::validate(self)
    }

    fn validate_sources(&self) -> Result<(), String> {
        let mut codes = BTreeMap::new();
        for (name, source) in &self.sources {
            if !is_plain_name(name) {
                return Err(format!("[sources.{name}] a name must be letters, digits, - and _"));
            }
            if is_reserved(name) {
                return Err(format!(
                    "[sources.{name}] {name:?} is the name of a stage: call the source otherwise"
                ));
            }
            source.validate().map_err(|problem| format!("[sources.{name}] {problem}"))?;
            if [PLANTED_SOURCE, EVALUATION_SOURCE].contains(&source.code) {
                return Err(format!(
                    "[sources.{name}] code {} is kept for records of our own",
                    source.code.0
                ));
            }
            if let Some(other) = codes.insert(source.code, name) {
                return Err(format!("[sources.{name}] code {} is that of {other} too", source.code.0));
            }
        }
        Ok(())
    }
}

fn validate<T>(section: &Option<T>, check: impl Fn(&T) -> Result<(), String>) -> Result<(), String> {
    section.as_ref().map_or(Ok(()), check)
}

/// Names become folders and stage names: nothing that a path or a shell could misread.
fn is_plain_name(name: &str) -> bool {
    let plain = |c: char| c.is_ascii_alphanumeric() || c == '-' || c == '_';
    (1..=64).contains(&name.len()) && name.chars().all(plain)
}
