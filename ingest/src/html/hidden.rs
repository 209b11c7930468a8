//! Text that the page itself hides, by the attribute `hidden` or `display: none` in its style, is not read, unless
//! readers can open it: panels of tabs, answers, the rest of a text. Nor are names of icons, which a font shows as
//! pictures. Rules of style sheets and what scripts do are not known, so that a page of which most is hidden is read as a
//! whole: a script shows it.

use std::collections::HashSet;

use super::dom::{Data, Dom, Element, NodeId, ROOT};
use super::signal::is_without_display;
use super::tag::{is_block, is_skipped};

/// How classes begin of elements whose text names a picture of a font.
const ICON_FONTS: [&str; 2] = ["material-icons", "material-symbols"];
/// What the class of an icon says within an element that is not read out.
const ICON: &str = "icon";
/// A value of `hidden` that lets browsers find the text.
const FOUND: &str = "until-found";
/// The class of the name of a language at a box of code, and how that of the box begins.
const LABEL: &str = "lang";
const LABELLED: &str = "language-";
/// Roles of what tabs and headings open.
const OPENED_ROLES: [&str; 2] = ["tabpanel", "region"];
/// How ids begin of what React sends after the page, and puts in its place.
const STREAMED: [&str; 2] = ["S:", "B:"];
/// Attributes that name what an element opens.
const OPENING: [&str; 4] = ["aria-controls", "data-bs-target", "data-target", "href"];
/// Parts of the names of what can be opened, or of what is around it.
const OPENED_PARTS: [&str; 20] = [
    "accord", "answer", "collaps", "content", "desc", "detail", "drop", "expand", "faq", "fold", "full",
    "intro", "less", "more", "panel", "read", "reveal", "spoiler", "tab", "toggle",
];
/// Nodes looked at for a button before something.
const BUTTON_NODES_MAX: usize = 64;
/// Bytes of names that are looked through.
const NAME_BYTES_MAX: usize = 256;
/// How often the nodes of a page are looked at for what hidden elements hold: they may be within each other.
const LOOKS_PER_NODE: usize = 4;

/// What is under a node.
#[derive(Debug, Default)]
struct Held {
    /// Bytes of text.
    bytes: usize,
    /// Whether a formula is among it: pages hide the notation that is read.
    has_formula: bool,
}

/// Leaves out what the page hides: within blocks at once, and of blocks notes that they are hidden.
pub(super) fn leave_out(dom: &mut Dom) {
    let opened = opened(dom);
    let (mut shown, mut hidden, mut hidden_nodes) = (0, 0, Vec::new());
    let mut looks = LOOKS_PER_NODE * dom.nodes.len();
    let mut next = Some(ROOT);
    while let Some(id) = next {
        let first = dom.node(id).map(|node| node.first_child).filter(|child| dom.node(*child).is_some());
        let mut is_passed = first.is_none();
        match dom.node(id).map(|node| &node.data) {
            Some(Data::Text(text)) => shown += text.trim().len(),
            Some(Data::Element(element)) if is_skipped(&element.name.local) => is_passed = true,
            Some(Data::Element(element)) if is_name(dom, id, element) => {
                hidden_nodes.push(id);
                is_passed = true;
            }
            Some(Data::Element(element))
                if is_hidden(element) && !can_be_opened(dom, id, element, &opened) =>
            {
                let held = held(dom, id, &mut looks);
                if held.bytes > 0 && !held.has_formula {
                    hidden += held.bytes;
                    hidden_nodes.push(id);
                    is_passed = true;
                }
            }
            _ => {}
        }
        next = if is_passed { dom.behind(id, ROOT) } else { first };
    }
    if hidden <= shown {
        for id in hidden_nodes {
            match is_judged(dom.tag(id)) {
                true => drop(dom.hidden.insert(id)),
                false => dom.replace(id, Data::Other),
            }
        }
    }
}

