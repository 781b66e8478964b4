//! Pages of every size, whole and cut.

use crate::source::Diagnostic;
use std::time::Duration;

use proptest::prelude::*;

use super::*;
use crate::model::{Endpoint, Field};
use crate::plan::{BrakeKind, Creates, OneEach, Reason};
use crate::ui::test_plans::{
    brake, create, each_action, entry, full, hostile, lists, many, messages, plan_of, set, several_actions, update,
};

const OPTIONS: MarkdownOptions<'static> = MarkdownOptions {
    directory: "contacts.d",
    mask: Mask::Off,
    max_bytes: 65_000,
    detail: Detail::Blocks,
    by_file: false,
    forecast: None,
    digest: None,
    names: None,
    apply: Some("contactsd apply --expect 0123456789abcdef"),
    plan: "contactsd plan",
    note: None,
};

fn page(plan: &Plan, messages: &[Diagnostic], options: MarkdownOptions<'_>) -> String {
    Markdown { subject: Subject::Plan(plan), messages, options }.to_string()
}

/// Reads a page as a Markdown parser does, as far as fences and folds go: panics where one is not closed, and
/// returns the lines outside of fences.
#[track_caller]
fn outside(page: &str) -> Vec<&str> {
    let (mut fence, mut folds, mut outside) = (None::<usize>, 0, Vec::new());
    for line in page.lines() {
        let ticks = line.len() - line.trim_start_matches('`').len();
        match fence {
            Some(open) if ticks >= open && line.len() == ticks => fence = None,
            Some(_) => {}
            None if ticks >= 3 => fence = Some(ticks),
            None => {
                folds += usize::from(line.starts_with("<details"));
                folds -= usize::from(line == "</details>");
                outside.push(line);
            }
        }
    }
    assert_eq!((fence, folds), (None, 0), "{page}");
    outside
}

