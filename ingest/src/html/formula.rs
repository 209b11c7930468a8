//! Formulas: pages hold each in several notations (MathML, its source in TeX, what a script
//! drew, an image for readers without); one of them is read, TeX if the page has it.
//!
//! Known are MathML with annotations or `alttext`, KaTeX, MathJax 2 to 4, MediaWiki, WordPress,
//! and services that draw images.

use std::collections::HashSet;

use html5ever::local_name;
use html5ever::tendril::StrTendril;

use super::dom::{Data, Dom, Element, NodeId};
use super::mathml;
use super::tag::is_standard_block;

/// Nodes of a formula's source.
const SOURCE_NODES_MAX: usize = 64;
/// Nodes of an element that is said to be a formula, and of what a script drew around one.
const NODES_MAX: usize = 1 << 14;
/// Elements around MathML that belong to it.
const DEPTH_MAX: usize = 6;
/// Siblings between what a script drew and its source.
const NEIGHBOURS_MAX: usize = 4;
/// Attributes with the source of what an element shows.
const SOURCES: [&str; 4] = ["data-tex", "data-latex", "data-katex", "data-eq-tex"];
/// Values of them that are switches.
const SWITCHES: [&str; 7] = ["", "0", "1", "false", "no", "true", "yes"];
/// Classes of elements around MathML that hold nothing but its formula.
const WRAPPERS: [&str; 9] = [
    "MJXc-display",
    "MathJax",
    "MathJax_CHTML",
    "MathJax_Display",
    "MathJax_SVG",
    "MathJax_SVG_Display",
    "katex",
    "mjx-chtml",
    "mwe-math-element",
];
/// Classes of images of formulas.
const IMAGES: [&str; 5] =
    ["eeimg", "latex", "mwe-math-fallback-image-display", "mwe-math-fallback-image-inline", "tex"];
/// Parts of addresses at which formulas are drawn.
const SERVICES: [&str; 5] = ["/equation?tex=", "/latex.php?", "cht=tx", "latex.codecogs.com", "mathtex.cgi"];

/// Makes text of formulas, one after the other in reading order.
#[derive(Debug, Default)]
pub(super) struct Formulas {
    /// Elements named like a wrapper that hold more than a formula.
    refused: HashSet<NodeId>,
}

impl Formulas {
    /// Makes text of a formula; returns the outermost element that was, if the node is one.
    pub(super) fn simplify(&mut self, dom: &mut Dom, id: NodeId) -> Option<NodeId> {
        let element = dom.element(id)?;
        let name = &element.name.local;
        let (text, outer) = if *name == local_name!("math") {
            let outer = self.wrapper(dom, id);
            // What a script drew stands before its source.
            let has_source =
                siblings(dom, outer, |node| node.next).any(|id| script_source(dom, id).is_some());
            let text = if has_source { None } else { Some(of_math(dom, id, element)) };
            (text, outer)
        } else if *name == local_name!("script") {
            let text = script_source(dom, id)?;
            let drawn: Vec<NodeId> =
                siblings(dom, id, |node| node.previous).filter(|id| is_drawn(dom, *id)).collect();
            drawn.into_iter().for_each(|id| dom.replace(id, Data::Other));
            (Some(text), id)
        } else if *name == local_name!("img") {
            (Some(of_image(element)?), id)
        } else {
            (Some(source(dom, id, element)?), id)
        };
        let data = text.map_or(Data::Other, |text| Data::Text(StrTendril::from(text)));
        dom.replace(outer, data);
        Some(outer)
    }

    /// Returns the outermost element around MathML that holds its formula alone.
    fn wrapper(&mut self, dom: &Dom, math: NodeId) -> NodeId {
        let parent = |id: &NodeId| dom.node(*id).map(|node| node.parent);
        let mut outer = math;
        for id in std::iter::successors(Some(math), parent).skip(1).take(DEPTH_MAX) {
            let Some(element) = dom.element(id) else { break };
            let tag = &*element.name.local;
            if self.refused.contains(&id) || (is_standard_block(tag) && tag != "div") {
                break;
            }
            let is_wrapper = classes(element).any(|class| WRAPPERS.contains(&class));
            if !is_wrapper {
                continue;
            }
            let mut within = dom.walk(id).skip(1).take(NODES_MAX + 1).enumerate();
            let is_more = |(count, node): (usize, NodeId)| {
                let tag = dom.tag(node);
                count >= NODES_MAX || (tag == "math" && node != math) || is_standard_block(tag)
            };
            if within.any(is_more) {
                self.refused.insert(id);
                break;
            }
            outer = id;
        }
        outer
    }
}

