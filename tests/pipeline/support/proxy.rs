//! A proxy on loopback, for absolute URLs and `CONNECT`: wherever it is asked to go, it leads to servers of a test.

use std::io::{Read, Write};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::{Arc, Mutex};

/// What a proxy does when it is asked for a target.
pub(crate) enum Leads {
    To(SocketAddr),
    /// Answers with this status line.
    Says(&'static str),
}

/// Says where a target, `host:port`, leads.
type Way = dyn Fn(&str) -> Leads + Send + Sync;

/// A proxy that runs until the process ends.
pub(crate) struct Proxy {
    pub(crate) address: SocketAddr,
    seen: Arc<Mutex<Vec<String>>>,
}

impl Proxy {
    /// Starts one.
    pub(crate) fn start(way: impl Fn(&str) -> Leads + Send + Sync + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let proxy = Self { address: listener.local_addr().unwrap(), seen: Arc::default() };
        let (way, seen): (Arc<Way>, _) = (Arc::new(way), proxy.seen.clone());
        std::thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let (way, seen) = (way.clone(), seen.clone());
                // A side that goes away in the middle is its own affair.
                std::thread::spawn(move || drop(converse(stream, &*way, &seen)));
            }
        });
        proxy
    }

    /// Returns its URL.
    pub(crate) fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// Returns the heads of all requests so far.
    pub(crate) fn seen(&self) -> Vec<String> {
        self.seen.lock().unwrap().clone()
    }
}

fn converse(mut client: TcpStream, way: &Way, seen: &Mutex<Vec<String>>) -> std::io::Result<()> {
    let (mut head, mut byte) = (Vec::new(), [0]);
    while !head.ends_with(b"\r\n\r\n") {
        if client.read(&mut byte)? == 0 {
            return Ok(());
        }
        head.push(byte[0]);
    }
    let head = String::from_utf8_lossy(&head).into_owned();
    seen.lock().unwrap().push(head.clone());
    let (method, rest) = head.split_once(' ').unwrap_or_default();
    let (target, rest) = rest.split_once(' ').unwrap_or_default();
    // Of an absolute URL the server is told the path alone.
    let (authority, path) = match target.strip_prefix("http://") {
        Some(rest) => rest.split_at(rest.find('/').unwrap_or(rest.len())),
        None => (target, ""),
    };
    let has_port = authority.rsplit_once(':').is_some_and(|(_, port)| port.parse::<u16>().is_ok());
    let target = if has_port { authority.to_owned() } else { format!("{authority}:80") };
    let mut server = match way(&target) {
        Leads::To(address) => TcpStream::connect(address)?,
        Leads::Says(status) => return write!(client, "HTTP/1.1 {status}\r\nContent-Length: 0\r\n\r\n"),
    };
    match method {
        "CONNECT" => write!(client, "HTTP/1.1 200 Connection established\r\nVia: a proxy\r\n\r\n")?,
        _ => write!(server, "{method} {path} {rest}")?,
    }
    let (mut from_client, mut to_server) = (client.try_clone()?, server.try_clone()?);
    std::thread::spawn(move || {
        let _ = std::io::copy(&mut from_client, &mut to_server);
        let _ = to_server.shutdown(Shutdown::Write);
    });
    std::io::copy(&mut server, &mut client)?;
    client.shutdown(Shutdown::Both)
}
