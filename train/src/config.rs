//! The `[train]` section: how long, how fast, on what, and where.
//!
//! "Paper" is arXiv 2302.14045, "unilm" the released Kosmos-2 code. What neither states says so.

use std::collections::BTreeMap;

use model::{Device, OptimizerConfig, Precision};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::schedule::Schedule;
use crate::{Amount, Amounts, Error, Kind, Result};

/// Most steps that a config may ask for: their rows stay in memory and in one committed range.
const STEPS_MAX: u64 = 4_000_000;
/// Most sequences of a kind in a batch that a config may ask for.
const ROWS_MAX: u32 = 1 << 20;
/// Most tokens of a kind in a batch that a config may ask for.
const TOKENS_MAX: u64 = 1 << 32;
/// Tokens of a forward pass, with their padding, where the settings do not say.
const PASS_TOKENS: u64 = 16_384;
/// Most bytes of a block that a config may ask for.
const BLOCK_BYTES_MAX: u64 = 1 << 32;
/// Most blocks of a window that a config may ask for.
const WINDOW_BLOCKS_MAX: u32 = 1 << 10;
/// Most micro-batches ahead that a config may ask for.
const MICRO_BATCHES_AHEAD_MAX: u32 = 1 << 10;
/// Keys that say where and how a run computes, not what: they are not part of its fingerprint.
/// Another device or thread count gives the same result within rounding.
const CIRCUMSTANCES: [&str; 6] =
    ["device", "thread_count", "log_steps", "checkpoint_steps", "checkpoints_kept", "micro_batches_ahead"];

/// Options of training.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Config {
    /// Optimiser steps (paper 3.2).
    pub steps: u64,
    /// Peak learning rate (paper 3.2).
    pub learning_rate: f64,
    /// Steps of linear warm-up. Afterwards the learning rate falls linearly to 0 at `steps` (paper 3.2).
    pub warmup_steps: u64,
    /// Sequences per optimiser step, or `{ tokens = NUMBER }`: sequences until they have so many tokens, without padding.
    /// 0 excludes a kind (paper table 18).
    pub batch: Amounts,
    /// Sequences per forward pass, or `{ tokens = NUMBER }`: as many as have so many tokens with their padding. Then those
    /// of a step are sorted by length before, so that little is padded. Limited by memory. Default: 16,384 tokens of each
    /// kind (not in the paper). Ignored for kinds that `batch` excludes.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub micro_batch: Option<Amounts>,
    /// Weights of the sets of text, by `documents.source`: shares of text tokens, which need not sum to 1. Every set
    /// needs one (0 leaves it out), and every positive weight a set. If empty, all sequences have equal weight. The
    /// weights of the paper are in its table 20.
    pub text_weights: BTreeMap<String, f64>,
    /// Whether each document of a text sequence attends only to itself, with positions from 0. By default, as in
    /// unilm's code, tokens see all documents before them in their sequence. Pairs never see each other.
    #[serde(skip_serializing_if = "is_false")]
    #[schemars(extend("default" = false))]
    pub reset_attention: bool,
    /// The optimiser.
    pub optimizer: OptimizerConfig,
    /// Precision of matrix products (not stated in the paper; Kosmos-2's `train.sh` uses float16).
    pub precision: Precision,
    /// The device to train on.
    pub device: Device,
    /// CPU threads per operation.
    pub thread_count: u32,
    /// Use only bit-reproducible algorithms.
    pub deterministic: bool,
    /// Seed of the initial weights, the order of sequences, and dropout.
    pub seed: u64,
    /// Steps between log lines.
    pub log_steps: u64,
    /// Steps between checkpoints.
    pub checkpoint_steps: u64,
    /// Number of newest checkpoints to keep, 1 or more.
    pub checkpoints_kept: u32,
    /// Steps between validations; 0 disables them.
    pub evaluate_steps: u64,
    /// Sequences of each kind per validation, held in memory.
    pub validation_rows: u32,
    /// Training stops after this many consecutive steps without a finite loss and gradient.
    pub nonfinite_steps_max: u32,
    /// Maximum number of bytes (as stored) to read from a part at once. The default is 16 MiB.
    pub block_bytes_max: u64,
    /// Number of blocks whose rows are shuffled together. With the default `block_bytes_max`, 4 blocks are 64
    /// MiB (as stored) for each set of text, for pairs and for interleaved documents.
    pub window_blocks: u32,
    /// Number of micro-batches to prepare ahead of the network.
    pub micro_batches_ahead: u32,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            steps: 300_000,
            learning_rate: 2e-4,
            warmup_steps: 375,
            batch: Amounts::by_kind(|kind| Amount::Sequences(kind.step_rows())),
            micro_batch: None,
            text_weights: BTreeMap::new(),
            reset_attention: false,
            optimizer: OptimizerConfig::default(),
            precision: Precision::F32,
            device: Device::Cpu,
            thread_count: 1,
            deterministic: true,
            seed: 1,
            log_steps: 10,
            checkpoint_steps: 500,
            checkpoints_kept: 2,
            evaluate_steps: 500,
            validation_rows: 256,
            nonfinite_steps_max: 10,
            block_bytes_max: 16 << 20,
            window_blocks: 4,
            micro_batches_ahead: 4,
        }
    }
}

