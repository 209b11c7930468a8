//! The HTML of a page: main text with images in reading order, and the clutter that
//! surrounds it.

use rand::RngExt;
use rand::seq::SliceRandom;

use crate::prose::{Cast, Prose, fill};
use crate::random::{Stream, word};

/// An image of the main text.
#[derive(Debug, Clone)]
pub(crate) struct PageImage {
    /// Absolute URL, on [`CDN_HOST`] or on the page's own host.
    pub(crate) url: String,
    /// What it shows.
    pub(crate) caption: String,
}

/// How much surrounds the prose.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Form {
    /// Headings, a list, inline markup and all clutter.
    Full,
    /// Nothing but paragraphs in the main text, and all clutter: what is extracted is
    /// the prose.
    Plain,
    /// Fewer than 20 words in the whole page, when the prose is that short.
    Bare,
}

/// How a page's bytes are encoded and where that is said.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Charset {
    /// UTF-8, said in the HTTP header and in a `meta`.
    Utf8,
    /// windows-1252 under the name iso-8859-1, said in the HTTP header.
    Latin1Header,
    /// windows-1252, said in a `meta` alone.
    Latin1Meta,
    /// UTF-16, little endian, with a byte order mark.
    Utf16,
    /// Shift_JIS, said in the HTTP header.
    ShiftJisHeader,
    /// Shift_JIS, said in a `meta` alone.
    ShiftJisMeta,
}

impl Charset {
    /// Gives the HTTP `Content-Type`.
    pub(crate) fn content_type(self) -> &'static str {
        match self {
            Self::Utf8 => "text/html; charset=UTF-8",
            Self::Latin1Header => "text/html; charset=ISO-8859-1",
            Self::Utf16 => "text/html; charset=utf-16",
            Self::ShiftJisHeader => "text/html; charset=Shift_JIS",
            Self::Latin1Meta | Self::ShiftJisMeta => "text/html",
        }
    }

    fn meta(self) -> &'static str {
        match self {
            Self::Utf8 => "<meta charset=\"utf-8\">",
            Self::Latin1Meta => {
                "<meta http-equiv=\"Content-Type\" content=\"text/html; charset=windows-1252\">"
            }
            Self::ShiftJisMeta => "<meta charset=\"shift_jis\">",
            Self::Latin1Header | Self::Utf16 | Self::ShiftJisHeader => "",
        }
    }

    /// Encodes a page; a letter the charset lacks becomes a numeric reference.
    pub(crate) fn encode(self, html: &str) -> Vec<u8> {
        let encoding = match self {
            Self::Utf8 => return html.as_bytes().to_vec(),
            Self::Utf16 => {
                let units = std::iter::once(0xFEFF).chain(html.encode_utf16());
                return units.flat_map(u16::to_le_bytes).collect();
            }
            Self::Latin1Header | Self::Latin1Meta => encoding_rs::WINDOWS_1252,
            Self::ShiftJisHeader | Self::ShiftJisMeta => encoding_rs::SHIFT_JIS,
        };
        encoding.encode(html).0.into_owned()
    }
}

/// Host of most page images.
pub(crate) const CDN_HOST: &str = "cdn.pages.example";

const PLACEHOLDER: &str = "data:image/gif;base64,R0lGODlhAQABAIAAAAAAAP///yH5BAEAAAAALAAAAAABAAEAAAIBRAA7";
const CONTAINERS: [(&str, &str); 4] = [
    ("<article>", "</article>"),
    ("<main>", "</main>"),
    ("<div class=\"content\">", "</div>"),
    ("<main><article class=\"post-content\">", "</article></main>"),
];
const COOKIES: &str = "<div id=\"cookie-banner\" class=\"cookie-consent\"><p>We use cookies to improve \
    your experience. By using this site you accept our cookie policy.</p>\
    <button>Accept all</button> <button>Settings</button></div>\n";
const SHARE_BAR: &str = "<div class=\"share-bar\"><a href=\"/share?to=mail\">\
    <img src=\"/static/icon-mail.png\" width=\"16\" height=\"16\" alt=\"Mail\"></a> \
    <a href=\"/share?to=feed\"><img src=\"/static/icon-feed.png\" width=\"16\" height=\"16\" alt=\"Feed\"></a> \
    <a href=\"/share?to=print\">Print</a></div>\n";
const FOOTER: &str = "<footer class=\"site-footer\"><ul><li><a href=\"/about\">About us</a></li>\
    <li><a href=\"/contact\">Contact</a></li><li><a href=\"/privacy\">Privacy policy</a></li>\
    <li><a href=\"/terms\">Terms of use</a></li></ul><p>Copyright 2020 Shapes and Pages. \
    All rights reserved.</p><img src=\"https://cdn.pages.example/static/pixel.gif\" \
    width=\"1\" height=\"1\" alt=\"\"></footer>\n";
