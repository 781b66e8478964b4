//! Connections to the database of a state: encrypted where it is on another machine, and bounded in time.
//!
//! Uses no named statement, no setting of a session, no notice and no lock of a session, so that a pool that hands
//! connections out by transaction may stand in between. Sends each statement with the types of its parameters.

use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject;
use rustls::{ClientConfig, RootCertStore};
use rustls_platform_verifier::BuilderVerifierExt;
use tokio_postgres::config::SslMode;
use tokio_postgres::{Client, NoTls};
use tokio_postgres_rustls::MakeRustlsConnect;

use super::address::Address;
use super::error::Error;

/// How long one exchange with the database may take. Longer than any of ours needs, and shorter than a lease.
pub(super) const PATIENCE: Duration = Duration::from_secs(30);

/// Begins a transaction that the database ends by itself where its runner is stopped in the middle, so that whoever waits
/// for the same row waits for less than [`PATIENCE`].
pub(super) const BEGIN: &str = "BEGIN; SET LOCAL idle_in_transaction_session_timeout = 10000";

/// Opens connections to one database.
#[derive(Clone)]
pub(super) struct Connector {
    address: Arc<Address>,
    /// `None` where encryption is turned off.
    tls: Option<MakeRustlsConnect>,
}

impl Connector {
    pub(super) fn new(address: Arc<Address>) -> Result<Self, Error> {
        // Reading all certificates that the system trusts takes its time.
        let needs_tls = address.config.get_ssl_mode() != SslMode::Disable;
        let tls = needs_tls.then(|| tls(&address)).transpose()?;
        Ok(Self { address, tls })
    }

    pub(super) fn address(&self) -> &Arc<Address> {
        &self.address
    }

    /// Connects; the connection ends when the client is dropped.
    pub(super) async fn connect(&self) -> Result<Client, Error> {
        let config = &self.address.config;
        let connected = match &self.tls {
            Some(tls) => self.bounded(config.connect(tls.clone())).await.map(|(client, connection)| {
                keep(connection);
                client
            }),
            None => self.bounded(config.connect(NoTls)).await.map(|(client, connection)| {
                keep(connection);
                client
            }),
        };
        connected.map_err(Error::on_connecting)
    }

    /// Awaits an answer of the database; one that does not come counts as a lost connection.
    pub(super) async fn bounded<T>(
        &self,
        answer: impl Future<Output = Result<T, tokio_postgres::Error>>,
    ) -> Result<T, Error> {
        self.bounded_by(PATIENCE, answer).await
    }

    pub(super) async fn bounded_by<T>(
        &self,
        patience: Duration,
        answer: impl Future<Output = Result<T, tokio_postgres::Error>>,
    ) -> Result<T, Error> {
        match tokio::time::timeout(patience, answer).await {
            Ok(answer) => answer.map_err(|source| Error::of(&self.address, &source)),
            Err(_) => Err(Error::Silent { address: self.address.to_string(), seconds: patience.as_secs() }),
        }
    }
}

/// Lets a connection go on until its client is dropped.
fn keep(connection: impl Future<Output = Result<(), tokio_postgres::Error>> + Send + 'static) {
    tokio::spawn(async move {
        if let Err(error) = connection.await {
            tracing::debug!(%error, "the connection to the database ended");
        }
    });
}

fn tls(address: &Address) -> Result<MakeRustlsConnect, Error> {
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let builder = ClientConfig::builder_with_provider(provider).with_safe_default_protocol_versions();
    let builder = builder.map_err(|source| Error::tls(address, source))?;
    let builder = match &address.root_certificates {
        Some(path) => {
            let unread = |why: String| Error::RootCertificates { path: path.clone(), why };
            let mut roots = RootCertStore::empty();
            for certificate in CertificateDer::pem_file_iter(path).map_err(|error| unread(error.to_string()))? {
                let certificate = certificate.map_err(|error| unread(error.to_string()))?;
                roots.add(certificate).map_err(|error| unread(error.to_string()))?;
            }
            builder.with_root_certificates(roots)
        }
        None => builder.with_platform_verifier().map_err(|source| Error::tls(address, source))?,
    };
    Ok(MakeRustlsConnect::new(builder.with_no_client_auth()))
}
