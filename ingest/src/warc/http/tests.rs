//! HTTP messages as crawlers store them.
#![allow(clippy::unwrap_used)]

use std::io::Write;

use flate2::Compression;
use flate2::write::{DeflateEncoder, GzEncoder, ZlibEncoder};
use proptest::prelude::*;

use super::*;

fn body(head: &str, body: &[u8]) -> Result<Vec<u8>, HttpFault> {
    let message = [b"HTTP/1.1 200 OK\r\n", head.as_bytes(), b"\r\n", body].concat();
    Response::parse(&message)?.decode(false, &mut 0).map(Cow::into_owned)
}

#[test]
fn codings_are_undone_and_lies_are_seen_through() {
    let mut gzip = GzEncoder::new(Vec::new(), Compression::fast());
    gzip.write_all(b"text").unwrap();
    let gzip = gzip.finish().unwrap();
    let mut zlib = ZlibEncoder::new(Vec::new(), Compression::fast());
    zlib.write_all(b"text").unwrap();
    let mut raw = DeflateEncoder::new(Vec::new(), Compression::fast());
    raw.write_all(b"text").unwrap();
    let chunked = b"2;x=y\r\nte\r\n2\r\nxt\r\n0\r\nTrailer: a\r\n\r\n";
    let cases: [(&str, &[u8]); 7] = [
        ("", b"text"),
        ("Content-Encoding: gzip\r\n", &gzip),
        ("content-encoding: GZIP\r\n", b"text"),
        ("Content-Encoding: deflate\r\n", &zlib.finish().unwrap()),
        ("Content-Encoding: deflate\r\n", &raw.finish().unwrap()),
        ("Transfer-Encoding: chunked\r\n", chunked),
        ("Transfer-Encoding: chunked\r\n", b"text"),
    ];
    for (head, bytes) in cases {
        assert_eq!(body(head, bytes).unwrap(), b"text", "{head}");
    }
    let mut both = b"8\r\n".to_vec();
    both.extend(&gzip[..8]);
    write!(both, "\r\n{:x}\r\n", gzip.len() - 8).unwrap();
    both.extend(&gzip[8..]);
    let head = "Transfer-Encoding: chunked\r\nContent-Encoding: gzip\r\n";
    assert_eq!(body(head, &both).unwrap(), b"text", "broken off before the last chunk");
}

#[test]
fn a_coding_that_there_is_not_is_passed_over() {
    for coding in [
        "utf-8",
        "none",
        "\"UTF-8\"",
        "iso-8859-1",
        "binary",
        "8bit",
        "",
        "text/html",
        "br",
        "zstd",
        "deflate",
    ] {
        for page in ["<!-- x --><p>text", "<!DOCTYPE html><p>text", "plain text, with no mark-up at all"] {
            let decoded = body(&format!("Content-Encoding: {coding}\r\n"), page.as_bytes());
            assert_eq!(decoded.unwrap(), page.as_bytes(), "{coding}");
        }
    }
    let noise: Vec<u8> = (0..200_u32).map(|n| (n.wrapping_mul(0x9e37_79b9) >> 24) as u8 % 9).collect();
    assert_eq!(body("Content-Encoding: sdch\r\n", &noise).unwrap_err().reason(), "encoding_broken");
}

#[test]
fn a_whole_gzip_body_is_read_whatever_stands_behind_it_and_whoever_names_it() {
    let mut gzip = GzEncoder::new(Vec::new(), Compression::fast());
    gzip.write_all(b"text").unwrap();
    let gzip = gzip.finish().unwrap();
    let mut wrong_sum = gzip.clone();
    let at = wrong_sum.len() - 5;
    wrong_sum[at] ^= 1;
    let cut = &gzip[..gzip.len() - 6];
    let head = "Content-Encoding: gzip\r\n";
    for packed in [&wrong_sum[..], cut, &[&gzip[..], b"\r\n<!-- junk -->"].concat()] {
        assert_eq!(body(head, packed).unwrap(), b"text");
    }
    assert_eq!(body(head, &gzip.repeat(2)).unwrap(), b"texttext");
    assert_eq!(body("", &gzip).unwrap(), b"text");
    let mut twice = GzEncoder::new(Vec::new(), Compression::fast());
    twice.write_all(&gzip).unwrap();
    assert_eq!(body(head, &twice.finish().unwrap()).unwrap(), b"text");
    for coding in ["gz", "utf-8", "none", "\"gzip\"", "gzip,utf-8", "deflate", "br", "zstd"] {
        assert_eq!(body(&format!("Content-Encoding: {coding}\r\n"), &gzip).unwrap(), b"text", "{coding}");
    }
    assert_eq!(body("", &zstd::bulk::compress(b"text", 1).unwrap()).unwrap(), b"text");
}

