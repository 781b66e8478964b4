//! Which team a credential belongs to: checked before anything is sent, and again when a new credential replaces it during a
//! run.
//!
//! Only reads. A credential of another team, or of no known team, is never used.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crate::apollo::{self, Answer, Contact, Credential, Order, Profile, SearchPage, body};
use crate::model::{ApolloId, Endpoint, IdentityKey, List};
use crate::state::{self, Change, Snapshot};

use super::apply::courier::{Courier, Failure, Outcome, Parcel, Way};
use super::apply::line::Line;
use super::problem::{Cause, Fault};
use super::{Ended, Event, ProblemKind, chain};

/// How many contacts of the state are viewed to see that a new credential is of its team.
const CONTACTS_VIEWED: usize = 10;

/// How often Apollo is asked whether many may be created in one request, when it does not answer.
const ASKED_AT_MOST: usize = 3;

/// Reads the credential from where it came from.
pub type CredentialSource = Arc<dyn Fn() -> Result<Credential, String> + Send + Sync>;

/// Why a session cannot begin.
#[derive(Debug, thiserror::Error)]
pub enum SessionError {
    #[error(transparent)]
    Store(#[from] state::Error),
    #[error(transparent)]
    Client(#[from] apollo::Error),
    /// Apollo says that the credential is of another team than the state's contacts are.
    #[error("the credential belongs to Apollo team {given}, and this state holds the contacts of team {recorded}")]
    OtherTeam { recorded: String, given: String },
    /// The credential is new to the state, and Apollo showed it none of the state's contacts; `viewed` is the last one, if
    /// it has any.
    #[error("the credential is new to this state, and Apollo does not show that it belongs to the same team: {why}")]
    Unproven { viewed: Option<ApolloId>, why: String },
    /// Apollo refused the credential.
    #[error("Apollo refused the credential: {}", .0.why)]
    Refused(Fault),
    /// Apollo did not answer for as long as is waited for, which was told before.
    #[error("Apollo did not answer")]
    Out,
    #[error("stopped before anything was done")]
    Stopped,
}

impl From<&SessionError> for Cause {
    fn from(error: &SessionError) -> Self {
        match error {
            SessionError::OtherTeam { recorded, given } => {
                Self::OtherTeam { recorded: recorded.clone(), given: given.clone() }
            }
            SessionError::Unproven { viewed, why } => Self::TeamUnknown { viewed: viewed.clone(), why: why.clone() },
            SessionError::Refused(fault) => Self::Refused(fault.clone()),
            other => Self::Other { why: chain(other) },
        }
    }
}

impl From<Failure> for SessionError {
    fn from(failure: Failure) -> Self {
        match failure {
            Failure::Store(error) => error.into(),
            Failure::Refused(error) | Failure::InDoubt(error) => error.into(),
            Failure::Out => Self::Out,
            Failure::Stopped | Failure::Barred | Failure::Stale => Self::Stopped,
        }
    }
}

/// What the state knows of the credentials that it was written with.
#[derive(Debug, Clone)]
pub(super) struct Proof {
    identity_key: IdentityKey,
    /// Whether the state was ever written with one.
    is_known: bool,
    team: Option<String>,
}

/// A courier whose credential is proven, and renewed when Apollo refuses it.
pub(super) struct Access {
    pub(super) courier: Courier,
    /// Where a credential comes from that takes the place of one that is refused.
    source: Option<CredentialSource>,
    /// Held while a new credential is proven.
    renewing: tokio::sync::Mutex<()>,
    /// What a new credential has to prove; `None` until the first one has.
    proof: Mutex<Option<Proof>>,
}

impl Access {
    pub(super) fn new(courier: Courier) -> Self {
        Self { courier, source: None, renewing: tokio::sync::Mutex::default(), proof: Mutex::default() }
    }

    pub(super) fn renewing_by(self, source: CredentialSource) -> Self {
        Self { source: Some(source), ..self }
    }

    /// Sends the request of intents; see [`Courier::send`].
    pub(super) async fn send<T, A: Future<Output = Outcome<T>>>(
        &self,
        mut parcel: Parcel<'_>,
        ask: impl Fn(Arc<Way>) -> A,
    ) -> Result<Answer<T>, Failure> {
        loop {
            match self.courier.send(&mut parcel, &ask).await {
                Err(Failure::Refused(error)) if error.status() == Some(401) => {
                    if !self.renewed(parcel.way()).await {
                        return Err(self.courier.turn_down(parcel, error).await);
                    }
                }
                Err(Failure::InDoubt(error)) if error.status() == Some(401) => {
                    // A page may stand before a server that has done the work: a create is looked for first.
                    let is_renewed = self.renewed(parcel.way()).await;
                    if !is_renewed {
                        return Err(self.courier.turn_down(parcel, error).await);
                    }
                    if parcel.endpoint().creates() {
                        return Err(Failure::InDoubt(error));
                    }
                }
                answer => return answer,
            }
        }
    }

    /// Sends a request that no journal needs: one that changes nothing, or whose outcome nobody depends on.
    ///
    /// One that creates is never sent a second time.
    pub(super) async fn look<T, A: Future<Output = Outcome<T>>>(
        &self,
        endpoint: Endpoint,
        ask: impl Fn(Arc<Way>) -> A,
    ) -> Result<Answer<T>, Failure> {
        loop {
            let way = self.courier.way();
            match self.courier.look(endpoint, &way, &ask).await {
                Err(Failure::Refused(error)) if error.status() == Some(401) => {
                    if !self.renewed(&way).await {
                        let is_news = self.courier.bar(&Endpoint::ALL);
                        return Err(if is_news { Failure::Refused(error) } else { Failure::Barred });
                    }
                }
                answer => return answer,
            }
        }
    }

    /// Reads one contact.
    pub(super) async fn view(&self, id: &ApolloId) -> Result<Contact, Failure> {
        let answer = self.look(Endpoint::ViewContact, |way| async move { way.client.view_contact(id).await }).await?;
        Ok(answer.value)
    }

    /// Reads what the lists are called, by their ids in small letters.
    pub(super) async fn lists(&self) -> Result<BTreeMap<String, String>, Failure> {
        let answer = self.look(Endpoint::ShowLists, |way| async move { way.client.lists().await }).await?;
        Ok(names_by_id(answer.value))
    }

    /// Reads a page of what a search for `keywords` brings.
    pub(super) async fn search(&self, keywords: &str, page: u32) -> Result<Answer<SearchPage>, Failure> {
        self.page(Some(keywords), Order::OldestFirst, page).await
    }

    /// Reads a page of all contacts.
    pub(super) async fn everybody(&self, order: Order, page: u32) -> Result<Answer<SearchPage>, Failure> {
        self.page(None, order, page).await
    }

    async fn page(&self, keywords: Option<&str>, order: Order, page: u32) -> Result<Answer<SearchPage>, Failure> {
        let ask = |way: Arc<Way>| async move { way.client.search_contacts(keywords, order, page).await };
        self.look(Endpoint::SearchContacts, ask).await
    }

    /// Asks whether the credential may create many contacts in one request, by a request that creates none.
    ///
    /// A refusal of what it holds says that it may; any other says that it may not, whatever its words.
    pub(super) async fn may_create_many(&self) -> Result<bool, Failure> {
        let body = &body::create_many([]);
        let mut asked = 1;
        loop {
            let ask = |way: Arc<Way>| async move { way.client.create_contacts(body).await };
            match self.look(Endpoint::CreateContacts, ask).await {
                Ok(_) => return Ok(true),
                Err(Failure::Refused(error)) => match error.status() {
                    // It makes nobody, so that it may be sent again.
                    None | Some(500..) if asked < ASKED_AT_MOST => asked += 1,
                    None | Some(500..) => return Err(Failure::Refused(error)),
                    Some(400..) if error.is_page() => return Ok(false),
                    // A success that cannot be read is one all the same.
                    status => return Ok(matches!(status, Some(200..300 | 422))),
                },
                Err(Failure::Barred) if !self.courier.is_barred(Endpoint::CreateContact) => return Ok(false),
                Err(failure) => return Err(failure),
            }
        }
    }

    /// Makes sure that the credential is of the team that the state's contacts belong to.
    ///
    /// Apollo's own word on the team decides. Where the credential may not ask for it, one that the state does not
    /// know must see one of its contacts; those that are gone prove nothing.
    pub(super) async fn prove_for(&self, snapshot: &Snapshot) -> Result<(), SessionError> {
        let Some(way) = self.courier.way_if_any() else { return Ok(()) };
        let hash = way.options.credential.keyed_hash(&snapshot.identity_key);
        let is_known = snapshot.credential.is_some();
        let mut proof = Proof { identity_key: snapshot.identity_key, is_known, team: snapshot.team.clone() };
        if snapshot.credential.as_ref() != Some(&hash) {
            self.prove(&way, &mut proof).await?;
        }
        if let Some(team) = &proof.team {
            self.courier.ledgers.draw_as(team).await?;
        }
        *self.proof() = Some(proof);
        Ok(())
    }

    /// Proves a credential that the state does not know, and notes it there.
    async fn prove(&self, way: &Arc<Way>, proof: &mut Proof) -> Result<(), SessionError> {
        let mut changes = vec![Change::PutCredential(way.options.credential.keyed_hash(&proof.identity_key))];
        let given = self.team(way).await?;
        if let Some(team) = given.as_ref().or(proof.team.as_ref()) {
            self.courier.ledgers.draw_as(team).await?;
        }
        match (given, &proof.team) {
            (Some(given), Some(recorded)) if given != *recorded => {
                return Err(SessionError::OtherTeam { recorded: recorded.clone(), given });
            }
            (Some(_), Some(_)) => {}
            (team, _) => {
                if proof.is_known {
                    let must_see = team.is_none() && proof.team.is_some();
                    self.see_a_contact(way, must_see).await?;
                }
                proof.team = team.clone().or_else(|| proof.team.take());
                changes.extend(team.map(Change::PutTeam));
            }
        }
        proof.is_known = true;
        self.courier.store.commit(changes).await?;
        Ok(())
    }

    /// Asks Apollo which user the credential belongs to; `None` if it may not ask.
    pub(super) async fn who(&self) -> Result<Option<Profile>, SessionError> {
        self.profile(&self.courier.way()).await
    }

    /// Asks Apollo for the team of the credential; `None` where the credential may not ask.
    async fn team(&self, way: &Arc<Way>) -> Result<Option<String>, SessionError> {
        Ok(self.profile(way).await?.and_then(|profile| profile.team_id))
    }

    async fn profile(&self, way: &Arc<Way>) -> Result<Option<Profile>, SessionError> {
        let ask = |way: Arc<Way>| async move { way.client.profile().await };
        team_of(&self.courier, self.courier.look(Endpoint::Profile, way, ask).await)
    }

    /// Makes sure that the credential sees one contact of the state, where there is any that it could see.
    ///
    /// Where there is none, creates in doubt may have made some for another team, as has `must_see`.
    async fn see_a_contact(&self, way: &Arc<Way>, must_see: bool) -> Result<(), SessionError> {
        let contacts = self.courier.store.some_contacts(CONTACTS_VIEWED).await?;
        if contacts.is_empty() && (must_see || self.courier.store.has_doubts().await?) {
            return Err(SessionError::Unproven { viewed: None, why: String::new() });
        }
        let view = |id: ApolloId| async move {
            let ask = |way: Arc<Way>| {
                let id = id.clone();
                async move { way.client.view_contact(&id).await }
            };
            self.courier.look(Endpoint::ViewContact, way, ask).await.map(drop)
        };
        see_one_of(contacts, view).await
    }

    fn proof(&self) -> MutexGuard<'_, Option<Proof>> {
        self.proof.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Draws the consequences of a 401: reads the credential again, and goes on if there is another one of the team.
    ///
    /// Otherwise the run ends. Returns whether it goes on.
    async fn renewed(&self, refused: &Arc<Way>) -> bool {
        // Those that were refused together wait for one of them.
        let _alone = self.renewing.lock().await;
        if !Arc::ptr_eq(&self.courier.way(), refused) {
            return true;
        }
        if self.courier.stop.is_requested() {
            return false;
        }
        match self.renew(refused).await {
            Ok(true) => true,
            Ok(false) => {
                self.courier.stop.request(Ended::Fatal);
                false
            }
            Err(error) => {
                self.courier.bar(&Endpoint::ALL);
                self.courier.stop.request(Ended::Fatal);
                self.courier.tell(Event::Problem(ProblemKind::NewCredentialUnusable(Cause::from(&error)).into()));
                false
            }
        }
    }

    /// Takes another credential into use if there is one; whoever waits for `refused` may go on then.
    async fn renew(&self, refused: &Arc<Way>) -> Result<bool, SessionError> {
        let proof = self.proof().clone();
        let (Some(source), Some(mut proof)) = (&self.source, proof) else { return Ok(false) };
        let read = match source() {
            Ok(read) => read,
            Err(why) => {
                self.courier.tell(Event::Problem(ProblemKind::CredentialUnreadable { why, is_refused: true }.into()));
                return Ok(false);
            }
        };
        let hash = |credential: &Credential| credential.keyed_hash(&proof.identity_key);
        if hash(&read) == hash(&refused.options.credential) {
            return Ok(false);
        }
        let way = Arc::new(Way::new(apollo::Options { credential: read, ..refused.options.clone() })?);
        self.prove(&way, &mut proof).await?;
        *self.proof() = Some(proof);
        self.courier.go_by(way);
        self.courier.tell(Event::CredentialRenewed);
        Ok(true)
    }
}

/// Reads which user a credential belongs to; `None` if it may not ask.
pub(super) fn team_of(line: &Line, profile: Result<Answer<Profile>, Failure>) -> Result<Option<Profile>, SessionError> {
    match profile {
        Ok(answer) => Ok(Some(answer.value)),
        Err(Failure::Refused(error)) if error.status() == Some(401) => Err(SessionError::Refused(Fault::of(&error))),
        Err(Failure::Refused(_) | Failure::InDoubt(_) | Failure::Stale) => Ok(None),
        Err(Failure::Barred) if !line.is_barred(Endpoint::ViewContact) => Ok(None),
        Err(failure) => Err(failure.into()),
    }
}

/// Makes sure that one of these contacts can be viewed, if any could.
pub(super) async fn see_one_of<V: Future<Output = Result<(), Failure>>>(
    contacts: impl IntoIterator<Item = ApolloId>,
    view: impl Fn(ApolloId) -> V,
) -> Result<(), SessionError> {
    let mut last = None;
    for id in contacts.into_iter().take(CONTACTS_VIEWED) {
        match view(id.clone()).await {
            Ok(()) => return Ok(()),
            // A contact that is listed as deleted was this team's: another team's answer does not say so.
            Err(Failure::Refused(error)) if error.status() == Some(422) && error.contact_is_gone(&id) => {
                return Ok(());
            }
            Err(Failure::Refused(error) | Failure::InDoubt(error)) => {
                let is_about_contact = error.contact_may_be_gone(&id);
                last = Some((id.clone(), chain(&error)));
                if !is_about_contact {
                    break;
                }
            }
            Err(failure) => return Err(failure.into()),
        }
    }
    last.map_or(Ok(()), |(viewed, why)| Err(SessionError::Unproven { viewed: Some(viewed), why }))
}

/// Returns what lists are called, by their ids in small letters.
pub(super) fn names_by_id(lists: Vec<List>) -> BTreeMap<String, String> {
    lists.into_iter().map(|list| (list.id.to_lowercase(), list.name)).collect()
}
