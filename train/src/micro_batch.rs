//! A micro-batch: sequences of one kind, padded on the right to the longest of them.

use corpus::Id;
use corpus::record::Sequence;
use model::Batch;

use crate::images::Images;
use crate::layout::Layout;
use crate::{Error, Kind, Result};

/// The id of padding, in inputs and targets alike.
const PADDING: u32 = model::PADDING_ID;

/// What one forward pass is given. A sequence of n tokens has n - 1 inputs and n - 1 targets:
/// each input's target is the token after it. Memory is about ten bytes a column and row, and
/// the images.
#[derive(Debug, Clone, PartialEq)]
pub struct MicroBatch {
    /// What the sequences are.
    pub kind: Kind,
    /// Sequences.
    pub row_count: usize,
    /// Inputs of the longest sequence.
    pub column_count: usize,
    /// Inputs that are not padding.
    pub token_count: u64,
    /// Token ids, `[row, column]`.
    pub input: Vec<u32>,
    /// The token that follows each input, `[row, column]`.
    pub target: Vec<u32>,
    /// True where the target is scored, `[row, column]`.
    pub loss_mask: Vec<bool>,
    /// True where an image vector replaces the token, `[row, column]`.
    pub image_slots: Vec<bool>,
    /// Where each token stands in its document, `[row, column]`; empty where every row is one document.
    pub positions: Vec<u32>,
    /// The images, in reading order.
    pub images: Images,
}

impl MicroBatch {
    /// Collates sequences.
    ///
    /// # Errors
    /// [`Error::Sequence`] when a sequence cannot be what packing writes.
    pub fn collate(kind: Kind, rows: &[Sequence], layout: &Layout) -> Result<Self> {
        let longest = rows.iter().map(|row| row.tokens.len()).max().unwrap_or(0);
        let column_count = longest.saturating_sub(1);
        let capacity = rows.len() * column_count;
        let mut batch = Self {
            kind,
            row_count: rows.len(),
            column_count,
            token_count: 0,
            input: Vec::with_capacity(capacity),
            target: Vec::with_capacity(capacity),
            loss_mask: Vec::with_capacity(capacity),
            image_slots: Vec::with_capacity(capacity),
            positions: Vec::new(),
            images: Images::new(layout.format),
        };
        for row in rows {
            batch.push(row, layout).map_err(|reason| {
                let id = row.spans.first().map_or(Id::from_bits(0), |span| span.id);
                Error::Sequence { kind, id, reason }
            })?;
        }
        Ok(batch)
    }

    fn push(&mut self, row: &Sequence, layout: &Layout) -> Result<(), String> {
        let (Some((_, input)), Some((_, target))) = (row.tokens.split_last(), row.tokens.split_first())
        else {
            return Err("no tokens".to_owned());
        };
        if row.loss_mask.len() != row.tokens.len() {
            let (mask, tokens) = (row.loss_mask.len(), row.tokens.len());
            return Err(format!("a loss mask of {mask} for {tokens} tokens"));
        }
        if row.payloads.len() != row.image_starts.len() {
            let (payloads, starts) = (row.payloads.len(), row.image_starts.len());
            return Err(format!("{payloads} payloads for {starts} images"));
        }
        let end = self.input.len() + self.column_count;
        self.token_count += input.len() as u64;
        self.input.extend_from_slice(input);
        self.input.resize(end, PADDING);
        self.target.extend_from_slice(target);
        self.target.resize(end, PADDING);
        self.loss_mask.extend(row.loss_mask.iter().take(input.len()));
        self.loss_mask.resize(end, false);
        self.image_slots.extend(image_slots(row, input.len(), layout.latent_count)?);
        self.image_slots.resize(end, false);
        self.push_positions(layout.positions(self.kind, row, input.len())?, end);
        row.payloads.iter().try_for_each(|payload| self.images.push(payload, layout))
    }

    /// Adds a row's positions, once there is a row of several documents; those before it are whole.
    fn push_positions(&mut self, positions: Option<Vec<u32>>, end: usize) {
        if positions.is_none() && self.positions.is_empty() {
            return;
        }
        let columns = self.column_count;
        while self.positions.len() + columns < end {
            self.positions.extend((0..).take(columns));
        }
        let found = positions.unwrap_or_default();
        // Padding goes on with the last document, which is before it and does not see it.
        let padding = found.last().map_or(0, |last| last + 1);
        let padding_count = columns - found.len();
        self.positions.extend(found);
        self.positions.extend((padding..).take(padding_count));
    }

    /// Returns the micro-batch as the network takes it.
    pub fn as_batch(&self) -> Batch<'_> {
        Batch {
            row_count: self.row_count,
            column_count: self.column_count,
            input: &self.input,
            target: &self.target,
            loss_mask: &self.loss_mask,
            image_slots: &self.image_slots,
            positions: &self.positions,
            payload: self.images.as_payload(),
        }
    }
}