#[test]
fn heads_are_read_that_browsers_read() {
    let status = |line: &str| Response::parse(format!("{line}\r\nA: b\r\n\r\n").as_bytes()).map(|r| r.status);
    for line in [
        "HTTP/1.1 200 OK",
        "HTTP/2 200",
        "HTTP/1.1  200  OK",
        "http/1.1 200 ok",
        "HTTP 200 OK",
        "ICY 200 OK",
        "HTTP/1.1\t200",
    ] {
        assert_eq!(status(line), Ok(200), "{line}");
    }
    for line in ["HTTP/1.1 OK", "HTTP/1.1", "<html> 200", "HTTP/1.1 20000", ""] {
        assert!(status(line).is_err(), "{line}");
    }
    let many: String = (0..2_000).map(|n| format!("Set-Cookie: c{n}=1\n")).collect();
    let message = format!("HTTP/1.1 404 Not Found\n{many}X y: z\n: odd\nContent-Type : text/html\n\nbody");
    let response = Response::parse(message.as_bytes()).unwrap();
    assert_eq!((response.status, response.header("content-type")), (404, Some("text/html")));
    assert_eq!(response.decode(false, &mut 0).unwrap(), &b"body"[..]);
}

#[test]
fn returns_alone_end_lines_and_controls_in_a_head_are_passed_over() {
    let read = |message: &[u8]| {
        let response = Response::parse(message).unwrap();
        let body = response.decode(false, &mut 0).unwrap().into_owned();
        (response.header("content-type").unwrap_or_default().to_owned(), String::from_utf8(body).unwrap())
    };
    let page = |kind: &str, body: &str| (kind.to_owned(), body.to_owned());
    for head in [
        "HTTP/1.1 200 OK\rContent-Type: text/html\r\r",
        "HTTP/1.1 200 OK\rServer: x\rContent-Type: text/html\r\r",
        "HTTP/1.1 200 OK\rContent-Type: text/html\r\n\r\n",
        "HTTP/1.1 200 OK\rContent-Type: text/html\r\n\n",
        "HTTP/1.1 200 OK\r\r\nContent-Type: text/html\r\n\r\n",
    ] {
        let body = "<p>one\r\rtwo\n\nthree";
        assert_eq!(read(format!("{head}{body}").as_bytes()), page("text/html", body), "{head:?}");
    }
    let nul = b"HTTP/1.1 200 OK\r\nContent-Type: text/html\0; charset=utf-8\r\nServer: \x01x\r\n\r\nbody";
    assert_eq!(read(nul), page("text/html ; charset=utf-8", "body"));
    for head in ["HTTP/1.1 200 OK\rContent-Type: text/html\r<p>", "HTTP/1.1 200 OK\r"] {
        assert_eq!(Response::parse(head.as_bytes()).unwrap_err().reason(), "http_broken", "{head:?}");
    }
    let endless = format!("HTTP/1.1 200 OK\r{}\r\r", "A: b\r".repeat(HEAD_BYTES_MAX / 4));
    assert!(Response::parse(endless.as_bytes()).is_err(), "beyond the bound of a head");
}

#[test]
fn a_body_that_cannot_be_decoded_says_why() {
    let reason = |head: &str, bytes: &[u8]| body(head, bytes).unwrap_err().reason();
    assert_eq!(reason("Content-Encoding: br\r\n", b"\x0b\x02"), "encoding_broken");
    assert_eq!(reason("Content-Encoding: gzip\r\n", b"\x1f\x8b\x08broken"), "encoding_broken");
    let mut bomb = GzEncoder::new(Vec::new(), Compression::best());
    bomb.write_all(&vec![0; BODY_BYTES_MAX + 1]).unwrap();
    assert_eq!(reason("Content-Encoding: gzip\r\n", &bomb.finish().unwrap()), "body_too_large");
    assert_eq!(Response::parse(b"HTTP/1.1 200").unwrap_err().reason(), "http_broken");
    assert_eq!(Response::parse(b"<html>").unwrap_err().reason(), "http_broken");
}

proptest! {
    #[test]
    fn any_bytes_end(bytes: Vec<u8>, chunked: bool, coding in 0..4_usize) {
        let coding = ["gzip", "deflate", "br", "identity"][coding];
        let transfer = if chunked { "Transfer-Encoding: chunked\r\n" } else { "" };
        let _ = body(&format!("{transfer}Content-Encoding: {coding}\r\n"), &bytes);
        let _ = Response::parse(&bytes);
    }
}
