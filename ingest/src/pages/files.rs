//! Files of HTML: each is a page.

use std::io::ErrorKind;

use corpus::crash::Fatal;
use corpus::record::{PAGES, SourceFile};
use corpus::{Declared, Error, Inputs, Output, Result, Stage, Task};
use serde_json::{Value, json};

use super::{About, PageWriter, sidecar};
use crate::fault::{FILE_UNREADABLE, FileFault};
use crate::fetch::source::source_error;
use crate::location::{Location, shown};
use crate::saved;
use crate::webpage::{Refusal, Webpage};

/// Files of one task: a page takes some milliseconds, a task's beginning and end some tens.
const FILES_PER_TASK: u32 = 256;

/// The stage of a source of HTML files; a task is as many of them as follow each other in the listing, the id's
/// position is 0.
pub(super) struct Files {
    writer: PageWriter,
}

impl Files {
    pub(super) fn new(writer: PageWriter) -> Self {
        Self { writer }
    }

    /// Returns the files of a task.
    fn files(&self, inputs: &Inputs, task: u32) -> Result<Vec<SourceFile>> {
        self.writer.source.files(inputs, task.saturating_mul(FILES_PER_TASK), FILES_PER_TASK)
    }

    fn page(&self, file: &SourceFile, url: Option<&str>) -> Result<Result<Webpage, Refusal>> {
        let client = &self.writer.source.client;
        let body = client.open(&file.url).and_then(|reader| {
            let body = saved::body(reader, client.zstd_window_log_max(), url);
            body.map_err(|error| source_error(&file.url, &error))
        });
        match body {
            Ok(body) => Ok(body.and_then(|body| body.read(self.writer.ruby))),
            // A fault of the file, as one that its server does not have.
            Err(error) => {
                let fault = FileFault::of_error(error)?;
                Ok(Err(Refusal::Fail(fault.reason, fault.detail)))
            }
        }
    }

    /// Returns the URL that is known of a file without looking into it.
    fn url(&self, file: &SourceFile) -> Result<Option<String>> {
        match self.writer.source.client.locate(&file.url) {
            Location::File(path) => sidecar::url(&path).map_err(|error| match error.kind() {
                ErrorKind::PermissionDenied => {
                    let detail = format!("a file beside it: {error}");
                    Error::work(&self.writer.source.name, FileFault { reason: FILE_UNREADABLE, detail })
                }
                _ => Error::io("read a file beside", &path)(error),
            }),
            // Where it is, is where it is from.
            Location::Remote(_) => Ok(Some(shown(&file.url))),
        }
    }
}

impl Stage for Files {
    fn name(&self) -> String {
        self.writer.source.name.clone()
    }

    fn inputs(&self) -> Vec<String> {
        vec![self.writer.source.listing()]
    }

    fn settings(&self) -> Result<Value> {
        let PageWriter { source, ruby } = &self.writer;
        Ok(json!({ "source": source.name, "code": source.code, "ruby": ruby }))
    }

    fn version(&self) -> u32 {
        2
    }

    fn task_identity(&self, inputs: &Inputs, index: u32) -> Result<Option<String>> {
        let files = self.files(inputs, index)?;
        let files: Vec<String> = files.iter().map(|file| format!("{} {}", file.index, file.url)).collect();
        Ok(Some(files.join("\n")))
    }

    fn plan(&self, inputs: &Inputs) -> Result<u32> {
        Ok(self.writer.source.plan(inputs)?.div_ceil(FILES_PER_TASK))
    }

    fn streams(&self) -> Vec<Declared> {
        vec![PAGES.into()]
    }

    fn guards_records(&self) -> bool {
        true
    }

    fn run(&self, task: &Task<'_>, out: &mut Output<'_>) -> Result<()> {
        let files = self.files(task.inputs, task.index)?;
        let first = usize::try_from(out.position()).unwrap_or(usize::MAX);
        for file in files.iter().skip(first) {
            let id = self.writer.source.id(file, 0)?;
            let (url, page) = match self.url(file) {
                Ok(url) => {
                    let page = task.crashes.guard(id, || self.page(file, url.as_deref()));
                    let fatal = |fatal: Fatal| Ok(Err(Refusal::Fail(fatal.reason(), String::new())));
                    (url, page.unwrap_or_else(fatal)?)
                }
                Err(error) => {
                    let fault = FileFault::of_error(error)?;
                    (None, Err(Refusal::Fail(fault.reason, fault.detail)))
                }
            };
            let about = About { id, key: Some(shown(&file.url)), url, date: None };
            self.writer.write(about, page, out)?;
            out.advance(1)?;
        }
        Ok(())
    }
}
