//! Objects in a bucket of S3, or of a server that speaks as S3 does: `s3://BUCKET/PREFIX`.
//!
//! Who we are and where the server is comes from variables of the environment, which the command line reads, and from
//! nowhere else: no file of credentials, no server of metadata.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use object_store::aws::{AmazonS3Builder, S3ConditionalPut};
use object_store::path::Path as StorePath;
use object_store::prefix::PrefixStore;
use object_store::{BackoffConfig, ClientOptions, ObjectStore, RetryConfig};

use super::remote::Remote;
use super::{Backend, Scheme, Variables, failed};
use crate::{Error, Result};

/// What opens it.
pub(super) const SCHEME: Scheme = Scheme { name: "s3", check, server, open };

/// The variable with the URL of the server, if it is not Amazon's.
const ENDPOINT: &str = "AWS_ENDPOINT_URL";
/// The region of a server that has none.
const REGION_DEFAULT: &str = "us-east-1";
/// Times that a request is sent again that failed for a reason that may pass.
const RETRIES_MAX: usize = 8;
/// Time after which it is not sent again.
const RETRY_TIMEOUT: Duration = Duration::from_secs(120);
const BACKOFF: BackoffConfig = BackoffConfig {
    init_backoff: Duration::from_millis(200),
    max_backoff: Duration::from_secs(10),
    base: 2.0,
};
const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);
/// Time for a request and its whole answer: 16 MiB over a slow line.
const REQUEST_TIMEOUT: Duration = Duration::from_secs(120);
/// Characters of a bucket's name.
const BUCKET_CHARS: std::ops::RangeInclusive<usize> = 3..=63;

/// Who asks, and whom.
#[derive(Clone)]
struct Access {
    key_id: String,
    secret_key: String,
    session_token: Option<String>,
    region: String,
    /// The server's URL, if it is not Amazon's.
    endpoint: Option<String>,
}

/// Shows no secret.
impl fmt::Debug for Access {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Access")
            .field("region", &self.region)
            .field("endpoint", &self.endpoint)
            .finish_non_exhaustive()
    }
}

impl Access {
    /// Takes it from variables.
    fn of(variables: Variables<'_>) -> Result<Self, String> {
        let variable = |name: &str| variables(name).filter(|value| !value.is_empty());
        let needed = |name: &str| variable(name).ok_or_else(|| format!("the variable {name} is not set"));
        let endpoint = variable(ENDPOINT);
        if let Some(endpoint) = &endpoint {
            check_endpoint(endpoint)?;
        }
        Ok(Self {
            key_id: needed("AWS_ACCESS_KEY_ID")?,
            secret_key: needed("AWS_SECRET_ACCESS_KEY")?,
            session_token: variable("AWS_SESSION_TOKEN"),
            region: variable("AWS_REGION").unwrap_or_else(|| REGION_DEFAULT.to_owned()),
            endpoint,
        })
    }

    /// Makes a client of a bucket that sends a request again so many times.
    fn client(&self, bucket: &str, retries_max: usize) -> object_store::Result<Arc<dyn ObjectStore>> {
        let is_plain = self.endpoint.as_ref().is_some_and(|endpoint| endpoint.starts_with("http://"));
        let options = ClientOptions::new()
            .with_allow_http(is_plain)
            .with_connect_timeout(CONNECT_TIMEOUT)
            .with_timeout(REQUEST_TIMEOUT);
        let retry = RetryConfig { backoff: BACKOFF, max_retries: retries_max, retry_timeout: RETRY_TIMEOUT };
        let mut builder = AmazonS3Builder::new()
            .with_bucket_name(bucket)
            .with_region(&self.region)
            .with_access_key_id(&self.key_id)
            .with_secret_access_key(&self.secret_key)
            .with_conditional_put(S3ConditionalPut::ETagMatch)
            .with_client_options(options)
            .with_retry(retry);
        if let Some(token) = &self.session_token {
            builder = builder.with_token(token);
        }
        if let Some(endpoint) = &self.endpoint {
            builder = builder.with_endpoint(endpoint.trim_end_matches('/'));
        }
        Ok(Arc::new(builder.build()?))
    }
}

