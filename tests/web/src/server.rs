//! The server: a world over HTTP/1.1 on loopback, faults included.

use std::convert::Infallible;
use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::ops::Range;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use futures::stream::{self, Stream, StreamExt};
use http_body_util::combinators::BoxBody;
use http_body_util::{BodyExt, Full, StreamBody};
use hyper::body::{Frame, Incoming};
use hyper::header::{
    ACCEPT_RANGES, ALLOW, CONTENT_LENGTH, CONTENT_RANGE, CONTENT_TYPE, ETAG, LOCATION, RANGE,
};
use hyper::service::service_fn;
use hyper::{Method, Request, Response, StatusCode};
use hyper_util::rt::TokioIo;
use sha2::{Digest, Sha256};
use tokio::net::TcpListener;
use tokio::runtime::{Builder, Runtime};

use crate::fault::GONE_HOST;
use crate::gallery::Answer;
use crate::world::World;

/// Threads that draw images and answer.
const THREADS: usize = 2;
/// Bytes that the oversized body announces and, if nobody stops it, sends.
const LARGE_BYTES: usize = 100_000_000;
/// Bytes of one piece of the oversized body.
const LARGE_PIECE_BYTES: usize = 64 * 1024;
/// Time between two bytes of a dripping body.
const DRIP_INTERVAL: Duration = Duration::from_secs(1);
/// Time that a truncated body has to leave before its connection ends.
const FLUSH_TIME: Duration = Duration::from_millis(20);

type Body = BoxBody<Bytes, io::Error>;

/// A running server; dropping it closes all its connections.
#[derive(Debug)]
pub struct Server {
    address: SocketAddr,
    runtime: Option<Runtime>,
}

impl Server {
    /// Serves `world` on a free port of 127.0.0.1, from threads of its own.
    ///
    /// # Errors
    /// When no port can be bound or no thread started.
    pub fn start(world: Arc<World>) -> io::Result<Self> {
        let runtime = Builder::new_multi_thread()
            .worker_threads(THREADS)
            .thread_name("sample-web")
            .enable_all()
            .build()?;
        let listener = runtime.block_on(TcpListener::bind((Ipv4Addr::LOCALHOST, 0)))?;
        let address = listener.local_addr()?;
        runtime.spawn(accept(listener, world));
        Ok(Self { address, runtime: Some(runtime) })
    }

    /// Gives the address that the server listens on.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Pairs each public URL prefix with the one to ask instead: `https://HOST/` with
    /// `http://127.0.0.1:PORT/HOST/`, and `https://gone.example/` with a closed port.
    ///
    /// Redirects name public URLs or relative ones, so a client maps every hop.
    pub fn mirrors(&self) -> Vec<(String, String)> {
        let served = World::hosts()
            .map(|host| (format!("https://{host}/"), format!("http://{}/{host}/", self.address)));
        let gone = (format!("https://{GONE_HOST}/"), "http://127.0.0.1:1/".to_owned());
        served.chain([gone]).collect()
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        if let Some(runtime) = self.runtime.take() {
            runtime.shutdown_background();
        }
    }
}

async fn accept(listener: TcpListener, world: Arc<World>) {
    loop {
        let Ok((socket, _)) = listener.accept().await else {
            // Out of file handles: the next try may find one.
            tokio::time::sleep(FLUSH_TIME).await;
            continue;
        };
        // Without this, small answers on a kept connection wait for the client's ACK.
        let _ = socket.set_nodelay(true);
        let world = Arc::clone(&world);
        tokio::spawn(async move {
            let service = service_fn(move |request| respond(Arc::clone(&world), request));
            // The client went away, or a planted fault ended the connection.
            let _ = hyper::server::conn::http1::Builder::new()
                .serve_connection(TokioIo::new(socket), service)
                .await;
        });
    }
}

async fn respond(world: Arc<World>, request: Request<Incoming>) -> Result<Response<Body>, Infallible> {
    if request.method() != Method::GET && request.method() != Method::HEAD {
        let mut refusal = status(StatusCode::METHOD_NOT_ALLOWED);
        refusal.headers_mut().insert(ALLOW, hyper::header::HeaderValue::from_static("GET, HEAD"));
        return Ok(refusal);
    }
    Ok(match world.answer(request.uri().path()) {
        Answer::Content { content_type, bytes } => {
            let range = request.headers().get(RANGE).and_then(|value| value.to_str().ok());
            content(content_type, bytes, range)
        }
        Answer::Redirect { status, location } => {
            response(Response::builder().status(status).header(LOCATION, location), full(Bytes::new()))
        }
        Answer::Status(code) => {
            status(StatusCode::from_u16(code).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR))
        }
        Answer::Stall => std::future::pending().await,
        Answer::Drip(bytes) => {
            let length = bytes.len();
            streamed(length, drip(bytes))
        }
        Answer::Truncated(bytes) => {
            let length = bytes.len();
            streamed(length, truncated(bytes.slice(..length / 2)))
        }
        Answer::Large => streamed(LARGE_BYTES, large()),
    })
}

