//! What went wrong, in words that say what to do next.

use std::collections::BTreeSet;
use std::path::PathBuf;
use std::time::Duration;

use crate::apollo;
use crate::model::{ApolloId, ContactKey, Endpoint, Entry, Field, Intent, Place, Value};
use crate::plan::{Brake, BrakeKind, Dispute};
use crate::source::{self, Code, Location, Severity};
use crate::state;

use super::apply::outcome::confirm::{Deviation, DeviationKind};

/// Something a person should know, with where and what to do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problem {
    pub severity: Severity,
    /// One line: what happened.
    pub summary: String,
    /// Why, and what to do next. May have several lines.
    pub detail: String,
    pub key: Option<ContactKey>,
    /// The line of a contact file it concerns.
    pub location: Option<Location>,
    /// The file it concerns, where no line is known.
    pub path: Option<PathBuf>,
    /// The code of its page in `docs/errors/`, for mistakes in contact files.
    pub code: Option<Code>,
    /// Further places, each with what stands there.
    pub related: Vec<(String, Location)>,
    /// The part of `detail` that is Apollo's own words, which may repeat values of the entry.
    pub said: Option<String>,
}

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
pub(super) fn cannot_answer(error: &dyn std::error::Error) -> Problem {
    let detail = format!("{}\nMeanwhile `plan` and `state` in other processes fail; nothing else does.", chain(error));
    Problem::warning("The state cannot be read while it is written", detail)
}

/// Words a request that Apollo turned down, or that could not be made.
pub(super) fn refused(endpoint: Endpoint, error: &apollo::Error, place: &Place) -> Problem {
    let why = chain(error);
    let problem = match error.status() {
        Some(401) => credential_refused(error),
        Some(403) if error.is_barred(endpoint) => Problem::error(
            format!("The credential may not {}", doing(endpoint)),
            format!(
                "{why}\nThe key needs the scope {} (or must be a master key). No further request of this kind was \
                 sent; everything else went on.",
                endpoint.scope()
            ),
        ),
        Some(400..=499) if !error.is_page() => {
            let said = error.server_message().map_or_else(|| why.clone(), str::to_owned);
            Problem::error(
                format!("Apollo rejected {}", place.key.address()),
                format!("Apollo says: {said}\nThe request had no effect. Correct the entry and apply again."),
            )
            .at(place, error.field_hint().as_ref())
        }
        _ => Problem::error(
            format!("Cannot {} for {}", doing(endpoint), place.key.address()),
            format!("{why}\nThe request had no effect. The next apply tries again."),
        )
        .at(place, None),
    };
    problem.saying(error.repeated())
}

/// Words in short that requests of a kind failed for longer than is waited for.
pub(super) fn outage_in_short(unreachable: bool) -> &'static str {
    if unreachable { "Apollo cannot be reached" } else { "Apollo does not answer as it should" }
}

/// Words that requests of a kind failed for longer than is waited for; `had_success`, whether others went well before.
pub(super) fn outage(endpoint: Endpoint, error: &apollo::Error, lasted: Duration, had_success: bool) -> Problem {
    let unreachable = matches!(error, apollo::Error::Connect { .. });
    let (why, seconds) = (chain(error), lasted.as_secs());
    let tried = if unreachable { "No connection was made" } else { "Requests of this kind failed" };
    let next = if had_success {
        "--max-wait says how long an outage is waited for."
    } else {
        "Check the network, a proxy in the environment, and --api-url."
    };
    let summary = if unreachable {
        outage_in_short(true).to_owned()
    } else {
        format!("Apollo fails at each request to {}", doing(endpoint))
    };
    let detail = format!(
        "{why}\n{tried} for {seconds} s, tried ever less often. What depends on it is left, and the next run does it. {next}"
    );
    Problem::error(summary, detail).saying(error.repeated())
}

/// Words that Apollo does not accept the credential.
pub(super) fn credential_refused(error: &apollo::Error) -> Problem {
    Problem::error(
        "Apollo refused the credential",
        format!(
            "{}\nNothing further was sent. Check APOLLO_API_KEY (or APOLLO_ACCESS_TOKEN for an OAuth token): an API key \
             is made in Apollo under Settings > Integrations > API, and a key sent as a token is refused.",
            chain(error)
        ),
    )
    .saying(error.repeated())
}

