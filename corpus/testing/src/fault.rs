//! A proxy in front of an S3 server that plays its faults: it is slow, goes away, forgets what it was told.

use std::collections::BTreeMap;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::{Arc, Mutex};

/// What becomes of a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fault {
    /// It is answered.
    None,
    /// The server asks for fewer requests, and does nothing.
    SlowDown,
    /// The connection is gone before the server hears of it.
    Lost,
    /// The server does it, and its answer is lost.
    AnswerLost,
    /// Half of the answer arrives.
    AnswerCut,
    /// Of a listing, the answer that was given the first time.
    Stale,
}

/// What a proxy is asked.
#[derive(Debug, Clone)]
pub struct Request {
    /// The method.
    pub method: String,
    /// The path, with what is behind `?`.
    pub path: String,
}

impl Request {
    /// Returns true if and only if it lists objects.
    pub fn is_listing(&self) -> bool {
        self.method == "GET" && self.path.contains("list-type=")
    }
}

/// A proxy on loopback.
pub struct Proxy {
    address: SocketAddr,
    requests: Arc<Mutex<Vec<Request>>>,
}

impl Proxy {
    /// Puts one in front of a server; `decides` is told how many requests were there before.
    pub fn start(
        server: SocketAddr,
        decides: impl Fn(&Request, usize) -> Fault + Send + Sync + 'static,
    ) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let requests = Arc::<Mutex<Vec<Request>>>::default();
        let shared = Arc::new(Shared {
            server,
            decides: Box::new(decides),
            requests: requests.clone(),
            listings: Mutex::default(),
        });
        std::thread::spawn(move || {
            for client in listener.incoming().flatten() {
                let shared = shared.clone();
                // A client that goes away is its own affair.
                std::thread::spawn(move || drop(shared.converse(client)));
            }
        });
        Self { address, requests }
    }

    /// Returns where it listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Returns what it was asked so far.
    pub fn requests(&self) -> Vec<Request> {
        self.requests.lock().unwrap().clone()
    }
}

/// Says what becomes of a request, by its number.
type Decides = dyn Fn(&Request, usize) -> Fault + Send + Sync;

struct Shared {
    server: SocketAddr,
    decides: Box<Decides>,
    requests: Arc<Mutex<Vec<Request>>>,
    /// The first answers to listings.
    listings: Mutex<BTreeMap<String, Vec<u8>>>,
}

impl Shared {
    fn converse(&self, mut client: TcpStream) -> std::io::Result<()> {
        let mut reader = BufReader::new(client.try_clone()?);
        while let Some((request, bytes)) = read_request(&mut reader)? {
            let count = {
                let mut requests = self.requests.lock().unwrap();
                requests.push(request.clone());
                requests.len() - 1
            };
            match (self.decides)(&request, count) {
                Fault::SlowDown => client.write_all(SLOW_DOWN.as_bytes())?,
                Fault::Lost => return client.shutdown(Shutdown::Both),
                Fault::AnswerLost => {
                    self.forward(&bytes)?;
                    return client.shutdown(Shutdown::Both);
                }
                Fault::AnswerCut => {
                    let answer = self.forward(&bytes)?;
                    client.write_all(&answer[..answer.len() - answer.len() / 4])?;
                    return client.shutdown(Shutdown::Both);
                }
                fault => {
                    let mut answer = self.forward(&bytes)?;
                    if request.is_listing() {
                        let mut listings = self.listings.lock().unwrap();
                        let first = listings.entry(request.path).or_insert_with(|| answer.clone());
                        if fault == Fault::Stale {
                            answer.clone_from(first);
                        }
                    }
                    client.write_all(&answer)?;
                    // The server said that it closes the connection.
                    return client.shutdown(Shutdown::Write);
                }
            }
        }
        Ok(())
    }

    /// Returns the server's answer, as a whole.
    fn forward(&self, request: &[u8]) -> std::io::Result<Vec<u8>> {
        let mut server = TcpStream::connect(self.server)?;
        server.write_all(request)?;
        let mut answer = Vec::new();
        server.read_to_end(&mut answer)?;
        Ok(answer)
    }
}

const SLOW_DOWN: &str = "HTTP/1.1 503 Slow Down\r\nContent-Type: application/xml\r\nContent-Length: 87\r\n\r\n<Error><Code>SlowDown</Code><Message>Please reduce your request rate.</Message></Error>";

/// Reads a request and its body; none at the connection's end. The server is asked to close the connection.
fn read_request(reader: &mut impl BufRead) -> std::io::Result<Option<(Request, Vec<u8>)>> {
    let (mut head, mut length, mut line) = (String::new(), 0, String::new());
    while reader.read_line(&mut line)? > 0 && !line.trim().is_empty() {
        let lower = line.to_ascii_lowercase();
        if let Some(value) = lower.strip_prefix("content-length:") {
            length = value.trim().parse().unwrap();
        }
        if !lower.starts_with("connection:") {
            head.push_str(&line);
        }
        line.clear();
    }
    if head.is_empty() {
        return Ok(None);
    }
    let mut words = head.split(' ');
    let method = words.next().unwrap_or_default().to_owned();
    let request = Request { method, path: words.next().unwrap_or_default().to_owned() };
    let mut bytes = format!("{head}Connection: close\r\n\r\n").into_bytes();
    let start = bytes.len();
    bytes.resize(start + length, 0);
    reader.read_exact(&mut bytes[start..])?;
    Ok(Some((request, bytes)))
}
