use std::collections::BTreeSet;
use std::sync::Mutex;

use super::*;
use crate::apollo::{Answer, Meta, Order};
use crate::model::{Field, Fields, Value};
use crate::ops::apply::line::Line;

const PER: usize = PER_PAGE as usize;

/// An account that is looked at, with a note of each look.
struct Team {
    line: Line,
    contacts: Mutex<Vec<Contact>>,
    /// A page of everybody that comes without its rows.
    lost_page: Option<u32>,
    looks: Mutex<Vec<String>>,
}

fn id(number: usize) -> ApolloId {
    ApolloId::parse(&format!("{number:024x}")).unwrap()
}

fn contact(number: usize, title: &str, updated_at: u64) -> Contact {
    let email = format!("p{number}@example.com");
    let pairs = [(Field::Email, &*email), (Field::Title, title)];
    let readable: Fields = pairs.into_iter().map(|(field, text)| (field, Value::from(text))).collect();
    Contact {
        created_at: Some(Timestamp(number as u64)),
        updated_at: Some(Timestamp(updated_at)),
        emails: vec![email],
        readable,
        label_names: Some(Vec::new()),
        label_ids: Some(Vec::new()),
        ..Contact::bare(id(number))
    }
}

impl Team {
    fn of(many: usize) -> Self {
        let contacts = Mutex::new((0..many).map(|number| contact(number, "CTO", 1)).collect());
        Self { line: Line::alone(), contacts, lost_page: None, looks: Mutex::default() }
    }

    fn took(&self) -> Vec<String> {
        std::mem::take(&mut *self.looks.lock().unwrap())
    }

    fn note(&self, look: String) {
        self.looks.lock().unwrap().push(look);
    }
}

impl Sees for Team {
    fn line(&self) -> &Line {
        &self.line
    }

    async fn everybody(&self, order: Order, page: u32) -> Result<Answer<SearchPage>, Failure> {
        let mut contacts = self.contacts.lock().unwrap().clone();
        match order {
            Order::OldestFirst => contacts.sort_by_key(|contact| contact.created_at),
            _ => contacts.sort_by_key(|contact| std::cmp::Reverse((contact.updated_at, contact.created_at))),
        }
        self.note(format!("{order:?} {page}"));
        let all = contacts.len();
        let rows = contacts.into_iter().skip((page as usize - 1) * PER).take(PER);
        let rows = rows.filter(|_| self.lost_page != Some(page) || order != Order::OldestFirst).collect();
        let value = SearchPage {
            contacts: rows,
            page,
            total_pages: u32::try_from(all.div_ceil(PER)).ok(),
            total_entries: Some(all as u64),
        };
        let meta = Meta { date: Some(Timestamp(1_000_000)), ..Meta::default() };
        Ok(Answer { value, meta })
    }

    async fn view(&self, id: &ApolloId) -> Result<Contact, Failure> {
        self.note("view".to_owned());
        let found = self.contacts.lock().unwrap().iter().find(|contact| contact.id == *id).cloned();
        Ok(found.unwrap_or_else(|| Contact { id: id.clone(), person_deleted: true, ..contact(0, "", 0) }))
    }

    async fn lists(&self) -> Result<BTreeMap<String, String>, Failure> {
        self.note("lists".to_owned());
        Ok(BTreeMap::new())
    }
}

fn asked(numbers: impl IntoIterator<Item = usize>) -> Asked {
    let fields: BTreeSet<Field> = [Field::Email, Field::Title].into();
    let asked = AskedFor { fields: fields.into(), applied_at: Timestamp(1) };
    numbers.into_iter().map(|number| (id(number), asked.clone())).collect()
}

async fn look(account: &Team, known: Option<Account>, asked: &Asked) -> Refreshed {
    refresh(account, known, IdentityKey([1; 32]), asked, false).await.unwrap()
}

fn titles(found: &Refreshed) -> BTreeSet<String> {
    let seen = found.sightings.iter().map(|(id, sighting)| match sighting {
        Sighting::Seen(seen) => seen.unpack().contact(id).readable.text(&Field::Title).unwrap_or_default().to_owned(),
        other => format!("{other:?}"),
    });
    seen.collect()
}

#[tokio::test]
async fn everybody_is_read_by_pages_and_what_has_changed_by_one() {
    let account = Team::of(250);
    let asked = asked(0..200);
    let found = look(&account, None, &asked).await;
    assert_eq!(account.took(), ["OldestFirst 1", "OldestFirst 2", "OldestFirst 3"]);
    assert_eq!((found.sightings.len(), titles(&found)), (200, ["CTO".to_owned()].into()));
    account.contacts.lock().unwrap()[7] = contact(7, "Boss", 999_999);
    let found = look(&account, found.account, &asked).await;
    assert_eq!(account.took(), ["LastChangedFirst 1"]);
    assert_eq!(titles(&found), ["Boss".to_owned(), "CTO".to_owned()].into());
}

#[tokio::test]
async fn a_few_among_many_are_viewed_each() {
    let account = Team::of(1000);
    let found = look(&account, None, &asked(0..4)).await;
    assert_eq!(account.took(), ["OldestFirst 1", "view", "view", "view", "view"]);
    assert_eq!(found.sightings.len(), 4);
    assert!(found.account.is_none());
    look(&account, None, &asked([5])).await;
    assert_eq!(account.took(), ["view"]);
}

#[tokio::test]
async fn gone_takes_everybody_else_and_a_view() {
    let account = Team::of(150);
    let asked = asked(0..150);
    let known = look(&account, None, &asked).await.account;
    account.took();
    account.contacts.lock().unwrap().remove(64);
    let found = look(&account, known, &asked).await;
    assert_eq!(account.took(), ["LastChangedFirst 1", "OldestFirst 1", "OldestFirst 2", "view"]);
    let gone: Vec<_> = found.sightings.iter().filter(|(_, sighting)| **sighting == Sighting::Gone).collect();
    assert_eq!(gone.len(), 1);
    assert_eq!(*gone[0].0, id(64));
    // It is not looked for among everybody again.
    look(&account, found.account, &asked).await;
    assert_eq!(account.took(), ["LastChangedFirst 1", "view"]);
}

#[tokio::test]
async fn of_a_few_who_seem_gone_everybody_is_read() {
    let account = Team::of(450);
    account.contacts.lock().unwrap().remove(3);
    let found = look(&account, None, &asked([1, 3])).await;
    let pages = (1..=5).map(|page| format!("OldestFirst {page}"));
    let looks: Vec<String> = ["OldestFirst 1", "view", "view"]
        .map(str::to_owned)
        .into_iter()
        .chain(pages)
        .chain(["view".to_owned()])
        .collect();
    assert_eq!(account.took(), looks);
    assert_eq!(found.sightings[&id(3)], Sighting::Gone);
    assert!(matches!(found.sightings[&id(1)], Sighting::Seen(_)));
}

#[tokio::test]
async fn a_page_that_is_lost_makes_nobody_gone() {
    let mut account = Team::of(250);
    account.lost_page = Some(2);
    account.contacts.lock().unwrap().remove(120);
    let found = look(&account, None, &asked(0..200)).await;
    // Whoever was missing is viewed; of the one who is not shown, nothing is concluded.
    assert_eq!(account.took().iter().filter(|look| *look == "view").count(), 100);
    let seen = found.sightings.values().filter(|sighting| matches!(sighting, Sighting::Seen(_))).count();
    assert_eq!(seen, 199);
    assert!(matches!(found.sightings[&id(120)], Sighting::Unknown(_)));
    assert!(found.account.is_none(), "what is not whole is not kept");
}
