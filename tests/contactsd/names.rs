//! Stages and custom fields by their names: what they become, when Apollo is asked, and what is said of names it does not know.

use contactsd::sandbox::Action;
use serde_json::{Value, json};

use crate::support::{Remote, World};

const ADA: &str = "\
contacts:
  ada:
    email: ada@example.com
    contact_stage: Interested
    custom_fields:
      Tier: Gold
      Interests: [Events, Research]
      Renewal date: 2026-08-07
";

const BY_IDS: &str = "\
contacts:
  ada:
    email: ada@example.com
    contact_stage_id: 65a1000000000000000000c2
    typed_custom_fields:
      65a1000000000000000000e0: 65a100000000000000000f00
";

/// Counts what Apollo was asked for names.
fn asked(remote: &Remote) -> (u64, u64) {
    (remote.requests(Action::ShowStages), remote.requests(Action::ShowCustomFields))
}

#[test]
fn names_become_ids_and_are_asked_for_once() {
    let remote = Remote::start();
    let world = World::with(ADA).against(&remote);
    let applied = world.run("apply --auto-approve");
    assert_eq!(applied.code, Some(0), "{applied}");
    let ada = remote.contact("email", "ada@example.com");
    assert_eq!(ada["contact_stage_id"], "65a1000000000000000000c2");
    let custom = &ada["typed_custom_fields"];
    assert_eq!(custom["65a1000000000000000000e0"], "65a100000000000000000f00");
    assert_eq!(custom["65a1000000000000000000e1"], "65a100000000000000000f10;65a100000000000000000f12");
    assert_eq!(custom["65a1000000000000000000e2"], "2026-08-07");
    assert_eq!(asked(&remote), (1, 1));
    // Nothing is asked again, with a key or without, whether the index is there or not.
    world.run("plan").is_clean();
    let mut offline = world;
    offline.unset("APOLLO_API_KEY");
    offline.run("plan").is_clean();
    std::fs::remove_file(offline.path(".contactsd/contacts.d/state/index")).unwrap();
    offline.run("plan").is_clean();
    offline.edit("contacts.d/team.yaml", "Tier: Gold", "Tier: Silver");
    let plan = offline.run("plan");
    assert!(plan.stdout.contains("1 to change"), "{plan}");
    let change = planned_change(&offline.run("plan --json").stdout);
    assert_eq!(change["after"]["contact_stage_id"], "65a1000000000000000000c2");
    let of = |field: &str| &change["names"][field];
    assert_eq!(
        (of("65a1000000000000000000c2"), of("65a1000000000000000000e0")),
        (&json!("Interested"), &json!("Tier"))
    );
    // What stood there and what is declared, and each of several options.
    assert_eq!((of("65a100000000000000000f00"), of("65a100000000000000000f01")), (&json!("Gold"), &json!("Silver")));
    assert_eq!(
        (of("65a100000000000000000f10"), of("65a100000000000000000f12")),
        (&json!("Events"), &json!("Research"))
    );
    let masked = planned_change(&offline.run("plan --json --mask").stdout);
    assert_eq!(masked["names"]["65a1000000000000000000e0"], "Tier", "{masked}");
    assert!(!masked.to_string().contains("Gold") && !masked.to_string().contains("Interested"), "{masked}");
    let why: Value = serde_json::from_str(&offline.run("why ada --json").stdout).unwrap();
    assert_eq!(why["next"][0]["change"]["names"], change["names"]);
    assert_eq!(asked(&remote), (1, 1));
}

/// Returns the one change of a plan.
fn planned_change(records: &str) -> Value {
    let objects = records.lines().map(|line| serde_json::from_str::<Value>(line).unwrap());
    let changes: Vec<Value> = objects.filter(|object| object["type"] == "planned_change").collect();
    assert_eq!(changes.len(), 1, "{records}");
    changes[0]["change"].clone()
}

#[test]
fn ids_need_neither_a_key_nor_a_request() {
    let remote = Remote::start();
    let mut world = World::with(BY_IDS).against(&remote);
    assert_eq!(world.run("apply --auto-approve").code, Some(0));
    world.unset("APOLLO_API_KEY");
    world.run("plan").is_clean();
    assert_eq!(asked(&remote), (0, 0));
}

#[test]
fn the_same_by_names_in_the_place_of_ids_is_no_change() {
    let remote = Remote::start();
    let world = World::with(BY_IDS).against(&remote);
    assert_eq!(world.run("apply --auto-approve").code, Some(0));
    world.team(
        "defaults:\n  contact_stage: Interested\ncontacts:\n  ada:\n    email: ada@example.com\n    custom_fields: {Tier: Gold}\n",
    );
    world.run("plan").is_clean();
    world.run("apply --auto-approve").is_clean();
}

