//! What goes into an image's slots: its features, or the encoded image.

use std::collections::VecDeque;

use bytes::Bytes;
use corpus::record::{FEATURES, Features};
use corpus::table::Reader;
use corpus::{Dataset, Error, Id, Part, Result};

use crate::pack::PackError;

/// Gives the payloads of the images of one part, in their order.
pub(crate) enum Payloads<'d> {
    /// The encoded images themselves.
    Encoded,
    /// Rows of a features stage.
    Features(Box<Aligned<'d>>),
}

impl<'d> Payloads<'d> {
    /// Begins with the first image of a task, or inside of it when the task is resumed.
    ///
    /// A features stage has one task per part of its images and one row per image, so that
    /// the task of the same number holds the features of a part.
    ///
    /// # Errors
    /// When the list of their parts cannot be read.
    pub(crate) fn open(
        features: Option<&'d Dataset>,
        stage: &'d str,
        task: u32,
        is_resumed: bool,
    ) -> Result<Self> {
        let Some(dataset) = features else {
            return Ok(Self::Encoded);
        };
        let parts = dataset.parts_of_task(FEATURES, task)?.into();
        Ok(Self::Features(Box::new(Aligned { dataset, stage, parts, reader: None, seeks: is_resumed })))
    }

    /// Returns the payload of the next image.
    ///
    /// # Errors
    /// When the features are not those of this image.
    pub(crate) fn next(&mut self, id: Id, slot: u16, encoded: Bytes) -> Result<Bytes> {
        match self {
            Self::Encoded => Ok(encoded),
            Self::Features(aligned) => aligned.next(id, slot),
        }
    }
}

/// The rows of one features task, checked one by one against the images they are for.
pub(crate) struct Aligned<'d> {
    dataset: &'d Dataset,
    stage: &'d str,
    parts: VecDeque<Part>,
    reader: Option<Reader<Features>>,
    /// Whether rows of images before the resumed position are still to be passed over.
    seeks: bool,
}

impl Aligned<'_> {
    fn next(&mut self, id: Id, slot: u16) -> Result<Bytes> {
        while let Some(row) = self.row()? {
            if (row.id, row.slot) == (id, slot) {
                self.seeks = false;
                return Ok(row.values);
            }
            if !self.seeks {
                let error =
                    PackError::FeaturesMisaligned { id, slot, found_id: row.id, found_slot: row.slot };
                return Err(Error::work(self.stage, error));
            }
        }
        Err(Error::work(self.stage, PackError::FeaturesMissing { id, slot }))
    }

    fn row(&mut self) -> Result<Option<Features>> {
        loop {
            if let Some(row) = self.reader.as_mut().and_then(Iterator::next) {
                return row.map(Some);
            }
            match self.parts.pop_front() {
                Some(part) => self.reader = Some(self.dataset.open(&part)?),
                None => return Ok(None),
            }
        }
    }
}
