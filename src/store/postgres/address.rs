//! Where a state in PostgreSQL is: the URL of its database, and which of the states there it is.
//!
//! Never shows a password. Connects to nothing.

use std::fmt;
use std::path::PathBuf;
use std::time::Duration;

use secrecy::{ExposeSecret, SecretString};
use tokio_postgres::config::{Host, SslMode};

use crate::state::{DatabaseUrl, Location};

/// How long a connection may take to come about, where the URL does not say.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);

/// Longest name of a state, in bytes.
const MAX_NAME_BYTES: usize = 128;

/// The address of a state in a database.
#[derive(Clone)]
pub(super) struct Address {
    pub(super) config: tokio_postgres::Config,
    /// Whose certificates are accepted beside those that the system trusts: a file in PEM form.
    pub(super) root_certificates: Option<PathBuf>,
    state: String,
    shown: String,
}

/// Why a text is no address of a state.
#[derive(Debug, thiserror::Error)]
pub enum InvalidAddress {
    #[error("it does not begin with postgres://")]
    Scheme,
    #[error("it does not name a state: put ?state=NAME at its end, a name for each directory of contacts")]
    NoState,
    #[error(
        "the name of a state has 1 to {MAX_NAME_BYTES} letters, digits and . _ -, and begins with a letter or a digit"
    )]
    StateName,
    #[error("sslmode is disable, prefer, require, verify-ca or verify-full")]
    SslMode,
    #[error("{0}")]
    Malformed(String),
}

impl fmt::Debug for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.shown)
    }
}

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.shown)
    }
}

/// Returns the place of a state that a person names by a URL; see [`is_meant`].
///
/// `password` is for a URL that holds none. `directory` is where processes of this machine that use it meet.
pub fn database(
    text: &str,
    password: Option<&SecretString>,
    directory: impl FnOnce(&str, &str) -> PathBuf,
) -> Result<Location, InvalidAddress> {
    let address = Address::parse(text, password)?;
    let url = match password {
        Some(password) => with_password(text, password.expose_secret()),
        None => text.to_owned(),
    };
    let url = DatabaseUrl::new(url.into(), &address.shown);
    Ok(Location::Database { url, directory: directory(&address.shown, address.state()) })
}

/// Puts a password into a URL that has none, wherever its user stands.
fn with_password(text: &str, password: &str) -> String {
    let (place, query) = text.split_once('?').unwrap_or((text, ""));
    let has_one = place.split_once("://").is_some_and(|(_, rest)| {
        let authority = rest.split('/').next().unwrap_or_default();
        authority.rsplit_once('@').is_some_and(|(user, _)| user.contains(':'))
    });
    if has_one {
        return text.to_owned();
    }
    let password: String = url::form_urlencoded::byte_serialize(password.as_bytes()).collect();
    format!("{place}?{query}&password={}", password.replace('+', "%20"))
}

/// Reports whether a text is meant as the URL of a database, and not as a path.
pub(crate) fn is_meant(text: &str) -> bool {
    text.starts_with("postgres://") || text.starts_with("postgresql://")
}

impl Address {
    /// Reads a URL of the form `postgres://USER@HOST/DATABASE?state=NAME`, with libpq's other parameters.
    ///
    /// `password` is for a URL that holds none.
    pub(super) fn parse(text: &str, password: Option<&SecretString>) -> Result<Self, InvalidAddress> {
        if !is_meant(text) {
            return Err(InvalidAddress::Scheme);
        }
        let (place, query) = text.split_once('?').unwrap_or((text, ""));
        let (mut state, mut mode, mut root_certificates) = (None, None, None);
        let mut rest = url::form_urlencoded::Serializer::new(String::new());
        for (name, value) in url::form_urlencoded::parse(query.as_bytes()) {
            match &*name {
                "state" => state = Some(value.into_owned()),
                "sslmode" => mode = Some(value.into_owned()),
                "sslrootcert" => root_certificates = Some(value.into_owned().into()),
                _ => drop(rest.append_pair(&name, &value)),
            }
        }
        let state = state.ok_or(InvalidAddress::NoState)?;
        if !is_name(&state) {
            return Err(InvalidAddress::StateName);
        }
        // Blanks are written as %20 there; form encoding writes a plus sign.
        let rest = rest.finish().replace('+', "%20");
        let given = format!("{place}?{rest}").trim_end_matches('?').to_owned();
        let mut config: tokio_postgres::Config = given.parse().map_err(|error| malformed(&error))?;
        if config.get_password().is_none()
            && let Some(password) = password
        {
            config.password(password.expose_secret());
        }
        if config.get_connect_timeout().is_none() {
            config.connect_timeout(CONNECT_TIMEOUT);
        }
        config.application_name("contactsd");
        config.ssl_mode(ssl_mode(mode.as_deref(), config.get_hosts())?);
        let shown = format!("{}?state={state}", without_password(place));
        Ok(Self { config, root_certificates, state, shown })
    }

    /// Returns the name of the state in its database.
    pub(super) fn state(&self) -> &str {
        &self.state
    }
}

