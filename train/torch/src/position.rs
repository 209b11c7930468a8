//! Positions: xPos rotations of queries and keys, and fairseq's sinusoids.
//!
//! Shapes: b rows, h heads, s sequence, k head width, d model width.

use tch::{Device, Kind, Tensor};

use super::Result;

/// xPos's decay: positions apart before the scale changes by one power (torchscale's
/// `scale_base`).
const SCALE_BASE: f64 = 512.0;
/// xPos's gamma: keeps the slowest scale away from zero.
const GAMMA: f64 = 0.4;
/// Wave length of rotations and sinusoids, over 2 pi.
const WAVE_BASE: f64 = 10_000.0;
/// fairseq's first position: one after the padding id.
const FIRST_POSITION: i64 = model::PADDING_ID as i64 + 1;

/// xPos for one sequence length: neighbouring pairs of values are turned as complex
/// numbers, by an angle and a scale that grows for queries and shrinks for keys.
///
/// Only distances matter to the product of the two; the scale is centred on the middle of
/// the sequence to keep numbers near one. float32, also under autocast.
#[derive(Debug)]
pub(crate) struct Rotation {
    query_sk: Tensor,
    key_sk: Tensor,
}

impl Rotation {
    /// Computes the tables of torchscale's `xpos_relative_position.py`.
    pub(crate) fn new(sequence: i64, head_width: i64, device: Device) -> Result<Self> {
        let float = (Kind::Float, device);
        let pairs = head_width / 2;
        let base = Tensor::f_arange_start_step(0, head_width, 2, float)?
            .f_add_scalar(GAMMA * head_width as f64)?
            .f_div_scalar((1.0 + GAMMA) * head_width as f64)?;
        let first = (-sequence).div_euclid(2);
        let power = Tensor::f_arange_start(first, sequence + first, float)?
            .f_div_scalar(SCALE_BASE)?
            .f_unsqueeze(1)?;
        let scale_sk = base.f_pow(&power)?;
        let frequency =
            Tensor::f_pow_scalar(WAVE_BASE, &Tensor::f_arange(pairs, float)?.f_div_scalar(pairs as f64)?)?
                .f_reciprocal()?;
        let angle_sk = Tensor::f_arange(sequence, float)?.f_outer(&frequency)?;
        Ok(Self {
            query_sk: Tensor::f_polar(&scale_sk, &angle_sk)?,
            key_sk: Tensor::f_polar(&scale_sk.f_reciprocal()?, &angle_sk)?,
        })
    }

    /// Returns the tables of tokens at these positions, `[row, 1, sequence, pair]`.
    pub(crate) fn at(&self, positions_bs: &Tensor) -> Result<Self> {
        Ok(Self {
            query_sk: at(&self.query_sk, positions_bs)?.f_unsqueeze(1)?,
            key_sk: at(&self.key_sk, positions_bs)?.f_unsqueeze(1)?,
        })
    }

    /// Turns queries, which are the last of the sequence.
    pub(crate) fn query(&self, q_bhsk: &Tensor) -> Result<Tensor> {
        turn(q_bhsk, &self.query_sk)
    }

    /// Turns keys.
    pub(crate) fn key(&self, k_bhsk: &Tensor) -> Result<Tensor> {
        turn(k_bhsk, &self.key_sk)
    }

    pub(crate) fn shallow_clone(&self) -> Self {
        Self { query_sk: self.query_sk.shallow_clone(), key_sk: self.key_sk.shallow_clone() }
    }
}

fn turn(x_bhsk: &Tensor, table_sk: &Tensor) -> Result<Tensor> {
    let (b, h, s, k) = x_bhsk.size4()?;
    // Of all rows alike, or of each.
    let table_sk = table_sk.f_slice(-2, -s, None::<i64>, 1)?;
    x_bhsk
        .f_to_kind(Kind::Float)?
        .f_reshape([b, h, s, k / 2, 2])?
        .f_view_as_complex()?
        .f_mul(&table_sk)?
        .f_view_as_real()?
        .f_flatten(-2, -1)
}