/// Answers with the bytes, or with the part of them that `range` asks for.
fn content(content_type: &'static str, bytes: Bytes, range: Option<&str>) -> Response<Body> {
    let digest: [u8; 32] = Sha256::digest(&bytes).into();
    let tag: String = digest.iter().take(8).map(|byte| format!("{byte:02x}")).collect();
    let builder = Response::builder()
        .header(CONTENT_TYPE, content_type)
        .header(ACCEPT_RANGES, "bytes")
        .header(ETAG, format!("\"{tag}\""));
    let total = bytes.len();
    match range.and_then(|range| parse_range(range, total)) {
        None => response(builder.header(CONTENT_LENGTH, total), full(bytes)),
        Some(range) if range.is_empty() => response(
            builder
                .status(StatusCode::RANGE_NOT_SATISFIABLE)
                .header(CONTENT_RANGE, format!("bytes */{total}")),
            full(Bytes::new()),
        ),
        Some(range) => response(
            builder
                .status(StatusCode::PARTIAL_CONTENT)
                .header(CONTENT_LENGTH, range.len())
                .header(CONTENT_RANGE, format!("bytes {}-{}/{total}", range.start, range.end - 1)),
            full(bytes.slice(range)),
        ),
    }
}

/// Reads `bytes=A-B`, `bytes=A-` or `bytes=-N`; `None` for anything else, which is
/// answered whole, and an empty range for one that lies outside.
fn parse_range(text: &str, total: usize) -> Option<Range<usize>> {
    let (first, last) = text.strip_prefix("bytes=")?.split_once('-')?;
    if first.is_empty() {
        let count: usize = last.parse().ok()?;
        return Some(total.saturating_sub(count)..total);
    }
    let first: usize = first.parse().ok()?;
    let end = if last.is_empty() {
        total
    } else {
        let last: usize = last.parse().ok()?;
        if last < first {
            return None;
        }
        last.saturating_add(1).min(total)
    };
    Some(first.min(end)..end)
}

fn status(code: StatusCode) -> Response<Body> {
    let text = code.canonical_reason().unwrap_or_default();
    let body = format!("<html><body><h1>{text}</h1></body></html>");
    let builder = Response::builder().status(code).header(CONTENT_TYPE, "text/html");
    response(builder.header(CONTENT_LENGTH, body.len()), full(body.into()))
}

fn streamed(
    length: usize,
    pieces: impl Stream<Item = io::Result<Bytes>> + Send + Sync + 'static,
) -> Response<Body> {
    let builder = Response::builder().header(CONTENT_TYPE, "image/png").header(CONTENT_LENGTH, length);
    response(builder, BodyExt::boxed(StreamBody::new(pieces.map(|piece| piece.map(Frame::data)))))
}

fn full(bytes: Bytes) -> Body {
    BodyExt::boxed(Full::new(bytes).map_err(|never| match never {}))
}

/// Builds a response; one whose headers are no headers becomes an empty one.
fn response(builder: hyper::http::response::Builder, body: Body) -> Response<Body> {
    builder.body(body).unwrap_or_else(|_| Response::new(full(Bytes::new())))
}

/// Yields one byte at once and then one a second.
fn drip(bytes: Bytes) -> impl Stream<Item = io::Result<Bytes>> + Send + Sync {
    stream::unfold(0, move |at| {
        let piece = (at < bytes.len()).then(|| bytes.slice(at..at + 1));
        async move {
            let piece = piece?;
            if at > 0 {
                tokio::time::sleep(DRIP_INTERVAL).await;
            }
            Some((Ok(piece), at + 1))
        }
    })
}

/// Yields the bytes, lets them leave, and breaks off.
fn truncated(bytes: Bytes) -> impl Stream<Item = io::Result<Bytes>> + Send + Sync {
    stream::once(async { Ok(bytes) }).chain(stream::once(async {
        tokio::time::sleep(FLUSH_TIME).await;
        Err(io::ErrorKind::UnexpectedEof.into())
    }))
}

/// Yields 100 MB of zeros.
fn large() -> impl Stream<Item = io::Result<Bytes>> + Send + Sync {
    let piece = Bytes::from(vec![0; LARGE_PIECE_BYTES]);
    stream::unfold(LARGE_BYTES, move |left| {
        let length = left.min(LARGE_PIECE_BYTES);
        let piece = piece.slice(..length);
        async move { (left > 0).then(|| (Ok(piece), left - length)) }
    })
}

#[cfg(test)]
mod tests;
