//! Containers, told by their first bytes: what a file is, whatever its name says.

/// How a Parquet file begins.
pub(crate) const PARQUET_MAGIC: &[u8] = b"PAR1";

/// Formats that are known and hold no lines, by how they begin.
const FOREIGN: [(&[u8], &str); 35] = [
    (PARQUET_MAGIC, "Parquet: let its name end with .parquet"),
    (b"PK\x03\x04", "a zip archive"),
    (b"PK\x05\x06", "an empty zip archive"),
    (b"7z\xbc\xaf\x27\x1c", "a 7z archive"),
    (b"Rar!\x1a\x07", "a RAR archive"),
    (b"ARROW1", "an Arrow file"),
    (b"FEA1", "a Feather file"),
    (b"Obj\x01", "an Avro file"),
    (b"SQLite format 3\0", "an SQLite database"),
    (b"\x89HDF\r\n\x1a\n", "an HDF5 file"),
    (b"\x93NUMPY", "a NumPy array"),
    (b"%PDF-", "a PDF"),
    (b"\x89PNG\r\n\x1a\n", "a PNG image"),
    (b"\xff\xd8\xff", "a JPEG image"),
    (b"GIF87a", "a GIF image"),
    (b"GIF89a", "a GIF image"),
    (b"RIFF", "a WebP image, a sound or a film"),
    (b"II*\0", "a TIFF image"),
    (b"MM\0*", "a TIFF image"),
    (b"\0\0\x01\0", "an icon"),
    (b"OggS", "a sound or a film"),
    (b"ID3", "a sound"),
    (b"FLV\x01", "a film"),
    (b"\x1a\x45\xdf\xa3", "a film"),
    (b"wOFF", "a font"),
    (b"wOF2", "a font"),
    (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", "an Office document"),
    (b"{\\rtf1", "an RTF document"),
    (b"%!PS-", "a PostScript document"),
    (b"\x7fELF", "a program"),
    (b"bplist00", "a property list, as Safari's archives are"),
    (b"\x1f\x9d", "compressed by compress(1)"),
    (b"\x89LZO\0", "compressed by lzop"),
    (
        b"version https://git-lfs.github.com/spec/",
        "a pointer of Git LFS, not the file: fetch it with git lfs pull",
    ),
    (b"\x5d\x00\x00\x80\x00\xff\xff", "compressed by lzma"),
];

/// Where the first entry of a tar archive says what it is (POSIX ustar, and GNU's).
const TAR_MAGIC_OFFSET: usize = 257;
const TAR_MAGIC: &[u8] = b"ustar";

/// Returns what a file that begins so is, if it is known to hold no lines of text.
pub(crate) fn foreign(head: &[u8]) -> Option<&'static str> {
    let known = FOREIGN.iter().find(|(magic, _)| head.starts_with(magic)).map(|(_, name)| *name);
    // These begin as words of a text may, or not at the first byte.
    let is_orc = || matches!(head, [b'O', b'R', b'C', behind, ..] if !behind.is_ascii_graphic() && !behind.is_ascii_whitespace());
    let is_film = || head.get(4..8) == Some(b"ftyp");
    let is_tar = || head.get(TAR_MAGIC_OFFSET..).is_some_and(|rest| rest.starts_with(TAR_MAGIC));
    known
        .or_else(|| is_tar().then_some("a tar archive: unpack it"))
        .or_else(|| is_orc().then_some("an ORC file"))
        .or_else(|| is_film().then_some("a film or an AVIF image"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_container_is_told_from_text() {
        assert_eq!(foreign(b"PK\x03\x04\x14\0"), Some("a zip archive"));
        assert_eq!(foreign(b"ARROW1\0\0"), Some("an Arrow file"));
        assert_eq!(foreign(b"ORC\x11\0\0\x0a"), Some("an ORC file"));
        let tar = [&b"a.txt"[..], &[0; 252], b"ustar\x0000"].concat();
        assert_eq!(foreign(&tar), Some("a tar archive: unpack it"));
        assert_eq!(foreign(b"\0\0\0\x1cftypavif"), Some("a film or an AVIF image"));
        for text in [
            &b"{\"text\": 1}"[..],
            b"ORCHARD",
            b"ORC raids",
            b"ORC\n",
            b"GIF8",
            b"http://h/a.jpg\n",
            b"url,caption\n",
            b"",
            b"PAR",
            b"Objective",
        ] {
            assert_eq!(foreign(text), None);
        }
    }
}
