//! Linked data: the text of an article that a page tells machines and shows nobody without
//! scripts (`articleBody` of schema.org, in JSON-LD).

use serde_json::Value;

use super::collapsed::Collapsed;
use super::dom::{Data, Dom, ROOT};
use super::outline::Outline;
use super::tag::is_standard_block;
use super::{Ruby, parser, plain};

/// Bytes of a script that is read.
const SCRIPT_BYTES_MAX: usize = 4 << 20;
/// Objects of a script that is read: each takes more than half a kilobyte.
const OBJECTS_MAX: usize = 1 << 17;
/// Names under which the text is.
const BODIES: [&str; 3] = ["articleBody", "reviewBody", "recipeInstructions"];
/// Inline elements that bodies are written with.
const INLINE: [&str; 16] = [
    "a", "b", "br", "code", "em", "font", "i", "img", "s", "script", "small", "span", "strong", "sub", "sup",
    "u",
];

/// Returns the first text of an article, by paragraphs.
pub(super) fn paragraphs(dom: &Dom) -> Vec<String> {
    let scripts = dom.walk(ROOT).filter(|id| {
        let kind = dom.element(*id).and_then(|element| element.attribute("type"));
        dom.tag(*id) == "script" && kind == Some("application/ld+json")
    });
    let texts = scripts.flat_map(|id| dom.children(id)).filter_map(|child| match &dom.node(child)?.data {
        Data::Text(text) if text.len() <= SCRIPT_BYTES_MAX => Some(text),
        _ => None,
    });
    let texts = texts.filter(|text| text.bytes().filter(|byte| *byte == b'{').count() <= OBJECTS_MAX);
    let mut bodies = texts.filter_map(|text| body(&serde_json::from_str(text).ok()?));
    plain(bodies.next().unwrap_or_default())
}

/// Returns the paragraphs of a body, which pages write as lines, or in markup.
fn plain(body: String) -> Vec<String> {
    // Scripts of pages must not hold an end tag, so that some are escaped once more than JSON asks.
    let body = if body.contains("<\\/") { body.replace("<\\/", "</") } else { body };
    let body = if has_markup(&body) { body } else { text(&body.replace('<', "&lt;")) };
    if !has_markup(&body) {
        return lines(&body);
    }
    let mut dom = parser::parse(&body);
    let breaks = |tag: &str| tag == "br" || (is_standard_block(tag) && !matches!(tag, "html" | "body"));
    if !dom.walk(ROOT).any(|id| breaks(dom.tag(id))) {
        return lines(&text(&body));
    }
    plain::simplify(&mut dom, Ruby::default());
    Outline::of(&dom).blocks.iter().flat_map(|block| lines(&block.text)).collect()
}

/// Returns a text without character references and inline markup, its line ends as they are.
fn text(body: &str) -> String {
    let dom = parser::parse(&format!("<pre>\n{body}"));
    let texts = dom.walk(ROOT).filter_map(|id| match &dom.node(id)?.data {
        Data::Text(text) => Some(&**text),
        _ => None,
    });
    texts.collect()
}

/// Returns true if a text has a tag of the standard.
fn has_markup(text: &str) -> bool {
    text.split('<').skip(1).any(|rest| {
        let rest = rest.strip_prefix('/').unwrap_or(rest);
        let end = rest.find(|c: char| !c.is_ascii_alphanumeric()).unwrap_or(rest.len());
        let (name, behind) = (rest[..end].to_ascii_lowercase(), &rest[end..]);
        let is_separate = behind.starts_with(['>', '/', ' ', '\n', '\t']);
        // "a<b and c>d" has no tag: the values of a tag's attributes are rarely left out.
        let inside = behind.split_once('>').filter(|_| is_separate).map(|(inside, _)| inside.trim());
        let is_tag = inside.is_some_and(|inside| matches!(inside, "" | "/") || inside.contains('='));
        is_tag && (is_standard_block(&name) || INLINE.contains(&&*name))
    })
}

fn lines(text: &str) -> Vec<String> {
    let line = |line: &str| {
        let mut text = Collapsed::default();
        text.push(line);
        text.take()
    };
    text.lines().map(line).filter(|line| !line.is_empty()).collect()
}

/// Returns the first body in document order; serde_json bounds the depth at 128.
fn body(value: &Value) -> Option<String> {
    match value {
        Value::Object(members) => {
            let named = BODIES
                .iter()
                .filter_map(|name| members.get(*name)?.as_str())
                .find(|text| !text.trim().is_empty());
            named.map(str::to_owned).or_else(|| members.values().find_map(body))
        }
        Value::Array(values) => values.iter().find_map(body),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(scripts: &[&str]) -> Vec<String> {
        let script = |json: &&str| format!("<script type=application/ld+json>{json}</script>");
        paragraphs(&parser::parse(&scripts.iter().map(script).collect::<String>()))
    }

    fn of_body(body: &str) -> Vec<String> {
        found(&[&serde_json::json!({"articleBody": body}).to_string()])
    }

    #[test]
    fn markup_becomes_plain_text() {
        let expected = ["Tom & Ann's ladder was counted.", "End."];
        for body in [
            "<p class=\"x\">Tom &amp; Ann&#39;s&nbsp;ladder <a href=\"/x\">was\ncounted</a>.</p>\n<p>End.</p>",
            "Tom &amp; Ann's ladder <b>was counted</b>.<br/><br>End.",
            "Tom &amp; Ann's ladder <b>was counted</b>.\n\nEnd.",
            "Tom & Ann&#8217;s ladder was counted.\nEnd.",
            "&lt;p&gt;Tom &amp;amp; Ann's ladder was counted.&lt;/p&gt;&lt;p&gt;End.&lt;/p&gt;",
            "<div>Tom & Ann's ladder was counted.<script>var a=1;<\\/script></div>End.",
            "Tom & Ann's lad\u{ad}der was counted.\nEnd.",
        ] {
            let found: Vec<String> = of_body(body).iter().map(|line| line.replace('’', "'")).collect();
            assert_eq!(found, expected, "{body}");
        }
    }

    #[test]
    fn what_only_looks_like_markup_stays() {
        assert_eq!(of_body("if a < b and c<d\nor b > a"), ["if a < b and c<d", "or b > a"]);
        assert_eq!(of_body("if a<b and c>d then x"), ["if a<b and c>d then x"]);
    }

    #[test]
    fn the_first_body_is_taken_and_a_script_of_too_many_objects_is_not_read() {
        let body = r#"{"a": [{"articleBody": "one\n two  three"}]}"#;
        assert_eq!(found(&["{", body, "{}"]), ["one", "two three"]);
        let many = format!("[{}{body}]", "{},".repeat(OBJECTS_MAX));
        assert!(found(&[&many]).is_empty());
    }
}
