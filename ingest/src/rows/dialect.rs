//! How a table is written, told by its first lines: the delimiter that Excel names in a line `sep=;`, or another one than
//! the file's name speaks of, as programs of half of Europe put semicolons between the fields of a `.csv`.

/// What may stand between fields.
const DELIMITERS: [u8; 4] = [b',', b'\t', b';', b'|'];
/// How the line begins in which Excel names it.
const HINT: &[u8] = b"sep=";

/// Returns the delimiter of a file that begins so, and the bytes of the line that names it.
pub(super) fn told(head: &[u8], by_name: u8) -> (u8, usize) {
    let mut lines = head.split_inclusive(|byte| *byte == b'\n');
    let first = lines.next().unwrap_or_default();
    if let Some(rest) = first.strip_prefix(HINT)
        && let [delimiter, b'\n'] | [delimiter, b'\r', b'\n'] = rest
    {
        return (*delimiter, first.len());
    }
    let second = lines.next().unwrap_or_default();
    // Both lines agree upon one, and on none other.
    let is_told = |delimiter: &u8| {
        let count = count(first, *delimiter);
        count > 0 && count == self::count(second, *delimiter)
    };
    let other = || DELIMITERS.into_iter().find(is_told);
    let delimiter = if count(first, by_name) > 0 { by_name } else { other().unwrap_or(by_name) };
    (delimiter, 0)
}

/// Counts a character outside of quotes.
fn count(line: &[u8], character: u8) -> usize {
    let mut is_quoted = false;
    let is_outside = |byte: &&u8| {
        is_quoted ^= **byte == b'"';
        !is_quoted && **byte == character
    };
    line.iter().filter(is_outside).count()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_delimiter_is_told_by_the_first_lines_where_that_of_the_name_is_not_there() {
        for (head, by_name, expected) in [
            ("url;caption\nu;c, d\n", b',', (b';', 0)),
            ("url\tcaption\nu\tc\n", b',', (b'\t', 0)),
            ("url|caption\r\nu|c\r\n", b',', (b'|', 0)),
            ("url,caption\nu,c\n", b'\t', (b',', 0)),
            ("sep=;\r\nurl;caption\r\n", b',', (b';', 7)),
            ("url,a;b\nu,c;d\n", b',', (b',', 0)),
            ("\"a;b\"\n\"c;d\"\n", b',', (b',', 0)),
            ("text\none; two\n", b',', (b',', 0)),
            ("What is this; and why?\nWhat is that?\n", b',', (b',', 0)),
            ("url;caption", b',', (b',', 0)),
            ("", b',', (b',', 0)),
        ] {
            assert_eq!(told(head.as_bytes(), by_name), expected, "{head:?}");
        }
    }
}
