//! Pages in small, with what must come out of them.
#![allow(clippy::unwrap_used)]

mod hostile;

use corpus::record::SegmentKind::{Code, Heading, Image, ListItem, Table, Text};
use proptest::prelude::*;

use super::*;

const URL: &str = "http://h.example/a/page.html";
const PROSE: &str =
    "The fox crossed the river in the morning and nobody saw it, because the fog lay on the water.";

fn kinds(html: &str) -> Vec<(SegmentKind, String)> {
    let segments = extract(html, URL, Ruby::default()).segments.into_iter();
    segments.map(|segment| (segment.kind, segment.url.unwrap_or(segment.text))).collect()
}

fn text(html: &str) -> String {
    let segments = extract(html, URL, Ruby::default()).segments;
    let texts = segments.iter().filter(|s| s.kind != Image).map(|s| s.text.as_str());
    texts.collect::<Vec<_>>().join("\n")
}

#[test]
fn what_surrounds_the_article_is_left_out() {
    let prose: Vec<String> = (1..=9).map(|n| format!("On day {n} of the journey {PROSE}")).collect();
    let body: String = prose.iter().map(|text| format!("<p>{text}</p>")).collect();
    let html = format!(
        "<title> A  page </title><nav><ul><li><a href=/>Home</a><li><a href=/n>News</a></ul></nav>
         <div class=cookie-banner><p>We use cookies to improve your experience on this site.</p></div>
         <div class=layout><article class=content><h1>Foxes</h1>{body}<script>var a;</script></article>
         <div class='share-bar'><a href=/f>Share</a> <a href=/t>Tweet</a></div>
         <div class=related><h3>Related stories</h3><ul><li><a href=/1>One more thing about foxes</a></li>
         <li><a href=/2>Two more things about foxes</a></li></ul></div>
         <div id=comments><p>I once saw a fox too, it was eating from my bin, and it looked at me.</p></div></div>
         <footer><p>Copyright 2020, all rights reserved by those who reserved them before.</p></footer>"
    );
    assert_eq!(text(&html), format!("Foxes\n{}", prose.join("\n")));
    assert_eq!(extract(&html, URL, Ruby::default()).title, "A page");
}

#[test]
fn a_name_of_clutter_does_not_take_the_whole_page_away() {
    let html = format!("<div class='sidebar page'><form><p>{PROSE}<p>{PROSE}</form></div>");
    assert_eq!(text(&html), format!("{PROSE}\n{PROSE}"));
}

#[test]
fn a_page_for_readers_without_scripts_is_read_and_a_spare_image_is_not() {
    let html = format!("<body><div id=app></div><noscript><p>{PROSE}</p></noscript>");
    assert_eq!(text(&html), PROSE);
    let lazy = "<img data-src=a.png><noscript><img src=a.png></noscript>";
    let html = format!("<article><p>{PROSE}</p>{lazy}<p>{PROSE}</p></article>");
    let images = kinds(&html).into_iter().filter(|(kind, _)| *kind == Image);
    assert_eq!(images.count(), 1);
}

#[test]
fn blocks_become_segments_of_their_kind() {
    let html = format!(
        "<article><h2>Top <em>ic</em></h2><p>{PROSE}<p>one<br>two<br><br>three
         <ul><li>a<li><p>b</p></ul><pre>x\n  y\n</pre>
         <table><tr><th>k<th>v<tr><td>1<td> 2 </table>
         <table><tr><td><p>{PROSE}</p><div>layout</div></table></article>"
    );
    let text = |text: &str| (Text, text.to_owned());
    let expected = [
        (Heading, "Top ic".to_owned()),
        text(PROSE),
        text("one\ntwo"),
        text("three"),
        (ListItem, "a".to_owned()),
        (ListItem, "b".to_owned()),
        (Code, "x\n  y".to_owned()),
        (Table, "k\tv\n1\t2".to_owned()),
        text(PROSE),
        text("layout"),
    ];
    assert_eq!(kinds(&html), expected);
}

#[test]
fn images_stand_in_reading_order_and_do_not_touch_the_text() {
    let html = format!(
        "<base href=/img/><article><img src=0.png><p>{PROSE}</p><p>be<img src='1.png'>tween {PROSE}</p>
         <figure><img src='data:image/gif;base64,AA' data-src=//cdn.example/2.png alt=no>
         <img src=3.png alt=' al  t '><figcaption>Cap<b>tion </b> of\n it</figcaption></figure>
         <picture><source srcset='4s.webp 300w, 4l.webp 900w'><img></picture><p>{PROSE}</p>
         <img src='javascript:1'></article>"
    );
    let image = |url: &str| (Image, url.to_owned());
    let expected = [
        image("http://h.example/img/0.png"),
        (Text, PROSE.to_owned()),
        (Text, format!("between {PROSE}")),
        image("http://h.example/img/1.png"),
        image("http://cdn.example/2.png"),
        image("http://h.example/img/3.png"),
        image("http://h.example/img/4l.webp"),
        (Text, PROSE.to_owned()),
    ];
    assert_eq!(kinds(&html), expected);
    let captions = extract(&html, URL, Ruby::default()).segments.into_iter().filter(|s| s.kind == Image);
    let captions: Vec<String> = captions.map(|segment| segment.text).collect();
    assert_eq!(captions, ["", "", "Caption of it", "al t", ""]);
    let without = html.replace("src", "not");
    assert_eq!(text(&html), text(&without));
}

