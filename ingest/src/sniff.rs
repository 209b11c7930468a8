//! The content of a page's bytes, told by the bytes (after the WHATWG's MIME Sniffing standard, section 7.1).
//!
//! What a server declares is a hint: PDF is sent as HTML, and HTML as text, as XML or as nothing.

use serde::de::IgnoredAny;

use crate::container;
use crate::packed;

/// What bytes are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Content {
    Html,
    /// What is known to be no page.
    Other(&'static str),
    /// Text, or markup of an unknown kind: what was declared decides.
    Text,
}

/// Bytes in which the beginning of a page is looked for.
const HEAD_BYTES: usize = 64 << 10;
/// Bytes that are looked at for binary data, as the standard says.
const BINARY_HEAD_BYTES: usize = 1_445;
/// Of so many bytes, one may be none that a text has: pages have stray ones.
const BYTES_BY_BINARY: usize = 32;

/// Elements by which a page begins: those of the standard, and the usual ones beside them.
const HTML_TAGS: [&str; 36] = [
    "html", "head", "body", "script", "iframe", "h1", "h2", "h3", "h4", "div", "font", "table", "a", "style",
    "title", "b", "br", "p", "meta", "link", "base", "center", "main", "article", "section", "header", "nav",
    "span", "img", "ul", "ol", "form", "frameset", "noscript", "pre", "strong",
];
/// Elements by which documents of XML begin that are no pages.
const XML_TAGS: [&str; 10] = [
    "rss",
    "feed",
    "rdf:rdf",
    "svg",
    "urlset",
    "sitemapindex",
    "opml",
    "kml",
    "soap:envelope",
    "xsl:stylesheet",
];

/// Tells what a body is.
pub(crate) fn content(body: &[u8]) -> Content {
    // Scripts that send a PDF write line ends before it, and browsers show it all the same.
    let behind_gap = || Some(body.trim_ascii_start()).filter(|rest| rest.len() < body.len());
    if let Some(name) = container::foreign(body).or_else(|| container::foreign(behind_gap()?)) {
        return Content::Other(name);
    }
    if packed::is_packed(body) {
        return Content::Other("compressed data");
    }
    let head = &body[..body.len().min(HEAD_BYTES)];
    if is_mhtml(head) {
        return Content::Other("MHTML, a page with its parts in one file");
    }
    let narrow: Vec<u8>;
    let head = if is_wide(head) {
        narrow = head.iter().copied().filter(|byte| *byte != 0).collect();
        narrow.get(2..).unwrap_or_default()
    } else {
        head.strip_prefix(b"\xef\xbb\xbf").unwrap_or(head)
    };
    match beginning(head) {
        Beginning::Tag(name) if HTML_TAGS.contains(&name.as_str()) => Content::Html,
        Beginning::Tag(name) if XML_TAGS.contains(&name.as_str()) => Content::Other("XML that is no page"),
        Beginning::Doctype(name) if name == "html" || name.is_empty() => Content::Html,
        Beginning::Brace if is_json(body) => Content::Other("JSON"),
        _ if is_binary(head) => Content::Other("binary data"),
        _ => Content::Text,
    }
}

/// Returns true if a body begins as a page does, whatever its headers claim.
pub(crate) fn begins_html(body: &[u8]) -> bool {
    content(body) == Content::Html
}

/// Returns what a server answers in place of a file that it does not give, if a text begins so.
pub(crate) fn answer(text: &[u8]) -> Option<&'static str> {
    let head = &text[..text.len().min(HEAD_BYTES)];
    let head = head.strip_prefix(b"\xef\xbb\xbf").unwrap_or(head).trim_ascii_start();
    match beginning(head) {
        Beginning::Tag(name) | Beginning::Doctype(name) if name == "html" => Some("a page of HTML"),
        // As object stores do.
        Beginning::Tag(name) if name == "error" && head.starts_with(b"<?xml") => Some("an error in XML"),
        _ => None,
    }
}

/// Returns true if a body may be read as it is.
pub(crate) fn is_text(body: &[u8]) -> bool {
    !body.is_empty() && content(body) != Content::Other("binary data") && !packed::is_packed(body)
}

/// Header fields with which a page begins that a browser saved as a message.
const MHTML_FIELDS: [&[u8]; 5] = [b"from:", b"mime-version:", b"content-type:", b"subject:", b"date:"];
/// Bytes of such a header.
const MHTML_HEAD_BYTES: usize = 4 << 10;

/// Returns true for a message of many parts, as browsers save pages in one file.
fn is_mhtml(head: &[u8]) -> bool {
    let head = head.strip_prefix(b"\xef\xbb\xbf").unwrap_or(head).trim_ascii_start();
    let begins_so =
        |field: &&[u8]| head.get(..field.len()).is_some_and(|begin| begin.eq_ignore_ascii_case(field));
    if !MHTML_FIELDS.iter().any(begins_so) {
        return false;
    }
    let head = head[..head.len().min(MHTML_HEAD_BYTES)].to_ascii_lowercase();
    let has = |text: &[u8]| memchr::memmem::find(&head, text).is_some();
    has(b"mime-version:") && has(b"multipart/")
}

/// UTF-16 tells itself by its mark.
fn is_wide(head: &[u8]) -> bool {
    head.starts_with(b"\xff\xfe") || head.starts_with(b"\xfe\xff")
}

/// The first thing in a body that is no white space, comment or instruction.
enum Beginning {
    /// A start tag's name, in lower case.
    Tag(String),
    /// The name of a document type.
    Doctype(String),
    /// What JSON begins with.
    Brace,
    Other,
}

