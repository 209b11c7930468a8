//! Matrices of weights, dense or product-quantised.

use std::io::{Read, Write};

use super::source::Source;
use super::{Error, Result};

/// Centroids of a subquantiser: one byte names one.
const CENTROIDS: usize = 256;

/// A matrix of a model.
#[derive(Debug)]
pub(super) enum Matrix {
    Dense(Dense),
    Quantised(Quantised),
}

/// Rows of numbers.
#[derive(Debug, Clone)]
pub(super) struct Dense {
    pub(super) columns: usize,
    pub(super) weights: Vec<f32>,
}

/// Rows as centroids' numbers (Jégou et al. 2011, as fastText.zip has them).
#[derive(Debug)]
pub(super) struct Quantised {
    rows: usize,
    codes: Vec<u8>,
    quantiser: Quantiser,
    /// The rows' norms, where the codes are of rows divided by them.
    norms: Option<(Vec<u8>, Quantiser)>,
}

/// A product quantiser: a row is cut into parts, and each part is one of [`CENTROIDS`].
#[derive(Debug)]
struct Quantiser {
    columns: usize,
    part_columns: usize,
    centroids: Vec<f32>,
}

impl Matrix {
    /// Reads a matrix of at least one row; `columns` is what it must have.
    pub(super) fn read(source: &mut Source<impl Read>, quantised: bool, columns: u32) -> Result<Self> {
        let matrix = if quantised {
            Self::Quantised(Quantised::read(source)?)
        } else {
            Self::Dense(Dense::read(source)?)
        };
        let found = match &matrix {
            Self::Dense(dense) => dense.columns,
            Self::Quantised(quantised) => quantised.quantiser.columns,
        };
        if found != columns as usize {
            return Err(Error::format(format!("has a matrix of {found} columns for vectors of {columns}")));
        }
        Ok(matrix)
    }

    pub(super) fn rows(&self) -> usize {
        match self {
            Self::Dense(dense) => dense.weights.len() / dense.columns,
            Self::Quantised(quantised) => quantised.rows,
        }
    }

    /// Adds a row to a vector.
    pub(super) fn add_row(&self, row: usize, vector: &mut [f32]) {
        match self {
            Self::Dense(dense) => {
                vector.iter_mut().zip(dense.row(row)).for_each(|(sum, weight)| *sum += weight);
            }
            Self::Quantised(quantised) => {
                let norm = quantised.norm(row);
                for (start, part) in quantised.parts(row) {
                    let sums = vector.iter_mut().skip(start);
                    sums.zip(part).for_each(|(sum, weight)| *sum += norm * weight);
                }
            }
        }
    }

    /// Returns the product of a row and a vector.
    pub(super) fn dot_row(&self, row: usize, vector: &[f32]) -> f32 {
        match self {
            Self::Dense(dense) => dot(vector, dense.row(row)),
            Self::Quantised(quantised) => {
                let parts = quantised.parts(row);
                let sum: f32 = parts.map(|(start, part)| dot(&vector[start..], part)).sum();
                sum * quantised.norm(row)
            }
        }
    }
}

/// Returns the product of two vectors, over the shorter of them.
pub(super) fn dot(a: &[f32], b: &[f32]) -> f32 {
    a.iter().zip(b).map(|(a, b)| a * b).sum()
}

impl Dense {
    fn read(source: &mut Source<impl Read>) -> Result<Self> {
        let (rows, columns) = (source.count64("rows")?, source.count64("columns")?);
        let columns_found = usize::try_from(columns).ok().filter(|columns| *columns > 0);
        let (Some(count), Some(columns)) = (rows.checked_mul(columns), columns_found) else {
            return Err(Error::format(format!("has a matrix of {rows} rows and {columns} columns")));
        };
        Ok(Self { columns, weights: source.floats(count)? })
    }

    pub(super) fn write(&self, out: &mut impl Write) -> std::io::Result<()> {
        let rows = self.weights.len() / self.columns;
        out.write_all(&(rows as u64).to_le_bytes())?;
        out.write_all(&(self.columns as u64).to_le_bytes())?;
        self.weights.iter().try_for_each(|weight| out.write_all(&weight.to_le_bytes()))
    }

    pub(super) fn row(&self, row: usize) -> &[f32] {
        &self.weights[row * self.columns..][..self.columns]
    }

    pub(super) fn row_mut(&mut self, row: usize) -> &mut [f32] {
        &mut self.weights[row * self.columns..][..self.columns]
    }
}

impl Quantised {
    fn read(source: &mut Source<impl Read>) -> Result<Self> {
        let has_norms = source.bool()?;
        let (rows, columns) = (source.count64("rows")?, source.count64("columns")?);
        let code_bytes = u64::from(source.count32("codes")?);
        let codes = source.bytes(code_bytes)?;
        let quantiser = Quantiser::read(source, columns)?;
        if rows.checked_mul(quantiser.parts() as u64) != Some(code_bytes) {
            return Err(Error::format(format!("has {code_bytes} codes for {rows} rows")));
        }
        let norms = if has_norms {
            let codes = source.bytes(rows)?;
            Some((codes, Quantiser::read(source, 1)?))
        } else {
            None
        };
        // No more than the codes, which are in memory.
        Ok(Self { rows: rows as usize, codes, quantiser, norms })
    }

    fn norm(&self, row: usize) -> f32 {
        match &self.norms {
            Some((codes, quantiser)) => quantiser.centroids[usize::from(codes[row])],
            None => 1.0,
        }
    }

    /// Returns the parts of a row, each with the column it begins at.
    fn parts(&self, row: usize) -> impl Iterator<Item = (usize, &[f32])> {
        let (quantiser, count) = (&self.quantiser, self.quantiser.parts());
        let codes = &self.codes[row * count..][..count];
        codes.iter().enumerate().map(|(part, code)| {
            let start = part * quantiser.part_columns;
            // The last part may be narrower; its centroids lie as close as the others'.
            let width = quantiser.part_columns.min(quantiser.columns - start);
            (start, &quantiser.centroids[start * CENTROIDS + usize::from(*code) * width..][..width])
        })
    }
}

impl Quantiser {
    fn read(source: &mut Source<impl Read>, columns_expected: u64) -> Result<Self> {
        let columns = source.count32("columns")? as usize;
        let parts = source.count32("parts")? as usize;
        let part_columns = source.count32("columns of a part")? as usize;
        let last_columns = source.count32("columns of a last part")? as usize;
        let fits = columns as u64 == columns_expected
            && columns > 0
            && part_columns > 0
            && parts == columns.div_ceil(part_columns)
            && last_columns == columns - (parts - 1) * part_columns;
        if !fits {
            return Err(Error::format(format!(
                "cuts {columns_expected} columns into {parts} parts of {part_columns} and {last_columns}"
            )));
        }
        let centroids = source.floats((columns * CENTROIDS) as u64)?;
        Ok(Self { columns, part_columns, centroids })
    }

    fn parts(&self) -> usize {
        self.columns.div_ceil(self.part_columns)
    }
}
