//! Kinds of source files, told by how their names end.

use crate::config::Format;
use crate::pairs::Layout;
use crate::saved::ARCHIVE_ENDS;

/// How a file is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum FileKind {
    Json,
    Parquet,
    Text,
    /// CSV or TSV.
    Table,
    Archive,
}

impl FileKind {
    const ALL: [Self; 5] = [Self::Json, Self::Parquet, Self::Text, Self::Table, Self::Archive];

    /// Returns how the names of such files end.
    pub(crate) const fn ends(self) -> &'static [&'static str] {
        match self {
            Self::Json => &[
                ".jsonl",
                ".jsonl.gz",
                ".jsonl.zst",
                ".json",
                ".json.gz",
                ".json.zst",
                ".ndjson",
                ".ndjson.gz",
                ".ndjson.zst",
            ],
            Self::Parquet => &[".parquet"],
            Self::Text => &[".txt", ".txt.gz", ".txt.zst"],
            Self::Table => &[".csv", ".csv.gz", ".csv.zst", ".tsv", ".tsv.gz", ".tsv.zst"],
            Self::Archive => &ARCHIVE_ENDS,
        }
    }

    /// Tells the kind by a path or URL; none if its name ends otherwise.
    pub(crate) fn of(name: &str) -> Option<Self> {
        let name = file_name(name).to_ascii_lowercase();
        Self::ALL.into_iter().find(|kind| kind.ends().iter().any(|end| name.ends_with(end)))
    }
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
    use FileKind::{Archive, Json, Parquet, Table, Text};
    match format {
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
            "is a table of CSV or TSV, which is read as a list of images alone (format.pairs): write texts as JSON lines or Parquet"
        }
        FileKind::Archive => "is a web archive: set format.crawl = {}",
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
    fn a_kind_is_told_by_the_name_and_what_is_not_read_has_a_remedy() {
        assert_eq!(FileKind::of("https://h/a.JSONL.gz?x=.txt"), Some(FileKind::Json));
        assert_eq!(FileKind::of("/data/a"), None);
        let rows = [FileKind::Json, FileKind::Parquet];
        assert!(remedy("/data/a.txt.gz", &rows).is_some_and(|remedy| remedy.contains("format.text = {}")));
        assert!(remedy("a.parquet", &[FileKind::Text]).is_some_and(|remedy| remedy.contains("format.rows")));
        assert_eq!((remedy("a", &rows), remedy("a.jsonl", &rows)), (None, None));
        assert_eq!(
            (end_of("/d.x/a.tar.gz"), end_of("/d.x/a")),
            (".tar.gz".into(), "without an extension".into())
        );
    }
}
