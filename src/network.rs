//! The network: the HTTP client of a run, with what the environment adds to the configuration.

use corpus::mirror::Mirrors;
use ingest::Client;
use ingest::fetch::Config;

use crate::exit::Usage;

/// Makes the client that fetches for a run: with the tokens and proxies that the environment names.
pub(crate) fn client(config: &Config, mirrors: Mirrors) -> anyhow::Result<Client> {
    let variable = |name: &str| std::env::var(name).ok();
    let client = Client::with_variables(config, mirrors, &variable);
    let mut client = client.map_err(|error| match error {
        corpus::Error::Settings { detail, .. } => Usage(format!("[fetch] {detail}")).into(),
        error => anyhow::Error::from(error),
    })?;
    for (host, name) in &config.tokens {
        if let Some(token) = variable(name) {
            client = client.with_bearer(host, &token)?;
        }
    }
    let is_set = |name: &str| variable(name).is_some_and(|value| !value.is_empty());
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
    Ok(client)
}