impl Config {
    /// Checks every bound; the error names the key.
    ///
    /// # Errors
    /// [`Error::Config`].
    pub fn validate(&self) -> Result<()> {
        within("steps", self.steps, 1, STEPS_MAX)?;
        ensure("learning_rate", self.learning_rate.is_finite() && self.learning_rate > 0.0, || {
            format!("must be positive, is {}", self.learning_rate)
        })?;
        ensure("warmup_steps", self.warmup_steps < self.steps, || {
            format!("must be below steps ({}), is {}", self.steps, self.warmup_steps)
        })?;
        self.validate_rows()?;
        let weights = self.text_weights.values();
        ensure("text_weights", weights.clone().all(|w| w.is_finite() && *w >= 0.0), || {
            "must be finite and not negative".to_owned()
        })?;
        let useful = self.text_weights.is_empty() || weights.sum::<f64>() > 0.0;
        ensure("text_weights", useful, || "at least one must be positive".to_owned())?;
        within("log_steps", self.log_steps, 1, STEPS_MAX)?;
        within("checkpoint_steps", self.checkpoint_steps, 1, STEPS_MAX)?;
        within("checkpoints_kept", self.checkpoints_kept.into(), 1, STEPS_MAX)?;
        within("nonfinite_steps_max", self.nonfinite_steps_max.into(), 1, STEPS_MAX)?;
        within("block_bytes_max", self.block_bytes_max, 1, BLOCK_BYTES_MAX)?;
        within("window_blocks", self.window_blocks.into(), 1, WINDOW_BLOCKS_MAX.into())?;
        let ahead = u64::from(self.micro_batches_ahead);
        within("micro_batches_ahead", ahead, 1, MICRO_BATCHES_AHEAD_MAX.into())?;
        self.optimizer.validate().map_err(Error::of_section("train"))?;
        self.model_settings().validate().map_err(Error::of_section("train"))
    }

    fn validate_rows(&self) -> Result<()> {
        for &kind in Kind::ALL {
            let [batch_key, key] = kind.full_keys();
            let batch = self.batch.of(kind);
            within(batch_key, batch.count(), 0, amount_max(batch))?;
            let Some(pass) = self.micro_batch.map(|micro_batch| micro_batch.of(kind)) else { continue };
            within(key, pass.count(), u64::from(batch.count() > 0), amount_max(pass))?;
            if let (Amount::Sequences(rows), Amount::Sequences(batch)) = (pass, batch) {
                ensure(key, rows <= batch || batch == 0, || {
                    format!("must be at most train.{batch_key} ({batch}), is {rows}")
                })?;
            }
        }
        within("validation_rows", self.validation_rows.into(), 1, ROWS_MAX.into())?;
        ensure("batch", self.batch.kinds().next().is_some(), || {
            "at least one kind must be above 0".to_owned()
        })
    }

    /// Returns the learning rate by step.
    pub fn schedule(&self) -> Schedule {
        Schedule { peak: self.learning_rate, warmup_steps: self.warmup_steps, steps: self.steps }
    }

    /// Returns where and how the network computes.
    pub fn model_settings(&self) -> model::Settings {
        model::Settings {
            device: self.device,
            precision: self.precision,
            thread_count: self.thread_count,
            deterministic: self.deterministic,
            seed: self.seed,
        }
    }

    /// Returns how much of each kind is in one forward pass.
    pub fn pass(&self) -> Amounts {
        self.micro_batch.unwrap_or_else(|| Amounts::by_kind(|_| Amount::tokens(PASS_TOKENS)))
    }

    /// Returns the options that decide what is learnt, for the fingerprint.
    pub fn identity(&self) -> Value {
        let mut value = serde_json::to_value(self).unwrap_or_default();
        if let Value::Object(options) = &mut value {
            let rows = serde_json::to_value(self.pass()).unwrap_or_default();
            options.insert("micro_batch".to_owned(), rows);
            options.retain(|key, _| !CIRCUMSTANCES.contains(&key.as_str()));
        }
        value
    }
}

/// What is not set is not part of a fingerprint: runs of older versions stay as they are.
fn is_false(value: &bool) -> bool {
    !*value
}

