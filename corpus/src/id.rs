//! An id is an address: where in which file of which source a record came from.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

const FILE_BITS: u32 = 20;
const POSITION_BITS: u32 = 36;

/// Largest file index within a source, 2^20 - 1.
pub const FILE_INDEX_MAX: u32 = (1 << FILE_BITS) - 1;
/// Largest position within a file, 2^36 - 1.
pub const POSITION_MAX: u64 = (1 << POSITION_BITS) - 1;

/// The number of a source, fixed in the configuration and never reused.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, schemars::JsonSchema,
)]
#[serde(transparent)]
pub struct SourceCode(pub u8);

/// Address of a record: source (8 bits), file (20 bits), position (36 bits).
///
/// The position is the member's byte offset in a WARC and the row elsewhere. Ids sort in
/// input order, join cheaply, and lead back to the source without a table.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, schemars::JsonSchema,
)]
#[serde(transparent)]
pub struct Id(u64);

/// An address that does not fit its bits, or a text that is not one.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum IdError {
    /// The file index is above [`FILE_INDEX_MAX`].
    #[error("file index {0} is above {FILE_INDEX_MAX}")]
    File(u32),
    /// The position is above [`POSITION_MAX`].
    #[error("position {0} is above {POSITION_MAX}")]
    Position(u64),
    /// The text is not of the form `source:file:position`.
    #[error("{0:?} is not an id of the form source:file:position")]
    Text(String),
}

impl Id {
    /// Returns the id of an address.
    ///
    /// # Errors
    /// When the file index or the position does not fit.
    pub fn new(source: SourceCode, file: u32, position: u64) -> Result<Self, IdError> {
        if file > FILE_INDEX_MAX {
            return Err(IdError::File(file));
        }
        if position > POSITION_MAX {
            return Err(IdError::Position(position));
        }
        let high = u64::from(source.0) << (FILE_BITS + POSITION_BITS);
        Ok(Self(high | u64::from(file) << POSITION_BITS | position))
    }

    /// Returns the id stored as a number, as tables hold it.
    pub const fn from_bits(bits: u64) -> Self {
        Self(bits)
    }

    /// Returns the number that tables hold.
    pub const fn to_bits(self) -> u64 {
        self.0
    }

    /// Returns the source's number.
    pub const fn source(self) -> SourceCode {
        SourceCode((self.0 >> (FILE_BITS + POSITION_BITS)) as u8)
    }

    /// Returns the file's index in the source's listing.
    pub const fn file(self) -> u32 {
        (self.0 >> POSITION_BITS) as u32 & FILE_INDEX_MAX
    }

    /// Returns the record's byte offset (WARC) or row within the file.
    pub const fn position(self) -> u64 {
        self.0 & POSITION_MAX
    }
}

impl fmt::Display for Id {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}:{}", self.source().0, self.file(), self.position())
    }
}

impl FromStr for Id {
    type Err = IdError;

    fn from_str(text: &str) -> Result<Self, IdError> {
        let malformed = || IdError::Text(text.to_owned());
        let mut fields = text.split(':');
        let mut next = || fields.next().ok_or_else(malformed);
        let source = next()?.parse().map_err(|_| malformed())?;
        let file = next()?.parse().map_err(|_| malformed())?;
        let position = next()?.parse().map_err(|_| malformed())?;
        if fields.next().is_some() {
            return Err(malformed());
        }
        Self::new(SourceCode(source), file, position)
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn an_id_leads_back_to_its_address(source: u8, file in 0..=FILE_INDEX_MAX, position in 0..=POSITION_MAX) {
            let id = Id::new(SourceCode(source), file, position).unwrap();
            prop_assert_eq!((id.source().0, id.file(), id.position()), (source, file, position));
            prop_assert_eq!(id.to_string().parse::<Id>().unwrap(), id);
            prop_assert_eq!(Id::from_bits(id.to_bits()), id);
        }

        #[test]
        fn ids_sort_in_input_order(a: (u8, u16, u32), b: (u8, u16, u32)) {
            let id = |t: (u8, u16, u32)| Id::new(SourceCode(t.0), t.1.into(), t.2.into()).unwrap();
            prop_assert_eq!(a.cmp(&b), id(a).cmp(&id(b)));
        }
    }

    #[test]
    fn an_address_beyond_the_bits_is_refused() {
        let code = SourceCode(1);
        assert_eq!(Id::new(code, FILE_INDEX_MAX + 1, 0), Err(IdError::File(FILE_INDEX_MAX + 1)));
        assert_eq!(Id::new(code, 0, POSITION_MAX + 1), Err(IdError::Position(POSITION_MAX + 1)));
        assert!("1:2".parse::<Id>().is_err());
        assert!("1:2:3:4".parse::<Id>().is_err());
    }
}
