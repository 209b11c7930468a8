//! Saved pages: files of HTML, or rows that hold it, become pages as those of archives do.
//!
//! ```text
//! format    HtmlFormat    [sources.NAME] format.html
//! files     Files         NAME: every file is a page, some hundred a task
//! rows      Rows          NAME: every row is one, a file a task
//! sidecar   url           what a file beside a page says of its URL
//! (here)    PageWriter    a page, or the reason why there is none, is written down
//! ```
//!
//! The URL is that of a column or a sidecar, or else the one that the page states itself
//! (`html::address`). A page without any has none, and is known by its key.

mod files;
mod format;
mod rows;
pub(crate) mod sidecar;

use corpus::record::{PAGES, Page};
use corpus::{Id, Output, Removal, Result, Stage};

pub use format::HtmlFormat;

use crate::html::Ruby;
use crate::source::Source;
use crate::webpage::{Refusal, Webpage};

/// What is counted.
const UNIT: &str = PAGES.name();

/// Returns the stage that reads a source of saved pages.
pub(crate) fn stage(source: Source, format: &HtmlFormat) -> Box<dyn Stage> {
    let writer = PageWriter { source, ruby: format.ruby };
    match &format.column {
        Some(column) => Box::new(rows::Rows::new(writer, column.clone(), format.clone())),
        None => Box::new(files::Files::new(writer)),
    }
}

/// What is known of a page beside its content.
struct About {
    id: Id,
    /// The source's own id, or the path of its file.
    key: Option<String>,
    /// The URL that is given, whatever the page states.
    url: Option<String>,
    date: Option<String>,
}

/// What pages are written with.
struct PageWriter {
    source: Source,
    ruby: Ruby,
}

impl PageWriter {
    /// Writes a page, or why there is none.
    fn write(&self, about: About, page: Result<Webpage, Refusal>, out: &mut Output<'_>) -> Result<()> {
        let About { id, key, url, date } = about;
        out.read(UNIT);
        let refusal = match page {
            Ok(Webpage { extract, charset, url: stated }) => {
                let (url, charset, source) = (url.or(stated), charset.to_owned(), self.source.name.clone());
                let (title, segments) = (extract.title, extract.segments);
                out.write(PAGES, Page { id, key, source, url, date, title, charset, segments })?;
                out.keep(UNIT);
                return Ok(());
            }
            Err(refusal) => refusal,
        };
        let preview = url.as_deref().or(key.as_deref()).unwrap_or_default();
        let (key, url) = (key.as_deref(), url.as_deref());
        match refusal {
            Refusal::Drop(reason, value) => out.drop(UNIT, Removal { id, key, url, reason, value, preview }),
            Refusal::Fail(reason, value) => out.fail(UNIT, Removal { id, key, url, reason, value, preview }),
        }
    }
}
