//! The data flow: which stages a configuration makes, in order, and what they run with.

use std::collections::BTreeMap;
use std::sync::Arc;

use corpus::record::{Document, Page, Pair};
use corpus::{Inputs, SourceCode, Stage};
use filter::config::{DecontaminateConfig, RepeatsConfig};
use filter::decontaminate::SharedIndex;
use filter::passages::has_anchors;
use filter::stage::looks::{EVALUATION_SOURCE, LookClusters, LookLinks};
use filter::stage::near::{Clusters, Keys, Links, Verified};
use filter::stage::repeats::{Cut, Of, Passages, Repeats};
use filter::{
    ContentKeys, Counts, Decontaminated, Deduplicated, Exact, ExactConfig, LooksConfig, Matches, NearConfig,
    Ngrams, Representatives, Rules, SourcePriority, SplitAssignment, Subject,
};
use images::{Evaluation, List, Pass, Uses};
use ingest::crawl::CrawlKind;
use ingest::{Client, Format};
use shard::features::{Compute, Source};
use shard::interleaved::Build;
use shard::pack::{PackInterleaved, PackPairs, PackText};
use shard::tokenizer::Tokenize;
use train::{Evaluate, Kind, PayloadFormat, TowerStart, Train};

use crate::config::Config;
use crate::evaluation;
use crate::names;
use crate::network;
use crate::sample_web::SampleWeb;

/// The stage that collects the n-grams of evaluation sets.
const NGRAMS: &str = "text.ngrams";

/// What stages talk to: the outside world, or the sample web in its place.
pub(crate) struct RunContext {
    client: Arc<Client>,
    sample_web: Option<SampleWeb>,
}

impl RunContext {
    /// Makes the HTTP client, and starts the sample web if the configuration has one.
    pub(crate) fn start(config: &Config) -> anyhow::Result<Self> {
        let sample_web = config.sample_web.as_ref().map(SampleWeb::start).transpose()?;
        let mut mirrors = config.mirrors.clone();
        mirrors.0.extend(sample_web.iter().flat_map(SampleWeb::mirrors));
        let client = network::client(&config.fetch, mirrors)?;
        Ok(Self { client: Arc::new(client), sample_web })
    }

    /// Makes a context in which stages can be listed but nothing is fetched.
    pub(crate) fn offline(config: &Config) -> anyhow::Result<Self> {
        let client = Client::new(&config.fetch, config.mirrors.clone())?;
        Ok(Self { client: Arc::new(client), sample_web: None })
    }

    /// Returns what fetches.
    pub(crate) fn client(&self) -> &Arc<Client> {
        &self.client
    }

    /// Compares what was removed with what the sample web planted, and prints both; returns
    /// false if and only if they differ.
    pub(crate) fn compare(&self, sealed: &Inputs, last_pass: Option<&str>) -> std::io::Result<bool> {
        self.sample_web.as_ref().map_or(Ok(true), |web| web.compare(sealed, last_pass))
    }
}

/// The stages of a run; a stage comes after all it reads.
pub(crate) struct Flow {
    pub(crate) stages: Vec<Box<dyn Stage>>,
}

/// Names of stages that others read.
#[derive(Default)]
struct Names {
    documents: Vec<String>,
    pages: Vec<String>,
    pairs: Vec<String>,
    passes: Vec<String>,
    duplicate_images: Option<String>,
    packed: BTreeMap<Kind, String>,
}

impl Flow {
    /// Returns the stages that a configuration makes, with so many passes over images beyond its own.
    pub(crate) fn new(config: &Config, context: &RunContext, retry_passes: u32) -> anyhow::Result<Self> {
        let (mut flow, mut names) = (Self { stages: Vec::new() }, Names::default());
        // Sets that cannot be used are told before hours of work.
        flow.add_evaluation_sets(config, &context.client);
        flow.add_sources(config, &context.client, &mut names)?;
        flow.add_text(config, &names)?;
        flow.add_pairs(config, &names)?;
        flow.add_images(config, &context.client, retry_passes, &mut names)?;
        flow.add_packing(config, &mut names)?;
        flow.add_training(config, &names)?;
        Ok(flow)
    }

    fn add(&mut self, stage: impl Stage + 'static) {
        self.stages.push(Box::new(stage));
    }

    /// Adds the stages that read evaluation sets, and collect their n-grams.
    fn add_evaluation_sets(&mut self, config: &Config, client: &Arc<Client>) {
        let decontaminate = config.text.as_ref().and_then(|text| text.decontaminate.as_ref());
        if let Some(decontaminate) = decontaminate {
            self.stages.extend(evaluation::sets(decontaminate, client).stages());
            let (name, items) = (NGRAMS.to_owned(), names::EVALUATION_SETS.to_owned());
            self.add(Ngrams { name, items, config: decontaminate.clone() });
        }
    }

