//! Tunnels: connections to servers that a proxy makes for us, by `CONNECT`.
//!
//! The library's own support of proxies hands the name of a host on, which the proxy resolves a second time: to
//! another address, if whoever owns the name wants so. Here a proxy is told the address that was judged, and the
//! name goes into the handshake and the request alone.

use std::io;
use std::net::{IpAddr, SocketAddr};
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use hyper::Uri;
use hyper::rt::{Read, ReadBufCursor, Write};
use hyper_rustls::{HttpsConnector, MaybeHttpsStream};
use hyper_util::client::legacy::connect::{Connected, Connection};
use hyper_util::rt::TokioIo;
use reqwest::header::HeaderValue;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::timeout;
use tower_service::Service;
use url::Url;

use super::FetchError;
use super::pool::Counted;
use super::proxy::{Proxies, Proxy, ProxyNames};
use super::resolver::{Names, Resolver};

/// Addresses of a host that a proxy is asked for, one after the other.
const TARGETS_MAX: usize = 3;
/// Bytes and header lines of a proxy's answer to `CONNECT`.
const HEAD_BYTES_MAX: usize = 16 << 10;
const HEADERS_MAX: usize = 128;

/// A future of a connector.
type Connecting<T> = Pin<Box<dyn Future<Output = Result<T, FetchError>> + Send>>;
/// A connection to a proxy, itself over TLS or not.
type ToProxy = MaybeHttpsStream<TokioIo<TcpStream>>;

/// Makes connections through proxies.
#[derive(Clone)]
pub(super) struct Tunnels {
    pub(super) proxies: Arc<Proxies>,
    /// Resolves and judges the names of hosts; without a guard, the proxy is told the names.
    pub(super) resolver: Resolver,
    pub(super) names: ProxyNames,
    /// What proxies are told that we are.
    pub(super) agent: HeaderValue,
    /// Time for a connection to a proxy, and for one that a proxy makes.
    pub(super) patience: Duration,
    /// Makes connections to proxies.
    pub(super) dial: HttpsConnector<ProxyConnector>,
}

impl Tunnels {
    /// Returns true if and only if a URL is handed to the proxy as a whole, without a tunnel.
    pub(super) fn hands_on(&self, url: &Url) -> bool {
        url.scheme() == "http" && (self.resolver.guard.is_none() || self.names != ProxyNames::Never)
    }

    /// Judges a host whose name the proxy is told.
    ///
    /// # Errors
    /// If the name leads to where records may not go, or nowhere.
    pub(super) async fn judge(&self, host: &str) -> Result<(), FetchError> {
        match self.is_judged(host) {
            true => self.resolver.judge(host).await.map_err(unjudged),
            false => Ok(()),
        }
    }

    /// Returns true if and only if a host is a name of which the proxy may be told what it stands for alone.
    fn is_judged(&self, host: &str) -> bool {
        let is_literal = host.starts_with('[') || host.parse::<IpAddr>().is_ok();
        !is_literal && self.resolver.guard.is_some() && self.names != ProxyNames::Always
    }

    /// Returns what a proxy is told of a host: the judged addresses, or the name where none is judged.
    async fn targets(&self, host: &str) -> Result<Vec<String>, FetchError> {
        if !self.is_judged(host) {
            return Ok(vec![host.to_owned()]);
        }
        let mut addresses = self.resolver.addresses(host).await.map_err(unjudged)?;
        // A proxy without IPv6 is more common than one without IPv4.
        addresses.sort_by_key(IpAddr::is_ipv6);
        addresses.truncate(TARGETS_MAX);
        Ok(addresses
            .iter()
            .map(|address| SocketAddr::new(*address, 0).to_string())
            .map(without_port)
            .collect())
    }

