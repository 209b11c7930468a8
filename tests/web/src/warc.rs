//! A WARC record as Common Crawl writes it: one gzip member, with a request before each
//! response and a metadata record after it.

use std::io::{self, Write};

use flate2::Compression;
use flate2::write::GzEncoder;
use sha1::{Digest, Sha1};

use crate::random::{Stream, uuid};

const BASE32: &[u8; 32] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";

/// One answer of a web server, to be archived.
#[derive(Debug, Clone)]
pub(crate) struct Capture {
    /// `WARC-Target-URI`.
    pub(crate) url: String,
    /// HTTP status.
    pub(crate) status: u16,
    /// HTTP `Content-Type`, with the charset where the server named one.
    pub(crate) content_type: String,
    /// Further HTTP header lines, each ended by CR LF.
    pub(crate) headers: String,
    /// What `WARC-Identified-Payload-Type` says.
    pub(crate) payload_type: &'static str,
    /// The HTTP body.
    pub(crate) body: Vec<u8>,
}

/// When a file's crawl took place.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Day {
    /// `2020-11-23`
    pub(crate) date: &'static str,
    /// `Mon, 23 Nov 2020`
    pub(crate) http: &'static str,
    /// Second of the day at which the file begins.
    pub(crate) start_secs: u32,
}

impl Day {
    fn clock(self, offset_secs: u32) -> String {
        let secs = self.start_secs + offset_secs;
        format!("{:02}:{:02}:{:02}", secs / 3600, secs / 60 % 60, secs % 60)
    }
}

/// Writes the members of one WARC file.
pub(crate) struct Writer {
    day: Day,
    warcinfo_id: String,
    stream: Stream,
    bytes: Vec<u8>,
}

/// What becomes of a response's gzip member on its way into the file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Damage {
    /// Nothing.
    None,
    /// It ends after three fifths; the next member follows at once.
    Cut,
    /// One byte in its middle is another.
    Flipped,
}

impl Writer {
    /// Begins a file of the crawl `name` with its `warcinfo` record.
    ///
    /// # Errors
    /// The compressor's.
    pub(crate) fn new(name: &str, file: &str, day: Day, mut stream: Stream) -> io::Result<Self> {
        let warcinfo_id = uuid(&mut stream);
        let mut writer = Self { day, warcinfo_id, stream, bytes: Vec::new() };
        let head = format!(
            "WARC-Type: warcinfo\r\nWARC-Date: {}T{}Z\r\nWARC-Record-ID: <urn:uuid:{}>\r\n\
             WARC-Filename: {file}\r\nContent-Type: application/warc-fields\r\n",
            day.date,
            day.clock(0),
            writer.warcinfo_id,
        );
        let body = format!(
            "isPartOf: {name}\r\npublisher: Common Crawl\r\n\
             description: Wide crawl of the web for {name}\r\n\
             operator: Common Crawl Admin (info@commoncrawl.org)\r\n\
             software: Apache Nutch 1.17 (modified, https://github.com/commoncrawl/nutch/)\r\n\
             robots: checked via crawler-commons 1.2-SNAPSHOT\r\nformat: WARC File Format 1.1\r\n\
             conformsTo: http://iipc.github.io/warc-specifications/specifications/warc-format/warc-1.1/\r\n"
        );
        let member = member(&head, body.as_bytes())?;
        writer.bytes.extend(member);
        Ok(writer)
    }

    /// Adds request, response and metadata of one capture, taken `offset_secs` after
    /// the file's begin; `damage` befalls the response's member alone.
    ///
    /// # Errors
    /// The compressor's.
    pub(crate) fn add(&mut self, capture: &Capture, offset_secs: u32, damage: Damage) -> io::Result<()> {
        let ids = [(); 3].map(|()| uuid(&mut self.stream));
        let [request_id, response_id, metadata_id] = &ids;
        let date = format!("{}T{}Z", self.day.date, self.day.clock(offset_secs));
        let common = |kind: &str, id: &str, content_type: &str| {
            format!(
                "WARC-Type: {kind}\r\nWARC-Date: {date}\r\nWARC-Record-ID: <urn:uuid:{id}>\r\n\
                 Content-Type: {content_type}\r\nWARC-Warcinfo-ID: <urn:uuid:{}>\r\n\
                 WARC-Target-URI: {}\r\n",
                self.warcinfo_id, capture.url,
            )
        };
        let address = "WARC-IP-Address: 192.0.2.10\r\n";

        let request = request(&capture.url);
        let head = common("request", request_id, "application/http; msgtype=request") + address;
        let request = member(&head, request.as_bytes())?;

        let block = self.response(capture, offset_secs);
        let head = common("response", response_id, "application/http; msgtype=response")
            + address
            + &format!(
                "WARC-Concurrent-To: <urn:uuid:{request_id}>\r\n\
                 WARC-Payload-Digest: {}\r\nWARC-Block-Digest: {}\r\n\
                 WARC-Identified-Payload-Type: {}\r\n",
                sha1(&capture.body),
                sha1(&block),
                capture.payload_type,
            );
        let response = damaged(member(&head, &block)?, damage);

        let fields = format!("fetchTimeMs: {}\r\ncharset-detected: UTF-8\r\n\r\n", 100 + offset_secs % 400);
        let head = common("metadata", metadata_id, "application/warc-fields")
            + &format!("WARC-Concurrent-To: <urn:uuid:{response_id}>\r\n");
        let metadata = member(&head, fields.as_bytes())?;

        self.bytes.extend([request, response, metadata].concat());
        Ok(())
    }