/// How often Apollo must have failed on one create before the entry itself is suspected.
const FAILS_AGAIN: u32 = 3;

/// Words a create whose effect is unknown; `attempts`, how often the same body was sent.
pub(super) fn create_in_doubt(error: &apollo::Error, attempts: u32, place: &Place) -> Problem {
    let failed = error.status().filter(|status| (500..600).contains(status));
    let Some(status) = failed.filter(|_| attempts >= FAILS_AGAIN) else {
        return in_doubt(Endpoint::CreateContact, error, place);
    };
    Problem::error(
        format!("Apollo fails each time on {}", place.key.address()),
        format!(
            "{}\nThe same contact was sent {attempts} times, and the last answer was {status} again. Apollo shows no \
             contact that it made. Something in the entry may be what Apollo cannot take: try without its custom fields \
             and with plain values. The next apply first looks whether the contact is there.",
            chain(error)
        ),
    )
    .at(place, None)
    .saying(error.repeated())
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

pub(super) fn store_failed(error: &state::Error, place: &Place) -> Problem {
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

/// Words that more contacts are new than can be read.
pub(super) fn too_many_new(place: &Place) -> Problem {
    let address = place.key.address();
    Problem::error(
        format!("Cannot tell whether {address} was created"),
        format!(
            "Apollo does not show all contacts that were made since it was sent, so the one it may have made cannot be \
             told from others. Nothing was sent. Look for the contact in Apollo. If it is there: contactsd import {key} \
             ID. If it is not: contactsd apply --create {key}.",
            key = place.key
        ),
    )
    .at(place, None)
}

/// Words that an entry which Apollo cannot match waits, since the credential may not search.
pub(super) fn needs_a_person(place: &Place) -> Problem {
    let address = place.key.address();
    Problem::error(
        format!("Cannot look whether Apollo has {address} already"),
        format!(
            "The credential may not search contacts, and Apollo would not recognize this entry: sending it could make a \
             second contact. Nothing was sent. Give the key the scope {scope}; or look in Apollo yourself. If the \
             contact is there: contactsd import {key} ID. If it is not: contactsd apply --create {key}.",
            scope = Endpoint::SearchContacts.scope(),
            key = place.key
        ),
    )
    .at(place, None)
}

/// Warns that creates go out without a look.
pub(super) fn creates_blindly(place: &Place) -> Problem {
    Problem::warning(
        "Creating contacts without looking for them first",
        format!(
            "The credential may not search contacts. If Apollo has a contact with the same e-mail, or the same name and \
             company, it is overwritten with the values of the entry. To have contactsd look first, give the key the \
             scope {}. The first of them is {}.",
            Endpoint::SearchContacts.scope(),
            place.key.address()
        ),
    )
}

/// Words that the contact an entry names was merged into another one.
pub(super) fn merged(id: &ApolloId, survivor: &ApolloId, owner: Option<&ContactKey>, entry: &Entry) -> Problem {
    let (key, address) = (entry.key(), entry.key().address());
    let next = match owner {
        Some(owner) => {
            format!("{survivor} belongs to {}. If they are one person, remove the entry {address}.", owner.address())
        }
        None if entry.apollo_id.is_some() => format!("If that is the contact you mean, write apollo_id: {survivor}."),
        None => format!("If that is the contact you mean: contactsd import {key} {survivor}."),
    };
    let detail = format!("Apollo answered with contact {survivor} in its place. Nothing was changed. {next}");
    Problem::error(format!("Contact {id} of {address} was merged into another one"), detail).at(&entry.place, None)
}

/// Warns that a contact is created in place of one that was to be managed again and is gone.
pub(super) fn restored_as_new(id: &ApolloId, place: &Place) -> Problem {
    Problem::warning(
        format!("The contact that {} had is gone", place.key.address()),
        format!("Contact {id} was deleted in Apollo, so it cannot be managed again. A new contact is created."),
    )
    .at(place, None)
}

/// Words that the contact which an entry names does not exist.
pub(super) fn does_not_exist(id: &ApolloId, entry: &Entry, why: &str) -> Problem {
    let next = match &entry.apollo_id {
        Some(_) => "Correct apollo_id in the entry, or remove it to have the contact created.",
        None => "Apply again: it is then looked for once more, and created if it is not there.",
    };
    let summary = format!("Contact {id} of {} does not exist", entry.key().address());
    Problem::error(summary, format!("{why}\n{next}")).at(&entry.place, None)
}

/// Warns of an answer that complains of something and shows the contact as it was sent.
pub(super) fn complained(complaint: &str, entry: &Entry) -> Problem {
    Problem::warning(
        format!("Apollo complains about {}", entry.key().address()),
        format!("It shows the contact as it was sent, and says: {complaint}. Look at the contact in Apollo."),
    )
    .at(&entry.place, None)
    .saying(Some(complaint))
}

/// Warns of lists that a call did not change, though it was answered with a success twice.
pub(super) fn lists_unchanged(names: &BTreeSet<String>, adds: bool, said: &str, entry: &Entry) -> Problem {
    let lists = names.iter().map(String::as_str).collect::<Vec<_>>().join(", ");
    let said = if said.is_empty() { String::new() } else { format!(" Apollo says: {said}.") };
    let (what, holds) = if adds {
        ("did not put", "does not show the contact on")
    } else {
        ("did not take", "still shows the contact on")
    };
    let way = if adds { "on its lists" } else { "off its lists" };
    Problem::warning(
        format!("Apollo {what} {} {way}", entry.key().address()),
        format!("The change was sent twice, and Apollo {holds} {lists}.{said} Nothing more is sent for it."),
    )
    .at(&entry.place, Some(&Field::LabelNames))
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
        Dispute::UnseenMatch { id } => (
            format!("Apollo matched {address} to a contact that no search had shown"),
            format!(
                "Contact {id} was there before, and Apollo may have written the entry's values to it: look at it. It \
                 was not bound to {address}. If it is the right person: contactsd import {key} {id}. If not, correct \
                 what Apollo overwrote, and say run_dedupe: false in the entry.",
                key = entry.key()
            ),
        ),
        Dispute::Namesakes { ids } => (
            format!("Apollo holds somebody like {address}"),
            format!(
                "{} the same name or mailbox. Nothing was sent, since only you can tell whether it is the same person. If it is: \
                 contactsd import {key} {one}. If it is not: contactsd apply --create {key}.",
                if let [id] = ids.as_slice() { format!("Contact {id} has") } else { format!("{} have", listed(ids)) },
                key = entry.key(),
                one = one_of(ids)
            ),
        ),
        Dispute::Several { ids } => (
            if ids.len() == 1 {
                format!("A contact could be {address}")
            } else {
                format!("More than one contact could be {address}")
            },
            format!(
                "Apollo holds {}. If that is the entry's: contactsd import {key} {one}. If it is not: contactsd apply \
                 --create {key}.",
                listed(ids),
                key = entry.key(),
                one = one_of(ids)
            ),
        ),
        Dispute::Merged { id, survivor, owner } => (
            format!("The contact of {address} was merged into another one"),
            match owner {
                Some(owner) => format!(
                    "Contact {id} is now part of {survivor}, which belongs to {}. Values of {address} may stand on it; \
                     the next apply writes those of {} again. If they are one person, remove the entry {address}. If \
                     they are two: contactsd state rm {key}, then contactsd apply --create {key}.",
                    owner.address(),
                    owner.address(),
                    key = entry.key()
                ),
                None => format!(
                    "Contact {id} is now part of {survivor}. Nothing more is sent to it. If {survivor} is the right \
                     person: contactsd state rm {key}, then contactsd import {key} {survivor}. If it is not: contactsd \
                     state rm {key}, then contactsd apply --create {key}.",
                    key = entry.key()
                ),
            },
        ),
        Dispute::Gone { id } => (
            format!("The contact of {address} is gone"),
            format!(
                "Contact {id} was deleted in Apollo. Nothing is sent for it and its state is kept. To create it again: \
                 contactsd apply --recreate {key}. To stop managing it, remove the entry.",
                key = entry.key()
            ),
        ),
    };
    Problem::error(summary, detail).at(&entry.place, None)
}

/// Returns the id where there is one, and what stands for any of several.
fn one_of(ids: &[ApolloId]) -> &str {
    if let [id] = ids { id.as_str() } else { "ID" }
}

/// How many of many contacts are named.
const NAMED: usize = 5;

/// Names contacts, of many the first five.
fn listed(ids: &[ApolloId]) -> String {
    let named = ids.iter().take(NAMED).map(ApolloId::as_str).collect::<Vec<_>>().join(", ");
    match ids.len().saturating_sub(NAMED) {
        0 => named,
        more => format!("{named} and {more} more"),
    }
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
            DeviationKind::Kept(held) => Problem::warning(
                format!("Apollo did not change {field} of {address}"),
                format!(
                    "It was sent twice and answered with a success, and Apollo still holds {}. Nothing more is sent \
                     for it until the entry changes it. Correct it in Apollo, or take the field out of the entry.",
                    shown(held)
                ),
            )
            .saying(Some(&shown(held))),
            DeviationKind::Normalized(held) => {
                let sent = entry.fields.get(field);
                let held = cut(sent, held).unwrap_or_else(|| shown(held));
                Problem::warning(
                    format!("Apollo keeps {field} of {address} in another form"),
                    format!(
                        "It was sent as declared, and Apollo holds {held}. It counts as applied and is not sent again."
                    ),
                )
                .saying(Some(&held))
            }
            DeviationKind::SecondAddress(first) => Problem::warning(
                format!("The e-mail of {address} is the second one of its contact"),
                format!(
                    "The contact has {} as its first e-mail. That was left as it is. To have the declared e-mail first, \
                     change it in Apollo.",
                    shown(first)
                ),
            )
            .saying(Some(&shown(first))),
        };
        problem.at(&entry.place, Some(field))
    };
    deviations.iter().map(word).collect()
}

