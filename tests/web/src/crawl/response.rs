//! A response of the crawl: a page, or an answer that is none, with what is expected
//! of it.

use rand::RngExt;

use crate::drawing::Drawing;
use crate::fault::image_name;
use crate::page::{CDN_HOST, Charset, Form, Page, PageImage, heading};
use crate::prose::{Language, Prose, jaccard};
use crate::random::{Stream, stream};
use crate::truth::{self, DocumentRef, NearDuplicate, TextOutcome, Truth};
use crate::warc::Capture;

/// Hosts that pages are on.
pub(crate) const PAGE_HOSTS: [&str; 3] = ["www.pages.example", "blog.pages.example", "news.pages.example"];

/// What one response is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Story,
    /// An English page in another charset than UTF-8.
    Encoded(Charset),
    Copy,
    CopyOfPile,
    NearOfPile,
    Foreign,
    Spam,
    Short,
    NotFound,
    Moved,
    NotHtml,
}

pub(super) const SHARES: [(Kind, u32); 12] = [
    (Kind::Encoded(Charset::Latin1Header), 10),
    (Kind::Encoded(Charset::Latin1Meta), 10),
    (Kind::Encoded(Charset::Utf16), 5),
    (Kind::Copy, 20),
    (Kind::CopyOfPile, 20),
    (Kind::NearOfPile, 10),
    (Kind::Foreign, 40),
    (Kind::Spam, 15),
    (Kind::Short, 20),
    (Kind::NotFound, 25),
    (Kind::Moved, 15),
    (Kind::NotHtml, 25),
];

/// How a page image turns out, by folder, with its share per mille.
const IMAGE_SHARES: [(&str, &str, f64); 3] =
    [("s", "side_min", 0.05), ("c", "single_colour", 0.04), ("m", "http_404", 0.04)];

/// Content types of responses that are not HTML, with a first line of each.
const OTHER_TYPES: [(&str, &[u8]); 3] = [
    ("application/pdf", b"%PDF-1.4\n"),
    ("application/json", b"{\"shapes\": []}\n"),
    ("image/png", b"\x89PNG\r\n\x1a\n"),
];
/// Writes responses one after the other and notes what is expected of them.
pub(super) struct Author<'a> {
    pub(super) seed: u64,
    pub(super) truth: &'a mut Truth,
    /// Stories of the Pile that are still to be copied.
    singles: Vec<(DocumentRef, Prose)>,
    /// The last page that can be copied: a story without images.
    copied: Option<(Vec<u8>, &'static str)>,
    /// Page images so far.
    images: u32,
}
impl<'a> Author<'a> {
    /// Begins with no response written. `singles` are stories of the Pile to be copied.
    pub(super) fn new(seed: u64, singles: Vec<(DocumentRef, Prose)>, truth: &'a mut Truth) -> Self {
        Self { seed, truth, singles, copied: None, images: 0 }
    }

    /// Makes the page that damage befalls, which nobody will read.
    pub(super) fn lost(&self, path: &str) -> Capture {
        let mut stream = stream(self.seed, path, 1);
        let title = heading(&mut stream);
        let prose = Prose::story(&mut stream);
        let page = Page {
            host: PAGE_HOSTS[0],
            title: &title,
            prose: &prose,
            images: &[],
            form: Form::Full,
            charset: Charset::Utf8,
        };
        let number: u32 = stream.random();
        let url = format!("https://{}/lost/{number}.html", PAGE_HOSTS[0]);
        capture(url, Charset::Utf8.content_type(), page.html(&mut stream).into_bytes())
    }

    /// Makes response `index` and notes what is expected of it.
    pub(super) fn capture(&mut self, kind: Kind, index: u32) -> Capture {
        let mut stream = stream(self.seed, "page", u64::from(index));
        let host = PAGE_HOSTS[stream.random_range(0..PAGE_HOSTS.len())];
        let title = heading(&mut stream);
        let slug = title.to_lowercase().replace(' ', "-");
        let url = format!("https://{host}/stories/{slug}-{index}.html");
        match kind {
            Kind::NotFound | Kind::Moved => return self.no_page(kind, url),
            Kind::NotHtml => return self.not_html(url, index),
            Kind::Copy => {
                if let Some((body, content_type)) = self.copied.take() {
                    self.note(&url, TextOutcome::Duplicate, Vec::new());
                    return capture(url, content_type, body);
                }
            }
            _ => {}
        }
        let (prose, form, charset, outcome) = self.text(kind, index, &url, &mut stream);
        let images = if form == Form::Full && outcome == TextOutcome::Kept {
            self.page_images(host, &mut stream)
        } else {
            Vec::new()
        };
        let urls = images.iter().map(|image| image.url.clone()).collect();
        self.note(&url, outcome, urls);
        let page = Page { host, title: &title, prose: &prose, images: &images, form, charset };
        let body = charset.encode(&page.html(&mut stream));
        if kind == Kind::Story && images.is_empty() {
            self.copied = Some((body.clone(), charset.content_type()));
        }
        capture(url, charset.content_type(), body)
    }

