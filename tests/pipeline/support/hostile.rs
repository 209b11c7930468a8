//! A web server on loopback that serves images, and misbehaves in every way that is known of real ones.

use std::collections::BTreeMap;
use std::io::{Cursor, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use flate2::Compression;
use flate2::write::GzEncoder;
use image::{DynamicImage, ImageFormat, Rgb, RgbImage};
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::{ServerConfig, ServerConnection, StreamOwned};

/// Requests by path, in the order in which they came.
pub(crate) type Seen = Arc<Mutex<Vec<String>>>;

/// A picture of its own for every number.
pub(crate) fn picture(number: u32, format: ImageFormat) -> Vec<u8> {
    let wave = |a: u32, b: u32| {
        let phase = f64::from(a * (1 + number % 5)) / 97.0 + f64::from(b * (1 + number / 5 % 7)) / 71.0;
        (128.0 + 100.0 * phase.sin()) as u8
    };
    let image = RgbImage::from_fn(320, 240, |x, y| Rgb([wave(x, y), wave(y, x), (number * 40 % 256) as u8]));
    let mut bytes = Cursor::new(Vec::new());
    DynamicImage::from(image).write_to(&mut bytes, format).unwrap();
    bytes.into_inner()
}

/// Serves HTTP, or with a certificate HTTPS, until the process ends.
pub(crate) fn serve(tls: Option<Arc<ServerConfig>>) -> (SocketAddr, Seen) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    let (seen, counts) = (Seen::default(), Arc::new(Mutex::new(BTreeMap::new())));
    let kept = seen.clone();
    std::thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            let (tls, seen, counts) = (tls.clone(), seen.clone(), counts.clone());
            std::thread::spawn(move || match tls {
                Some(tls) => {
                    let connection = ServerConnection::new(tls).unwrap();
                    converse(StreamOwned::new(connection, stream), &seen, &counts);
                }
                None => converse(stream, &seen, &counts),
            });
        }
    });
    (address, kept)
}

/// Makes the settings of a server with this certificate.
pub(crate) fn tls(certificate: CertificateDer<'static>, key: PrivateKeyDer<'static>) -> Arc<ServerConfig> {
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = ServerConfig::builder_with_provider(provider).with_safe_default_protocol_versions().unwrap();
    Arc::new(config.with_no_client_auth().with_single_cert(vec![certificate], key).unwrap())
}

fn converse(mut stream: impl Read + Write + Sized, seen: &Seen, counts: &Mutex<BTreeMap<String, u32>>) {
    let (mut head, mut byte) = (Vec::new(), [0]);
    while !head.ends_with(b"\r\n\r\n") && stream.read(&mut byte).unwrap_or(0) == 1 {
        head.push(byte[0]);
    }
    let path = String::from_utf8_lossy(&head).split(' ').nth(1).unwrap_or_default().to_owned();
    seen.lock().unwrap().push(path.clone());
    let count = {
        let mut counts = counts.lock().unwrap();
        let count = counts.entry(path.clone()).or_insert(0);
        *count += 1;
        *count
    };
    // A client that goes away in the middle is its own affair.
    let _ = answer(&path, count, &mut stream);
    let _ = stream.flush();
}

fn reply(stream: &mut impl Write, head: &str, body: &[u8]) -> std::io::Result<()> {
    write!(stream, "HTTP/1.1 {head}\r\nConnection: close\r\nContent-Length: {}\r\n\r\n", body.len())?;
    stream.write_all(body)
}

