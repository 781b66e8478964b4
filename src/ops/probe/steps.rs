//! The steps of a probe, one after the other.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use serde_json::{Value, json};
use tokio::time::Instant;

use super::bodies::{Mark, batch, changes};
use super::report::{Fact, Finding, MOST_CONTACTS, ProbeReport, Question, Reading, Scope, Unknown};
use crate::apollo::{Answer, BatchAnswer, Contact, Error, Order, Retry, StagesBy, Standing, body};
use crate::model::{ApolloId, Endpoint, Field};
use crate::ops::apply::courier::{Failure, Outcome, Way};
use crate::ops::{Session, chain};

/// The id of no contact.
const NOBODY: &str = "000000000000000000000000";

/// The longest pause between two looks.
const LONGEST_PAUSE: Duration = Duration::from_secs(8);

/// Why a step brought nothing.
struct Nothing {
    why: Unknown,
    facts: Vec<Fact>,
    /// Whether it was refused for what it held.
    is_for_content: bool,
}

pub(super) struct Prober<'a> {
    session: &'a Session,
    patience: Duration,
    mark: Mark,
    /// Contacts that may have been made by requests that were sent.
    may_exist: usize,
    report: ProbeReport,
    found: BTreeMap<Question, Finding>,
    /// The contacts that most is asked with.
    a: Option<ApolloId>,
    b: Option<ApolloId>,
}

impl<'a> Prober<'a> {
    pub(super) fn new(session: &'a Session, patience: Duration) -> Self {
        let mark = Mark(session.run.0.chars().take(16).collect());
        let report = ProbeReport {
            mark: mark.0.clone(),
            at: session.now(),
            findings: Vec::new(),
            made: BTreeMap::new(),
            may_be_more: false,
            lists: vec![mark.list(1), mark.list(2)],
            scopes: BTreeMap::new(),
        };
        Self { session, patience, mark, may_exist: 0, report, found: BTreeMap::new(), a: None, b: None }
    }

    pub(super) async fn run(mut self) -> ProbeReport {
        self.empty_batch().await;
        self.first_batch().await;
        self.search().await;
        self.match_in_batch().await;
        self.single_match().await;
        // By the name first: the other match may change the name of A.
        let (named, tagged) = (self.mark.person("n", "a", "N"), self.mark.person("a+tag", "t", "T"));
        self.matches(Question::NameAndCompany, named).await;
        self.matches(Question::PlusTag, tagged).await;
        self.bulk_update().await;
        self.refusal_among_many().await;
        self.stages().await;
        self.clear().await;
        self.list_scopes().await;
        for question in Question::ALL {
            let unasked = Finding { question, facts: Vec::new(), reading: Err(Unknown::NotAsked) };
            self.report.findings.push(self.found.remove(&question).unwrap_or(unasked));
        }
        self.report
    }

    /// Sends one request, and notes what it tells of the credential.
    async fn ask<T, A: Future<Output = Outcome<T>>>(
        &mut self,
        endpoint: Endpoint,
        ask: impl Fn(Arc<Way>) -> A,
    ) -> Result<Answer<T>, Nothing> {
        let nothing = |why, facts| Nothing { why, facts, is_for_content: false };
        match self.session.access.look(endpoint, ask).await {
            Ok(answer) => {
                self.report.scopes.insert(endpoint, Scope::Granted);
                Ok(answer)
            }
            Err(Failure::Refused(error) | Failure::InDoubt(error)) => {
                let is_refused = error.is_barred(endpoint) || is_no_call(endpoint, &error);
                let scope = match error.status() {
                    Some(status) if is_refused => Scope::Refused(status),
                    Some(200..300 | 400 | 422) if !error.is_page() => Scope::Granted,
                    _ => Scope::Unknown,
                };
                let known = self.report.scopes.entry(endpoint).or_insert(scope);
                if *known == Scope::Unknown {
                    *known = scope;
                }
                let said = error.server_message().map_or_else(|| chain(&error), str::to_owned);
                let facts = error.status().map(Fact::Status).into_iter().chain([Fact::Said(said)]).collect();
                // Any other answer than the API's own refusal may hide contacts.
                self.report.may_be_more |= !is_refused && endpoint.creates() && error.retry(endpoint) == Retry::Settle;
                let is_for_content = matches!(error.status(), Some(400 | 422)) && !error.is_page();
                let why = if is_refused { Unknown::NotAllowed } else { Unknown::NoAnswer };
                Err(Nothing { why, facts, is_for_content })
            }
            Err(Failure::Barred) => Err(nothing(Unknown::NotAllowed, Vec::new())),
            Err(Failure::Out) => Err(nothing(Unknown::NoAnswer, Vec::new())),
            Err(Failure::Stopped | Failure::Stale) => Err(nothing(Unknown::NotAsked, Vec::new())),
            Err(Failure::Store(error)) => Err(nothing(Unknown::NotAsked, vec![Fact::Said(chain(&error))])),
        }
    }

