//! Where an image is: which of its attributes to believe, resolved against the page.

use url::Url;

use super::dom::{Dom, Element, NodeId, ROOT};

/// Attributes of pages that load images late, in the order in which they are believed.
const LAZY: [&str; 9] = [
    "data-src",
    "data-original",
    "data-lazy-src",
    "data-lazy",
    "data-orig-file",
    "data-img-src",
    "data-hi-res-src",
    "data-full-src",
    "data-image",
];
/// Attributes that hold several candidates.
const SETS: [&str; 3] = ["srcset", "data-srcset", "data-lazy-srcset"];
/// Bytes of an image's URL as a page writes it.
const URL_BYTES_MAX: usize = 8 << 10;
/// Nodes of a `picture` that count: its sources and its image.
const PICTURE_NODES_MAX: usize = 64;
/// Bytes of a `srcset`.
const SET_BYTES_MAX: usize = 64 << 10;

/// Returns the URL that relative ones are resolved against: `<base href>` or the page's.
pub(super) fn base_url(dom: &Dom, page: &str) -> Option<Url> {
    let page = Url::parse(page).ok();
    let base = dom.walk(ROOT).find(|id| dom.tag(*id) == "base");
    let href = base.and_then(|id| dom.element(id)?.attribute("href"));
    // Every image repeats the base: a long one would multiply the page.
    let href = href.filter(|href| href.len() <= URL_BYTES_MAX);
    match (href, &page) {
        (Some(href), Some(page)) => page.join(href.trim()).ok().or_else(|| Some(page.clone())),
        (Some(href), None) => Url::parse(href.trim()).ok(),
        (None, _) => page,
    }
}

/// Returns the absolute http or https URL of an `img`, by its own attributes and those of
/// the `picture` around it.
pub(super) fn image_url(dom: &Dom, id: NodeId, base: Option<&Url>) -> Option<String> {
    let image = dom.element(id)?;
    let attributes = |names: &'static [&'static str]| names.iter().filter_map(|name| image.attribute(name));
    let lazy = attributes(&LAZY).find_map(|src| resolve(src, base));
    let plain = || image.attribute("src").and_then(|src| resolve(src, base));
    let set = || largest(image, base);
    lazy.or_else(plain).or_else(set).or_else(|| {
        let parent = dom.node(id)?.parent;
        let picture = (dom.tag(parent) == "picture").then_some(parent)?;
        let children = || dom.children(picture).take(PICTURE_NODES_MAX);
        // A `picture` is for one image: a thousand must not read all sources each.
        if !children().any(|child| child == id) {
            return None;
        }
        let sources = children().filter(|child| dom.tag(*child) == "source");
        sources.filter_map(|source| dom.element(source)).find_map(|s| largest(s, base))
    })
}

fn largest(element: &Element, base: Option<&Url>) -> Option<String> {
    let sets = SETS.iter().filter_map(|name| element.attribute(name));
    sets.filter_map(largest_of).find_map(|src| resolve(src, base))
}

/// Returns the candidate of a `srcset` with the largest width or density; the first of equals.
fn largest_of(set: &str) -> Option<&str> {
    let set = set.get(..SET_BYTES_MAX).unwrap_or(set);
    let mut best: Option<(&str, f64)> = None;
    // Candidates are separated by a comma and white space: URLs may hold commas.
    for candidate in set.split(", ").flat_map(|part| part.split(",\n")) {
        let mut words = candidate.split_ascii_whitespace();
        let Some(url) = words.next() else {
            continue;
        };
        let size = words.next().and_then(|size| size.get(..size.len() - 1)?.parse().ok());
        let size = size.filter(|size: &f64| size.is_finite()).unwrap_or(1.0);
        if best.is_none_or(|(_, largest)| size > largest) {
            best = Some((url.trim_end_matches(','), size));
        }
    }
    best.map(|(url, _)| url)
}

fn resolve(src: &str, base: Option<&Url>) -> Option<String> {
    let src = src.trim();
    if src.is_empty() || src.len() > URL_BYTES_MAX {
        return None;
    }
    let url = Url::options().base_url(base).parse(src).ok()?;
    (matches!(url.scheme(), "http" | "https") && url.has_host()).then(|| url.into())
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn the_largest_candidate_of_a_set_is_taken() {
        assert_eq!(largest_of("a.jpg 1x, b.jpg 2x"), Some("b.jpg"));
        assert_eq!(largest_of("a,1.jpg 300w,\n b.jpg 1200w, c.jpg 600w"), Some("b.jpg"));
        assert_eq!(largest_of("only.jpg"), Some("only.jpg"));
        assert_eq!(largest_of("a.jpg é"), Some("a.jpg"));
        assert_eq!(largest_of(" "), None);
    }

    #[test]
    fn only_web_urls_come_out_absolute() {
        let base = Url::parse("http://h.example/a/b.html").unwrap();
        let resolved = |src| resolve(src, Some(&base));
        assert_eq!(resolved("c.png").unwrap(), "http://h.example/a/c.png");
        assert_eq!(resolved("//i.example/c d").unwrap(), "http://i.example/c%20d");
        assert_eq!(resolved("data:image/gif;base64,AA"), None);
        assert_eq!(resolve("c.png", None), None);
    }

    #[test]
    fn the_sources_of_a_picture_are_for_images_near_them() {
        let url = |count: usize| {
            let html = format!("<picture>{}<source srcset=b><img></picture>", "<source>".repeat(count));
            let dom = super::super::parser::parse(&html);
            let image = dom.walk(ROOT).find(|id| dom.tag(*id) == "img").unwrap();
            image_url(&dom, image, Url::parse("http://h.example/").ok().as_ref())
        };
        assert_eq!(url(9).unwrap(), "http://h.example/b");
        assert_eq!(url(PICTURE_NODES_MAX), None);
    }
}
