//! The client's calls for many contacts against the sandbox: two readings of one documentation that share no code.

use std::collections::{BTreeMap, BTreeSet};

use contactsd::apollo::{BatchAnswer, Client, Credential, Options, Order, Retry, Standing, body};
use contactsd::model::{ApolloId, CustomFieldId, Endpoint, Field, Fields, TEXT_FIELDS, Timestamp, Value};
use contactsd::sandbox::{self, Action, Server};
use serde_json::{Value as Json, json};
use tempfile::TempDir;

const STAGE: &str = "65a1000000000000000000c2";
const CUSTOM: &str = "65b0000000000000000000f1";

struct World {
    server: Server,
    client: Client,
    _data: TempDir,
}

impl World {
    async fn new(quirks: &str, faults: &str) -> Self {
        Self::with(|options| {
            options.quirks = quirks.parse().unwrap();
            options.faults = faults.parse().unwrap();
        })
        .await
    }

    async fn with(change: impl FnOnce(&mut sandbox::Options)) -> Self {
        let data = tempfile::tempdir().unwrap();
        let clock = std::sync::Arc::new(|| Timestamp(1_750_000_000_123));
        let mut options = sandbox::Options::new(data.path().join("data"), clock);
        options.api_keys = vec!["a-key".to_owned()];
        change(&mut options);
        let server = Server::start(options).await.unwrap();
        let base_url = server.base_url().parse().unwrap();
        let client = Client::new(Options::new(base_url, Credential::ApiKey("a-key".into()))).unwrap();
        Self { server, client, _data: data }
    }

    async fn create(&self, people: &[Fields]) -> BatchAnswer {
        let items: Vec<_> = people.iter().map(body::create_item).collect();
        let body = body::create_many(items.iter().map(String::as_str));
        self.client.create_contacts(&body).await.unwrap().value
    }

    /// What is stored, by e-mail.
    fn stored(&self) -> BTreeMap<String, Json> {
        let by_email = |contact: Json| (contact["email"].as_str().unwrap().to_owned(), contact);
        self.server.contacts().into_iter().map(by_email).collect()
    }
}

fn email(number: usize) -> String {
    format!("p{number}@example.org")
}

/// Somebody with everything that a file can declare.
fn person(number: usize) -> Fields {
    let texts = TEXT_FIELDS.into_iter().map(|field| {
        let text = match field {
            Field::Email => email(number),
            Field::AccountId => "65b0000000000000000000a1".to_owned(),
            Field::ContactStageId => STAGE.to_owned(),
            ref named => format!("{named} \"{number}\" ünd mehr"),
        };
        (field, Value::Text(text))
    });
    let custom = (Field::Custom(CustomFieldId::parse(CUSTOM).unwrap()), Value::from("007"));
    let lists = (Field::LabelNames, Value::Lists(BTreeSet::from(["A".to_owned()])));
    texts.chain([custom, lists]).collect()
}

fn declared(field: &Field, text: &str) -> Fields {
    [(field.clone(), Value::from(text))].into_iter().collect()
}

/// The e-mail and standing of each row, sorted.
fn standings(answer: &BatchAnswer) -> Vec<(String, Standing)> {
    let mut rows: Vec<_> = answer.rows.iter().map(|row| (row.contact.emails[0].clone(), row.standing)).collect();
    rows.sort();
    rows
}

fn all(count: usize, standing: Standing) -> Vec<(String, Standing)> {
    let mut rows: Vec<_> = (0..count).map(|number| (email(number), standing)).collect();
    rows.sort();
    rows
}

