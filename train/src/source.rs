//! A source's sequences in training order: the sampler's visits, read from the parts.
//!
//! In memory is one window: `window_blocks` blocks of about `block_bytes_max` stored bytes.

use std::sync::Arc;

use corpus::record::Sequence;
use corpus::table::Record;
use corpus::{Dataset, Part};

use crate::permutation::Permutation;
use crate::sampler::{Block, Position, Rank, Sampler, blocks_of};
use crate::{Config, Error, Kind, Result};

/// Gives a source's training sequences without end, epoch after epoch.
#[derive(Debug)]
pub struct Source {
    kind: Kind,
    dataset: Dataset,
    parts: Arc<[Part]>,
    blocks: Vec<Block>,
    sampler: Sampler,
    position: Position,
    window: Option<Window>,
}

/// Where a source's sequences are: runs of rows, by the indexes of their parts. The parts are those of all sources.
#[derive(Debug, Clone)]
pub struct SourceRows {
    /// The dataset.
    pub dataset: Dataset,
    /// Its parts.
    pub parts: Arc<[Part]>,
    /// Runs of rows.
    pub runs: Vec<Block>,
}

/// Rows read together; those given out are gone.
#[derive(Debug)]
struct Window {
    rows: Vec<Option<Sequence>>,
    order: Permutation,
}

impl Source {
    /// Opens a source at a position; nothing is read yet.
    ///
    /// `name` keeps the orders of different sources apart.
    ///
    /// # Errors
    /// [`Error::NoSequences`] when its parts have fewer blocks than there are ranks.
    pub fn open(
        config: &Config,
        (kind, name): (Kind, &str),
        rows: SourceRows,
        rank: Rank,
        position: Position,
    ) -> Result<Self> {
        let SourceRows { dataset, parts, runs } = rows;
        let sizes: Vec<(u64, u64)> = parts.iter().map(|part| (part.rows, part.bytes)).collect();
        let blocks = blocks_of(&runs, &sizes, config.block_bytes_max);
        let stream = format!("train.{kind}.{name}");
        let block_count = blocks.len() as u64;
        let sampler = Sampler::new(config.seed, &stream, block_count, config.window_blocks, rank)
            .ok_or_else(|| Error::NoSequences {
                kind,
                reason: format!("{name:?} has {block_count} blocks of rows for {} processes", rank.count),
            })?;
        Ok(Self { kind, dataset, parts, blocks, sampler, position, window: None })
    }

    /// Returns how far it has come.
    pub fn position(&self) -> Position {
        self.position
    }

    /// Returns the next training sequence.
    ///
    /// # Errors
    /// When a part cannot be read.
    pub fn next_sequence(&mut self) -> Result<Sequence> {
        // The rest of the begun window, and one epoch, in which the window comes again.
        for _ in 0..=self.sampler.window_count() {
            let mut window = match self.window.take() {
                Some(window) => window,
                None => self.read_window()?,
            };
            if let Some(sequence) = window.next(&mut self.position.row) {
                self.window = Some(window);
                return Ok(sequence);
            }
            self.position = self.sampler.next_window(self.position);
        }
        Err(Error::NoSequences { kind: self.kind, reason: "a whole epoch has none".to_owned() })
    }

    fn read_window(&self) -> Result<Window> {
        let Position { epoch, window, .. } = self.position;
        let mut rows = Vec::new();
        for index in self.sampler.window(epoch, window) {
            let block = usize::try_from(index).ok().and_then(|index| self.blocks.get(index));
            let Some(block) = block else { continue };
            let Some(part) = self.parts.get(block.part) else { continue };
            for row in rows_of(&self.dataset, part, *block)? {
                rows.push(Some(row?));
            }
        }
        let order = self.sampler.row_order(epoch, window, rows.len() as u64);
        Ok(Window { rows, order })
    }
}

/// Reads the rows of a block, as many as it has.
///
/// # Errors
/// When the part cannot be opened; each row's own, and that of a part that ends before its manifest says.
pub(crate) fn rows_of(
    dataset: &Dataset,
    part: &Part,
    block: Block,
) -> corpus::Result<impl Iterator<Item = corpus::Result<Sequence>> + use<>> {
    let mut reader = dataset.open_rows::<Sequence>(part, block.row_start, block.row_count)?;
    let (path, rows) = (part.path.clone(), part.rows);
    let too_few = move || {
        let detail = format!("fewer rows than the {rows} of its manifest");
        Err(corpus::Error::Table { path: path.clone(), table: Sequence::TABLE, detail })
    };
    Ok((0..block.row_count).map(move |_| reader.next().unwrap_or_else(&too_few)))
}

impl Window {
    /// Returns the next training sequence at or after a place in the order, and moves past it.
    fn next(&mut self, place: &mut u64) -> Option<Sequence> {
        while *place < self.rows.len() as u64 {
            let row = self.order.at(*place) as usize;
            *place += 1;
            if let Some(sequence) = self.rows.get_mut(row).and_then(Option::take) {
                return Some(sequence);
            }
        }
        None
    }
}