    fn note(&mut self, question: Question, facts: Vec<Fact>, reading: Result<Reading, Unknown>) {
        self.found.insert(question, Finding { question, facts, reading });
    }

    fn note_all(&mut self, questions: &[Question], facts: &[Fact], why: Unknown) {
        for question in questions {
            self.note(*question, facts.to_vec(), Err(why));
        }
    }

    /// Sends a create of many that may make `most` contacts, if that many may still be made; notes those that it made.
    async fn create(&mut self, most: usize, body: &str) -> Result<Answer<BatchAnswer>, Nothing> {
        self.reserve(most)?;
        let made_before = self.report.made.len();
        let ask = |way: Arc<Way>| async move { way.client.create_contacts(body).await };
        let answer = self.ask(Endpoint::CreateContacts, ask).await;
        match &answer {
            Ok(Answer { value: BatchAnswer { rows, unreadable, is_job, .. }, .. }) => {
                for row in rows.iter().filter(|row| row.standing != Standing::Nowhere) {
                    self.note_made(&row.contact).await;
                }
                // Whom an answer does not show may exist all the same.
                if rows.len() == most && *unreadable == 0 && !is_job {
                    self.may_exist = self.may_exist - most + (self.report.made.len() - made_before);
                }
                self.report.may_be_more |= rows.is_empty() || *unreadable > 0 || *is_job;
            }
            Err(nothing) if matches!(nothing.why, Unknown::NotAllowed | Unknown::NotAsked) => self.may_exist -= most,
            Err(_) => {}
        }
        answer
    }

    fn reserve(&mut self, most: usize) -> Result<(), Nothing> {
        if self.may_exist + most > MOST_CONTACTS {
            return Err(Nothing { why: Unknown::Enough, facts: Vec::new(), is_for_content: false });
        }
        self.may_exist += most;
        Ok(())
    }

    /// Notes a contact that an answer shows, if this run made it: nobody else's holds the mark.
    async fn note_made(&mut self, contact: &Contact) {
        if self.report.made.contains_key(&contact.id) {
            return;
        }
        let viewed;
        let mut shown = contact;
        if !self.is_marked(contact) {
            let Ok(contact) = self.view(&contact.id).await else { return };
            viewed = contact;
            shown = &viewed;
        }
        if self.is_marked(shown) {
            let email = shown.emails.first().cloned().unwrap_or_default();
            self.report.made.insert(contact.id.clone(), email);
        }
    }

    fn is_marked(&self, contact: &Contact) -> bool {
        let last_name = contact.readable.text(&Field::LastName).unwrap_or_default();
        contact.emails.iter().map(String::as_str).chain([last_name]).any(|text| text.contains(&self.mark.0))
    }

    async fn view(&mut self, id: &ApolloId) -> Result<Contact, Nothing> {
        let ask = |way: Arc<Way>| async move { way.client.view_contact(id).await };
        Ok(self.ask(Endpoint::ViewContact, ask).await?.value)
    }

    async fn title(&mut self, id: &ApolloId) -> Option<String> {
        self.view(id).await.ok()?.readable.text(&Field::Title).map(str::to_owned)
    }

    async fn lists(&mut self, id: &ApolloId) -> Option<usize> {
        self.view(id).await.ok()?.label_ids.map(|ids| ids.len())
    }

