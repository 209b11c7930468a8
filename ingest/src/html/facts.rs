//! Facts of a whole page: its title, and what it says it is.

use super::dom::{Data, Dom, NodeId, ROOT};

/// Nodes of a title.
const TITLE_NODES_MAX: usize = 64;
/// Bytes of a script that are searched for the type of the page.
const LINKED_DATA_BYTES_MAX: usize = 64 << 10;

/// Types of schema.org, and values of `og:type`, by kind of page.
const KINDS: [(&[&str], PageKind); 7] = [
    (&["Article\"", "NewsArticle", "BlogPosting", "Recipe\"", "Report\""], PageKind::Article),
    (&["\"Product", "ProductGroup", "\"Offer"], PageKind::Product),
    (&["QAPage", "DiscussionForumPosting", "\"Question\""], PageKind::Forum),
    (&["CollectionPage", "ItemList\"", "SearchResultsPage", "ProductCollection"], PageKind::Collection),
    (&["TechArticle", "APIReference", "SoftwareApplication", "HowTo\""], PageKind::Documentation),
    (&["FAQPage", "\"Service\"", "LocalBusiness", "Course\""], PageKind::Service),
    (&["\"JobPosting", "\"Event\"", "BreadcrumbList"], PageKind::Other),
];
/// Names of generators and hosts by kind of page.
const GENERATORS: [(&[&str], PageKind); 4] = [
    (
        &["discourse", "phpbb", "vbulletin", "xenforo", "mybb", "invision", "flarum", "vanilla", "nodebb"],
        PageKind::Forum,
    ),
    (
        &[
            "sphinx",
            "docusaurus",
            "mkdocs",
            "doxygen",
            "gitbook",
            "vitepress",
            "hugo",
            "jekyll",
            "rustdoc",
            "javadoc",
            "mediawiki",
            "antora",
        ],
        PageKind::Documentation,
    ),
    (&["shopify", "magento", "woocommerce", "prestashop", "bigcommerce"], PageKind::Product),
    (&["wordpress", "ghost", "blogger", "drupal", "joomla", "typo3"], PageKind::Article),
];
/// Number of kinds.
pub(super) const KIND_COUNT: usize = 7;

/// What a page may say it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
pub(super) enum PageKind {
    Article,
    Product,
    Forum,
    Collection,
    Documentation,
    Service,
    Other,
}

/// What is known of a page apart from its blocks.
#[derive(Debug, Default)]
pub(super) struct Facts {
    /// The title with white space collapsed, possibly empty.
    pub(super) title: String,
    /// Whether `og:type`, linked data and the generator speak for a kind.
    pub(super) typed: [bool; KIND_COUNT],
    pub(super) linked: [bool; KIND_COUNT],
    pub(super) generated: [bool; KIND_COUNT],
    /// Elements by tag.
    pub(super) paragraphs: u32,
    pub(super) articles: u32,
    pub(super) codes: u32,
    pub(super) inputs: u32,
    pub(super) elements: u32,
}

impl Facts {
    /// Gathers them.
    pub(super) fn of(dom: &Dom) -> Self {
        let mut facts = Self::default();
        for id in dom.walk(ROOT) {
            facts.elements += u32::from(dom.element(id).is_some());
            match dom.tag(id) {
                "title" => facts.read_title(dom, id),
                "meta" => facts.read_meta(dom, id),
                "script" => facts.read_script(dom, id),
                "p" => facts.paragraphs += 1,
                "article" => facts.articles += 1,
                "pre" | "code" => facts.codes += 1,
                "input" | "select" | "textarea" => facts.inputs += 1,
                _ => {}
            }
        }
        facts
    }

    fn read_title(&mut self, dom: &Dom, id: NodeId) {
        let parent = dom.node(id).map_or(ROOT, |node| node.parent);
        if self.title.is_empty() && dom.tag(parent) != "svg" {
            self.title = dom.text(id, TITLE_NODES_MAX);
        }
    }

    fn read_meta(&mut self, dom: &Dom, id: NodeId) {
        let Some(element) = dom.element(id) else {
            return;
        };
        let name = element.attribute("property").or(element.attribute("name"));
        let content = element.attribute("content").unwrap_or_default();
        match name {
            Some("og:type") => {
                let kind = match content {
                    content if content.contains("article") || content.contains("blog") => PageKind::Article,
                    content if content.contains("product") => PageKind::Product,
                    _ => PageKind::Other,
                };
                self.typed[kind as usize] = true;
            }
            Some("generator" | "Generator") => {
                let content = content.to_ascii_lowercase();
                mark(&mut self.generated, &GENERATORS, |name| content.contains(name));
            }
            _ => {}
        }
    }

    fn read_script(&mut self, dom: &Dom, id: NodeId) {
        let kind = dom.element(id).and_then(|element| element.attribute("type"));
        if kind != Some("application/ld+json") {
            return;
        }
        for child in dom.children(id) {
            if let Some(Data::Text(text)) = dom.node(child).map(|node| &node.data) {
                let mut end = text.len().min(LINKED_DATA_BYTES_MAX);
                while !text.is_char_boundary(end) {
                    end -= 1;
                }
                mark(&mut self.linked, &KINDS, |name| text[..end].contains(name));
            }
        }
    }
}

fn mark(marks: &mut [bool; KIND_COUNT], table: &[(&[&str], PageKind)], is_said: impl Fn(&str) -> bool) {
    for (names, kind) in table {
        marks[*kind as usize] |= names.iter().any(|name| is_said(name));
    }
}
