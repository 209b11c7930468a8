//! Code in the mark-up of pages and of the programs that colour it.

use corpus::record::SegmentKind::{Code, Text};

use super::super::dom::ROOT;
use super::super::{parser, walk};
use super::*;

type Of = fn(&mut Listings, &Dom, NodeId) -> Option<String>;

fn code(html: &str, tag: &str, of: Of) -> Option<String> {
    let dom = parser::parse(html);
    let id = dom.walk(ROOT).find(|id| dom.tag(*id) == tag)?;
    of(&mut Listings::default(), &dom, id)
}

const CODE: &str = "if a:\n    b\n\nc";

#[test]
fn lines_that_are_elements_are_lines_of_one_text() {
    for html in [
        "<pre><div>if a:</div><div>    b</div><div><br></div><div>c</div></pre>",
        "<pre><div>if a:\n</div>\n<div>    b\n</div>\n<div>\n</div><div>c</div></pre>",
        "<pre><ol><li>if a:</li>\n<li>&nbsp;   b</li>\n<li></li>\n<li>c</li></ol></pre>",
        "<pre><span class=lineno>1 </span>if a:\n<span class=lineno>2 </span>    b\n\n<span class=ln>3</span>c</pre>",
        "<pre><code><table><tr><td class=gutter><pre>1\n2\n3</pre></td><td><pre>if a:\n    b\n\nc\n</pre></table></code></pre>",
        "<pre><button>Copy</button><code>if a:\n    b\n\nc</code></pre>",
        "<pre><code>if a:</code><code>    b</code><code>\u{a0}</code><code>c</code></pre>",
    ] {
        let found = code(html, "pre", Listings::of_raw).map(|code| code.replace("\n \n", "\n\n"));
        assert_eq!(found.as_deref(), Some(CODE), "{html}");
    }
}

#[test]
fn tables_of_numbered_lines_are_code() {
    let row = |number: &str, line: &str| {
        format!(
            "<tr>\n<td class=blob-num data-line-number={number}></td>\n<td class=blob-code>{line}</td>\n</tr>\n"
        )
    };
    let lines = [row("1", "if a:"), row("2", "    <b>b</b>"), row("3", "\n"), row("4", "c")].concat();
    assert_eq!(code(&format!("<table>{lines}</table>"), "table", Listings::of_table).as_deref(), Some(CODE));
    let two =
        "<table><tr><td><pre>1\n2\n3\n4</pre></td><td><div><pre>if a:\n    b\n\nc</pre></div></td></table>";
    assert_eq!(code(two, "table", Listings::of_table).as_deref(), Some(CODE));
    let boxes = "<table><tr><td class=gutter><div>1</div><div>2</div></td><td><div>\n<div><code>if</code> <code>a:</code></div>
        <div><code>&nbsp;&nbsp;&nbsp;&nbsp;</code><code>b</code></div></div></table>";
    assert_eq!(code(boxes, "table", Listings::of_table).as_deref(), Some("if a:\n    b"));
}

#[test]
fn tables_of_data_are_no_code() {
    for html in [
        "<table><tr><td>1</td><td>a</td></tr><tr><td>2</td><td>b</td></tr></table>",
        "<table><tr><td class=number>1</td><td>a</td><td>b</td></tr></table>",
        "<table><tr><td>1911\n1912</td><td>a</td></tr></table>",
        "<table><tr><td class=gutter></td><td><h2>a</h2></td></tr></table>",
    ] {
        assert_eq!(code(html, "table", Listings::of_table), None, "{html}");
    }
}

