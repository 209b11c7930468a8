//! Declarative shadow roots: what a `template` with `shadowrootmode` holds takes the place of
//! its host's children, which go where a `slot` asks for them (HTML standard, "the template
//! element"; DOM standard, "finding slots and slottables").

use std::collections::{BTreeMap, HashMap, HashSet};

use super::dom::{Data, Dom, NONE, NodeId};

/// Elements around a host. Each host may put its children deeper, so that hosts within hosts
/// would have no bound.
const DEPTH_MAX: usize = 1 << 10;
/// Hosts by their tags, apart from elements that pages define themselves.
const HOSTS: [&str; 18] = [
    "article",
    "aside",
    "blockquote",
    "body",
    "div",
    "footer",
    "h1",
    "h2",
    "h3",
    "h4",
    "h5",
    "h6",
    "header",
    "main",
    "nav",
    "p",
    "section",
    "span",
];

/// Puts every shadow tree in its place; `templates` gives the content of each template.
///
/// The first template of a host counts. A host's children that no slot asks for are not shown.
pub(super) fn compose(dom: &mut Dom, templates: &BTreeMap<NodeId, NodeId>) {
    let mut hosts = HashSet::new();
    // A template is made before those within it: slots are found while inner trees are apart,
    // and every node is passed once.
    for (template, content) in templates {
        let mode = dom.element(*template).and_then(|element| element.attribute("shadowrootmode"));
        let is_open = |mode: &str| ["open", "closed"].iter().any(|known| mode.eq_ignore_ascii_case(known));
        let host = dom.node(*template).map_or(NONE, |node| node.parent);
        if mode.is_some_and(is_open) && is_host(dom, host) && hosts.insert(host) {
            attach(dom, host, *template, *content);
        }
    }
}

fn is_host(dom: &Dom, id: NodeId) -> bool {
    let tag = dom.tag(id);
    let parent = |id: &NodeId| dom.node(*id).map(|node| node.parent);
    (tag.contains('-') || HOSTS.contains(&tag))
        && std::iter::successors(Some(id), parent).take(DEPTH_MAX + 1).count() <= DEPTH_MAX
}

fn attach(dom: &mut Dom, host: NodeId, template: NodeId, content: NodeId) {
    let light = take_children(dom, host);
    for node in take_children(dom, content) {
        dom.append(host, node);
    }
    let mut slots: HashMap<String, (NodeId, bool)> = HashMap::new();
    for id in dom.walk(host).filter(|id| dom.tag(*id) == "slot") {
        let name = dom.element(id).and_then(|slot| slot.attribute("name")).unwrap_or_default();
        slots.entry(name.to_owned()).or_insert((id, false));
    }
    for node in light.into_iter().filter(|node| *node != template) {
        let name = dom.element(node).and_then(|element| element.attribute("slot")).unwrap_or_default();
        let is_blank =
            matches!(dom.node(node).map(|node| &node.data), Some(Data::Text(text)) if text.trim().is_empty());
        let Some((slot, is_filled)) = slots.get_mut(name) else {
            continue;
        };
        // What a slot holds itself is for hosts that have nothing to put there.
        if !*is_filled && !is_blank {
            take_children(dom, *slot);
            *is_filled = true;
        }
        dom.append(*slot, node);
    }
}

fn take_children(dom: &mut Dom, id: NodeId) -> Vec<NodeId> {
    let children: Vec<NodeId> = dom.children(id).collect();
    children.iter().for_each(|child| dom.detach(*child));
    children
}

#[cfg(test)]
mod tests {
    use super::super::dom::ROOT;
    use super::super::parser;

    fn text(html: &str) -> String {
        parser::parse(html).text(ROOT, usize::MAX)
    }

    #[test]
    fn a_shadow_tree_is_shown_with_its_hosts_children_in_their_slots() {
        let card = "<my-card><b slot=t>title</b>one<template shadowrootmode=OPEN><i><slot name=t></slot>:</i>
            <slot>nothing</slot>.</template>two<b slot=no>nowhere</b></my-card>";
        assert_eq!(text(card), "title: onetwo.");
        let nested = "<x-a><template shadowrootmode=open><x-b><template shadowrootmode=closed>[<slot></slot>]</template>
            (<slot></slot>)</x-b></template>in</x-a>";
        assert_eq!(text(nested), "[ (in)]");
    }

    #[test]
    fn a_slot_that_nothing_is_for_shows_its_own() {
        let page = "<div> <template shadowrootmode=open><slot>own</slot></template> </div>";
        assert_eq!(text(page), "own");
    }

    #[test]
    fn other_templates_stay_closed() {
        for page in [
            "<div><template>a</template></div>",
            "<div><template shadowrootmode=x>a</template></div>",
            "<ul><template shadowrootmode=open>a</template></ul>",
            "<div><template shadowrootmode=open></template><template shadowrootmode=open>a</template></div>",
        ] {
            assert_eq!(text(page), "", "{page}");
        }
    }
}
