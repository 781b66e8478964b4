//! Where the API is, who asks, and how long to wait; never the way to a host that must not see the key.

use std::fmt;
use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use reqwest::header::{ACCEPT, AUTHORIZATION, CACHE_CONTROL, HeaderMap, HeaderName, HeaderValue};
use secrecy::{ExposeSecret, SecretString};
use url::{Host, Url};

use super::Error;
use crate::model::IdentityKey;

/// The address of Apollo's API.
///
/// Source: `servers` of the vendor's published API description (`docs/api-notes.md#address-and-authentication`).
pub const PRODUCTION_URL: &str = "https://api.apollo.io/api/v1";

/// Longest wait for a connection, name look-up and TLS included.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);

/// Longest wait for one whole request, from the name look-up to the last byte of the answer.
const REQUEST_TIMEOUT: Duration = Duration::from_mins(1);

/// How long an unused connection is kept.
///
/// Well below what servers and middleboxes use: a create sent on a connection that the other side
/// is just closing has an unknown outcome and costs a look-up.
const IDLE_TIMEOUT: Duration = Duration::from_secs(20);

/// What the API knows us by.
#[derive(Clone)]
pub enum Credential {
    /// Sent as `x-api-key`; as a bearer token the API refuses it.
    ApiKey(SecretString),
    /// Sent as `Authorization: Bearer`.
    AccessToken(SecretString),
}

impl fmt::Debug for Credential {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::ApiKey(_) => f.write_str("ApiKey(****)"),
            Self::AccessToken(_) => f.write_str("AccessToken(****)"),
        }
    }
}

impl Credential {
    /// Returns a hash by which a state knows the credential again, keyed so that it reveals nothing.
    pub fn keyed_hash(&self, key: &IdentityKey) -> String {
        let kind = match self {
            Self::ApiKey(_) => "key:",
            Self::AccessToken(_) => "token:",
        };
        let mut hasher = blake3::Hasher::new_keyed(&key.0);
        hasher.update(kind.as_bytes()).update(self.secret().expose_secret().as_bytes());
        hasher.finalize().to_hex()[..32].to_owned()
    }

    pub(super) fn secret(&self) -> &SecretString {
        match self {
            Self::ApiKey(secret) | Self::AccessToken(secret) => secret,
        }
    }

    fn header(&self) -> Result<(HeaderName, HeaderValue), Error> {
        let (name, text) = match self {
            Self::ApiKey(key) => (HeaderName::from_static("x-api-key"), key.expose_secret().to_owned()),
            Self::AccessToken(token) => (AUTHORIZATION, format!("Bearer {}", token.expose_secret())),
        };
        // The error of the conversion is left out: it says no more, and must not come near the secret.
        let mut value = HeaderValue::from_str(&text).map_err(|_| Error::Credential)?;
        value.set_sensitive(true);
        Ok((name, value))
    }
}

/// Everything a [`super::Client`] is made from.
#[derive(Clone)]
pub struct Options {
    /// The address that paths such as `/contacts` are appended to.
    pub base_url: Url,
    pub credential: Credential,
    /// Longest wait for a connection. Default 10 s.
    pub connect_timeout: Duration,
    /// Longest wait for one whole request. Default 60 s.
    pub request_timeout: Duration,
    pub user_agent: String,
}

impl Options {
    /// Takes the default timeouts and our own user agent.
    pub fn new(base_url: Url, credential: Credential) -> Self {
        Self {
            base_url,
            credential,
            connect_timeout: CONNECT_TIMEOUT,
            request_timeout: REQUEST_TIMEOUT,
            user_agent: concat!("contactsd/", env!("CARGO_PKG_VERSION")).to_owned(),
        }
    }