    fn add_sources(
        &mut self,
        config: &Config,
        client: &Arc<Client>,
        names: &mut Names,
    ) -> anyhow::Result<()> {
        let mut sources: Vec<_> = config.sources.iter().collect();
        sources.sort_by_key(|(_, source)| source.code);
        for (name, source) in sources {
            self.stages.extend(ingest::stages(name, source, client)?);
            match &source.format {
                Format::Crawl(crawl) if crawl.kind == CrawlKind::Wet => names.documents.push(name.clone()),
                Format::Crawl(_) | Format::Html(_) => names.pages.push(name.clone()),
                Format::Pairs(_) => names.pairs.push(name.clone()),
                Format::Pile(_) | Format::Rows(_) | Format::Text(_) => {
                    names.documents.push(name.clone());
                }
            }
        }
        Ok(())
    }

    fn add_text(&mut self, config: &Config, names: &Names) -> anyhow::Result<()> {
        let Some(text) = &config.text else {
            return Ok(());
        };
        let inputs = [names.documents.as_slice(), names.pages.as_slice()].concat();
        // Pages are read as documents once.
        let in_place = text.rules.is_empty() && names.pages.is_empty();
        let (rules, normalise) = (text.rules.clone(), text.exact.normalise);
        let documents = self.add_rules::<Document>("text.rules", inputs, rules, normalise, in_place)?;
        self.add_exact(config, "text", &text.exact);
        let split = SplitAssignment { seed: config.seed, validation_share: text.validation_share };
        let near = text.near.as_ref().map(|near| self.add_near(config, near, &documents));
        // What takes text out of documents comes one after the other; the last of them is `text`.
        let mut steps = vec!["text.deduplicated".to_owned()];
        steps.extend(text.repeats.iter().map(|repeats| format!("text.{}", repeats.unit.name())));
        steps.extend(text.decontaminate.iter().map(|_| "text.decontaminated".to_owned()));
        let last = steps.len() - 1;
        steps[last] = "text".to_owned();
        let split_at = |step: usize| (step == last).then_some(split);
        let names = "text.representatives";
        let found_near = near.zip(text.near.as_ref());
        let representatives =
            Representatives::<Document>::new(names, documents.clone(), &["text.exact"], text.exact.memory_mb);
        self.add(representatives.with_near(found_near));
        let deduplicated = Deduplicated::<Document>::new(&steps[0], documents, "text.exact", split_at(0));
        self.add(deduplicated.with_near(near).with_names(names, text.near.as_ref()));
        for (step, repeats) in (1..).zip(&text.repeats) {
            self.add_repeats(repeats, &steps[step - 1], &steps[step], split_at(step));
        }
        if let Some(decontaminate) = &text.decontaminate {
            self.add_decontamination(decontaminate, &steps[last - 1], split);
        }
        Ok(())
    }

    /// Adds the stage that judges records; returns the stages in whose parts those are that go on: its own, or
    /// where all go on as they are, the ones that they came from.
    fn add_rules<S: Subject>(
        &mut self,
        name: &str,
        inputs: Vec<String>,
        rules: Vec<S::Rule>,
        normalise: bool,
        in_place: bool,
    ) -> anyhow::Result<Vec<String>>
    where
        S::Rule: 'static,
    {
        let stage = Rules::<S>::new(name, inputs.clone(), rules, normalise)?;
        if in_place {
            self.add(stage.keys_only());
            return Ok(inputs);
        }
        self.add(stage);
        Ok(vec![name.to_owned()])
    }

    /// Adds the stages that find records of equal content.
    fn add_exact(&mut self, config: &Config, of: &str, exact: &ExactConfig) {
        let ExactConfig { partitions, memory_mb, .. } = *exact;
        let keys = format!("{of}.exact.keys");
        let (name, rules, source_priority) = (keys.clone(), format!("{of}.rules"), priority(config));
        self.add(ContentKeys { name, rules, memory_mb, source_priority });
        self.add(Exact { name: format!("{of}.exact"), keys, partitions, memory_mb });
    }

    /// Adds the stages that cut passages of documents which were before; `name` is the last one's.
    fn add_repeats(
        &mut self,
        config: &RepeatsConfig,
        documents: &str,
        name: &str,
        split: Option<SplitAssignment>,
    ) {
        let unit = config.unit.name();
        let (documents, named) = (documents.to_owned(), |step: &str| format!("text.{unit}.{step}"));
        let mut find = |of, keys: String, found: String, anchors: Option<String>| {
            let (documents, config) = (documents.clone(), config.clone());
            self.add(Passages { name: keys.clone(), documents, of, anchors, config: config.clone() });
            self.add(Repeats { name: found.clone(), keys, of, config });
            found
        };
        let anchors = has_anchors(config).then(|| find(Of::Anchors, named("anchors"), named("shared"), None));
        let found = find(Of::Passages, named("keys"), named("found"), anchors);
        let (names, records) = (named("representatives"), vec![documents.clone()]);
        self.add(Representatives::<Document>::new(&names, records, &[found.as_str()], config.memory_mb));
        self.add(Cut {
            name: name.to_owned(),
            documents,
            repeats: found,
            names: Some(names),
            config: config.clone(),
            split,
        });
    }

