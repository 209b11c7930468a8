//! The address that a saved page says it has: of its author, or of the tool that saved it.
//!
//! In this order: `<link rel=canonical>`, `og:url`, the comment of the tool, `<base href>`.

use std::borrow::Cow;

use corpus::page_url::URL_BYTES_MAX;
use url::Url;

use super::dom::{Dom, Element, ROOT};

/// Bytes at a page's beginning in which tools leave a comment about where they had it from.
const HEAD_BYTES: usize = 8 << 10;
/// How the comment of a browser begins: `<!-- saved from url=(0019)https://h.example/ -->`.
const SAVED_FROM: &str = "saved from url=(";
/// What SingleFile writes, a line before `url: https://h.example/`.
const SINGLE_FILE: (&str, &str) = ("Page saved with SingleFile", "url:");
/// How HTTrack's comment begins, before an address without its scheme, and how it goes on.
const HTTRACK: (&str, &str) = ("Mirrored from ", " by HTTrack");

/// Returns the address of a page, given as it was parsed and as it was written.
pub(super) fn stated(dom: &Dom, html: &str) -> Option<String> {
    let mut found = Found::default();
    for element in dom.walk(ROOT).filter_map(|id| dom.element(id)) {
        found.look_at(element);
    }
    let noted = noted(html).and_then(|text| address(&text, None));
    let base = found.base.and_then(|href| address(href, noted.as_ref()));
    let beside = base.as_ref().or(noted.as_ref());
    let of_author = [found.canonical, found.og_url].into_iter().flatten();
    let stated = of_author.filter_map(|href| address(href, beside)).next();
    stated.or(noted).or(base).map(String::from)
}

/// What the elements of a page say: the first of each kind that says anything.
#[derive(Default)]
struct Found<'d> {
    canonical: Option<&'d str>,
    og_url: Option<&'d str>,
    base: Option<&'d str>,
}

impl<'d> Found<'d> {
    fn look_at(&mut self, element: &'d Element) {
        let value = |name| element.attribute(name).filter(|value| !value.trim().is_empty());
        match &*element.name.local {
            "link" => {
                let is_canonical = |rel: &str| {
                    rel.split_ascii_whitespace().any(|word| word.eq_ignore_ascii_case("canonical"))
                };
                if self.canonical.is_none() && value("rel").is_some_and(is_canonical) {
                    self.canonical = value("href");
                }
            }
            "meta" => {
                let name = value("property").or(value("name")).unwrap_or_default();
                if self.og_url.is_none() && name.eq_ignore_ascii_case("og:url") {
                    self.og_url = value("content");
                }
            }
            "base" if self.base.is_none() => self.base = value("href"),
            _ => {}
        }
    }
}

/// The scheme of an address that states none, `//h.example/a`, and has none to take it from.
const USUAL_SCHEME: &str = "https:";

/// Returns an address in one spelling, if it is one of the web: without a user, which may be a secret, and without
/// the place on the page.
pub(crate) fn address(text: &str, base: Option<&Url>) -> Option<Url> {
    let text = text.trim();
    if text.is_empty() || text.len() > URL_BYTES_MAX {
        return None;
    }
    let text = match base {
        None if text.starts_with("//") => Cow::Owned(format!("{USUAL_SCHEME}{text}")),
        _ => Cow::Borrowed(text),
    };
    let mut url = Url::options().base_url(base).parse(&text).ok()?;
    if !matches!(url.scheme(), "http" | "https") || !url.has_host() {
        return None;
    }
    // These schemes have both, so neither is refused.
    let _ = url.set_username("");
    let _ = url.set_password(None);
    url.set_fragment(None);
    (url.as_str().len() <= URL_BYTES_MAX).then_some(url)
}

/// Returns the address in a comment of the tool that saved the page.
fn noted(html: &str) -> Option<Cow<'_, str>> {
    let head = &html[..html.floor_char_boundary(HEAD_BYTES)];
    let mut comments = head.split("<!--").skip(1).map(|rest| rest.split("-->").next().unwrap_or_default());
    comments.find_map(|comment| {
        let browser = || {
            let (_, rest) = comment.split_once(SAVED_FROM)?;
            rest.split_once(')').map(|(_, address)| address)
        };
        let single_file = || {
            let (_, rest) = comment.split_once(SINGLE_FILE.0)?;
            rest.split_once(SINGLE_FILE.1).map(|(_, address)| address)
        };
        let httrack = || {
            let (_, rest) = comment.split_once(HTTRACK.0)?;
            rest.split_once(HTTRACK.1).map(|(address, _)| Cow::Owned(format!("http://{address}")))
        };
        let address = browser().or_else(single_file);
        let address = address.and_then(|address| address.split_ascii_whitespace().next());
        address.map(Cow::Borrowed).or_else(httrack)
    })
}

