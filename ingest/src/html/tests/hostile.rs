//! Pages that are made to cost much: what they may cost.
#![allow(clippy::unwrap_used)]

use std::process::Command;

use super::super::sink::NODES_MAX;
use super::super::*;

const URL: &str = "http://h.example/a/page.html";
/// Bytes of a page.
const PAGE_BYTES: usize = 2_000_000;
/// What a process that reads all pages, one after the other, may hold at once.
const MEMORY_KB_MAX: u64 = 300 << 10;
/// Set for the process that reads them.
const CHILD: &str = "KOSMOS_TEST_HOSTILE";

/// Repeats `rest` behind `head` up to the length of a page.
fn page(head: &str, rest: &str) -> String {
    head.to_owned() + &rest.repeat(PAGE_BYTES.saturating_sub(head.len()) / rest.len())
}

/// Like [`page`], with a number for each `#`.
fn numbered(head: &str, rest: &str) -> String {
    let mut page = head.to_owned();
    for number in 0.. {
        if page.len() >= PAGE_BYTES {
            break;
        }
        page += &rest.replace('#', &number.to_string());
    }
    page
}

/// Start tags of `b` that are all unlike.
fn bold(count: usize, attributes: usize) -> String {
    let attributes: String = (0..attributes).map(|number| format!(" a{number}=1")).collect();
    (0..count).map(|number| format!("<b b={number}{attributes}>")).collect()
}

fn pages() -> Vec<String> {
    let many = |text: &str, count| text.repeat(count);
    let deep = many("<span>", 1_000);
    vec![
        // Attributes: of one tag, of an end tag, of a script's, of elements that are made anew.
        numbered("<p", " a#"),
        numbered("<p></p", " a#"),
        numbered("<script></script", " a#"),
        numbered("<p>", "<html a#>"),
        format!("<p>{}{}", bold(60, 300), many("<p>x", 2_000)),
        page(&format!("<div>{}</div>", bold(400, 60)), "<p>x"),
        page(&format!("<b class='{}'>", many("ab ", 300_000)), "<p>x"),
        // Formatting elements that are compared, looked for and moved.
        page(&bold(900, 5), "<b></b>"),
        page(&format!("{}<table>", bold(1, 500)), "</b>"),
        page("", "<i><b><u><p></i></b></u>"),
        numbered("", "<p><font size=#>x"),
        // Open elements that are looked through.
        page(&deep, "</x>"),
        page(&deep, "<li></li>"),
        page(&format!("<form>{deep}"), "<input>"),
        page(&format!("<b>{deep}"), "\n"),
        page(&format!("<svg>{}", many("<g>", 1_000)), "</x>"),
        page("", "<template>"),
        // Blocks, tables, images and boxes.
        page("", "<p>a"),
        page(&many("<div>", 1_000), "<p>x"),
        page("", "<table><tr><td>a<td>b</table>"),
        page("", "<table><tr><td>"),
        page("<table><tr><td>x<td>y<svg>", &(many("<a><td>", 400) + &many("<g/>", 18_000))),
        page(&format!("<p>a<picture>{}", many("<img>", 1_000)), "<source srcset='data:x'>"),
        page(&many("<figure><img src=a>", 480), "<br>"),
        page("", &(many("<dialog>", 900) + &many("<p>x", 400) + &many("</dialog>", 900))),
        page(&format!("{}<pre>a", many("<dialog>", 500)), " "),
        page("", "<table><tr><th>a<th>b<tr><td>x<td><table><tr><td>"),
        page(&many("<table><tr><td>", 200), "<tr><td>a<td>b"),
        page(
            "",
            &format!(
                "<table><tr>{}{}</table>",
                many("<td rowspan=0 colspan=999>a", 3_000),
                many("<tr><td>b", 4_000)
            ),
        ),
        page(&many("<div role=table>", 900), "<div role=row><i role=cell>a</i><i role=cell>b</i></div>"),
        // What is made plain.
        page(&many("<ruby>", 900), "<rt>a<rp>b"),
        page("", "<math><msup><mi>a</mi><mi>b</mi></msup></math>"),
        page(
            "",
            &(many("<math><mfrac><semantics>", 200) + "<annotation encoding=tex>a" + &many("</math>", 200)),
        ),
        page("", &(many("<span class=katex>", 300) + &many("<math>a</math>", 300) + &many("</span>", 300))),
        page("", &(many("<span data-tex=a>", 300) + "<p>" + &many("</span>", 300))),
        page("", &(many("<x-a>", 500) + "a" + &many("</x-a>", 500))),
        page("", "<x-a>a</x-a> "),
        page(&many("<x-a><template shadowrootmode=open>", 300), "<slot></slot>a"),
        page(
            "",
            &(many("<x-a><template shadowrootmode=open><slot></slot></template>", 300)
                + "a"
                + &many("</x-a>", 300)),
        ),
        page(&many("<figure>", 900), "<figcaption>a</figcaption>b"),
        // Code and its line numbers.
        page("", &(many("<div class=gutter>", 900) + "<p>1<p>2" + &many("</div>", 900))),
        page("", &(many("<pre class=lineno>", 300) + &many("1<br>", 9_000) + "a" + &many("</pre>", 300))),
        page("<pre>", "<span class=lineno>1 </span>a\n"),
        page("", "<table><tr><td class=gutter>1<td><pre>a"),
        page("<div>", "<code>a<br></code>"),
        many("<div class=cm-line>", 900) + &many("<i>x</i>", 40_000) + "<h2>y",
        // Texts and what only looks like markup.
        page("", "&a"),
        page("<table>", "a\n"),
        page("<script><!--<script>", "</script \""),
        page("", "<!--"),
        page("<p>", "\0"),
        page("<script type=application/ld+json>[", "{\"\":0},") + "0]</script>",
        page("<script type=application/ld+json>", "["),
    ]
}

#[test]
fn no_page_makes_more_nodes_than_the_bound() {
    for html in pages() {
        let nodes = parser::parse(&html).nodes.len();
        // The last token may make its element for each one that is open.
        assert!(nodes <= NODES_MAX + (2 << 10), "{nodes} nodes of {:?}", html.get(..60));
    }
}

/// Reads all pages in a process of its own, as its memory is asked for.
#[test]
fn no_page_takes_much_more_memory_than_others() {
    if std::env::var_os(CHILD).is_some() {
        for html in pages() {
            let (html, _) = charset::decode(html.as_bytes(), "text/html; charset=utf-8", URL).unwrap();
            extract(&html, URL, Ruby::default());
            let memory = most_memory_kb().unwrap_or_default();
            assert!(memory <= MEMORY_KB_MAX, "{memory} kB of {:?}", html.get(..60));
        }
        return;
    }
    let mut child = Command::new(std::env::current_exe().unwrap());
    let name = "html::tests::hostile::no_page_takes_much_more_memory_than_others";
    let output = child.args(["--exact", name]).env(CHILD, "1").output().unwrap();
    let told = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success() && told.contains("1 passed"), "{told}");
}

/// Returns the most memory that this process ever held; none where the system does not say.
fn most_memory_kb() -> Option<u64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"))?;
    line.trim().trim_end_matches("kB").trim().parse().ok()
}