/// Reads libpq's word for whether TLS is used. Where it is, the certificate is always proven: libpq's `require` does
/// not, and would send the password to whoever answers.
///
/// Without a word, TLS is used for all hosts but this machine.
fn ssl_mode(word: Option<&str>, hosts: &[Host]) -> Result<SslMode, InvalidAddress> {
    match word {
        Some("disable") => Ok(SslMode::Disable),
        Some("allow" | "prefer") => Ok(SslMode::Prefer),
        Some("require" | "verify-ca" | "verify-full") => Ok(SslMode::Require),
        Some(_) => Err(InvalidAddress::SslMode),
        None if hosts.iter().all(is_this_machine) => Ok(SslMode::Disable),
        None => Ok(SslMode::Require),
    }
}

fn is_this_machine(host: &Host) -> bool {
    match host {
        Host::Unix(_) => true,
        Host::Tcp(name) => name == "localhost" || name.parse().is_ok_and(|ip: std::net::IpAddr| ip.is_loopback()),
    }
}

fn is_name(text: &str) -> bool {
    let begins = text.starts_with(|first: char| first.is_ascii_alphanumeric());
    let is_allowed = |c: char| c.is_ascii_alphanumeric() || "._-".contains(c);
    begins && text.len() <= MAX_NAME_BYTES && text.chars().all(is_allowed)
}

/// Takes the password out of a URL's place, whatever else is in it.
fn without_password(place: &str) -> String {
    let (scheme, rest) = place.split_once("://").expect("the scheme was looked at");
    let (authority, path) = rest.split_at(rest.find('/').unwrap_or(rest.len()));
    match authority.rsplit_once('@') {
        Some((user, host)) => {
            let user = user.split(':').next().unwrap_or_default();
            format!("{scheme}://{user}@{host}{path}")
        }
        None => place.to_owned(),
    }
}

/// Says what is wrong by the cause alone: the error itself may repeat a part of the URL.
fn malformed(error: &tokio_postgres::Error) -> InvalidAddress {
    let cause = std::error::Error::source(error).map_or_else(|| "it is no URL".to_owned(), ToString::to_string);
    InvalidAddress::Malformed(cause)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(text: &str) -> Result<Address, String> {
        Address::parse(text, None).map_err(|error| error.to_string())
    }

    #[test]
    fn an_address_names_its_state_and_never_shows_its_password() {
        let address = parse("postgres://sales:s3cret@db.example.com:6432/crm?state=emea&application_name=x").unwrap();
        assert_eq!(address.state(), "emea");
        assert_eq!(address.to_string(), "postgres://sales@db.example.com:6432/crm?state=emea");
        assert!(!format!("{address:?}").contains("s3cret"));
        assert_eq!(address.config.get_password(), Some(&b"s3cret"[..]));
        assert_eq!(address.config.get_ports(), [6432]);
        for text in ["postgres://u:s3cret@h/d?state=", "postgres://u:s3cret@h/d", "postgres://u:s3cret@h:x/d?state=a"] {
            assert!(!parse(text).unwrap_err().contains("s3cret"), "{text}");
        }
    }

    #[test]
    fn a_password_from_elsewhere_is_for_urls_without_one() {
        let elsewhere = SecretString::from("elsewhere");
        let password = |text: &str| {
            let address = Address::parse(text, Some(&elsewhere)).unwrap();
            String::from_utf8(address.config.get_password().unwrap().to_owned()).unwrap()
        };
        assert_eq!(password("postgres://sales@h/d?state=a"), "elsewhere");
        assert_eq!(password("postgres://sales:own@h/d?state=a"), "own");
    }

    #[test]
    fn names_of_states_are_plain() {
        for name in ["a", "emea", "Team-A.sales_2", "0"] {
            assert_eq!(parse(&format!("postgres://h/d?state={name}")).unwrap().state(), name);
        }
        for name in ["", "-a", "a/b", "a%20b", "%C3%A4", &"x".repeat(129)] {
            assert!(parse(&format!("postgres://h/d?state={name}")).is_err(), "{name}");
        }
        assert!(parse("postgres://h/d").unwrap_err().contains("?state=NAME"));
    }

    #[test]
    fn tls_is_used_for_all_hosts_but_this_machine() {
        let mode = |text: &str| parse(&format!("postgres://{text}")).unwrap().config.get_ssl_mode();
        assert_eq!(mode("db.example.com/d?state=a"), SslMode::Require);
        assert_eq!(mode("localhost/d?state=a"), SslMode::Disable);
        assert_eq!(mode("127.0.0.1,db.example.com/d?state=a"), SslMode::Require);
        assert_eq!(mode("%2Frun%2Fpostgresql/d?state=a"), SslMode::Disable);
        assert_eq!(mode("db.example.com/d?state=a&sslmode=disable"), SslMode::Disable);
        assert_eq!(mode("localhost/d?state=a&sslmode=verify-full"), SslMode::Require);
        assert!(parse("postgres://h/d?state=a&sslmode=on").unwrap_err().contains("verify-full"));
    }

    #[test]
    fn parameters_of_libpq_are_kept() {
        let address = parse("postgresql://h/d?state=a&options=-c%20search_path%3Dcontactsd&connect_timeout=3").unwrap();
        assert_eq!(address.config.get_options(), Some("-c search_path=contactsd"));
        assert_eq!(address.config.get_connect_timeout(), Some(&Duration::from_secs(3)));
    }
}
