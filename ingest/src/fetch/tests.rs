//! A client against a hand-made server that behaves badly in every planned way.
#![allow(clippy::unwrap_used, clippy::panic)]

use std::collections::BTreeMap;
use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use corpus::mirror::Mirrors;

use super::*;

mod forgiving;
mod headers;
#[path = "../../../tests/pipeline/support/names.rs"]
mod names;
mod proxies;
#[path = "../../../tests/pipeline/support/proxy.rs"]
mod proxy;
mod redirects;

use crate::fault::{FILE_MISSING, FileFault};

/// Serves connections by a script until the process ends; keeps the heads of all requests.
struct Server {
    port: u16,
    requests: Arc<Mutex<Vec<String>>>,
}

impl Server {
    fn start(answer: impl Fn(&str, &str, &mut TcpStream) + Send + Sync + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        let requests = Arc::new(Mutex::new(Vec::new()));
        let (seen, answer) = (requests.clone(), Arc::new(answer));
        std::thread::spawn(move || {
            for stream in listener.incoming() {
                let (seen, answer) = (seen.clone(), answer.clone());
                std::thread::spawn(move || {
                    let mut stream = stream.unwrap();
                    let mut head = Vec::new();
                    let mut byte = [0];
                    while !head.ends_with(b"\r\n\r\n") && stream.read(&mut byte).unwrap_or(0) == 1 {
                        head.push(byte[0]);
                    }
                    let head = String::from_utf8(head).unwrap();
                    let path = head.split(' ').nth(1).unwrap_or_default().to_owned();
                    seen.lock().unwrap().push(head.clone());
                    answer(&path, &head, &mut stream);
                });
            }
        });
        Self { port, requests }
    }

    fn client(&self, change: impl FnOnce(&mut Config)) -> Client {
        let mut config = Config {
            idle_timeout_secs: 0.3,
            connect_timeout_secs: 0.3,
            deadline_secs: 0.8,
            retry_wait_secs: 0.01,
            body_bytes_max: 10_000,
            inflight_bytes_max: 100_000,
            ..Config::default()
        };
        change(&mut config);
        let host = format!("http://127.0.0.1:{}/", self.port);
        let mirrors = BTreeMap::from([("https://web.example/".to_owned(), host)]);
        Client::new(&config, Mirrors(mirrors)).unwrap()
    }
}

fn reply(stream: &mut TcpStream, head: &str, body: &[u8]) {
    let _ = write!(stream, "HTTP/1.1 {head}\r\nConnection: close\r\n");
    let _ = write!(stream, "Content-Length: {}\r\n\r\n", body.len());
    let _ = stream.write_all(body);
}

/// Every fault of one URL, by path.
fn faults(path: &str, _: &str, stream: &mut TcpStream) {
    match path {
        "/404" => reply(stream, "404 Not Found", b"no"),
        "/500" => reply(stream, "500 Oops", b""),
        "/loop" => reply(stream, "302 Found\r\nLocation: /loop", b""),
        "/moved" => reply(stream, "301 Moved\r\nLocation: good", b""),
        "/metadata" => reply(stream, "302 Found\r\nLocation: http://169.254.169.254/", b""),
        "/away" => reply(stream, "302 Found\r\nLocation: ftp://web.example/", b""),
        "/stall" => std::thread::sleep(Duration::from_secs(3)),
        "/drip" => {
            let _ = stream.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n");
            while stream.write_all(b".").is_ok() {
                std::thread::sleep(Duration::from_millis(50));
            }
        }
        "/short" => {
            let _ = stream.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\nshort");
        }
        "/announced" => {
            let _ = stream.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 99999999\r\n\r\n");
        }
        "/endless" => {
            let _ = stream.write_all(b"HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n");
            while stream.write_all(&[0; 1_000]).is_ok() {}
        }
        "/noai" => reply(stream, "200 OK\r\nX-Robots-Tag: noai", b"private"),
        "/garbage" => {
            let _ = stream.write_all(b"SSH-2.0-OpenSSH\r\n");
        }
        _ => reply(stream, "200 OK\r\nContent-Type: image/png", path.as_bytes()),
    }
}

