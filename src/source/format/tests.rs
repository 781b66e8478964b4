//! What the one way looks like, what is left, and that nothing is ever said otherwise.

use insta::assert_snapshot;

use super::*;

/// Formats a good text; returns it with its notes below.
#[track_caller]
fn formatted(text: &str) -> String {
    let path = Path::new("a.yaml");
    let (after, notes) = format_text(path, text.to_owned()).unwrap_or_else(|found| panic!("{found:?}\n{text}"));
    let (again, notes_again) = format_text(path, after.clone()).unwrap();
    assert_eq!(after, again, "once is enough");
    assert_eq!(notes.len(), notes_again.len());
    let notes = notes.iter().map(|note| format!("note {}: {}\n", note.location.line, note.text));
    notes.fold(after, |text, note| text + &note)
}

#[test]
fn fields_come_in_the_order_of_the_api_with_two_columns_a_level() {
    assert_snapshot!(formatted("
contacts:
    ada:
          email:   ada@example.com
          typed_custom_fields:
                 60c39ed82bd02f01154c470b : b
                 60c39ed82bd02f01154c470a: a


          first_name : Ada
          label_names:
          - North
          -   South
          moved_from: old
          title:	'Engineer'
          run_dedupe: false
          last_name: \"Quill\"
    bo: {label_names: [a,b], title:  x , email: bo@example.com}   # one line
    cy: { email: cy@example.com }
defaults:
  title: Nobody
  organization_name: Mill


"), @r#"
    contacts:
      ada:
        first_name: Ada
        last_name: "Quill"
        title: 'Engineer'
        email: ada@example.com
        label_names:
          - North
          - South
        typed_custom_fields:
          60c39ed82bd02f01154c470b: b
          60c39ed82bd02f01154c470a: a
        run_dedupe: false
        moved_from: old

      bo: {title:  x, email: bo@example.com, label_names: [a,b]}   # one line
      cy: {email: cy@example.com}
    defaults:
      organization_name: Mill
      title: Nobody
    "#);
}

#[test]
fn comments_stay_with_what_they_are_about() {
    assert_snapshot!(formatted("# the file

# the contacts
contacts: # all of them
# ada's
  ada:   # first
      # all of ada

      # the address
      # of her
      email: ada@example.com   # work
    # the name
      first_name: Ada
      label_names: # lists
        # first
        - a   # A
          # second
        - b
        # behind the lists
      # behind ada
  # before bo

  # at bo

  bo:
    email: bo@example.com
    typed_custom_fields:
      60c39ed82bd02f01154c470a: x
      # behind custom
    # behind bo

  # behind contacts
# the end
"), @"
    # the file

    # the contacts
    contacts: # all of them
      # ada's
      ada:   # first
        # all of ada

        # the name
        first_name: Ada
        # the address
        # of her
        email: ada@example.com   # work
        label_names: # lists
          # first
          - a   # A
          # second
          - b
          # behind the lists
        # behind ada

      # before bo

      # at bo

      bo:
        email: bo@example.com
        typed_custom_fields:
          60c39ed82bd02f01154c470a: x
          # behind custom
        # behind bo

      # behind contacts
    # the end
    ");
}

#[test]
fn text_in_blocks_and_over_lines_keeps_its_letters() {
    assert_snapshot!(formatted(r#"contacts:
   ada:
      title: |
          one
            two

          # no comment
      present_raw_address: >-
       folded
       text
      last_name: "over
         two\
         lines"
      first_name: plain
        text
      organization_name: |1
        x
      email: ada@example.com
"#), @r#"
    contacts:
      ada:
        first_name: plain
          text
        last_name: "over
           two\
           lines"
        organization_name: |1
          x
        title: |
          one
            two

          # no comment
        email: ada@example.com
        present_raw_address: >-
          folded
          text
    "#);
}

#[test]
fn anchors_aliases_and_merge_keys_are_kept() {
    assert_snapshot!(formatted("defaults: &shared
  title: T
contacts:
  ada: &ada
    title: x
    <<: *shared
    last_name: Ada
  bo:
    email: bo@example.com
    <<:
    - *ada
    - {title: y}
  cy: *ada
  di: &di {title: x, <<: *ada, last_name: D}
"), @"
    defaults: &shared
      title: T
    contacts:
      ada: &ada
        <<: *shared
        last_name: Ada
        title: x

      bo:
        <<:
          - *ada
          - {title: y}
        email: bo@example.com

      cy: *ada
      di: &di {<<: *ada, last_name: D, title: x}
    ");
}

#[test]
fn fields_that_anchors_tie_together_stay_in_their_order() {
    assert_snapshot!(formatted("contacts:
  ada:
    title: &name Ada
    last_name: *name
  bo: {title: &b B, first_name: *b}
  cy: {title: &c C, first_name: &c D}
  di: {title: &d D, email: di@example.com}
  ef: {first_name: *d, title: *c}
"), @"
    contacts:
      ada:
        title: &name Ada
        last_name: *name

      bo: {title: &b B, first_name: *b}
      cy: {title: &c C, first_name: &c D}
      di: {title: &d D, email: di@example.com}
      ef: {first_name: *d, title: *c}
    note 3: An anchor among these fields is used or defined again by another of them, so their order is kept.
    note 5: An anchor among these fields is used or defined again by another of them, so their order is kept.
    note 6: An anchor among these fields is used or defined again by another of them, so their order is kept.
    ");
}

#[test]
fn what_cannot_be_moved_is_left_with_a_note() {
    assert_snapshot!(formatted("contacts:
  ada:
    ? title
    : x
    ? first_name
    : A
  bo: {
    title: x,
    first_name: B
  }
  cy:
    &anchor
    title: x
    last_name: C
---
contacts: {di: {title: x, last_name: D}}
---
contacts:
  ed:
    title: x
    email: ed@example.com
"), @"
    contacts:
      ada:
        ? title
        : x
        ? first_name
        : A

      bo: {
        title: x,
        first_name: B
      }

      cy:
        &anchor
        title: x
        last_name: C
    ---
    contacts: {di: {title: x, last_name: D}}
    ---
    contacts:
      ed:
        title: x
        email: ed@example.com
    note 3: A name, a dash or a value stands where its lines cannot be moved without others.
    note 7: These fields stand in braces over several lines. On lines of their own, without braces, they can be put in order.
    note 11: A name, a dash or a value stands where its lines cannot be moved without others.
    note 16: These contacts stand within other braces. On lines of their own, without braces, their fields can be put in order.
    ");
}

#[test]
fn a_file_that_would_change_by_its_blank_lines_is_left_whole() {
    for (text, line) in [
        ("contacts:\n    a:\n        title: |+\n            x\n\n        last_name: A\n", 3),
        ("contacts:\n    a:\n        last_name: A\n        title: |\n            x", 4),
        (&format!("contacts:\n   a:\n    email: a@example.com\n    title: {}\n", "x".repeat(10_000)), 4),
        ("contacts:\r    a:\r        title: x\r        last_name: A\r", 1),
    ] {
        let (after, notes) = format_text(Path::new("a.yaml"), text.to_owned()).unwrap();
        assert_eq!(after, text);
        assert!(notes.len() == 1 && notes[0].text.ends_with("The whole file is left."), "{notes:?}");
        assert_eq!(notes[0].location.line, line);
    }
    assert_eq!(
        formatted("contacts:\n  a:\n    title: |-\n      x\n    last_name: A"),
        "contacts:\n  a:\n    last_name: A\n    title: |-\n      x\n"
    );
}

#[test]
fn line_ends_stay_what_most_of_them_are() {
    let windows = "contacts:\r\n    a:\r\n        title: x\r\n        last_name: A\r\n";
    let there = formatted(windows);
    assert_eq!(there, "contacts:\r\n  a:\r\n    last_name: A\r\n    title: x\r\n");
    assert_eq!(formatted(&there), there);
    assert_eq!(formatted(&windows.replacen("\r\n", "\n", 1)), there);
    assert_eq!(formatted(&windows.replacen("\r\n", "\n", 3)), there.replace("\r\n", "\n"));
}

#[test]
fn documents_markers_and_line_ends() {
    assert_snapshot!(formatted("\n\n%YAML 1.2\r\n---   # one\r\ncontacts:\r\n   a: {last_name: A}\r\n...\r\n\r\n\r\n# two\r\n---\r\n# empty\r\n---\r\ncontacts:\r\n   b:\r\n      title: x\r\n      last_name: B\r\n\r\n\r\n"), @"
    %YAML 1.2
    ---   # one
    contacts:
      a: {last_name: A}
    ...

    # two
    ---
    # empty
    ---
    contacts:
      b:
        last_name: B
        title: x
    ");
    assert_eq!(formatted(""), "");
    assert_eq!(formatted("\n\n# nothing\n\n\n"), "# nothing\n");
    assert_eq!(formatted("contacts: {}"), "contacts: {}\n");
}

#[test]
fn blank_lines_divide_contacts_of_several_lines() {
    assert_snapshot!(formatted("contacts:

  a: {last_name: A}
  b: {last_name: B}


  c: {last_name: C}
  d:
    last_name: D

    title: x
  # e
  e: {last_name: E}
"), @"
    contacts:
      a: {last_name: A}
      b: {last_name: B}

      c: {last_name: C}

      d:
        last_name: D
        title: x

      # e
      e: {last_name: E}
    ");
}

#[test]
fn mistakes_come_back_instead() {
    let found = format_text(Path::new("a.yaml"), "contacts:\n  a: {emial: x}\n".to_owned()).unwrap_err();
    assert_eq!(found.iter().map(|one| one.code.unwrap().as_str()).collect::<Vec<_>>(), ["E011"]);
}
