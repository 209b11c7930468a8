//! What became of one URL, apart from who wants it: the answer, and the image or why there is none.

use corpus::Task;
use corpus::digest::Digest;
use corpus::record::{Fetched, Image, Target, key_prefix};
use ingest::fetch::{Body, FetchError};

use crate::stated::{Stated, md5_of};
use crate::{Config, store};

/// The outcome of one target; equal whether it is fetched now, was by an attempt before, or for an
/// earlier list.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Outcome {
    /// The row that says what became of the target, as of one that was kept.
    pub(crate) row: Fetched,
    /// MD5 of the body, where a source states one.
    pub(crate) md5: Option<String>,
    /// The image without uses, or why there is none.
    pub(crate) judged: Result<Image, Failure>,
}

/// Why there is no image of a target.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Failure {
    pub(crate) reason: String,
    pub(crate) detail: String,
    pub(crate) is_transient: bool,
}

impl Failure {
    pub(super) fn lasting(reason: &str, detail: String) -> Self {
        Self { reason: reason.to_owned(), detail, is_transient: false }
    }
}

impl From<&FetchError> for Failure {
    fn from(error: &FetchError) -> Self {
        Self { is_transient: error.is_transient(), reason: error.reason(), detail: detail(error) }
    }
}

/// Returns what decided, where it is the same in every run; the words of the operating system
/// and of TLS are not.
fn detail(error: &FetchError) -> String {
    match error {
        FetchError::SchemeRefused(value)
        | FetchError::AddressRefused(value)
        | FetchError::RobotsTag(value)
        | FetchError::RobotsTxt(value) => value.clone(),
        FetchError::Status(status) | FetchError::ProxyRefused(status) | FetchError::ProxyFailed(status) => {
            status.to_string()
        }
        _ => String::new(),
    }
}

impl Outcome {
    /// Judges the answer for a target.
    pub(super) fn of(
        task: &Task<'_>,
        config: &Config,
        target: &Target,
        answer: Result<Body, FetchError>,
    ) -> Self {
        let row = fetched(target, &answer);
        match answer {
            Ok(body) => Self {
                row,
                md5: Stated::needs_bytes(target).then(|| md5_of(&body.bytes)),
                judged: judge(task, config, target, &body),
            },
            Err(error) => Self { row, md5: None, judged: Err(Failure::from(&error)) },
        }
    }

    /// Returns true if and only if another attempt may come to another outcome.
    pub(super) fn is_transient(&self) -> bool {
        self.judged.as_ref().is_err_and(|failure| failure.is_transient)
    }
}

fn judge(task: &Task<'_>, config: &Config, target: &Target, body: &Body) -> Result<Image, Failure> {
    // Uses share ids of pages, so the key marks a target in the crash file: only the one image that
    // brought the process down is given up.
    let stored = task
        .crashes
        .guard(key_prefix(&target.key), || store(&body.bytes, config))
        .map_err(|fatal| Failure::lasting(fatal.reason(), String::new()))?
        .map_err(|fault| Failure::lasting(fault.reason(), fault.to_string()))?;
    let sha256 = Digest::of(&body.bytes).as_str().to_owned();
    Ok(stored.into_image(target.key, target.url.clone(), sha256))
}

fn fetched(target: &Target, answer: &Result<Body, FetchError>) -> Fetched {
    let body = answer.as_ref().ok();
    let http_status = match answer {
        Ok(_) => Some(200),
        Err(FetchError::Status(status)) => Some(*status),
        Err(_) => None,
    };
    Fetched {
        key: target.key,
        url: target.url.clone(),
        status: "kept".to_owned(),
        reason: None,
        http_status,
        body_bytes: body.map(|body| body.bytes.len() as u64),
        content_type: body.and_then(|body| body.content_type.clone()),
        final_url: body.map(|body| body.final_url.clone()),
    }
}
