//! A sidecar: a small file beside a page that says where the page is from.
//!
//! ```text
//! page.html.url     the URL, in its first line; or a Windows shortcut with a line `URL=...`
//! page.html.json    an object with a key `url`
//! ```
//!
//! Either is UTF-8, or UTF-16 with a byte order mark. Of a compressed page, `page.html.gz`, the name with and without
//! the last end is looked for.

use std::fs::File;
use std::io::{self, Read};
use std::path::{Path, PathBuf};

use encoding_rs::UTF_8;
use serde::Deserialize;
use serde_json::Value;
use url::Url;

use crate::html::address::address;
use crate::kind::PACKED_ENDS;

/// Bytes of a sidecar; what is beyond them is not read.
const BYTES_MAX: u64 = 64 << 10;
/// What is added to the name of a page.
const TEXT_END: &str = ".url";
const JSON_END: &str = ".json";

/// What is read of a sidecar in JSON.
#[derive(Deserialize)]
struct Object {
    url: Value,
}

/// Returns the sidecars of a page that are there, in the order in which they are believed.
pub(crate) fn beside(page: &Path) -> Vec<PathBuf> {
    let name = page.as_os_str().to_string_lossy();
    let plain = PACKED_ENDS.iter().find_map(|end| name.strip_suffix(end));
    let names = std::iter::once(name.as_ref()).chain(plain);
    let all = names.flat_map(|name| [TEXT_END, JSON_END].map(|end| PathBuf::from(format!("{name}{end}"))));
    all.filter(|path| path.is_file()).collect()
}

/// Returns the URL that the sidecars of a page give it.
///
/// # Errors
/// When one that is there cannot be read.
pub(super) fn url(page: &Path) -> io::Result<Option<String>> {
    for path in beside(page) {
        let mut bytes = Vec::new();
        File::open(&path)?.take(BYTES_MAX).read_to_end(&mut bytes)?;
        // By its mark, if it has one; what is not of the charset is replaced, as in a comment of a shortcut.
        let (text, _, _) = UTF_8.decode(&bytes);
        let is_json = path.as_os_str().to_string_lossy().ends_with(JSON_END);
        if let Some(url) = if is_json { of_json(&text) } else { of_text(&text) } {
            return Ok(Some(url.into()));
        }
    }
    Ok(None)
}

fn of_json(text: &str) -> Option<Url> {
    match serde_json::from_str::<Object>(text).ok()?.url {
        Value::String(url) => whole(&url),
        _ => None,
    }
}

fn of_text(text: &str) -> Option<Url> {
    let shortcut = || text.lines().find_map(|line| whole(line.trim().strip_prefix("URL=")?));
    whole(text.lines().next().unwrap_or_default()).or_else(shortcut)
}

/// Returns an address of which no character was replaced.
fn whole(text: &str) -> Option<Url> {
    address(text, None).filter(|_| !text.contains(char::REPLACEMENT_CHARACTER))
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use std::fs;

    use super::*;

    /// Returns what a page is told by a file beside it.
    fn told(page: &Path, name: &str, content: &[u8]) -> String {
        let path = page.with_file_name(name);
        fs::write(&path, content).unwrap();
        let told = url(page).unwrap();
        fs::remove_file(path).unwrap();
        told.unwrap_or_default()
    }

    #[test]
    fn a_sidecar_may_be_in_utf_16_and_hold_bytes_of_no_charset() {
        let folder = tempfile::tempdir().unwrap();
        let page = folder.path().join("a.html");
        for (name, content) in [
            ("a.html.url", "http://h.example/a\r\n"),
            ("a.html.url", "[InternetShortcut]\r\nURL=http://h.example/a\r\n"),
            ("a.html.json", "{\"url\": \"http://h.example/a\"}"),
        ] {
            let units: Vec<u16> = std::iter::once(0xfeff).chain(content.encode_utf16()).collect();
            let little: Vec<u8> = units.iter().flat_map(|unit| unit.to_le_bytes()).collect();
            let big: Vec<u8> = units.iter().flat_map(|unit| unit.to_be_bytes()).collect();
            let marked = [b"\xef\xbb\xbf", content.as_bytes()].concat();
            for bytes in [little, big, marked] {
                assert_eq!(told(&page, name, &bytes), "http://h.example/a", "{name}: {content}");
            }
        }
        let latin = b"[InternetShortcut]\r\nIconFile=C:\\B\xfccher\\a.ico\r\nURL=//h.example/a\r\n";
        assert_eq!(told(&page, "a.html.url", latin), "https://h.example/a");
        assert_eq!(told(&page, "a.html.url", b"http://h.example/B\xfccher"), "");
    }

    #[test]
    fn a_sidecar_is_a_line_a_shortcut_or_an_object() {
        let folder = tempfile::tempdir().unwrap();
        let page = folder.path().join("a.html.gz");
        let told = |name: &str, content: &str| told(&page, name, content.as_bytes());
        assert_eq!(told("a.html.gz.url", "\u{feff}https://h.example/a\r\nmore"), "https://h.example/a");
        assert_eq!(
            told("a.html.url", "[InternetShortcut]\r\nURL=http://h.example/b\r\n"),
            "http://h.example/b"
        );
        assert_eq!(
            told("a.html.json", "{\"x\": [1], \"url\": \"http://h.example/c\"}"),
            "http://h.example/c"
        );
        for (name, content) in [
            ("a.html.url", "no address"),
            ("a.html.url", ""),
            ("a.html.url", "file:///etc/passwd"),
            ("a.html.json", "{\"url\": 7}"),
            ("a.html.json", "{\"url\": \"/relative\"}"),
            ("a.html.json", "[]"),
            ("b.html.url", "http://h.example/of-another"),
            ("a.html.gz.url", &format!("http://h.example/{}", "x".repeat(9 << 10))),
        ] {
            assert_eq!(told(name, content), "", "{name}: {content:.40}");
        }
        fs::create_dir(folder.path().join("a.html.url")).unwrap();
        assert_eq!(url(&page).unwrap(), None, "a folder is no sidecar");
    }
}
