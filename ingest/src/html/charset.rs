//! The charset: which encoding a page's bytes are in, and the text they hold.
//!
//! The order is that of browsers: byte order mark, HTTP header, `meta` within the first
//! bytes (HTML standard, "prescan a byte stream"), the XML declaration, `meta` further on ("change
//! the encoding"), and a guess from the bytes. But what was declared must not contradict the bytes, as servers
//! name one charset for all that they hold: bytes that are UTF-8 are taken as such, since other
//! encodings hardly ever are by chance, and bytes of which little is UTF-8 are not.

use chardetng::{EncodingDetector, Iso2022JpDetection, Utf8Detection};
use encoding_rs::{Encoding, REPLACEMENT, UTF_8, UTF_16BE, UTF_16LE, WINDOWS_1252, X_USER_DEFINED};

/// Bytes in which a `meta` is looked for, as the standard says.
const PRESCAN_BYTES: usize = 1_024;
/// Bytes in which it is looked for where they have none; heads of pages are shorter.
const LATE_META_BYTES: usize = 256 << 10;
/// Characters of more than a byte from which on bytes that are all UTF-8 are nothing else.
const UTF_8_CHARACTERS_MIN: usize = 4;
/// Bytes that a guess is made from: the detector tries some thirty encodings on each.
pub(crate) const GUESS_BYTES: usize = 32 << 10;
/// Bytes of ASCII on either side of others that tell something: the rest of a word.
const GUESS_CONTEXT_BYTES: usize = 32;
/// Longest top-level domain that is told to the detector.
const TLD_BYTES_MAX: usize = 24;

/// Decodes a page; returns the text and the encoding's WHATWG name.
///
/// Byte sequences that the encoding does not have are replaced by U+FFFD.
///
/// # Errors
/// The label of an encoding that the standard forbids to decode (`replacement`).
pub fn decode(bytes: &[u8], content_type: &str, url: &str) -> Result<(String, &'static str), String> {
    let encoding = match Encoding::for_bom(bytes) {
        Some((encoding, _)) => encoding,
        None => declared(bytes, content_type).unwrap_or_else(|| guess(bytes, url)),
    };
    if encoding == REPLACEMENT {
        return Err("replacement".to_owned());
    }
    let (text, _) = encoding.decode_with_bom_removal(bytes);
    Ok((text.into_owned(), encoding.name()))
}

fn declared(bytes: &[u8], content_type: &str) -> Option<&'static Encoding> {
    let in_header = charset_of(content_type.as_bytes()).and_then(Encoding::for_label);
    let is_possible = |encoding: &&'static Encoding| is_possible(encoding, bytes);
    let in_meta = || prescan(head(bytes, PRESCAN_BYTES)).filter(is_possible);
    let in_xml = || of_xml(head(bytes, PRESCAN_BYTES)).filter(is_possible);
    let declared = in_header.filter(is_possible).or_else(in_meta).or_else(in_xml)?;
    let is_utf8 = declared == UTF_8 || declared.is_ascii_compatible() && has_utf8(bytes);
    Some(if is_utf8 { UTF_8 } else { declared })
}

/// Returns false if an encoding contradicts the bytes.
fn is_possible(encoding: &'static Encoding, bytes: &[u8]) -> bool {
    encoding != UTF_8 || is_mostly_utf8(bytes)
}

/// Returns true if all is UTF-8, and by more than chance.
fn has_utf8(bytes: &[u8]) -> bool {
    let wide = |text: &str| text.chars().filter(|c| !c.is_ascii()).nth(UTF_8_CHARACTERS_MIN - 1).is_some();
    !bytes.is_ascii() && std::str::from_utf8(bytes).is_ok_and(wide)
}

/// Returns true unless more sequences are broken than are characters of UTF-8 beyond ASCII: a stray byte or a
/// cut at the end is no other encoding.
fn is_mostly_utf8(bytes: &[u8]) -> bool {
    // So it is of nearly every page, and quickly told.
    if std::str::from_utf8(bytes).is_ok() {
        return true;
    }
    let (mut good, mut broken) = (0, 0);
    for chunk in bytes.utf8_chunks() {
        good += chunk.valid().bytes().filter(|byte| *byte >= 0xc0).count();
        broken += usize::from(!chunk.invalid().is_empty());
    }
    broken <= good.max(UTF_8_CHARACTERS_MIN - 1)
}

/// Returns the encoding that an XML declaration names (HTML standard, "get an XML encoding").
fn of_xml(bytes: &[u8]) -> Option<&'static Encoding> {
    const NAME: &[u8] = b"encoding";
    let declaration = bytes.strip_prefix(b"<?xml")?;
    let declaration = &declaration[..declaration.iter().position(|byte| *byte == b'>')?];
    let is_space = |byte: &u8| *byte <= b' ';
    let skip = |bytes: &'_ [u8]| bytes.iter().position(|byte| !is_space(byte)).unwrap_or(bytes.len());
    let rest = &declaration[find(declaration, NAME)? + NAME.len()..];
    let rest = rest[skip(rest)..].strip_prefix(b"=")?;
    let (quote, rest) = rest[skip(rest)..].split_first().filter(|(quote, _)| b"\"'".contains(quote))?;
    let label = &rest[..rest.iter().position(|byte| byte == quote)?];
    let encoding = Encoding::for_label(label).filter(|_| !label.iter().any(is_space))?;
    // A declaration that was read as ASCII is not in UTF-16.
    Some(if encoding == UTF_16LE || encoding == UTF_16BE { UTF_8 } else { encoding })
}