const SCRIPT: &str =
    "<script>window.dataLayer = window.dataLayer || []; if (1 < 2) { dataLayer.push({}); }</script>\n";

/// A page to be written.
pub(crate) struct Page<'a> {
    pub(crate) host: &'a str,
    pub(crate) title: &'a str,
    pub(crate) prose: &'a Prose,
    pub(crate) images: &'a [PageImage],
    pub(crate) form: Form,
    pub(crate) charset: Charset,
}

impl Page<'_> {
    /// Writes the page; the stream chooses container, clutter and image markup.
    pub(crate) fn html(&self, stream: &mut Stream) -> String {
        let (open, close) = CONTAINERS[stream.random_range(0..CONTAINERS.len())];
        let head = format!(
            "<!DOCTYPE html>\n<html>\n<head>{}<title>{}</title>\
             <link rel=\"stylesheet\" href=\"/static/site.css\">\n<style>.logo {{ color: red }}</style>\
             </head>\n<body>\n",
            self.charset.meta(),
            self.title,
        );
        let main = format!("{open}\n{}{close}\n", self.main(stream));
        if self.form == Form::Bare {
            return format!("{head}<nav><a href=\"/\">Home</a></nav>\n{main}</body>\n</html>\n");
        }
        let mut html = head + &navigation() + COOKIES;
        html.push_str("<div class=\"layout\">\n");
        html.push_str(&main);
        html.push_str(SHARE_BAR);
        if stream.random_bool(0.5) {
            html.push_str(&comments(stream));
        }
        html.push_str(&sidebar(stream));
        html.push_str("</div>\n");
        html.push_str(FOOTER);
        html + SCRIPT + "</body>\n</html>\n"
    }

    fn main(&self, stream: &mut Stream) -> String {
        let mut blocks: Vec<String> =
            self.prose.paragraphs.iter().map(|paragraph| self.paragraph(paragraph, stream)).collect();
        if self.form == Form::Full {
            blocks.insert(blocks.len() / 2, format!("<h2>{}</h2>", heading(stream)));
            if stream.random_bool(0.3) {
                blocks.push(list(stream));
            }
        }
        // Images go between the blocks, after the first, in the order they are given.
        let mut places: Vec<usize> = (1..=blocks.len()).collect();
        while places.len() < self.images.len() {
            places.push(blocks.len());
        }
        places.shuffle(stream);
        places.truncate(self.images.len());
        places.sort_unstable();
        for (place, image) in places.into_iter().zip(self.images).rev() {
            blocks.insert(place, self.image(image, stream));
        }
        if self.form == Form::Full {
            blocks.insert(0, format!("<h1>{}</h1>", self.title));
        }
        blocks.iter().map(|block| format!("{block}\n")).collect()
    }

    fn paragraph(&self, text: &str, stream: &mut Stream) -> String {
        let text = text.replace('&', "&amp;").replace('<', "&lt;");
        let marked = match (self.form, stream.random_range(0..4)) {
            (Form::Full, 0) => text.replacen(" the ", " <b>the</b> ", 1),
            (Form::Full, 1) => text.replacen(" and ", " <a href=\"/and\">and</a> ", 1),
            (Form::Full, 2) => text.replacen(" was ", " <em>was</em>\n", 1),
            _ => text,
        };
        format!("<p>{marked}</p>")
    }

    /// Writes an image in one of the ways that the web has for it; all name one URL.
    fn image(&self, image: &PageImage, stream: &mut Stream) -> String {
        let PageImage { url, caption } = image;
        let own = format!("https://{}", self.host);
        let own_path = url.strip_prefix(&own);
        // A page on another host than its image cannot name it by path alone.
        let (path, up) = match own_path {
            Some(path) => (path.to_owned(), format!("..{path}")),
            None => (url.clone(), url.clone()),
        };
        let bare = url.trim_start_matches("https:");
        let markup = match stream.random_range(0..8) {
            0 => format!("<img src=\"{path}\" alt=\"{caption}\" width=\"96\" height=\"80\">"),
            1 => format!("<p><img src=\"{up}\" alt=\"{caption}\"></p>"),
            2 => format!(
                "<img class=\"lazyload\" src=\"{PLACEHOLDER}\" data-src=\"{path}\" alt=\"{caption}\">"
            ),
            3 => format!("<img src=\"{url}\" srcset=\"{url} 1x, {url} 2x\" alt=\"{caption}\">"),
            4 => format!("<img srcset=\"{url} 96w\" sizes=\"100vw\" alt=\"{caption}\">"),
            5 | 6 => format!(
                "<figure><img src=\"{path}\" alt=\"{caption}\"><figcaption>{caption}</figcaption></figure>"
            ),
            _ => format!("<img src=\"{bare}\" alt=\"{caption}\">"),
        };
        if stream.random_bool(0.5) {
            return format!("{markup}\n<p>In this picture: {caption}.</p>");
        }
        markup
    }
}

