use std::time::Duration;

use super::super::test_services::{NOW, ago, begun, busy, in_step, paused, troubled};
use super::*;

fn command(verb: &str) -> String {
    format!("contactsd {verb}")
}

fn service(status: &Status) -> String {
    service_text(status, &options(false))
}

fn options(color: bool) -> StatusOptions<'static> {
    StatusOptions { color, now: NOW, command: &command }
}

fn at_rest(rest: &AtRest) -> String {
    at_rest_text(rest, &options(false))
}

#[test]
fn a_service_with_nothing_to_do_is_a_few_lines() {
    insta::assert_snapshot!(service(&in_step()), @"
    contactsd 0.1.0 has watched contacts.d since 2026-03-01T11:00:00Z (1h).
    Ready: the last successful pass ended 2026-03-01T11:59:48Z.
    Last pass: found nothing to do 12s ago, took 1s.
    Next pass: in 4m48s, or as soon as something changes.
    120 entries declared, 0 actions pending. State serial 57.
    ");
    insta::assert_snapshot!(service(&begun()), @"
    contactsd 0.1.0 has watched contacts.d since 2026-03-01T11:00:00Z (1h).
    Not ready: no pass has ended yet.
    0 entries declared, 0 actions pending.
    ");
}

#[test]
fn a_service_that_only_plans_asks_nobody_to_approve() {
    let text = service(&Status { only_plans: true, ..busy() });
    assert!(!text.contains("approve ") && !text.contains("waits for approval"), "{text}");
    assert!(text.contains("  The service runs with --dry-run and applies no plan, approved or not.\n"), "{text}");
}

#[test]
fn all_that_waits_for_somebody_or_something_is_listed() {
    insta::assert_snapshot!(service(&busy()), @"
    contactsd 0.1.0 has watched contacts.d since 2026-03-01T11:00:00Z (1h).
    Ready: the last successful pass ended 2026-03-01T11:59:48Z.
    Last pass: applied what could be applied 12s ago, took 3s: 3 done, 2 failed, 1 remaining.
    Next pass: in 4m48s, or as soon as something changes.
    120 entries declared, 5 actions pending. State serial 57.

    A plan exceeds limits and waits for approval since 2026-03-01T11:55:00Z:
      1,200 contacts would be created, and at most 1000 may be
      Plan: 1200 to add, 0 to change, 0 to destroy.
      To apply it once: contactsd approve 0123456789abcdef0123456789abcdef

    2 entries fail:
      contact.bo: Apollo rejected contact.bo
        3 times since 2026-03-01T11:50:00Z; next try in 42s
      contact.cy@example.com: More than one contact may be the same person as contact.cy@example.com
        1 time since 2026-03-01T11:50:00Z; waits for you

    No longer in the files: 2 contacts.
      contact.dee: forgotten in 34s, unless it comes back
      contact.eve@example.com: kept, because there is no contact file at all

    Quota left:
      create  199 of 200 this minute, resets in 42s; 0 of 400 this hour, resets in 59m
    ");
}

#[test]
fn what_keeps_a_service_from_its_work_comes_first() {
    insta::assert_snapshot!(service(&troubled()), @r"
    contactsd 0.1.0 has watched contacts.d since 2026-03-01T11:00:00Z (1h).
    Not ready since 2026-03-01T11:58:30Z: The credential cannot be used: asked as ada@example.com\u{1b}[31m.
    Last pass: found nothing to do 12s ago, took 1s.
    Next pass: in 4m48s, or as soon as something changes.
    Tried 4 times; next in 40s.
    120 entries declared, 0 actions pending. State serial 57.
    ");
    insta::assert_snapshot!(service(&paused()), @"
    contactsd 0.1.0 has watched contacts.d since 2026-03-01T11:00:00Z (1h).
    Not ready: paused since 2026-03-01T10:00:00Z.
    Last pass: found nothing to do 12s ago, took 1s.
    Nothing is read or changed until `contactsd resume`.
    120 entries declared, 0 actions pending. State serial 57.
    ");
}

#[test]
fn colors_change_no_word() {
    for status in [in_step(), busy(), troubled(), paused()] {
        let colored = service_text(&status, &options(true));
        assert!(colored.contains('\u{1b}'));
        assert_eq!(anstream::adapter::strip_str(&colored).to_string(), service(&status));
    }
}

#[test]
fn long_lists_are_cut() {
    let mut status = busy();
    let one = status.failing[0].clone();
    status.failing = std::sync::Arc::new(vec![one; 31]);
    let text = service(&status);
    assert_eq!(text.matches("contact.bo: ").count(), LISTED);
    assert!(text.contains("31 entries fail:") && text.contains("and 11 more"), "{text}");
}

#[test]
fn a_state_at_rest_says_what_the_next_run_will_do() {
    insta::assert_snapshot!(at_rest(&AtRest::default()), @"
    No service is running for this state.
    There is no state yet: `contactsd apply` or `contactsd watch` makes it.
    ");
    let key = |text| ContactKey::parse(text).unwrap();
    let rest = AtRest {
        exists: true,
        contacts: 120,
        serial: 57,
        open: vec![key("ada"), key("bo")],
        undecided: vec![key("cy")],
        writer: Some(crate::ui::test_services::holder()),
    };
    insta::assert_snapshot!(at_rest(&rest), @"
    No service is running for this state.
    'apply' (process 4242 of ada on build-1) is writing it right now.
    120 contacts managed. State serial 57.

    The outcome of 2 requests is unknown; the next apply finds out first:
      contact.ada
      contact.bo

    1 entry needs a decision; `contactsd plan` says which:
      contact.cy
    ");
    let clean = AtRest { exists: true, contacts: 1, serial: 2, ..AtRest::default() };
    insta::assert_snapshot!(at_rest(&clean), @"
    No service is running for this state.
    1 contact managed. State serial 2.
    ");
}

#[test]
fn a_line_says_why_it_is_not_ready_or_stuck() {
    let line = |status: &Status, now| readiness_line(&Readiness::of(status, now));
    let later = NOW + Duration::from_hours(1);
    let refused =
        Status { last_pass: busy().last_pass.map(|pass| Pass { outcome: Outcome::Refused, ..pass }), ..begun() };
    let lines = [
        line(&in_step(), NOW),
        line(&begun(), NOW),
        line(&refused, NOW),
        line(&in_step(), later),
        line(&troubled(), NOW),
        line(&paused(), NOW),
        health_line(Health::Alive),
        health_line(Health::Overdue { since: ago(600) }),
        health_line(Health::Silent { since: ago(900) }),
    ];
    insta::assert_snapshot!(lines.join("\n"), @r"
    Ready: the last successful pass ended 2026-03-01T11:59:48Z.
    Not ready: no pass has ended yet.
    Not ready: no pass was successful yet; the last one could not use the files.
    Not ready: the last successful pass ended 2026-03-01T11:59:48Z; the last one found nothing to do.
    Not ready since 2026-03-01T11:58:30Z: The credential cannot be used: asked as ada@example.com\u{1b}[31m.
    Not ready: paused since 2026-03-01T10:00:00Z.
    The service is alive.
    The service is stuck: a pass was due 2026-03-01T11:50:00Z.
    The service is stuck: its pass has shown no progress since 2026-03-01T11:45:00Z.
    ");
}