#[test]
fn blocks_of_code_with_line_breaks_are_code() {
    let html = "<div>\n<code>if a:</code><br/>\n<code>&nbsp;&nbsp;&nbsp;&nbsp;b</code><br><br><code>c</code><br></div>";
    assert_eq!(code(html, "div", Listings::of_block).as_deref(), Some(CODE));
    let html = "<p><code>if a:<br>\n\u{a0}   b<br>\n<br>c</code></p>";
    assert_eq!(code(html, "p", Listings::of_block).as_deref(), Some(CODE));
    let doxygen = "<section><div class=line><a id=l1></a><span class=lineno>    1</span>if a:</div>\n<div class=line><span class=lineno>    2</span>&#160;   b</div></section>";
    assert_eq!(code(doxygen, "section", Listings::of_block).as_deref(), Some("if a:\n    b"));
    for html in [
        "<p><code>a</code><br></p>",
        "<p><code>a</code> and<br><code>b</code></p>",
        "<p><code>a</code> <code>b</code></p>",
    ] {
        assert_eq!(code(html, "p", Listings::of_block), None, "{html}");
    }
}

#[test]
fn code_of_programs_that_document_code_has_its_lines_and_no_numbers() {
    let gitea = |n: usize, line: &str| {
        format!(
            "<tr><td id=L{n} class=lines-num><span id=L{n} data-line-number={n}></span></td><td rel=L{n} class='lines-code chroma'><code class=code-inner>{line}\n</code></td></tr>"
        )
    };
    let gitea = [gitea(1, "if a:"), gitea(2, "    b"), gitea(3, ""), gitea(4, "c")].concat();
    let line = |n: usize, line: &str| {
        format!("<div class=line><a id=l{n}></a><span class=lineno>    {n}</span>&#160;{line}</div>\n")
    };
    let doxygen = [line(1, "if a:"), line(2, "    b"), line(3, ""), line(4, "c")].concat();
    let plain = "<div class=foldopen><div class=line>if a:</div>\n<div class=line>    b</div></div><div class=line></div>\n<div class=line>c</div>";
    let covered = |n: usize, line: &str| {
        format!(
            "<p class=run><span class=n><a id=t{n} href='#t{n}'>{n}</a></span><span class=t>{line}&nbsp;</span><span class=r></span></p>\n"
        )
    };
    let coverage =
        [covered(1, "<span class=key>if</span> a:"), covered(2, "    b"), covered(3, ""), covered(4, "c")]
            .concat();
    for html in [
        format!("<table>{gitea}</table>"),
        format!("<div class=fragment>{doxygen}</div>"),
        format!("<div class=fragment>{plain}</div>"),
        format!("<main id=source>\n{coverage}</main>"),
    ] {
        assert_eq!(first(&html).as_deref(), Some(CODE), "{html}");
    }
    let spaces = "<div class=code>if a:<br>\n&nbsp;&nbsp;&nbsp;&nbsp;b<br>\n&nbsp;<br>\nc</div>";
    assert_eq!(first(spaces).as_deref(), Some(CODE));
    assert_eq!(first(&spaces.replace("class=code", "class=poem")), None);
    let steps = "<div class=slide><div class=fragment>One</div></div>";
    assert_eq!(first(steps), None);
}

/// Returns the code of the first table or block that is some.
fn first(html: &str) -> Option<String> {
    let dom = parser::parse(html);
    dom.walk(ROOT).find_map(|id| match dom.tag(id) {
        "table" => Listings::default().of_table(&dom, id),
        tag if is_raw(tag) => Listings::default().of_raw(&dom, id),
        _ => Listings::default().of_block(&dom, id),
    })
}

