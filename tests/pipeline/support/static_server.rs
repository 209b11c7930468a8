//! A file server on loopback: what a path answers is a function of the path.

use std::io::{BufRead, BufReader, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::Arc;

/// Status and body for a path; ranges are cut out by the server.
pub(crate) type Answer = dyn Fn(&str) -> (u16, Vec<u8>) + Send + Sync;

/// Serves what is there until the process ends; all else is not found.
pub(crate) fn serve(answer: impl Fn(&str) -> Option<Vec<u8>> + Send + Sync + 'static) -> SocketAddr {
    serve_status(move |path| answer(path).map_or((404, Vec::new()), |body| (200, body)))
}

/// Serves with any status until the process ends.
pub(crate) fn serve_status(answer: impl Fn(&str) -> (u16, Vec<u8>) + Send + Sync + 'static) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    let answer: Arc<Answer> = Arc::new(answer);
    std::thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            let answer = answer.clone();
            // A client that goes away in the middle is its own affair.
            std::thread::spawn(move || drop(converse(stream, answer.as_ref())));
        }
    });
    address
}

fn converse(stream: TcpStream, answer: &Answer) -> std::io::Result<()> {
    let mut reader = BufReader::new(stream.try_clone()?);
    let mut writer = stream;
    loop {
        let (mut line, mut range) = (String::new(), None);
        if reader.read_line(&mut line)? == 0 {
            return Ok(());
        }
        let path = line.split(' ').nth(1).unwrap_or("/").to_owned();
        loop {
            let mut header = String::new();
            reader.read_line(&mut header)?;
            if header.trim().is_empty() {
                break;
            }
            if let Some(value) = header.to_ascii_lowercase().strip_prefix("range: bytes=") {
                range = value.trim().trim_end_matches('-').parse::<usize>().ok();
            }
        }
        let (status, body) = match answer(&path) {
            (200, body) if range.is_some_and(|start| start <= body.len()) => {
                (206, body[range.unwrap_or(0)..].to_vec())
            }
            answer => answer,
        };
        write!(writer, "HTTP/1.1 {status} as asked\r\nContent-Length: {}\r\n\r\n", body.len())?;
        writer.write_all(&body)?;
    }
}