/// Returns true for blocks that are judged by themselves: what is around them is judged as if they were there, which is
/// how the forests learned it. Tables are read as a whole.
fn is_judged(tag: &str) -> bool {
    is_block(tag) && !matches!(tag, "tbody" | "td" | "tfoot" | "th" | "thead" | "tr")
}

/// Returns true if an element says that it is not shown.
fn is_hidden(element: &Element) -> bool {
    element.attributes.iter().any(|attribute| match &*attribute.name.local {
        "hidden" => &*attribute.value != FOUND,
        "style" => is_without_display(&attribute.value),
        _ => false,
    })
}

/// Returns true if the text of an element is the name of an icon, or that of the language of a box of code.
fn is_name(dom: &Dom, id: NodeId, element: &Element) -> bool {
    if !matches!(&*element.name.local, "i" | "span") {
        return false;
    }
    let class = element.attribute("class").unwrap_or_default();
    let is_of_box = || {
        let around = dom.node(id).and_then(|node| dom.element(node.parent));
        around.and_then(|around| around.attribute("class")).is_some_and(|class| class.starts_with(LABELLED))
    };
    ICON_FONTS.iter().any(|begin| class.starts_with(begin))
        || class.contains(ICON) && element.attribute("aria-hidden") == Some("true")
        || class == LABEL && is_of_box()
}

/// Returns the ids of what the elements of a page open.
fn opened(dom: &Dom) -> HashSet<String> {
    let of_element = |element: &Element| {
        let opening = element.attributes.iter().filter(|attribute| OPENING.contains(&&*attribute.name.local));
        let ids = opening.filter_map(|attribute| match &*attribute.name.local {
            "aria-controls" => Some(&*attribute.value),
            _ => attribute.value.strip_prefix('#'),
        });
        ids.flat_map(str::split_ascii_whitespace).map(str::to_owned).collect::<Vec<_>>()
    };
    let is_any_hidden = dom.walk(ROOT).any(|id| dom.element(id).is_some_and(is_hidden));
    match is_any_hidden {
        true => dom.walk(ROOT).filter_map(|id| dom.element(id)).flat_map(of_element).collect(),
        false => HashSet::new(),
    }
}

/// Returns true if readers can have a hidden element shown.
fn can_be_opened(dom: &Dom, id: NodeId, element: &Element, opened: &HashSet<String>) -> bool {
    let parent = dom.node(id).map_or(ROOT, |node| node.parent);
    let around = dom.element(parent);
    let own = element.attribute("id").unwrap_or_default();
    if element.attribute("role").is_some_and(|role| OPENED_ROLES.contains(&role))
        || element.attribute("aria-labelledby").is_some()
        || STREAMED.iter().any(|begin| own.starts_with(begin))
        || opened.contains(own)
    {
        return true;
    }
    let begin = |name: &str| name[..name.floor_char_boundary(NAME_BYTES_MAX)].to_ascii_lowercase();
    let class = |element: Option<&Element>| {
        begin(element.and_then(|element| element.attribute("class")).unwrap_or_default())
    };
    let names = [class(Some(element)), begin(own), class(around)];
    names.iter().any(|name| OPENED_PARTS.iter().any(|part| name.contains(part)))
        || [id, parent].into_iter().any(|id| is_behind_button(dom, id))
}

/// Returns true if the element before a node is a button, or holds one.
fn is_behind_button(dom: &Dom, id: NodeId) -> bool {
    let previous = |id: &NodeId| dom.node(*id).map(|node| node.previous);
    let mut before = std::iter::successors(previous(&id), previous).take(BUTTON_NODES_MAX);
    let is_button = |id: NodeId| {
        dom.element(id).is_some_and(|element| {
            matches!(&*element.name.local, "button" | "summary")
                || element.attribute("aria-expanded").is_some()
                || element.attribute("role") == Some("button")
        })
    };
    let element = before.find(|id| dom.element(*id).is_some());
    element.is_some_and(|id| dom.walk(id).take(BUTTON_NODES_MAX).any(is_button))
}

