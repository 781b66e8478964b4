use proptest::prelude::*;
use serde_json::Value as Json;

use super::*;
use crate::model::{CustomFieldId, TEXT_FIELDS};

fn custom(id: &str) -> Field {
    Field::Custom(CustomFieldId::parse(id).unwrap())
}

fn names(names: &[&str]) -> BTreeSet<String> {
    names.iter().map(|&name| name.to_owned()).collect()
}

#[test]
fn a_create_holds_the_declared_fields_in_the_order_of_the_page() {
    let fields: Fields = [
        (custom("60c39ed82bd02f01154c470b"), "007".into()),
        (Field::OtherPhone, "+44 7911 123456".into()),
        (Field::LabelNames, Value::Lists(names(&["tides", "harbor"]))),
        (custom("60c39ed82bd02f01154c470a"), "1e3".into()),
        (Field::Title, "".into()),
        (Field::FirstName, "Zoë \"Z\"".into()),
    ]
    .into_iter()
    .collect();
    assert_eq!(
        create(&fields, true),
        concat!(
            r#"{"first_name":"Zoë \"Z\"","title":"","label_names":["harbor","tides"],"other_phone":"+44 7911 123456","#,
            r#""typed_custom_fields":{"60c39ed82bd02f01154c470a":"1e3","60c39ed82bd02f01154c470b":"007"},"#,
            r#""run_dedupe":true}"#
        )
    );
}

