//! Kinds of source files, told by how their names end.

use crate::config::Format;
use crate::pairs::Layout;
use crate::saved::{ARCHIVE_ENDS, HTML_ENDS};

/// What compression adds to a name.
pub(crate) const PACKED_ENDS: [&str; 7] = [".gz", ".gzip", ".zst", ".zstd", ".lz4", ".xz", ".bz2"];

/// How a file is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum FileKind {
    Json,
    Parquet,
    Text,
    /// CSV or TSV.
    Table,
    Archive,
    Html,
    /// A page with its parts in one file, which is not read.
    Mhtml,
}

impl FileKind {
    const ALL: [Self; 7] =
        [Self::Json, Self::Parquet, Self::Text, Self::Table, Self::Archive, Self::Html, Self::Mhtml];

    /// Returns how the names of such files end; all but those of Parquet and archives may be compressed, which adds
    /// another end.
    pub(crate) const fn ends(self) -> &'static [&'static str] {
        match self {
            Self::Json => &[".jsonl", ".json", ".ndjson"],
            Self::Parquet => &[
                ".parquet",
                ".pq",
                ".parq",
                ".parquet.gzip",
                ".parquet.gz",
                ".parquet.snappy",
                ".parquet.zst",
            ],
            Self::Text => &[".txt"],
            Self::Table => &[".csv", ".tsv", ".tab"],
            Self::Archive => &ARCHIVE_ENDS,
            Self::Html => &HTML_ENDS,
            Self::Mhtml => &[".mht", ".mhtml"],
        }
    }

    /// Tells the kind by a path or URL; none if its name ends otherwise.
    pub(crate) fn of(name: &str) -> Option<Self> {
        let name = file_name(name).to_ascii_lowercase();
        let has_end = |name: &str, kind: &Self| kind.ends().iter().any(|end| name.ends_with(end));
        let plain = PACKED_ENDS.iter().find_map(|end| name.strip_suffix(end)).unwrap_or(&name);
        let find = |name: &str| Self::ALL.into_iter().find(|kind| has_end(name, kind));
        find(&name).or_else(|| find(plain))
    }
}

/// Returns true for files that other programs leave beside the real ones: hidden ones, among them what a Mac
/// writes, and unfinished ones.
pub(crate) fn is_leftover(name: &str) -> bool {
    const ENDS: [&str; 6] = [".partial", ".part", ".tmp", ".swp", ".crdownload", "~"];
    name.starts_with('.') || name.starts_with("._") || ENDS.iter().any(|end| name.ends_with(end))
}

/// Returns what separates the fields of a table, by its name; none of other files.
pub(crate) fn delimiter(name: &str) -> Option<u8> {
    let is_csv = file_name(name).to_ascii_lowercase().contains(".csv");
    (FileKind::of(name) == Some(FileKind::Table)).then_some(if is_csv { b',' } else { b'\t' })
}

/// Returns a path or URL without the query of the URL.
pub(crate) fn file_name(name: &str) -> &str {
    match name.contains("://") {
        true => name.split(['?', '#']).next().unwrap_or(name),
        false => name,
    }
}

/// Returns the kinds that a source reads.
pub(crate) fn read_by(format: &Format) -> Vec<FileKind> {
    use FileKind::{Archive, Html, Json, Parquet, Table, Text};
    match format {
        Format::Html(format) if format.column.is_none() => vec![Html],
        Format::Html(_) => vec![Json, Parquet, Table],
        Format::Pile(_) => vec![Json],
        Format::Rows(_) => vec![Json, Parquet],
        Format::Text(_) => vec![Text],
        Format::Crawl(_) => vec![Archive],
        Format::Pairs(format) => match format.layout {
            Layout::Laion | Layout::Relaion | Layout::Coyo => vec![Parquet],
            Layout::Cc3m | Layout::Cc12m => vec![Table],
            Layout::Columns(_) => vec![Json, Parquet, Text, Table],
        },
    }
}

