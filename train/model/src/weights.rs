//! Arrays in safetensors files, read one at a time and written with the same
//! bytes for the same values.
//!
//! A file is read by its header, so that a checkpoint never has to be in memory
//! as a whole beside the model. Every offset is checked against the file's size
//! before anything is allocated.

use std::{
    borrow::Cow,
    collections::{BTreeMap, HashMap},
    fs::File,
    io::{Read, Seek, SeekFrom},
    path::{Path, PathBuf},
};

use half::{bf16, f16};
use safetensors::{
    Dtype, View,
    tensor::{Metadata, TensorInfo},
};

use crate::{Error, Result};

/// Largest header, in bytes; the safetensors format's own bound.
const HEADER_BYTES_MAX: u64 = 100_000_000;
/// Bytes of the header's length, which begins a file.
const HEADER_LENGTH_BYTES: u64 = 8;

/// An open safetensors file.
#[derive(Debug)]
pub struct WeightsFile {
    path: PathBuf,
    file: File,
    metadata: Metadata,
    data_offset: u64,
}

impl WeightsFile {
    /// Reads and checks the header.
    ///
    /// # Errors
    /// When it is no safetensors file, or is cut.
    pub fn open(path: &Path) -> Result<Self> {
        let io = |source| Error::Io { path: path.to_owned(), source };
        let format = |reason: String| Error::Format { path: path.to_owned(), reason };
        let mut file = File::open(path).map_err(io)?;
        let file_bytes = file.metadata().map_err(io)?.len();
        let mut length = [0; HEADER_LENGTH_BYTES as usize];
        file.read_exact(&mut length).map_err(io)?;
        let header_bytes = u64::from_le_bytes(length);
        if header_bytes > HEADER_BYTES_MAX.min(file_bytes) {
            return Err(format(format!("a header of {header_bytes} bytes")));
        }
        let mut header = vec![0; header_bytes as usize];
        file.read_exact(&mut header).map_err(io)?;
        let metadata: Metadata =
            serde_json::from_slice(&header).map_err(|error| format(error.to_string()))?;
        let data_offset = HEADER_LENGTH_BYTES + header_bytes;
        let expected_bytes = data_offset.checked_add(metadata.data_len() as u64);
        if expected_bytes != Some(file_bytes) {
            return Err(format(format!("{file_bytes} bytes do not match the header")));
        }
        Ok(Self { path: path.to_owned(), file, metadata, data_offset })
    }

    /// Returns the names of all arrays, in their order in the file.
    pub fn names(&self) -> Vec<String> {
        self.metadata.offset_keys()
    }

    /// Returns the shape of an array of floating-point numbers; nothing if there is none.
    pub fn float_shape(&self, name: &str) -> Option<&[usize]> {
        let info = self.metadata.info(name)?;
        matches!(info.dtype, Dtype::F32 | Dtype::F16 | Dtype::BF16).then_some(&info.shape)
    }

    /// Checks that the array exists, holds floating-point numbers and has this shape.
    ///
    /// # Errors
    /// When it does not.
    pub fn expect(&self, name: &str, shape: &[usize]) -> Result<()> {
        match self.float_shape(name) {
            Some(found) if found == shape => Ok(()),
            Some(found) => Err(self.array_error(name, format!("has shape {found:?}, expected {shape:?}"))),
            None => Err(self.array_error(name, "is missing or does not hold floats".to_owned())),
        }
    }

    /// Reads an array of float32, float16 or bfloat16 numbers.
    ///
    /// # Errors
    /// When there is none of the name, or it holds something else.
    pub fn read_floats(&mut self, name: &str) -> Result<Vec<f32>> {
        let (dtype, bytes) = self.read_bytes(name)?;
        Ok(match dtype {
            Dtype::F32 => decode(&bytes, f32::from_le_bytes),
            Dtype::F16 => decode(&bytes, |b| f16::from_le_bytes(b).to_f32()),
            Dtype::BF16 => decode(&bytes, |b| bf16::from_le_bytes(b).to_f32()),
            other => return Err(self.array_error(name, format!("has type {other:?}"))),
        })
    }

    /// Reads an array of one 64-bit integer.
    ///
    /// # Errors
    /// As [`Self::read_floats`].
    pub fn read_integer(&mut self, name: &str) -> Result<i64> {
        let (dtype, bytes) = self.read_bytes(name)?;
        match (dtype, <[u8; 8]>::try_from(bytes.as_slice())) {
            (Dtype::I64, Ok(bytes)) => Ok(i64::from_le_bytes(bytes)),
            _ => Err(self.array_error(name, "is not one 64-bit integer".to_owned())),
        }
    }

    fn read_bytes(&mut self, name: &str) -> Result<(Dtype, Vec<u8>)> {
        let Some(&TensorInfo { dtype, data_offsets: (start, end), .. }) = self.metadata.info(name) else {
            return Err(self.array_error(name, "is missing".to_owned()));
        };
        // The header was checked against the file's size, which bounds this.
        let mut bytes = vec![0; end - start];
        self.file
            .seek(SeekFrom::Start(self.data_offset + start as u64))
            .and_then(|_| self.file.read_exact(&mut bytes))
            .map_err(|source| Error::Io { path: self.path.clone(), source })?;
        Ok((dtype, bytes))
    }

