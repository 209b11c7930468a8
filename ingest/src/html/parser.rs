//! The parser: text becomes an arena, by the algorithm of the HTML standard.
//!
//! The tokenizer is fed by pieces, each up to a place where the text may come to be read in
//! another way, so that it is known here what is a tag and what is text. Tags with too many
//! attributes are cut on the way.

use html5ever::TokenizerResult;
use html5ever::buffer_queue::BufferQueue;
use html5ever::tendril::StrTendril;
use html5ever::tokenizer::{TokenSink, Tokenizer, TokenizerOpts};

use super::dom::Dom;
use super::gate::{Gate, Mode};
use super::markup::{self, Markup};

/// Attributes of a tag; the rest is left out. Each is compared with all before it.
const ATTRIBUTES_MAX: usize = 512;
/// Bytes given to the tokenizer at once.
const PIECE_BYTES: usize = 8 << 10;
/// Elements whose text may be read in another way.
const RAW: [&[u8]; 10] = [
    b"iframe",
    b"noembed",
    b"noframes",
    b"noscript",
    b"plaintext",
    b"script",
    b"style",
    b"textarea",
    b"title",
    b"xmp",
];

/// Parses a page; beyond the bounds the rest of it is left out.
pub(super) fn parse(html: &str) -> Dom {
    let mut parser = Parser::new(html, ATTRIBUTES_MAX);
    parser.read();
    parser.tokenizer.sink.finish()
}

struct Parser<'h> {
    html: &'h str,
    attributes_max: usize,
    tokenizer: Tokenizer<Gate>,
    queue: BufferQueue,
    /// Where the part begins that was not yet given to the tokenizer.
    given: usize,
}

impl<'h> Parser<'h> {
    fn new(html: &'h str, attributes_max: usize) -> Self {
        // The tokenizer would leave the mark out at the beginning of every piece.
        let html = html.strip_prefix('\u{feff}').unwrap_or(html);
        let options = TokenizerOpts { discard_bom: false, ..TokenizerOpts::default() };
        let tokenizer = Tokenizer::new(Gate::new(), options);
        Self { html, attributes_max, tokenizer, queue: BufferQueue::default(), given: 0 }
    }

    fn read(&mut self) {
        let mut at = 0;
        while !self.tokenizer.sink.is_full()
            && let Some(next) = self.step(at)
        {
            at = next;
        }
        self.give(self.html.len());
        self.tokenizer.end();
    }

    /// Reads on from a place in ordinary text to behind the next markup; none at the end.
    fn step(&mut self, at: usize) -> Option<usize> {
        let page = self.html.as_bytes();
        let open = at + memchr::memchr(b'<', page.get(at..)?)?;
        match markup::read(page, open) {
            Markup::Text => Some(open + 1),
            Markup::Comment(end) => Some(end),
            Markup::Section { section, comment } => {
                self.give(open);
                let is_section =
                    self.tokenizer.sink.adjusted_current_node_present_but_not_in_html_namespace();
                Some(if is_section { section } else { comment })
            }
            Markup::EndTag(name) => self.tag(name.end),
            Markup::StartTag(name) => {
                let end = self.tag(name.end)?;
                let name = page.get(name)?;
                if !RAW.iter().any(|raw| raw.eq_ignore_ascii_case(name)) {
                    return Some(end);
                }
                self.give(end);
                match self.tokenizer.sink.mode() {
                    Mode::Data => Some(end),
                    Mode::Raw => self.raw(end, name),
                    Mode::Plain => None,
                }
            }
        }
    }

    /// Cuts the attributes of a tag whose name ends at `from`; returns the place behind it.
    fn tag(&mut self, from: usize) -> Option<usize> {
        let attributes = markup::attributes(self.html.as_bytes(), from, self.attributes_max);
        if let Some(cut) = attributes.cut {
            self.give(cut);
            // An unfinished tag is none: without an end nothing more is to come.
            self.given = attributes.end.map_or(self.html.len(), |end| end - 1);
        }
        attributes.end
    }

    /// Reads on from the text of an element that holds no markup to behind its end tag.
    fn raw(&mut self, from: usize, name: &[u8]) -> Option<usize> {
        let page = self.html.as_bytes();
        let mut at = from;
        while !self.tokenizer.sink.is_full() {
            let (open, name_end) = markup::end_of_raw(page, at, name)?;
            // In scripts an end tag may be text. The `<` brings forth all text before it; what
            // follows brings forth text if it is text, and none if it is a tag.
            self.give(open + 1);
            let texts = self.tokenizer.sink.texts();
            self.give(name_end + 1);
            if self.tokenizer.sink.texts() == texts {
                return self.tag(name_end);
            }
            at = name_end + 1;
        }
        None
    }

    /// Gives the page up to a place to the tokenizer.
    fn give(&mut self, end: usize) {
        while self.given < end && !self.tokenizer.sink.is_full() {
            let mut to = end.min(self.given + PIECE_BYTES);
            while !self.html.is_char_boundary(to) {
                to += 1;
            }
            let piece = self.html.get(self.given..to).unwrap_or_default();
            self.queue.push_back(StrTendril::from_slice(piece));
            // It stops at every script that would run and at every charset that is named.
            while !matches!(self.tokenizer.feed(&self.queue), TokenizerResult::Done) {}
            self.given = to;
        }
    }
}