/// Returns MathML as a line: the TeX that it comes with, or its own symbols.
fn of_math(dom: &Dom, id: NodeId, math: &Element) -> String {
    let is_tex = |id: &NodeId| {
        let encoding = dom.element(*id).and_then(|element| element.attribute("encoding"));
        dom.tag(*id) == "annotation" && encoding.is_some_and(|name| name.to_ascii_lowercase().contains("tex"))
    };
    let annotation = dom.walk(id).find(is_tex).map(|id| dom.text(id, SOURCE_NODES_MAX));
    let source = annotation.or_else(|| math.attribute("alttext").map(str::to_owned));
    let text = source.filter(|text| !text.trim().is_empty()).unwrap_or_else(|| mathml::line(dom, id));
    match math.attribute("display") {
        Some("block") => format!(" {text} "),
        _ => text,
    }
}

/// Returns the TeX of a `script` for MathJax 2.
fn script_source(dom: &Dom, id: NodeId) -> Option<String> {
    let kind = dom.element(id)?.attribute("type")?;
    let is_source = ["math/tex", "math/latex", "math/asciimath"].iter().any(|known| kind.starts_with(known));
    if dom.tag(id) != "script" || !is_source {
        return None;
    }
    let text = dom.text(id, SOURCE_NODES_MAX);
    Some(if kind.contains("display") { format!(" {text} ") } else { text })
}

/// Returns true if MathJax drew the element from a source beside it.
fn is_drawn(dom: &Dom, id: NodeId) -> bool {
    let is_of_mathjax = |class: &str| ["MathJax", "MJX", "mjx"].iter().any(|begin| class.starts_with(begin));
    dom.element(id).is_some_and(|element| classes(element).any(is_of_mathjax))
}

/// Returns the nearest siblings, up to text.
fn siblings(
    dom: &Dom,
    id: NodeId,
    step: fn(&super::dom::Node) -> NodeId,
) -> impl Iterator<Item = NodeId> + '_ {
    let next = move |id: &NodeId| dom.node(*id).map(step);
    let siblings = std::iter::successors(next(&id), next).take(NEIGHBOURS_MAX);
    siblings.take_while(|id| match dom.node(*id).map(|node| &node.data) {
        Some(Data::Text(text)) => text.trim().is_empty(),
        Some(_) => true,
        None => false,
    })
}

/// Returns the text of an image of a formula.
fn of_image(image: &Element) -> Option<String> {
    let words = |name| image.attribute(name).map(str::trim).filter(|text| !text.is_empty());
    let text = words("alt").or(words("title"))?;
    let is_delimited = [("$", "$"), ("\\(", "\\)"), ("\\[", "\\]")].iter().any(|(open, close)| {
        text.strip_prefix(open)
            .and_then(|rest| rest.strip_suffix(close))
            .is_some_and(|inner| !inner.is_empty())
    });
    let is_formula = is_delimited
        || classes(image).any(|class| IMAGES.contains(&class))
        || image.attribute("src").is_some_and(|src| SERVICES.iter().any(|service| src.contains(service)));
    is_formula.then(|| text.to_owned())
}

/// Returns the source that an element states of what it shows.
fn source(dom: &Dom, id: NodeId, element: &Element) -> Option<String> {
    let tag = &*element.name.local;
    let own = |element: &Element| {
        let sources = element.attributes.iter().filter(|attribute| SOURCES.contains(&&*attribute.name.local));
        let mut values = sources.map(|attribute| attribute.value.trim());
        values.find(|value| !SWITCHES.contains(value)).map(str::to_owned)
    };
    // MathJax 4 notes the source within its container.
    let text = match tag {
        "mjx-container" => {
            let mut within = dom.walk(id).take(NEIGHBOURS_MAX).filter_map(|id| dom.element(id));
            within.find_map(own)?
        }
        _ => own(element)?,
    };
    let mut within = dom.walk(id).skip(1).take(NODES_MAX);
    (!within.any(|id| is_standard_block(dom.tag(id)))).then_some(text)
}