fn head(bytes: &[u8], count: usize) -> &[u8] {
    &bytes[..bytes.len().min(count)]
}

fn guess(bytes: &[u8], url: &str) -> &'static Encoding {
    if std::str::from_utf8(bytes).is_ok() {
        return if bytes.is_ascii() { WINDOWS_1252 } else { UTF_8 };
    }
    if let Some(encoding) =
        prescan(head(bytes, LATE_META_BYTES)).filter(|encoding| is_possible(encoding, bytes))
    {
        return encoding;
    }
    let mut detector = EncodingDetector::new(Iso2022JpDetection::Deny);
    detector.feed(&telling(bytes), true);
    let host = url::Url::parse(url).ok();
    let host = host.as_ref().and_then(url::Url::host_str).unwrap_or_default();
    let tld = host.rsplit('.').next().unwrap_or_default();
    // The detector panics on anything but a lower-case ASCII label.
    let is_label = |tld: &&str| {
        let plain = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
        !tld.is_empty() && tld.len() <= TLD_BYTES_MAX && tld.bytes().all(plain)
    };
    let tld = Some(tld).filter(is_label).map(str::as_bytes);
    detector.guess(tld, Utf8Detection::Allow)
}

/// Returns what a guess is made from: the bytes that are not ASCII, with those around them.
///
/// Mark-up and scripts tell nothing of an encoding, and often stand before the first word that does.
fn telling(bytes: &[u8]) -> Vec<u8> {
    let (mut told, mut taken) = (Vec::new(), 0);
    while let Some(at) = bytes[taken..].iter().position(|byte| !byte.is_ascii()) {
        let at = taken + at;
        let begin = at.saturating_sub(GUESS_CONTEXT_BYTES).max(taken);
        taken = bytes.len().min(at + 1 + GUESS_CONTEXT_BYTES);
        told.extend_from_slice(&bytes[begin..taken]);
        if told.len() >= GUESS_BYTES {
            break;
        }
    }
    told
}

/// Finds the encoding that a `meta` names.
fn prescan(bytes: &[u8]) -> Option<&'static Encoding> {
    let mut rest = bytes;
    while let Some(begin) = rest.iter().position(|byte| *byte == b'<') {
        rest = &rest[begin + 1..];
        if let Some(comment) = rest.strip_prefix(b"!--") {
            rest = find(comment, b"-->").map_or(&[][..], |end| &comment[end..]);
            continue;
        }
        let is_meta = rest.get(..4).is_some_and(|name| name.eq_ignore_ascii_case(b"meta"));
        if !is_meta || !rest.get(4).is_some_and(|byte| byte.is_ascii_whitespace() || *byte == b'/') {
            continue;
        }
        let end = rest.iter().position(|byte| *byte == b'>').unwrap_or(rest.len());
        let (meta, after) = rest.split_at(end);
        rest = after;
        if let Some(encoding) = charset_of(&meta[4..]).and_then(Encoding::for_label) {
            // A page that was read as ASCII this far cannot be what it says here.
            return Some(match encoding {
                e if e == UTF_16LE || e == UTF_16BE => UTF_8,
                e if e == X_USER_DEFINED => WINDOWS_1252,
                e => e,
            });
        }
    }
    None
}

/// Returns the label after `charset=`, without quotes.
fn charset_of(bytes: &[u8]) -> Option<&[u8]> {
    const NAME: &[u8] = b"charset";
    let lower = bytes.to_ascii_lowercase();
    let mut begin = 0;
    loop {
        begin += find(&lower[begin..], NAME)? + NAME.len();
        let rest = bytes[begin..].trim_ascii_start();
        let Some(value) = rest.strip_prefix(b"=") else {
            continue;
        };
        let value = value.trim_ascii_start();
        let value = value.strip_prefix(b"\"").or(value.strip_prefix(b"'")).unwrap_or(value);
        let is_end = |byte: &u8| byte.is_ascii_whitespace() || b"\"';,>/".contains(byte);
        let end = value.iter().position(is_end).unwrap_or(value.len());
        return Some(&value[..end]);
    }
}

