//! The outside world becomes tables: documents, pages and pairs, with an address each.
//!
//! ```text
//! [sources.NAME] -> NAME.files  Listing    which files there are; gives them their index in ids
//!                -> NAME        Documents  The Pile, JSON lines, parquet, text -> documents
//!                               Crawl      WARC + HTML -> pages; WET -> documents
//!                               pages      HTML files, rows with HTML -> pages
//!                               Pairs      LAION, COYO, Conceptual Captions -> pairs
//! a URL          -> NAME        Download   one file, such as a model's weights
//! evaluation sets                          files of rows -> the texts that documents must not contain
//! ```
//!
//! [`fetch`] asks for everything, for records' URLs (the image stage uses it too) as for the
//! files of sources. [`warc`] and [`html`] know nothing of stages: bytes in, records out.

pub mod braces;
mod changes;
pub mod config;
mod container;
pub mod crawl;
pub mod documents;
mod download;
pub mod evaluation;
pub mod fault;
pub mod fetch;
pub mod flow;
mod folder;
pub mod html;
mod inflation;
mod kind;
pub mod lines;
pub mod listing;
mod location;
mod packed;
pub mod pages;
pub mod pairs;
pub mod rows;
pub mod saved;
mod sniff;
mod source;
mod texts;
pub mod warc;
mod watch;
pub mod webpage;

use std::sync::Arc;

use corpus::Stage;

pub use changes::{Changed, changed_files, listed_states};
pub use config::{Format, SourceConfig};
pub use crawl::Crawl;
pub use documents::Documents;
pub use download::Download;
pub use evaluation::EvaluationSets;
pub use fetch::Client;
pub use folder::files_below;
pub use listing::Listing;
pub use location::shown as shown_location;
pub use pairs::Pairs;
pub use source::FILE_UNIT;
pub use texts::for_each_text;
pub use webpage::Webpage;

/// Returns the stages of a source: its listing and its reader.
///
/// # Errors
/// [`corpus::Error::Settings`] when the configuration is not valid.
pub fn stages(
    name: &str,
    config: &SourceConfig,
    client: &Arc<Client>,
) -> corpus::Result<Vec<Box<dyn Stage>>> {
    config.validate().map_err(|detail| corpus::Error::Settings { stage: name.to_owned(), detail })?;
    let source = source::Source::new(name, config.code, client);
    let listing = Listing::new(source.clone(), config);
    let reader: Box<dyn Stage> = match &config.format {
        Format::Crawl(format) => return Ok(crawl::stages(source, config, format)),
        Format::Html(format) => pages::stage(source, format),
        Format::Pairs(format) => Box::new(Pairs::new(source, format.clone())),
        Format::Pile(format) => Box::new(Documents::new(source, format.clone().into())),
        Format::Rows(format) => Box::new(Documents::new(source, format.clone().into())),
        Format::Text(format) => Box::new(Documents::new(source, format.clone().into())),
    };
    Ok(vec![Box::new(listing), reader])
}

/// Returns the files that a source has today, to compare with those that it had; none where that takes a
/// list of paths from a server.
///
/// # Errors
/// As its listing: a file or folder that is not there, a folder without a file that is read.
pub fn listed_files(
    name: &str,
    config: &SourceConfig,
    client: &Arc<Client>,
) -> corpus::Result<Option<Vec<String>>> {
    let listing = Listing::new(source::Source::new(name, config.code, client), config);
    match listing.is_local()? {
        true => Ok(Some(listing.listed()?.files)),
        false => Ok(None),
    }
}
