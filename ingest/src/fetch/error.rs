//! Every way in which a URL can fail, with the reason under which it is counted.

use corpus::handles;

/// Why there is no body.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum FetchError {
    /// It is no absolute URL with a host.
    #[error("not a usable URL")]
    UrlInvalid,
    /// Its scheme is neither http nor https.
    #[error("scheme {0} is refused")]
    SchemeRefused(String),
    /// It names or resolves to an address that records may not reach.
    #[error("address of {0} is refused")]
    AddressRefused(String),
    /// The name does not exist or has no address.
    #[error("name does not resolve")]
    Dns,
    /// No name server answered: the resolver is overloaded or away, the name may be fine.
    #[error("no answer of a name server: {0}")]
    DnsFailed(String),
    /// The name could not be resolved and judged here, which it has to be before a proxy is told of it.
    #[error(
        "{0}; names are judged here before the proxy is told of them: where only the proxy resolves names, set \
         fetch.proxy_names = \"always\""
    )]
    Unjudged(Box<FetchError>),
    /// No connection could be made.
    #[error("no connection: {0}")]
    Connect(String),
    /// The server's machine refused the connection.
    #[error("no connection: {0}")]
    ConnectRefused(String),
    /// No connection to the proxy could be made, or it broke before the proxy answered.
    #[error("no connection to the proxy {detail}")]
    ProxyUnreachable {
        /// The proxy, and what happened.
        detail: String,
        /// Whether waiting does not help: nobody listens there, or it is not trusted.
        is_lasting: bool,
    },
    /// The proxy does not let us: with 407 it wants a user and a password.
    #[error("the proxy refuses with status {0}{hint}", hint = proxy_hint(*.0))]
    ProxyRefused(u16),
    /// The proxy let us, and reached nothing itself.
    #[error("the proxy reached nothing, status {0}")]
    ProxyFailed(u16),
    /// The connection broke before an answer came.
    #[error("the connection broke: {0}")]
    Cut(String),
    /// The TLS handshake failed.
    #[error("TLS failed: {0}")]
    Tls(String),
    /// No byte for too long, or the deadline passed.
    #[error("timed out")]
    Timeout,
    /// The body ended before its length, or the connection broke within it.
    #[error("body ended early")]
    BodyTruncated,
    /// The body is larger than allowed.
    #[error("body is larger than {0} bytes")]
    BodyTooLarge(u64),
    /// More redirects than allowed.
    #[error("more than {0} redirects")]
    RedirectLimit(u32),
    /// A status other than 200.
    #[error("status {0}")]
    Status(u16),
    /// The file ends before the range that was asked for.
    #[error("the file ends within the range")]
    RangeBeyondEnd,
    /// The answer is not HTTP.
    #[error("answer is not HTTP: {0}")]
    HttpBroken(String),
    /// `X-Robots-Tag` asks not to use it.
    #[error("X-Robots-Tag says {0}")]
    RobotsTag(String),
    /// `robots.txt` asks to leave the path alone.
    #[error("robots.txt says {0}")]
    RobotsTxt(String),
    /// The host asked to be left alone for longer than is waited for.
    #[error("the host asked for rest")]
    HostResting,
    /// Our own code panicked on the answer.
    #[error("panic while fetching")]
    Panic,
    /// This process may open no more files or connections, which says nothing about the URL.
    #[error(
        "this process may open no more files and connections: raise `ulimit -n`, or lower fetch.concurrency"
    )]
    OutOfHandles,
    /// A body that was put aside on our own disk could not be read back.
    #[error("a body that was put aside cannot be read back: {0}")]
    Spill(String),
}

