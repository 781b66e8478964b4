//! How fields show what they are, were and become; hostile values.

use proptest::prelude::*;

use super::*;

#[test]
fn a_create_shows_every_kind_of_field() {
    insta::assert_snapshot!(block(create(ada(&full()))), @r#"
    # contact.ada will be created
    # (or imported, if Apollo has a contact with this e-mail)
    + contact "ada" {
        + first_name          = "Ada"
        + last_name           = "Byron"
        + title               = "Analyst"
        + email               = "ada@example.com"
        + label_names         = [
            + "Customers",
            + "VIP",
          ]
        + present_raw_address = <<-EOT
              1 Example Square
              London
              UK
          EOT
        + typed_custom_fields = {
            + "aaaaaaaaaaaaaaaaaaaaaaaa" = "blue"
            + "bbbbbbbbbbbbbbbbbbbbbbbb" = ""
          }
        + id                  = (known after apply)
      }
    "#);
}

#[test]
fn an_update_shows_what_differs_and_counts_the_rest() {
    let entry =
        [&full()[..], &[(Field::OrganizationName, "".into()), (Field::WebsiteUrl, "https://example.com".into())]]
            .concat();
    let paris = "1 Example Square\nParis\nFrance";
    let changes = vec![
        set(Field::OrganizationName, Some("Acme".into()), "".into()),
        set(Field::Title, Some("Engineer".into()), "Analyst".into()),
        set(Field::WebsiteUrl, None, "https://example.com".into()),
        set(Field::LabelNames, Some(lists(&["Customers", "Leads"])), lists(&["Customers", "VIP"])),
        set(Field::PresentRawAddress, Some(paris.into()), "1 Example Square\nLondon\nUK".into()),
        released(Field::HomePhone),
        set(custom('a'), Some("red".into()), "blue".into()),
    ];
    insta::assert_snapshot!(block(update(Reason::FieldsDiffer, &entry, changes)), @r#"
    # contact.ada will be updated in-place
    ~ contact "ada" {
          id                  = "66f0c1000000000000000001"
        - organization_name   = "Acme" -> ""
        ~ title               = "Engineer" -> "Analyst"
        + website_url         = "https://example.com"
        ~ label_names         = [
            - "Leads",
            + "VIP",
              # (1 unchanged element hidden)
          ]
        ~ present_raw_address = <<-EOT
              1 Example Square
            - Paris
            - France
            + London
            + UK
          EOT
        ~ typed_custom_fields = {
            ~ "aaaaaaaaaaaaaaaaaaaaaaaa" = "red" -> "blue"
              # (1 unchanged element hidden)
          }
          # (home_phone no longer managed)
          # (3 unchanged attributes hidden)
      }
    "#);
}

#[test]
fn lists_and_custom_fields_that_go_show_what_goes() {
    let entry = [(Field::LabelNames, lists(&[])), (custom('a'), "".into())];
    let changes = vec![
        set(Field::LabelNames, Some(lists(&["Customers", "Leads"])), lists(&[])),
        set(custom('a'), Some("red".into()), "".into()),
    ];
    insta::assert_snapshot!(block(update(Reason::FieldsDiffer, &entry, changes)), @r#"
    # contact.ada will be updated in-place
    ~ contact "ada" {
          id                  = "66f0c1000000000000000001"
        - label_names         = [
            - "Customers",
            - "Leads",
          ] -> []
        ~ typed_custom_fields = {
            - "aaaaaaaaaaaaaaaaaaaaaaaa" = "red" -> ""
          }
          # (3 unchanged attributes hidden)
      }
    "#);
}

#[test]
fn a_value_that_apollo_may_hold_already_says_so() {
    let url = || vec![set(Field::WebsiteUrl, None, "https://example.com".into())];
    let entry = [(Field::WebsiteUrl, "https://example.com".into())];
    insta::assert_snapshot!(block(update(Reason::StillPending, &entry, url())), @r#"
    # contact.ada will be updated in-place
    ~ contact "ada" {
          id          = "66f0c1000000000000000001"
        + website_url = "https://example.com" # (not confirmed yet)
          # (3 unchanged attributes hidden)
      }
    "#);
    insta::assert_snapshot!(block(update(Reason::UpdateInDoubt, &entry, url())), @r#"
    # contact.ada will be updated in-place
    ~ contact "ada" {
          id          = "66f0c1000000000000000001"
        + website_url = "https://example.com" # (outcome of an earlier update is unknown)
          # (3 unchanged attributes hidden)
      }
    "#);
}

#[test]
fn changed_words_stand_out_in_color() {
    let before = "Head of Sales, Europe and Africa";
    let change = set(Field::Title, Some(before.into()), "Head of Marketing, Europe and Asia".into());
    insta::assert_snapshot!(block_with(update(Reason::FieldsDiffer, &full(), vec![change]), COLOR), @r#"
    ␛[1m# contact.ada␛[0m will be updated in-place
    ␛[33m~␛[0m contact "ada" {
          id    = "66f0c1000000000000000001"
        ␛[33m~␛[0m title = "Head of ␛[1m␛[4mSales,␛[0m Europe and ␛[1m␛[4mAfrica␛[0m" ␛[33m->␛[0m "Head of ␛[1m␛[4mMarketing,␛[0m Europe and ␛[1m␛[4mAsia␛[0m"
          ␛[90m# (6 unchanged attributes hidden)␛[0m
      }
    "#);
}

#[test]
fn a_long_text_shows_the_lines_around_its_changes() {
    let before: Vec<String> = (1..=12).map(|number| format!("line {number}")).collect();
    let after = before.join("\n").replace("line 7", "EOT\n  ::error::x\n\u{1b}[31mred");
    let change = set(Field::PresentRawAddress, Some(before.join("\n").as_str().into()), after.as_str().into());
    insta::assert_snapshot!(block(update(Reason::FieldsDiffer, &full(), vec![change])), @r#"
    # contact.ada will be updated in-place
    ~ contact "ada" {
          id                  = "66f0c1000000000000000001"
        ~ present_raw_address = <<-EOT_
              # (3 unchanged lines hidden)
              line 4
              line 5
              line 6
            - line 7
            + EOT
            +   \u{3a}:error::x
            + \u{1b}[31mred
              line 8
              line 9
              line 10
              # (2 unchanged lines hidden)
          EOT_
          # (6 unchanged attributes hidden)
      }
    "#);
}

#[test]
fn a_difference_in_the_last_newline_is_not_lost() {
    let change = set(Field::PresentRawAddress, Some("a\nb".into()), "a\nb\n".into());
    let block = block(update(Reason::FieldsDiffer, &full(), vec![change]));
    assert!(block.contains(r#""a\nb" -> "a\nb\n""#), "{block}");
}

/// Beside another change, the last line looked as if it stayed.
#[test]
fn a_last_newline_that_comes_or_goes_beside_other_changes_is_told() {
    let shown = |before: &str, after: &str| {
        let change = set(Field::PresentRawAddress, Some(before.into()), after.into());
        block(update(Reason::FieldsDiffer, &full(), vec![change]))
    };
    insta::assert_snapshot!(shown("a\nb\nc", "x\nb\nc\n"), @r#"
    # contact.ada will be updated in-place
    ~ contact "ada" {
          id                  = "66f0c1000000000000000001"
        ~ present_raw_address = <<-EOT
            - a
            + x
              b
            - c
              \ No newline at end
            + c
          EOT
          # (6 unchanged attributes hidden)
      }
    "#);
    insta::assert_snapshot!(shown("a\nb\n", "x\nb"), @r#"
    # contact.ada will be updated in-place
    ~ contact "ada" {
          id                  = "66f0c1000000000000000001"
        ~ present_raw_address = <<-EOT
            - a
            - b
            + x
            + b
              \ No newline at end
          EOT
          # (6 unchanged attributes hidden)
      }
    "#);
    assert!(!shown("a\nb", "x\nb").contains("newline"), "neither of them has one");
    assert!(!shown("a\nb\n", "x\nb\n").contains("newline"), "both have one");
    assert!(shown("a\nb\n", "x\nb\n\\ No newline at end\n").contains(r"+ \\ No newline at end"), "a line of the text");
}

/// What was typed and what it stands for, a space and one that is none, a letter in two forms.
#[test]
fn values_that_differ_never_look_the_same() {
    let shown = |before: &str, after: &str| {
        let change = set(Field::PresentRawAddress, Some(before.into()), after.into());
        block(update(Reason::FieldsDiffer, &full(), vec![change]))
    };
    let lines = shown("a\n\u{202e}\np\u{a0}q\nZo\u{e9}\n", "a\n\\u{202e}\np q\nZoe\u{301}\n");
    insta::assert_snapshot!(lines, @r#"
    # contact.ada will be updated in-place
    ~ contact "ada" {
          id                  = "66f0c1000000000000000001"
        ~ present_raw_address = <<-EOT
              a
            - \u{202e}
            - p\u{a0}q
            - Zoé
            + \\u{202e}
            + p q
            + Zoe\u{301}
          EOT
          # (6 unchanged attributes hidden)
      }
    "#);
    let line = shown("p\u{a0}q Zo\u{e9}", "p q Zoe\u{301}");
    assert!(line.contains(r#""p\u{a0}q Zoé" -> "p q Zoe\u{301}""#), "{line}");
    let labels = set(Field::LabelNames, Some(lists(&["Zo\u{e9}"])), lists(&["Zoe\u{301}"]));
    let list = block(update(Reason::FieldsDiffer, &full(), vec![labels]));
    assert!(list.contains(r#"+ "Zoe\u{301}","#) && list.contains(r#"- "Zoé","#), "{list}");
}

#[test]
fn a_masked_plan_shows_no_value() {
    let options = PlanOptions { mask: Mask::On, ..PlanOptions::default() };
    let title = set(Field::Title, Some("CTO".into()), "Analyst".into());
    insta::assert_snapshot!(block_with(update(Reason::FieldsDiffer, &full(), vec![title]), options), @r#"
    # contact.ada will be updated in-place
    ~ contact "ada" {
          id    = "66f0c1000000000000000001"
        ~ title = (masked) -> (masked)
          # (6 unchanged attributes hidden)
      }
    "#);
    let text = text(&plan_of(vec![create(ada(&full()))]), options);
    for value in ["Ada", "Byron", "example.com", "Analyst", "VIP", "London", "blue"] {
        assert!(!text.contains(value), "{value} in {text}");
    }
}

#[test]
fn hostile_values_stay_inside_their_quotes() {
    let hostile = "x\u{1b}]0;pwned\u{7}\u{202e}\"\r\n    }\n\n##[error]\\";
    let fields = [(Field::Title, hostile.into()), (Field::LabelNames, lists(&["::error::x\u{9b}"]))];
    insta::assert_snapshot!(block(create(entry("eve", &fields))), @r#"
    # contact.eve will be created
    + contact "eve" {
        + title       = <<-EOT
              x\u{1b}]0;pwned\u{7}\u{202e}"\r
                  }

              #\u{23}[error]\\
          EOT
        + label_names = [
            + "::error::x\u{9b}",
          ]
        + id          = (known after apply)
      }
    "#);
}

proptest! {
    #[test]
    fn no_value_acts_on_a_terminal_or_a_ci_runner(
        before in r"[\PC\pC:#\[ \n]{0,40}",
        after in r"[\PC\pC:#\[ \n]{0,40}",
    ) {
        let changes = vec![
            set(Field::Title, Some(before.as_str().into()), after.as_str().into()),
            set(Field::LabelNames, Some(lists(&[&before])), lists(&[&after])),
        ];
        let plan = plan_of(vec![update(Reason::FieldsDiffer, &full(), changes), create(entry("eve", &[(Field::Title, after.as_str().into())]))]);
        let text = PlanText { plan: &plan, options: PlanOptions::default() }.to_string();
        for line in text.lines() {
            prop_assert!(!line.contains(char::is_control), "{line:?}");
            prop_assert!(!line.trim_start().starts_with("::"), "{line:?}");
            prop_assert!(!line.contains("##["), "{line:?}");
            prop_assert!(!line.contains(['\u{202e}', '\u{2066}', '\u{200f}']), "{line:?}");
        }
    }
}