    async fn empty_batch(&mut self) {
        let body = &batch(&[], &[]);
        let ask = |way: Arc<Way>| async move { way.client.create_contacts(body).await };
        let (facts, reading) = match self.ask(Endpoint::CreateContacts, ask).await {
            Ok(answer) => (vec![Fact::Status(answer.meta.status)], Ok(Reading::Accepted)),
            Err(nothing) if nothing.is_for_content => (nothing.facts, Ok(Reading::RefusedForContent)),
            Err(Nothing { why: Unknown::NotAllowed, facts, .. }) => (facts, Ok(Reading::NotAllowed)),
            Err(nothing) => (nothing.facts, Err(nothing.why)),
        };
        self.report.may_be_more = false;
        self.note(Question::EmptyBatch, facts, reading);
    }

    /// Makes the contacts that most is asked with: A with a list, B, and a twin of B by e-mail.
    async fn first_batch(&mut self) {
        use Question::{ItemLists, RowContents, RowOrder, TwinsInBatch};
        let plain = [self.mark.person("a", "a", "One"), self.mark.person("b", "b", "One")];
        let mut items = [plain[0].clone(), plain[1].clone(), self.mark.person("b", "b2", "Two")];
        items[0]["label_names"] = json!([self.mark.list(1)]);
        let answer = match self.create(3, &batch(&items, &[])).await {
            Ok(answer) => Some(answer),
            Err(nothing) if nothing.is_for_content => {
                // Nobody is expected of a refusal; one that hides some is met by the look for them.
                self.may_exist -= 3;
                self.find_made().await;
                self.note(TwinsInBatch, nothing.facts.clone(), Ok(Reading::Refused));
                self.note_all(&[ItemLists], &nothing.facts, Unknown::NotTold);
                if self.report.made.is_empty() { self.create(2, &batch(&plain, &[])).await.ok() } else { None }
            }
            Err(nothing) => {
                self.note_all(&[TwinsInBatch, RowContents, RowOrder, ItemLists], &nothing.facts, nothing.why);
                None
            }
        };
        self.find_made().await;
        if let Some(answer) = answer {
            self.judge_first(&answer);
        }
        let (a, b) = (self.mark.email("a"), self.mark.email("b"));
        let of = |made: &BTreeMap<ApolloId, String>, email: &str| {
            made.iter().find(|(_, made)| made.as_str() == email).map(|(id, _)| id.clone())
        };
        if self.report.made.is_empty() && !self.report.may_be_more {
            // Where many may not be made, the rest is asked with contacts that are made alone.
            for item in plain {
                let _ = self.create_single(item, false).await;
            }
        }
        (self.a, self.b) = (of(&self.report.made, &a), of(&self.report.made, &b));
        if !self.found.contains_key(&ItemLists) {
            let lists = match self.a.clone() {
                Some(a) => self.lists(&a).await,
                None => None,
            };
            let reading = lists.map(|count| if count > 0 { Reading::ListsTaken } else { Reading::ListsIgnored });
            self.note(ItemLists, Vec::new(), reading.ok_or(Unknown::NotTold));
        }
    }

    fn judge_first(&mut self, answer: &Answer<BatchAnswer>) {
        let facts = facts(answer);
        let rows = &answer.value.rows;
        let (a, b) = (self.mark.email("a"), self.mark.email("b"));
        let b_made = self.report.made.values().filter(|email| **email == b).count();
        let twins = match b_made {
            0 => Err(Unknown::NotTold),
            1 => Ok(Reading::MadeOnce),
            _ => Ok(Reading::MadeTwice),
        };
        if !self.found.contains_key(&Question::TwinsInBatch) {
            self.note(Question::TwinsInBatch, facts.clone(), twins);
        }
        let Some(row) = rows.iter().find(|row| row.standing == Standing::Created).map(|row| &row.contact) else {
            return self.note_all(&[Question::RowContents, Question::RowOrder], &facts, Unknown::NotTold);
        };
        let shows = [
            ("created_at", row.created_at.is_some()),
            ("email", !row.emails.is_empty()),
            ("title", row.readable.text(&Field::Title).is_some()),
            ("typed_custom_fields", !row.leaves_custom_out),
            ("label_ids", row.label_ids.is_some()),
        ];
        let named = |is: bool| shows.iter().filter(|(_, shown)| *shown == is).map(|(name, _)| *name).collect();
        let mut contents = facts.clone();
        contents.push(Fact::Shown { shown: named(true), hidden: named(false) });
        let tells = if row.created_at.is_some() { Reading::TellsCreation } else { Reading::HidesCreation };
        self.note(Question::RowContents, contents, Ok(tells));
        let places: Vec<usize> = rows
            .iter()
            .filter(|row| row.standing == Standing::Created)
            .filter_map(|row| match row.contact.emails.first() {
                Some(email) if *email == a => Some(0),
                Some(email) if *email == b => Some(1),
                _ => None,
            })
            .collect();
        let order = if places.is_sorted() { Reading::SameOrder } else { Reading::OtherOrder };
        let has_both = places.contains(&0) && places.contains(&1);
        self.note(Question::RowOrder, facts, if has_both { Ok(order) } else { Err(Unknown::NotTold) });
    }