#[test]
fn every_fault_has_its_reason_and_order_is_kept() {
    let server = Server::start(faults);
    let expected = [
        ("https://web.example/good", "good"),
        ("https://web.example/stall", "timeout"),
        ("https://web.example/moved", "good"),
        ("https://web.example/404", "http_404"),
        ("https://web.example/500", "http_500"),
        ("https://web.example/loop", "redirect_limit"),
        ("https://web.example/metadata", "address_refused"),
        ("https://web.example/away", "scheme_refused"),
        ("https://web.example/drip", "timeout"),
        ("https://web.example/short", "body_truncated"),
        ("https://web.example/announced", "body_too_large"),
        ("https://web.example/endless", "body_too_large"),
        ("https://web.example/noai", "robots_tag"),
        ("https://web.example/garbage", "http_broken"),
        ("http://localhost/", "address_refused"),
        ("http://[::ffff:127.0.0.1]/", "address_refused"),
        ("nonsense", "url_invalid"),
        ("ftp://web.example/a", "scheme_refused"),
        ("https://web.example/last", "good"),
    ];
    let client = server.client(|_| {});
    let urls = expected.iter().map(|(url, _)| (*url).to_owned());
    let begun = Instant::now();
    for (outcome, (url, reason)) in client.fetch_in_order(urls, &std::env::temp_dir()).zip(expected) {
        assert_eq!(outcome.url, url);
        let found = match &outcome.result {
            Ok(body) if body.bytes.starts_with(b"/") => "good".to_owned(),
            Ok(body) => panic!("{url}: {body:?}"),
            Err(error) => error.reason(),
        };
        assert_eq!(found, reason, "{url}: {:?}", outcome.result);
    }
    assert!(begun.elapsed() < Duration::from_secs(3), "faults wait in parallel");
}

#[test]
fn a_record_that_names_the_mirror_itself_is_refused_unless_allowed() {
    let server = Server::start(faults);
    let url = format!("http://127.0.0.1:{}/good", server.port);
    let fetch =
        |client: &Client| client.fetch_in_order([url.clone()], &std::env::temp_dir()).next().unwrap().result;
    let refused = fetch(&server.client(|_| {}));
    assert_eq!(refused.unwrap_err().reason(), "address_refused");
    let port = server.port;
    let allowed = server.client(|config| config.allow = vec![format!("127.0.0.1:{port}")]);
    assert_eq!(fetch(&allowed).unwrap().final_url, url);
    assert_eq!(server.requests.lock().unwrap().len(), 1);
}

#[test]
fn a_closed_port_is_a_connection_fault() {
    let closed = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let server = Server::start(faults);
    let client = server.client(|config| config.allow = vec![format!("127.0.0.1:{closed}")]);
    let url = format!("http://127.0.0.1:{closed}/");
    let error = client.fetch_in_order([url], &std::env::temp_dir()).next().unwrap().result.unwrap_err();
    assert_eq!((error.reason().as_str(), error.is_transient()), ("connect", true));
}

#[test]
fn few_byte_slots_and_many_bodies_still_end_in_order() {
    let server = Server::start(|path, _, stream| {
        let body = path.repeat(400);
        match path.len() % 2 {
            0 => reply(stream, "200 OK", body.as_bytes()),
            _ => {
                let _ = write!(stream, "HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n{body}");
            }
        }
    });
    let client = server.client(|config| {
        (config.inflight_bytes_max, config.concurrency, config.deadline_secs) = (10_000, 16, 20.0);
    });
    let urls = (0..200).map(|number| format!("https://web.example/{number}"));
    for (number, outcome) in client.fetch_in_order(urls, &std::env::temp_dir()).enumerate() {
        assert_eq!(outcome.result.unwrap().bytes, format!("/{number}").repeat(400));
    }
}