    async fn open(self, uri: Uri) -> Result<Tunnel, FetchError> {
        let url = Url::parse(&uri.to_string()).map_err(|_| FetchError::UrlInvalid)?;
        let proxy = self.proxies.of(&url).ok_or(FetchError::UrlInvalid)?;
        if self.hands_on(&url) {
            return Ok(Tunnel { inner: self.reach(proxy).await?, is_plain: true });
        }
        let (host, port) =
            (url.host_str().unwrap_or_default(), url.port_or_known_default().unwrap_or_default());
        let mut last = FetchError::Dns;
        for target in self.targets(host).await? {
            let to_proxy = self.reach(proxy).await?;
            let target = format!("{target}:{port}");
            let asked = timeout(self.patience, self.ask(to_proxy, proxy, &target)).await;
            match asked.unwrap_or(Err(FetchError::Timeout)) {
                Ok(inner) => return Ok(Tunnel { inner, is_plain: false }),
                // The host may have another address that answers.
                Err(error @ (FetchError::ProxyFailed(_) | FetchError::Timeout)) => last = error,
                Err(error) => return Err(error),
            }
        }
        Err(last)
    }

    /// Connects to the proxy itself.
    async fn reach(&self, proxy: &Proxy) -> Result<ToProxy, FetchError> {
        let connecting = self.dial.clone().call(proxy.address.clone());
        let found = match timeout(self.patience, connecting).await {
            Err(_) => FetchError::Timeout,
            Ok(Ok(stream)) => return Ok(stream),
            Ok(Err(error)) => FetchError::of_causes(error.as_ref()).unwrap_or_else(FetchError::Connect),
        };
        match found {
            FetchError::OutOfHandles => Err(found),
            _ => {
                let is_lasting =
                    matches!(found, FetchError::ConnectRefused(_) | FetchError::Dns | FetchError::Tls(_));
                Err(FetchError::ProxyUnreachable { detail: format!("{proxy}: {found}"), is_lasting })
            }
        }
    }

    /// Asks a proxy for a connection to a target, which is a host and a port.
    async fn ask(&self, to_proxy: ToProxy, proxy: &Proxy, target: &str) -> Result<ToProxy, FetchError> {
        let mut head = format!("CONNECT {target} HTTP/1.1\r\nHost: {target}\r\n").into_bytes();
        let credentials = proxy.credentials.iter().map(|value| (&b"Proxy-Authorization: "[..], value));
        for (name, value) in credentials.chain([(&b"User-Agent: "[..], &self.agent)]) {
            head.extend([name, value.as_bytes(), b"\r\n"].concat());
        }
        head.extend(b"\r\n");
        let broken = |detail: String| FetchError::ProxyUnreachable {
            detail: format!("{proxy}: {detail}"),
            is_lasting: false,
        };
        let mut stream = TokioIo::new(to_proxy);
        stream.write_all(&head).await.map_err(|error| broken(error.to_string()))?;
        stream.flush().await.map_err(|error| broken(error.to_string()))?;
        let mut answer = Vec::new();
        loop {
            let mut piece = [0; 1 << 10];
            let count = stream.read(&mut piece).await.map_err(|error| broken(error.to_string()))?;
            answer.extend(&piece[..count]);
            match answered(&answer).map_err(broken)? {
                Some(200..=299) => return Ok(stream.into_inner()),
                Some(status @ 500..=599) => return Err(FetchError::ProxyFailed(status)),
                Some(status) => return Err(FetchError::ProxyRefused(status)),
                None if count == 0 => return Err(broken("it closed the connection".to_owned())),
                None => {}
            }
        }
    }
}

/// Says what to do of a name that does not resolve here.
fn unjudged(error: FetchError) -> FetchError {
    match error {
        FetchError::Dns | FetchError::DnsFailed(_) => FetchError::Unjudged(Box::new(error)),
        error => error,
    }
}

/// Returns the status of a proxy's answer, once its head has come.
///
/// # Errors
/// What the answer is instead.
fn answered(bytes: &[u8]) -> Result<Option<u16>, String> {
    let mut headers = [httparse::EMPTY_HEADER; HEADERS_MAX];
    let mut response = httparse::Response::new(&mut headers);
    let parsed = response.parse(bytes).map_err(|error| format!("its answer is not HTTP: {error}"))?;
    let is_success = response.code.is_some_and(|code| (200..300).contains(&code));
    match parsed {
        // Behind the head it is the server that speaks, and none speaks first.
        httparse::Status::Complete(end) if is_success && end < bytes.len() => {
            Err("it sent more than an answer".to_owned())
        }
        httparse::Status::Complete(_) => Ok(response.code),
        httparse::Status::Partial if bytes.len() > HEAD_BYTES_MAX => {
            Err(format!("its answer has more than {HEAD_BYTES_MAX} bytes"))
        }
        httparse::Status::Partial => Ok(None),
    }
}

