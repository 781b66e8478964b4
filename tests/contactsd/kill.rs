//! The program is ended in the middle: by force, and by asking.

use insta::assert_snapshot;
use rustix::process::Signal;

use crate::support::{Remote, World, numbered};

#[track_caller]
pub(crate) fn has_each_once(remote: &Remote, count: usize) {
    let mut emails = remote.column("email");
    assert_eq!((emails.len(), remote.contacts().len()), (count, count), "{emails:?}");
    emails.sort_unstable();
    emails.dedup();
    assert_eq!(emails.len(), count);
}

#[test]
fn a_killed_apply_leaves_one_contact_for_each_entry_after_the_next() {
    let remote = Remote::start();
    remote.set_faults("slow=1,slow-ms=20");
    let world = World::with(&numbered(0..40)).against(&remote).one_by_one();
    let running = world.start("apply --auto-approve");
    remote.tap.hold_after(15);
    remote.tap.wait_until_held(10);
    running.signal(Signal::KILL);
    let killed = running.finish();
    assert_eq!(killed.code, None, "{killed}");
    assert_eq!(remote.contacts().len(), 25, "done by the server, and for ten of them nobody was told");
    remote.tap.release();
    let next = world.applied();
    has_each_once(&remote, 40);
    assert_snapshot!(next.summary(), @"Apply complete! Resources: 15 added, 0 changed, 0 destroyed.");
    world.applied().is_clean();
}

#[test]
fn killed_again_and_again_it_still_ends_with_one_contact_each() {
    let remote = Remote::start();
    let world = World::with(&numbered(0..40)).against(&remote).one_by_one();
    for answers in [0, 7, 3, 1] {
        remote.tap.hold_after(answers);
        let running = world.start("apply --auto-approve --parallelism 3");
        remote.tap.wait_until_held(1);
        running.signal(Signal::KILL);
        running.finish();
        remote.tap.release();
    }
    world.applied();
    has_each_once(&remote, 40);
    world.applied().is_clean();
}

#[test]
fn one_interrupt_records_what_is_under_way_and_sends_no_more() {
    for (signal, code) in [(Signal::INT, 130), (Signal::TERM, 143)] {
        let remote = Remote::start();
        let world = World::with(&numbered(0..40)).against(&remote).one_by_one();
        remote.tap.hold_after(10);
        let mut running = world.start("apply --auto-approve");
        remote.tap.wait_until_held(10);
        running.signal(signal);
        let said = running.wait_for("Stopping");
        remote.tap.release();
        let outcome = running.finish();
        assert_eq!(outcome.code, Some(code), "{outcome}");
        has_each_once(&remote, 20);
        assert_eq!(world.run("state list").stdout.lines().count(), 20);
        if signal == Signal::INT {
            assert_snapshot!(said.trim_end(), @"Stopping: running requests are finished and recorded, and no more are sent. Press again to stop immediately.");
            let end: Vec<_> = outcome.stdout.lines().skip_while(|line| !line.starts_with("Apply ")).collect();
            assert_snapshot!(end.join("\n"), @r"
            Apply incomplete. Resources: 20 added, 0 changed, 0 destroyed. 0 failed, 20 remaining.
            Interrupted before the end. What is done is recorded: run the command again to do the rest.
            ");
        }
        world.applied();
        has_each_once(&remote, 40);
    }
}

#[test]
fn a_second_interrupt_leaves_at_once_and_the_next_apply_settles() {
    let remote = Remote::start();
    let world = World::with(&numbered(0..40)).against(&remote).one_by_one();
    remote.tap.hold_after(10);
    let mut running = world.start("apply --auto-approve");
    remote.tap.wait_until_held(10);
    running.signal(Signal::INT);
    running.wait_for("Stopping");
    running.signal(Signal::INT);
    let outcome = running.finish();
    assert_eq!(outcome.code, Some(130), "{outcome}");
    assert_snapshot!(outcome.stderr, @r"

    Warning: Stopped immediately

    Some requests had no answer yet. The next apply finds out their results before it sends anything
    again.
    ");
    remote.tap.release();
    world.applied();
    has_each_once(&remote, 40);
    world.applied().is_clean();
}

#[test]
fn an_interrupt_ends_a_wait_for_quota_at_once() {
    let remote = Remote::with(|options| options.quota = "1/d".parse().unwrap());
    let world = World::with(&numbered(0..3)).against(&remote).one_by_one();
    let mut running = world.start("apply --auto-approve");
    let said = running.wait_for("Waiting");
    assert!(said.contains("for the search quota: this day is used up"), "{said}");
    running.signal(Signal::INT);
    let outcome = running.finish();
    assert_eq!(outcome.code, Some(130), "{outcome}");
    let summary = "Apply incomplete. Resources: 1 added, 0 changed, 0 destroyed. 0 failed, 2 remaining.";
    assert_eq!(outcome.summary(), summary);
}
