#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::io::{Read, Write};
use std::net::TcpStream;
use std::time::Instant;

use super::*;
use crate::config::Config;

fn server() -> (Server, Arc<World>) {
    let config = Config { seed: 1, images: 100, documents: 100, pages: 100 };
    let world = Arc::new(World::new(&config));
    (Server::start(Arc::clone(&world)).unwrap(), world)
}

struct Reply {
    head: String,
    body: Vec<u8>,
}

impl Reply {
    fn header(&self, name: &str) -> Option<&str> {
        let lines = self.head.lines().filter_map(|line| line.split_once(": "));
        lines.filter(|(key, _)| key.eq_ignore_ascii_case(name)).map(|(_, value)| value).next()
    }

    fn status(&self) -> &str {
        self.head.split(' ').nth(1).unwrap()
    }
}

fn open(server: &Server, request: &str) -> TcpStream {
    let mut socket = TcpStream::connect(server.address()).unwrap();
    socket.set_read_timeout(Some(Duration::from_millis(400))).unwrap();
    socket.write_all(request.as_bytes()).unwrap();
    socket
}

/// Sends one request and reads until the connection ends, or 400 ms pass in silence.
fn ask(server: &Server, method: &str, path: &str, headers: &str) -> Reply {
    let request = format!("{method} {path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n{headers}\r\n");
    let mut bytes = Vec::new();
    let _ = open(server, &request).read_to_end(&mut bytes);
    let at = bytes.windows(4).position(|window| window == b"\r\n\r\n").map_or(0, |at| at + 4);
    let body = bytes.split_off(at);
    Reply { head: String::from_utf8(bytes).unwrap(), body }
}

fn get(server: &Server, path: &str) -> Reply {
    ask(server, "GET", path, "")
}

const CC12M: &str = "/storage.googleapis.com/conceptual_12m/cc12m.tsv";

#[test]
fn files_are_served_whole_in_parts_and_by_their_head() {
    let (server, world) = server();
    let Answer::Content { bytes, .. } = world.answer(CC12M) else {
        panic!("no such file");
    };
    let whole = get(&server, CC12M);
    assert_eq!((whole.status(), whole.body.as_slice()), ("200", bytes.as_ref()));
    assert_eq!(whole.header("content-type"), Some("text/tab-separated-values"));
    assert_eq!(whole.header("content-length"), Some(bytes.len().to_string().as_str()));
    let head = ask(&server, "HEAD", CC12M, "");
    assert_eq!((head.status(), head.body.len()), ("200", 0));
    assert_eq!(head.header("content-length"), whole.header("content-length"));
    assert_eq!(head.header("etag"), whole.header("etag"));
    let part = ask(&server, "GET", CC12M, "Range: bytes=10-19\r\n");
    assert_eq!((part.status(), part.body.as_slice()), ("206", &bytes[10..20]));
    let range = format!("bytes 10-19/{}", bytes.len());
    assert_eq!(part.header("content-range"), Some(range.as_str()));
    let tail = ask(&server, "GET", CC12M, "Range: bytes=-5\r\n");
    assert_eq!(tail.body.as_slice(), &bytes[bytes.len() - 5..]);
    let beyond = ask(&server, "GET", CC12M, "Range: bytes=999999999-\r\n");
    assert_eq!(beyond.status(), "416");
    assert_eq!(ask(&server, "POST", CC12M, "Content-Length: 0\r\n").status(), "405");
}

#[test]
fn a_connection_is_kept_for_the_next_request() {
    let (server, _) = server();
    let request = "GET /cdn.pages.example/static/pixel.gif HTTP/1.1\r\nHost: x\r\n\r\n";
    let mut socket = open(&server, &request.repeat(3));
    let mut bytes = Vec::new();
    let _ = socket.read_to_end(&mut bytes);
    assert_eq!(bytes.windows(6).filter(|window| window == b"GIF89a").count(), 3);
}

#[test]
fn ranges_are_read_or_ignored() {
    assert_eq!(parse_range("bytes=0-", 10), Some(0..10));
    assert_eq!(parse_range("bytes=3-99", 10), Some(3..10));
    assert_eq!(parse_range("bytes=-99", 10), Some(0..10));
    assert_eq!(parse_range("bytes=10-", 10).map(|range| range.len()), Some(0));
    assert_eq!(parse_range("bytes=0-", 0).map(|range| range.len()), Some(0));
    assert_eq!(parse_range("bytes=0-18446744073709551615", 10), Some(0..10));
    for ignored in ["bytes=5-3", "bytes=a-b", "lines=1-2", "bytes=1-2,4-5", "bytes=", ""] {
        assert_eq!(parse_range(ignored, 10), None, "{ignored}");
    }
}

