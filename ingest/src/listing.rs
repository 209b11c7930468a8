//! The listing: which files a source has. It gives files their index in ids.

use std::io::BufRead;

use corpus::record::SourceFile;
use corpus::{Error, Inputs, Result, Stage, Task};
use serde_json::{Value, json};

use crate::config::{CrawlFormat, Format, SourceConfig};
use crate::fetch::source::source_error;
use crate::lines::{Line, Lines, decompressed};
use crate::source::{FILES, Source};
use crate::{braces, fetch};

/// Bytes of one path in a list of paths.
const PATH_BYTES_MAX: usize = 4 << 10;

/// The stage `NAME.files`.
pub struct Listing {
    source: Source,
    patterns: Vec<String>,
    crawl: Option<CrawlFormat>,
}

impl Listing {
    pub(crate) fn new(source: Source, config: &SourceConfig) -> Self {
        let crawl = match &config.format {
            Format::Crawl(format) => Some(format.clone()),
            _ => None,
        };
        Self { source, patterns: config.files.clone(), crawl }
    }

    /// Returns all files in their order.
    fn files(&self) -> Result<Vec<String>> {
        let mut files = Vec::new();
        for pattern in &self.patterns {
            let names =
                braces::expand(pattern).map_err(|detail| Error::Settings { stage: self.name(), detail })?;
            for name in names {
                match &self.crawl {
                    Some(crawl) if is_path_list(&name) => self.append(crawl, &name, &mut files)?,
                    _ => files.push(name),
                }
            }
        }
        let count_max = self.crawl.as_ref().and_then(|crawl| crawl.files_max);
        files.truncate(count_max.map_or(usize::MAX, |count| count as usize));
        Ok(files)
    }

    /// Appends the files of a list of paths.
    fn append(&self, crawl: &CrawlFormat, list: &str, files: &mut Vec<String>) -> Result<()> {
        let broken = |error: &std::io::Error| source_error(list, error);
        let reader: fetch::SourceReader<'_> = self.source.client.open(list)?;
        let reader: Box<dyn BufRead + '_> = decompressed(reader).map_err(|e| broken(&e))?;
        for line in Lines::new(reader, PATH_BYTES_MAX) {
            if files.len() > corpus::id::FILE_INDEX_MAX as usize {
                return Err(Error::Settings {
                    stage: self.name(),
                    detail: format!("{list} lists more files than ids hold; set files_max"),
                });
            }
            match line.map_err(|e| broken(&e))? {
                Line::Whole(path) => match std::str::from_utf8(&path) {
                    Ok("") => {}
                    Ok(path) => files.push(format!("{}{path}", crawl.prefix)),
                    Err(_) => return Err(broken(&std::io::Error::other("a path is not UTF-8"))),
                },
                Line::TooLong { .. } => {
                    return Err(broken(&std::io::Error::other("a path is too long")));
                }
            }
        }
        Ok(())
    }
}

fn is_path_list(name: &str) -> bool {
    name.ends_with(".paths") || name.ends_with(".paths.gz")
}

impl Stage for Listing {
    fn name(&self) -> String {
        self.source.listing()
    }

    fn settings(&self) -> Value {
        json!({ "files": self.patterns, "crawl": self.crawl })
    }

    fn plan(&self, _: &Inputs) -> Result<u32> {
        Ok(1)
    }

    fn run(&self, task: &Task<'_>) -> Result<()> {
        let mut out = task.output()?;
        if out.is_done() {
            return Ok(());
        }
        let files = self.files()?;
        for (index, url) in (0_u32..).zip(files).skip(out.position() as usize) {
            out.read(FILES);
            out.keep(FILES);
            out.write(FILES, SourceFile { index, url })?;
            out.advance(1)?;
        }
        out.finish()
    }
}
