//! The HTTP client: how anything is asked for outside, by whom it may be answered, and how
//! it fails.
//!
//! ```text
//! config     Config                     [fetch]: limits, politeness, opened addresses
//! guard      Guard                      which URLs and addresses are refused; pure
//! resolver   Resolver                   DNS, with the same guard on what a name resolves to
//! client     Client                     one request with its redirects, each hop checked again
//! transport  Transport                  sends a request, straight or through a proxy
//! proxy      Proxies                    which proxy a URL is asked through; pure
//! no_proxy   NoProxy                    which hosts are asked without one; pure
//! tunnel     Tunnels                    connections that proxies make, to judged addresses
//! headers    HostHeaders                further request headers of single hosts
//! hidden     Hidden                     settings that are never shown
//! pool       Pool                       its connections, bounded in number
//! slots      Slots, Turn                what is in flight at once: requests, hosts, bytes
//! adaptive_limit  AdaptiveLimit         how many requests that is: it adapts
//! heartbeat  Heartbeat                  whether this process stood still, which is no server's fault
//! hosts      Hosts, HostLimits          what one host is asked at once, how often, and its rests
//! in_order   InOrder, Outcome, Body     many record URLs at once, answers in input order
//! answer                                whether an answer is whole, and its body with codings undone
//! spill      Spill                      bodies on disk that came before their turn
//! source     SourceReader               one file of a source, read in sequence and resumed
//! range      Ranges, Ranged             parts of such a file, by themselves or as parquet asks
//! reach      Unreachable                whether anything can be reached at all
//! error      FetchError                 every way to fail, with its reason
//! trust      tls_config                 which certificates are believed
//! robots     refused_by                 X-Robots-Tag
//! robots_txt RobotsFiles                robots.txt
//! ```
//!
//! Two kinds of URL are told apart by [`client::Origin`]: those that the configuration names
//! (sources, mirrors), which are trusted, and those that records name, which are not.

mod adaptive_limit;
mod answer;
pub mod client;
pub mod config;
pub mod error;
pub mod guard;
pub mod headers;
pub mod heartbeat;
pub mod hidden;
mod hosts;
pub mod in_order;
mod no_proxy;
mod pool;
pub mod proxy;
pub mod range;
mod reach;
pub mod resolver;
pub mod robots;
pub mod robots_txt;
mod slots;
pub mod source;
mod spill;
mod transport;
mod trust;
mod tunnel;

pub use client::Client;
pub use config::Config;
pub use error::FetchError;
pub use in_order::{Body, InOrder, Outcome};
pub use range::Ranged;
pub use reach::Unreachable;
pub use source::SourceReader;

#[cfg(test)]
mod tests;
