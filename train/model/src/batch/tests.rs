#![allow(clippy::unwrap_used)]

use super::*;
use crate::{DecoderConfig, ResamplerConfig};

fn config() -> Config {
    Config {
        decoder: DecoderConfig { vocabulary_size: 10, sequence_tokens_max: 4, ..Default::default() },
        resampler: ResamplerConfig { latent_count: 2, ..Default::default() },
        tower: TowerConfig { image_side_pixels: 2, patch_side_pixels: 1, width: 4, ..Default::default() },
    }
}

const BATCH: Batch<'static> = Batch {
    row_count: 2,
    column_count: 3,
    input: &[0, 3, 3, 0, 4, 5],
    target: &[3, 3, 2, 4, 5, 2],
    loss_mask: &[false, false, true, true, true, true],
    image_slots: &[false, true, true, false, false, false],
    positions: &[],
    payload: Payload::Pixels(&[0.0; 12]),
};

fn refused(batch: Batch<'_>) -> String {
    batch.validate(&config()).unwrap_err().to_string()
}

#[test]
fn a_whole_batch_counts_its_images() {
    assert_eq!(BATCH.validate(&config()).unwrap(), 1);
}

#[test]
fn slots_must_be_whole_images_and_match_the_payload() {
    let torn = Batch { image_slots: &[false, true, false, false, false, false], ..BATCH };
    assert_eq!(refused(torn), "invalid batch image slots: row 0 has 1; an image takes 2");
    let none = Batch { payload: Payload::None, ..BATCH };
    assert_eq!(refused(none), "invalid batch image slots: slots for 1 images, payload of 0");
}

#[test]
fn lengths_and_ids_are_checked() {
    assert_eq!(refused(Batch { target: &[0; 5], ..BATCH }), "invalid batch target: 5 values, expected 6");
    let outside = Batch { input: &[0, 3, 3, 0, 10, 5], ..BATCH };
    assert_eq!(refused(outside), "invalid batch input: token 10 of a vocabulary of 10");
    assert!(refused(Batch { column_count: 5, ..BATCH }).contains("rows hold 1 to 4"));
    assert!(refused(Batch { row_count: usize::MAX, ..BATCH }).contains("more tokens than memory"));
    assert!(refused(Batch { payload: Payload::Pixels(&[0.0; 13]), ..BATCH }).contains("an image has 12"));
}

#[test]
fn documents_of_a_row_are_counted_from_zero_one_by_one() {
    for positions in [&[0, 1, 2, 0, 1, 2], &[0, 0, 1, 0, 1, 0], &[0, 0, 0, 0, 0, 0]] {
        assert_eq!(Batch { positions, ..BATCH }.validate(&config()).unwrap(), 1);
    }
    for positions in [&[0, 1, 2, 3, 4, 5], &[1, 2, 3, 0, 1, 2], &[0, 2, 3, 0, 1, 2], &[0, 1, 1, 0, 1, 2]] {
        assert!(refused(Batch { positions, ..BATCH }).starts_with("invalid batch positions"));
    }
    assert!(refused(Batch { positions: &[0, 1, 2], ..BATCH }).contains("3 values, expected 6"));
}

#[test]
fn features_that_would_leave_the_last_block_untrained_are_refused() {
    let values = &[f16::ZERO; 20];
    let before = Batch { payload: Payload::Features { tap: Tap::BeforeLastBlock, values }, ..BATCH };
    let after = Batch { payload: Payload::Features { tap: Tap::AfterLayerNorm, values }, ..BATCH };
    let mut config = config();
    assert_eq!(before.validate(&config).unwrap(), 1);
    assert!(after.validate(&config).is_err());
    config.tower.trainable = Trainable::None;
    assert_eq!(after.validate(&config).unwrap(), 1);
    config.tower.trainable = Trainable::All;
    assert!(before.validate(&config).is_err());
}