#[cfg(test)]
mod tests {
    use html5ever::tendril::TendrilSink;
    use html5ever::{ParseOpts, parse_document};
    use proptest::prelude::*;

    use super::super::dom::{Data, ROOT};
    use super::super::sink::Sink;
    use super::*;

    /// Markup that begins and ends tags, text and sections in all ways.
#[rustfmt::skip]
    const SOUP: [&str; 84] = [
        "<p", "<P a", "<b", "<x/", "<svg", "<math", "<script", "<SCRIPT", "<style", "<title", "<textarea",
        "<xmp", "<iframe", "<noframes", "<noembed", "<noscript", "<plaintext", "<table", "<td", "<template",
        "<select", "<frameset", "<body", "<html", "<a href", "<br", "</p", "</b", "</script", "</SCRIPT",
        "</style", "</title", "</textarea", "</xmp", "</iframe", "</noframes", "</svg", "</math", "</table",
        "</", "</ ", "</>", "<mi", "<desc", "<foreignObject", "<![CDATA[", "]]>", "]]", "<!--", "-->",
        "--!>", "<!-->", "<!--->", "--", "-", "!", "<!", "<!doctype html", "<?", "?", ">", ">", ">", "/>",
        "=", "\"", "'", " ", "\n", "\r\n", "\r", "\x0c", "/", "a", " b=1", " c='>'", " d=\"<p>\"", " e",
        "&amp", "&lt;p>", "&#x3", "\0", "é", "<",
    ];

    fn soup() -> impl Strategy<Value = String> {
        proptest::collection::vec(proptest::sample::select(&SOUP[..]), 0..40)
            .prop_map(|pieces| pieces.concat())
    }

    /// Writes a page down, node by node with its parent.
    fn written(dom: &Dom, attributes_max: usize) -> String {
        let mut text = String::new();
        for id in dom.walk(ROOT) {
            let parent = dom.node(id).map_or(0, |node| node.parent);
            text += &match dom.node(id).map(|node| &node.data) {
                Some(Data::Element(element)) => {
                    let attributes = element.attributes.iter().take(attributes_max);
                    let attributes: Vec<_> = attributes.map(|a| (&a.name.local, &a.value)).collect();
                    format!("{id} in {parent}: {} {attributes:?}\n", &*element.name.local)
                }
                Some(Data::Text(text)) => format!("{id} in {parent}: {:?}\n", &**text),
                _ => format!("{id} in {parent}\n"),
            };
        }
        text
    }

    fn by_the_library(html: &str) -> String {
        let mut options = ParseOpts::default();
        options.tree_builder.scripting_enabled = false;
        written(&parse_document(Sink::new(), options).one(html), usize::MAX)
    }

    fn with_most(html: &str, attributes_max: usize) -> (String, usize) {
        let mut parser = Parser::new(html, attributes_max);
        parser.read();
        let most = parser.tokenizer.sink.most_attributes();
        (written(&parser.tokenizer.sink.finish(), usize::MAX), most)
    }

    #[test]
    fn a_tag_keeps_its_first_attributes_and_the_page_goes_on_behind_it() {
        let html = "<p a=1 b='>' c d>x</p e f g><script h i j>k</script l m n>y<p o p q";
        let (cut, most) = with_most(html, 2);
        let (short, _) = with_most("<p a=1 b='>'>x</p><script h i>k</script>y", 2);
        assert_eq!((cut, most), (short, 2));
        assert_eq!(with_most("<![CDATA[><p a b c>]]>", 2).1, 2);
    }

    #[test]
    fn text_that_looks_like_tags_is_left_alone() {
        let pages = [
            "<script><p a b c></script>",
            "<script><!--<script></script a b c>--></script>",
            "<style><p a b c></style>",
            "<title></titl a b c></title>",
            "<!-- <p a b c> -->",
            "<!doctype p a b c>",
            "<svg><![CDATA[> <p a b c>]]></svg>",
            "<plaintext><p a b c>",
            "< p a b c>",
        ];
        for page in pages {
            let (cut, most) = with_most(page, 0);
            assert_eq!(cut, by_the_library(page));
            assert_eq!(most, 0);
        }
    }

    #[test]
    fn a_byte_order_mark_is_left_out_at_the_beginning_alone() {
        let (with, _) = with_most("\u{feff}<script></script>\u{feff}x", usize::MAX);
        let (without, _) = with_most("<script></script>\u{feff}x", usize::MAX);
        assert_eq!(with, without);
        assert!(without.contains("\\u{feff}x"));
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(2_000))]

        #[test]
        fn what_needs_no_bound_is_read_as_the_library_reads_it(html in soup()) {
            prop_assert_eq!(with_most(&html, usize::MAX).0, by_the_library(&html));
        }

        #[test]
        fn cutting_tags_leaves_all_text(html in soup(), most in 0_usize..4) {
            // Elements of SVG and MathML may end in themselves, by what is cut off.
            let html = html.replace("<svg", "<p").replace("<math", "<p");
            let texts = |written: &str| -> String {
                let lines = written.lines().filter_map(|line| line.split_once(": \"")?.1.strip_suffix('"'));
                lines.collect()
            };
            prop_assert_eq!(texts(&with_most(&html, most).0), texts(&by_the_library(&html)));
        }

        #[test]
        fn no_tag_has_more_attributes_than_the_bound(html in soup(), most in 0_usize..4) {
            prop_assert!(with_most(&html, most).1 <= most);
        }
    }
}
