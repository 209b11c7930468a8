//! Containers, told by their first bytes: what a file is, whatever its name says.

/// How a Parquet file begins.
pub(crate) const PARQUET_MAGIC: &[u8] = b"PAR1";

/// Formats that are known and hold no lines, by how they begin.
const FOREIGN: [(&[u8], &str); 19] = [
    (PARQUET_MAGIC, "Parquet: let its name end with .parquet"),
    (b"PK\x03\x04", "a zip archive"),
    (b"PK\x05\x06", "an empty zip archive"),
    (b"7z\xbc\xaf\x27\x1c", "a 7z archive"),
    (b"Rar!\x1a\x07", "a RAR archive"),
    (b"ARROW1", "an Arrow file"),
    (b"FEA1", "a Feather file"),
    (b"ORC", "an ORC file"),
    (b"Obj\x01", "an Avro file"),
    (b"SQLite format 3\0", "an SQLite database"),
    (b"\x89HDF\r\n\x1a\n", "an HDF5 file"),
    (b"\x93NUMPY", "a NumPy array"),
    (b"%PDF-", "a PDF"),
    (b"\x89PNG\r\n\x1a\n", "a PNG image"),
    (b"\xff\xd8\xff", "a JPEG image"),
    (b"GIF8", "a GIF image"),
    (b"\x7fELF", "a program"),
    (b"\x1f\x9d", "compressed by compress(1)"),
    (b"\x5d\x00\x00\x80\x00\xff\xff", "compressed by lzma"),
];

/// Returns what a file that begins so is, if it is known to hold no lines of text.
pub(crate) fn foreign(head: &[u8]) -> Option<&'static str> {
    FOREIGN.iter().find(|(magic, _)| head.starts_with(magic)).map(|(_, name)| *name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_container_is_told_from_text() {
        assert_eq!(foreign(b"PK\x03\x04\x14\0"), Some("a zip archive"));
        assert_eq!(foreign(b"ARROW1\0\0"), Some("an Arrow file"));
        for text in [&b"{\"text\": 1}"[..], b"http://h/a.jpg\n", b"url,caption\n", b"", b"PAR", b"Objective"]
        {
            assert_eq!(foreign(text), None);
        }
    }
}
