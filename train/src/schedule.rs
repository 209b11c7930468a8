//! The learning rate by step: linear warm-up to a peak, then linear decay to zero.

/// fairseq's `polynomial_decay` with power 1, as KOSMOS-1 was trained (paper 3.2).
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Schedule {
    /// The largest learning rate.
    pub peak: f64,
    /// Steps of the rise, by whose last one the peak is reached.
    pub warmup_steps: u64,
    /// Steps in all, by whose last one zero is reached; more than `warmup_steps`.
    pub steps: u64,
}

impl Schedule {
    /// Returns the learning rate of a step, counted from 1.
    pub fn learning_rate(&self, step: u64) -> f64 {
        if step <= self.warmup_steps {
            return self.peak * step as f64 / self.warmup_steps as f64;
        }
        let decay_steps = self.steps.saturating_sub(self.warmup_steps).max(1);
        let passed = (step - self.warmup_steps).min(decay_steps);
        self.peak * (1.0 - passed as f64 / decay_steps as f64)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_paper_s_schedule_by_step() {
        let paper = Schedule { peak: 2e-4, warmup_steps: 375, steps: 300_000 };
        let table = [
            (1, 2e-4 / 375.0),
            (75, 4e-5),
            (375, 2e-4),
            (376, 2e-4 * (1.0 - 1.0 / 299_625.0)),
            (150_187, 2e-4 * (1.0 - 149_812.0 / 299_625.0)),
            (299_999, 2e-4 / 299_625.0),
            (300_000, 0.0),
            (300_001, 0.0),
        ];
        for (step, expected) in table {
            let found = paper.learning_rate(step);
            assert!((found - expected).abs() < 1e-15, "step {step}: {found}, expected {expected}");
        }
    }

    #[test]
    fn the_longest_warm_up_ends_at_the_peak_and_training_at_zero() {
        let schedule = Schedule { peak: 1.0, warmup_steps: 3, steps: 4 };
        let rates: Vec<f64> = (1..=4).map(|step| schedule.learning_rate(step)).collect();
        assert_eq!(rates, [1.0 / 3.0, 2.0 / 3.0, 1.0, 0.0]);
        let single = Schedule { peak: 1.0, warmup_steps: 0, steps: 1 };
        assert_eq!(single.learning_rate(1), 0.0);
    }

    #[test]
    fn without_warm_up_the_first_step_is_just_below_the_peak() {
        let schedule = Schedule { peak: 1.0, warmup_steps: 0, steps: 4 };
        let rates: Vec<f64> = (1..=4).map(|step| schedule.learning_rate(step)).collect();
        assert_eq!(rates, [0.75, 0.5, 0.25, 0.0]);
    }
}
