//! The data flow: which stages a configuration makes, in order.
//!
//! Each crate makes the stages of its sections from handles of what they read, and returns handles of what they
//! write: a stage whose input is not there cannot be asked for.

use corpus::handle::{Handle, Stages};
use corpus::record::{Document, Image, ImageDuplicate, Interleaved, Page, Pair};
use corpus::{Description, SourceCode, Stage};
use filter::SourcePriority;
use filter::flow::{Evaluation, Shared};
use filter::stage::image_hashes::EVALUATION_SOURCE;
use ingest::Download;
use ingest::flow::Sources;
use model::WeightsSource;
use shard::flow::{FeatureHandles, Packable, PackablePairs};
use shard::{TOWER, TOWER_WEIGHTS, TowerStart};
use train::PayloadFormat;
use train::flow::Training;

use crate::config::Config;
use crate::context::Context;
use crate::{Result, evaluation};

/// The stages of a run; a stage comes after all it reads.
pub struct Flow {
    /// In the order in which they run.
    pub stages: Stages,
}

/// What goes on from building the corpus to making shards of it.
#[derive(Default)]
struct Corpus {
    text: Option<Handle<Document>>,
    pairs: Option<Handle<Pair>>,
    pages: Option<Handle<Page>>,
    images: Vec<Handle<Image>>,
    duplicates: Option<Handle<ImageDuplicate>>,
    interleaved: Option<Handle<Interleaved>>,
}

impl Flow {
    /// Returns the stages that a configuration makes, with so many passes over images beyond its own.
    ///
    /// # Errors
    /// When a source's configuration is not valid.
    pub fn new(config: &Config, context: &Context, retry_passes: u32) -> Result<Self> {
        let mut flow = Self { stages: Vec::new() };
        // Evaluation sets that cannot be used are told before hours of work.
        let evaluation = flow.evaluation_sets(config, context);
        let sources = flow.add(ingest::flow::source_stages(&config.sources, context.client())?);
        let mut corpus = flow.filter(config, &sources, evaluation.as_ref());
        flow.images(config, context, retry_passes, &mut corpus);
        flow.shard_and_train(config, context, &corpus);
        Ok(flow)
    }

    /// Returns what the stages are, in order.
    ///
    /// # Errors
    /// When a file that the settings of one name cannot be read.
    pub fn descriptions(&self) -> Result<Vec<Description>> {
        Ok(self.stages.iter().map(|stage| Description::of(stage.as_ref())).collect::<corpus::Result<_>>()?)
    }

    /// Returns the names of the stages, in order.
    pub fn names(&self) -> Vec<String> {
        self.stages.iter().map(|stage| stage.name()).collect()
    }

    /// Returns a stage by its name.
    pub fn stage(&self, name: &str) -> Option<&dyn Stage> {
        self.stages.iter().find(|stage| stage.name() == name).map(AsRef::as_ref)
    }

    fn add<T>(&mut self, (stages, handles): (Stages, T)) -> T {
        self.stages.extend(stages);
        handles
    }

    fn evaluation_sets(&mut self, config: &Config, context: &Context) -> Option<Evaluation> {
        let decontaminate = config.text.as_ref()?.decontaminate.as_ref()?;
        let items = self.add(evaluation::sets(decontaminate, context.client()).stages());
        Some(self.add(filter::flow::evaluation_stages(decontaminate, items)))
    }

    /// Rows of sources to rows that go on.
    fn filter(
        &mut self,
        config: &Config,
        Sources { documents, pages, pairs }: &Sources,
        evaluation: Option<&Evaluation>,
    ) -> Corpus {
        let shared = Shared { seed: config.seed, priority: priority(config) };
        let mut corpus = Corpus::default();
        if let Some(text) = &config.text {
            let stages = filter::flow::text_stages(text, &shared, documents, pages, evaluation);
            corpus.text = Some(self.add(stages));
        }
        if let Some(section) = &config.pairs {
            corpus.pairs = Some(self.add(filter::flow::pair_stages(section, &shared, pairs)));
        }
        if let Some(interleaved) = &config.interleaved {
            corpus.pages = Some(self.add(filter::flow::page_stages(&interleaved.select, &shared, pages)));
        }
        corpus
    }

