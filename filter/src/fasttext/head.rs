//! What makes labels' probabilities of a text's vector: one head for each loss.

use super::dictionary::Label;
use super::matrix::Matrix;
use super::settings::Loss;

/// Where fastText's table of the logistic function ends, on both sides.
const SIGMOID_MAX: f32 = 8.0;
/// Steps of that table.
const SIGMOID_STEPS: i32 = 512;

/// The labels found so far, best first.
#[derive(Debug)]
pub(super) struct Best {
    count_max: usize,
    probability_min: f32,
    /// Logarithms of probabilities, and labels.
    pub(super) found: Vec<(f32, u32)>,
}

impl Best {
    pub(super) fn new(count_max: usize, probability_min: f32) -> Self {
        Self { count_max, probability_min, found: Vec::new() }
    }

    /// Tells whether a label of this score, or one below it in a tree, can still be among them.
    fn admits(&self, score: f32) -> bool {
        let worst = self.found.last().filter(|_| self.found.len() == self.count_max);
        self.count_max > 0 && worst.is_none_or(|(worst, _)| score >= *worst)
    }

    fn push(&mut self, score: f32, label: u32) {
        if !self.admits(score) {
            return;
        }
        let place = self.found.partition_point(|(other, _)| *other >= score);
        self.found.insert(place, (score, label));
        self.found.truncate(self.count_max);
    }
}

/// A head.
#[derive(Debug)]
pub(super) enum Head {
    Softmax,
    /// One-versus-all and negative sampling, which differ in training alone.
    Logistic,
    Tree(Tree),
}

impl Head {
    pub(super) fn new(loss: Loss, labels: &[Label]) -> Self {
        match loss {
            Loss::Softmax => Self::Softmax,
            Loss::OneVersusAll | Loss::NegativeSampling => Self::Logistic,
            Loss::HierarchicalSoftmax => Self::Tree(Tree::of_counts(labels)),
        }
    }

    /// Finds the best labels of a vector; `output` has a row for each label.
    pub(super) fn predict(&self, output: &Matrix, vector: &[f32], scores: &mut Vec<f32>, best: &mut Best) {
        scores.clear();
        match self {
            Self::Tree(tree) => return tree.predict(output, vector, best),
            Self::Softmax => {
                scores.extend((0..output.rows()).map(|row| output.dot_row(row, vector)));
                softmax(scores);
            }
            Self::Logistic => {
                scores.extend((0..output.rows()).map(|row| sigmoid(output.dot_row(row, vector))));
            }
        }
        for (probability, label) in scores.iter().zip(0..) {
            if *probability >= best.probability_min {
                best.push(log(f64::from(*probability)), label);
            }
        }
    }
}

/// fastText's logarithm, which has no pole: its probabilities are too large by 1e-5.
fn log(value: f64) -> f32 {
    (value + 1e-5).ln() as f32
}

/// Turns scores into probabilities that sum to one.
pub(super) fn softmax(scores: &mut [f32]) {
    let score_max = scores.iter().copied().fold(f32::NEG_INFINITY, f32::max);
    let mut sum = 0.0;
    for score in scores.iter_mut() {
        *score = (*score - score_max).exp();
        sum += *score;
    }
    scores.iter_mut().for_each(|score| *score /= sum);
}

/// The logistic function in fastText's steps.
fn sigmoid(value: f32) -> f32 {
    if value < -SIGMOID_MAX {
        return 0.0;
    }
    if value > SIGMOID_MAX {
        return 1.0;
    }
    let steps = SIGMOID_STEPS as f32;
    let step = ((value + SIGMOID_MAX) * steps / SIGMOID_MAX / 2.0).trunc();
    let value = step * 2.0 * SIGMOID_MAX / steps - SIGMOID_MAX;
    1.0 / (1.0 + (-value).exp())
}

/// A Huffman tree: labels are its leaves, and the output matrix has a row for each inner node.
#[derive(Debug)]
pub(super) struct Tree {
    leaf_count: usize,
    /// The two children of each inner node; leaves come first in the numbering.
    children: Vec<[usize; 2]>,
}

impl Tree {
    /// Builds the tree as `HierarchicalSoftmaxLoss::buildTree` does: leaves are taken from the
    /// last to the first, which is why fastText sorts labels by falling count.
    fn of_counts(labels: &[Label]) -> Self {
        let leaf_count = labels.len();
        let mut counts: Vec<u64> = labels.iter().map(|label| label.count).collect();
        let mut children = Vec::with_capacity(leaf_count.saturating_sub(1));
        let (mut leaves, mut node) = (leaf_count, leaf_count);
        for _ in 1..leaf_count {
            let pair = [(); 2].map(|()| {
                // A node that is not made yet counts more than any leaf.
                let rarer = |leaf: usize| counts.get(node).is_none_or(|count| counts[leaf] < *count);
                if leaves > 0 && rarer(leaves - 1) {
                    leaves -= 1;
                    leaves
                } else {
                    node += 1;
                    node - 1
                }
            });
            counts.push(pair.iter().map(|child| counts[*child]).sum());
            children.push(pair);
        }
        Self { leaf_count, children }
    }

    /// Walks down from the root, and no further where a label cannot be among the best.
    fn predict(&self, output: &Matrix, vector: &[f32], best: &mut Best) {
        let score_min = log(f64::from(best.probability_min));
        let root = self.leaf_count + self.children.len() - 1;
        let mut nodes = vec![(root, 0.0_f32)];
        while let Some((node, score)) = nodes.pop() {
            if score < score_min || !best.admits(score) {
                continue;
            }
            let Some(row) = node.checked_sub(self.leaf_count) else {
                // A leaf's number is a label's, of which there are fewer than 2^31.
                best.push(score, node as u32);
                continue;
            };
            let [left, right] = self.children[row];
            let probability = 1.0 / (1.0 + (-output.dot_row(row, vector)).exp());
            // The left child is looked at first.
            nodes.push((right, score + log(f64::from(probability))));
            nodes.push((left, score + log(1.0 - f64::from(probability))));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_tree_puts_rare_labels_deep() {
        let label = |count| Label { name: String::new(), count };
        let tree = Tree::of_counts(&[label(9), label(4), label(3), label(1)]);
        assert_eq!(tree.children, [[3, 2], [4, 1], [5, 0]]);
        assert!(Tree::of_counts(&[label(7)]).children.is_empty());
    }

    #[test]
    fn equal_scores_stay_in_the_order_of_their_labels() {
        let mut best = Best::new(2, 0.0);
        [(0.5, 0), (0.9, 1), (0.5, 2)].iter().for_each(|(score, label)| best.push(*score, *label));
        assert_eq!(best.found, [(0.9, 1), (0.5, 0)]);
        let mut none = Best::new(0, 0.0);
        none.push(1.0, 0);
        assert!(none.found.is_empty());
    }
}
