//! What a sorter takes: rows that can be compared, and written to scratch files and read back.

use std::io::{self, Read, Write};

/// Stands for the length of a text that is not there.
const NONE: u32 = u32::MAX;

/// A row.
pub trait Row: Ord + Sized {
    /// Returns the bytes that it takes in memory, with its place in a list of them.
    fn memory_bytes(&self) -> usize;

    /// Writes it to a scratch file.
    ///
    /// # Errors
    /// When the disk refuses.
    fn write(&self, out: &mut impl Write) -> io::Result<()>;

    /// Reads back what [`Self::write`] wrote.
    ///
    /// # Errors
    /// When the disk refuses, or something else stands there.
    fn read(input: &mut impl Read) -> io::Result<Self>;
}

impl<const N: usize> Row for [u64; N] {
    fn memory_bytes(&self) -> usize {
        size_of::<Self>()
    }

    fn write(&self, out: &mut impl Write) -> io::Result<()> {
        self.iter().try_for_each(|number| out.write_all(&number.to_le_bytes()))
    }

    fn read(input: &mut impl Read) -> io::Result<Self> {
        let mut row = [0; N];
        for number in &mut row {
            let mut bytes = [0; size_of::<u64>()];
            input.read_exact(&mut bytes)?;
            *number = u64::from_le_bytes(bytes);
        }
        Ok(row)
    }
}

/// Writes a text of a row, or that there is none.
///
/// # Errors
/// When the disk refuses, or the text has 4 GiB.
pub fn write_text(out: &mut impl Write, text: Option<&str>) -> io::Result<()> {
    let length = text.map_or(Ok(NONE), |text| u32::try_from(text.len()).map_err(io::Error::other))?;
    out.write_all(&length.to_le_bytes())?;
    out.write_all(text.unwrap_or_default().as_bytes())
}

/// Reads back what [`write_text`] wrote.
///
/// # Errors
/// When the disk refuses, or something else stands there.
pub fn read_text(input: &mut impl Read) -> io::Result<Option<String>> {
    let mut length = [0; size_of::<u32>()];
    input.read_exact(&mut length)?;
    let length = u32::from_le_bytes(length);
    if length == NONE {
        return Ok(None);
    }
    // A length that the file does not have is found out before memory is taken for it.
    let mut text = String::new();
    match input.take(length.into()).read_to_string(&mut text)? {
        read if read == length as usize => Ok(Some(text)),
        _ => Err(io::ErrorKind::UnexpectedEof.into()),
    }
}
