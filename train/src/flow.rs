//! The stages of training and evaluation.

use std::collections::BTreeMap;

use corpus::handle::{Handle, Stages};
use corpus::record::Generated;
use shard::TowerStart;
use shard::flow::{Model, Packed};

use crate::{Config, Evaluate, EvaluateConfig, Kind, PayloadFormat, Train};

/// The stage that trains, whose checkpoints are in folders named by its fingerprint.
pub const TRAIN: &str = "train";
const EVALUATE: &str = "evaluate";

/// What a network is trained on and how.
#[derive(Debug)]
pub struct Training<'c> {
    /// The options.
    pub config: &'c Config,
    /// The network.
    pub model: &'c model::Config,
    /// What the shards hold for each image.
    pub payload: PayloadFormat,
    /// The vision tower at the start.
    pub tower: TowerStart,
}

/// Returns the stages that train a network, and evaluate it if that is asked for.
pub fn training_stages(
    training: Training<'_>,
    evaluate: Option<&EvaluateConfig>,
    tokenizer: &Handle<Model>,
    packed: &Packed,
) -> (Stages, Option<Handle<Generated>>) {
    let Training { config, model, payload, tower } = training;
    let packed = packed.iter().map(|(kind, handle)| (*kind, handle.stage().to_owned()));
    let packed: BTreeMap<Kind, String> = packed.collect();
    let tokenizer = tokenizer.stage().to_owned();
    let mut stages: Stages = vec![Box::new(Train {
        name: TRAIN.into(),
        tokenizer: tokenizer.clone(),
        packed: packed.clone(),
        config: config.clone(),
        model: model.clone(),
        payload,
        tower,
    })];
    let Some(evaluate) = evaluate else {
        return (stages, None);
    };
    stages.push(Box::new(Evaluate {
        name: EVALUATE.into(),
        train: TRAIN.into(),
        tokenizer,
        packed,
        config: evaluate.clone(),
        model: model.clone(),
        settings: config.model_settings(),
        micro_batch: config.pass(),
        payload,
        reset_attention: config.reset_attention,
    }));
    (stages, Some(Handle::new(EVALUATE)))
}