#[test]
fn dropping_the_iterator_cancels_what_is_in_flight() {
    let server = Server::start(faults);
    let client = server.client(|config| config.deadline_secs = 60.0);
    let urls = ["https://web.example/good", "https://web.example/stall"].map(str::to_owned);
    let begun = Instant::now();
    let mut outcomes = client.fetch_in_order(urls, &std::env::temp_dir());
    assert!(outcomes.next().unwrap().result.is_ok());
    drop(outcomes);
    drop(client);
    assert!(begun.elapsed() < Duration::from_secs(1));
}

fn content() -> Vec<u8> {
    (0..100_000_u32).map(|n| (n % 251) as u8).collect()
}

/// Fails first, then breaks off every 30,000 bytes; `ranges` says whether it can go on.
fn interrupted(ranges: bool) -> Server {
    let failed = Mutex::new(false);
    Server::start(move |_, head, stream| {
        if !std::mem::replace(&mut *failed.lock().unwrap(), true) {
            return reply(stream, "503 Busy\r\nRetry-After: 0", b"");
        }
        let range = head.lines().find_map(|line| line.strip_prefix("range: bytes="));
        let start: usize = range.map_or(0, |r| r.trim_end_matches('-').parse().unwrap());
        let start = if ranges { start } else { 0 };
        let body = &content()[start..];
        let status = match start {
            0 => "200 OK".to_owned(),
            _ => format!("206 Partial\r\nContent-Range: bytes {start}-99999/100000"),
        };
        let _ = write!(stream, "HTTP/1.1 {status}\r\nETag: \"a\"\r\n");
        let _ = write!(stream, "Content-Length: {}\r\n\r\n", body.len());
        let sent = if ranges { 30_000 } else { 30_000 + 30_000 * usize::from(range.is_some()) * 3 };
        let _ = stream.write_all(&body[..body.len().min(sent)]);
    })
}

#[test]
fn an_interrupted_source_is_resumed_where_it_broke() {
    for ranges in [true, false] {
        let server = interrupted(ranges);
        let client = server.client(|_| {});
        let mut bytes = Vec::new();
        let mut reader = client.open("https://web.example/file").unwrap();
        reader.read_to_end(&mut bytes).unwrap();
        assert!(bytes == content(), "ranges {ranges}: {} bytes", bytes.len());
        assert!(server.requests.lock().unwrap().len() >= 3);
    }
}

#[test]
fn a_source_that_changed_or_is_gone_is_an_error() {
    let versions = Mutex::new(0);
    let server = Server::start(move |path, _, stream| {
        let mut version = versions.lock().unwrap();
        *version += 1;
        if path == "/gone" {
            return reply(stream, "404 Not Found", b"");
        }
        let _ = write!(stream, "HTTP/1.1 200 OK\r\nETag: \"{version}\"\r\n");
        let _ = write!(stream, "Content-Length: 1000\r\n\r\nbroken off");
    });
    let client = server.client(|_| {});
    let mut reader = client.open("https://web.example/file").unwrap();
    let error = reader.read_to_end(&mut Vec::new()).unwrap_err();
    assert!(error.to_string().contains("changed"), "{error}");
    let gone = client.open("https://web.example/gone").err().unwrap();
    assert_eq!(FileFault::of_error(gone).unwrap().reason, FILE_MISSING);
}

#[test]
fn a_source_that_never_answers_is_given_up() {
    let server = Server::start(|_, _, stream| reply(stream, "503 Busy", b""));
    let client = server.client(|config| config.retries_max = 2);
    assert!(client.open("https://web.example/file").is_err());
    assert_eq!(server.requests.lock().unwrap().len(), 3);
}