fn answer(path: &str, count: u32, stream: &mut impl Write) -> std::io::Result<()> {
    let good = || picture(7, ImageFormat::Jpeg);
    match path.trim_start_matches('/') {
        "404" => reply(stream, "404 Not Found", b"no"),
        "403" => reply(stream, "403 Forbidden", b"no"),
        "500" => reply(stream, "500 Oops", b""),
        "500-once" if count == 1 => reply(stream, "500 Oops", b""),
        "429-short" if count == 1 => reply(stream, "429 Too Many\r\nRetry-After: 1", b""),
        "429-long" => reply(stream, "429 Too Many\r\nRetry-After: 3600", b""),
        "loop" => reply(stream, "302 Found\r\nLocation: /loop", b""),
        "moved" => reply(stream, "301 Moved\r\nLocation: /good-3.png", b""),
        "metadata" => reply(stream, "302 Found\r\nLocation: http://169.254.169.254/latest/", b""),
        "stall" => {
            std::thread::sleep(Duration::from_secs(20));
            Ok(())
        }
        "late.jpg" => {
            std::thread::sleep(Duration::from_millis(700));
            reply(stream, "200 OK", &good())
        }
        "drip" => {
            write!(stream, "HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n")?;
            loop {
                stream.write_all(b".")?;
                stream.flush()?;
                std::thread::sleep(Duration::from_millis(200));
            }
        }
        "reset" => Ok(()),
        "short" => {
            let body = good();
            write!(stream, "HTTP/1.1 200 OK\r\nContent-Length: {}\r\n\r\n", body.len() + 999)?;
            stream.write_all(&body)
        }
        "bomb.gz" => {
            let mut gzip = GzEncoder::new(Vec::new(), Compression::best());
            gzip.write_all(&vec![0; 50 << 20])?;
            reply(stream, "200 OK\r\nContent-Type: image/png\r\nContent-Encoding: gzip", &gzip.finish()?)
        }
        "large" => {
            write!(stream, "HTTP/1.1 200 OK\r\nContent-Length: 100000000\r\n\r\n")?;
            (0..100).try_for_each(|_| stream.write_all(&[0; 1_000_000]))
        }
        "endless" => {
            write!(stream, "HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n")?;
            loop {
                stream.write_all(&[0; 100_000])?;
            }
        }
        "huge.png" => reply(stream, "200 OK", &huge_png()),
        "cut.jpg" => {
            let body = good();
            reply(stream, "200 OK", &body[..body.len() / 2])
        }
        "html" => reply(stream, "200 OK\r\nContent-Type: image/jpeg", b"<!DOCTYPE html><p>gone"),
        "noai" => reply(stream, "200 OK\r\nX-Robots-Tag: noai", &good()),
        "avif" => reply(stream, "200 OK", b"\0\0\0\x1cftypavif\0\0\0\0avifmif1miaf"),
        "robots.txt" => reply(stream, "200 OK", b"User-agent: *\nDisallow: /private\n"),
        "garbage" => stream.write_all(b"SSH-2.0-OpenSSH\r\n"),
        path if path.starts_with("good-") && path.ends_with(".png") => {
            let number = path.trim_start_matches("good-").trim_end_matches(".png").parse().unwrap_or(0);
            reply(stream, "200 OK\r\nContent-Type: text/plain", &picture(number, ImageFormat::Png))
        }
        _ => reply(stream, "200 OK\r\nContent-Type: image/jpeg", &good()),
    }
}

/// A PNG file that says it is 65,500 pixels wide and high, and has next to no data.
fn huge_png() -> Vec<u8> {
    let mut png = picture(1, ImageFormat::Png);
    png[16..20].copy_from_slice(&65_500_u32.to_be_bytes());
    png[20..24].copy_from_slice(&65_500_u32.to_be_bytes());
    let mut crc = flate2::Crc::new();
    crc.update(&png[12..29]);
    png[29..33].copy_from_slice(&crc.sum().to_be_bytes());
    png
}

/// Closes a connection so that the other side sees a reset.
pub(crate) fn resetting() -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    std::thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            // Bytes that were not read turn the close into a reset.
            std::thread::spawn(move || drop(wait(&stream)));
        }
    });
    address
}

fn wait(stream: &TcpStream) -> std::io::Result<()> {
    stream.peek(&mut [0])?;
    std::thread::sleep(Duration::from_millis(50));
    Ok(())
}
