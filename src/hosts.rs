//! The names that a request may call a server of ours by.
//!
//! A page on the web can have its own name lead to this machine (DNS rebinding) and its browser then asks
//! here, naming the page's host. So only known names count. An address needs no check: a browser that
//! names an address was sent to that address, and what it fetched there belongs to nobody else.
//! Probes and scrapers that find their targets by address (a pod's, say) therefore need no settings.
//! Looks at what is asked and never answers.

use std::collections::BTreeSet;
use std::net::IpAddr;

use axum::http::uri::Authority;
use axum::http::{HeaderMap, Uri, header};

/// Why a request is not for this server.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Misdirected {
    /// It names no host or several.
    NotOneHost,
    /// It names a host that this server is not.
    OtherHost,
}

/// The names this server goes by, beside addresses.
#[derive(Debug)]
pub(crate) struct Hosts {
    names: BTreeSet<String>,
}

impl Hosts {
    pub(crate) fn new(names: &[String]) -> Self {
        let given = names.iter().map(|name| plain(name));
        Self { names: given.chain(["localhost".to_owned()]).collect() }
    }

    /// Looks at the host that a request names, in its headers and where it names one before its path.
    pub(crate) fn check(&self, headers: &HeaderMap, uri: &Uri) -> Result<(), Misdirected> {
        let mut named = headers.get_all(header::HOST).iter();
        let (Some(host), None) = (named.next(), named.next()) else { return Err(Misdirected::NotOneHost) };
        let is_known = host.to_str().is_ok_and(|host| self.knows(host));
        if is_known && uri.authority().is_none_or(|authority| self.knows_authority(authority)) {
            Ok(())
        } else {
            Err(Misdirected::OtherHost)
        }
    }

    /// Reports whether `host`, the content of a `Host` header with or without a port, is one of ours.
    ///
    /// The port is not looked at: one that forwards (`kubectl port-forward`) changes it.
    fn knows(&self, host: &str) -> bool {
        let Ok(authority) = host.parse::<Authority>() else { return false };
        self.knows_authority(&authority)
    }

    fn knows_authority(&self, authority: &Authority) -> bool {
        if authority.as_str().contains('@') {
            return false;
        }
        let host = authority.host();
        let bare = host.strip_prefix('[').and_then(|inner| inner.strip_suffix(']')).unwrap_or(host);
        bare.parse::<IpAddr>().is_ok() || self.names.contains(&plain(host))
    }
}

/// Writes a name as it is compared: in lower case, without the dot that may end it.
fn plain(name: &str) -> String {
    let name = name.to_ascii_lowercase();
    name.strip_suffix('.').map(str::to_owned).unwrap_or(name)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn knows(host: &str) -> bool {
        Hosts::new(&["Status.Example.com".to_owned()]).knows(host)
    }

    #[test]
    fn addresses_localhost_and_given_names_are_known() {
        for host in ["localhost", "LOCALHOST:9000", "127.0.0.1:8080", "10.42.0.7", "[::1]:8080", "[::1]"] {
            assert!(knows(host), "{host}");
        }
        for host in ["status.example.com", "status.example.com.:80", "STATUS.example.com:8080"] {
            assert!(knows(host), "{host}");
        }
    }

    #[test]
    fn other_names_are_not() {
        let others = [
            "",
            "evil.example.com",
            "localhost.evil.example.com",
            "127.0.0.1.evil.example.com",
            "example.com",
            "localhost@evil.example.com",
            "evil@localhost",
            "evil.example.com:localhost",
            "local host",
            "0x7f.1",
        ];
        for host in others {
            assert!(!knows(host), "{host}");
        }
    }
}
