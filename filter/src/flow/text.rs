//! Text: rules, exact and near-duplicates, repeated passages, evaluation sets, the split.

use std::sync::Arc;

use corpus::handle::{Handle, Stages, names};
use corpus::record::{Document, EvaluationItem, EvaluationNgram, Page};

use super::{Shared, add_exact, add_rules};
use crate::config::{DecontaminateConfig, NearConfig, RepeatsConfig, TextConfig};
use crate::decontaminate::SharedIndex;
use crate::passages::has_anchors;
use crate::stage::near::{Clusters, Keys, Links, Verified};
use crate::stage::repeats::{Cut, KeyRole, Passages, Repeats};
use crate::stage::{Counts, Decontaminated, Deduplicated, Matches, Ngrams, Representatives, SplitAssignment};

const TEXT: &str = "text";
const RULES: &str = "text.rules";
const EXACT: &str = "text.exact";
const REPRESENTATIVES: &str = "text.representatives";
const DEDUPLICATED: &str = "text.deduplicated";
const NEAR: &str = "text.near";
const NEAR_KEYS: &str = "text.near.keys";
const NEAR_LINKS: &str = "text.near.links";
const NEAR_VERIFIED: &str = "text.near.verified";
const NGRAMS: &str = "text.ngrams";
const MATCHES: &str = "text.matches";
const CONTAMINATION: &str = "text.contamination";
const DECONTAMINATED: &str = "text.decontaminated";

/// What texts must not contain: the items of evaluation sets, and their n-grams.
#[derive(Debug, Clone)]
pub struct Evaluation {
    items: Handle<EvaluationItem>,
    ngrams: Handle<EvaluationNgram>,
}

/// Returns the stages that make n-grams of the items of evaluation sets. They can run before anything else, so that
/// sets which cannot be used are told before hours of work.
pub fn evaluation_stages(
    config: &DecontaminateConfig,
    items: Handle<EvaluationItem>,
) -> (Stages, Evaluation) {
    let ngrams = Ngrams { name: NGRAMS.into(), items: items.stage().to_owned(), config: config.clone() };
    (vec![Box::new(ngrams)], Evaluation { items, ngrams: Handle::new(NGRAMS) })
}

/// Returns the stages from documents, and the texts of pages, to the documents that go on. Decontamination is there
/// if and only if there are evaluation sets to read.
pub fn text_stages(
    config: &TextConfig,
    shared: &Shared,
    documents: &[Handle<Document>],
    pages: &[Handle<Page>],
    evaluation: Option<&Evaluation>,
) -> (Stages, Handle<Document>) {
    let mut flow = TextFlow { config, shared, stages: Vec::new() };
    let (inputs, rules) =
        ([names(documents), names(pages)].concat(), (&config.rules[..], config.exact.normalise));
    // Pages are read as documents once.
    let in_place = config.rules.is_empty() && pages.is_empty();
    let documents = add_rules::<Document>(&mut flow.stages, RULES, inputs, rules, in_place);
    add_exact(&mut flow.stages, TEXT, &config.exact, shared);
    let near = config.near.as_ref().map(|near| flow.add_near(near, &documents));
    // What takes text out of documents comes one after the other; the last step is `text`.
    let decontaminate = config.decontaminate.as_ref().zip(evaluation);
    let mut steps = vec![DEDUPLICATED.to_owned()];
    steps.extend(config.repeats.iter().map(|repeats| format!("text.{}", repeats.unit.name())));
    steps.extend(decontaminate.iter().map(|_| DECONTAMINATED.to_owned()));
    let last = steps.len() - 1;
    TEXT.clone_into(&mut steps[last]);
    let split_at = |step: usize| (step == last).then(|| split(config, shared));
    flow.add_deduplicated(&steps[0], documents, near, split_at(0));
    for (step, repeats) in (1..).zip(&config.repeats) {
        flow.add_repeats(repeats, &steps[step - 1], &steps[step], split_at(step));
    }
    if let Some((decontaminate, evaluation)) = decontaminate {
        flow.add_decontamination(decontaminate, &steps[last - 1], evaluation);
    }
    (flow.stages, Handle::new(TEXT))
}

fn split(config: &TextConfig, shared: &Shared) -> SplitAssignment {
    SplitAssignment { seed: shared.seed, validation_share: config.validation_share }
}

struct TextFlow<'c> {
    config: &'c TextConfig,
    shared: &'c Shared,
    stages: Stages,
}

impl TextFlow<'_> {
    fn add(&mut self, stage: impl corpus::Stage + 'static) {
        self.stages.push(Box::new(stage));
    }

    /// Adds the stages that find near-duplicates; returns the last one's name.
    fn add_near(&mut self, near: &NearConfig, documents: &[String]) -> &'static str {
        self.add(Keys {
            name: NEAR_KEYS.into(),
            documents: documents.to_vec(),
            exact: EXACT.into(),
            config: near.clone(),
            seed: self.shared.seed,
        });
        self.add(Links { name: NEAR_LINKS.into(), keys: NEAR_KEYS.into(), config: near.clone() });
        let mut links = NEAR_LINKS;
        if let Some(jaccard_min) = near.jaccard_min {
            self.add(Verified {
                name: NEAR_VERIFIED.into(),
                documents: documents.to_vec(),
                links: links.into(),
                config: near.clone(),
                jaccard_min,
            });
            links = NEAR_VERIFIED;
        }
        self.add(Clusters {
            name: NEAR.into(),
            rules: RULES.into(),
            keys: NEAR_KEYS.into(),
            links: links.into(),
            found: NEAR_LINKS.into(),
            config: near.clone(),
            source_priority: self.shared.priority.clone(),
        });
        NEAR
    }

    /// Adds the stages that drop duplicates, and name the document that stands for each.
    fn add_deduplicated(
        &mut self,
        name: &str,
        documents: Vec<String>,
        near: Option<&'static str>,
        split: Option<SplitAssignment>,
    ) {
        let (settings, memory_mb) = (self.config.near.as_ref(), self.config.exact.memory_mb);
        let representatives =
            Representatives::<Document>::new(REPRESENTATIVES, documents.clone(), &[EXACT], memory_mb);
        self.add(representatives.with_near(near.zip(settings)));
        let deduplicated = Deduplicated::<Document>::new(name, documents, EXACT, split);
        self.add(deduplicated.with_near(near).with_names(REPRESENTATIVES, settings));
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
        let anchors =
            has_anchors(config).then(|| find(KeyRole::Anchors, named("anchors"), named("shared"), None));
        let found = find(KeyRole::Passages, named("keys"), named("found"), anchors);
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
    fn add_decontamination(
        &mut self,
        config: &DecontaminateConfig,
        documents: &str,
        evaluation: &Evaluation,
    ) {
        let index = Arc::new(SharedIndex::new(config.clone(), evaluation.ngrams.stage()));
        let (documents, items) = (|| documents.to_owned(), evaluation.items.stage().to_owned());
        self.add(Matches { name: MATCHES.into(), documents: documents(), index: Arc::clone(&index) });
        self.add(Counts {
            name: CONTAMINATION.into(),
            matches: MATCHES.into(),
            items,
            index: Arc::clone(&index),
        });
        self.add(Decontaminated {
            name: TEXT.into(),
            documents: documents(),
            contamination: CONTAMINATION.into(),
            index,
            split: split(self.config, self.shared),
        });
    }
}
