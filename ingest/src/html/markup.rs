//! Markup: where tags, comments and sections begin and end in a page's bytes, and how many
//! attributes a tag has.
//!
//! The parser compares each attribute of a tag with all before it, so that a long tag must be
//! cut before the parser sees it. What is read here is what the tokenizer of the HTML standard
//! would: a page must not hold a tag for one that it does not hold for the other.

use std::ops::Range;

use memchr::{memchr, memmem};

/// What begins at a `<` in ordinary text.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Markup {
    /// The name of a start tag.
    StartTag(Range<usize>),
    /// The name of an end tag.
    EndTag(Range<usize>),
    /// A comment, document type or anything that is read as a comment, up to there.
    Comment(usize),
    /// A section of text within SVG and MathML up to there, elsewhere a comment as above.
    Section { section: usize, comment: usize },
    /// Nothing: the character stands for itself.
    Text,
}

/// The attributes of a tag.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Attributes {
    /// Where the first attribute beyond the bound begins.
    pub(super) cut: Option<usize>,
    /// Behind the tag's `>`; none where the page ends before.
    pub(super) end: Option<usize>,
}

/// Returns what begins at `open`, where a `<` is.
pub(super) fn read(page: &[u8], open: usize) -> Markup {
    let rest = page.get(open + 1..).unwrap_or_default();
    match rest {
        [letter, ..] if letter.is_ascii_alphabetic() => Markup::StartTag(name(page, open + 1)),
        [b'/', letter, ..] if letter.is_ascii_alphabetic() => Markup::EndTag(name(page, open + 2)),
        [b'!', b'-', b'-', ..] => Markup::Comment(comment(page, open + 4)),
        [b'!', b'[', b'C', b'D', b'A', b'T', b'A', b'[', ..] => {
            let comment = behind(page, open + 1, b">");
            Markup::Section { section: behind(page, open + 9, b"]]>"), comment }
        }
        [b'!' | b'?' | b'/', ..] => Markup::Comment(behind(page, open + 1, b">")),
        _ => Markup::Text,
    }
}

/// Reads the attributes of a tag from the end of its name on, and notes where there are more
/// than `most`.
pub(super) fn attributes(page: &[u8], name_end: usize, most: usize) -> Attributes {
    let (mut at, mut count, mut cut) = (name_end, 0, None);
    while let Some(byte) = page.get(at) {
        if *byte == b'>' {
            return Attributes { cut, end: Some(at + 1) };
        }
        if is_space(*byte) || *byte == b'/' {
            at += 1;
            continue;
        }
        if count == most {
            cut = Some(at);
        }
        count += 1;
        at = attribute(page, at);
    }
    Attributes { cut, end: None }
}

/// Returns the end of the attribute that begins at `begin`.
fn attribute(page: &[u8], begin: usize) -> usize {
    // The first character belongs to the name, even if it is a `=`.
    let is_end = |byte: &u8| is_space(*byte) || matches!(byte, b'/' | b'>' | b'=');
    let name_end = find(page, begin + 1, is_end);
    let equals = find(page, name_end, |byte| !is_space(*byte));
    if page.get(equals) != Some(&b'=') {
        return equals;
    }
    let value = find(page, equals + 1, |byte| !is_space(*byte));
    match page.get(value) {
        Some(quote @ (b'"' | b'\'')) => behind(page, value + 1, &[*quote]),
        _ => find(page, value, |byte| is_space(*byte) || *byte == b'>'),
    }
}

/// Finds the next thing at which text that holds no markup may end: `</` and the name.
///
/// Returns where it begins and where the name ends.
pub(super) fn end_of_raw(page: &[u8], from: usize, name: &[u8]) -> Option<(usize, usize)> {
    let finder = memmem::Finder::new(b"</");
    let mut at = from;
    loop {
        let open = at + finder.find(page.get(at..)?)?;
        let end = open + 2 + name.len();
        let is_named = page.get(open + 2..end).is_some_and(|found| found.eq_ignore_ascii_case(name));
        let ends = |byte: &u8| is_space(*byte) || matches!(byte, b'/' | b'>');
        if is_named && page.get(end).is_some_and(ends) {
            return Some((open, end));
        }
        at = open + 2;
    }
}

fn name(page: &[u8], begin: usize) -> Range<usize> {
    begin..find(page, begin, |byte| is_space(*byte) || matches!(byte, b'/' | b'>'))
}

