//! The resolver: names to addresses, of which the guard may take some away.
//!
//! The check belongs here and not before the request: a name could resolve to another
//! address when it is asked a second time.

use std::net::{IpAddr, SocketAddr};

use reqwest::dns::{Addrs, Name, Resolve, Resolving};

use super::FetchError;
use super::guard::is_public;

/// The system's resolver behind the address guard.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Resolver {
    /// Whether private addresses are taken away.
    pub(crate) public_only: bool,
}

impl Resolve for Resolver {
    fn resolve(&self, name: Name) -> Resolving {
        let public_only = self.public_only;
        Box::pin(async move {
            let found = tokio::net::lookup_host((name.as_str(), 0)).await;
            let found: Vec<IpAddr> =
                found.map_err(|_| FetchError::Dns)?.map(|address| address.ip()).collect();
            let kept = keep(found, public_only, name.as_str())?;
            Ok(Box::new(kept.into_iter().map(|ip| SocketAddr::new(ip, 0))) as Addrs)
        })
    }
}

fn keep(found: Vec<IpAddr>, public_only: bool, name: &str) -> Result<Vec<IpAddr>, FetchError> {
    if found.is_empty() {
        return Err(FetchError::Dns);
    }
    let kept: Vec<IpAddr> = found.into_iter().filter(|address| !public_only || is_public(*address)).collect();
    match kept.is_empty() {
        true => Err(FetchError::AddressRefused(name.to_owned())),
        false => Ok(kept),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::net::Ipv4Addr;

    #[test]
    fn a_name_that_resolves_to_private_addresses_is_refused() {
        let private = IpAddr::V4(Ipv4Addr::new(10, 0, 0, 1));
        let public = IpAddr::V4(Ipv4Addr::new(1, 1, 1, 1));
        let refused = Err(FetchError::AddressRefused("rebound.example".into()));
        assert_eq!(keep(vec![private], true, "rebound.example"), refused);
        assert_eq!(keep(vec![private, public], true, "a"), Ok(vec![public]));
        assert_eq!(keep(vec![private], false, "a"), Ok(vec![private]));
        assert_eq!(keep(vec![], false, "a"), Err(FetchError::Dns));
    }
}