/// Returns fairseq's absolute positions for a sequence that begins after `offset` tokens:
/// sines, then cosines.
pub(crate) fn sinusoids(offset: i64, sequence: i64, width: i64, device: Device) -> Result<Tensor> {
    let float = (Kind::Float, device);
    let half = width / 2;
    let rate = -WAVE_BASE.ln() / (half - 1) as f64;
    let frequency = Tensor::f_arange(half, float)?.f_mul_scalar(rate)?.f_exp()?;
    let first = FIRST_POSITION + offset;
    let angle = Tensor::f_arange_start(first, first + sequence, float)?.f_outer(&frequency)?;
    Tensor::f_cat(&[angle.f_sin()?, angle.f_cos()?], 1)
}

/// Returns a table's rows at these positions, `[row, sequence, value]`.
pub(crate) fn at(table_sk: &Tensor, positions_bs: &Tensor) -> Result<Tensor> {
    let (b, s) = positions_bs.size2()?;
    table_sk.f_index_select(0, &positions_bs.f_flatten(0, 1)?)?.f_reshape([b, s, -1])
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    fn row(x: &Tensor, index: i64) -> Vec<f64> {
        Vec::<f64>::try_from(x.reshape([-1, 8]).get(index).to_kind(Kind::Double)).unwrap()
    }

    fn close(row: &[f64], expected: [f64; 8]) {
        let worst = row.iter().zip(expected).map(|(a, b)| (a - b).abs()).fold(0.0, f64::max);
        assert!(worst < 2e-6, "{row:?}");
    }

    #[test]
    fn xpos_turns_ones_as_torchscale_does() {
        let rotation = Rotation::new(5, 8, Device::Cpu).unwrap();
        let ones = Tensor::ones([1, 1, 5, 8], (Kind::Float, Device::Cpu));
        let (q, k) = (rotation.query(&ones).unwrap(), rotation.key(&ones).unwrap());
        let q0 = [1.007367, 1.007367, 1.004506, 1.004506, 1.002592, 1.002592, 1.001153, 1.001153];
        let q1 = [-0.302646, 1.388552, 0.897858, 1.098124, 0.991660, 1.011694, 0.999767, 1.001769];
        let q4 = [0.102907, -1.406999, 0.530846, 1.308517, 0.958383, 1.038293, 0.995609, 1.003606];
        let k0 = [0.992687, 0.992687, 0.995514, 0.995514, 0.997414, 0.997414, 0.998848, 0.998848];
        let k4 = [0.103412, -1.413901, 0.532440, 1.312445, 0.960039, 1.040087, 0.996375, 1.004378];
        for (table, index, expected) in [(&q, 0, q0), (&q, 1, q1), (&q, 4, q4), (&k, 0, k0), (&k, 4, k4)] {
            close(&row(table, index), expected);
        }
    }

    #[test]
    fn a_lone_query_is_turned_as_the_last_of_its_sequence() {
        let rotation = Rotation::new(5, 8, Device::Cpu).unwrap();
        let x = Tensor::arange(40, (Kind::Float, Device::Cpu)).reshape([1, 1, 5, 8]);
        let whole = rotation.query(&x).unwrap();
        let last = rotation.query(&x.narrow(2, 4, 1)).unwrap();
        assert_eq!(row(&whole, 4), row(&last, 0));
    }

    #[test]
    fn sinusoids_start_at_fairseqs_second_position() {
        let table = sinusoids(0, 3, 8, Device::Cpu).unwrap();
        let first = [0.909297, 0.092699, 0.004309, 0.000200, -0.416147, 0.995694, 0.999991, 1.0];
        close(&row(&table, 0), first);
        let later = sinusoids(2, 1, 8, Device::Cpu).unwrap();
        assert_eq!(row(&later, 0), row(&table, 2));
    }
}
