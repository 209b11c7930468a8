//! What stages talk to: the outside world, or the sample web in its place.

use std::sync::Arc;

use corpus::mirror::Mirrors;
use ingest::Client;
use ingest::fetch;

use crate::config::Config;
use crate::sample_web::SampleWeb;
use crate::{Error, Result};

/// Looks up a variable of the environment: tokens and proxies come from there.
pub type Environment<'e> = &'e dyn Fn(&str) -> Option<String>;

/// What the stages of a run talk to.
pub struct Context {
    client: Arc<Client>,
    sample_web: Option<SampleWeb>,
}

impl Context {
    /// Makes the HTTP client, and starts the sample web if the configuration has one.
    ///
    /// # Errors
    /// When a token or proxy cannot be used, or the sample web finds no port.
    pub fn start(config: &Config, environment: Environment<'_>) -> Result<Self> {
        let sample_web = config.sample_web.as_ref().map(SampleWeb::start).transpose()?;
        let mut mirrors = config.mirrors.clone();
        mirrors.0.extend(sample_web.iter().flat_map(SampleWeb::mirrors));
        let client = client(&config.fetch, mirrors, environment)?;
        Ok(Self { client: Arc::new(client), sample_web })
    }

    /// Makes a context in which stages can be listed but nothing is fetched.
    ///
    /// # Errors
    /// When the HTTP client cannot be made.
    pub fn offline(config: &Config) -> Result<Self> {
        let client = Client::new(&config.fetch, config.mirrors.clone())?;
        Ok(Self { client: Arc::new(client), sample_web: None })
    }

    /// Returns what fetches.
    pub fn client(&self) -> &Arc<Client> {
        &self.client
    }

    /// Returns the sample web, if the sources are there.
    pub fn sample_web(&self) -> Option<&SampleWeb> {
        self.sample_web.as_ref()
    }
}

/// Makes the client that fetches for a run: with the tokens and proxies that the environment names.
fn client(config: &fetch::Config, mirrors: Mirrors, environment: Environment<'_>) -> Result<Client> {
    let client = Client::with_variables(config, mirrors, environment);
    let mut client = client.map_err(|error| match error {
        corpus::Error::Settings { detail, .. } => Error::usage(format!("[fetch] {detail}")),
        error => error.into(),
    })?;
    for (host, name) in &config.tokens {
        if let Some(token) = environment(name) {
            client = client.with_bearer(host, &token)?;
        }
    }
    warn(config, environment);
    Ok(client)
}

/// Warns of what surprises users of `curl`, and of what weakens a run.
fn warn(config: &fetch::Config, environment: Environment<'_>) {
    let is_set = |name: &str| environment(name).is_some_and(|value| !value.is_empty());
    if config.proxy.is_none()
        && is_set("HTTP_PROXY")
        && !["http_proxy", "all_proxy", "ALL_PROXY"].into_iter().any(is_set)
    {
        tracing::warn!("HTTP_PROXY is not read, as curl does not: http_proxy names the proxy of http");
    }
    if !config.tls_verify {
        tracing::warn!(
            "fetch.tls_verify = false: certificates of the servers that records name are not verified, so that whoever \
             is on the way can put other images in their place"
        );
    }
}