#[test]
fn listings_of_known_highlighters_have_their_lines_and_no_gutter() {
    let number = |n: usize| format!("<div class='crayon-num' data-line='crayon-1-{n}'>{n}</div>");
    let crayon = format!(
        "<table class=crayon-table><tr class=crayon-row><td class='crayon-nums ' data-settings=show><div \
         class=crayon-nums-content>{}</div></td><td class=crayon-code><div class=crayon-pre><div class=crayon-line \
         id=crayon-1-1><span class=crayon-st>if</span><span class=crayon-h> </span><span class=crayon-v>a</span>:</div>\
         <div class='crayon-line crayon-striped-line'><span class=crayon-h>    </span>b</div><div \
         class=crayon-line>&nbsp;</div><div class=crayon-line>c</div></div></td></tr></table>",
        (1..5).map(number).collect::<String>()
    );
    for html in [
        &*crayon,
        // google-code-prettify
        "<pre class='prettyprint linenums'><ol class=linenums><li class=L0><span class=kwd>if</span> a:</li><li class=L1><span>    b</span></li><li class=L2></li><li class=L3>c</li></ol></pre>",
        "<code class=prettyprint><ol class=linenums><li class=L0>if&nbsp;a:</li><li class=L1>&nbsp; &nbsp; b</li><li class=L2></li><li class=L3>c</li></ol></code>",
        // SyntaxHighlighter 1, 2, 2.1, 3, and 3 without numbers
        "<div class=dp-highlighter><ol start=1 class=dp-py><li class=alt><span>if&nbsp;a:&nbsp;</span></li><li class=''><span>&nbsp;&nbsp;&nbsp;&nbsp;b&nbsp;</span></li><li class=alt><span>&nbsp;</span></li><li>c</li></ol></div>",
        "<div class=lines><div class='line alt1'><code class=number>1.</code><span class=content>if a:</span></div><div class='line alt2'><code class=number>2.</code><span class=content>&nbsp;&nbsp;&nbsp;&nbsp;<code>b</code></span></div><div class='line alt1'><code class=number>3.</code><span class=content>&nbsp;</span></div><div class='line alt2'><code class=number>4.</code><span class=content>c</span></div></div>",
        "<div class=lines><div class='line alt1'><table><tr><td class=number><code>1</code></td><td class=content><code>if a:</code></td></tr></table></div><div class='line alt2'><table><tr><td class=number><code>2</code></td><td class=content>&nbsp;&nbsp;&nbsp;&nbsp;<code>b</code></td></tr></table></div><div class='line alt1'><table><tr><td class=number><code>3</code></td><td class=content>&nbsp;</td></tr></table></div><div class='line alt2'><table><tr><td class=number><code>4</code></td><td class=content>c</td></tr></table></div></div>",
        "<table><tr><td class=gutter><div class='line number1 index0 alt2'>1</div><div class='line number2'>2</div><div class=line>3</div><div class=line>4</div></td><td class=code><div class=container><div class='line number1 index0 alt2'><code class='py keyword'>if</code> <code>a:</code></div><div class='line number2'><code class='py spaces'>&nbsp;&nbsp;&nbsp;&nbsp;</code><code>b</code></div><div class='line number3'>&nbsp;</div><div class='line number4'><code>c</code></div></div></td></tr></table>",
        "<table><tr><td class=code><div class=container><div class='line number1 index0 alt2'><code class='py keyword'>if</code> <code>a:</code></div><div class='line number2'><code class='py spaces'>&nbsp;&nbsp;&nbsp;&nbsp;</code><code>b</code></div><div class='line number3'>&nbsp;</div><div class='line number4'><code>c</code></div></div></td></tr></table>",
        // Rouge, Pygments
        "<div class=highlight><table class=rouge-table><tbody><tr><td class='rouge-gutter gl'><pre class=lineno>1\n2\n3\n4\n</pre></td><td class=rouge-code><pre>if a:\n    b\n\nc\n</pre></td></tr></tbody></table></div>",
        "<table class=highlighttable><tr><td class=linenos><div class=linenodiv><pre><span class=normal><a href='#1'>1</a></span>\n2\n3\n4</pre></div></td><td class=code><div class=highlight><pre><span></span>if a:\n    b\n\nc\n</pre></div></td></tr></table>",
        "<pre><span></span><span class=linenos data-line=1></span>if a:\n<span class=linenos>2</span>    b\n<span class=linenos>3</span>\n<span class=linenos>4</span>c\n</pre>",
        // Vim, Docusaurus
        "<pre id=vimCodeElement><span id=L1 class=LineNr>1 </span><span class=Statement>if</span> a:\n<span class=LineNr>2 </span>    b\n<span class=LineNr>3 </span>\n<span class=LineNr>4 </span>c\n</pre>",
        "<pre><code><span class='token-line codeLine_x'><span class=codeLineNumber_y></span><span>if a:</span><br></span><span class='token-line codeLine_x'><span class=codeLineNumber_y>2</span><span>    b</span><br></span><span class=token-line><span class=codeLineNumber_y>3</span><span></span><br></span><span class=token-line><span>c</span><br></span></code></pre>",
        // highlightjs-line-numbers.js, GitHub, Hugo, Prism
        "<pre><code class=hljs><table class=hljs-ln><tbody><tr><td class='hljs-ln-line hljs-ln-numbers' data-line-number=1><div class=hljs-ln-n data-line-number=1></div></td><td class='hljs-ln-line hljs-ln-code' data-line-number=1>if a:</td></tr><tr><td class='hljs-ln-line hljs-ln-numbers' data-line-number=2></td><td class='hljs-ln-line hljs-ln-code' data-line-number=2>    b</td></tr><tr><td class=hljs-ln-numbers></td><td class='hljs-ln-line hljs-ln-code' data-line-number=3>\n</td></tr><tr><td class=hljs-ln-numbers data-line-number=4></td><td class=hljs-ln-code data-line-number=4>c</td></tr></table></code></pre>",
        "<table class='highlight js-file-line-container'><tr><td id=L1 class='blob-num js-line-number' data-line-number=1></td><td id=LC1 class='blob-code js-file-line'>if a:</td></tr><tr><td class=blob-num data-line-number=2></td><td class=blob-code>    b</td></tr><tr><td class=blob-num data-line-number=3></td><td class=blob-code>\n</td></tr><tr><td class=blob-num data-line-number=4></td><td class=blob-code>c</td></tr></table>",
        "<pre><code><span style='display:flex;'><span style='white-space:pre;user-select:none'>1</span><span>if a:\n</span></span><span><span style='user-select:none'>2</span><span>    b\n</span></span><span><span style='user-select:none'>3</span><span>\n</span></span><span><span style='user-select:none'>4</span><span>c</span></span></code></pre>",
        "<pre class=line-numbers><code>if a:\n    b\n\nc<span aria-hidden=true class=line-numbers-rows><span></span><span></span><span></span><span></span></span></code></pre>",
        // GeSHi: a list of boxes, and of preformatted lines
        "<div class=python><ol><li class=li1><div class=de1><span class=kw1>if</span> a:</div></li><li class=li2><div class=de2>&nbsp; &nbsp; b</div></li><li class=li1><div class=de1>&nbsp;</div></li><li class=li1><div class=de1>c</div></li></ol></div>",
        "<div class=python><ol><li class=li1><pre class=de1>if a:</pre></li><li class=li1><pre class=de1>    b</pre></li><li class=li1><pre class=de1></pre></li><li class=li1><pre class=de1>c</pre></li></ol></div>",
        "<div class=geshi><table><tr><td class=ln><pre class=de1>1\n2\n3\n4\n</pre></td><td class=de1><pre class=de1>if a:\n    b\n\nc</pre></td></tr></table></div>",
        // EnlighterJS 2 and 3
        "<ol class='hoverEnabled enlighter EnlighterJS'><li class=' odd'><span class=kw1>if</span><span> a:</span></li><li><span>&nbsp;   b</span></li><li></li><li>c</li></ol>",
        "<div class='enlighter-default enlighter-linenumbers'><div class=enlighter><div class=''><div><span class=enlighter-k0>if</span><span class=enlighter-text> a:</span></div></div><div><div><span class=enlighter-text>    b</span></div></div><div><div></div></div><div><div>c</div></div></div></div>",
        // CodeMirror, CSDN, gitweb, LaTeXML
        "<div class=CodeMirror-code><div><div class=CodeMirror-gutter-wrapper><div class='CodeMirror-linenumber CodeMirror-gutter-elt'>1</div></div><pre class=' CodeMirror-line '><span>if a:</span></pre></div><div><div class=CodeMirror-gutter-wrapper><div class=CodeMirror-linenumber>2</div></div><pre class=CodeMirror-line>    b</pre></div><div><pre class=CodeMirror-line>\u{200b}</pre></div><div><pre class=CodeMirror-line>c</pre></div></div>",
        "<pre class=prettyprint><code class='hljs has-numbering'>if a:\n    b\n\nc</code><ul class=pre-numbering><li>1</li><li>2</li><li>3</li><li>4</li></ul></pre>",
        "<div class=page_body><div class=pre><a id=l1 href='#l1' class=linenr>   1</a>if a:</div>\n<div class=pre><a class=linenr>   2</a>    b</div>\n<div class=pre><a class=linenr>   3</a>&nbsp;</div>\n<div class=pre><a class=linenr>   4</a>c</div></div>",
        "<div class=ltx_listing><div class=ltx_listingline><span class='ltx_tag ltx_tag_listingline'>1</span>if&nbsp;a:</div>\n<div class=ltx_listingline><span class='ltx_tag ltx_tag_listingline'>2</span>&nbsp;&nbsp;&nbsp;&nbsp;b</div>\n<div class=ltx_listingline><span class=ltx_tag_listingline>3</span>&nbsp;</div>\n<div class=ltx_listingline>c</div></div>",
    ] {
        let trimmed = |code: String| code.lines().map(str::trim_end).collect::<Vec<_>>().join("\n");
        assert_eq!(first(html).map(trimmed).as_deref(), Some(CODE), "{html}");
        // And so it stands among the blocks of a page.
        let blocks = walk::walk(&parser::parse(&format!("<p>Words.</p>{html}<p>More.</p>"))).blocks;
        let found: Vec<_> = blocks.into_iter().map(|block| (block.kind, trimmed(block.text))).collect();
        let expected = [(Text, "Words."), (Code, CODE), (Text, "More.")];
        assert_eq!(found, expected.map(|(kind, text)| (kind, text.to_owned())), "{html}");
    }
}