#[test]
fn a_page_names_the_plan_and_the_command_that_applies_it() {
    let digest = Digest("0123456789abcdef".into());
    let forecast = Forecast {
        requests: vec![(Endpoint::CreateContacts, 1), (Endpoint::UpdateContact, 1)],
        duration: Some(Duration::ZERO),
        creates: Creates::Together,
        one_each: [(OneEach::TypedPhone, 1)].into(),
        ..Forecast::default()
    };
    let options = MarkdownOptions { digest: Some(&digest), forecast: Some(&forecast), ..OPTIONS };
    insta::assert_snapshot!(page(&several_actions(), &messages()[1..], options), @r#"
    <!-- contactsd plan: contacts.d -->
    ### contactsd plan: `contacts.d`

    Plan: 1 to add, 1 to change, 0 to destroy, 1 to forget.

    Requests: 1 bulk create, 1 update; no wait for quota.

    Some contacts need a request of their own: 1 has a phone number.

    Each new contact is searched for before it is created. If the key is not allowed to search: a request for many contacts does not change a contact that Apollo matches, but a request for one contact overwrites it.

    <details><summary>1 warning</summary>

    ````text
    Warning: contact.ada and contact.byron are both Ada Byron at mail.example [W105]

      with contact.ada,
      contacts.d/team.yaml:3:17
       3:     first_name: Ada # ```@octocat
                          ^^^

      byron here:
      contacts.d/`b`.yaml:21:17
      21:     first_name: Ada
                          ^^^

    Apollo may take Ada Byron for one person.
    ````

    </details>

    <details><summary>Show plan</summary>

    ```diff
      # contact.ada will be updated in-place
    !   contact "ada" {
            id    = "66f0c1000000000000000001"
    !       title = "CTO" -> "CEO"
            # (3 unchanged attributes hidden)
        }

      # contact.bob will be removed from the state but will not be destroyed
      # (because contact.bob is no longer in the contact files)
      # (it was in contacts.d/team.yaml)
    -   contact "bob" {
            id = "66f0c1000000000000000002"
        }

      # contact.grace will be created
      # (or imported, if Apollo has a contact with this e-mail)
    +   contact "grace" {
    +       first_name = "Grace"
    +       email      = "grace@example.com"
    +       id         = (known after apply)
        }
    ```

    </details>

    Digest: `0123456789abcdef`

    This applies exactly this plan, or nothing if the files or the state have changed since:

    ```sh
    contactsd apply --expect 0123456789abcdef
    ```
    "#);
}

#[test]
fn marks_stand_in_the_first_column_and_values_do_not() {
    let title = set(Field::PresentRawAddress, Some("- a\n+ b".into()), "- a\n+ c\n".into());
    let page = page(&plan_of(vec![update(Reason::FieldsDiffer, &full(), vec![title])]), &[], OPTIONS);
    let marked: Vec<_> = page.lines().filter(|line| line.starts_with(['+', '-', '!'])).collect();
    insta::assert_snapshot!(marked.join("\n"), @r#"
    !   contact "ada" {
    !       present_raw_address = <<-EOT
    -           + b
    +           + c
    "#);
}

#[test]
fn a_braked_plan_offers_no_command() {
    let plan = Plan { brakes: vec![brake(BrakeKind::ForgetsAll, 5, 4)], ..several_actions() };
    let digest = Digest("0123456789abcdef".into());
    let page = page(&plan, &[], MarkdownOptions { digest: Some(&digest), ..OPTIONS });
    assert!(page.contains("**Brake:** all 5 managed contacts would be forgotten."), "{page}");
    assert!(page.contains("Digest: `0123456789abcdef`") && !page.contains("contactsd apply"), "{page}");
}

#[test]
fn a_page_is_never_larger_than_asked_for_and_always_whole() {
    let plans = [plan_of(vec![]), several_actions(), each_action(), hostile(), many(60)];
    let digest = Digest("0123456789abcdef0123456789abcdef".into());
    let many_messages: Vec<Diagnostic> = messages().into_iter().cycle().take(20).collect();
    for plan in &plans {
        for messages in [&[][..], &messages(), &many_messages] {
            for max_bytes in (0..900).step_by(31).chain((900..20_000).step_by(1499)) {
                let page = page(plan, messages, MarkdownOptions { max_bytes, digest: Some(&digest), ..OPTIONS });
                assert!(page.is_empty() || page.len() < max_bytes, "{max_bytes}: {}", page.len());
                outside(&page);
            }
        }
    }
}

#[test]
fn a_cut_page_keeps_counts_and_says_what_is_missing() {
    let page = page(&many(1000), &messages(), MarkdownOptions { max_bytes: 4000, ..OPTIONS });
    let outside = outside(&page).join("\n");
    assert!(outside.contains("Plan: 1000 to add, 0 to change, 0 to destroy, 4 to forget."), "{outside}");
    let note = outside.lines().find(|line| line.starts_with("Cut to stay")).unwrap();
    insta::assert_snapshot!(note, @"Cut to stay within 4,000 bytes. Left out: 9,981 of 10,027 lines, with all or the end of 1,000 of 1,004 actions. `contactsd plan` shows everything.");
    let first = page.find("- contact.k00249.gone\n- contact.k00499.gone").unwrap();
    assert!(first < page.find("+ contact.k00000\n").unwrap(), "forgets come first");
    let shown = page.matches("\n+   contact \"").count();
    let whole = page.matches("\n    }\n").count();
    let left_out = format!("{} of 1004 actions", 1004 - whole);
    assert!(note.replace(',', "").contains(&left_out), "{shown} begun, {whole} whole: {note}");
}

#[test]
fn nothing_foreign_stands_outside_of_code() {
    let page = page(&hostile(), &messages(), OPTIONS);
    for line in outside(&page) {
        for text in ["@", "octocat", "<!-- x", "example", "Lorem", "::"] {
            assert!(!line.contains(text), "{text} in {line}");
        }
    }
    assert_eq!(page.matches("<!--").count(), 1, "one marker");
    let directory = "x --> @octocat `</summary>` <!-- contactsd plan: y -->";
    let page = self::page(&several_actions(), &[], MarkdownOptions { directory, ..OPTIONS });
    assert_eq!(page.matches("<!--").count(), 1, "{page}");
    assert!(page.contains("``x --> @octocat `</summary>`"), "{page}");
}

#[test]
fn a_masked_page_holds_no_value() {
    let options = MarkdownOptions { mask: Mask::On, ..OPTIONS };
    let text = page(&each_action(), &messages(), options) + &page(&many(10), &[], options);
    for value in ["Ada", "Byron", "example.com", "Analyst", "VIP", "London", "blue", "Kim", "Sales", "mail.example"] {
        assert!(!text.contains(value), "{value} in {text}");
    }
    assert!(text.contains("contact.create.alone") && text.contains("66f0c1000000000000000001"));
}

#[test]
fn a_plan_that_failed_can_not_be_applied() {
    let failed = FailedPlan { files: Some(12), errors: 1, warnings: 1, ..FailedPlan::default() };
    let digest = Digest("0123456789abcdef".into());
    let options = MarkdownOptions { mask: Mask::On, digest: Some(&digest), ..OPTIONS };
    let page = Markdown { subject: Subject::Failed(&failed), messages: &messages(), options }.to_string();
    insta::assert_snapshot!(page, @"
    <!-- contactsd plan: contacts.d -->
    ### contactsd plan: `contacts.d`

    **Planning failed.** There is no plan, and nothing can be applied.

    Read: 12 files, with 1 error and 1 warning.

    <details open><summary>1 error, 1 warning</summary>

    ```text
    Error: An e-mail address is malformed [E015]

      with contact.grace,
      contacts.d/team.yaml:7:12

    The values are masked here. docs/errors/E015.md says what to do.

    Warning: Contacts share a name and a public mail provider [W105]

      with contact.ada,
      contacts.d/team.yaml:3:17

      byron here:
      contacts.d/`b`.yaml:21:17

    The values are masked here. docs/errors/W105.md says what to do.
    ```

    </details>
    ");
}

proptest! {
    #[test]
    fn no_value_leaves_its_fence(
        value in r"[`~<>!@#:/a\n \PC\pC-]{0,60}",
        max_bytes in 0_usize..3000,
    ) {
        let changes = vec![
            set(Field::Title, Some(value.as_str().into()), "x".into()),
            set(Field::LabelNames, Some(lists(&["a"])), lists(&[&value])),
        ];
        let eve = entry("eve", &[(Field::Title, value.as_str().into())]);
        let plan = plan_of(vec![create(eve), update(Reason::FieldsDiffer, &full(), changes)]);
        let mut message = Diagnostic::error(value.clone(), value.clone());
        message.path = Some(value.clone().into());
        let page = page(&plan, &[message], MarkdownOptions { directory: &value, max_bytes, ..OPTIONS });
        prop_assert!(page.is_empty() || page.len() < max_bytes);
        outside(&page);
        prop_assert!(page.matches("<!--").count() <= 1);
        for line in page.lines() {
            prop_assert!(!line.contains(char::is_control), "{line:?}");
            prop_assert!(!line.trim_start().starts_with("::"), "{line:?}");
            prop_assert!(!line.contains("##["), "{line:?}");
        }
    }
}