    /// URLs of pairs and pages to images, and interleaved documents.
    fn images(&mut self, config: &Config, context: &Context, retry_passes: u32, corpus: &mut Corpus) {
        let Some(images) = &config.images else { return };
        let (net, passes) = ((context.client(), &config.fetch), images.passes + retry_passes);
        let (pairs, pages) = (corpus.pairs.as_ref(), corpus.pages.as_ref());
        corpus.images = self.add(images::flow::image_stages(images, net, passes, pairs, pages));
        if let Some(duplicates) = &config.image_duplicates {
            let mut looked_at = corpus.images.clone();
            let sets = &duplicates.evaluation;
            if !sets.is_empty() {
                let stages = images::flow::evaluation_stages(images, sets, EVALUATION_SOURCE);
                looked_at.push(self.add(stages));
            }
            let stages = filter::flow::image_duplicate_stages(duplicates, &looked_at);
            corpus.duplicates = Some(self.add(stages));
        }
        if let Some((interleaved, pages)) = config.interleaved.as_ref().zip(corpus.pages.as_ref()) {
            let (build, seed) = (&interleaved.build, config.seed);
            let stages = shard::flow::interleaved_stages(build, seed, pages, &corpus.images);
            corpus.interleaved = Some(self.add(stages));
        }
    }

    /// Rows to sequences, and sequences to weights.
    fn shard_and_train(&mut self, config: &Config, context: &Context, corpus: &Corpus) {
        let of_pairs = corpus.pairs.as_ref().map(|_| corpus.images.as_slice()).filter(|i| !i.is_empty());
        let mut features = FeatureHandles::default();
        // Features and training start with the same weights.
        let start = config.model.tower.weights.as_ref().map(TowerStart::of);
        let needs_tower = config.features.is_some() || config.train.is_some();
        if let (true, Some(WeightsSource::Download { url, sha256 })) =
            (needs_tower, &config.model.tower.weights)
        {
            let download = Download::new(TOWER, url, sha256.as_deref(), TOWER_WEIGHTS, context.client());
            self.add((vec![Box::new(download)], ()));
        }
        if let Some((section, start)) = config.features.as_ref().zip(start.as_ref()) {
            let (tower, documents) = ((&config.model.tower, start), corpus.interleaved.as_ref());
            features = self.add(shard::flow::feature_stages(section, tower, of_pairs, documents));
        }
        let Some(tokenizer) = &config.tokenizer else { return };
        let (text, pairs) = (corpus.text.as_ref(), corpus.pairs.as_ref());
        let rows = config.train.as_ref().map(|_| config.model.decoder.vocabulary_size);
        let tokenizer = self.add(shard::flow::tokenizer_stages(tokenizer, text, pairs, rows));
        let Some(pack) = &config.pack else { return };
        let images_max = config.interleaved.as_ref().map(|interleaved| interleaved.build.images_max);
        let packable = Packable {
            text,
            pairs: of_pairs.map(|images| PackablePairs { images, duplicates: corpus.duplicates.as_ref() }),
            interleaved: corpus.interleaved.as_ref().zip(images_max),
        };
        let sizes = (pack, &config.model);
        let packed = shard::flow::packing_stages(packable, sizes, config.seed, &tokenizer, &features);
        let packed = self.add(packed);
        let Some((train, tower)) = config.train.as_ref().zip(start) else { return };
        let training = Training {
            config: train,
            model: &config.model,
            payload: config
                .features
                .as_ref()
                .map_or(PayloadFormat::Encoded, |f| PayloadFormat::Features(f.tap)),
            tower,
        };
        let evaluate = config.evaluate.as_ref();
        self.add(train::flow::training_stages(training, evaluate, &tokenizer, &packed));
    }
}

/// Of two equal records the one of the source with the smaller number is kept.
fn priority(config: &Config) -> SourcePriority {
    let mut codes: Vec<SourceCode> = config.sources.values().map(|source| source.code).collect();
    codes.sort();
    SourcePriority(codes)
}
