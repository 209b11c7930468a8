//! Rows of CSV and TSV, as Python's `csv` reads them: a header, quotes around what holds delimiters or line ends.

use std::path::Path;

use csv_core::{ReadRecordResult, ReaderBuilder};
use serde_json::{Map, Value};

use super::{RowsError, read_all};

/// Words of a column's name from which on it is none.
const ITEM_WORDS_MIN: usize = 6;

/// Calls `row` with every row, its fields by the names of the header; with the header too, if that is an item.
pub(super) fn for_each_row(
    path: &Path,
    delimiter: u8,
    row: &mut impl FnMut(&Value),
) -> Result<(), RowsError> {
    let bytes = read_all(path)?;
    let mut reader = ReaderBuilder::new().delimiter(delimiter).build();
    // Fields are no longer than the file; a row has no more of them than bytes.
    let (mut fields, mut ends) = (vec![0; bytes.len() + 1], Vec::new());
    let (mut at, mut header) = (0, None::<Vec<String>>);
    loop {
        let line = reader.line();
        let (mut written, mut count) = (0, 0);
        loop {
            ends.resize(2 * count + 64, 0);
            let (result, read, more, ended) =
                reader.read_record(&bytes[at..], &mut fields[written..], &mut ends[count..]);
            (at, written, count) = (at + read, written + more, count + ended);
            match result {
                ReadRecordResult::InputEmpty | ReadRecordResult::OutputEndsFull => {}
                ReadRecordResult::OutputFull | ReadRecordResult::End => return Ok(()),
                ReadRecordResult::Record => break,
            }
        }
        let begins = std::iter::once(0).chain(ends[..count].iter().copied());
        let texts = begins.zip(&ends[..count]).map(|(begin, end)| std::str::from_utf8(&fields[begin..*end]));
        let texts: Result<Vec<_>, _> = texts.collect();
        let bad = |detail| RowsError::Row { path: path.to_owned(), line, detail };
        let texts = texts.map_err(|error| bad(error.to_string()))?;
        match &header {
            None => {
                // Published sets often have no header: what reads like an item is one.
                if texts.iter().any(|text| text.split_whitespace().count() >= ITEM_WORDS_MIN) {
                    let numbered = (0..).map(|number: usize| number.to_string());
                    let item = numbered.zip(texts.iter().map(|text| Value::from(*text)));
                    row(&Value::Object(item.collect::<Map<_, _>>()));
                }
                header = Some(texts.into_iter().map(str::to_owned).collect());
            }
            Some(header) => {
                let named = header.iter().cloned().zip(texts.into_iter().map(Value::from));
                row(&Value::Object(named.collect::<Map<_, _>>()));
            }
        }
    }
}