    /// Gives a page its prose, and says what becomes of it.
    fn text(
        &mut self,
        kind: Kind,
        index: u32,
        url: &str,
        stream: &mut Stream,
    ) -> (Prose, Form, Charset, TextOutcome) {
        let rule = TextOutcome::Rule;
        match kind {
            Kind::Foreign => {
                let language = Language::ALL[index as usize % Language::ALL.len()];
                let charset = match (language, stream.random_range(0..3)) {
                    (Language::Japanese, 0) => Charset::ShiftJisHeader,
                    (Language::Japanese, 1) => Charset::ShiftJisMeta,
                    (Language::German | Language::French | Language::Spanish, 0) => Charset::Latin1Header,
                    _ => Charset::Utf8,
                };
                let prose = Prose::foreign(language, stream);
                (prose, Form::Plain, charset, rule("language"))
            }
            Kind::Spam => (Prose::spam(stream), Form::Plain, Charset::Utf8, rule("symbols")),
            Kind::Short => (Prose::short(stream), Form::Bare, Charset::Utf8, rule("words_min")),
            Kind::CopyOfPile | Kind::NearOfPile => match self.singles.pop() {
                Some((original, prose)) => self.repeat(kind, original, prose, url, stream),
                None => (Prose::story(stream), Form::Full, Charset::Utf8, TextOutcome::Kept),
            },
            Kind::Encoded(charset) => {
                let mut prose = Prose::story(stream);
                prose.paragraphs.push(
                    "At the caf\u{e9} they didn\u{2019}t talk about the na\u{ef}ve \u{201c}picture\u{201d}."
                        .to_owned(),
                );
                (prose, Form::Full, charset, TextOutcome::Kept)
            }
            _ => (Prose::story(stream), Form::Full, Charset::Utf8, TextOutcome::Kept),
        }
    }

    fn repeat(
        &mut self,
        kind: Kind,
        original: DocumentRef,
        prose: Prose,
        url: &str,
        stream: &mut Stream,
    ) -> (Prose, Form, Charset, TextOutcome) {
        if kind == Kind::CopyOfPile {
            return (prose, Form::Plain, Charset::Utf8, TextOutcome::Duplicate);
        }
        let near = prose.near(stream);
        self.truth.near_duplicates.push(NearDuplicate {
            original,
            changed: DocumentRef::Page { url: url.to_owned() },
            jaccard: jaccard(&prose.text(), &near.text()),
        });
        (near, Form::Plain, Charset::Utf8, TextOutcome::Kept)
    }

    fn no_page(&mut self, kind: Kind, url: String) -> Capture {
        self.note_outcome(&url, "status");
        let (status, title) = match kind {
            Kind::Moved => (301, "Moved Permanently"),
            _ => (404, "Not Found"),
        };
        let body = format!("<html><head><title>{title}</title></head><body><h1>{title}</h1></body></html>");
        let headers = match kind {
            Kind::Moved => format!("Location: {}\r\n", url.replace("/stories/", "/archive/")),
            _ => String::new(),
        };
        let page = capture(url, Charset::Utf8.content_type(), body.into_bytes());
        Capture { status, headers, ..page }
    }

    fn not_html(&mut self, url: String, index: u32) -> Capture {
        self.note_outcome(&url, "mime");
        let (content_type, body) = OTHER_TYPES[index as usize % OTHER_TYPES.len()];
        let other = capture(url, content_type, body.to_vec());
        Capture { payload_type: content_type, ..other }
    }

    /// Draws the images of one page: a quarter have none, three tenths one, the rest
    /// two to seven.
    fn page_images(&mut self, host: &str, stream: &mut Stream) -> Vec<PageImage> {
        let count = match stream.random_range(0..100) {
            0..25 => 0,
            25..55 => 1,
            _ => stream.random_range(2..=7),
        };
        (0..count).map(|_| self.page_image(host, stream)).collect()
    }

    fn page_image(&mut self, host: &str, stream: &mut Stream) -> PageImage {
        let index = self.images;
        self.images += 1;
        let drawing = page_drawing(self.seed, index);
        let mut lot: f64 = stream.random();
        let (mut folder, mut outcome) = ("p", "kept");
        for (name, reason, share) in IMAGE_SHARES {
            if (0.0..share).contains(&lot) {
                (folder, outcome) = (name, reason);
            }
            lot -= share;
        }
        let host = if stream.random_bool(0.5) { CDN_HOST } else { host };
        let url = format!("https://{host}/{folder}/{}", image_name(index, drawing.format()));
        self.truth.count_page_image(url.clone(), outcome);
        PageImage { url, caption: drawing.caption(stream) }
    }

    fn note(&mut self, url: &str, outcome: TextOutcome, images: Vec<String>) {
        self.truth.count_text(outcome);
        let page = truth::Page { outcome: outcome.name().to_owned(), images };
        self.truth.pages.insert(url.to_owned(), page);
    }

    fn note_outcome(&mut self, url: &str, outcome: &str) {
        let page = truth::Page { outcome: outcome.to_owned(), images: Vec::new() };
        self.truth.pages.insert(url.to_owned(), page);
    }
}
fn capture(url: String, content_type: &str, body: Vec<u8>) -> Capture {
    Capture {
        url,
        status: 200,
        content_type: content_type.to_owned(),
        headers: String::new(),
        payload_type: "text/html",
        body,
    }
}

/// Draws the lots of page image `index`.
pub(crate) fn page_drawing(seed: u64, index: u32) -> Drawing {
    Drawing::new(seed, "page image", index)
}