    fn array_error(&self, name: &str, reason: String) -> Error {
        Error::Array { path: self.path.clone(), name: name.to_owned(), reason }
    }
}

/// An array to be written.
#[derive(Debug)]
pub struct Saved<'a> {
    /// The type of its values.
    pub dtype: Dtype,
    /// Sizes, outermost first.
    pub shape: Vec<usize>,
    /// Little-endian values, row-major.
    pub bytes: Cow<'a, [u8]>,
}

impl View for &Saved<'_> {
    fn dtype(&self) -> Dtype {
        self.dtype
    }

    fn shape(&self) -> &[usize] {
        &self.shape
    }

    fn data(&self) -> Cow<'_, [u8]> {
        Cow::Borrowed(&self.bytes)
    }

    fn data_len(&self) -> usize {
        self.bytes.len()
    }
}

/// Writes arrays, replacing the file at once; the same arrays give the same bytes.
///
/// # Errors
/// When the disk refuses.
pub fn write(path: &Path, arrays: &BTreeMap<String, Saved<'_>>) -> Result<()> {
    // One entry only: several would be written in the order of a hash map.
    let metadata = HashMap::from([("format".to_owned(), "pt".to_owned())]);
    safetensors::serialize_to_file(arrays, Some(metadata), path).map_err(|error| match error {
        safetensors::SafeTensorError::IoError(source) => Error::Io { path: path.to_owned(), source },
        other => Error::Format { path: path.to_owned(), reason: other.to_string() },
    })
}

/// Returns the little-endian bytes of numbers.
pub fn encode(values: &[f32]) -> Vec<u8> {
    values.iter().flat_map(|value| value.to_le_bytes()).collect()
}

fn decode<const N: usize>(bytes: &[u8], value: impl Fn([u8; N]) -> f32) -> Vec<f32> {
    bytes.as_chunks::<N>().0.iter().map(|&chunk| value(chunk)).collect()
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn saved(dtype: Dtype, shape: &[usize], bytes: Vec<u8>) -> Saved<'static> {
        Saved { dtype, shape: shape.to_vec(), bytes: Cow::Owned(bytes) }
    }

    #[test]
    fn halves_are_widened_and_integers_read() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.safetensors");
        let arrays = BTreeMap::from([
            ("half".to_owned(), saved(Dtype::F16, &[1], f16::from_f32(1.5).to_le_bytes().into())),
            ("brain".to_owned(), saved(Dtype::BF16, &[1], bf16::from_f32(-2.0).to_le_bytes().into())),
            ("step".to_owned(), saved(Dtype::I64, &[1], 7_i64.to_le_bytes().into())),
        ]);
        write(&path, &arrays).unwrap();
        let mut file = WeightsFile::open(&path).unwrap();
        assert_eq!(file.read_floats("half").unwrap(), [1.5]);
        assert_eq!(file.read_floats("brain").unwrap(), [-2.0]);
        assert_eq!(file.read_integer("step").unwrap(), 7);
        assert!(file.read_floats("step").is_err());
        assert!(file.read_integer("half").is_err());
        assert!(file.expect("half", &[2]).is_err());
        assert!(file.expect("none", &[1]).is_err());
    }

    #[test]
    fn a_truncated_file_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.safetensors");
        let arrays = BTreeMap::from([("a".to_owned(), saved(Dtype::F32, &[4], encode(&[1.0; 4])))]);
        write(&path, &arrays).unwrap();
        let bytes = std::fs::read(&path).unwrap();
        for len in [0, 4, 8, 20, bytes.len() - 1] {
            std::fs::write(&path, &bytes[..len]).unwrap();
            assert!(WeightsFile::open(&path).is_err(), "{len} bytes");
        }
    }

    proptest! {
        #[test]
        fn floats_come_back_and_equal_arrays_give_equal_bytes(values in prop::collection::vec(any::<f32>(), 0..50)) {
            let folder = tempfile::tempdir().unwrap();
            let paths = ["a", "b"].map(|name| folder.path().join(name));
            for path in &paths {
                let arrays = ["x", "y", "z"].map(|name| {
                    (name.to_owned(), saved(Dtype::F32, &[values.len()], encode(&values)))
                });
                write(path, &BTreeMap::from(arrays)).unwrap();
            }
            prop_assert_eq!(std::fs::read(&paths[0]).unwrap(), std::fs::read(&paths[1]).unwrap());
            let read = WeightsFile::open(&paths[0]).unwrap().read_floats("y").unwrap();
            prop_assert_eq!(encode(&read), encode(&values));
        }

        #[test]
        fn arbitrary_bytes_never_panic(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
            let folder = tempfile::tempdir().unwrap();
            let path = folder.path().join("a");
            std::fs::write(&path, &bytes).unwrap();
            prop_assert!(WeightsFile::open(&path).is_err());
        }
    }
}
