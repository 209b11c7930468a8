//! The TSV files of Conceptual Captions, which name their two columns nowhere and order
//! them differently.

use crate::pairs::Row;
use crate::truth::Counts;

/// A line of more bytes than this is planted as broken; all others are far shorter.
pub const LINE_BYTES_MAX: usize = 1 << 20;

/// Lines without a tab in each file.
const NO_TAB_LINES: usize = 3;

/// Which column stands first.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Order {
    /// CC3M.
    CaptionUrl,
    /// CC12M.
    UrlCaption,
}

/// Writes the rows and, spread among them, lines that are broken: a few without a tab
/// and, in CC12M's file, one of more than twice [`LINE_BYTES_MAX`].
pub(crate) fn write(rows: &[Row], order: Order, counts: &mut Counts) -> Vec<u8> {
    let every = rows.len() / (NO_TAB_LINES + 1) + 1;
    let mut text = String::new();
    for (index, row) in rows.iter().enumerate() {
        let url = row.url.as_deref().unwrap_or_default();
        let caption = row.caption.as_deref().unwrap_or_default();
        if index % every == every - 1 {
            text.push_str("this line lost its tab\n");
            counts.fail("row_broken");
        }
        let (first, second) = match order {
            Order::CaptionUrl => (caption, url),
            Order::UrlCaption => (url, caption),
        };
        text.push_str(first);
        text.push('\t');
        text.push_str(second);
        text.push('\n');
        if order == Order::UrlCaption && index == rows.len() / 2 {
            let words = "very ".repeat(2 * LINE_BYTES_MAX / 5 + 1);
            text.push_str(&format!("https://img0.shapes.example/long.png\t{words}\n"));
            counts.fail("row_broken");
        }
    }
    text.into_bytes()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_two_files_order_their_columns_differently() {
        let row = Row { url: Some("u".to_owned()), caption: Some("c".to_owned()), width: 1, height: 1 };
        let rows = vec![row; 20];
        let mut counts = Counts::default();
        let text = write(&rows, Order::CaptionUrl, &mut counts);
        assert!(text.starts_with(b"c\tu\n"));
        assert_eq!(counts.read, 3);
        let text = write(&rows, Order::UrlCaption, &mut counts);
        assert!(text.starts_with(b"u\tc\n"));
        let longest = text.split(|byte| *byte == b'\n').map(<[u8]>::len).max();
        assert!(longest > Some(2 * LINE_BYTES_MAX));
        assert_eq!(counts.failed.get("row_broken"), Some(&7));
    }
}
