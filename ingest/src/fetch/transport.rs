//! The transport: how a request is sent, straight or through a proxy.

use std::sync::Arc;

use hyper::Request;
use hyper_rustls::HttpsConnector;
use hyper_util::client::legacy;
use hyper_util::rt::{TokioExecutor, TokioTimer};
use reqwest::header::{ACCEPT, ACCEPT_ENCODING, HeaderMap, HeaderValue, PROXY_AUTHORIZATION, USER_AGENT};
use reqwest::redirect::Policy;
use reqwest::{Body, Response, StatusCode};

use super::config::secs;
use super::pool::{Counted, Idle};
use super::proxy::Proxies;
use super::resolver::Resolver;
use super::tunnel::{ProxyConnector, Tunnels};
use super::{Config, FetchError};

/// Seconds an unused connection is kept.
const POOL_IDLE_SECS: f64 = 10.0;
/// Header lines of an answer.
const HEADERS_MAX: usize = 1_024;

/// What a transport is made of.
#[derive(Clone)]
pub(super) struct Parts {
    pub(super) config: Config,
    pub(super) resolver: Resolver,
    pub(super) proxies: Arc<Proxies>,
    /// How servers are trusted, and how proxies are.
    pub(super) tls: rustls::ClientConfig,
    pub(super) proxy_tls: Arc<rustls::ClientConfig>,
}

/// Sends requests.
#[derive(Clone)]
pub(super) struct Transport {
    /// What sends straight to servers; it also makes the requests of both.
    pub(super) straight: reqwest::Client,
    proxied: Option<Proxied>,
}

impl Transport {
    /// Sends a request; the answer may have any status.
    pub(super) async fn send(&self, request: reqwest::Request) -> Result<Response, FetchError> {
        match &self.proxied {
            Some(proxied) if proxied.tunnels.proxies.of(request.url()).is_some() => {
                proxied.send(request).await
            }
            _ => {
                let response = self.straight.execute(request).await;
                response.map_err(|error| FetchError::classify(&error, false))
            }
        }
    }
}

impl Parts {
    /// Makes a transport whose connections are counted.
    ///
    /// # Errors
    /// When the library cannot make a client.
    pub(super) fn transport(&self, counted: Counted, idle: Idle) -> reqwest::Result<Transport> {
        let proxied = self.proxies.are_any().then(|| self.proxied(counted.clone(), idle));
        Ok(Transport { straight: self.straight(counted, idle)?, proxied })
    }

    fn idle_max(&self, idle: Idle) -> usize {
        match idle {
            Idle::Kept => self.config.per_host_concurrency as usize,
            Idle::Closed => 0,
        }
    }

    fn straight(&self, counted: Counted, idle: Idle) -> reqwest::Result<reqwest::Client> {
        reqwest::Client::builder()
            .user_agent(self.config.user_agent.as_str())
            .default_headers(headers())
            .redirect(Policy::none())
            .referer(false)
            // The library's own proxies would resolve names behind the guard's back.
            .no_proxy()
            .connect_timeout(self.config.connect_timeout())
            .pool_idle_timeout(secs(POOL_IDLE_SECS))
            .pool_max_idle_per_host(self.idle_max(idle))
            // What browsers forgive.
            .http1_ignore_invalid_headers_in_responses(true)
            .http1_allow_obsolete_multiline_headers_in_responses(true)
            .http1_allow_spaces_after_header_name_in_responses(true)
            .http1_max_headers(HEADERS_MAX)
            .tls_backend_preconfigured(self.tls.clone())
            .dns_resolver(self.resolver.clone())
            .connector_layer(counted)
            .build()
    }

    fn proxied(&self, counted: Counted, idle: Idle) -> Proxied {
        let agent = HeaderValue::from_str(&self.config.user_agent);
        // It was checked with the configuration.
        let agent = agent.unwrap_or_else(|_| HeaderValue::from_static(super::config::USER_AGENT_DEFAULT));
        let mut headers = headers();
        headers.insert(ACCEPT, HeaderValue::from_static("*/*"));
        headers.insert(USER_AGENT, agent.clone());
        let dial = ProxyConnector { names: self.resolver.names.clone(), opened: counted };
        let tunnels = Tunnels {
            proxies: self.proxies.clone(),
            resolver: self.resolver.clone(),
            names: self.config.proxy_names,
            agent,
            patience: self.config.connect_timeout(),
            dial: HttpsConnector::from((dial, self.proxy_tls.clone())),
        };
        let client = legacy::Client::builder(TokioExecutor::new())
            .pool_timer(TokioTimer::new())
            .pool_idle_timeout(secs(POOL_IDLE_SECS))
            .pool_max_idle_per_host(self.idle_max(idle))
            .http1_ignore_invalid_headers_in_responses(true)
            .http1_allow_obsolete_multiline_headers_in_responses(true)
            .http1_allow_spaces_after_header_name_in_responses(true)
            .http1_max_headers(HEADERS_MAX)
            .build(HttpsConnector::from((tunnels.clone(), self.tls.clone())));
        Proxied { client, tunnels, headers }
    }
}

/// Returns the headers of all requests.
fn headers() -> HeaderMap {
    // Bodies are wanted as they are stored: lengths and digests are theirs.
    HeaderMap::from_iter([(ACCEPT_ENCODING, HeaderValue::from_static("identity"))])
}

/// Sends requests through proxies.
#[derive(Clone)]
struct Proxied {
    client: legacy::Client<HttpsConnector<Tunnels>, Body>,
    tunnels: Tunnels,
    headers: HeaderMap,
}

impl Proxied {
    async fn send(&self, request: reqwest::Request) -> Result<Response, FetchError> {
        let hands_on = self.tunnels.hands_on(request.url());
        let mut credentials = None;
        if hands_on {
            // Before every request, not once per connection: the proxy resolves the name each time, too.
            self.tunnels.judge(request.url().host_str().unwrap_or_default()).await?;
            let proxy = self.tunnels.proxies.of(request.url());
            credentials = proxy.and_then(|proxy| proxy.credentials.clone());
        }
        let mut request = Request::<Body>::try_from(request).map_err(|_| FetchError::UrlInvalid)?;
        let headers = request.headers_mut();
        for (name, value) in &self.headers {
            headers.entry(name).or_insert_with(|| value.clone());
        }
        headers.extend(credentials.map(|value| (PROXY_AUTHORIZATION, value)));
        let response = self.client.request(request).await;
        let response = response.map_err(|error| FetchError::classify_proxied(&error))?;
        match response.status() {
            StatusCode::PROXY_AUTHENTICATION_REQUIRED if hands_on => {
                Err(FetchError::ProxyRefused(StatusCode::PROXY_AUTHENTICATION_REQUIRED.as_u16()))
            }
            _ => Ok(response.map(Body::wrap).into()),
        }
    }
}
