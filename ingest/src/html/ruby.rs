//! Ruby: readings beside the characters that they are of.

use html5ever::local_name;
use html5ever::tendril::StrTendril;
use serde::{Deserialize, Serialize};

use super::dom::{Data, Dom, NodeId};

/// Elements between a reading and its ruby.
const DEPTH_MAX: usize = 4;
/// Nodes looked at for a neighbour.
const NEIGHBOURS_MAX: usize = 4;

/// How to read ruby.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Ruby {
    /// The base text: 漢字.
    #[default]
    Base,
    /// The base text with its readings in parentheses, the page's own if it has them: 漢字(かんじ).
    Readings,
}

/// Leaves a reading (`rt`, `rtc`) or a parenthesis (`rp`) out, or makes text of it.
///
/// Returns true if nothing within is left to be read.
pub(super) fn simplify(dom: &mut Dom, id: NodeId, ruby: Ruby) -> bool {
    let parent = |id: &NodeId| dom.node(*id).map(|node| node.parent);
    let mut around = std::iter::successors(Some(id), parent).take(DEPTH_MAX);
    let is_within = around.any(|id| dom.tag(id) == "ruby");
    let is_parenthesis = dom.tag(id) == "rp";
    match ruby {
        Ruby::Base if is_within || is_parenthesis => dom.replace(id, Data::Other),
        Ruby::Readings if is_parenthesis && !is_within => dom.replace(id, Data::Other),
        Ruby::Readings if is_within && dom.tag(id) == "rt" => {
            // Readings of single characters that follow each other share their parentheses.
            let is_apart = |step| !matches!(neighbour(dom, id, step), "rp" | "rt");
            let (begins, ends) = (is_apart(Step::Back), is_apart(Step::On));
            let first = dom.children(id).next();
            if begins {
                let open = dom.add(Data::Text(StrTendril::from("(")));
                match first {
                    Some(first) => dom.insert_before(first, open),
                    None => dom.append(id, open),
                }
            }
            if ends {
                let close = dom.add(Data::Text(StrTendril::from(")")));
                dom.append(id, close);
            }
            return false;
        }
        Ruby::Base | Ruby::Readings => return false,
    }
    true
}

#[derive(Debug, Clone, Copy)]
enum Step {
    Back,
    On,
}

/// Returns the tag of the element beside a node; nothing if text is between.
fn neighbour(dom: &Dom, id: NodeId, step: Step) -> &str {
    let next = |id: &NodeId| {
        let node = dom.node(*id)?;
        Some(match step {
            Step::Back => node.previous,
            Step::On => node.next,
        })
    };
    for id in std::iter::successors(next(&id), next).take(NEIGHBOURS_MAX) {
        match dom.node(id).map(|node| &node.data) {
            Some(Data::Element(element)) => return &element.name.local,
            Some(Data::Text(text)) if !text.trim().is_empty() => return "",
            _ => {}
        }
    }
    ""
}

/// Returns true if the tag is one that [`simplify`] is for.
pub(super) fn is_annotation(tag: &html5ever::LocalName) -> bool {
    matches!(*tag, local_name!("rt") | local_name!("rp") | local_name!("rtc"))
}