impl FetchError {
    /// Returns the reason under which the URL is failed, one word of a closed set.
    pub fn reason(&self) -> String {
        let fixed = match self {
            Self::Status(status) => return format!("http_{status}"),
            Self::Unjudged(error) => return error.reason(),
            Self::UrlInvalid => "url_invalid",
            Self::SchemeRefused(_) => "scheme_refused",
            Self::AddressRefused(_) => "address_refused",
            Self::Dns => "dns",
            Self::DnsFailed(_) => "dns_failed",
            Self::Connect(_) | Self::ConnectRefused(_) | Self::Cut(_) => "connect",
            Self::ProxyUnreachable { .. } => "proxy_unreachable",
            Self::ProxyRefused(_) => "proxy_refused",
            Self::ProxyFailed(_) => "proxy_failed",
            Self::Tls(_) => "tls",
            Self::Timeout => "timeout",
            Self::BodyTruncated => "body_truncated",
            Self::BodyTooLarge(_) => "body_too_large",
            Self::RedirectLimit(_) => "redirect_limit",
            Self::RangeBeyondEnd => "range_beyond_end",
            Self::HttpBroken(_) => "http_broken",
            Self::RobotsTag(_) => "robots_tag",
            Self::RobotsTxt(_) => "robots_txt",
            Self::HostResting => "host_resting",
            Self::Panic => "panic",
            Self::OutOfHandles => "out_of_handles",
            Self::Spill(_) => "spill",
        };
        fixed.to_owned()
    }

    /// Returns true if and only if the fault is our own or this machine's: no outcome of the URL.
    pub fn is_ours(&self) -> bool {
        matches!(self, Self::OutOfHandles | Self::Spill(_))
    }

    /// Returns true for what happens to a connection while its process stands still.
    pub(super) fn is_of_time(&self) -> bool {
        matches!(
            self,
            Self::Timeout | Self::Cut(_) | Self::BodyTruncated | Self::Connect(_) | Self::DnsFailed(_)
        )
    }

    /// Returns true if and only if the same URL may answer later.
    pub fn is_transient(&self) -> bool {
        match self {
            Self::DnsFailed(_)
            | Self::Connect(_)
            | Self::ConnectRefused(_)
            | Self::ProxyUnreachable { .. }
            | Self::ProxyRefused(_)
            | Self::ProxyFailed(_)
            | Self::Cut(_)
            | Self::Timeout
            | Self::BodyTruncated
            | Self::HostResting
            | Self::OutOfHandles
            | Self::Spill(_) => true,
            Self::Status(status) => *status == 429 || (500..600).contains(status),
            Self::Unjudged(error) => error.is_transient(),
            _ => false,
        }
    }

    /// Returns true if and only if nobody listens at the server, or the proxy before it wants nothing of us: what
    /// somebody has to set right, and waiting does not.
    pub(super) fn is_refusal(&self) -> bool {
        matches!(
            self,
            Self::ConnectRefused(_) | Self::ProxyUnreachable { is_lasting: true, .. } | Self::ProxyRefused(_)
        )
    }

    /// Classifies what the HTTP library reports, by the chain of its causes.
    pub(crate) fn classify(error: &reqwest::Error, in_body: bool) -> Self {
        Self::of_causes(error).unwrap_or_else(|root| match () {
            () if error.is_timeout() => Self::Timeout,
            () if error.is_connect() => Self::Connect(root),
            () if in_body => Self::BodyTruncated,
            () if error.is_builder() => Self::UrlInvalid,
            () if is_parse(error) => Self::HttpBroken(root),
            () => Self::Cut(root),
        })
    }

    /// Classifies what the HTTP library reports of a request through a proxy.
    pub(super) fn classify_proxied(error: &hyper_util::client::legacy::Error) -> Self {
        Self::of_causes(error).unwrap_or_else(|root| match () {
            () if error.is_connect() => Self::Connect(root),
            () if is_parse(error) => Self::HttpBroken(root),
            () => Self::Cut(root),
        })
    }

