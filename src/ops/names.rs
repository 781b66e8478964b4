//! The names that Apollo has for ids: asked for, kept in the state, and asked for again when they are old.

use std::sync::Arc;
use std::time::Duration;

use crate::model::{CustomField, Endpoint, Listing, NameKind, Names, Timestamp};
use crate::state::{self, Change, Location};
use crate::store;

use super::apply::courier::{Failure, Way};
use super::problem::{self, Problem};
use super::{Desired, Session, SessionError};

/// How long names stand before they are asked for again.
const STAND: Duration = Duration::from_hours(24);

/// Why names are not known.
#[derive(Debug)]
pub enum NamesError {
    /// The credential is not proven, or there is no state to ask for.
    Session(SessionError),
    /// Apollo did not list them; what there is to say about it.
    Unread(Box<Problem>),
    /// The run is ending, or it was told already why nothing is sent.
    Ended,
}

impl From<state::Error> for NamesError {
    fn from(error: state::Error) -> Self {
        Self::Session(error.into())
    }
}

impl Desired {
    /// Reports whether names that the files use are so old that they should be asked for again.
    pub fn has_old_names(&self, now: Timestamp) -> bool {
        let Some(names) = self.names() else { return false };
        self.names_used().iter().any(|kind| names.read_at(kind).is_none_or(|read_at| now.since(read_at) > STAND))
    }
}

/// Returns the names that a state has kept, whoever has it open; `None` when there is no state yet.
pub fn kept_names(state: &Location) -> Result<Option<Names>, state::Error> {
    store::names(state)
}

impl Session {
    /// Returns the names that the state has kept.
    pub async fn names(&self) -> Result<Names, state::Error> {
        self.store().names().await
    }

    /// Asks Apollo for names and keeps them; returns all that are known then.
    pub async fn learn_names(&self, kinds: &[NameKind]) -> Result<Names, NamesError> {
        let facts = self.store().without_bindings().await?;
        self.access.prove_for(&facts).await.map_err(NamesError::Session)?;
        let mut learned = Names::default();
        for kind in kinds {
            match kind {
                NameKind::Stages => {
                    let ask = |way: Arc<Way>| async move { way.client.stages().await };
                    let stages = self.access.look(Endpoint::ShowStages, ask).await;
                    learned.stages =
                        Some(self.listing(stages.map_err(|failure| unread(Endpoint::ShowStages, failure))?.value));
                }
                NameKind::Fields => learned.fields = Some(self.listing(self.custom_fields().await?)),
                NameKind::Lists => {
                    let ask = |way: Arc<Way>| async move { way.client.lists().await };
                    let lists = self.access.look(Endpoint::ShowLists, ask).await;
                    learned.lists =
                        Some(self.listing(lists.map_err(|failure| unread(Endpoint::ShowLists, failure))?.value));
                }
            }
        }
        self.store().commit(vec![Change::PutNames(learned)]).await?;
        Ok(self.names().await?)
    }

    /// Keeps names that were asked for before this state was open.
    pub(super) async fn keep_names(&self, desired: &Desired) -> Result<(), state::Error> {
        let Some(names) = desired.names().filter(|_| desired.names_used().any()) else { return Ok(()) };
        let kept = self.names().await?;
        let updated = kept.clone().updated_by(Names::clone(names));
        if updated == kept {
            return Ok(());
        }
        self.store().commit(vec![Change::PutNames(updated)]).await.map(drop)
    }

    fn listing<T>(&self, items: Vec<T>) -> Listing<T> {
        Listing { read_at: self.now(), items }
    }

    /// Asks for the custom fields by the call that shows options and limits, and by the newer one where the key may not
    /// make that, or it is gone or empty.
    async fn custom_fields(&self) -> Result<Vec<CustomField>, NamesError> {
        let ask = |way: Arc<Way>| async move { way.client.custom_fields().await };
        let first = match self.access.look(Endpoint::ShowCustomFields, ask).await {
            Ok(answer) if !answer.value.is_empty() => return Ok(answer.value),
            Ok(_) => None,
            Err(Failure::Refused(error)) if !matches!(error.status(), Some(403 | 404 | 405 | 410 | 422)) => {
                return Err(unread(Endpoint::ShowCustomFields, Failure::Refused(error)));
            }
            Err(failure @ (Failure::Refused(_) | Failure::Barred)) => Some(failure),
            Err(failure) => return Err(unread(Endpoint::ShowCustomFields, failure)),
        };
        let ask = |way: Arc<Way>| async move { way.client.fields().await };
        match (self.access.look(Endpoint::ShowFields, ask).await, first) {
            (Ok(answer), _) => Ok(answer.value),
            // The first call was answered: there are none.
            (Err(Failure::Refused(_) | Failure::Barred), None) => Ok(Vec::new()),
            (Err(Failure::Refused(_) | Failure::Barred), Some(first)) => Err(unread(Endpoint::ShowCustomFields, first)),
            (Err(failure), _) => Err(unread(Endpoint::ShowFields, failure)),
        }
    }
}

fn unread(endpoint: Endpoint, failure: Failure) -> NamesError {
    match failure {
        Failure::Store(error) => error.into(),
        Failure::Refused(error) | Failure::InDoubt(error) => {
            NamesError::Unread(Box::new(problem::names_unread(endpoint, &error)))
        }
        Failure::Barred | Failure::Out | Failure::Stopped | Failure::Stale => NamesError::Ended,
    }
}