    /// Looks among the newest contacts for those of this run that no answer has shown.
    async fn find_made(&mut self) {
        let ask = |way: Arc<Way>| async move { way.client.search_contacts(None, Order::NewestFirst, 1).await };
        if let Ok(answer) = self.ask(Endpoint::SearchContacts, ask).await {
            for contact in answer.value.contacts.iter().filter(|contact| self.is_marked(contact)).collect::<Vec<_>>() {
                let email = contact.emails.first().cloned().unwrap_or_default();
                self.report.made.entry(contact.id.clone()).or_insert(email);
            }
        }
        self.may_exist = self.may_exist.max(self.report.made.len());
    }

    async fn search(&mut self) {
        let Some(a) = self.a.clone() else {
            return self.note_all(&[Question::SearchLag, Question::KeywordSearch], &[], Unknown::NothingToAskWith);
        };
        let email = self.mark.email("a");
        for (question, keywords) in [(Question::SearchLag, None), (Question::KeywordSearch, Some(email.as_str()))] {
            let (started, mut pause, mut looks) = (Instant::now(), Duration::from_secs(1), 0_u32);
            let (facts, reading) = loop {
                looks += 1;
                let order = if keywords.is_some() { Order::OldestFirst } else { Order::NewestFirst };
                let ask = |way: Arc<Way>| async move { way.client.search_contacts(keywords, order, 1).await };
                let took = match self.ask(Endpoint::SearchContacts, ask).await {
                    Ok(answer) if answer.value.contacts.iter().any(|contact| contact.id == a) => {
                        let reading = if looks == 1 { Reading::ShownAtOnce } else { Reading::ShownLater };
                        break (vec![Fact::Took(started.elapsed())], Ok(reading));
                    }
                    Ok(_) => started.elapsed(),
                    Err(nothing) => break (nothing.facts, Err(nothing.why)),
                };
                if took + pause > self.patience || self.session.stop().is_requested() {
                    break (vec![Fact::Took(took)], Ok(Reading::NotShown));
                }
                self.session.courier().pause(pause).await;
                pause = (pause * 2).min(LONGEST_PAUSE);
            };
            self.note(question, facts, reading);
        }
    }

    async fn match_in_batch(&mut self) {
        use Question::{AppendedLists, MatchInBatch, MatchStanding};
        let Some(a) = self.a.clone() else {
            return self.note_all(&[MatchInBatch, MatchStanding, AppendedLists], &[], Unknown::NothingToAskWith);
        };
        let lists_before = self.lists(&a).await;
        let item = self.mark.person("a", "a", "Second");
        let answer = match self.create(1, &batch(&[item], &[self.mark.list(2)])).await {
            Ok(answer) => answer,
            Err(nothing) => {
                return self.note_all(&[MatchInBatch, MatchStanding, AppendedLists], &nothing.facts, nothing.why);
            }
        };
        let facts = facts(&answer);
        let row = answer.value.rows.first();
        if row.is_some_and(|row| row.contact.id != a) {
            self.note(MatchInBatch, facts.clone(), Ok(Reading::MadeAnother));
            return self.note_all(&[MatchStanding, AppendedLists], &facts, Unknown::NotTold);
        }
        let reading = overwritten(self.title(&a).await.as_deref(), "Second");
        self.note(MatchInBatch, facts.clone(), reading);
        let standing = match row {
            None => Err(Unknown::NotTold),
            Some(row) if row.standing == Standing::Existing => Ok(Reading::AmongExisting),
            Some(_) => Ok(Reading::AmongCreated),
        };
        self.note(MatchStanding, facts.clone(), standing);
        let appended = match (lists_before, self.lists(&a).await) {
            (Some(before), Some(after)) if after > before => Ok(Reading::ListsTaken),
            (Some(_), Some(_)) => Ok(Reading::ListsIgnored),
            _ => Err(Unknown::NotTold),
        };
        self.note(AppendedLists, facts, appended);
    }