#[test]
fn a_truncated_body_ends_before_its_length() {
    let (server, _) = server();
    let reply = get(&server, "/img0.shapes.example/f/truncated/00000004.png");
    let announced: usize = reply.header("content-length").unwrap().parse().unwrap();
    assert_eq!(reply.status(), "200");
    assert_eq!(reply.body.len(), announced / 2);
}

#[test]
fn a_stalled_request_gets_no_byte_and_a_dripping_one_gets_few() {
    let (server, _) = server();
    let started = Instant::now();
    let stalled = get(&server, "/img0.shapes.example/f/stall/00000004.png");
    assert!(stalled.head.is_empty() && stalled.body.is_empty());
    assert!(started.elapsed() >= Duration::from_millis(400));
    let dripping = get(&server, "/img0.shapes.example/f/drip/00000004.png");
    assert_eq!((dripping.status(), dripping.body.len()), ("200", 1));
    assert!(dripping.header("content-length").unwrap().parse::<usize>().unwrap() > 1000);
}

#[test]
fn an_oversized_body_comes_until_the_client_goes() {
    let (server, _) = server();
    let request = "GET /img0.shapes.example/f/large/00000004.png HTTP/1.1\r\nHost: x\r\n\r\n";
    let mut socket = open(&server, request);
    let mut bytes = vec![0; 3_000_000];
    socket.read_exact(&mut bytes).unwrap();
    let head = String::from_utf8_lossy(&bytes[..200]).to_lowercase();
    assert!(head.contains("content-length: 100000000"), "{head}");
}

#[test]
fn redirects_and_statuses_come_as_the_path_says() {
    let (server, _) = server();
    let location = |path: &str| {
        let reply = get(&server, path);
        (reply.status().to_owned(), reply.header("location").map(str::to_owned))
    };
    let (status, next) = location("/img0.shapes.example/f/loop/00000004.png");
    assert_eq!((status.as_str(), next.as_deref()), ("302", Some("00000004.png")));
    let (_, next) = location("/img0.shapes.example/f/metadata/00000004.png");
    assert_eq!(next.as_deref(), Some("http://169.254.169.254/latest/meta-data/"));
    for code in ["403", "404", "410", "500"] {
        let path = format!("/img0.shapes.example/f/{code}/00000004.png");
        assert_eq!(get(&server, &path).status(), code);
    }
    let html = get(&server, "/img0.shapes.example/f/html/00000004.png");
    assert_eq!((html.status(), html.header("content-type")), ("200", Some("image/jpeg")));
    assert!(html.body.starts_with(b"<!DOCTYPE"));
    let empty = get(&server, "/img0.shapes.example/f/empty/00000004.png");
    assert_eq!((empty.status(), empty.header("content-length")), ("200", Some("0")));
}

#[test]
fn mirrors_lead_to_this_server_and_the_gone_host_nowhere() {
    let (server, world) = server();
    let mirrors = server.mirrors();
    for url in world.file_urls() {
        let (public, local) = mirrors.iter().find(|(public, _)| url.starts_with(public)).unwrap();
        let path = url.replacen(public, local, 1);
        let path = path.strip_prefix(&format!("http://{}", server.address())).unwrap();
        assert_eq!(ask(&server, "HEAD", path, "").status(), "200", "{url}");
    }
    let gone = mirrors.iter().find(|(public, _)| public == "https://gone.example/").unwrap();
    assert_eq!(gone.1, "http://127.0.0.1:1/");
    assert!(TcpStream::connect("127.0.0.1:1").is_err());
}

#[test]
fn a_dropped_server_answers_no_more() {
    let (server, _) = server();
    let address = server.address();
    drop(server);
    let deadline = Instant::now() + Duration::from_secs(5);
    while TcpStream::connect(address).is_ok() {
        assert!(Instant::now() < deadline, "the port is still open");
        std::thread::sleep(Duration::from_millis(10));
    }
}