/// Returns what to do about a file whose name says that it is of a kind that is not read; names that
/// say nothing are believed.
pub(crate) fn remedy(name: &str, read: &[FileKind]) -> Option<String> {
    let kind = FileKind::of(name).filter(|kind| !read.is_empty() && !read.contains(kind))?;
    // Conceptual Captions and copies of it come as plain text, too.
    if kind == FileKind::Text && read == [FileKind::Table] {
        return None;
    }
    let remedy = match kind {
        FileKind::Text => "is plain text: set format.text = {} (and format.text.separator)",
        FileKind::Json => {
            "is JSON: set format.rows = { text = \"...\" }, or format.pairs for a list of images"
        }
        FileKind::Parquet => {
            "is Parquet: set format.rows = { text = \"...\" }, or format.pairs for a list of images"
        }
        FileKind::Table => {
            "is a table of CSV or TSV, which is read as a list of images (format.pairs) or of pages \
             (format.html = { column = \"...\" }): write texts as JSON lines or Parquet"
        }
        FileKind::Archive => "is a web archive: set format.crawl = {}",
        FileKind::Html => "is HTML: set format.html = {}",
        FileKind::Mhtml => "is MHTML, which is not read: save pages as HTML",
    };
    Some(format!("{remedy}; this source reads {}", ends(read).join(" ")))
}

fn ends(kinds: &[FileKind]) -> Vec<&'static str> {
    kinds.iter().flat_map(|kind| kind.ends()).copied().collect()
}

/// Returns how a name ends, to be counted: `.csv`, `.json.gz`, or that it has no end.
pub(crate) fn end_of(path: &str) -> String {
    let name = path.rsplit('/').next().unwrap_or(path);
    let mut parts = name.rsplit('.');
    match (parts.next(), parts.next(), parts.next()) {
        (Some(last @ ("gz" | "zst" | "lz4" | "bz2" | "xz")), Some(before), Some(_)) => {
            format!(".{before}.{last}")
        }
        (Some(last), Some(_), _) => format!(".{last}"),
        _ => "without an extension".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_other_programs_leave_is_told_from_files() {
        for name in ["._x.jsonl", ".x.jsonl.swp", ".DS_Store", "x.jsonl.partial", "x.jsonl~", "x.jsonl.tmp"] {
            assert!(is_leftover(name), "{name}");
        }
        assert!(!["x.jsonl", "a.tmp.jsonl", "x"].into_iter().any(is_leftover));
    }

    #[test]
    fn a_kind_is_told_by_the_name_and_what_is_not_read_has_a_remedy() {
        assert_eq!(FileKind::of("https://h/a.JSONL.gz?x=.txt"), Some(FileKind::Json));
        assert_eq!(FileKind::of("/data/a"), None);
        assert_eq!(FileKind::of("a.CSV.xz"), Some(FileKind::Table));
        for name in ["a.PQ", "a.parquet.gzip", "a.parquet.snappy"] {
            assert_eq!(FileKind::of(name), Some(FileKind::Parquet), "{name}");
        }
        assert_eq!((FileKind::of("a.warc.gz"), FileKind::of("a.gz")), (Some(FileKind::Archive), None));
        let rows = [FileKind::Json, FileKind::Parquet];
        assert!(remedy("/data/a.txt.gz", &rows).is_some_and(|remedy| remedy.contains("format.text = {}")));
        assert!(remedy("a.parquet", &[FileKind::Text]).is_some_and(|remedy| remedy.contains("format.rows")));
        assert_eq!((remedy("a", &rows), remedy("a.jsonl", &rows)), (None, None));
        assert!(remedy("a.HTM.gz", &rows).is_some_and(|remedy| remedy.contains("format.html = {}")));
        assert_eq!(remedy("a.xhtml", &[FileKind::Html]), None);
        assert!(remedy("a.mht", &[FileKind::Html]).is_some_and(|remedy| remedy.contains("MHTML")));
        assert_eq!(
            (end_of("/d.x/a.tar.gz"), end_of("/d.x/a")),
            (".tar.gz".into(), "without an extension".into())
        );
    }
}
