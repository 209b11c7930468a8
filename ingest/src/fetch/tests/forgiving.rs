//! Answers that browsers forgive, and connections that turn out to be dead.

use std::sync::atomic::{AtomicUsize, Ordering};

use flate2::Compression;
use flate2::write::{DeflateEncoder, GzEncoder};

use super::*;

const IMAGE: &[u8] = b"\x89PNG\r\n\x1a\n and more of an image";

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

/// As servers send it that take the name at its word: without zlib's frame.
fn raw_deflate(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = DeflateEncoder::new(Vec::new(), Compression::fast());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

/// Returns the body or the reason for each path.
fn outcomes(client: &Client, paths: &[&str]) -> Vec<Result<Vec<u8>, String>> {
    let folder = tempfile::tempdir().unwrap();
    let urls = paths.iter().map(|path| format!("https://web.example{path}"));
    let outcomes = client.fetch_in_order(urls, folder.path());
    outcomes.map(|outcome| outcome.result.map(|body| body.bytes.to_vec()).map_err(|e| e.reason())).collect()
}

#[test]
fn answers_are_read_that_browsers_read() {
    let server = Server::start(|path, _, stream| match path {
        "/folded" => reply(stream, "200 OK\r\nX-A: one\r\n  two", IMAGE),
        "/space" => reply(stream, "200 OK\r\nX-A : one", IMAGE),
        "/php" => reply(stream, "200 OK\r\nPHP Warning: no \"library\" in Unknown", IMAGE),
        "/no-colon" => reply(stream, "200 OK\r\nPHP Warning  no library", IMAGE),
        "/many" => {
            let many: String = (0..500).map(|n| format!("\r\nX-{n}: {n}")).collect();
            reply(stream, &format!("200 OK{many}"), IMAGE);
        }
        "/gzip" => reply(stream, "200 OK\r\nContent-Encoding: gzip", &gzip(IMAGE)),
        "/said-gzip" => reply(stream, "200 OK\r\nContent-Encoding: gzip", IMAGE),
        "/deflate" => reply(stream, "200 OK\r\nContent-Encoding: deflate", &raw_deflate(IMAGE)),
        "/utf-8" => reply(stream, "200 OK\r\nContent-Encoding: utf-8", IMAGE),
        "/203" => reply(stream, "203 Changed", IMAGE),
        "/206" => reply(
            stream,
            &format!("206 Partial\r\nContent-Range: bytes 0-{}/{}", IMAGE.len() - 1, IMAGE.len()),
            IMAGE,
        ),
        _ => reply(stream, "404 Not Found", b""),
    });
    let paths = [
        "/folded",
        "/space",
        "/php",
        "/no-colon",
        "/many",
        "/gzip",
        "/said-gzip",
        "/deflate",
        "/utf-8",
        "/203",
        "/206",
    ];
    for (path, outcome) in paths.iter().zip(outcomes(&server.client(|_| {}), &paths)) {
        assert_eq!(outcome.as_deref(), Ok(IMAGE), "{path}");
    }
}

#[test]
fn a_body_in_countless_chunks_is_given_up() {
    let server = Server::start(|path, _, stream| {
        let chunks = path.trim_start_matches("/chunks-").parse().unwrap();
        let body = "1\r\nx\r\n".repeat(chunks);
        let _ = write!(stream, "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n{body}0\r\n\r\n");
    });
    let client =
        server.client(|config| (config.inflight_bytes_max, config.body_bytes_max) = (100_000, 100_000));
    let outcomes = outcomes(&client, &["/chunks-10000", "/chunks-40000"]);
    assert_eq!(outcomes[0].as_ref().map(Vec::len), Ok(10_000));
    assert_eq!(outcomes[1], Err("http_broken".to_owned()));
}

#[test]
fn a_length_that_is_no_number_is_an_answer_that_is_no_http() {
    let server = Server::start(|path, _, stream| {
        let length = path.trim_start_matches("/length-");
        let _ = write!(stream, "HTTP/1.1 200 OK\r\nContent-Length: {length}\r\n\r\n12345");
    });
    let client = server.client(|_| {});
    for (length, expected) in [
        ("5", "good"),
        ("05", "good"),
        ("5,5", "good"),
        ("+5", "http_broken"),
        ("-5", "http_broken"),
        ("5.0", "http_broken"),
        ("0x5", "http_broken"),
        ("5,6", "http_broken"),
        ("99999999999999999999999", "http_broken"),
    ] {
        let url = format!("https://web.example/length-{length}");
        let outcome = client.fetch_in_order([url], &std::env::temp_dir()).next().unwrap();
        let (found, words) = match outcome.result {
            Ok(body) => {
                (if body.bytes == "12345" { "good".to_owned() } else { "cut".to_owned() }, String::new())
            }
            Err(error) => (error.reason(), error.to_string()),
        };
        assert_eq!(found, expected, "{length}: {words}");
        assert!(found == "good" || words.contains("content-length"), "{length}: {words}");
    }
}

#[test]
fn what_is_no_whole_answer_says_so() {
    let server = Server::start(|path, _, stream| match path {
        "/part" => reply(stream, "206 Partial\r\nContent-Range: bytes 0-9/100", b"0123456789"),
        "/no-range" => reply(stream, "206 Partial", IMAGE),
        "/headers" => {
            let many: String = (0..3_000).map(|n| format!("\r\nX-{n}: {n}")).collect();
            reply(stream, &format!("200 OK{many}"), IMAGE);
        }
        "/none" => reply(stream, "200 OK\r\nX-Robots-Tag: none", IMAGE),
        _ => reply(stream, "200 OK\r\nContent-Encoding: gzip", b"\x1f\x8b\x08broken"),
    });
    let client = server.client(|config| config.robots_tags = vec!["noindex".to_owned()]);
    let found = outcomes(&client, &["/part", "/no-range", "/headers", "/none", "/gzip"]);
    let reasons: Vec<&str> = found.iter().map(|outcome| outcome.as_ref().unwrap_err().as_str()).collect();
    assert_eq!(reasons, ["http_206", "http_206", "http_broken", "robots_tag", "http_broken"]);
}

#[test]
fn a_kept_connection_that_is_dead_is_replaced_at_once() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    let answered = Arc::new(AtomicUsize::new(0));
    let count = answered.clone();
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let count = count.clone();
            std::thread::spawn(move || {
                let mut stream = stream.unwrap();
                // The second request on a connection is read, and the connection closed without a word.
                for number in 0..2 {
                    let (mut head, mut byte) = (Vec::new(), [0]);
                    while !head.ends_with(b"\r\n\r\n") && stream.read(&mut byte).unwrap_or(0) == 1 {
                        head.push(byte[0]);
                    }
                    if number == 0 && !head.is_empty() {
                        count.fetch_add(1, Ordering::Relaxed);
                        let _ = write!(stream, "HTTP/1.1 200 OK\r\nContent-Length: {}\r\n\r\n", IMAGE.len());
                        let _ = stream.write_all(IMAGE);
                    }
                }
            });
        }
    });
    let server = Server { port, requests: Arc::default() };
    let paths: Vec<String> = (0..100).map(|n| format!("/{n}")).collect();
    let paths: Vec<&str> = paths.iter().map(String::as_str).collect();
    let found = outcomes(&server.client(|config| config.per_host_concurrency = 4), &paths);
    assert_eq!(found.iter().filter(|outcome| outcome.is_ok()).count(), 100);
    assert_eq!(answered.load(Ordering::Relaxed), 100);
}