#[tokio::test]
async fn a_batch_makes_everybody_with_all_that_items_carry_and_nothing_else() {
    let world = World::new("", "").await;
    let people: Vec<_> = (0..body::MOST_CONTACTS).map(person).collect();
    let answer = world.create(&people).await;
    assert_eq!(standings(&answer), all(body::MOST_CONTACTS, Standing::Created));
    assert_eq!((answer.unreadable, answer.complaint, answer.is_job), (0, None, false));
    let stored = world.stored();
    for (number, person) in people.iter().enumerate() {
        let contact = &stored[&email(number)];
        for (field, value) in person.iter().filter(|(field, _)| Endpoint::CreateContacts.carries(field)) {
            let shown = match field {
                Field::Custom(id) => &contact["typed_custom_fields"][id.as_str()],
                named => &contact[named.api_name()],
            };
            assert_eq!(shown, &serde_json::to_value(value).unwrap(), "{field}");
        }
        assert_eq!((&contact["website_url"], &contact["label_names"]), (&Json::Null, &json!([])));
        assert_eq!(contact["phone_numbers"], json!([]));
    }
    assert_eq!(standings(&world.create(&people).await), all(body::MOST_CONTACTS, Standing::Existing));
    assert_eq!(world.server.contacts().len(), body::MOST_CONTACTS);
}

#[tokio::test]
async fn each_end_of_an_item_is_told_from_the_others() {
    use Standing::{Created, Existing, Nowhere};
    for (quirks, faults, first, again) in [
        ("", "", all(3, Created), all(3, Existing)),
        ("bulk-matches-among-created", "", all(3, Created), all(3, Existing)),
        ("bulk-rows-bare", "", all(3, Created), all(3, Existing)),
        ("bulk-overwrites", "", all(3, Created), all(3, Existing)),
        ("creates-ghosts", "", all(3, Nowhere), all(3, Nowhere)),
        ("", "item-ghost=1", all(3, Nowhere), all(3, Nowhere)),
        ("", "item-left-out=1", vec![], vec![]),
        ("bulk-answers-jobs", "", vec![], vec![]),
    ] {
        let world = World::new(quirks, faults).await;
        let people: Vec<_> = (0..3).map(person).collect();
        for expected in [first, again] {
            let answer = world.create(&people).await;
            assert_eq!(standings(&answer), expected, "{quirks}{faults}");
            assert_eq!((answer.unreadable, answer.is_job), (0, quirks == "bulk-answers-jobs"), "{quirks}{faults}");
        }
    }
    let world = World::new("error-beside-contact", "").await;
    let answer = world.create(&[person(0)]).await;
    assert_eq!((standings(&answer), answer.complaint.is_some()), (all(1, Created), true));
}

#[tokio::test]
async fn an_empty_batch_tells_whether_batches_are_granted() {
    let ask = async |world: World| {
        let answer = world.client.create_contacts(&body::create_many([])).await;
        assert!(world.server.contacts().is_empty());
        answer
    };
    assert_eq!(ask(World::new("", "").await).await.unwrap().value, BatchAnswer::default());
    let refused = ask(World::new("bulk-empty-refused", "").await).await.unwrap_err();
    assert_eq!((refused.status(), refused.is_page()), (Some(422), false));
    let barred = ask(World::with(|options| options.missing_scopes = [Action::BulkCreate].into()).await).await;
    let barred = barred.unwrap_err();
    assert!(barred.is_barred(Endpoint::CreateContacts) && !barred.is_barred(Endpoint::CreateContact));
    let unknown = ask(World::new("vendor-page-only", "").await).await.unwrap_err();
    assert_eq!((unknown.status(), unknown.is_page()), (Some(404), true));
    assert_eq!(unknown.retry(Endpoint::CreateContacts), Retry::Settle);
}

