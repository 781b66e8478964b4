//! What a probe found out, as a page to paste into an issue; and which team it is about to write to.
//!
//! Never shows a credential or personal data: the contacts in it are the probe's own.

use std::fmt::Write as _;

use super::amounts::{count, counted, duration};
use super::binding_text::time_text;
use super::escape::escape;
use crate::ops::{
    Fact, Finding, MOST_CONTACTS, ProbeReading as Reading, ProbeReport, ProbeTarget, Question, Scope, Unknown,
};

/// Says before anything is sent what a probe does, and for whom.
pub fn probe_intro(target: &ProbeTarget, api: &str) -> String {
    let ProbeTarget { team, user, contacts } = target;
    let team = team
        .as_deref()
        .map_or_else(|| "a team that Apollo does not name".to_owned(), |id| format!("team {}", escape(id)));
    let user = user.as_deref().map(|user| format!(", as {}", escape(user))).unwrap_or_default();
    let holds = match contacts.and_then(|number| usize::try_from(number).ok()) {
        Some(number) => format!("It holds {} now.", counted(number, "contact")),
        None => "The number of its contacts is not known.".to_owned(),
    };
    format!(
        "The probe is for a test workspace. It would write to {team}{user}, at {api}. {holds}\n\nIt makes at most \
         {MOST_CONTACTS} throwaway contacts under example.com and up to 2 lists, and changes no other contact. Apollo \
         has no call to delete them: you delete them by hand afterwards."
    )
}

/// Writes the report as Markdown, without the last newline.
pub fn probe_text(report: &ProbeReport, api: &str) -> String {
    let ProbeReport { mark, at, findings, made, may_be_more, lists, scopes } = report;
    let mut text = format!(
        "## contactsd probe {mark}\n\ncontactsd {}, at {api}, {}.\n\n| Question | Sent | Seen | It means |\n|---|---|---|---|\n",
        env!("CARGO_PKG_VERSION"),
        time_text(*at)
    );
    for finding in findings {
        let (question, sent) = question(finding.question);
        let cells = [question.to_owned(), sent.to_owned(), seen(finding), meaning(finding)];
        let _ = writeln!(text, "| {} |", cells.map(|cell| cell_text(&cell)).join(" | "));
    }
    let _ = write!(text, "\nThe key:");
    for (number, (endpoint, scope)) in scopes.iter().enumerate() {
        let scope = match scope {
            Scope::Granted => "yes".to_owned(),
            Scope::Refused(status) => format!("no ({status})"),
            Scope::Unknown => "not known".to_owned(),
        };
        let comma = if number > 0 { "," } else { "" };
        let _ = write!(text, "{comma} {endpoint} {scope}");
    }
    text += if scopes.is_empty() { " nothing was asked.\n" } else { ".\n" };
    if made.is_empty() {
        text += "\nNo contact is known to be made.";
    } else {
        let _ = writeln!(text, "\nDelete by hand ({}):\n", counted(made.len(), "contact"));
        for (id, email) in made {
            let _ = writeln!(text, "- {id} {}", cell_text(email));
        }
        text.truncate(text.trim_end().len());
    }
    if *may_be_more {
        let _ = write!(text, "\n\nAn answer was lost or showed nobody, so there may be more: search for {mark}.");
    }
    let lists: Vec<String> = lists.iter().map(|list| format!("\"{list}\"")).collect();
    let _ = write!(text, "\n\nDelete these lists too, if they are there: {}.", lists.join(", "));
    text
}

/// Puts foreign text into a cell: one line, no mark-up.
fn cell_text(text: &str) -> String {
    escape(text).replace('|', "\\|").replace('<', "&lt;").replace('`', "'")
}

/// Names a question, and says in short what is sent for it.
fn question(question: Question) -> (&'static str, &'static str) {
    match question {
        Question::EmptyBatch => {
            ("Does an empty batch tell whether batches may be sent?", "bulk create without contacts")
        }
        Question::TwinsInBatch => ("The same e-mail twice in one batch?", "bulk create of two people with one e-mail"),
        Question::RowContents => ("Do rows of a batch tell when a contact was made?", "the same bulk create"),
        Question::RowOrder => ("Are rows in the order that was sent?", "the same bulk create"),
        Question::ItemLists => ("Does an item's own label_names count?", "label_names in an item of it, then a view"),
        Question::SearchLag => ("When does a search show a new contact?", "pages of the newest contacts"),
        Question::KeywordSearch => ("Does a search for its e-mail find it?", "searches with the e-mail as q_keywords"),
        Question::MatchInBatch => (
            "What becomes of a match in a batch with run_dedupe?",
            "the same e-mail and name with another title, then a view",
        ),
        Question::MatchStanding => ("Does the answer to a batch show a match as one?", "the same bulk create"),
        Question::AppendedLists => ("Does append_label_names reach a match?", "append_label_names in it, then a view"),
        Question::NameAndCompany => {
            ("Is a contact matched by name and company?", "the same name and company with another e-mail")
        }
        Question::PlusTag => {
            ("Is a contact matched by its e-mail with a plus tag?", "the e-mail with +tag and another name")
        }
        Question::SingleMatch => (
            "What becomes of a match of a single create with run_dedupe?",
            "the same e-mail and name with another title, then a view",
        ),
        Question::Witnesses => ("By what does that answer show the match?", "the same create"),
        Question::BulkUpdate => {
            ("Does bulk_update show what it changed?", "another title for two contacts, then a view")
        }
        Question::RefusalAmongMany => (
            "What of a bulk_update that is refused for one contact?",
            "two contacts, and an id of nobody between them, then views",
        ),
        Question::Stages => (
            "Does update_stages read the query or the body?",
            "another stage in the query alone, then in the body alone",
        ),
        Question::ClearText => ("Does \"\" clear a text in a PATCH?", "a title, then \"\", then a view"),
        Question::ClearPhone => ("Does \"\" clear a phone in a PATCH?", "a mobile_phone, then \"\", then a view"),
    }
}

