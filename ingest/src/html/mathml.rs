//! MathML as a line of text, where a page has no TeX: scripts, fractions and roots in TeX's
//! notation, symbols as they are.

use super::dom::{Dom, NodeId};

/// Elements within each other; what is deeper is read as text.
const DEPTH_MAX: u32 = 64;
/// Nodes of what is deeper.
const DEEP_NODES_MAX: usize = 1 << 10;
/// Nodes of a symbol.
const TOKEN_NODES_MAX: usize = 64;

/// Writes a formula: `x^2+\frac{1}{n}`.
pub(super) fn line(dom: &Dom, math: NodeId) -> String {
    let mut out = String::new();
    write(dom, math, DEPTH_MAX, &mut out);
    out
}

fn write(dom: &Dom, id: NodeId, depth: u32, out: &mut String) {
    let tag = dom.tag(id);
    let children = || dom.children(id).filter(|child| dom.element(*child).is_some());
    let part = |number: usize| {
        let mut part = String::new();
        if let (Some(child), Some(depth)) = (children().nth(number), depth.checked_sub(1)) {
            write(dom, child, depth, &mut part);
        }
        part
    };
    match tag {
        "annotation" | "annotation-xml" | "mphantom" => {}
        "mi" | "mn" | "mo" | "ms" | "mtext" => out.push_str(&dom.text(id, TOKEN_NODES_MAX)),
        "mspace" => out.push(' '),
        "msup" | "mover" => out.extend([part(0), script('^', part(1))]),
        "msub" | "munder" => out.extend([part(0), script('_', part(1))]),
        "msubsup" | "munderover" => out.extend([part(0), script('_', part(1)), script('^', part(2))]),
        "mfrac" => out.push_str(&format!("\\frac{{{}}}{{{}}}", part(0), part(1))),
        "mroot" => out.push_str(&format!("\\sqrt[{}]{{{}}}", part(1), part(0))),
        "msqrt" => {
            out.push_str("\\sqrt{");
            write_all(dom, id, depth, "", out);
            out.push('}');
        }
        "mfenced" => {
            out.push('(');
            write_all(dom, id, depth, ",", out);
            out.push(')');
        }
        "mtr" => write_all(dom, id, depth, " & ", out),
        "mtable" => write_all(dom, id, depth, " \\\\ ", out),
        _ => write_all(dom, id, depth, "", out),
    }
}

/// Writes what is within an element, or the text itself where there are none.
fn write_all(dom: &Dom, id: NodeId, depth: u32, between: &str, out: &mut String) {
    let mut children = dom.children(id).filter(|child| dom.element(*child).is_some()).peekable();
    match (children.peek(), depth.checked_sub(1)) {
        (Some(_), Some(depth)) => {
            for (number, child) in children.enumerate() {
                out.push_str(if number > 0 { between } else { "" });
                write(dom, child, depth, out);
            }
        }
        _ => out.push_str(&dom.text(id, DEEP_NODES_MAX)),
    }
}

fn script(mark: char, script: String) -> String {
    match script.chars().count() {
        0 => String::new(),
        1 => format!("{mark}{script}"),
        _ => format!("{mark}{{{script}}}"),
    }
}

#[cfg(test)]
mod tests {
    use super::super::dom::ROOT;
    use super::super::parser;
    use super::*;

    fn of(html: &str) -> String {
        let dom = parser::parse(&format!("<math>{html}</math>"));
        dom.walk(ROOT).find(|id| dom.tag(*id) == "math").map(|math| line(&dom, math)).unwrap_or_default()
    }

    #[test]
    fn scripts_fractions_and_roots_are_told_from_what_stands_in_a_row() {
        assert_eq!(of("<mi>a</mi> <mo>≠</mo>\n<mn>0</mn>"), "a≠0");
        let power = "<mi>m</mi><msup><mi>c</mi><mn>2</mn></msup>";
        assert_eq!(of(power), "mc^2");
        assert_eq!(of(&format!("<mfrac><mrow>{power}</mrow><mn>2</mn></mfrac>")), "\\frac{mc^2}{2}");
        assert_eq!(
            of("<msqrt><mi>x</mi></msqrt><mroot><mi>x</mi><mn>3</mn></mroot>"),
            "\\sqrt{x}\\sqrt[3]{x}"
        );
        let sum = "<munderover><mo>∑</mo><mrow><mi>i</mi><mo>=</mo><mn>0</mn></mrow><mi>n</mi></munderover>";
        assert_eq!(of(sum), "∑_{i=0}^n");
        assert_eq!(
            of("<mtable><mtr><mtd>1</mtd><mtd>0</mtd></mtr><mtr><mtd>0</mtd></mtr></mtable>"),
            "1 & 0 \\\\ 0"
        );
    }

    #[test]
    fn depth_has_a_bound() {
        assert_eq!(of(&format!("{}<mi>x</mi>", "<mrow>".repeat(500))), "x");
    }
}