fn held(dom: &Dom, id: NodeId, looks: &mut usize) -> Held {
    let mut held = Held::default();
    for node in dom.walk(id) {
        *looks = looks.saturating_sub(1);
        if *looks == 0 {
            return Held::default();
        }
        match dom.node(node).map(|node| &node.data) {
            Some(Data::Text(text)) => held.bytes += text.trim().len(),
            Some(Data::Element(element)) => {
                let tag = &*element.name.local;
                let kind = || element.attribute("type").is_some_and(|kind| kind.starts_with("math/"));
                held.has_formula |= tag == "math" || tag == "script" && kind();
            }
            _ => {}
        }
    }
    held
}

#[cfg(test)]
mod tests {
    use super::super::parser;
    use super::*;

    fn text(html: &str) -> String {
        let mut dom = parser::parse(html);
        leave_out(&mut dom);
        let hidden = std::mem::take(&mut dom.hidden);
        hidden.into_iter().for_each(|id| dom.replace(id, Data::Other));
        dom.text(ROOT, usize::MAX)
    }

    #[test]
    fn what_a_page_hides_is_not_read() {
        for html in [
            "<p>One sentence is shown.<p hidden>Another is not.",
            "<p>One sentence is shown. <span style='color:red; display: none'>Another is not.</span>",
            "<p>One sentence is shown.<div style='DISPLAY:none !important'><p>Another<p>is not.</div>",
            "<p>One sentence is shown.<div><pre></pre></div><div class='language-js x'><span class=lang>js</span></div>",
            "<p>One sentence is shown.<i class='material-icons md-18'>arrow_forward</i>",
            "<p>One sentence is shown.<span class=icon-x aria-hidden=true>close</span>",
        ] {
            assert_eq!(text(html), "One sentence is shown.", "{html}");
        }
        for html in [
            "<p>One sentence <b hidden=until-found>is</b> shown.",
            "<p>One sentence <b style='display:inline'>is</b> shown.",
            "<p>One sentence <b aria-hidden=true>is</b> shown.",
            "<p>One sentence <b class=hidden>is</b> shown.",
        ] {
            assert_eq!(text(html), "One sentence is shown.", "{html}");
        }
    }

    #[test]
    fn what_readers_can_open_is_read() {
        for html in [
            "<p>One sentence<div role=tabpanel hidden>is shown.</div>",
            "<p>One sentence<a href='#rest'></a><div id=rest style='display:none'>is shown.</div>",
            "<p>One sentence<b aria-controls='x rest'></b><div id=rest style='display:none'>is shown.</div>",
            "<p>One sentence<div class=FaqItem><div hidden>is shown.</div></div>",
            "<div>One sentence<h2><b aria-expanded=false></b></h2></div> <div hidden>is shown.</div>",
            "<p>One sentence<div hidden id='S:1'>is shown.</div>",
            "<p>One sentence<p style='visibility:hidden'>is shown.",
        ] {
            assert_eq!(text(html), "One sentence is shown.", "{html}");
        }
    }

    #[test]
    fn hidden_elements_within_each_other_are_not_looked_through_again_and_again() {
        let math = "<p>Let it be <math><mi>c</mi></math> here.";
        let nested = format!("{}{math}", "<div hidden>".repeat(100));
        assert!(text(&nested).contains("Let it be"));
    }

    #[test]
    fn a_page_that_a_script_shows_is_read_as_a_whole() {
        assert_eq!(text("<body style='display:none'><p>One.<p>Two."), "One. Two.");
        assert_eq!(
            text("<h1>One.</h1><div hidden>Two, which is longer.</div>"),
            "One. Two, which is longer."
        );
        let formula = "<p>Let it be <span style='display:none'><math><mi>c</mi></math></span> here.";
        assert_eq!(text(formula), "Let it be c here.");
    }
}