#[test]
fn a_source_where_nobody_listens_is_given_up_soon_and_one_that_stopped_is_not() {
    let closed = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let client = Server::start(faults).client(|config| {
        config.retry_wait_secs = 0.2;
        config.dns.servers = vec![names::serve(|_| names::Says::NoSuchName)];
    });
    let (url, begun) = (format!("http://{closed}/a.jsonl"), Instant::now());
    let error = client.open(&url).err().unwrap().to_string();
    assert!(error.contains(&url) && error.contains("refused"), "{error}");
    assert!(client.length(&url).is_err());
    // 0.2 and 0.4 seconds each, where six attempts would take 12.
    assert!(begun.elapsed() < Duration::from_secs(4), "{:?}", begun.elapsed());
    let begun = Instant::now();
    assert!(client.open("http://missing.test/a.jsonl").is_err());
    assert!(begun.elapsed() < Duration::from_secs(4), "{:?}", begun.elapsed());
    let shared = &client.shared;
    let refused = FetchError::ConnectRefused(String::new());
    assert_eq!((shared.retries_max(&refused, true), shared.retries_max(&refused, false)), (2, 6));
    for error in [FetchError::Timeout, FetchError::Status(503), FetchError::Connect(String::new())] {
        assert_eq!(shared.retries_max(&error, true), 6, "{error}");
    }
    assert_eq!(shared.retries_max(&FetchError::Dns, true), 0);
}

#[test]
fn a_local_file_is_read_in_place() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a b");
    std::fs::write(&path, "here").unwrap();
    let client = Server::start(faults).client(|_| {});
    let url = url::Url::from_file_path(&path).unwrap();
    for name in [url.as_str(), path.to_str().unwrap()] {
        let mut text = String::new();
        client.open(name).unwrap().read_to_string(&mut text).unwrap();
        assert_eq!(text, "here");
        assert_eq!(client.local_copy(name, folder.path()).unwrap(), path);
    }
    let copy = client.local_copy("https://web.example/good", &folder.path().join("s")).unwrap();
    assert_eq!(std::fs::read_to_string(copy).unwrap(), "/good");
}

#[test]
fn a_token_goes_to_its_host_alone() {
    let other = Server::start(faults);
    let target = format!("http://localhost:{}/good", other.port);
    let server = Server::start(move |_, _, stream| {
        reply(stream, &format!("302 Found\r\nLocation: {target}"), b"");
    });
    let port = other.port;
    let client = server
        .client(|config| config.allow = vec![format!("localhost:{port}")])
        .with_bearer("127.0.0.1", "secret")
        .unwrap();
    assert!(client.open("https://web.example/a").is_ok());
    let sent = |server: &Server| server.requests.lock().unwrap().join("").contains("Bearer secret");
    assert!(sent(&server) && !sent(&other));
}

#[test]
fn a_slow_answer_holds_neither_the_others_nor_their_room() {
    // It announces all the room there is, and drips.
    let server = Server::start(|path, _, stream| match path {
        "/drip" => {
            let _ = stream.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n");
            for _ in 0..15 {
                let _ = stream.write_all(b".");
                std::thread::sleep(Duration::from_millis(100));
            }
        }
        path => reply(stream, "200 OK", path.repeat(800).as_bytes()),
    });
    let client = server.client(|config| {
        (config.inflight_bytes_max, config.body_bytes_max) = (100_000, 100_000);
        (config.concurrency, config.deadline_secs) = (4, 1.2);
    });
    let count = 4 * 8 * 4;
    let urls = (0..count).map(|number| match number {
        0 | 5 => "https://web.example/drip".to_owned(),
        number => format!("https://web.example/{number}"),
    });
    let folder = tempfile::tempdir().unwrap();
    let mut outcomes = client.fetch_in_order(urls, folder.path());
    assert_eq!(outcomes.next().unwrap().result.unwrap_err().reason(), "timeout");
    // While the first was waited for, all others came: more than memory may hold, and than run at once.
    assert_eq!(server.requests.lock().unwrap().len(), count);
    for (number, outcome) in outcomes.enumerate().map(|(index, outcome)| (index + 1, outcome)) {
        match number {
            5 => assert!(outcome.result.is_err()),
            number => assert_eq!(outcome.result.unwrap().bytes, format!("/{number}").repeat(800)),
        }
    }
}