fn ensure(key: &'static str, holds: bool, reason: impl FnOnce() -> String) -> Result<()> {
    if holds { Ok(()) } else { Err(Error::Config { section: "train", key, reason: reason() }) }
}

fn amount_max(amount: Amount) -> u64 {
    match amount {
        Amount::Sequences(_) => ROWS_MAX.into(),
        Amount::Tokens(_) => TOKENS_MAX,
    }
}

fn within(key: &'static str, value: u64, min: u64, max: u64) -> Result<()> {
    ensure(key, (min..=max).contains(&value), || format!("is {value}, must be from {min} to {max}"))
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn the_default_is_the_paper_s_batch_in_passes_of_so_many_tokens() {
        let config = Config::default();
        config.validate().unwrap();
        let rows = Kind::ALL.iter().map(|kind| config.batch.of(*kind).count());
        assert_eq!(rows.collect::<Vec<_>>(), [256, 6_144, 128]);
        assert!(Kind::ALL.iter().all(|kind| config.pass().of(*kind) == Amount::tokens(16_384)));
    }

    #[test]
    fn an_error_names_the_key() {
        let check = |change: fn(&mut Config), key: &str| {
            let mut config = Config::default();
            change(&mut config);
            let message = config.validate().unwrap_err().to_string();
            assert!(message.contains(key), "{message}");
        };
        check(|c| c.steps = 0, "train.steps is 0, must be from 1");
        check(|c| c.warmup_steps = c.steps, "warmup_steps");
        check(|c| c.learning_rate = f64::NAN, "learning_rate");
        let rows = |pairs| Some(Config::default().pass().with(Kind::Pairs, Amount::Sequences(pairs)));
        let micro_batch = |pairs| Config { micro_batch: rows(pairs), ..Config::default() };
        let refused = |pairs| micro_batch(pairs).validate().unwrap_err().to_string();
        assert!(refused(0).contains("micro_batch.pairs"), "{}", refused(0));
        assert!(
            refused(6_145)
                .contains("train.micro_batch.pairs must be at most train.batch.pairs (6144), is 6145")
        );
        micro_batch(6_144).validate().unwrap();
        let tokens = |tokens| Config {
            batch: Amounts::new(&[(Kind::Pairs, Amount::tokens(tokens))]),
            ..Config::default()
        };
        tokens(1 << 32).validate().unwrap();
        let error = tokens((1 << 32) + 1).validate().unwrap_err().to_string();
        assert!(error.contains("train.batch.pairs is 4294967297, must be from 0 to 4294967296"), "{error}");
        check(|c| c.batch = Amounts::of_sequences(&[]), "batch");
        check(|c| c.text_weights = BTreeMap::from([("a".to_owned(), -1.0)]), "text_weights");
        check(|c| c.text_weights = BTreeMap::from([("a".to_owned(), 0.0)]), "text_weights");
        check(|c| c.checkpoints_kept = 0, "checkpoints_kept");
        check(|c| c.optimizer.beta1 = 1.0, "train.optimizer.beta1");
        check(|c| c.thread_count = 0, "train.thread_count");
    }

    #[test]
    fn every_bound_is_where_it_is_documented() {
        let check = |key: &str, value: u64, holds: bool| {
            let mut json = serde_json::to_value(Config { warmup_steps: 0, ..Config::default() }).unwrap();
            json[key] = value.into();
            let checked = serde_json::from_value::<Config>(json).unwrap().validate();
            assert_eq!(checked.is_ok(), holds, "{key} = {value}: {checked:?}");
            assert!(holds || checked.unwrap_err().to_string().contains(key));
        };
        let bounds = [
            ("steps", 1, 4_000_000),
            ("log_steps", 1, 4_000_000),
            ("checkpoint_steps", 1, 4_000_000),
            ("checkpoints_kept", 1, 4_000_000),
            ("nonfinite_steps_max", 1, 4_000_000),
            ("validation_rows", 1, 1 << 20),
            ("block_bytes_max", 1, 1 << 32),
            ("window_blocks", 1, 1 << 10),
            ("micro_batches_ahead", 1, 1 << 10),
        ];
        for (key, min, max) in bounds {
            check(key, min, true);
            check(key, max, true);
            check(key, min - 1, false);
            check(key, max + 1, false);
        }
        check("evaluate_steps", 0, true);
        let rows = |rows: u32| Amounts::of_sequences(&[(Kind::Text, rows), (Kind::Pairs, 1)]);
        let batch = |count| Config { batch: rows(count), ..Config::default() }.validate().is_ok();
        assert_eq!([0, 1, 1 << 20, (1 << 20) + 1].map(batch), [true, true, true, false]);
        let warm = |warmup_steps| Config { steps: 9, warmup_steps, ..Config::default() }.validate().is_ok();
        assert_eq!([0, 8, 9, 10].map(warm), [true, true, false, false]);
        let rate = |learning_rate| Config { learning_rate, ..Config::default() }.validate().is_ok();
        assert_eq!([1e-9, 0.0, -1.0, f64::INFINITY].map(rate), [true, false, false, false]);
    }

    #[test]
    fn the_defaults_are_the_documented_ones() {
        let expected = Config {
            steps: 300_000,
            learning_rate: 2e-4,
            warmup_steps: 375,
            batch: Amounts::by_kind(|kind| Amount::Sequences(kind.step_rows())),
            micro_batch: None,
            text_weights: BTreeMap::new(),
            reset_attention: false,
            optimizer: OptimizerConfig {
                beta1: 0.9,
                beta2: 0.98,
                epsilon: 1e-6,
                weight_decay: 0.01,
                decay_all_parameters: true,
                clip_norm: 2.0,
            },
            precision: Precision::F32,
            device: Device::Cpu,
            thread_count: 1,
            deterministic: true,
            seed: 1,
            log_steps: 10,
            checkpoint_steps: 500,
            checkpoints_kept: 2,
            evaluate_steps: 500,
            validation_rows: 256,
            nonfinite_steps_max: 10,
            block_bytes_max: 16 << 20,
            window_blocks: 4,
            micro_batches_ahead: 4,
        };
        assert_eq!(serde_json::from_str::<Config>("{}").unwrap(), expected);
        let micro_batch = Amounts::by_kind(|_| Amount::tokens(16_384));
        assert_eq!(expected.pass(), micro_batch);
        // What the default says and the same said explicitly are one identity.
        let explicit = Config { micro_batch: Some(micro_batch), ..expected.clone() };
        assert_eq!(explicit.identity(), expected.identity());
        let smaller = Amounts::of_sequences(&[(Kind::Pairs, 7)]);
        let smaller = Config { micro_batch: Some(smaller), ..expected.clone() };
        assert_ne!(smaller.identity(), expected.identity());
    }

    #[test]
    fn settings_of_the_network_are_those_of_training() {
        let config = Config {
            device: Device::Cuda(2),
            precision: Precision::Bf16,
            thread_count: 3,
            deterministic: false,
            seed: 4,
            ..Config::default()
        };
        let model::Settings { device, precision, thread_count, deterministic, seed } =
            config.model_settings();
        assert_eq!((device, precision, thread_count), (Device::Cuda(2), Precision::Bf16, 3));
        assert_eq!((deterministic, seed), (false, 4));
        let schedule = config.schedule();
        assert_eq!((schedule.peak, schedule.warmup_steps, schedule.steps), (2e-4, 375, 300_000));
    }

    #[test]
    fn every_option_but_the_circumstances_is_part_of_the_identity() {
        let config = Config::default();
        let all = serde_json::to_value(&config).unwrap();
        let keys: Vec<&String> = all.as_object().unwrap().keys().collect();
        let identity = config.identity();
        for key in keys {
            assert_eq!(identity.get(key).is_none(), CIRCUMSTANCES.contains(&key.as_str()), "{key}");
        }
        assert_eq!(
            CIRCUMSTANCES,
            [
                "device",
                "thread_count",
                "log_steps",
                "checkpoint_steps",
                "checkpoints_kept",
                "micro_batches_ahead"
            ]
        );
    }

    #[test]
    fn circumstances_do_not_change_the_identity_and_options_do() {
        let config = Config::default();
        let elsewhere =
            Config { device: Device::Cuda(0), thread_count: 8, checkpoint_steps: 7, ..Config::default() };
        assert_eq!(config.identity(), elsewhere.identity());
        assert_ne!(config.identity(), Config { seed: 2, ..Config::default() }.identity());
        let named = config.identity();
        assert_eq!(CIRCUMSTANCES.iter().filter(|key| named.get(*key).is_some()).count(), 0);
    }

    #[test]
    fn every_circumstance_is_a_key_and_unknown_keys_are_refused() {
        let all = serde_json::to_value(Config::default()).unwrap();
        assert!(CIRCUMSTANCES.iter().all(|key| all.get(*key).is_some()));
        assert!(serde_json::from_str::<Config>(r#"{"learning_rat": 1}"#).is_err());
        let named: Config = serde_json::from_str(r#"{"batch": {"pairs": 1}}"#).unwrap();
        assert_eq!(
            named.batch,
            Amounts::of_sequences(&[(Kind::Pairs, 1)]),
            "a kind that is not named is left out"
        );
    }
}
