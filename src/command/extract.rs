//! `kosmos extract`: the main text of saved pages, to try the extractor on anything.

use std::collections::BTreeMap;
use std::io::{self, IsTerminal};
use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::Context;
use clap::Args;
use corpus::record::{Segment, SegmentKind};
use filter::fasttext::Model;
use filter::language::Detector;
use ingest::Webpage;
use ingest::html::Ruby;
use ingest::saved::{self, Saved};
use ingest::webpage::Refusal;
use pipeline::Error::Usage;
use pipeline::number::grouped;
use pipeline::{cores, ordered};
use serde::Serialize;

use crate::cli::{local, workers};
use crate::print::{Stdout, note};

#[derive(Debug, Args)]
pub(crate) struct ExtractArgs {
    /// Files (.html, .html.gz, .warc, .warc.gz, ...), or folders searched for them
    #[arg(required = true, value_parser = local())]
    pub(crate) paths: Vec<PathBuf>,
    /// URL of the HTML files, to resolve image URLs [default: the one that each file states]
    #[arg(long)]
    pub(crate) url: Option<String>,
    /// Show images at their positions in the text
    #[arg(long)]
    pub(crate) images: bool,
    /// Keep ruby readings, in parentheses after their characters
    #[arg(long)]
    pub(crate) ruby_readings: bool,
    /// fastText model for language detection (lid.176.bin, .ftz) [default: built-in trigrams]
    #[arg(long, value_name = "PATH", value_parser = local())]
    pub(crate) language_model: Option<PathBuf>,
    /// Print one JSON object per page (default if stdout is not a terminal)
    #[arg(long)]
    pub(crate) json: bool,
    /// Number of parallel pages [default: number of cores]
    #[arg(long, value_parser = workers())]
    pub(crate) workers: Option<usize>,
}

/// What is said of one page.
#[derive(Serialize)]
struct Line {
    path: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    offset: Option<u64>,
    url: Option<String>,
    title: String,
    /// ISO 639-3; null where nothing tells it.
    language: Option<String>,
    charset: Option<&'static str>,
    text: String,
    segments: Vec<Shown>,
    /// Why there is no text.
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    detail: Option<String>,
    #[serde(skip)]
    is_failure: bool,
}

/// A segment as it is shown.
#[derive(Serialize)]
struct Shown {
    kind: &'static str,
    text: String,
    /// Of an image alone.
    #[serde(skip_serializing_if = "Option::is_none")]
    url: Option<String>,
}

impl From<Segment> for Shown {
    fn from(segment: Segment) -> Self {
        Self { kind: segment.kind.as_str(), text: segment.text, url: segment.url }
    }
}

/// Prints a page a line as JSON, or readable text on a terminal.
pub(crate) fn extract(arguments: &ExtractArgs) -> anyhow::Result<ExitCode> {
    let mut files: Vec<PathBuf> = Vec::new();
    for path in &arguments.paths {
        let found = saved::files(path).with_context(|| format!("cannot read {}", path.display()))?;
        files.extend(found);
    }
    if files.is_empty() {
        return Err(Usage("no .html, .warc or .arc file there, compressed or not".to_owned()).into());
    }
    let workers = arguments.workers.unwrap_or_else(cores);
    let is_json = arguments.json || !io::stdout().is_terminal();
    let mut out = Stdout::new();
    let mut counts: BTreeMap<(&str, &str), u64> = BTreeMap::new();
    let pages = files.into_iter().flat_map(saved::pages);
    let model = match &arguments.language_model {
        Some(path) => Some(Model::open(path).with_context(|| format!("cannot read {}", path.display()))?),
        None => None,
    };
    let detector = model.as_ref().map_or(Detector::Whatlang, Detector::FastText);
    let work = |page: Saved| line(&page, &detector, arguments);
    let ended = ordered::map(pages, workers, work, |line: Line| {
        let outcome = match (line.reason, line.is_failure) {
            (None, _) => ("kept", ""),
            (Some(reason), false) => ("dropped", reason),
            (Some(reason), true) => ("failed", reason),
        };
        *counts.entry(outcome).or_default() += 1;
        // Responses that are no pages are counted alone; of a file, something is always said.
        match line.reason.is_some() && line.offset.is_some() {
            true => Ok(()),
            false => print(&mut out, &line, is_json),
        }
    });
    match ended.and_then(|()| out.flush()) {
        Err(error) if error.kind() != io::ErrorKind::BrokenPipe => return Err(error.into()),
        _ => {}
    }
    report(&counts);
    Ok(ExitCode::SUCCESS)
}

fn line(page: &Saved, detector: &Detector<'_>, arguments: &ExtractArgs) -> Line {
    let url = page.url().or(arguments.url.as_deref());
    let blank = |reason, detail, is_failure| Line {
        path: page.path.display().to_string(),
        offset: page.offset,
        url: url.map(str::to_owned),
        title: String::new(),
        language: None,
        charset: None,
        text: String::new(),
        segments: Vec::new(),
        reason,
        detail,
        is_failure,
    };
    let ruby = if arguments.ruby_readings { Ruby::Readings } else { Ruby::Base };
    match page.read(url, ruby) {
        Err(Refusal::Drop(reason, detail)) => blank(Some(reason), Some(detail), false),
        Err(Refusal::Fail(reason, detail)) => blank(Some(reason), Some(detail), true),
        Ok(Webpage { extract, charset, url: stated }) => {
            let text = extract.text();
            let is_shown = |segment: &Segment| arguments.images || segment.kind != SegmentKind::Image;
            Line {
                url: stated.or_else(|| url.map(str::to_owned)),
                language: detector.identify(&text).map(|detected| detected.code.to_string()),
                title: extract.title,
                charset: Some(charset),
                text,
                segments: extract.segments.into_iter().filter(is_shown).map(Shown::from).collect(),
                ..blank(None, None, false)
            }
        }
    }
}

fn print(out: &mut Stdout, line: &Line, is_json: bool) -> io::Result<()> {
    if is_json {
        return writeln!(out, "{}", serde_json::to_string(line)?);
    }
    let language = line.language.as_deref().unwrap_or("no language");
    writeln!(out, "{}", line.url.as_ref().unwrap_or(&line.path))?;
    writeln!(out, "{} [{}]\n", line.title, line.reason.unwrap_or(language))?;
    for segment in &line.segments {
        match (segment.kind, &segment.url) {
            ("heading", _) => writeln!(out, "# {}\n", segment.text)?,
            ("list_item", _) => writeln!(out, "- {}\n", segment.text)?,
            ("image", Some(url)) => writeln!(out, "![{}]({url})\n", segment.text)?,
            _ => writeln!(out, "{}\n", segment.text)?,
        }
    }
    Ok(())
}

/// Says what became of everything that was read.
fn report(counts: &BTreeMap<(&str, &str), u64>) {
    let read: u64 = counts.values().sum();
    let kept = counts.get(&("kept", "")).copied().unwrap_or_default();
    let mut text = format!("{} read, {} kept", grouped(read), grouped(kept));
    for ((outcome, reason), count) in counts.iter().filter(|((outcome, _), _)| *outcome != "kept") {
        text.push_str(&format!(", {} {outcome}: {reason}", grouped(*count)));
    }
    note!("{text}");
}