/// Returns for each of a sequence's first tokens whether an image vector replaces it.
///
/// # Errors
/// In words, when an image is not wholly inside, or two overlap.
pub fn image_slots(row: &Sequence, length: usize, latent_count: u32) -> Result<Vec<bool>, String> {
    let mut slots = vec![false; length];
    for &start in &row.image_starts {
        let (first, count) = (start as usize, latent_count as usize);
        let image = first.checked_add(count).and_then(|end| slots.get_mut(first..end));
        match image {
            Some(image) if !image.contains(&true) => image.fill(true),
            Some(_) => return Err(format!("images overlap at token {start}")),
            None => return Err(format!("the image at token {start} exceeds {length} tokens")),
        }
    }
    Ok(slots)
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use bytes::Bytes;
    use corpus::record::Span;
    use half::f16;

    use super::*;
    use crate::testing::{layout, pair, text};

    #[test]
    fn a_pair_and_a_shorter_one_are_padded_and_their_masks_aligned_to_inputs() {
        // <s> <image> [2 slots] </image> caption </s>, with the source-aligned mask of packing.
        let rows = [pair(1, &[40, 41]), pair(2, &[42])];
        let batch = MicroBatch::collate(Kind::Pairs, &rows, &layout()).unwrap();
        assert_eq!((batch.row_count, batch.column_count, batch.token_count), (2, 7, 13));
        assert_eq!(batch.input, [0, 9, 9, 9, 10, 40, 41, 0, 9, 9, 9, 10, 42, 1]);
        assert_eq!(batch.target, [9, 9, 9, 10, 40, 41, 2, 9, 9, 9, 10, 42, 2, 1]);
        let scored: Vec<u32> = std::iter::zip(&batch.target, &batch.loss_mask)
            .filter_map(|(target, scored)| scored.then_some(*target))
            .collect();
        assert_eq!(scored, [40, 41, 2, 42, 2]);
        let slots: Vec<usize> = (0..14).filter(|index| batch.image_slots[*index]).collect();
        assert_eq!(slots, [2, 3, 9, 10]);
        let Images::Features(_, values) = &batch.images else { unreachable!("features") };
        assert_eq!((values[0], values[values.len() - 1]), (f16::from_f32(1.0), f16::from_f32(2.0)));
    }

    #[test]
    fn text_scores_every_target_and_has_no_payload() {
        let batch = MicroBatch::collate(Kind::Text, &[text(1, 4)], &layout()).unwrap();
        assert_eq!(batch.loss_mask, [true; 3]);
        assert_eq!(batch.as_batch().payload, model::Payload::None);
    }

    #[test]
    fn rows_of_several_documents_give_positions_to_all() {
        let two = |id| Sequence {
            spans: vec![
                Span { id: Id::from_bits(id), start: 0, end: 3 },
                Span { id: Id::from_bits(id + 1), start: 3, end: 5 },
            ],
            ..text(id, 5)
        };
        let rows = [text(1, 6), two(2), text(4, 3)];
        let layout = Layout { reset_attention: true, ..layout() };
        let batch = MicroBatch::collate(Kind::Text, &rows, &layout).unwrap();
        let expected = [[0, 1, 2, 3, 4], [0, 1, 0, 1, 2], [0, 1, 2, 3, 4]].concat();
        assert_eq!((&batch.positions, batch.as_batch().positions.len()), (&expected, batch.input.len()));
        let whole = MicroBatch::collate(Kind::Text, &rows[..1], &layout).unwrap();
        assert!(whole.positions.is_empty());
    }

    #[test]
    fn a_sequence_that_packing_does_not_write_is_refused_by_its_id() {
        let refused = |change: fn(&mut Sequence)| {
            let mut row = pair(7, &[40]);
            change(&mut row);
            MicroBatch::collate(Kind::Pairs, &[row], &layout()).unwrap_err().to_string()
        };
        assert!(refused(|row| row.image_starts = vec![6]).contains("exceeds"));
        assert!(refused(|row| row.image_starts = vec![u32::MAX]).contains("exceeds"));
        assert!(refused(|row| row.payloads.clear()).contains("0 payloads for 1 images"));
        assert!(refused(|row| row.loss_mask.clear()).contains("loss mask"));
        assert!(refused(|row| row.tokens.clear()).contains("no tokens"));
        assert!(refused(|row| row.payloads = vec![Bytes::from_static(b"x")]).contains("1 bytes"));
        let overlapping = refused(|row| {
            row.image_starts = vec![2, 3];
            row.payloads = vec![row.payloads[0].clone(); 2];
        });
        assert!(overlapping.contains("overlap") && overlapping.contains("0:0:7"), "{overlapping}");
    }
}
