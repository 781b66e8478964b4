//! The lease on a state: who may write to it, for how long, and how everybody else is kept out.
//!
//! The database's clock alone says when a lease ends. Whoever takes one raises the state's fence in the same statement,
//! and each write looks at the fence in its own transaction: one who wakes late writes nothing. Renewing touches
//! another row than writing, so that neither waits for the other.

use std::time::Duration;

use tokio::time::Instant;
use tokio_postgres::Client;
use tokio_postgres::types::{ToSql, Type};

use super::connect::Connector;
use super::error::Error;
use crate::model::Timestamp;
use crate::state::Holder;

/// How long after it was taken or renewed a lease is renewed.
pub(super) const RENEWAL: Duration = Duration::from_secs(30);

/// A lease that this process holds, as far as it knows.
#[derive(Debug)]
pub(super) struct Lease {
    /// Random; tells this lease from all others.
    token: String,
    pub(super) fence: i64,
    /// Until when it lasts for certain, by this machine's clock that never goes back: the request for it was sent
    /// before the database began to count.
    pub(super) until: Instant,
}

/// Takes the lease, or takes over one that has ended: in one statement, by the database's clock.
///
/// Nobody whose lease has not ended loses it, and of several who ask at once one gets it. Whoever has taken it and heard no
/// answer takes it again by the same token.
const TAKE: &str = "
WITH taken AS (
    INSERT INTO contactsd_leases AS lease (state, token, holder, expires_at)
    VALUES ($1, $2, $3, clock_timestamp() + $4::float8 * interval '1 second')
    ON CONFLICT (state) DO UPDATE
        SET token = excluded.token, holder = excluded.holder, expires_at = excluded.expires_at
        WHERE lease.expires_at <= clock_timestamp() OR lease.token = excluded.token
    RETURNING state)
UPDATE contactsd_fences AS fence SET fence = fence.fence + 1 FROM taken WHERE fence.state = taken.state
RETURNING fence.fence";

const RENEW: &str = "
UPDATE contactsd_leases SET expires_at = clock_timestamp() + $3::float8 * interval '1 second'
WHERE state = $1 AND token = $2 AND expires_at > clock_timestamp()";

const RELEASE: &str = "DELETE FROM contactsd_leases WHERE state = $1 AND token = $2";

const WHO: &str = "SELECT holder FROM contactsd_leases WHERE state = $1 AND expires_at > clock_timestamp()";

impl Lease {
    /// Returns the same lease, to renew it.
    pub(super) fn again(&self) -> Self {
        Self { token: self.token.clone(), fence: self.fence, until: self.until }
    }

    /// Takes the lease of a state for `holder`; `token` is random. [`Error::Held`] names who has it.
    pub(super) async fn take(
        connector: &Connector,
        client: &Client,
        holder: &Holder,
        token: &str,
        term: Duration,
    ) -> Result<Self, Error> {
        let state = connector.address().state();
        let text = serde_json::to_string(holder).expect("a holder is plain data");
        connector
            .bounded(client.execute_typed(
                "INSERT INTO contactsd_fences (state, fence) VALUES ($1, 0) ON CONFLICT (state) DO NOTHING",
                &[(&state, Type::TEXT)],
            ))
            .await?;
        loop {
            let until = Instant::now() + term;
            let answer = connector
                .bounded(client.query_typed_opt(
                    TAKE,
                    &[
                        (&state, Type::TEXT),
                        (&token, Type::TEXT),
                        (&text, Type::TEXT),
                        (&term.as_secs_f64(), Type::FLOAT8),
                    ],
                ))
                .await;
            match answer {
                Ok(Some(row)) => return Ok(Self { token: token.to_owned(), fence: row.get(0), until }),
                Ok(None) => {
                    // It may have ended just now; then it is asked for again.
                    if let Some(holder) = who(connector, client).await? {
                        return Err(Error::Held { address: connector.address().to_string(), holder: Box::new(holder) });
                    }
                }
                Err(Error::InTheWay { .. }) => {}
                Err(error) => return Err(error),
            }
        }
    }

    /// Renews the lease; [`Error::LeaseLost`] when it has ended, whether somebody has taken it over or not.
    pub(super) async fn renew(&mut self, connector: &Connector, client: &Client, term: Duration) -> Result<(), Error> {
        let state = connector.address().state();
        loop {
            let until = Instant::now() + term;
            let renewed = connector
                .bounded(client.execute_typed(
                    RENEW,
                    &[(&state, Type::TEXT), (&self.token, Type::TEXT), (&term.as_secs_f64(), Type::FLOAT8)],
                ))
                .await;
            match renewed {
                Ok(1) => {
                    self.until = until;
                    return Ok(());
                }
                Ok(_) => return Err(lost(connector, "it had ended before it was renewed")),
                Err(Error::InTheWay { .. }) => {}
                Err(error) => return Err(error),
            }
        }
    }

    /// Releases the lease, so that no process waits for its end.
    pub(super) async fn release(&self, connector: &Connector, client: &Client) -> Result<(), Error> {
        let state = connector.address().state();
        let mine: [(&(dyn ToSql + Sync), Type); 2] = [(&state, Type::TEXT), (&self.token, Type::TEXT)];
        connector.bounded(client.execute_typed(RELEASE, &mine)).await.map(drop)
    }
}

/// Returns who holds the lease of the state now.
pub(super) async fn who(connector: &Connector, client: &Client) -> Result<Option<Holder>, Error> {
    let state = connector.address().state();
    let row = connector.bounded(client.query_typed_opt(WHO, &[(&state, Type::TEXT)])).await?;
    let unknown = |text: String| Holder {
        pid: 0,
        user_host: "a machine that does not say".to_owned(),
        operation: text,
        since: Timestamp(0),
        version: String::new(),
        socket: None,
    };
    Ok(row.map(|row| row.get::<_, String>(0)).map(|text| serde_json::from_str(&text).unwrap_or_else(|_| unknown(text))))
}

pub(super) fn lost(connector: &Connector, why: &'static str) -> Error {
    Error::LeaseLost { address: connector.address().to_string(), why }
}
