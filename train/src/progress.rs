//! How far training is, in words for the screen and `kosmos status`.

use std::time::Duration;

use corpus::record::TrainStep;

use crate::Config;

const MINUTE_SECS: u64 = 60;
const HOUR_SECS: u64 = 60 * MINUTE_SECS;
const DAY_SECS: u64 = 24 * HOUR_SECS;

/// How many steps took how long since training began or was resumed, validations and checkpoints included.
#[derive(Debug, Clone, Copy)]
pub struct StepRate {
    /// Steps, those of earlier attempts left out.
    pub steps: u64,
    /// The time of these steps.
    pub elapsed: Duration,
}

impl StepRate {
    /// Returns how long so many more steps take.
    fn time_of(&self, steps: u64) -> Duration {
        // A duration of more seconds than `u64` holds cannot be left of any training.
        let secs = self.elapsed.as_secs_f64() * steps as f64 / self.steps.max(1) as f64;
        Duration::try_from_secs_f64(secs).unwrap_or(Duration::MAX)
    }
}

/// Returns step, losses, learning rate, speed and the time that is left.
pub fn note(row: &TrainStep, config: &Config, rate: StepRate) -> String {
    let losses = losses(row, config, 2);
    let left = duration(rate.time_of(config.steps.saturating_sub(row.step)));
    let per_step = rate.time_of(1).as_secs_f64();
    format!("{losses} rate {:.1e}, {per_step:.2} s a step, {left} left", row.learning_rate)
}

/// Returns the step and the losses of the kinds in the batch with some decimals.
pub fn losses(row: &TrainStep, config: &Config, decimals: usize) -> String {
    let mut words = format!("step {}/{}", row.step, config.steps);
    for kind in config.batch.kinds() {
        words.push_str(&format!(" {kind} {:.decimals$}", row.loss(kind)));
    }
    words
}

/// Returns a duration in its two largest units.
fn duration(duration: Duration) -> String {
    let secs = duration.as_secs();
    match secs {
        0..MINUTE_SECS => format!("{secs} s"),
        MINUTE_SECS..HOUR_SECS => format!("{} min {} s", secs / MINUTE_SECS, secs % MINUTE_SECS),
        HOUR_SECS..DAY_SECS => format!("{} h {} min", secs / HOUR_SECS, secs % HOUR_SECS / MINUTE_SECS),
        DAY_SECS.. => format!("{} d {} h", secs / DAY_SECS, secs % DAY_SECS / HOUR_SECS),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Amount, Amounts, Kind};

    fn row(step: u64) -> TrainStep {
        TrainStep {
            step,
            learning_rate: 2.94e-3,
            text_loss: 4.2149,
            pair_loss: 3.9,
            interleaved_loss: f64::NAN,
            gradient_norm: 1.0,
            loss_tokens: 7,
        }
    }

    #[test]
    fn a_note_tells_step_losses_rate_and_what_is_left_of_the_kinds_in_the_batch() {
        let batch = Amounts::of_sequences(&[(Kind::Text, 1), (Kind::Pairs, 3)]);
        let config = Config { steps: 120, batch, ..Config::default() };
        // The time of earlier attempts' steps is not known, and not counted.
        let rate = StepRate { steps: 3, elapsed: Duration::from_secs(6) };
        let expected = "step 53/120 text 4.21 pairs 3.90 rate 2.9e-3, 2.00 s a step, 2 min 14 s left";
        assert_eq!(note(&row(53), &config, rate), expected);
        assert!(note(&row(120), &config, rate).ends_with(", 0 s left"));
        let all = Config { batch: batch.with(Kind::Interleaved, Amount::Sequences(1)), ..config };
        assert!(note(&row(53), &all, rate).contains(" pairs 3.90 interleaved NaN rate"));
    }

    #[test]
    fn a_duration_has_its_two_largest_units() {
        let table = [
            (0, "0 s"),
            (59, "59 s"),
            (60, "1 min 0 s"),
            (3_599, "59 min 59 s"),
            (3_600, "1 h 0 min"),
            (86_399, "23 h 59 min"),
            (86_400, "1 d 0 h"),
            (20 * 86_400 + 7_200, "20 d 2 h"),
        ];
        for (secs, expected) in table {
            assert_eq!(duration(Duration::from_secs(secs)), expected);
        }
        let slow = StepRate { steps: 0, elapsed: Duration::MAX };
        assert_eq!(slow.time_of(u64::MAX), Duration::MAX);
    }
}