    /// Asks whether a person that is like A in one way is matched to it.
    async fn matches(&mut self, question: Question, item: Value) {
        let Some(a) = self.a.clone() else { return self.note_all(&[question], &[], Unknown::NothingToAskWith) };
        match self.create(1, &batch(&[item], &[])).await {
            Ok(answer) => {
                let reading = match answer.value.rows.first() {
                    Some(row) if row.contact.id == a => Ok(Reading::Matched),
                    Some(row) if row.standing == Standing::Created => Ok(Reading::MadeAnother),
                    _ => Err(Unknown::NotTold),
                };
                self.note(question, facts(&answer), reading);
            }
            Err(nothing) => self.note_all(&[question], &nothing.facts, nothing.why),
        }
    }

    async fn create_single(&mut self, mut item: Value, run_dedupe: bool) -> Result<Answer<Contact>, Nothing> {
        self.reserve(1)?;
        item["run_dedupe"] = json!(run_dedupe);
        let body = &item.to_string();
        let ask = |way: Arc<Way>| async move { way.client.create_contact(body).await };
        let answer = self.ask(Endpoint::CreateContact, ask).await;
        match &answer {
            Ok(answer) => {
                let is_new = !self.report.made.contains_key(&answer.value.id);
                self.note_made(&answer.value).await;
                self.may_exist -= usize::from(!is_new);
            }
            Err(nothing) if matches!(nothing.why, Unknown::NotAllowed | Unknown::NotAsked) => self.may_exist -= 1,
            Err(_) => {}
        }
        answer
    }

    async fn single_match(&mut self) {
        use Question::{SingleMatch, Witnesses};
        let Some(b) = self.b.clone() else {
            return self.note_all(&[SingleMatch, Witnesses], &[], Unknown::NothingToAskWith);
        };
        let before: BTreeSet<ApolloId> = self.report.made.keys().cloned().collect();
        let answer = match self.create_single(self.mark.person("b", "b", "Third"), true).await {
            Ok(answer) => answer,
            Err(nothing) => return self.note_all(&[SingleMatch, Witnesses], &nothing.facts, nothing.why),
        };
        let facts = vec![Fact::Status(answer.meta.status)];
        let contact = answer.value;
        if !before.contains(&contact.id) {
            self.note(SingleMatch, facts.clone(), Ok(Reading::MadeAnother));
            return self.note_all(&[Witnesses], &facts, Unknown::NotTold);
        }
        self.b = Some(contact.id.clone()).or(Some(b));
        let reading = overwritten(self.title(&contact.id).await.as_deref(), "Third");
        self.note(SingleMatch, facts.clone(), reading);
        let dedupe = contact.dedupe.is_some_and(|dedupe| dedupe.found_existing);
        let witnesses = match (dedupe, contact.was_existing == Some(true)) {
            (true, true) => Reading::BothWitnesses,
            (true, false) => Reading::DedupeResultAlone,
            (false, true) => Reading::WasExistingAlone,
            (false, false) => Reading::NoWitness,
        };
        self.note(Witnesses, facts, Ok(witnesses));
    }

    async fn change(&mut self, items: &[(&str, &str)]) -> Result<Answer<BatchAnswer>, Nothing> {
        let body = &changes(items);
        self.ask(Endpoint::UpdateContacts, |way: Arc<Way>| async move { way.client.update_contacts(body).await }).await
    }