fn classes(element: &Element) -> impl Iterator<Item = &str> {
    element.attribute("class").unwrap_or_default().split_ascii_whitespace()
}

#[cfg(test)]
mod tests {
    use super::super::dom::ROOT;
    use super::super::ruby::Ruby;
    use super::super::{parser, plain};

    fn text(html: &str) -> String {
        let mut dom = parser::parse(html);
        plain::simplify(&mut dom, Ruby::Base);
        dom.text(ROOT, usize::MAX)
    }

    const SQUARE: &str = "<msup><mi>c</mi><mn>2</mn></msup>";

    #[test]
    fn mathml_gives_its_tex_once() {
        let annotated = format!(
            "<semantics>{SQUARE}<annotation encoding='application/x-tex'>c^{{2}}</annotation></semantics>"
        );
        assert_eq!(text(&format!("a <math>{annotated}</math>.")), "a c^{2}.");
        assert_eq!(text(&format!("a <math alttext='c^{{2}}'>{SQUARE}</math>.")), "a c^{2}.");
        assert_eq!(text(&format!("a <math>{SQUARE}</math>.")), "a c^2.");
        assert_eq!(text(&format!("a<math display=block>{SQUARE}</math>b")), "a c^2 b");
        let katex = format!(
            "x <span class=katex-display><span class=katex><span class=katex-mathml><math>{annotated}</math></span>
             <span class=katex-html aria-hidden=true><span class=base>c2</span></span></span></span> y"
        );
        assert_eq!(text(&katex), "x c^{2} y");
        let wiki = format!(
            "x <span class=mwe-math-element><span style='display: none'><math alttext='c'>{annotated}</math></span>
             <img src=1.svg class=mwe-math-fallback-image-inline alt='c^{{2}}'></span> y"
        );
        assert_eq!(text(&wiki), "x c^{2} y");
    }

    #[test]
    fn what_mathjax_drew_gives_way_to_its_source() {
        let script = "<script type='math/tex'>a \\ne 0</script>";
        assert_eq!(text(&format!("if <span class=MathJax_Preview>a?</span>{script}, x")), "if a \\ne 0, x");
        let drawn = format!(
            "<span class=MathJax><span>c2</span><span class=MJX_Assistive_MathML><math>{SQUARE}</math></span></span>"
        );
        assert_eq!(text(&format!("if {drawn}{script}, x")), "if a \\ne 0, x");
        assert_eq!(text(&format!("if {drawn}, x")), "if c^2, x");
        let display = "<script type='math/tex; mode=display'>b</script>";
        assert_eq!(text(&format!("x<div class=MathJax_Display>{drawn}</div>{display}y")), "x b y");
        let three = format!(
            "<mjx-container class=MathJax><mjx-math></mjx-math><mjx-assistive-mml><math>{SQUARE}</math></mjx-assistive-mml></mjx-container>"
        );
        assert_eq!(text(&format!("if {three}, x")), "if c^2, x");
        let four = three.replace("<mjx-math>", "<mjx-math data-latex='c^{2}'>");
        assert_eq!(text(&format!("if {four}, x")), "if c^{2}, x");
        assert_eq!(text("a <script type='text/x'>b</script>"), "a");
    }

    #[test]
    fn images_and_elements_that_state_their_source_are_formulas() {
        let image = "x <img class='latex' src=a.png alt='c^2'>, <img alt='$d$'>, <img alt=e><img src='//latex.codecogs.com/svg?f' title=f>";
        assert_eq!(text(image), "x c^2, $d$, f");
        assert_eq!(text("x <span data-tex='c^2'><span>c</span>2</span> y"), "x c^2 y");
        assert_eq!(text("<div data-tex=true>x</div><div data-tex='c^2'><p>y</p></div>"), "x y");
    }

    #[test]
    fn what_is_named_like_a_formula_and_holds_more_stays() {
        let math = format!("<math>{SQUARE}</math>");
        assert_eq!(text(&format!("<div class=MathJax>one {math} and {math}.</div>")), "one c^2 and c^2.");
        assert_eq!(text(&format!("<div class=katex>one {math}<p>two</p></div>")), "one c^2 two");
    }
}