#[test]
fn a_plan_without_a_key_says_which_names_are_not_known() {
    let world = World::with(ADA);
    insta::assert_snapshot!(world.run("plan"), @r#"
    Planning failed. There is no plan, and nothing can be applied.
    Read: 1 file, with 4 errors.
    [stderr]
    Error: The stage "Interested" has not been looked up in Apollo yet [E036]

      with contact.ada,
      contacts.d/team.yaml:4:20
       4:     contact_stage: Interested
                             ^^^^^^^^^^

    Apollo takes ids, and only Apollo knows the id of this name. Set APOLLO_API_KEY to look it up, or
    write the id under `contact_stage_id`.

    Error: The custom field "Tier" has not been looked up in Apollo yet [E036]

      with contact.ada,
      contacts.d/team.yaml:6:7
       6:       Tier: Gold
                ^^^^

    Apollo takes ids, and only Apollo knows the id of this name. Set APOLLO_API_KEY to look it up, or
    write the id under `typed_custom_fields`.

    Error: The custom field "Interests" has not been looked up in Apollo yet [E036]

      with contact.ada,
      contacts.d/team.yaml:7:7
       7:       Interests: [Events, Research]
                ^^^^^^^^^

    Apollo takes ids, and only Apollo knows the id of this name. Set APOLLO_API_KEY to look it up, or
    write the id under `typed_custom_fields`.

    Error: The custom field "Renewal date" has not been looked up in Apollo yet [E036]

      with contact.ada,
      contacts.d/team.yaml:8:7
       8:       Renewal date: 2026-08-07
                ^^^^^^^^^^^^

    Apollo takes ids, and only Apollo knows the id of this name. Set APOLLO_API_KEY to look it up, or
    write the id under `typed_custom_fields`.

    Hint: contactsd explain E036 says more.
    [exit 1]
    "#);
    assert_eq!(world.run("validate").code, Some(0));
}

#[test]
fn a_plan_before_the_first_apply_asks_and_leaves_no_state() {
    let remote = Remote::start();
    let world = World::with(ADA).against(&remote);
    let plan = world.run("plan");
    assert!(plan.code == Some(0) && plan.stdout.contains("1 to add"), "{plan}");
    assert!(!world.path(".contactsd").exists());
}

#[test]
fn what_apollo_would_swallow_is_an_error_of_the_plan() {
    let remote = Remote::start();
    let world = World::with(
        "contacts:\n  ada:\n    email: ada@example.com\n    contact_stage: Intersted\n    custom_fields:\n      Tier: Platinum\n      \
         Seats: a few\n      Nickname: \"1234567890123456789012345678901234567890123456789012345678901234567890123456789012345678901234567890123456789012345678901\"\n      Region: EMEA\n      Colour: red\n",
    )
    .against(&remote);
    insta::assert_snapshot!(world.run("plan"), @r#"
    Planning failed. There is no plan, and nothing can be applied.
    Read: 1 file, with 6 errors.
    [stderr]
    Error: There is no stage "Intersted" in Apollo [E036]

      with contact.ada,
      contacts.d/team.yaml:4:20
       4:     contact_stage: Intersted
                             ^^^^^^^^^

    Did you mean "Interested"? Names must match exactly, capitals included; `contactsd lookup stages
    --api-url http://127.0.0.1:[PORT]/api/v1` lists them. If it was renamed in Apollo, rename it here
    too.

    Error: "Platinum" is not an option of the custom field "Tier" [E038]

      with contact.ada,
      contacts.d/team.yaml:6:13
       6:       Tier: Platinum
                      ^^^^^^^^

    Apollo would accept the request but might not store this value. Its options are: "Gold", "Silver",
    "Bronze".

    Error: The custom field "Seats" needs a number, not "a few" [E038]

      with contact.ada,
      contacts.d/team.yaml:7:14
       7:       Seats: a few
                       ^^^^^

    Apollo would accept the request but might not store this value. Write only digits, as in 1200 or
    -7.5.

    Error: The value of the custom field "Nickname" has 121 characters, and only 120 are kept [E038]

      with contact.ada,
      contacts.d/team.yaml:8:17
       8:       Nickname: "123456789012345678901234567890123456789012345678901234567890123456789012...
                          ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^

    Apollo would accept the request but might not store this value. Shorten it, or change the field in
    Apollo to one for long texts.

    Error: There is no custom field "Region" for contacts [E036]

      with contact.ada,
      contacts.d/team.yaml:9:7
       9:       Region: EMEA
                ^^^^^^

    Apollo has one of this name for another kind of record ("account"), and would ignore the value.
    `contactsd lookup fields --api-url http://127.0.0.1:[PORT]/api/v1` lists those of contacts.

    Error: There is no custom field "Colour" in Apollo [E036]

      with contact.ada,
      contacts.d/team.yaml:10:7
      10:       Colour: red
                ^^^^^^

    There are: "Tier", "Interests", "Renewal date", "Seats", "Wants mail", "Nickname", "Notes". Names
    must match exactly, capitals included; `contactsd lookup fields --api-url
    http://127.0.0.1:[PORT]/api/v1` lists them. If it was renamed in Apollo, rename it here too.

    Hint: contactsd explain E036 says more.
    [exit 1]
    "#);
    assert_eq!(remote.contacts(), Vec::<Value>::new());
}

#[test]
fn a_stage_that_is_renamed_makes_an_error_and_no_loop() {
    let remote = Remote::start();
    let world = World::with(ADA).against(&remote);
    assert_eq!(world.run("apply --auto-approve").code, Some(0));
    remote.set_stages(&json!([{"id": "65a1000000000000000000c2", "name": "Keen"}]));
    // What is known stands; what it says of the contact is true.
    world.run("plan").is_clean();
    world.edit("contacts.d/team.yaml", "Interested", "Keen");
    world.run("plan").is_clean();
    world.edit("contacts.d/team.yaml", "Keen", "Interested");
    let plan = world.run("plan");
    assert!(plan.code == Some(1) && plan.stderr.contains("E036"), "{plan}");
    let before = asked(&remote);
    let mut offline = world;
    offline.unset("APOLLO_API_KEY");
    assert_eq!(offline.run("plan").code, Some(1));
    assert_eq!(asked(&remote), before);
}

#[test]
fn a_name_that_means_another_id_now_is_a_change() {
    let remote = Remote::start();
    let world = World::with(ADA).against(&remote);
    assert_eq!(world.run("apply --auto-approve").code, Some(0));
    let stages = json!([
        {"id": "65a1000000000000000000c9", "name": "Interested"},
        {"id": "65a1000000000000000000c2", "name": "Former"},
    ]);
    remote.set_stages(&stages);
    assert_eq!(world.run("lookup stages").code, Some(0));
    let plan = world.run("plan");
    assert!(plan.stdout.contains("1 to change") && plan.stdout.contains("65a1000000000000000000c9"), "{}", plan.stdout);
    assert_eq!(world.run("apply --auto-approve").code, Some(0));
    world.run("plan").is_clean();
}

#[test]
fn the_newer_call_is_made_where_the_key_may_not_make_the_other() {
    let remote = Remote::with(|options| options.missing_scopes = [Action::ShowCustomFields].into());
    let world =
        World::with("contacts:\n  ada:\n    email: ada@example.com\n    custom_fields: {Seats: 7}\n").against(&remote);
    let applied = world.run("apply --auto-approve");
    assert_eq!(applied.code, Some(0), "{applied}");
    assert_eq!(remote.contacts()[0]["typed_custom_fields"]["65a1000000000000000000e3"], "7");
    world.edit("contacts.d/team.yaml", "Seats: 7", "Tier: Gold");
    let plan = world.run("plan");
    assert!(
        plan.code == Some(1) && plan.stderr.contains("options of the custom field \"Tier\" are not known"),
        "{plan}"
    );
}

#[test]
fn lookup_lists_what_apollo_has_and_without_a_key_what_is_known() {
    let remote = Remote::start();
    let mut world = World::with(ADA).against(&remote);
    assert_eq!(world.run("apply --auto-approve").code, Some(0));
    insta::assert_snapshot!(world.run("lookup stages"), @"
    [ID1]  Cold
    [ID2]  Approaching
    [ID3]  Interested
    [ID4]  Not Interested
    [ID5]  Do Not Contact
    [exit 0]
    ");
    insta::assert_snapshot!(world.run("lookup fields"), @"
    [ID6]  Interests     multipicklist  Events, Newsletter, Research
    [ID7]  Nickname      string         up to 120 characters
    [ID8]  Notes         textarea
    [ID9]  Renewal date  date
    [ID10]  Seats         number
    [ID11]  Tier          picklist       Gold, Silver, Bronze
    [ID12]  Wants mail    boolean
    [exit 0]
    ");
    let lists = world.run("lookup lists --json");
    assert_eq!(lists.code, Some(0), "{lists}");
    let lists: Value = serde_json::from_str(&lists.stdout).unwrap();
    assert_eq!(lists["lists"], json!([]));
    world.unset("APOLLO_API_KEY");
    let stages = world.run("lookup stages");
    assert!(
        stages.code == Some(0)
            && stages.stdout.contains("Interested")
            && stages.stderr.contains("this is what Apollo listed"),
        "{stages}"
    );
}

#[test]
fn a_service_asks_for_names_that_it_does_not_know() {
    let remote = Remote::start();
    let world = World::with(ADA).against(&remote);
    let ended = world.run("watch --once");
    assert_eq!(ended.code, Some(0), "{ended}");
    assert_eq!(remote.contact("email", "ada@example.com")["contact_stage_id"], "65a1000000000000000000c2");
    assert_eq!(asked(&remote), (1, 1));
    let ended = world.run("watch --once");
    assert_eq!((ended.code, asked(&remote)), (Some(0), (1, 1)), "{ended}");
}

#[test]
fn a_plan_shows_names_beside_ids() {
    let remote = Remote::start();
    let world = World::with(ADA).against(&remote);
    insta::assert_snapshot!(world.run("plan"), @r#"
    Actions are indicated with the following symbols:
      + create

    contactsd will perform the following actions:

      # contact.ada will be created
      # (or imported, if Apollo has a contact with this e-mail)
      + contact "ada" {
          + email               = "ada@example.com"
          + contact_stage_id    = "[ID1]" # (Interested)
          + typed_custom_fields = {
              + "[ID2]" = "[ID3]" # (Tier: Gold)
              + "[ID4]" = "[ID5];[ID6]" # (Interests: Events, Research)
              + "[ID7]" = "2026-08-07" # (Renewal date)
            }
          + id                  = (known after apply)
        }

    Plan: 1 to add, 0 to change, 0 to destroy.
    Requests: 2 bulk create, up to 1 search; no wait for quota (600 requests an hour of each kind are
    assumed until Apollo tells its limits).
    Each new contact is searched for before it is created. If the key is not allowed to search: a
    request for many contacts does not change a contact that Apollo matches, but a request for one
    contact overwrites it.
    Digest: [DIGEST]

    ────────────────────────────────────────────────────────────────────────────────────────────────────

    Run "contactsd apply --api-url http://127.0.0.1:[PORT]/api/v1" to perform these actions. It plans
    again, and asks before anything is sent.
    [exit 0]
    "#);
    assert_eq!(world.run("apply --auto-approve").code, Some(0));
    world.edit("contacts.d/team.yaml", "Interested", "Cold");
    world.edit("contacts.d/team.yaml", "Tier: Gold", "Tier: Silver");
    insta::assert_snapshot!(world.run("plan --out saved.plan"), @r#"
    Actions are indicated with the following symbols:
      ~ update in-place

    contactsd will perform the following actions:

      # contact.ada will be updated in-place
      ~ contact "ada" {
            id                  = "[ID8]"
          ~ contact_stage_id    = "[ID1]" -> "[ID9]" # (Interested -> Cold)
          ~ typed_custom_fields = {
              ~ "[ID2]" = "[ID3]" -> "[ID10]" # (Tier: Gold -> Silver)
                # (2 unchanged elements hidden)
            }
            # (1 unchanged attribute hidden)
        }

    Plan: 0 to add, 1 to change, 0 to destroy.
    Requests: 1 update; no wait for quota (600 requests an hour of each kind are assumed until Apollo
    tells its limits).
    Digest: [DIGEST]

    ────────────────────────────────────────────────────────────────────────────────────────────────────

    Saved the plan to: saved.plan

    To perform exactly these actions, run the following command to apply:
        contactsd apply saved.plan --api-url http://127.0.0.1:[PORT]/api/v1
    [exit 0]
    "#);
    let shown = world.run("show saved.plan");
    assert!(shown.stdout.contains("Tier: Gold -> Silver"), "{shown}");
}

#[test]
fn two_fields_of_one_label_are_told_apart_by_their_ids() {
    let remote = Remote::start();
    let fields = json!([
        {"name": "Tier", "id": "65a1000000000000000000e7"},
        {"name": "Tier", "id": "65a1000000000000000000e8", "type": "number"},
    ]);
    remote.set_fields(&fields);
    let world =
        World::with("contacts:\n  ada:\n    email: ada@example.com\n    custom_fields: {Tier: 3}\n").against(&remote);
    let plan = world.run("plan");
    assert!(
        plan.code == Some(1) && plan.stderr.contains("65a1000000000000000000e7, 65a1000000000000000000e8"),
        "{plan}"
    );
    world.team(
        "contacts:\n  ada:\n    email: ada@example.com\n    typed_custom_fields: {65a1000000000000000000e8: 3}\n",
    );
    assert_eq!(world.run("apply --auto-approve").code, Some(0));
}