    /// Adds the stages that take out of documents what they share with evaluation sets: `text` at last.
    fn add_decontamination(&mut self, config: &DecontaminateConfig, documents: &str, split: SplitAssignment) {
        let index = Arc::new(SharedIndex::new(config.clone(), NGRAMS));
        let documents = || documents.to_owned();
        self.add(Matches { name: "text.matches".into(), documents: documents(), index: Arc::clone(&index) });
        self.add(Counts {
            name: "text.contamination".into(),
            matches: "text.matches".into(),
            items: names::EVALUATION_SETS.into(),
            index: Arc::clone(&index),
        });
        self.add(Decontaminated {
            name: "text".into(),
            documents: documents(),
            contamination: "text.contamination".into(),
            index,
            split,
        });
    }

    /// Adds the stages that find near-duplicates; returns the last one's name.
    fn add_near(&mut self, config: &Config, near: &NearConfig, documents: &[String]) -> &'static str {
        self.add(Keys {
            name: "text.near.keys".into(),
            documents: documents.to_vec(),
            exact: "text.exact".into(),
            config: near.clone(),
            seed: config.seed,
        });
        self.add(Links {
            name: "text.near.links".into(),
            keys: "text.near.keys".into(),
            config: near.clone(),
        });
        let mut links = "text.near.links";
        if let Some(jaccard_min) = near.jaccard_min {
            self.add(Verified {
                name: "text.near.verified".into(),
                documents: documents.to_vec(),
                links: links.into(),
                config: near.clone(),
                jaccard_min,
            });
            links = "text.near.verified";
        }
        self.add(Clusters {
            name: "text.near".into(),
            rules: "text.rules".into(),
            keys: "text.near.keys".into(),
            links: links.into(),
            found: "text.near.links".into(),
            config: near.clone(),
            source_priority: priority(config),
        });
        "text.near"
    }

    fn add_pairs(&mut self, config: &Config, names: &Names) -> anyhow::Result<()> {
        let Some(pairs) = &config.pairs else {
            return Ok(());
        };
        let (inputs, rules, in_place) = (names.pairs.clone(), pairs.rules.clone(), pairs.rules.is_empty());
        let records =
            self.add_rules::<Pair>("pairs.rules", inputs, rules, pairs.exact.normalise, in_place)?;
        self.add_exact(config, "pairs", &pairs.exact);
        let (names, memory_mb) = ("pairs.representatives", pairs.exact.memory_mb);
        self.add(Representatives::<Pair>::new(names, records.clone(), &["pairs.exact"], memory_mb));
        self.add(Deduplicated::<Pair>::new("pairs", records, "pairs.exact", None).with_names(names, None));
        Ok(())
    }

    fn add_images(
        &mut self,
        config: &Config,
        client: &Arc<Client>,
        retry_passes: u32,
        names: &mut Names,
    ) -> anyhow::Result<()> {
        if let Some(interleaved) = &config.interleaved {
            let (pages, rules) = (names.pages.clone(), interleaved.select.rules.clone());
            self.add(Rules::<Page>::new("interleaved.select", pages, rules, false)?);
        }
        let Some(images) = &config.images else {
            return Ok(());
        };
        self.add(Uses {
            name: "images.list.uses".into(),
            pairs: config.pairs.iter().map(|_| "pairs".to_owned()).collect(),
            pages: config.interleaved.iter().map(|_| "interleaved.select".to_owned()).collect(),
            memory_mb: images.list_memory_mb,
        });
        self.add(List {
            name: "images.list".into(),
            uses: "images.list.uses".into(),
            config: images.clone(),
        });
        let mut input = "images.list".to_owned();
        for index in 0..images.passes + retry_passes {
            let name = names::pass(index);
            self.add(Pass {
                name: name.clone(),
                input,
                index,
                config: images.clone(),
                client: client.clone(),
                fetch: config.fetch.clone(),
            });
            names.passes.push(name.clone());
            input = name;
        }
        if let Some(duplicates) = &config.image_duplicates {
            self.add_image_duplicates(images, duplicates, names)?;
        }
        if let Some(interleaved) = &config.interleaved {
            self.add(Build {
                name: "interleaved".into(),
                pages: "interleaved.select".into(),
                images: names.passes.clone(),
                config: interleaved.build.clone(),
                seed: config.seed,
            });
        }
        self.add_features(config, names)
    }

    /// Adds the stages that find duplicates among the images of pairs.
    fn add_image_duplicates(
        &mut self,
        images: &images::Config,
        config: &LooksConfig,
        names: &mut Names,
    ) -> anyhow::Result<()> {
        let mut looked_at = names.passes.clone();
        if !config.evaluation.is_empty() {
            let name = "images.evaluation";
            looked_at.push(name.to_owned());
            self.add(Evaluation::new(name, &config.evaluation, images, EVALUATION_SOURCE)?);
        }
        let (name, links) = ("images.duplicates".to_owned(), "images.duplicates.links".to_owned());
        self.add(LookLinks { name: links.clone(), images: looked_at.clone(), config: config.clone() });
        names.duplicate_images = Some(name.clone());
        self.add(LookClusters { name, images: looked_at, links, config: config.clone() });
        Ok(())
    }

    fn add_features(&mut self, config: &Config, names: &Names) -> anyhow::Result<()> {
        let Some(features) = &config.features else {
            return Ok(());
        };
        let tower = &config.model.tower;
        if config.pairs.is_some() {
            let source = Source::Pairs(names.passes.clone());
            self.add(Compute::new("features.pairs", source, features.clone(), tower.clone())?);
        }
        if config.interleaved.is_some() {
            let source = Source::Interleaved("interleaved".into());
            self.add(Compute::new("features.interleaved", source, features.clone(), tower.clone())?);
        }
        Ok(())
    }

    fn add_packing(&mut self, config: &Config, names: &mut Names) -> anyhow::Result<()> {
        let Some(tokenizer) = &config.tokenizer else {
            return Ok(());
        };
        let texts = config.text.iter().map(|_| "text".to_owned()).collect();
        let captions = config.pairs.iter().map(|_| "pairs".to_owned()).collect();
        self.add(Tokenize::new("tokenizer", tokenizer, texts, captions)?);
        let Some(pack) = &config.pack else {
            return Ok(());
        };
        let features = |kind: &str| config.features.as_ref().map(|_| format!("features.{kind}"));
        if config.text.is_some() {
            self.add(PackText {
                name: "pack.text".into(),
                tokenizer: "tokenizer".into(),
                documents: "text".into(),
                config: pack.text(config),
                seed: config.seed,
            });
            names.packed.insert(Kind::Text, "pack.text".into());
        }
        if config.pairs.is_some() && config.images.is_some() {
            self.add(PackPairs {
                name: "pack.pairs".into(),
                tokenizer: "tokenizer".into(),
                images: names.passes.clone(),
                duplicates: names.duplicate_images.clone(),
                features: features("pairs"),
                config: pack.pairs(config),
                seed: config.seed,
            });
            names.packed.insert(Kind::Pairs, "pack.pairs".into());
        }
        if config.interleaved.is_some() {
            self.add(PackInterleaved {
                name: "pack.interleaved".into(),
                tokenizer: "tokenizer".into(),
                documents: "interleaved".into(),
                features: features("interleaved"),
                config: pack.interleaved(config),
            });
            names.packed.insert(Kind::Interleaved, "pack.interleaved".into());
        }
        Ok(())
    }

    fn add_training(&mut self, config: &Config, names: &Names) -> anyhow::Result<()> {
        let Some(train) = &config.train else {
            return Ok(());
        };
        let payload =
            config.features.as_ref().map_or(PayloadFormat::Encoded, |f| PayloadFormat::Features(f.tap));
        let codes = config.sources.iter().map(|(name, source)| (name.clone(), source.code));
        self.add(Train {
            name: "train".into(),
            tokenizer: "tokenizer".into(),
            packed: names.packed.clone(),
            config: train.clone(),
            model: config.model.clone(),
            payload,
            tower: tower_start(config)?,
            source_codes: codes.collect(),
        });
        if let Some(evaluate) = &config.evaluate {
            self.add(Evaluate {
                name: "evaluate".into(),
                train: "train".into(),
                tokenizer: "tokenizer".into(),
                packed: names.packed.clone(),
                config: evaluate.clone(),
                model: config.model.clone(),
                settings: train.model_settings(),
                micro_batch: train.micro_batch_rows(),
                payload,
            });
        }
        Ok(())
    }
}

/// Of two equal records the one of the source with the smaller number is kept.
fn priority(config: &Config) -> SourcePriority {
    let mut codes: Vec<SourceCode> = config.sources.values().map(|source| source.code).collect();
    codes.sort();
    SourcePriority(codes)
}

/// The trainer's tower starts with the weights by which its features were computed.
fn tower_start(config: &Config) -> anyhow::Result<TowerStart> {
    Ok(match &config.features {
        Some(features) => TowerStart::of(&features.weights)?,
        None => TowerStart::Random { seed: config.seed },
    })
}
