//! What became of a target, whatever it was.

use crate::column::record;
use crate::stream::Stream;

/// What servers answered.
pub const FETCHED: Stream<Fetched> = Stream::new("fetched");

record! {
    /// The outcome for one URL of a pass; every URL has a row.
    pub struct Fetched in "fetched/1" {
        /// The target's key.
        pub key: [u8; 16],
        /// The URL.
        pub url: String,
        /// `kept`, `retry` (the next pass tries it) or `failed`.
        pub status: String,
        /// Why there is no image.
        pub reason: Option<String>,
        /// The HTTP status, if the server answered.
        pub http_status: Option<u16>,
        /// Size of the body in bytes.
        pub body_bytes: Option<u64>,
        /// The server's content type.
        pub content_type: Option<String>,
        /// The URL after redirects.
        pub final_url: Option<String>,
    }
}