#[test]
fn captions_of_text_stay_and_those_of_images_belong_to_them() {
    let html = format!(
        "<article><p>{PROSE}</p><figure><blockquote>{PROSE}</blockquote><figcaption><img src=a.png>Ann,
         <cite>Letters</cite></figcaption></figure><figure><figcaption>Listing 7</figcaption><pre>a\n b</pre></figure>
         <figure><table><caption>Table 3</caption><tr><th>k<th>v<tr><td>1<td>2</table></figure>
         <figure><img src=b.png><figcaption>A fox</figcaption></figure><p>{PROSE}</p></article>"
    );
    let expected = [
        (Text, PROSE.to_owned()),
        (Text, PROSE.to_owned()),
        (Text, "Ann, Letters".to_owned()),
        (Text, "Listing 7".to_owned()),
        (Code, "a\n b".to_owned()),
        (Text, "Table 3".to_owned()),
        (Table, "k\tv\n1\t2".to_owned()),
        (Image, "http://h.example/a/b.png".to_owned()),
        (Text, PROSE.to_owned()),
    ];
    assert_eq!(kinds(&html), expected);
}

#[test]
fn a_table_of_prose_is_written_whole_with_its_images() {
    let row =
        |name: &str| format!("<tr><th>{name}<td><p>{PROSE}</p><ul><li>{PROSE}</ul><img src={name}.png>");
    let html =
        format!("<article><p>{PROSE}</p><table>{}{}</table><p>{PROSE}</p></article>", row("a"), row("b"));
    let found = kinds(&html);
    let table = format!("a\t{PROSE} {PROSE}\nb\t{PROSE} {PROSE}");
    assert!(found.contains(&(Table, table)), "{found:?}");
    assert_eq!(found.iter().filter(|(kind, _)| *kind == Image).count(), 2);
}

#[test]
fn code_has_no_line_numbers_wherever_they_stand() {
    let code = "<pre>if a:\n    b</pre>";
    for listing in [
        format!("<table><tr><td class=gutter><pre>1\n2</pre><td>{code}</table>"),
        format!("<div class=gutter><pre>1\n2</pre></div>{code}"),
        "<pre><div><span class=lineno>1</span>if a:</div><div><span class=lineno>2</span>    b</div></pre>"
            .to_owned(),
    ] {
        let html = format!("<article><p>{PROSE}</p>{listing}<p>{PROSE}</p></article>");
        assert_eq!(kinds(&html)[1..2], [(Code, "if a:\n    b".to_owned())], "{listing}");
    }
}

#[test]
fn ruby_is_read_with_or_without_its_readings() {
    let html = format!(
        "<article><p>{PROSE} <ruby>漢<rt>かん</rt>字<rp>[</rp><rt>じ</rt><rp>]</rp></ruby><ruby><rb>東<rb>京<rt>とう<rt>きょう</ruby></p>"
    );
    let read = |ruby| extract(&html, URL, ruby).text();
    assert_eq!(read(Ruby::Base), format!("{PROSE} 漢字東京"));
    assert_eq!(read(Ruby::Readings), format!("{PROSE} 漢(かん)字[じ]東京(とうきょう)"));
}

#[test]
fn deep_and_wide_pages_end() {
    let deep = format!("{}{PROSE}", "<div><b>".repeat(100_000));
    let templates = "<template>".repeat(100_000);
    let tables = "<table><tr><td>".repeat(20_000);
    let wide = "<p>a<img src=b>".repeat(100_000);
    for html in [deep, templates, tables, wide] {
        let segments = extract(&html, URL, Ruby::default()).segments.into_iter();
        let images = segments.filter(|segment| segment.kind == Image).count();
        assert!(images <= outline::IMAGES_MAX);
    }
}

proptest! {
    #[test]
    fn any_markup_ends_and_text_does_not_depend_on_images(
        pieces in proptest::collection::vec(prop_oneof![
            Just("<p>"), Just("</p>"), Just("<div>"), Just("</div>"), Just("<table>"), Just("<tr><td>"),
            Just("</table>"), Just("<ul><li>"), Just("<b>"), Just("</b>"), Just("<a href=x>"), Just("</a>"),
            Just("<br>"), Just("<pre>"), Just("</pre>"), Just("<template>"), Just("<select>"), Just("<svg>"),
            Just("<figure>"), Just("<figcaption>"), Just(" "), Just("words, and more of them, in a row"),
            Just("<img src=a.png>"), Just("\u{0}"), Just("é"), Just("<h1>"), Just("<form>"), Just("<body>"),
        ], 0..60),
    ) {
        let with = pieces.concat();
        let without = with.replace("<img src=a.png>", "<img>");
        // Images are there or not, whatever their address: a table with images is layout.
        prop_assert_eq!(text(&with), text(&without));
    }
}