fn find(bytes: &[u8], wanted: &[u8]) -> Option<usize> {
    bytes.windows(wanted.len()).position(|window| window == wanted)
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn the_order_is_mark_header_meta_guess() {
        let name = |bytes: &[u8], header: &str| decode(bytes, header, "http://h.example/").unwrap().1;
        let meta = b"<meta charset='shift_jis'>";
        assert_eq!(name(b"\xef\xbb\xbf<meta charset=big5>", "text/html; charset=latin1"), "UTF-8");
        assert_eq!(name(b"\xff\xfea\0", "text/html; charset=utf-8"), "UTF-16LE");
        assert_eq!(name(meta, "text/html; charset=ISO-8859-1"), "windows-1252");
        assert_eq!(name(meta, "text/html; charset=nonsense"), "Shift_JIS");
        assert_eq!(name(meta, "text/html"), "Shift_JIS");
        let equiv = b"<!-- <meta charset=big5> --><META http-equiv=Content-Type content=\"text/html; charset=windows-1251\"/>";
        assert_eq!(name(equiv, ""), "windows-1251");
        assert_eq!(name(b"<meta charset=utf-16>", ""), "UTF-8");
        assert_eq!(name("Gr\u{fc}\u{df}e".as_bytes(), ""), "UTF-8");
        assert_eq!(name(b"Gr\xfc\xdfe aus K\xf6ln, es ist sch\xf6n", ""), "windows-1252");
    }

    #[test]
    fn a_guess_is_made_from_the_words_wherever_they_stand() {
        let words = b"<p>\xcf\xf0\xe8\xe2\xe5\xf2, \xea\xe0\xea \xe4\xe5\xeb\xe0?</p>".repeat(50);
        let script = "var a = 'b'; ".repeat(200_000).into_bytes();
        for page in [words.clone(), [script.clone(), words.clone()].concat(), [words, script].concat()] {
            assert_eq!(decode(&page, "", "").unwrap().1, "windows-1251");
        }
        assert_eq!(telling(&[&b"a".repeat(100)[..], b"\xfc", &b"b".repeat(100)].concat()).len(), 65);
        assert!(telling(&[0xe9; 1 << 20]).len() < GUESS_BYTES + 2 * GUESS_CONTEXT_BYTES);
    }

    #[test]
    fn an_xml_declaration_names_the_charset_unless_a_meta_does() {
        let name = |bytes: &[u8]| decode(bytes, "", "").unwrap().1;
        assert_eq!(name(b"<?xml version='1.0' encoding='iso-8859-16'?><p>\xba"), "ISO-8859-16");
        assert_eq!(name(b"<?xml version=\"1.0\" encoding = \"KOI8-R\" ?><p>\xc1"), "KOI8-R");
        assert_eq!(name(b"<?xml encoding='utf-16'?><p>\xba"), "UTF-8");
        assert_eq!(name(b"<?xml encoding='iso-8859-16'?><meta charset=big5>"), "Big5");
        for other in [
            &b" <?xml encoding='koi8-r'?>\xfc"[..],
            b"<?xml?><p encoding='koi8-r'>\xfc",
            b"<?xml encoding='koi8-r\xfc",
        ] {
            assert_eq!(name(other), "windows-1252");
        }
    }

    #[test]
    fn a_meta_without_an_encoding_is_followed_by_others() {
        let page = b"\xff<meta charset=nonsense><meta><meta charset=big5>";
        assert_eq!(decode(page, "", "").unwrap().1, "Big5");
    }

    #[test]
    fn a_page_of_unfinished_tags_is_looked_through_once() {
        for tag in ["<meta ", "<meta charset ", "<!--", "<meta charset=x "] {
            let page = [b"\xff".to_vec(), tag.repeat(400_000).into_bytes()].concat();
            assert!(decode(&page, "", "").is_ok());
        }
    }

    #[test]
    fn bytes_that_contradict_what_was_declared_decide() {
        let decoded = |bytes: &[u8], header: &str| decode(bytes, header, "http://h.example/").unwrap();
        let words = "Die Br\u{fc}cke \u{fc}ber den Flu\u{df} wurde gr\u{f6}\u{df}er";
        let narrow: Vec<u8> = words.chars().map(|c| c as u8).collect();
        let (utf8, latin) = ("text/html; charset=utf-8", "text/html; charset=iso-8859-1");
        for header in [utf8, latin, "text/html; charset=gbk", ""] {
            assert_eq!(decoded(words.as_bytes(), header), (words.to_owned(), "UTF-8"), "{header}");
            let said = if header == latin || header == utf8 || header.is_empty() { words } else { continue };
            assert_eq!(decoded(&narrow, header).0, said, "{header}");
        }
        let meta = [b"<meta charset=utf-8>", &narrow[..]].concat();
        assert_eq!(decoded(&meta, "").1, "windows-1252");
        // A stray byte leaves the page what it says it is.
        let stray = [words.as_bytes(), b"\xff"].concat();
        assert_eq!(decoded(&stray, utf8).1, "UTF-8");
        assert_eq!(decoded(b"caf\xe9", utf8).1, "UTF-8");
    }

    #[test]
    fn a_forbidden_encoding_is_refused() {
        assert!(decode(b"x", "text/html; charset=iso-2022-kr", "").is_err());
    }

    proptest! {
        #[test]
        fn any_bytes_decode(bytes: Vec<u8>, header: String, tld in ".{0,9}") {
            let _ = decode(&bytes, &header, &format!("http://h.{tld}/"));
            let _ = decode(&[b"<meta charset=".as_slice(), &bytes].concat(), "", "");
        }
    }
}
