//! The stages of all sources, and what their rows are.

use std::collections::BTreeMap;
use std::sync::Arc;

use corpus::Result;
use corpus::handle::{Handle, Stages};
use corpus::record::{Document, Page, Pair};

use crate::crawl::CrawlKind;
use crate::source::Source;
use crate::{Client, Format, Listing, SourceConfig, stages};

/// The sources of a run by what they give.
#[derive(Debug, Clone, Default)]
pub struct Sources {
    /// Texts.
    pub documents: Vec<Handle<Document>>,
    /// Web pages.
    pub pages: Vec<Handle<Page>>,
    /// Captions with the URLs of their images.
    pub pairs: Vec<Handle<Pair>>,
}

/// Returns the stages that list and read all sources, in the order of their codes.
///
/// # Errors
/// When a source's configuration is not valid.
pub fn source_stages(
    sources: &BTreeMap<String, SourceConfig>,
    client: &Arc<Client>,
) -> Result<(Stages, Sources)> {
    let (mut all, mut given): (Stages, _) = (Vec::new(), Sources::default());
    let mut sources: Vec<_> = sources.iter().collect();
    sources.sort_by_key(|(_, source)| source.code);
    for (name, source) in sources {
        all.extend(stages(name, source, client)?);
        match &source.format {
            Format::Crawl(crawl) if crawl.kind == CrawlKind::Wet => given.documents.push(Handle::new(name)),
            Format::Crawl(_) | Format::Html(_) => given.pages.push(Handle::new(name)),
            Format::Pairs(_) => given.pairs.push(Handle::new(name)),
            Format::Pile(_) | Format::Rows(_) | Format::Text(_) => given.documents.push(Handle::new(name)),
        }
    }
    Ok((all, given))
}

/// Returns what is wrong with the files that sources name on this machine, in words; no server is asked.
///
/// # Errors
/// When a source's configuration is not valid.
pub fn missing_files(sources: &BTreeMap<String, SourceConfig>, client: &Arc<Client>) -> Result<Vec<String>> {
    let mut missing = Vec::new();
    for (name, source) in sources {
        let listing = Listing::new(Source::new(name, source.code, client), source);
        if listing.is_local()? {
            missing.extend(listing.listed().err().map(|error| error.to_string()));
        }
    }
    Ok(missing)
}