fn navigation() -> String {
    let entries = ["Home", "News", "Weather", "Animals", "Places", "Archive"];
    let links: String = entries
        .iter()
        .map(|entry| format!("<li><a href=\"/{}\">{entry}</a></li>", entry.to_lowercase()))
        .collect();
    format!(
        "<header class=\"site-header\"><a href=\"/\">\
         <img class=\"logo\" src=\"/static/logo.png\" width=\"48\" height=\"16\" alt=\"Logo\"></a>\n\
         <nav class=\"menu\"><ul>{links}</ul></nav></header>\n"
    )
}

fn sidebar(stream: &mut Stream) -> String {
    let cast = Cast::draw(stream);
    let links: String = (0..4)
        .map(|index| {
            let title = fill("The {adjective} {animal} of {name}", &cast, stream);
            format!(
                "<li><a href=\"/more/{index}\"><img src=\"/static/thumb-{index}.png\" width=\"40\" \
                 height=\"40\" alt=\"\"> {title}</a></li>"
            )
        })
        .collect();
    format!("<aside class=\"sidebar\"><h3>Related posts</h3><ul>{links}</ul></aside>\n")
}

fn comments(stream: &mut Stream) -> String {
    let cast = Cast::draw(stream);
    let comments: String = (0..stream.random_range(1..4))
        .map(|_| {
            let text = fill("I was at the {place} {time} and it was {adjective}.", &cast, stream);
            format!("<div class=\"comment\"><b>guest</b> says: <p>{text}</p> <a href=\"#\">Reply</a></div>")
        })
        .collect();
    format!("<section id=\"comments\" class=\"comments\"><h3>Comments</h3>{comments}</section>\n")
}

fn list(stream: &mut Stream) -> String {
    let cast = Cast::draw(stream);
    let items: String = (0..stream.random_range(3..5))
        .map(|_| fill("<li>the {adjective} {thing} of {name}</li>", &cast, stream))
        .collect();
    format!("<ul>{items}</ul>")
}

/// Makes a heading.
pub(crate) fn heading(stream: &mut Stream) -> String {
    let cast = Cast::draw(stream);
    let template = word(
        &[
            "The {adjective} {animal} and the {colour} {thing}",
            "{hero} and the {adjective} {place}",
            "A {adjective} day at the {place}",
            "What the {animal} saw {time}",
        ],
        stream,
    );
    fill(template, &cast, stream)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::random::stream;

    fn html(form: Form, images: &[PageImage], index: u64) -> String {
        let mut stream = stream(1, "page", index);
        let prose = Prose::story(&mut stream);
        let page = Page {
            host: "www.pages.example",
            title: "Title",
            prose: &prose,
            images,
            form,
            charset: Charset::Utf8,
        };
        page.html(&mut stream)
    }

    #[test]
    fn images_stand_in_the_order_they_were_given_and_amid_the_main_text() {
        let image = |index: usize| PageImage {
            url: format!("https://www.pages.example/p/{index:08}.png"),
            caption: "a small red cross".to_owned(),
        };
        let images: Vec<PageImage> = (0..7).map(image).collect();
        for index in 0..40 {
            let html = html(Form::Full, &images, index);
            let places: Vec<usize> =
                (0..7).filter_map(|index| html.find(&format!("/p/{index:08}.png"))).collect();
            assert_eq!(places.len(), 7, "{html}");
            assert!(places.is_sorted());
            assert!(places.first() > html.find("<p>").as_ref());
            assert!(places.last() < html.find("share-bar").as_ref());
        }
    }

    #[test]
    fn charsets_encode_as_they_say() {
        assert_eq!(Charset::Latin1Meta.encode("caf\u{e9} \u{2019}"), b"caf\xe9 \x92");
        assert_eq!(Charset::Utf16.encode("a"), [0xFF, 0xFE, b'a', 0]);
        assert_eq!(Charset::ShiftJisMeta.encode("\u{3042}"), [0x82, 0xA0]);
    }

    #[test]
    fn a_plain_page_has_no_heading_of_its_own_in_the_main_text() {
        let html = html(Form::Plain, &[], 3);
        assert!(!html.contains("<h1>") && !html.contains("<h2>"));
        assert!(html.contains("cookie-banner"));
    }
}
