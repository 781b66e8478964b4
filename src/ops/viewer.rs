//! Looking at an account without any right to write: neither to Apollo, for whose calls that change something it has no
//! way, nor to a state.
//!
//! What it reads goes to whoever asked. Quota is learned from what a state says of it and from the answers; nothing is
//! noted, but that where runners share the quota of a team, it draws from that like any other.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use tokio::sync::Semaphore;

use crate::apollo::{self, Answer, Contact, Order, Reader, SearchPage};
use crate::aside::aside;
use crate::model::{ApolloId, Endpoint, IdentityKey};
use crate::state::{self, Location, Snapshot};
use crate::store::SharedPools;

use super::apply::ledgers::Ledgers;
use super::apply::line::{Failure, Line};
use super::apply::outages::Outages;
use super::credential::{SessionError, names_by_id, see_one_of, team_of};
use super::sees::Sees;
use super::{Event, Problem, ProblemKind, SessionOptions, Stop, chain};

/// A way to look at an account.
pub struct Viewer {
    line: Line,
    reader: Reader,
    /// The longest time for one request.
    longest: Duration,
    hash: String,
}

impl Sees for Viewer {
    fn line(&self) -> &Line {
        &self.line
    }

    async fn everybody(&self, order: Order, page: u32) -> Result<Answer<SearchPage>, Failure> {
        let ask = || self.reader.search_contacts(None, order, page);
        self.line.ask(Endpoint::SearchContacts, self.longest, ask).await
    }

    async fn view(&self, id: &ApolloId) -> Result<Contact, Failure> {
        let ask = || self.reader.view_contact(id);
        Ok(self.line.ask(Endpoint::ViewContact, self.longest, ask).await?.value)
    }

    async fn lists(&self) -> Result<BTreeMap<String, String>, Failure> {
        Ok(names_by_id(self.line.ask(Endpoint::ShowLists, self.longest, || self.reader.lists()).await?.value))
    }
}

impl Viewer {
    /// Prepares to look, knowing of the quota what a state does; opens no state, and sends nothing.
    ///
    /// # Panics
    ///
    /// If the options name no way to the API.
    pub async fn new(options: SessionOptions, snapshot: &Snapshot) -> Result<Self, apollo::Error> {
        let client = options.client.expect("who looks has somewhere to look");
        let longest = client.request_timeout;
        let hash = client.credential.keyed_hash(&snapshot.identity_key);
        let ledgers = Ledgers::new(&snapshot.quota, options.rules, options.max_wait, options.clock);
        let pools = if snapshot.lineage.0.is_empty() { Ok(None) } else { shared_pools(&options.state).await };
        let ledgers = match pools {
            Ok(Some(pools)) => {
                let unknown = client.credential.keyed_hash(&IdentityKey([0; 32]));
                ledgers.drawing_from(pools, &unknown)
            }
            Ok(None) => ledgers,
            Err(error) => {
                (options.events)(Event::Problem(ProblemKind::QuotaUnshared(chain(&error)).into()));
                ledgers
            }
        };
        let line = Line {
            ledgers,
            outages: Outages::new(options.backoff.base * 2, options.max_wait, options.clock),
            store: None,
            clock: options.clock,
            stop: Stop::default(),
            backoff: options.backoff,
            slots: Semaphore::new(options.parallelism),
            barred: Mutex::new(BTreeSet::new()),
            random: Mutex::new(fastrand::Rng::with_seed(options.seed)),
            events: Arc::clone(&options.events),
        };
        Ok(Self { line, reader: Reader::new(client)?, longest, hash })
    }

    /// Returns the handle by which the looking is asked to end.
    pub fn stop(&self) -> &Stop {
        &self.line.stop
    }

    /// Tells which requests were put off, since their quota opens later than is waited for; `None` when none were.
    pub fn put_off(&self) -> Option<Problem> {
        self.line.put_off()
    }

    /// Gives back what was drawn of a shared quota and not spent.
    pub async fn close(&self) {
        self.line.give_back().await;
    }

    /// Makes sure that the credential is of the team whose contacts a state holds: what it does not see would look gone.
    pub async fn prove_for(&self, snapshot: &Snapshot) -> Result<(), SessionError> {
        if snapshot.credential.as_ref() == Some(&self.hash) {
            if let Some(team) = &snapshot.team {
                self.line.ledgers.draw_as(team).await?;
            }
            return Ok(());
        }
        let profile = self.line.ask(Endpoint::Profile, self.longest, || self.reader.profile()).await;
        let given = team_of(&self.line, profile)?.and_then(|profile| profile.team_id);
        if let Some(team) = given.as_ref().or(snapshot.team.as_ref()) {
            self.line.ledgers.draw_as(team).await?;
        }
        match (given, &snapshot.team) {
            (Some(given), Some(recorded)) if given != *recorded => {
                Err(SessionError::OtherTeam { recorded: recorded.clone(), given })
            }
            (Some(_), Some(_)) => Ok(()),
            _ => {
                let forgotten = snapshot.tombstones.values().map(|tombstone| tombstone.apollo_id.clone());
                let mut contacts = snapshot.contacts().chain(forgotten).peekable();
                if contacts.peek().is_none() && snapshot.team.is_some() {
                    return Err(SessionError::Unproven { viewed: None, why: String::new() });
                }
                see_one_of(contacts, |id| async move { self.view(&id).await.map(drop) }).await
            }
        }
    }
}

/// Connects to what the runners of a team share; `None` for a state that is shared with nobody.
async fn shared_pools(state: &Location) -> Result<Option<SharedPools>, state::Error> {
    let Location::Database { .. } = state else { return Ok(None) };
    let state = state.clone();
    aside(move || SharedPools::open(&state)).await.map(Some)
}