fn beginning(head: &[u8]) -> Beginning {
    let mut rest = head.trim_ascii_start();
    loop {
        let end = if rest.starts_with(b"<!--") {
            memchr::memmem::find(rest, b"-->").map(|at| at + 3)
        } else if rest.starts_with(b"<?") {
            memchr::memchr(b'>', rest).map(|at| at + 1)
        } else {
            break;
        };
        match end {
            Some(end) => rest = rest[end..].trim_ascii_start(),
            None => return Beginning::Other,
        }
    }
    const DOCTYPE: &[u8] = b"<!doctype";
    if let Some(name) =
        rest.get(DOCTYPE.len()..).filter(|_| rest[..DOCTYPE.len()].eq_ignore_ascii_case(DOCTYPE))
    {
        return Beginning::Doctype(word(name.trim_ascii_start()));
    }
    match rest {
        [b'<', name @ ..] => Beginning::Tag(word(name)),
        [b'{' | b'[', ..] => Beginning::Brace,
        _ => Beginning::Other,
    }
}

/// Returns the name at the beginning, in lower case; none of more than a tag's usual length.
fn word(bytes: &[u8]) -> String {
    const NAME_BYTES_MAX: usize = 32;
    let is_name = |byte: &&u8| byte.is_ascii_alphanumeric() || matches!(byte, b':' | b'-');
    let name: Vec<u8> =
        bytes.iter().take(NAME_BYTES_MAX).take_while(is_name).map(u8::to_ascii_lowercase).collect();
    String::from_utf8_lossy(&name).into_owned()
}

/// Returns true if a body is JSON, or the beginning of it.
fn is_json(body: &[u8]) -> bool {
    match serde_json::from_slice::<IgnoredAny>(body) {
        Ok(_) => true,
        Err(error) => error.is_eof(),
    }
}

/// Returns true if too many of the first bytes are none that a text has in any charset.
fn is_binary(head: &[u8]) -> bool {
    let head = &head[..head.len().min(BINARY_HEAD_BYTES)];
    let is_binary_byte = |byte: &&u8| matches!(byte, 0..=0x08 | 0x0b | 0x0e..=0x1a | 0x1c..=0x1f);
    head.iter().filter(is_binary_byte).count() > head.len() / BYTES_BY_BINARY
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_page_is_told_by_its_beginning() {
        for page in [
            "<!DOCTYPE html><p>x",
            " \n<!doctype HTML PUBLIC \"-//W3C//DTD\">",
            "<!-- saved --><!-- twice -->\n<HTML lang=en>",
            "<?xml version=\"1.0\"?>\n<!DOCTYPE html PUBLIC \"x\"><html>",
            "<?xml version='1.0'?><html xmlns='http://www.w3.org/1999/xhtml'>",
            "\u{feff}<meta charset=utf-8><title>x",
            "<p>x",
            "<html>\0\0\0\0",
        ] {
            assert_eq!(content(page.as_bytes()), Content::Html, "{page:?}");
        }
        let wide: Vec<u8> = "\u{feff}<html>x".encode_utf16().flat_map(u16::to_le_bytes).collect();
        assert_eq!(content(&wide), Content::Html);
        let wide: Vec<u8> = "\u{feff}<html>x".encode_utf16().flat_map(u16::to_be_bytes).collect();
        assert_eq!(content(&wide), Content::Html);
    }

    #[test]
    fn what_servers_send_in_place_of_a_file_is_told_from_rows() {
        let page = Some("a page of HTML");
        for (text, what) in [
            ("<!DOCTYPE html><title>404", page),
            ("\u{feff}\n<!-- x --><HTML lang=en>", page),
            ("<?xml version='1.0'?><!DOCTYPE html PUBLIC 'x'>", page),
            ("<?xml version=\"1.0\"?>\n<Error><Code>AccessDenied</Code>", Some("an error in XML")),
            ("<error>\t1\n", None),
            ("<p>a caption\thttp://h.example/1\n", None),
            ("<!doctype\n", None),
            ("<htmlx>", None),
            ("http://h.example/<html>", None),
            ("", None),
        ] {
            assert_eq!(answer(text.as_bytes()), what, "{text}");
        }
    }

    #[test]
    fn what_is_no_page_is_named() {
        for (body, name) in [
            (&b"%PDF-1.4\n"[..], "a PDF"),
            (b"\r\n\n %PDF-1.4\n", "a PDF"),
            (b"\x89PNG\r\n\x1a\n", "a PNG image"),
            (b"\x1f\x8b\x08\0", "compressed data"),
            (b"{\"a\": [1, 2", "JSON"),
            (b"[]", "JSON"),
            (b"<?xml version='1.0'?><!-- x --><rss version='2.0'>", "XML that is no page"),
            (b"\x01\x02\x03text", "binary data"),
            (
                b"From: <Saved by Blink>\r\nMIME-Version: 1.0\r\nContent-Type: multipart/related;\r\n\r\n<html>",
                "MHTML, a page with its parts in one file",
            ),
            (b"bplist00\xd1", "a property list, as Safari's archives are"),
        ] {
            assert_eq!(content(body), Content::Other(name));
        }
    }

    #[test]
    fn the_rest_is_left_to_what_was_declared() {
        for body in [
            "",
            "Hello <b>world</b>",
            "{{ template }} <p>x",
            "[1] a note\n",
            "<x-app>",
            "<!-- no end",
            "a stray \0 in a line of text that goes on and on",
            "From: here to there",
        ] {
            assert_eq!(content(body.repeat(9).as_bytes()), Content::Text, "{body:?}");
        }
    }
}
