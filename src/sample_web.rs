//! The sample web in this process: sources for a run without a network, with known truth.

use std::collections::BTreeMap;
use std::sync::Arc;

use corpus::{Counts, Inputs};
use web::{Server, World};

use crate::names::PASSES;
use crate::number::grouped;
use crate::print::say;
use crate::table::Table;

/// A made-up world and the server of it.
pub(crate) struct SampleWeb {
    world: Arc<World>,
    server: Server,
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
    pub(crate) fn start(config: &web::Config) -> anyhow::Result<Self> {
        let world = Arc::new(World::new(config));
        let server = Server::start(world.clone())?;
        Ok(Self { world, server })
    }

    /// Returns the public URL prefixes with those of the server.
    pub(crate) fn mirrors(&self) -> Vec<(String, String)> {
        self.server.mirrors()
    }

    /// Prints what was planted beside what was found; returns true if and only if they agree. Images are compared
    /// once the last pass over them is finished.
    pub(crate) fn compare(&self, sealed: &Inputs, last_pass: Option<&str>) -> std::io::Result<bool> {
        let mut table = Table::new(&["removed in", "reason", "planted", "found", ""]);
        let mut is_equal = true;
        for planted in self.planted(sealed, last_pass) {
            let Some(found) = found(sealed, &planted.stages, planted.unit) else {
                continue;
            };
            let stage = planted.stages.first().cloned().unwrap_or_default();
            for (planted, found) in [(&planted.dropped, &found.dropped), (&planted.failed, &found.failed)] {
                let reasons: std::collections::BTreeSet<&String> =
                    planted.keys().chain(found.keys()).collect();
                for reason in reasons {
                    let (planted, found) = (planted.get(reason).copied(), found.get(reason).copied());
                    let agrees = planted == found;
                    is_equal &= agrees;
                    let mark = if agrees { "" } else { "DIFFERENT" }.to_owned();
                    let number = |count: Option<u64>| grouped(count.unwrap_or(0));
                    table.push([stage.clone(), reason.clone(), number(planted), number(found), mark]);
                }
            }
        }
        say!("{table}")?;
        Ok(is_equal)
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
