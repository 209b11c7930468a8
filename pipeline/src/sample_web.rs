//! The sample web in this process: sources for a run without a network, with known truth.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use corpus::{Counts, Inputs};
use images::flow::PASSES;
use web::{Server, World};

use crate::{Error, Result};

/// A made-up world and the server of it.
pub struct SampleWeb {
    world: Arc<World>,
    server: Server,
}

/// Records that were planted to be removed for a reason, and those that were removed for it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Comparison {
    /// The stage, or the first of several that are taken together.
    pub stage: String,
    /// Why.
    pub reason: String,
    /// Planted records.
    pub planted: u64,
    /// Removed records.
    pub found: u64,
}

/// What was planted for one unit of one stage.
struct Planted {
    stages: Vec<String>,
    unit: &'static str,
    dropped: BTreeMap<String, u64>,
    failed: BTreeMap<String, u64>,
}

impl SampleWeb {
    /// Makes the world and serves it on a free port of the loopback interface.
    ///
    /// # Errors
    /// When there is no port.
    pub fn start(config: &web::Config) -> Result<Self> {
        let world = Arc::new(World::new(config));
        let server = Server::start(world.clone());
        let server = server.map_err(Error::because(|| "the sample web cannot be served".to_owned()))?;
        Ok(Self { world, server })
    }

    /// Returns the public URL prefixes with those of the server.
    pub fn mirrors(&self) -> Vec<(String, String)> {
        self.server.mirrors()
    }

    /// Compares what was planted with what was found. Images are compared once the last pass over them is finished.
    pub fn compare(&self, sealed: &Inputs, last_pass: Option<&str>) -> Vec<Comparison> {
        let mut comparisons = Vec::new();
        for planted in self.planted(sealed, last_pass) {
            let Some(found) = found(sealed, &planted.stages, planted.unit) else {
                continue;
            };
            let stage = planted.stages.first().cloned().unwrap_or_default();
            for (planted, found) in [(&planted.dropped, &found.dropped), (&planted.failed, &found.failed)] {
                let reasons: BTreeSet<&String> = planted.keys().chain(found.keys()).collect();
                comparisons.extend(reasons.into_iter().map(|reason| Comparison {
                    stage: stage.clone(),
                    reason: reason.clone(),
                    planted: planted.get(reason).copied().unwrap_or_default(),
                    found: found.get(reason).copied().unwrap_or_default(),
                }));
            }
        }
        comparisons
    }

    /// Returns the truth in the terms of the stages' reports.
    fn planted(&self, sealed: &Inputs, last_pass: Option<&str>) -> Vec<Planted> {
        let truth = self.world.truth();
        let of = |stage: &str, unit: &'static str, counts: &web::Counts| Planted {
            stages: vec![stage.to_owned()],
            unit,
            dropped: counts.dropped.clone(),
            failed: counts.failed.clone(),
        };
        let mut planted = vec![
            of("pile", "documents", &truth.pile),
            of("crawl", "records", &truth.crawl),
            of("text.rules", "documents", &truth.text_rules),
            of("text", "documents", &truth.text_exact),
            of("pairs.rules", "pairs", &truth.pairs_rules),
            of("pairs", "pairs", &truth.pairs_exact),
        ];
        planted.extend(truth.pairs_read.iter().map(|(source, counts)| of(source, "pairs", counts)));
        let mut images = of("images", "images", &truth.images);
        for (reason, count) in &truth.page_images.failed {
            *images.failed.entry(reason.clone()).or_default() += count;
        }
        images.stages = sealed.0.keys().filter(|name| name.starts_with(PASSES)).cloned().collect();
        // Before the last pass what fails for a while is not told from what fails for good.
        if last_pass.is_some_and(|pass| sealed.0.contains_key(pass)) {
            planted.push(images);
        }
        planted
    }
}

/// Adds up what stages removed; a retry is not a removal. `None` where none of them was run.
fn found(sealed: &Inputs, stages: &[String], unit: &str) -> Option<Counts> {
    let mut sum: Option<corpus::Report> = None;
    for dataset in stages.iter().filter_map(|stage| sealed.0.get(stage)) {
        *sum.get_or_insert_default() += &dataset.manifest().report;
    }
    let mut counts = sum?.units.remove(unit)?;
    counts.dropped.remove("retry");
    Some(counts)
}