/// Returns an address as URLs have it, from one with a port.
fn without_port(address: String) -> String {
    address.rsplit_once(':').map_or(address.clone(), |(host, _)| host.to_owned())
}

impl Service<Uri> for Tunnels {
    type Response = Tunnel;
    type Error = FetchError;
    type Future = Connecting<Tunnel>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), FetchError>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, uri: Uri) -> Self::Future {
        Box::pin(self.clone().open(uri))
    }
}

/// Connects to proxies, which the configuration names: their addresses are not judged.
#[derive(Clone)]
pub(super) struct ProxyConnector {
    pub(super) names: Arc<Names>,
    pub(super) opened: Counted,
}

impl ProxyConnector {
    async fn open(self, proxy: Uri) -> Result<TokioIo<TcpStream>, FetchError> {
        let host = proxy.host().unwrap_or_default().trim_matches(['[', ']']).to_owned();
        let port = proxy.port_u16().unwrap_or(if proxy.scheme_str() == Some("https") { 443 } else { 80 });
        let addresses = match host.parse::<IpAddr>() {
            Ok(address) => vec![address],
            Err(_) => self.names.look_up(&host).await?,
        };
        let addresses: Vec<SocketAddr> =
            addresses.into_iter().map(|address| SocketAddr::new(address, port)).collect();
        self.opened.add();
        let connected = TcpStream::connect(&addresses[..]).await;
        let stream =
            connected.map_err(|error| FetchError::of_causes(&error).unwrap_or_else(FetchError::Connect))?;
        // What is sent over it is small and waited for.
        let _ = stream.set_nodelay(true);
        Ok(TokioIo::new(stream))
    }
}

impl Service<Uri> for ProxyConnector {
    type Response = TokioIo<TcpStream>;
    type Error = FetchError;
    type Future = Connecting<TokioIo<TcpStream>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), FetchError>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, proxy: Uri) -> Self::Future {
        Box::pin(self.clone().open(proxy))
    }
}

/// A connection through a proxy.
pub(super) struct Tunnel {
    inner: ToProxy,
    /// Whether it ends at the proxy, which reads the requests.
    is_plain: bool,
}

impl Connection for Tunnel {
    fn connected(&self) -> Connected {
        Connected::new().proxy(self.is_plain)
    }
}

impl Read for Tunnel {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: ReadBufCursor<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.inner).poll_read(context, buffer)
    }
}

impl Write for Tunnel {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.inner).poll_write(context, bytes)
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.inner).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.inner).poll_shutdown(context)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_to_connect_is_a_status_or_says_what_it_is() {
        assert_eq!(answered(b""), Ok(None));
        assert_eq!(answered(b"HTTP/1.1 200 Connection established\r\n"), Ok(None));
        assert_eq!(answered(b"HTTP/1.0 200 OK\r\nVia: x\r\n\r\n"), Ok(Some(200)));
        assert_eq!(answered(b"HTTP/1.1 407 Who\r\nContent-Length: 4\r\n\r\nbody"), Ok(Some(407)));
        assert!(answered(b"HTTP/1.1 200 OK\r\n\r\nSSH-2.0").is_err_and(|error| error.contains("more than")));
        assert!(answered(b"SSH-2.0-OpenSSH\r\n").is_err_and(|error| error.contains("not HTTP")));
        let endless = [b"HTTP/1.1 200 OK\r\nX: ".to_vec(), vec![b'x'; HEAD_BYTES_MAX]].concat();
        assert!(answered(&endless).is_err_and(|error| error.contains("16384 bytes")));
        let many = format!("HTTP/1.1 200 OK\r\n{}\r\n", "X: x\r\n".repeat(HEADERS_MAX + 1));
        assert!(answered(many.as_bytes()).is_err());
    }

    #[test]
    fn addresses_are_written_as_connect_has_them() {
        let written = |address: &str| without_port(address.to_owned());
        assert_eq!(
            (written("1.2.3.4:0"), written("[2001:db8::1]:0")),
            ("1.2.3.4".into(), "[2001:db8::1]".into())
        );
    }
}
