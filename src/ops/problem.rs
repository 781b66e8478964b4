//! What went wrong, in words that say what to do next.

use crate::apollo;
use crate::model::{ApolloId, ContactKey, Endpoint, Entry, Field, Intent, Place};
use crate::plan::Dispute;
use crate::source::{self, Severity};
use crate::store;

use super::confirm::{Deviation, DeviationKind};
use super::{LoadError, Problem};

/// Writes an error with everything that caused it, on one line.
pub fn chain(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(cause) = source {
        text = format!("{text}: {cause}");
        source = cause.source();
    }
    text
}

impl Problem {
    pub(super) fn error(summary: impl Into<String>, detail: impl Into<String>) -> Self {
        Self {
            severity: Severity::Error,
            summary: summary.into(),
            detail: detail.into(),
            key: None,
            location: None,
            path: None,
            code: None,
            related: Vec::new(),
            said: None,
        }
    }

    pub(super) fn warning(summary: impl Into<String>, detail: impl Into<String>) -> Self {
        Self { severity: Severity::Warning, ..Self::error(summary, detail) }
    }

    /// Points at an entry, or at one field of it where that is known.
    pub(super) fn at(self, place: &Place, field: Option<&Field>) -> Self {
        let location = source::locate(place, field);
        Self { key: Some(place.key.clone()), path: Some(place.path.to_path_buf()), location, ..self }
    }

    /// Notes which part of the detail Apollo said.
    fn saying(self, said: Option<&str>) -> Self {
        Self { said: said.map(str::to_owned), ..self }
    }
}

/// Words why the state cannot be read while this process writes it.
/// Words that entries which a plan needs are no longer in their files as they were.
pub(super) fn not_loaded(error: &LoadError) -> Problem {
    Problem::error("The contact files cannot be used", chain(error))
}

pub(super) fn cannot_answer(error: &dyn std::error::Error) -> Problem {
    let detail = format!("{}\nMeanwhile `plan` and `state` in other processes fail; nothing else does.", chain(error));
    Problem::warning("The state cannot be read while it is written", detail)
}

/// Words a request that Apollo turned down, or that could not be made.
pub(super) fn refused(endpoint: Endpoint, error: &apollo::Error, place: &Place) -> Problem {
    let why = chain(error);
    let problem = match error.status() {
        Some(401) => Problem::error(
            "Apollo refused the credential",
            format!(
                "{why}\nNothing further was sent. Check APOLLO_API_KEY (or APOLLO_ACCESS_TOKEN for an OAuth token): an \
                 API key is made in Apollo under Settings > Integrations > API, and a key sent as a token is refused."
            ),
        ),
        Some(403) => Problem::error(
            format!("The credential may not {}", doing(endpoint)),
            format!(
                "{why}\nThe key needs the scope {} (or must be a master key). No further request of this kind was \
                 sent; everything else went on.",
                endpoint.scope()
            ),
        ),
        Some(422 | 400) => {
            let said = error.server_message().map_or_else(|| why.clone(), str::to_owned);
            Problem::error(
                format!("Apollo rejected {}", place.key.address()),
                format!("Apollo says: {said}\nThe request had no effect. Correct the entry and apply again."),
            )
            .at(place, error.field_hint().as_ref())
        }
        None if matches!(error, apollo::Error::Connect { .. }) => Problem::error(
            "Apollo cannot be reached",
            format!(
                "{why}\nNothing that was not sent before has changed. The rest of this run is left; the next one does \
                 it. Check the network, a proxy in the environment, and --api-url."
            ),
        ),
        _ => Problem::error(
            format!("Cannot {} for {}", doing(endpoint), place.key.address()),
            format!("{why}\nThe request had no effect. The next apply tries again."),
        )
        .at(place, None),
    };
    problem.saying(error.repeated())
}