/// Writes a value that Apollo holds.
fn shown(value: &Value) -> String {
    match value {
        Value::Text(text) => format!("{text:?}"),
        Value::Lists(lists) => lists.iter().map(String::as_str).collect::<Vec<_>>().join(", "),
    }
}

/// How much of a cut text is shown, in characters.
const END: usize = 20;

/// Says how far a text was kept, and how it ends; `None` when it was not cut.
fn cut(sent: Option<&Value>, held: &Value) -> Option<String> {
    let (Value::Text(sent), Value::Text(held)) = (sent?, held) else { return None };
    let (all, kept) = (sent.chars().count(), held.chars().count());
    if held.is_empty() || kept == all || !sent.starts_with(held.as_str()) {
        return None;
    }
    let end: String = held.chars().skip(kept.saturating_sub(END)).collect();
    Some(format!("the first {kept} of its {all} characters, up to {end:?}"))
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

/// Words why a plan is not applied, with what lifts the brake.
pub fn brake_problem(brake: &Brake) -> Problem {
    let Brake { kind, count, limit } = brake;
    let (summary, lift) = match kind {
        BrakeKind::ForgetsAll => ("All managed contacts would be forgotten".to_owned(), "--force allows it"),
        BrakeKind::ForgetsMany => {
            (format!("{count} managed contacts would be forgotten, more than 30 %"), "--force allows it")
        }
        BrakeKind::MaxCreates => (format!("More than {limit} contacts would be created: {count}"), "--max-creates"),
        BrakeKind::MaxUpdates => (format!("More than {limit} contacts would be updated: {count}"), "--max-updates"),
        BrakeKind::MaxForgets => (format!("More than {limit} contacts would be forgotten: {count}"), "--max-forgets"),
    };
    let lift = if lift.ends_with("it") { lift.to_owned() } else { format!("a higher {lift} allows it") };
    Problem::error(summary, format!("Nothing was changed. If it is meant, {lift}; if not, check the directory."))
}