#[tokio::test]
async fn a_refusal_points_at_the_field_where_it_can_and_a_lost_answer_is_in_doubt() {
    let world = World::new("refuses-marked,bulk-refused-half-done", "").await;
    world.create(&[person(0), person(1)]).await;
    let ids: Vec<_> = world.server.contacts().iter().map(id).collect();
    let items = [
        body::update_item(&ids[0], &declared(&Field::Title, "Poet")),
        body::update_item(&ids[1], &declared(&Field::Title, "(refuse)")),
    ];
    let update = body::update_many(items.iter().map(String::as_str));
    let refused = world.client.update_contacts(&update).await.unwrap_err();
    assert_eq!((refused.status(), refused.retry(Endpoint::UpdateContacts)), (Some(422), Retry::Never));
    assert_eq!((refused.refused_contact(), refused.field_hint()), (Some(&ids[1]), Some(Field::Title)));
    assert_eq!(world.stored()[&email(0)]["title"], "Poet");

    let create = body::create_many([r#"{"account_id":"2342432"}"#]);
    let refused = world.client.create_contacts(&create).await.unwrap_err();
    assert_eq!((refused.retry(Endpoint::CreateContacts), refused.field_hint()), (Retry::Never, Some(Field::AccountId)));
    for fault in ["lost-reply", "truncated", "html-502", "page-after", "error-500-after"] {
        world.server.set_faults(format!("{fault}=1").parse().unwrap());
        let lost = world.client.create_contacts(&body::create_many([])).await.unwrap_err();
        assert_eq!(lost.retry(Endpoint::CreateContacts), Retry::Settle, "{fault}");
    }
}

fn id(contact: &Json) -> ApolloId {
    ApolloId::parse(contact["id"].as_str().unwrap()).unwrap()
}

#[tokio::test]
async fn many_are_changed_moved_listed_and_found_by_one_request_each() {
    let world = World::new("search-counts-as-text", "").await;
    let people: Vec<_> = (0..body::MOST_CONTACTS).map(|number| declared(&Field::Email, &email(number))).collect();
    world.create(&people).await;
    let ids: Vec<_> = world.server.contacts().iter().map(id).collect();
    let items: Vec<_> = ids.iter().map(|id| body::update_item(id, &person(7))).collect();
    let changed = world.client.update_contacts(&body::update_many(items.iter().map(String::as_str))).await.unwrap();
    assert_eq!((changed.value.rows.len(), changed.value.unreadable), (body::MOST_CONTACTS, 0));
    let every = |name: &str, value: &Json| world.server.contacts().iter().all(|contact| contact[name] == *value);
    assert!(every("typed_custom_fields", &json!({ CUSTOM: "007" })) && !every("contact_stage_id", &json!(STAGE)));

    let targets: Vec<_> = ids.iter().collect();
    let moved = world.client.update_stages(&targets, STAGE).await.unwrap().value;
    let moved: BTreeSet<_> = moved.rows.into_iter().map(|row| row.contact.id).collect();
    assert_eq!(moved, ids.iter().cloned().collect());
    assert!(every("contact_stage_id", &json!(STAGE)));

    let lists = BTreeSet::from(["A".to_owned(), "B".to_owned()]);
    let listed = world.client.change_lists(Endpoint::AddToLists, &body::lists(&ids, &lists)).await.unwrap().value;
    assert_eq!(listed.names, Some(vec!["A".to_owned(), "B".to_owned()]));
    assert!(every("label_names", &json!(["A", "B"])));
    world.client.change_lists(Endpoint::RemoveFromLists, &body::lists(&ids, &lists)).await.unwrap();
    assert!(every("label_names", &json!([])));

    for order in [Order::OldestFirst, Order::NewestFirst, Order::LastChangedFirst, Order::LongestUnchangedFirst] {
        let page = world.client.search_contacts(None, order, 1).await.unwrap().value;
        let mut found: Vec<_> = page.contacts.iter().map(|contact| contact.id.clone()).collect();
        if matches!(order, Order::NewestFirst | Order::LastChangedFirst) {
            found.reverse();
        }
        assert_eq!((&found, page.total_entries, page.is_last()), (&ids, Some(100), true), "{order:?}");
        assert!(page.contacts.iter().all(|contact| contact.updated_at.is_some()));
    }
    assert_eq!(world.server.requests().total(), 9);
}
