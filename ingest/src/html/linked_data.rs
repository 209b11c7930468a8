//! Linked data: the text of an article that a page tells machines and shows nobody without
//! scripts (`articleBody` of schema.org, in JSON-LD).

use serde_json::Value;

use super::dom::{Data, Dom, ROOT};

/// Bytes of a script that is read.
const SCRIPT_BYTES_MAX: usize = 4 << 20;
/// Objects of a script that is read: each takes more than half a kilobyte.
const OBJECTS_MAX: usize = 1 << 17;
/// Names under which the text is.
const BODIES: [&str; 3] = ["articleBody", "reviewBody", "recipeInstructions"];

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
    let lines = bodies.next().unwrap_or_default();
    lines
        .lines()
        .map(|line| line.split_whitespace().collect::<Vec<_>>().join(" "))
        .filter(|l| !l.is_empty())
        .collect()
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
    use super::super::parser;
    use super::*;

    fn found(scripts: &[&str]) -> Vec<String> {
        let script = |json: &&str| format!("<script type=application/ld+json>{json}</script>");
        paragraphs(&parser::parse(&scripts.iter().map(script).collect::<String>()))
    }

    #[test]
    fn the_first_body_is_taken_and_a_script_of_too_many_objects_is_not_read() {
        let body = r#"{"a": [{"articleBody": "one\n two  three"}]}"#;
        assert_eq!(found(&["{", body, "{}"]), ["one", "two three"]);
        let many = format!("[{}{body}]", "{},".repeat(OBJECTS_MAX));
        assert!(found(&[&many]).is_empty());
    }
}