fn check_endpoint(endpoint: &str) -> Result<(), String> {
    let refused = |why: &str| Err(format!("the variable AWS_ENDPOINT_URL must be {why}"));
    // What it is stays untold: it may hold a password.
    match url::Url::parse(endpoint) {
        Ok(url) if !matches!(url.scheme(), "http" | "https") || url.host_str().is_none() => {
            refused("an http or https URL")
        }
        Ok(url) if !url.username().is_empty() || url.password().is_some() => {
            refused("a URL without a user: AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY name it")
        }
        Ok(_) => Ok(()),
        Err(_) => refused("an http or https URL"),
    }
}

fn server(variables: Variables<'_>) -> String {
    variables(ENDPOINT).unwrap_or_default()
}

/// Splits a bucket from the prefix in it.
fn split(rest: &str) -> (&str, &str) {
    rest.split_once('/').unwrap_or((rest, ""))
}

/// Says what is wrong with what stands behind `s3://`.
fn check(rest: &str) -> Result<(), String> {
    let (bucket, prefix) = split(rest);
    let is_plain = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || matches!(c, '-' | '.');
    if !BUCKET_CHARS.contains(&bucket.len()) || !bucket.chars().all(is_plain) {
        return Err(format!("{bucket:?} is no name of a bucket: 3 to 63 small letters, digits, - and ."));
    }
    match StorePath::parse(prefix) {
        Ok(_) if !prefix.contains(['?', '#', '\\']) => Ok(()),
        _ => Err(format!("{prefix:?} is no path in a bucket")),
    }
}

/// Opens a prefix of a bucket; nothing is asked of the server.
fn open(rest: &str, variables: Variables<'_>) -> Result<Arc<dyn Backend>> {
    let name = format!("s3://{rest}");
    let unusable = |detail: String| Error::Place { place: name.clone(), detail };
    let (bucket, prefix) = split(rest);
    let access = Access::of(variables).map_err(unusable)?;
    // Who was first stays; either does.
    let _ = rustls::crypto::ring::default_provider().install_default();
    let client = |retries_max| -> Result<Arc<dyn ObjectStore>> {
        let client = access.client(bucket, retries_max).map_err(failed("open", ""))?;
        Ok(match StorePath::parse(prefix).map_err(|error| unusable(error.to_string()))? {
            root if root.as_ref().is_empty() => client,
            prefix => Arc::new(PrefixStore::new(client, prefix)),
        })
    };
    Ok(Arc::new(Remote::new(name.clone(), client(RETRIES_MAX)?, client(0)?)?))
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    fn access(set: &[(&str, &str)]) -> Result<Access, String> {
        Access::of(&|name| set.iter().find(|(key, _)| *key == name).map(|(_, value)| (*value).to_owned()))
    }

    const KEYS: [(&str, &str); 2] = [("AWS_ACCESS_KEY_ID", "me"), ("AWS_SECRET_ACCESS_KEY", "hidden")];

    #[test]
    fn what_is_missing_is_named_and_no_secret_is_shown() {
        assert!(access(&KEYS[..1]).unwrap_err().contains("AWS_SECRET_ACCESS_KEY"));
        assert!(access(&[KEYS[0], ("AWS_SECRET_ACCESS_KEY", "")]).is_err());
        let token = [&KEYS[..], &[("AWS_SESSION_TOKEN", "hidden"), ("AWS_REGION", "eu-north-1")]].concat();
        let shown = format!("{:?}", access(&token).unwrap());
        assert!(!shown.contains("hidden") && shown.contains("eu-north-1"), "{shown}");
    }

    #[test]
    fn an_endpoint_is_a_plain_url() {
        let of = |endpoint| access(&[&KEYS[..], &[("AWS_ENDPOINT_URL", endpoint)]].concat()).map(drop);
        for good in ["http://127.0.0.1:9000", "https://s3.example/", "https://a.example/base"] {
            assert_eq!(of(good), Ok(()), "{good}");
        }
        for bad in ["127.0.0.1:9000", "ftp://a.example", "https://me:hidden@a.example", "file:///etc"] {
            let why = of(bad).unwrap_err();
            assert!(why.contains("AWS_ENDPOINT_URL") && !why.contains("hidden"), "{why}");
        }
    }

    #[test]
    fn buckets_and_prefixes_are_checked() {
        for good in ["bucket", "my.bucket-1/run", "bucket/a/b c"] {
            assert_eq!(check(good), Ok(()), "{good}");
        }
        for bad in ["", "ab", "Bucket", "b_cket", "bucket/../a", "bucket/a//b", "bucket/a?b", "/a"] {
            assert!(check(bad).is_err(), "{bad}");
        }
    }
}