fn seen(finding: &Finding) -> String {
    let fact = |fact: &Fact| match fact {
        Fact::Status(status) => status.to_string(),
        Fact::Said(said) => said.clone(),
        Fact::Rows { created, existing, nowhere } => {
            let nowhere = if *nowhere > 0 { format!(", {} that nobody finds", count(*nowhere)) } else { String::new() };
            format!("{} created, {} existing{nowhere}", count(*created), count(*existing))
        }
        Fact::Job => "a job".to_owned(),
        Fact::Shown { shown, hidden } => {
            let part = |what: &str, names: &[&str]| (!names.is_empty()).then(|| format!("{what} {}", names.join(", ")));
            [part("with", shown), part("without", hidden)].into_iter().flatten().collect::<Vec<_>>().join(", ")
        }
        Fact::Took(time) if time.as_secs() == 0 => "within a second".to_owned(),
        Fact::Took(time) => format!("after {}", duration(*time)),
    };
    let facts: Vec<String> = finding.facts.iter().map(fact).collect();
    if facts.is_empty() { "-".to_owned() } else { facts.join("; ") }
}

/// Says what a finding means, as both reports do.
pub(super) fn meaning(finding: &Finding) -> String {
    let why = match finding.reading {
        Ok(reading) => return read(reading).to_owned(),
        Err(Unknown::NotAsked) => "the run ended before",
        Err(Unknown::NotAllowed) => "the key may not ask",
        Err(Unknown::NoAnswer) => "no answer that can be used",
        Err(Unknown::NotTold) => "the answer does not tell",
        Err(Unknown::NothingToAskWith) => "an earlier step failed",
        Err(Unknown::Enough) => "it could have made one contact too many",
    };
    format!("unknown: {why}")
}

fn read(reading: Reading) -> &'static str {
    match reading {
        Reading::Accepted => "yes: it is accepted",
        Reading::RefusedForContent => "yes: it is refused for its content alone",
        Reading::NotAllowed => "no: the key may not send batches",
        Reading::MadeOnce => "one contact is made",
        Reading::MadeTwice => "two contacts are made",
        Reading::Refused => "the batch is refused",
        Reading::TellsCreation => "yes, by created_at",
        Reading::SameOrder => "they were this time",
        Reading::HidesCreation | Reading::OtherOrder => "no",
        Reading::ListsIgnored => "no: it is ignored",
        Reading::ListsTaken => "yes: the contact is on the list",
        Reading::ShownAtOnce => "at once",
        Reading::ShownLater => "later",
        Reading::NotShown => "not in this time",
        Reading::LeftAsItWas => "it is left as it was",
        Reading::Overwritten => "it is overwritten",
        Reading::MadeAnother => "nobody is matched: another contact is made",
        Reading::AmongCreated => "no: it looks like a new one",
        Reading::BothWitnesses => "by dedupe_result and was_existing",
        Reading::DedupeResultAlone => "by dedupe_result alone",
        Reading::WasExistingAlone => "by was_existing alone",
        Reading::NoWitness => "by its id and created_at alone",
        Reading::ChangedUnseen => "no: it is changed and not shown",
        Reading::NotChanged => "nothing is changed",
        Reading::NobodyWritten => "nobody is written",
        Reading::WrittenBefore => "what stands before it is written",
        Reading::OthersWritten => "the others are written",
        Reading::PassedOver => "it is not refused: the others are written",
        Reading::QueryAlone => "the query alone",
        Reading::BodyAlone => "the body alone",
        Reading::QueryAndBody => "either",
        Reading::NeitherPlace => "neither",
        Reading::Matched | Reading::AmongExisting | Reading::ShownChanged | Reading::Cleared => "yes",
        Reading::Kept => "no: the value stays",
    }
}