/// Words a request whose effect is unknown.
pub(super) fn in_doubt(endpoint: Endpoint, error: &apollo::Error, place: &Place) -> Problem {
    let why = chain(error);
    let (summary, next) = if endpoint == Endpoint::CreateContact {
        (
            format!("Whether {} was created is unknown", place.key.address()),
            "It is not sent again blindly: the next apply first looks whether the contact is there.",
        )
    } else {
        (
            format!("Whether the change to {} took effect is unknown", place.key.address()),
            "It is recorded as not confirmed: the next plan shows it, and the next apply sends it again.",
        )
    };
    Problem::error(summary, format!("{why}\n{next}")).at(place, None).saying(error.repeated())
}

pub(super) fn store_failed(error: &store::Error, place: &Place) -> Problem {
    Problem::error(
        format!("Cannot record what happens to {}", place.key.address()),
        format!(
            "{}\nNothing is sent that cannot be recorded first, so the run ends here. What was answered and not \
             recorded is settled by the next apply.",
            chain(error)
        ),
    )
    .at(place, None)
}

/// Words that a search brought more people than are looked through.
pub(super) fn too_many_hits(place: &Place) -> Problem {
    let address = place.key.address();
    Problem::error(
        format!("Too many contacts are named like {address} to find it by search"),
        format!(
            "Without a look through all of them, sending it could make a second contact. Give the entry an e-mail, by \
             which it is found or seen not to be there; or look for the contact in Apollo and say which it is: \
             contactsd import {} ID.",
            place.key
        ),
    )
    .at(place, None)
}

/// Words why an entry waits for a person, with the ways out.
pub(super) fn undecided(dispute: &Dispute, entry: &Entry) -> Problem {
    let address = entry.key().address();
    let (summary, detail) = match dispute {
        Dispute::Collision { id, other } => (
            format!("Apollo takes {address} and {} for the same person", other.address()),
            format!(
                "Both lead to contact {id}, which belongs to {}. Nothing is sent for {address} until either entry \
                 changes. If they are one person, remove one of the two entries; if they are two, tell them apart by \
                 e-mail, or say run_dedupe: false in both. If the contact is {key}'s: contactsd state rm {other}, then \
                 contactsd import {key} {id}.",
                other.address(),
                key = entry.key()
            ),
        ),
        Dispute::Stranger { id } => (
            format!("Apollo matched {address} to somebody else"),
            format!(
                "Contact {id} shows other e-mails or another name than the entry. It was not bound to {address} and \
                 not updated, but Apollo may have written the entry's fields to it: look at it. If it is the right \
                 person: contactsd import {key} {id}. If not, say run_dedupe: false, or correct the entry.",
                key = entry.key()
            ),
        ),
        Dispute::Several { ids } => (
            format!("More than one contact could be {address}"),
            format!(
                "Apollo holds {}. Say which one it is: contactsd import {} ID; or merge them in Apollo.",
                ids.iter().map(ApolloId::as_str).collect::<Vec<_>>().join(", "),
                entry.key()
            ),
        ),
        Dispute::Gone { id } => (
            format!("The contact of {address} is gone"),
            format!(
                "Contact {id} was deleted in Apollo. Nothing is sent for it and its state is kept. To create it anew: \
                 contactsd apply --recreate {key}. To stop managing it, remove the entry.",
                key = entry.key()
            ),
        ),
    };
    Problem::error(summary, detail).at(&entry.place, None)
}

/// Words that a create in doubt leads to a contact that it did not make, of a person whom its entry no longer means.
pub(super) fn meant_somebody_else(id: &ApolloId, entry: &Entry) -> Problem {
    let (key, address) = (entry.key(), entry.key().address());
    Problem::error(
        format!("The unanswered create of {address} was for somebody else"),
        format!(
            "The entry was changed since that was sent. What was sent then leads to contact {id}, which by all \
             that it shows was there before, and is not who the entry describes now. It was not bound to {address} and not updated, but Apollo \
             may have written to it what was sent: look at it. If it is the right person: contactsd import {key} {id}. \
             If not, say run_dedupe: false, or change the entry once more, and apply: it is created then."
        ),
    )
    .at(&entry.place, None)
}