    /// Builds the HTTP client: no redirects, no retries, no proxy to this machine, no plain HTTP beyond it.
    pub(super) fn http(&self) -> Result<reqwest::Client, Error> {
        let loopback = check_base_url(&self.base_url)?;
        // Fails only when a provider is installed already, which then serves as well.
        let _installed_before = rustls::crypto::ring::default_provider().install_default();
        let mut builder = reqwest::Client::builder()
            .user_agent(&self.user_agent)
            .default_headers(self.headers()?)
            .connect_timeout(self.connect_timeout)
            .timeout(self.request_timeout)
            .pool_idle_timeout(IDLE_TIMEOUT)
            .redirect(reqwest::redirect::Policy::none())
            .retry(reqwest::retry::never());
        if loopback {
            // The name is pinned, so that no hosts file sends plain HTTP off this machine.
            let here = [SocketAddr::from((Ipv4Addr::LOCALHOST, 0)), SocketAddr::from((Ipv6Addr::LOCALHOST, 0))];
            builder = builder.no_proxy().resolve_to_addrs("localhost", &here);
        }
        if self.base_url.scheme() == "http" {
            // No TLS will happen: do not load, or insist on, the system's certificates.
            builder = builder.tls_certs_only(std::iter::empty());
        }
        builder.build().map_err(|source| Error::Setup { source: Arc::new(source.without_url()) })
    }

    fn headers(&self) -> Result<HeaderMap, Error> {
        let (name, value) = self.credential.header()?;
        Ok(HeaderMap::from_iter([
            (name, value),
            (ACCEPT, HeaderValue::from_static("application/json")),
            (CACHE_CONTROL, HeaderValue::from_static("no-cache")),
        ]))
    }
}

/// Reports whether `url` is this machine; an error when it is no address to send a credential to.
fn check_base_url(url: &Url) -> Result<bool, Error> {
    let unusable = |problem| Error::BaseUrl { url: shown(url), problem };
    if !url.username().is_empty() || url.password().is_some() {
        return Err(unusable("it holds a user name or password"));
    }
    if url.query().is_some() || url.fragment().is_some() {
        return Err(unusable("it holds a query or a fragment"));
    }
    let loopback = match url.host() {
        Some(Host::Domain(name)) => name == "localhost",
        Some(Host::Ipv4(address)) => address.is_loopback(),
        Some(Host::Ipv6(address)) => address.is_loopback(),
        None => return Err(unusable("it names no host")),
    };
    match url.scheme() {
        "https" => Ok(loopback),
        "http" if loopback => Ok(true),
        "http" => Err(Error::Insecure { url: shown(url) }),
        _ => Err(unusable("its scheme is not https")),
    }
}

/// Writes `url` without the parts that may hold a secret.
fn shown(url: &Url) -> String {
    match url.host_str() {
        Some(host) => format!("{}://{host}{}", url.scheme(), url.path()),
        None => format!("{}:", url.scheme()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn http(url: &str) -> Result<reqwest::Client, Error> {
        Options::new(Url::parse(url).unwrap(), Credential::ApiKey("not-shown".into())).http()
    }

    #[test]
    fn plain_http_goes_to_this_machine_only() {
        for url in ["http://127.0.0.1:1/api/v1", "http://[::1]:1", "http://localhost:1", "http://127.9.9.9"] {
            assert!(http(url).is_ok(), "{url}");
        }
        for url in
            ["http://api.example.com", "http://localhost.example.com", "http://192.0.2.1", "http://[2001:db8::1]"]
        {
            assert!(matches!(http(url), Err(Error::Insecure { .. })), "{url}");
        }
    }

    #[test]
    fn an_address_that_holds_a_secret_or_no_host_is_refused_without_showing_it() {
        for url in
            ["https://ann:hunter2@api.example.com", "https://api.example.com/?key=hunter2", "mailto:a@example.com"]
        {
            let error = http(url).unwrap_err();
            assert!(matches!(error, Error::BaseUrl { .. }), "{url}");
            assert!(!format!("{error} {error:?}").contains("hunter2"), "{error}");
        }
    }

    #[test]
    fn a_credential_is_never_shown() {
        let key = Credential::ApiKey("hunter2".into());
        let token = Credential::AccessToken("hunter2".into());
        assert_eq!(format!("{key:?} {token:?}"), "ApiKey(****) AccessToken(****)");
        let client = http("http://127.0.0.1:1").unwrap();
        assert!(!format!("{client:?}").contains("not-shown"));
    }

    #[test]
    fn a_credential_with_a_line_break_is_refused_without_showing_it() {
        let options =
            Options::new(Url::parse("http://127.0.0.1:1").unwrap(), Credential::ApiKey("hunter2\nx: y".into()));
        let error = options.http().unwrap_err();
        assert!(matches!(error, Error::Credential));
        assert!(!format!("{error:?}").contains("hunter2"));
    }
}