    async fn bulk_update(&mut self) {
        let question = Question::BulkUpdate;
        let (Some(a), Some(b)) = (self.a.clone(), self.b.clone()) else {
            return self.note_all(&[question], &[], Unknown::NothingToAskWith);
        };
        let answer = match self.change(&[(a.as_str(), "Fourth"), (b.as_str(), "Fourth")]).await {
            Ok(answer) => answer,
            Err(nothing) => return self.note_all(&[question], &nothing.facts, nothing.why),
        };
        let mut facts = facts(&answer);
        let row = answer.value.rows.iter().find(|row| row.contact.id == a).map(|row| &row.contact);
        if let Some(row) = row {
            let custom = ["typed_custom_fields"];
            let (shown, hidden) =
                if row.leaves_custom_out { (&custom[..0], &custom[..]) } else { (&custom[..], &custom[..0]) };
            facts.push(Fact::Shown { shown: shown.to_vec(), hidden: hidden.to_vec() });
        }
        let shown = row.and_then(|row| row.readable.text(&Field::Title)) == Some("Fourth");
        let reading = match self.title(&a).await.as_deref() {
            Some("Fourth") if shown => Ok(Reading::ShownChanged),
            Some("Fourth") => Ok(Reading::ChangedUnseen),
            Some(_) => Ok(Reading::NotChanged),
            None => Err(Unknown::NotTold),
        };
        self.note(question, facts, reading);
    }

    async fn refusal_among_many(&mut self) {
        let question = Question::RefusalAmongMany;
        let (Some(a), Some(b)) = (self.a.clone(), self.b.clone()) else {
            return self.note_all(&[question], &[], Unknown::NothingToAskWith);
        };
        let sent = [(a.as_str(), "Fifth"), (NOBODY, "Fifth"), (b.as_str(), "Fifth")];
        let (facts, was_refused) = match self.change(&sent).await {
            Ok(answer) => (facts(&answer), false),
            Err(nothing) if nothing.is_for_content => (nothing.facts, true),
            Err(nothing) => return self.note_all(&[question], &nothing.facts, nothing.why),
        };
        let is_written = |title: Option<String>| title.map(|title| title == "Fifth");
        let (before, after) = (is_written(self.title(&a).await), is_written(self.title(&b).await));
        let reading = match (was_refused, before, after) {
            (true, Some(false), Some(false)) => Ok(Reading::NobodyWritten),
            (true, Some(true), Some(false)) => Ok(Reading::WrittenBefore),
            (true, Some(_), Some(true)) => Ok(Reading::OthersWritten),
            (false, Some(true), Some(true)) => Ok(Reading::PassedOver),
            _ => Err(Unknown::NotTold),
        };
        self.note(question, facts, reading);
    }

    async fn stages(&mut self) {
        let question = Question::Stages;
        let Some(a) = self.a.clone() else { return self.note_all(&[question], &[], Unknown::NothingToAskWith) };
        let ask = |way: Arc<Way>| async move { way.client.stages().await };
        let stages = match self.ask(Endpoint::ShowStages, ask).await {
            Ok(answer) => answer.value,
            Err(nothing) => return self.note_all(&[question], &nothing.facts, nothing.why),
        };
        let mut facts = Vec::new();
        let mut moved = Vec::new();
        for place in [StagesBy::Query, StagesBy::Body] {
            let now = self.stage(&a).await;
            let other = stages.iter().find(|stage| now.as_deref().is_some_and(|now| now != stage.id));
            let Some(other) = other.map(|stage| &*stage.id) else {
                return self.note_all(&[question], &facts, Unknown::NothingToAskWith);
            };
            let id = &a;
            let ask = |way: Arc<Way>| async move { way.client.update_stages_by(&[place], &[id], other).await };
            match self.ask(Endpoint::UpdateStages, ask).await {
                Ok(answer) => facts.push(Fact::Status(answer.meta.status)),
                Err(nothing) if nothing.is_for_content => facts.extend(nothing.facts),
                Err(nothing) => return self.note_all(&[question], &nothing.facts, nothing.why),
            }
            match self.stage(&a).await {
                Some(stage) => moved.push(stage == other),
                None => return self.note_all(&[question], &facts, Unknown::NotTold),
            }
        }
        let reading = match moved[..] {
            [true, true] => Reading::QueryAndBody,
            [true, false] => Reading::QueryAlone,
            [false, true] => Reading::BodyAlone,
            _ => Reading::NeitherPlace,
        };
        self.note(question, facts, Ok(reading));
    }