pub(super) fn contradiction(
    bound: &ApolloId,
    declared: &ApolloId,
    owner: Option<&ContactKey>,
    entry: &Entry,
) -> Problem {
    let address = entry.key().address();
    let belongs = owner.map(|owner| format!(" That contact belongs to {}.", owner.address())).unwrap_or_default();
    Problem::error(
        format!("{address} is bound to another contact than it names"),
        format!(
            "The state binds it to {bound}, the entry says apollo_id: {declared}.{belongs} Remove apollo_id to keep \
             the bound contact; to change it, rename the key, which makes it a new entry."
        ),
    )
    .at(&entry.place, None)
}

/// Words fields that Apollo holds otherwise than they were sent.
pub(super) fn deviations(deviations: &[Deviation], entry: &Entry) -> Vec<Problem> {
    let address = entry.key().address();
    let word = |deviation: &Deviation| {
        let field = &deviation.field;
        let problem = match &deviation.kind {
            DeviationKind::Dropped(complaint) => {
                let said = complaint.as_ref().map(|said| format!(" Apollo says: {said}.")).unwrap_or_default();
                let help = match field {
                    Field::Custom(_) => "Check the field's id, and that a picklist field is given the option's id.",
                    Field::Email => "Apollo drops an e-mail that it takes for invalid.",
                    _ => "Apollo does not accept this value.",
                };
                Problem::warning(
                    format!("Apollo did not keep {field} of {address}"),
                    format!("It was sent and is not among what Apollo shows.{said} {help}"),
                )
                .saying(complaint.as_deref())
            }
            DeviationKind::Normalized(_) => Problem::warning(
                format!("Apollo keeps {field} of {address} in another form"),
                "It was sent as declared and Apollo shows it otherwise. It counts as applied and is not sent again."
                    .to_owned(),
            ),
        };
        problem.at(&entry.place, Some(field))
    };
    deviations.iter().map(word).collect()
}

/// Warns that a plan is for a part of the contacts.
pub(super) fn targeted() -> Problem {
    Problem::warning(
        "Resource targeting is in effect",
        "The plan holds only what --target and --exclude leave in, so it may not be all that the files ask for. They are \
         for exceptional situations: plan without them to see the rest.",
    )
}

/// Reminds of a field that Apollo did not keep, which nothing is sent for any more.
pub(super) fn still_dropped(place: &Place, field: &Field) -> Problem {
    Problem::warning(
        format!("Apollo does not keep {field} of {}", place.key.address()),
        "It was sent as declared and Apollo holds nothing there. Nothing is sent again until the entry changes it: \
         correct the value, or take the field out of the entry.",
    )
    .at(place, Some(field))
}

/// Warns that a create whose entry is gone may have made a contact that nobody manages.
pub(super) fn dropped_intent(intent: &Intent, place: &Place) -> Problem {
    Problem::warning(
        format!("The create of {} was given up", place.key.address()),
        format!(
            "It was sent in run {} and never answered, Apollo shows no such contact, and the entry is gone from {}.",
            intent.run, intent.path
        ),
    )
}

/// Warns that a create whose entry is for somebody else now is given up, since Apollo shows nobody that it made.
pub(super) fn withdrawn_intent(intent: &Intent, place: &Place) -> Problem {
    let address = place.key.address();
    Problem::warning(
        format!("The unanswered create of {address} was given up"),
        format!(
            "It was sent in run {} for another name or e-mail than the entry has now, and Apollo shows no such contact. \
             It is not sent again: {address} is created as its entry stands.",
            intent.run
        ),
    )
    .at(place, None)
}

pub(super) fn left_behind(id: &ApolloId, place: &Place) -> Problem {
    Problem::warning(
        format!("Contact {id} of {} stays in Apollo unmanaged", place.key.address()),
        "An earlier create of unknown outcome made it, and its entry is gone since. Should the entry come back, it is \
         bound to this contact."
            .to_owned(),
    )
}

fn doing(endpoint: Endpoint) -> &'static str {
    match endpoint {
        Endpoint::CreateContact => "create contacts",
        Endpoint::UpdateContact => "update contacts",
        Endpoint::ViewContact => "view contacts",
        Endpoint::SearchContacts => "search contacts",
        Endpoint::AddToLists => "add contacts to lists",
        Endpoint::RemoveFromLists => "remove contacts from lists",
        Endpoint::Profile => "read its own profile",
    }
}