    /// Finds what is known by its type in the chain of an error's causes.
    ///
    /// # Errors
    /// The words of the last cause, if nothing is.
    pub(super) fn of_causes(error: &(dyn std::error::Error + 'static)) -> Result<Self, String> {
        let mut cause = Some(error);
        let mut root = error.to_string();
        while let Some(error) = cause {
            root = error.to_string();
            if let Some(ours) = error.downcast_ref::<Self>() {
                return Ok(ours.clone());
            }
            if error.is::<rustls::Error>() {
                return Ok(Self::Tls(root));
            }
            let io = error.downcast_ref::<std::io::Error>();
            if io.is_some_and(handles::are_exhausted) {
                return Ok(Self::OutOfHandles);
            }
            if io.is_some_and(|error| error.kind() == std::io::ErrorKind::ConnectionRefused) {
                return Ok(Self::ConnectRefused(root));
            }
            cause = match io.and_then(|error| error.get_ref()) {
                // An IO error shows its inner error's causes but not the inner error itself.
                Some(inner) => Some(inner),
                None => error.source(),
            };
        }
        Err(root)
    }
}

/// Says what to do where a proxy refuses.
fn proxy_hint(status: u16) -> &'static str {
    match status {
        407 => ": it wants a user and a password, as in https_proxy=http://user:password@host:port",
        _ => {
            ": it may allow tunnels to names alone (fetch.proxy_names = \"always\"), or to port 443 alone, but not to \
             addresses"
        }
    }
}

/// How the HTTP library begins what it says of an answer that is none.
const PARSE_ERRORS: [&str; 4] =
    ["invalid HTTP", "invalid content-length", "unexpected transfer-encoding", "message head is too large"];

/// Tells an answer that is not HTTP from a connection that broke. The HTTP library does not
/// expose its parse errors as types, only by this wording.
fn is_parse(error: &dyn std::error::Error) -> bool {
    let mut cause = error.source();
    while let Some(error) = cause {
        let text = error.to_string();
        if PARSE_ERRORS.iter().any(|beginning| text.starts_with(beginning)) {
            return true;
        }
        cause = error.source();
    }
    false
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_may_pass_is_transient() {
        for error in [
            FetchError::Timeout,
            FetchError::DnsFailed("timed out".into()),
            FetchError::Status(429),
            FetchError::Status(503),
        ] {
            assert!(error.is_transient(), "{error}");
        }
        for error in [
            FetchError::Status(404),
            FetchError::Dns,
            FetchError::AddressRefused("10.0.0.1".into()),
            FetchError::Tls("expired".into()),
        ] {
            assert!(!error.is_transient(), "{error}");
        }
        assert_eq!(FetchError::Status(410).reason(), "http_410");
        for (error, is_transient) in [(FetchError::Dns, false), (FetchError::DnsFailed("busy".into()), true)]
        {
            let unjudged = FetchError::Unjudged(Box::new(error.clone()));
            assert_eq!((unjudged.reason(), unjudged.is_transient()), (error.reason(), is_transient));
        }
    }

    #[test]
    fn of_statuses_too_many_requests_and_faults_of_servers_are_transient() {
        for status in [429, 500, 502, 503, 504, 599] {
            assert!(FetchError::Status(status).is_transient(), "{status}");
        }
        for status in [201, 204, 206, 304, 400, 401, 403, 404, 410, 416, 428, 430, 451, 499, 600] {
            assert!(!FetchError::Status(status).is_transient(), "{status}");
        }
    }

    #[test]
    fn every_other_error_is_transient_or_not_for_a_reason() {
        let text = String::new;
        let transient = [
            FetchError::DnsFailed(text()),
            FetchError::Connect(text()),
            FetchError::ConnectRefused(text()),
            FetchError::ProxyUnreachable { detail: text(), is_lasting: true },
            FetchError::ProxyRefused(407),
            FetchError::ProxyFailed(502),
            FetchError::Cut(text()),
            FetchError::Timeout,
            FetchError::BodyTruncated,
            FetchError::HostResting,
            FetchError::OutOfHandles,
            FetchError::Spill(text()),
        ];
        let lasting = [
            FetchError::UrlInvalid,
            FetchError::SchemeRefused(text()),
            FetchError::AddressRefused(text()),
            FetchError::Dns,
            FetchError::Tls(text()),
            FetchError::BodyTooLarge(1),
            FetchError::RedirectLimit(1),
            FetchError::RangeBeyondEnd,
            FetchError::HttpBroken(text()),
            FetchError::RobotsTag(text()),
            FetchError::RobotsTxt(text()),
            FetchError::Panic,
        ];
        assert!(transient.iter().all(FetchError::is_transient));
        assert!(!lasting.iter().any(FetchError::is_transient));
    }
}