/// Returns the place behind a comment, whose text begins at `begin`.
fn comment(page: &[u8], begin: usize) -> usize {
    let text = page.get(begin..).unwrap_or_default();
    // `<!-->` and `<!--->` are whole comments.
    match text {
        [b'>', ..] => return begin + 1,
        [b'-', b'>', ..] => return begin + 2,
        _ => {}
    }
    let finder = memmem::Finder::new(b"--");
    let mut at = 0;
    while let Some(dashes) = text.get(at..).and_then(|rest| finder.find(rest)) {
        at += dashes;
        match text.get(at + 2..).unwrap_or_default() {
            [b'>', ..] => return begin + at + 3,
            [b'!', b'>', ..] => return begin + at + 4,
            _ => at += 1,
        }
    }
    page.len()
}

/// Returns the place behind the next `wanted`, or the page's end.
fn behind(page: &[u8], from: usize, wanted: &[u8]) -> usize {
    let rest = page.get(from..).unwrap_or_default();
    let found = match wanted {
        [byte] => memchr(*byte, rest),
        _ => memmem::find(rest, wanted),
    };
    found.map_or(page.len(), |found| from + found + wanted.len())
}

fn find(page: &[u8], from: usize, is_wanted: impl Fn(&u8) -> bool) -> usize {
    let rest = page.get(from..).unwrap_or_default();
    rest.iter().position(is_wanted).map_or(page.len(), |found| from + found)
}

/// Returns true if and only if the standard takes the byte for white space within a tag.
fn is_space(byte: u8) -> bool {
    matches!(byte, b' ' | b'\t' | b'\n' | b'\x0c' | b'\r')
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tag_end(tag: &[u8], most: usize) -> (Option<usize>, Option<usize>) {
        let Attributes { cut, end } = attributes(tag, 2, most);
        (cut, end)
    }

    #[test]
    fn comments_end_where_the_standard_ends_them() {
        let whole = [
            "<!-->",
            "<!--->",
            "<!---->",
            "<!--a-->",
            "<!----!>",
            "<!--a--!>",
            "<!--->",
            "<!--a--->",
            "<?a>",
        ];
        for comment in whole {
            let page = format!("{comment}x>-->");
            assert_eq!(read(page.as_bytes(), 0), Markup::Comment(comment.len()), "{comment}");
        }
        for open in ["<!--a->", "<!---!>", "<!--a-- >", "<!--"] {
            assert_eq!(read(open.as_bytes(), 0), Markup::Comment(open.len()), "{open}");
        }
    }

    #[test]
    fn a_section_ends_by_where_it_stands() {
        let page = b"<![CDATA[a>b]]>c";
        assert_eq!(read(page, 0), Markup::Section { section: 15, comment: 11 });
        assert_eq!(read(b"<![cdata[a>b", 0), Markup::Comment(11));
    }

    #[test]
    fn what_begins_no_markup_is_text() {
        for text in ["<", "< p>", "<1>", "<<"] {
            assert_eq!(read(text.as_bytes(), 0), Markup::Text);
        }
        assert_eq!(read(b"<p-a/b>", 0), Markup::StartTag(1..4));
        assert_eq!(read(b"</p>", 0), Markup::EndTag(2..3));
    }

    #[test]
    fn quotes_hide_the_end_of_a_tag_in_values_alone() {
        assert_eq!(tag_end(b"<p a='>' b=\">\">", 9), (None, Some(15)));
        assert_eq!(tag_end(b"<p a'>", 9), (None, Some(6)));
        assert_eq!(tag_end(b"<p a=b'>", 9), (None, Some(8)));
        assert_eq!(tag_end(b"<p a = '>'>", 9), (None, Some(11)));
        assert_eq!(tag_end(b"<p a='>", 9), (None, None));
        assert_eq!(tag_end(b"<p a=>", 9), (None, Some(6)));
    }

    #[test]
    fn attributes_are_counted_however_they_are_divided() {
        assert_eq!(tag_end(b"<p a b>", 1), (Some(5), Some(7)));
        assert_eq!(tag_end(b"<p a/b>", 1), (Some(5), Some(7)));
        assert_eq!(tag_end(b"<p a='1'b>", 1), (Some(8), Some(10)));
        assert_eq!(tag_end(b"<p a=1 b>", 1), (Some(7), Some(9)));
        assert_eq!(tag_end(b"<p =a=1>", 1), (None, Some(8)));
        assert_eq!(tag_end(b"<p a b", 1), (Some(5), None));
    }

    #[test]
    fn raw_text_ends_at_the_tag_of_its_name() {
        let page = b"a</b</TITLEx></tItLe\n>";
        assert_eq!(end_of_raw(page, 0, b"title"), Some((13, 20)));
        assert_eq!(end_of_raw(b"</title", 0, b"title"), None);
    }
}
