//! The trainer: the loop over steps. It owns no arithmetic of the network and no files.

use std::collections::BTreeMap;
use std::time::Instant;

use corpus::record::TrainStep;
use corpus::{Cancel, random};
use model::{Learner, Loss};

use crate::checkpoint::{Checkpoints, State};
use crate::loader::Loader;
use crate::progress::{self, StepRate};
use crate::validation::{Validation, ValidationLoss};
use crate::{Config, Error, Kind, Result};

/// Where the trainer tells what happens.
pub trait Observer {
    /// A step was completed, or is told again after a resume.
    ///
    /// # Errors
    /// When the row cannot be kept; training stops.
    fn step(&mut self, row: &TrainStep) -> corpus::Result<()>;

    /// A line for the log.
    fn log(&mut self, line: &str);

    /// How far training is, in a few words that the next ones replace.
    fn note(&mut self, words: &str);
}

/// Trains a learner from its state to the last step.
#[derive(Debug)]
pub struct Trainer<'a> {
    /// The options.
    pub config: &'a Config,
    /// The network.
    pub learner: &'a mut dyn Learner,
    /// The micro-batches, from the state on.
    pub loader: Loader,
    /// The held-out sequences.
    pub validation: &'a Validation,
    /// Where checkpoints go.
    pub checkpoints: &'a Checkpoints,
    /// How far training has come.
    pub state: State,
}

/// What a step adds to the log line's speed.
struct Speed {
    since: Instant,
    tokens: u64,
}

impl Trainer<'_> {
    /// Trains to the last step, and leaves a checkpoint of it.
    ///
    /// # Errors
    /// [`corpus::Error::Cancelled`] after a checkpoint when a stop was asked for;
    /// [`Error::Diverged`] when loss or gradient stay not finite; as the loader, the network,
    /// the disk and the observer.
    pub fn run(mut self, cancel: &Cancel, observer: &mut impl Observer) -> Result<State> {
        let mut speed = Speed { since: Instant::now(), tokens: self.state.tokens_seen };
        let (begun, first) = (Instant::now(), self.state.step);
        while self.state.step < self.config.steps {
            let row = self.step(observer)?;
            let observed = observer.step(&row);
            self.log(&row, &mut speed, observer);
            self.state.steps.push(row.clone());
            self.validate(observer)?;
            if self.is_due(self.config.checkpoint_steps) || cancel.is_requested() {
                self.checkpoints.save(&self.state, self.learner)?;
            }
            let rate = StepRate { steps: self.state.step - first, elapsed: begun.elapsed() };
            observer.note(&progress::note(&row, self.config, rate));
            cancel.check()?;
            observed?;
        }
        Ok(self.state)
    }

    /// Gathers the gradient of all micro-batches, then updates the weights once.
    fn step(&mut self, observer: &mut impl Observer) -> Result<TrainStep> {
        let step = self.state.step + 1;
        let mut losses: BTreeMap<Kind, Loss> = BTreeMap::new();
        let mut total = Loss::default();
        for index in 0.. {
            let loaded = self.loader.next_batch()?;
            let seed = dropout_seed(self.config.seed, step, index);
            let loss = self.learner.accumulate(&loaded.batch.as_batch(), seed)?;
            *losses.entry(loaded.batch.kind).or_default() += loss;
            total += loss;
            self.state.tokens_seen += loaded.batch.token_count;
            if loaded.ends_step {
                self.state.loader = loaded.state;
                break;
            }
        }
        let learning_rate = self.config.schedule().learning_rate(step);
        let outcome = self.learner.step(learning_rate, total.token_count)?;
        self.state.step = step;
        let finite = outcome.applied && total.nll_sum.is_finite();
        self.count_nonfinite(finite, outcome.gradient_norm, observer)?;
        let mean = |kind: Kind| losses.get(&kind).map_or(f64::NAN, |l| l.nll_sum / l.token_count as f64);
        Ok(TrainStep {
            gradient_norm: outcome.gradient_norm,
            loss_tokens: total.token_count,
            ..TrainStep::new(step, learning_rate, mean)
        })
    }

    fn count_nonfinite(
        &mut self,
        finite: bool,
        gradient_norm: f64,
        observer: &mut impl Observer,
    ) -> Result<()> {
        if finite {
            self.state.nonfinite_steps = 0;
            return Ok(());
        }
        self.state.nonfinite_steps += 1;
        let (step, count) = (self.state.step, self.state.nonfinite_steps);
        observer.log(&format!("step {step} not applied: loss or gradient ({gradient_norm}) not finite"));
        match count >= self.config.nonfinite_steps_max {
            true => Err(Error::Diverged { step, count }),
            false => Ok(()),
        }
    }

    fn validate(&mut self, observer: &mut impl Observer) -> Result<()> {
        if self.config.evaluate_steps == 0 || !self.is_due(self.config.evaluate_steps) {
            return Ok(());
        }
        let (step, losses) = (self.state.step, self.validation.losses(self.learner)?);
        let mut line = format!("step {step} validation");
        for (kind, loss) in &losses {
            line.push_str(&format!(" {kind} {:.4}", loss.unwrap_or(f64::NAN)));
        }
        observer.log(&line);
        self.state.validations.push(ValidationLoss { step, losses });
        Ok(())
    }

    fn log(&self, row: &TrainStep, speed: &mut Speed, observer: &mut impl Observer) {
        if !self.is_due(self.config.log_steps) {
            return;
        }
        let tokens = self.state.tokens_seen - speed.tokens;
        let tokens_per_sec = tokens as f64 / speed.since.elapsed().as_secs_f64();
        *speed = Speed { since: Instant::now(), tokens: self.state.tokens_seen };
        let losses = progress::losses(row, self.config, 4);
        let (rate, norm) = (row.learning_rate, row.gradient_norm);
        observer.log(&format!("{losses} gradient {norm:.3} rate {rate:.2e} tokens/s {tokens_per_sec:.0}"));
    }

    /// Returns true if and only if something that happens every so many steps, and at the last
    /// one, happens now.
    fn is_due(&self, every_steps: u64) -> bool {
        let step = self.state.step;
        step.is_multiple_of(every_steps) || step == self.config.steps
    }
}

/// Returns the seed of a micro-batch's dropout, which does not depend on where training began.
fn dropout_seed(seed: u64, step: u64, micro_batch: u64) -> u64 {
    let key = [step.to_le_bytes(), micro_batch.to_le_bytes()].concat();
    random::hash(seed, "train.dropout", &key)
}

#[cfg(test)]
mod tests;