    /// Ends the file.
    pub(crate) fn finish(self) -> Vec<u8> {
        self.bytes
    }

    fn response(&self, capture: &Capture, offset_secs: u32) -> Vec<u8> {
        let reason = match capture.status {
            200 => "OK",
            301 => "Moved Permanently",
            _ => "Not Found",
        };
        let head = format!(
            "HTTP/1.1 {} {reason}\r\nDate: {} {} GMT\r\nServer: nginx\r\nContent-Type: {}\r\n\
             X-Crawl-Transfer-Encoding: chunked\r\n{}Content-Length: {}\r\n\r\n",
            capture.status,
            self.day.http,
            self.day.clock(offset_secs),
            capture.content_type,
            capture.headers,
            capture.body.len(),
        );
        [head.as_bytes(), &capture.body].concat()
    }
}

fn request(url: &str) -> String {
    let rest = url.strip_prefix("https://").unwrap_or(url);
    let (host, path) = rest.split_once('/').unwrap_or((rest, ""));
    format!(
        "GET /{path} HTTP/1.1\r\nUser-Agent: CCBot/2.0 (https://commoncrawl.org/faq/)\r\n\
         Accept: text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8\r\n\
         Accept-Language: en-US,en;q=0.5\r\nHost: {host}\r\nConnection: Keep-Alive\r\n\r\n"
    )
}

/// Compresses one record as one gzip member; `head` lacks `Content-Length`.
fn member(head: &str, block: &[u8]) -> io::Result<Vec<u8>> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
    write!(encoder, "WARC/1.0\r\n{head}Content-Length: {}\r\n\r\n", block.len())?;
    encoder.write_all(block)?;
    encoder.write_all(b"\r\n\r\n")?;
    encoder.finish()
}

fn damaged(mut member: Vec<u8>, damage: Damage) -> Vec<u8> {
    match damage {
        Damage::None => {}
        Damage::Cut => member.truncate(member.len() * 3 / 5),
        Damage::Flipped => {
            let middle = member.len() / 2;
            if let Some(byte) = member.get_mut(middle) {
                *byte ^= 0x55;
            }
        }
    }
    member
}

/// Compresses lines, as the lists of paths are.
///
/// # Errors
/// The compressor's.
pub(crate) fn gzip(text: &str) -> io::Result<Vec<u8>> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
    encoder.write_all(text.as_bytes())?;
    encoder.finish()
}

/// Writes a digest as WARC headers have it: `sha1:` and base 32.
fn sha1(bytes: &[u8]) -> String {
    let mut text = String::from("sha1:");
    // 20 bytes are four groups of 40 bits, which are eight letters each.
    for group in Sha1::digest(bytes).chunks(5) {
        let bits = group.iter().fold(0_u64, |bits, byte| bits << 8 | u64::from(*byte));
        for letter in (0..8).rev() {
            text.push(char::from(BASE32[(bits >> (5 * letter) & 31) as usize]));
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_digest_of_nothing_is_the_well_known_one() {
        assert_eq!(sha1(b""), "sha1:3I42H3S6NNFQ2MSVX7XZKYAYSCX5QBYJ");
    }

    #[test]
    fn clocks_count_from_the_start_of_the_file() {
        let day = Day { date: "2020-11-23", http: "Mon, 23 Nov 2020", start_secs: 56306 };
        assert_eq!(day.clock(0), "15:38:26");
        assert_eq!(day.clock(10_799), "18:38:25");
    }
}