#[cfg(test)]
mod tests {
    use super::super::parser;
    use super::*;

    fn of(html: &str) -> Option<String> {
        stated(&parser::parse(html), html)
    }

    #[test]
    fn what_the_author_says_goes_before_what_tools_say() {
        let noted = "<!DOCTYPE html>\n<!-- saved from url=(0023)http://saved.example/a/ -->\n";
        let all = "<base href='http://base.example/d/'><meta property=og:url content=http://og.example/>\
                   <link rel='alternate Canonical' href='http://canonical.example/x'>";
        let page = |head: &str| of(&format!("{noted}<html><head>{head}</head><body><p>text"));
        for (head, address) in [
            (all, "http://canonical.example/x"),
            (&all.replace("Canonical", "stylesheet"), "http://og.example/"),
            ("<base href='http://base.example/d/'>", "http://saved.example/a/"),
            ("", "http://saved.example/a/"),
            ("<link rel=canonical href=../b>", "http://saved.example/b"),
            ("<base href=/c/><link rel=canonical href=d>", "http://saved.example/c/d"),
            ("<link rel=canonical href=''><link rel=canonical href=/e>", "http://saved.example/e"),
            (
                "<link rel=canonical href='javascript:0'><meta name=OG:URL content=/f>",
                "http://saved.example/f",
            ),
        ] {
            assert_eq!(page(head).as_deref(), Some(address), "{head}");
        }
        assert_eq!(of("<base href='http://base.example/d/'><p>x").as_deref(), Some("http://base.example/d/"));
    }

    #[test]
    fn tools_that_save_pages_are_known() {
        for (comment, address) in [
            ("saved from url=(0031)https://www.example.com/a?b=c#d ", Some("https://www.example.com/a?b=c")),
            ("saved from url=(0014)about:internet ", None),
            (
                "\n Page saved with SingleFile \n url: https://h.example/a \n saved date: Mon",
                Some("https://h.example/a"),
            ),
            (
                " Mirrored from www.h.example/a/b.html by HTTrack Website Copier/3.x",
                Some("http://www.h.example/a/b.html"),
            ),
            (" url: https://h.example/ ", None),
        ] {
            let page = format!("<!DOCTYPE html><html><!-- other --><!--{comment}--><p>x");
            assert_eq!(of(&page).as_deref(), address, "{comment}");
        }
        let late = format!("<p>{}<!-- saved from url=(0018)http://h.example/ -->", "x".repeat(HEAD_BYTES));
        assert_eq!(of(&late), None);
        assert_eq!(of("<p>saved from url=(0018)http://h.example/"), None, "no comment");
    }

    #[test]
    fn what_is_no_address_of_the_web_is_none() {
        let long = format!("http://h.example/{}", "x".repeat(URL_BYTES_MAX));
        for href in
            ["/a", "", "ftp://h.example/", "file:///a", "data:text/html,x", "http://", "http://[::1", &long]
        {
            assert_eq!(of(&format!("<link rel=canonical href='{href}'><p>x")), None, "{href}");
        }
        let of_href = |href: &str| of(&format!("<link rel=canonical href='{href}'><p>x"));
        assert_eq!(of_href(" HTTP://me:secret@H.example:80/a#b ").as_deref(), Some("http://h.example/a"));
    }

    #[test]
    fn an_address_without_a_scheme_has_that_of_what_stands_beside_it_or_the_usual_one() {
        for head in [
            "<link rel=canonical href='//h.example/a'>",
            "<meta property=og:url content='//h.example/a'>",
            "<base href='//h.example/'><link rel=canonical href=a>",
            "<base href='//h.example/a'>",
        ] {
            assert_eq!(of(&format!("{head}<p>x")).as_deref(), Some("https://h.example/a"), "{head}");
        }
        let noted =
            "<!-- saved from url=(0020)http://saved.example/ --><link rel=canonical href='//h.example/a'>";
        assert_eq!(of(noted).as_deref(), Some("http://h.example/a"));
        assert_eq!(of("<link rel=canonical href='//'><p>x"), None);
    }
}