    async fn stage(&mut self, id: &ApolloId) -> Option<String> {
        self.view(id).await.ok()?.readable.text(&Field::ContactStageId).map(str::to_owned)
    }

    /// Asks whether an empty text clears a field.
    async fn clear(&mut self) {
        // A number that is nobody's: 555-0100 to 555-0199 are kept for fiction.
        const PHONE: &str = "+1 202-555-0143";
        let questions = [Question::ClearText, Question::ClearPhone];
        let Some(a) = self.a.clone() else { return self.note_all(&questions, &[], Unknown::NothingToAskWith) };
        let mut seen = Vec::new();
        let mut facts = Vec::new();
        for (title, phone) in [("Sixth", PHONE), ("", "")] {
            let (id, body) = (&a, &json!({ "title": title, "mobile_phone": phone }).to_string());
            let ask = |way: Arc<Way>| async move { way.client.update_contact(id, body).await };
            match self.ask(Endpoint::UpdateContact, ask).await {
                Ok(answer) => facts.push(Fact::Status(answer.meta.status)),
                Err(nothing) => return self.note_all(&questions, &nothing.facts, nothing.why),
            }
            match self.view(&a).await {
                Ok(contact) => seen.push(contact),
                Err(nothing) => return self.note_all(&questions, &nothing.facts, nothing.why),
            }
        }
        let title = |contact: &Contact| contact.readable.text(&Field::Title).unwrap_or_default().to_owned();
        let cleared = |was_there: bool, is_there: bool| match (was_there, is_there) {
            (true, true) => Ok(Reading::Kept),
            (true, false) => Ok(Reading::Cleared),
            (false, _) => Err(Unknown::NotTold),
        };
        self.note(questions[0], facts.clone(), cleared(title(&seen[0]) == "Sixth", !title(&seen[1]).is_empty()));
        self.note(questions[1], facts, cleared(seen[0].shows_phone(PHONE), seen[1].shows_phone(PHONE)));
    }

    /// Asks for changes of lists that change nothing.
    async fn list_scopes(&mut self) {
        for endpoint in [Endpoint::AddToLists, Endpoint::RemoveFromLists] {
            let body = &body::lists([], &BTreeSet::new());
            let ask = |way: Arc<Way>| async move { way.client.change_lists(endpoint, body).await };
            // What it tells is noted with the scopes.
            let _ = self.ask(endpoint, ask).await;
        }
    }
}

/// Reports whether an answer says that there is no such call, or none for this credential.
fn is_no_call(endpoint: Endpoint, error: &Error) -> bool {
    let is_for_one = matches!(endpoint, Endpoint::ViewContact | Endpoint::UpdateContact);
    match error.status() {
        Some(401) => true,
        Some(403) => !error.is_page(),
        Some(404 | 405) => !is_for_one || error.is_page(),
        _ => false,
    }
}

fn facts(answer: &Answer<BatchAnswer>) -> Vec<Fact> {
    let BatchAnswer { rows, complaint, is_job, .. } = &answer.value;
    let count = |standing| rows.iter().filter(|row| row.standing == standing).count();
    let (created, existing) = (count(Standing::Created), count(Standing::Existing));
    let mut facts = vec![Fact::Status(answer.meta.status)];
    facts.push(Fact::Rows { created, existing, nowhere: count(Standing::Nowhere) });
    facts.extend(is_job.then_some(Fact::Job));
    facts.extend(complaint.clone().map(Fact::Said));
    facts
}

/// Tells what became of a matched contact by the title that it has now.
fn overwritten(title: Option<&str>, sent: &str) -> Result<Reading, Unknown> {
    match title {
        Some(title) if title == sent => Ok(Reading::Overwritten),
        Some(_) => Ok(Reading::LeftAsItWas),
        None => Err(Unknown::NotTold),
    }
}
