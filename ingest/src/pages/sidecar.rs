//! A sidecar: a small file beside a page that says where the page is from.
//!
//! ```text
//! page.html.url     the URL, in its first line; or a Windows shortcut with a line `URL=...`
//! page.html.json    an object with a key `url`
//! ```
//!
//! Of a compressed page, `page.html.gz`, the name with and without the last end is looked for.

use std::fs::File;
use std::io::{self, Read};
use std::path::{Path, PathBuf};

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
        let is_json = path.as_os_str().to_string_lossy().ends_with(JSON_END);
        if let Some(url) = if is_json { of_json(&bytes) } else { of_text(&bytes) } {
            return Ok(Some(url.into()));
        }
    }
    Ok(None)
}

fn of_json(bytes: &[u8]) -> Option<Url> {
    match serde_json::from_slice::<Object>(bytes).ok()?.url {
        Value::String(url) => address(&url, None),
        _ => None,
    }
}

fn of_text(bytes: &[u8]) -> Option<Url> {
    let text = std::str::from_utf8(bytes).ok()?.trim_start_matches('\u{feff}');
    let shortcut = || text.lines().find_map(|line| address(line.trim().strip_prefix("URL=")?, None));
    address(text.lines().next().unwrap_or_default(), None).or_else(shortcut)
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use std::fs;

    use super::*;

    #[test]
    fn a_sidecar_is_a_line_a_shortcut_or_an_object() {
        let folder = tempfile::tempdir().unwrap();
        let page = folder.path().join("a.html.gz");
        let told = |name: &str, content: &str| {
            let path = folder.path().join(name);
            fs::write(&path, content).unwrap();
            let told = url(&page).unwrap();
            fs::remove_file(path).unwrap();
            told.unwrap_or_default()
        };
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
