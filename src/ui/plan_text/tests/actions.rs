//! One block of each action.

use super::*;

#[test]
fn a_create_that_apollo_cannot_match_says_nothing_of_matching() {
    let mut solo = entry("solo", &[(Field::FirstName, "Solo".into()), (Field::LabelNames, lists(&[]))]);
    solo.run_dedupe = false;
    insta::assert_snapshot!(block(create(solo)), @r#"
    # contact.solo will be created
    + contact "solo" {
        + first_name  = "Solo"
        + label_names = []
        + run_dedupe  = false
        + id          = (known after apply)
      }
    "#);
}

#[test]
fn a_release_names_the_fields() {
    let changes = vec![released(Field::HomePhone), released(custom('d'))];
    let operation = Operation::Release { id: id(1), entry: ada(&full()).into(), changes };
    insta::assert_snapshot!(block(action("ada", Reason::NoLongerDeclared, operation)), @r#"
    # contact.ada: fields are no longer managed
    # (Apollo keeps their values)
      contact "ada" {
          id = "66f0c1000000000000000001"
          # (home_phone no longer managed)
          # (typed_custom_fields.dddddddddddddddddddddddd no longer managed)
          # (7 unchanged attributes hidden)
      }
    "#);
}

#[test]
fn a_move_shows_how_it_was_recognized_and_what_changes() {
    let moved = |reason, changes| {
        block(action(
            "ada",
            reason,
            Operation::Move { from: key("lovelace"), id: id(1), entry: ada(&full()).into(), changes },
        ))
    };
    insta::assert_snapshot!(moved(Reason::SameEmail, vec![]), @r#"
    # contact.lovelace has moved to contact.ada
    # (recognized by its e-mail)
      contact "ada" {
          id = "66f0c1000000000000000001"
          # (7 unchanged attributes hidden)
      }
    "#);
    let title = set(Field::Title, Some("CTO".into()), "Analyst".into());
    insta::assert_snapshot!(moved(Reason::MovedFrom, vec![title]), @r#"
    # contact.lovelace has moved to contact.ada
    ~ contact "ada" {
          id    = "66f0c1000000000000000001"
        ~ title = "CTO" -> "Analyst"
          # (6 unchanged attributes hidden)
      }
    "#);
    assert!(moved(Reason::SamePerson, vec![]).contains("# (recognized by its name and company)"));
}

#[test]
fn an_import_and_a_restore_name_the_contact_in_apollo() {
    let entry = || ada(&[(Field::LabelNames, lists(&["VIP"]))]);
    let adopt =
        action("ada", Reason::DeclaresApolloId, Operation::Adopt { id: id(1), entry: entry().into(), evidence: None });
    insta::assert_snapshot!(block(adopt), @r#"
    # contact.ada will be imported
    # (imported from "66f0c1000000000000000001")
      contact "ada" {
          id          = "66f0c1000000000000000001"
          first_name  = "Ada"
          last_name   = "Byron"
          email       = "ada@example.com"
          label_names = [
              "VIP",
          ]
          # (fields that differ in Apollo will be updated to these values)
      }
    "#);
    let restore = action("ada", Reason::CameBack, Operation::Restore { id: id(1), entry: entry().into() });
    insta::assert_snapshot!(block(restore), @r#"
    # contact.ada will be restored
    # (bound to "66f0c1000000000000000001" before it was forgotten)
      contact "ada" {
          id          = "66f0c1000000000000000001"
          first_name  = "Ada"
          last_name   = "Byron"
          email       = "ada@example.com"
          label_names = [
              "VIP",
          ]
          # (fields that differ in Apollo will be updated to these values)
      }
    "#);
}

#[test]
fn settling_says_what_will_be_done() {
    let settle = |attempts, entry| {
        let operation = Operation::Settle { intent_id: IntentId(1), intent: intent(attempts), entry };
        block(action("ada", Reason::CreateUnanswered, operation))
    };
    insta::assert_snapshot!(settle(1, Some(ada(&[]).into())), @r#"
    # contact.ada: outcome of an earlier create is unknown
    # (sent, but never answered: contactsd looks for it in Apollo, and sends it again only if it is not there)
    ? contact "ada" {
          first_name = "Ada"
          last_name  = "Byron"
          email      = "ada@example.com"
      }
    "#);
    let corrected =
        [(Field::FirstName, "Eve".into()), (Field::Email, "eve@example.com".into()), (Field::Title, "CTO".into())];
    insta::assert_snapshot!(settle(1, Some(entry("ada", &corrected).into())), @r#"
    # contact.ada: outcome of an earlier create is unknown
    # (sent, but never answered: contactsd looks for it in Apollo, and creates it only if it is not there)
    ? contact "ada" {
          last_name  = "Byron"
        ~ first_name = "Ada" -> "Eve"
        ~ title      = "Analyst" -> "CTO"
        ~ email      = "ada@example.com" -> "eve@example.com"
          # (from what was sent to what is declared now)
      }
    "#);
    insta::assert_snapshot!(settle(2, None).lines().nth(1).unwrap(), @"  # (sent 2 times, but never answered: contactsd looks for it in Apollo, and creates nothing, because it is no longer in the contact files)");
}

#[test]
fn a_conflict_says_who_why_and_the_ways_out() {
    let collision = conflict(Dispute::Collision { id: id(4), other: key("lovelace") });
    insta::assert_snapshot!(text(&plan_of(vec![collision]), PlanOptions::default()), @r#"
    Actions are indicated with the following symbols:
      ! needs a decision

    contactsd needs a decision before it can continue:

      # contact.ada needs a decision
      # (Apollo takes it and contact.lovelace for one person: both match "66f0c1000000000000000004")
      # - one person: remove one of the two entries; this one is in contacts.d/team.yaml
      # - two people: correct either entry, or set run_dedupe: false in both
      # - the contact belongs to ada: contactsd state rm lovelace, then contactsd import ada 66f0c1000000000000000004
      ! contact "ada" {
            first_name = "Ada"
            last_name  = "Byron"
            email      = "ada@example.com"
        }

    Plan: 0 to add, 0 to change, 0 to destroy.
    Also: 1 needs a decision.
    "#);
    insta::assert_snapshot!(block(conflict(Dispute::Stranger { id: id(4) })), @r#"
    # contact.ada needs a decision
    # (Apollo matched it to "66f0c1000000000000000004", which has another name or e-mail)
    # - the same person: contactsd import ada 66f0c1000000000000000004
    # - another person: correct the entry in contacts.d/team.yaml, or set run_dedupe: false in it
    ! contact "ada" {
          first_name = "Ada"
          last_name  = "Byron"
          email      = "ada@example.com"
      }
    "#);
    insta::assert_snapshot!(block(conflict(Dispute::Several { ids: vec![id(4), id(5)] })), @r#"
    # contact.ada needs a decision
    # (more than one contact in Apollo may be the same person: "66f0c1000000000000000004", "66f0c1000000000000000005")
    # - one of them: contactsd import ada ID
    # - none of them: contactsd apply --create ada
    ! contact "ada" {
          first_name = "Ada"
          last_name  = "Byron"
          email      = "ada@example.com"
      }
    "#);
    insta::assert_snapshot!(block_with(conflict(Dispute::Gone { id: id(4) }), COLOR), @r#"
    ␛[1m# contact.ada␛[0m ␛[31mneeds a decision␛[0m
    ␛[90m# (bound to "66f0c1000000000000000004", which was deleted in Apollo)␛[0m
    # - to create it again: contactsd apply --recreate ada
    # - to stop managing it: remove the entry from contacts.d/team.yaml
    ␛[31m!␛[0m contact "ada" {
          first_name = "Ada"
          last_name  = "Byron"
          email      = "ada@example.com"
      }
    "#);
}

#[test]
fn a_contradiction_says_both_ids_and_the_owner() {
    let contradiction =
        Operation::Contradiction { bound: id(1), declared: id(2), owner: Some(key("bob")), entry: ada(&[]).into() };
    insta::assert_snapshot!(block(action("ada", Reason::Undecided, contradiction)), @r#"
    # contact.ada needs a decision
    # (bound to "66f0c1000000000000000001", but its entry declares apollo_id "66f0c1000000000000000002", which belongs to contact.bob)
    # - to keep "66f0c1000000000000000001": remove apollo_id from the entry in contacts.d/team.yaml
    # - to take "66f0c1000000000000000002": contactsd state rm bob, then contactsd state rm ada, and apply again
    ! contact "ada" {
          first_name = "Ada"
          last_name  = "Byron"
          email      = "ada@example.com"
      }
    "#);
}
