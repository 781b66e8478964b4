//! Stages and custom fields that are declared by their names.

use super::*;
use crate::model::{Fields, Value};

const STAGE: &str = "6095a710bd01d100a506d4af";
const TIER: &str = "60c39ed82bd02f01154c4701";
const INTERESTS: &str = "60c39ed82bd02f01154c4702";

fn fields(text: &str) -> Fields {
    clean(text).remove(&key("jane")).unwrap().fields
}

#[track_caller]
fn the_same(named: &str, by_id: &str) {
    let entry = |text: &str| clean(text).remove(&key("jane")).unwrap();
    let (named, by_id) = (entry(named), entry(by_id));
    assert_eq!(named.fields, by_id.fields);
    assert_eq!(named.fingerprint(), by_id.fingerprint());
}

#[test]
fn a_contact_declared_by_names_is_the_one_declared_by_ids() {
    the_same(
        "contacts:\n  jane:\n    email: j@example.com\n    contact_stage: Cold\n    custom_fields:\n      Tier: Gold\n      \
         Interests: [Events, Research]\n      Renewal date: 2025-08-07\n      Seats: 007\n      Wants mail: true\n",
        &format!(
            "contacts:\n  jane:\n    email: j@example.com\n    contact_stage_id: {STAGE}\n    typed_custom_fields:\n      \
             {TIER}: '5c01'\n      {INTERESTS}: 5c11;5c12\n      60c39ed82bd02f01154c4703: 2025-08-07\n      \
             60c39ed82bd02f01154c4704: 007\n      60c39ed82bd02f01154c4705: 'true'\n"
        ),
    );
}

#[test]
fn defaults_merge_label_by_label_and_either_way_of_naming_overrides_the_other() {
    let text = |contact: &str| {
        format!(
            "defaults:\n  contact_stage: Cold\n  custom_fields:\n    Tier: Gold\n    Seats: 3\ncontacts:\n  jane:\n    \
             email: j@example.com\n{contact}"
        )
    };
    let of = |contact: &str| {
        let fields = fields(&text(contact));
        let custom =
            |id: &str| fields.text(&Field::try_from(format!("typed_custom_fields.{id}")).unwrap()).map(str::to_owned);
        (fields.text(&Field::ContactStageId).map(str::to_owned), custom(TIER), custom("60c39ed82bd02f01154c4704"))
    };
    let some = |text: &str| Some(text.to_owned());
    assert_eq!(of(""), (some(STAGE), some("5c01"), some("3")));
    assert_eq!(of("    contact_stage: Warm\n    custom_fields: {Tier: Silver}\n").1, some("5c02"));
    assert_eq!(of("    contact_stage_id: aaaaaaaaaaaaaaaaaaaaaaaa\n").0, some("aaaaaaaaaaaaaaaaaaaaaaaa"));
    assert_eq!(of(&format!("    typed_custom_fields: {{{TIER}: x}}\n")), (some(STAGE), some("x"), some("3")));
    assert_eq!(of("    contact_stage: null\n    custom_fields: {Tier: null}\n"), (None, None, some("3")));
    assert_eq!(of("    contact_stage: ''\n    custom_fields: null\n"), (some(""), None, None));
    assert_eq!(of("    custom_fields: {Tier: '', Seats: ''}\n"), (some(STAGE), some(""), some("")));
}

#[test]
fn what_a_merge_key_brings_gives_way_to_what_the_contact_says_in_the_other_way() {
    let text = format!(
        "defaults: &base\n  contact_stage: Cold\n  custom_fields: {{Tier: Gold}}\ncontacts:\n  jane:\n    <<: *base\n    email: \
         j@example.com\n    contact_stage_id: aaaaaaaaaaaaaaaaaaaaaaaa\n    typed_custom_fields: {{{TIER}: x}}\n"
    );
    let fields = fields(&text);
    assert_eq!(fields.text(&Field::ContactStageId), Some("aaaaaaaaaaaaaaaaaaaaaaaa"));
    assert_eq!(
        fields
            .iter()
            .filter(|(field, _)| matches!(field, Field::Custom(_)))
            .map(|(_, value)| value)
            .collect::<Vec<_>>(),
        [&Value::from("x")]
    );
}

#[test]
fn what_is_no_name_no_value_or_said_twice_is_told_with_its_place() {
    let text = format!(
        "contacts:\n  jane:\n    email: j@example.com\n    contact_stage: cold\n    contact_stage_id: {STAGE}\n    \
         typed_custom_fields:\n      {TIER}: x\n    custom_fields:\n      Tier: Gold\n      Teir: Gold\n      Seats: many\n      \
         Renewal date: [2025-08-07]\n      Interests: [Events, Reserch]\n      Nickname: {}\n      Region: EMEA\n      Twice: x\n      \
         Mapped: x\n",
        "x".repeat(11)
    );
    insta::assert_snapshot!(Dir::of(&[("a.yaml", &text)]).report(), @r#"
    E036 a.yaml:4:20: There is no stage "cold" in Apollo
            contact_stage: cold
                           ^^^^
    E037 a.yaml:5:5: The stage is declared by name and by id
            contact_stage_id: 6095a710bd01d100a506d4af
            ^^^^^^^^^^^^^^^^
        `contact_stage` here: a.yaml:4:5
    E037 a.yaml:9:7: The custom field is declared by name and by id
              Tier: Gold
              ^^^^
        the other one here: a.yaml:7:7
    E036 a.yaml:10:7: There is no custom field "Teir" in Apollo
              Teir: Gold
              ^^^^
    E038 a.yaml:11:14: The custom field "Seats" needs a number, not "many"
              Seats: many
                     ^^^^
    E009 a.yaml:12:7: `Renewal date` must be text, not a list
              Renewal date: [2025-08-07]
              ^^^^^^^^^^^^
    E038 a.yaml:13:27: "Reserch" is not an option of the custom field "Interests"
              Interests: [Events, Reserch]
                                  ^^^^^^^
    E038 a.yaml:14:17: The value of the custom field "Nickname" has 11 characters, and only 10 are kept
              Nickname: xxxxxxxxxxx
                        ^^^^^^^^^^^
    E036 a.yaml:15:7: There is no custom field "Region" for contacts
              Region: EMEA
              ^^^^^^
    E036 a.yaml:16:7: There are several custom fields "Twice" in Apollo
              Twice: x
              ^^^^^
    E038 a.yaml:17:15: The custom field "Mapped" cannot be written
              Mapped: x
                      ^
    "#);
}

#[test]
fn names_that_were_never_read_are_told_as_such_and_ids_need_none() {
    let text = format!(
        "contacts:\n  jane:\n    email: j@example.com\n    contact_stage: Cold\n  joe:\n    email: o@example.com\n    contact_stage_id: {STAGE}\n"
    );
    let dir = Dir::of(&[("a.yaml", &text)]);
    let options = Options { meaning: &Meaning::Known(Arc::default()), ..Options::plain() };
    let (loaded, _) = load(dir.path(), &options).unwrap();
    let [found] = &loaded.diagnostics[..] else { panic!("{:?}", loaded.diagnostics) };
    assert_eq!(
        (found.code, loaded.faulty_names.stages, loaded.faulty_names.fields),
        (Some(Code::UnknownName), true, false)
    );
    assert!(found.summary.contains("has not been looked up"), "{}", found.summary);
    let (as_written, _) = load(dir.path(), &Options::plain()).unwrap();
    assert_eq!(as_written.diagnostics, []);
}