#[test]
fn a_create_says_whether_to_match_either_way() {
    assert_eq!(create(&Fields::default(), false), r#"{"run_dedupe":false}"#);
}

#[test]
fn an_update_never_replaces_lists() {
    let fields: Fields =
        [(Field::LabelNames, Value::Lists(names(&["harbor"]))), (Field::Title, "Pilot".into())].into_iter().collect();
    assert_eq!(update(&fields), r#"{"title":"Pilot"}"#);
}

#[test]
fn a_list_change_names_one_contact_and_its_lists() {
    let id = ApolloId::parse("66e34b81740c50074e3d1b01").unwrap();
    assert_eq!(
        lists([&id], &names(&["tides", "harbor"])),
        r#"{"entity_ids":["66e34b81740c50074e3d1b01"],"label_names":["harbor","tides"],"modality":"contacts"}"#
    );
}

#[test]
fn a_search_asks_for_the_oldest_first() {
    assert_eq!(
        search(Some("ada@example.com"), Order::OldestFirst, 2, 100),
        concat!(
            r#"{"q_keywords":"ada@example.com","sort_by_field":"contact_created_at","sort_ascending":true,"#,
            r#""page":2,"per_page":100}"#
        )
    );
}

#[test]
fn each_order_of_a_search_is_written_and_keywords_can_be_left_out() {
    for (order, written) in [
        (Order::OldestFirst, r#""sort_by_field":"contact_created_at","sort_ascending":true"#),
        (Order::NewestFirst, r#""sort_by_field":"contact_created_at","sort_ascending":false"#),
        (Order::LongestUnchangedFirst, r#""sort_by_field":"contact_updated_at","sort_ascending":true"#),
        (Order::LastChangedFirst, r#""sort_by_field":"contact_updated_at","sort_ascending":false"#),
    ] {
        assert_eq!(search(None, order, 7, 100), format!(r#"{{{written},"page":7,"per_page":100}}"#));
    }
}

#[test]
fn requests_for_many_name_their_contacts() {
    let [one, other] = ["66e34b81740c50074e3d1b01", "66e34b81740c50074e3d1b02"].map(|id| ApolloId::parse(id).unwrap());
    assert_eq!(
        lists([&one, &other], &names(&["harbor"])),
        concat!(
            r#"{"entity_ids":["66e34b81740c50074e3d1b01","66e34b81740c50074e3d1b02"],"#,
            r#""label_names":["harbor"],"modality":"contacts"}"#
        )
    );
    assert_eq!(
        stages([&one, &other], "60e34b81740c50074e3d1c01"),
        concat!(
            r#"{"contact_ids":["66e34b81740c50074e3d1b01","66e34b81740c50074e3d1b02"],"#,
            r#""contact_stage_id":"60e34b81740c50074e3d1c01"}"#
        )
    );
}

#[test]
fn an_item_holds_what_its_call_can_carry_and_nothing_else() {
    let stage = "60e34b81740c50074e3d1c01";
    let mut fields: Fields = TEXT_FIELDS.into_iter().map(|field| (field, Value::from("x"))).collect();
    fields = fields
        .iter()
        .map(|(field, value)| (field.clone(), value.clone()))
        .chain([
            (Field::ContactStageId, stage.into()),
            (Field::LabelNames, Value::Lists(names(&["harbor"]))),
            (custom("60c39ed82bd02f01154c470a"), "1e3".into()),
        ])
        .collect();
    let custom = r#""typed_custom_fields":{"60c39ed82bd02f01154c470a":"1e3"}"#;
    let item = create_item(&fields);
    assert_eq!(
        item,
        format!(
            r#"{{"first_name":"x","last_name":"x","organization_name":"x","title":"x","account_id":"x","email":"x","contact_stage_id":"{stage}","present_raw_address":"x",{custom}}}"#
        )
    );
    let id = ApolloId::parse("66e34b81740c50074e3d1b01").unwrap();
    let change = update_item(&id, &fields);
    assert_eq!(
        change,
        format!(
            r#"{{"id":"{id}","first_name":"x","last_name":"x","organization_name":"x","title":"x","account_id":"x","email":"x","present_raw_address":"x",{custom}}}"#
        )
    );
    assert_eq!(create_many([&*item, "{}"]), format!(r#"{{"contacts":[{item},{{}}],"run_dedupe":true}}"#));
    assert_eq!(update_many([&*change]), format!(r#"{{"contact_attributes":[{change}]}}"#));
}

fn any_fields() -> impl Strategy<Value = Fields> {
    let text = (prop::sample::select(TEXT_FIELDS.to_vec()), any::<String>())
        .prop_map(|(field, text)| (field, Value::Text(text)));
    let custom =
        ("[0-9a-f]{24}", any::<String>()).prop_map(|(id, text)| (super::tests::custom(&id), Value::Text(text)));
    let lists =
        prop::collection::btree_set(any::<String>(), 0..4).prop_map(|lists| (Field::LabelNames, Value::Lists(lists)));
    prop::collection::vec(prop_oneof![4 => text, 2 => custom, 1 => lists], 0..20)
        .prop_map(|pairs| pairs.into_iter().collect())
}

/// Lists where `body` departs from `schema`; panics on a keyword it does not know, so that none is skipped.
fn departures(schema: &Json, body: &Json, at: &str) -> Vec<String> {
    let schema = schema.as_object().unwrap();
    let mut found = Vec::new();
    for (keyword, rule) in schema {
        match keyword.as_str() {
            "description" | "properties" => {}
            "type" => {
                let fits = match rule.as_str().unwrap() {
                    "object" => body.is_object(),
                    "array" => body.is_array(),
                    "string" => body.is_string(),
                    "boolean" => body.is_boolean(),
                    other => panic!("unknown type {other}"),
                };
                if !fits {
                    found.push(format!("{at}: no {rule}"));
                }
            }
            "items" => {
                let items = body.as_array().into_iter().flatten();
                found.extend(items.flat_map(|item| departures(rule, item, &format!("{at}[]"))));
            }
            "additionalProperties" => {
                for (name, value) in body.as_object().into_iter().flatten() {
                    let place = format!("{at}.{name}");
                    match (schema.get("properties").and_then(|properties| properties.get(name)), rule) {
                        (Some(property), _) => found.extend(departures(property, value, &place)),
                        (None, Json::Bool(false)) => found.push(format!("{place}: unknown")),
                        (None, rule) => found.extend(departures(rule, value, &place)),
                    }
                }
            }
            other => panic!("unknown keyword {other}"),
        }
    }
    found
}

fn departures_from_the_page(body: &str) -> Vec<String> {
    let schema = include_str!("../../../tests/fixtures/apollo/create-request.schema.json");
    departures(&serde_json::from_str(schema).unwrap(), &serde_json::from_str(body).unwrap(), "body")
}

#[test]
fn the_contract_check_finds_departures() {
    let body =
        r#"{"titel": "x", "email": null, "label_names": [1], "typed_custom_fields": {"a": 1}, "run_dedupe": "no"}"#;
    let mut found = departures_from_the_page(body);
    found.sort();
    assert_eq!(
        found,
        [
            "body.email: no \"string\"",
            "body.label_names[]: no \"string\"",
            "body.run_dedupe: no \"boolean\"",
            "body.titel: unknown",
            "body.typed_custom_fields.a: no \"string\"",
        ]
    );
}

#[test]
fn the_contract_knows_every_field() {
    let schema: Json =
        serde_json::from_str(include_str!("../../../tests/fixtures/apollo/create-request.schema.json")).unwrap();
    let names: BTreeSet<_> = schema["properties"].as_object().unwrap().keys().map(String::as_str).collect();
    let ours = TEXT_FIELDS.iter().map(Field::api_name).chain(["label_names", "typed_custom_fields", "run_dedupe"]);
    assert_eq!(names, ours.collect());
}

proptest! {
    #[test]
    fn every_body_keeps_to_the_vendors_page_and_holds_what_was_declared(fields in any_fields(), run_dedupe: bool) {
        let created = create(&fields, run_dedupe);
        prop_assert_eq!(departures_from_the_page(&created), Vec::<String>::new());
        prop_assert_eq!(&created, &create(&fields, run_dedupe));
        let json: Json = serde_json::from_str(&created).unwrap();
        prop_assert_eq!(&json["run_dedupe"], &Json::Bool(run_dedupe));
        for (field, value) in fields.iter() {
            let written = match field {
                Field::Custom(id) => &json["typed_custom_fields"][id.as_str()],
                named => &json[named.api_name()],
            };
            prop_assert_eq!(written, &serde_json::to_value(value).unwrap());
        }
        let custom = json["typed_custom_fields"].as_object().map_or(0, |custom| custom.len() - 1);
        prop_assert_eq!(json.as_object().unwrap().len() + custom, fields.len() + 1);

        let updated = update(&fields);
        prop_assert_eq!(departures_from_the_page(&updated), Vec::<String>::new());
        let json: Json = serde_json::from_str(&updated).unwrap();
        prop_assert!(json.get("label_names").is_none() && json.get("run_dedupe").is_none());
    }

    #[test]
    fn every_body_for_many_is_json_that_holds_each_contacts_carried_fields_in_order(
        contacts in prop::collection::vec((any::<u64>(), any_fields()), 0..5),
    ) {
        let id = |number: u64| ApolloId::parse(&format!("{number:024x}")).unwrap();
        let created: Vec<_> = contacts.iter().map(|(_, fields)| create_item(fields)).collect();
        let created: Json = serde_json::from_str(&create_many(created.iter().map(String::as_str))).unwrap();
        let changed: Vec<_> = contacts.iter().map(|(number, fields)| update_item(&id(*number), fields)).collect();
        let changed: Json = serde_json::from_str(&update_many(changed.iter().map(String::as_str))).unwrap();
        prop_assert_eq!(&created["run_dedupe"], &Json::Bool(true));
        for (call, items) in [
            (Endpoint::CreateContacts, &created["contacts"]),
            (Endpoint::UpdateContacts, &changed["contact_attributes"]),
        ] {
            let items = items.as_array().unwrap();
            prop_assert_eq!(items.len(), contacts.len());
            for (item, (number, fields)) in items.iter().zip(&contacts) {
                let mut item = item.clone();
                let item_id = item.as_object_mut().unwrap().remove("id");
                prop_assert_eq!(item_id, (call == Endpoint::UpdateContacts).then(|| Json::from(id(*number).as_str())));
                prop_assert_eq!(departures_from_the_page(&item.to_string()), Vec::<String>::new());
                let carried: Vec<_> = fields.iter().filter(|(field, _)| call.carries(field)).collect();
                for (field, value) in &carried {
                    let written = match field {
                        Field::Custom(id) => &item["typed_custom_fields"][id.as_str()],
                        named => &item[named.api_name()],
                    };
                    prop_assert_eq!(written, &serde_json::to_value(value).unwrap());
                }
                let custom = item["typed_custom_fields"].as_object().map_or(0, |custom| custom.len() - 1);
                prop_assert_eq!(item.as_object().unwrap().len() + custom, carried.len());
            }
        }
    }
}
