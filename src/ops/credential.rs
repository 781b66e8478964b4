//! Whose credential it is: proven before anything is sent, and again when another takes its place in the middle of a run.
//!
//! Only looks. A credential that proves to be another team's, or nobody's, is never used.

use std::sync::{Arc, PoisonError};

use crate::apollo::{self, Client, Credential};
use crate::model::{Endpoint, IdentityKey};
use crate::store::{Change, Snapshot};

use super::courier::{Failure, Look, Reply};
use super::{Ended, Event, Problem, Session, SessionError, problem};

/// How many contacts of the state are viewed to see that a new credential is of its team.
const CONTACTS_VIEWED: usize = 10;

/// Reads the credential from where it came from.
pub type CredentialSource = Arc<dyn Fn() -> Result<Credential, String> + Send + Sync>;

/// A client, and what it was made from.
pub(super) struct Way {
    pub(super) client: Client,
    options: apollo::Options,
}

impl Way {
    pub(super) fn new(options: apollo::Options) -> Result<Self, apollo::Error> {
        Ok(Self { client: Client::new(options.clone())?, options })
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

impl Session {
    /// Makes sure that the credential is of the team that the state's contacts belong to.
    ///
    /// Apollo's own word on the team decides. Where the credential may not ask for it, one that the state does not
    /// know must see one of its contacts; those that are gone prove nothing.
    pub async fn prove_credential(&self, snapshot: &Snapshot) -> Result<(), SessionError> {
        let Some(way) = self.way.lock().unwrap_or_else(PoisonError::into_inner).clone() else { return Ok(()) };
        let hash = way.options.credential.keyed_hash(&snapshot.identity_key);
        let is_known = snapshot.credential.is_some();
        let mut proof = Proof { identity_key: snapshot.identity_key, is_known, team: snapshot.team.clone() };
        if snapshot.credential.as_ref() != Some(&hash) {
            self.prove(&way, &mut proof).await?;
        }
        *self.proof.lock().unwrap_or_else(PoisonError::into_inner) = Some(proof);
        Ok(())
    }

    /// Proves a credential that the state does not know, and notes it there.
    async fn prove(&self, way: &Arc<Way>, proof: &mut Proof) -> Result<(), SessionError> {
        let mut changes = vec![Change::PutCredential(way.options.credential.keyed_hash(&proof.identity_key))];
        match (self.team(way).await?, &proof.team) {
            (Some(given), Some(recorded)) if given != *recorded => {
                return Err(SessionError::OtherTeam { recorded: recorded.clone(), given });
            }
            (Some(_), Some(_)) => {}
            (team, _) => {
                if proof.is_known {
                    self.see_a_contact(way).await?;
                }
                proof.team = team.clone().or_else(|| proof.team.take());
                changes.extend(team.map(Change::PutTeam));
            }
        }
        proof.is_known = true;
        self.store.commit(changes).await?;
        Ok(())
    }

    /// Asks Apollo for the team of the credential; `None` where the credential may not ask.
    async fn team(&self, way: &Arc<Way>) -> Result<Option<String>, SessionError> {
        match self.look_as(way, &Look::Profile).await {
            Ok((Reply::Profile(profile), _)) => Ok(profile.team_id),
            Ok(_) => unreachable!("the question for the profile is answered with one"),
            Err(Failure::Refused(error)) if error.status() == Some(401) => {
                Err(SessionError::Refused(Box::new(problem::credential_refused(&error))))
            }
            Err(Failure::Refused(_) | Failure::InDoubt(_) | Failure::Stale) => Ok(None),
            Err(Failure::Barred) if !self.is_barred(Endpoint::ViewContact) => Ok(None),
            Err(Failure::Store(error)) => Err(error.into()),
            Err(Failure::Out) => Err(SessionError::Out),
            Err(Failure::Stopped | Failure::Barred) => Err(SessionError::Stopped),
        }
    }

    /// Makes sure that the credential sees one contact of the state, where there is any that it could see.
    async fn see_a_contact(&self, way: &Arc<Way>) -> Result<(), SessionError> {
        let bindings = self.store.some_bindings(CONTACTS_VIEWED)?;
        let mut why = None;
        for binding in &bindings {
            match self.look_as(way, &Look::View(binding.apollo_id.clone())).await {
                Ok(_) => return Ok(()),
                // A contact that is listed as deleted was this team's: another team's answer does not say so.
                Err(Failure::Refused(error))
                    if error.status() == Some(422) && error.contact_is_gone(&binding.apollo_id) =>
                {
                    return Ok(());
                }
                Err(Failure::Refused(error) | Failure::InDoubt(error)) => {
                    let is_about_contact = error.contact_may_be_gone(&binding.apollo_id);
                    why = Some(format!("looking at contact {} failed: {}", binding.apollo_id, problem::chain(&error)));
                    if !is_about_contact {
                        break;
                    }
                }
                Err(Failure::Store(error)) => return Err(error.into()),
                Err(Failure::Out) => return Err(SessionError::Out),
                Err(Failure::Stopped | Failure::Barred | Failure::Stale) => return Err(SessionError::Stopped),
            }
        }
        why.map_or(Ok(()), |why| Err(SessionError::Unproven { why }))
    }

    /// Returns the way to Apollo that is in use.
    pub(super) fn way(&self) -> Arc<Way> {
        let way = self.way.lock().unwrap_or_else(PoisonError::into_inner);
        Arc::clone(way.as_ref().expect("a session without a client is given plans that send nothing"))
    }

    /// Draws the consequences of a 401: reads the credential again, and goes on if there is another one of the team.
    ///
    /// Otherwise the run ends. Returns whether it goes on.
    pub(super) async fn renewed(&self, refused: &Arc<Way>) -> bool {
        // Those that were refused together wait for one of them.
        let _alone = self.renewing.lock().await;
        if !Arc::ptr_eq(&self.way(), refused) {
            return true;
        }
        if self.stop.is_requested() {
            return false;
        }
        match self.renew(refused).await {
            Ok(true) => true,
            Ok(false) => {
                self.stop.request(Ended::Fatal);
                false
            }
            Err(error) => {
                let detail = format!(
                    "{}\nThe one before is refused by Apollo, so nothing further is sent.",
                    problem::chain(&error)
                );
                self.bar(&Endpoint::ALL);
                self.stop.request(Ended::Fatal);
                self.tell(Event::Problem(Problem::error("The new credential cannot be used", detail)));
                false
            }
        }
    }

    /// Takes another credential into use if there is one; whoever waits for `refused` may go on then.
    async fn renew(&self, refused: &Arc<Way>) -> Result<bool, SessionError> {
        let proof = self.proof.lock().unwrap_or_else(PoisonError::into_inner).clone();
        let (Some(source), Some(mut proof)) = (&self.credential_source, proof) else { return Ok(false) };
        let read = match source() {
            Ok(read) => read,
            Err(why) => {
                let detail = format!("{why}\nApollo refuses the one in use.");
                self.tell(Event::Problem(Problem::warning("The credential cannot be read again", detail)));
                return Ok(false);
            }
        };
        let hash = |credential: &Credential| credential.keyed_hash(&proof.identity_key);
        if hash(&read) == hash(&refused.options.credential) {
            return Ok(false);
        }
        let way = Arc::new(Way::new(apollo::Options { credential: read, ..refused.options.clone() })?);
        self.prove(&way, &mut proof).await?;
        *self.proof.lock().unwrap_or_else(PoisonError::into_inner) = Some(proof);
        *self.way.lock().unwrap_or_else(PoisonError::into_inner) = Some(way);
        self.tell(Event::CredentialRenewed);
        Ok(true)
    }
}