#[test]
fn lines_that_are_numbers_stay() {
    let row = |n: u32, code: &str| {
        format!(
            "<tr><td class=hljs-ln-numbers data-line-number={n}></td><td class=hljs-ln-code data-line-number={n}>{code}</td></tr>"
        )
    };
    let html = format!("<table class=hljs-ln>{}{}</table>", row(1, "7"), row(2, "42"));
    assert_eq!(code(&html, "table", Listings::of_table).as_deref(), Some("7\n42"));
}

#[test]
fn lists_and_boxes_of_text_are_no_code() {
    for html in [
        "<ol><li><div>one</div></li><li><div>two</div></li></ol>",
        "<ul><li><code>one</code></li><li><code>two</code></li></ul>",
        "<div><div class=line>one</div><div class=line>two</div></div>",
        "<div><div class=pre><a>one</a></div><div class=pre>two</div></div>",
    ] {
        assert_eq!(first(html), None, "{html}");
    }
}

#[test]
fn boxes_within_each_other_that_are_no_code_are_read_a_few_times() {
    let rest = "<i>x</i>".repeat(20_000) + "<h2>y";
    for head in [
        "<div class=cm-line>",
        "<div class=enlighter>",
        "<ol class=linenums><li>",
        "<div><div class=line><span class=number>1</span>",
        "<table><tr><td class=number>1<td>",
    ] {
        let dom = parser::parse(&(head.repeat(150) + &rest));
        let mut listings = Listings::default();
        let found = dom.walk(ROOT).filter_map(|id| match dom.tag(id) {
            "table" => listings.of_table(&dom, id),
            _ => listings.of_block(&dom, id),
        });
        assert_eq!(found.count(), 0, "{head}");
        assert!(listings.left < NODES_MAX, "{head}: {}", listings.left);
    }
}
