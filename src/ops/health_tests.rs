use std::path::PathBuf;

use super::super::ProblemKind;
use super::super::watch::{Board, Pass};
use super::*;

const RESYNC: Duration = Duration::from_mins(5);

fn at(seconds: u64) -> Timestamp {
    Timestamp(seconds * 1000)
}

/// A service that began at 0, in the state that `change` leaves it in.
fn service(change: impl FnOnce(&mut Status)) -> Status {
    let mut status = (*Board::new(PathBuf::from("contacts.d"), at(0)).read()).clone();
    status.resync = RESYNC;
    change(&mut status);
    status
}

fn health(status: &Status, last_heard: u64, now: u64) -> Health {
    Health::of(status, at(last_heard), at(now))
}

fn pass(ended: u64, outcome: Outcome) -> Pass {
    Pass { began: at(ended), ended: at(ended), outcome, done: 0, failed: 0, remaining: 0 }
}

#[test]
fn a_loop_that_misses_its_time_is_stuck() {
    let resting = service(|status| (status.phase, status.next_pass) = (Phase::Resting, Some(at(1000))));
    // A clock that was set forward makes it late by one rest at most.
    assert_eq!(health(&resting, 0, 1000 + 300 + 60), Health::Alive);
    assert_eq!(health(&resting, 0, 1000 + 300 + 61), Health::Overdue { since: at(1000) });
    let beginning = service(|_| {});
    assert_eq!(health(&beginning, 0, 1_000_000), Health::Alive, "it waits for the state");
}

#[test]
fn a_pass_without_progress_is_stuck() {
    let passing = service(|status| status.phase = Phase::Passing);
    assert_eq!(health(&passing, 100, 700), Health::Alive);
    assert_eq!(health(&passing, 100, 701), Health::Silent { since: at(100) });
    let paused = service(|status| status.phase = Phase::Paused);
    assert_eq!(health(&paused, 100, 1_000_000), Health::Alive);
}

#[test]
fn it_is_ready_from_the_first_good_pass_on() {
    let ready = |status: &Status, now| Readiness::of(status, at(now));
    let mut status = service(|_| {});
    assert_eq!(ready(&status, 1), Readiness::NotYet { last: None });
    status.last_pass = Some(pass(5, Outcome::Refused));
    assert_eq!(ready(&status, 6), Readiness::NotYet { last: Some(Outcome::Refused) });
    (status.last_pass, status.last_good_pass) = (Some(pass(10, Outcome::InStep)), Some(at(10)));
    assert_eq!(ready(&status, 11), Readiness::Ready { last_good_pass: at(10) });
}

#[test]
fn it_is_not_ready_when_good_passes_stay_away() {
    let status = service(|status| {
        (status.last_good_pass, status.last_pass) = (Some(at(0)), Some(pass(900, Outcome::Refused)));
    });
    let ready = |status: &Status, resync, now| Readiness::of(&Status { resync, ..status.clone() }, at(now));
    assert!(ready(&status, RESYNC, 900).is_ready());
    let stale = Readiness::Stale { last_good_pass: at(0), last: Some(Outcome::Refused) };
    assert_eq!(ready(&status, RESYNC, 901), stale);
    assert_eq!(ready(&status, Duration::from_secs(1), 901), stale);
    assert!(ready(&status, Duration::from_hours(1), 3 * 3600).is_ready());
    assert!(!ready(&status, Duration::from_hours(1), 3 * 3600 + 1).is_ready());
    // A pass of many hours is judged by its progress.
    let passing = Status { phase: Phase::Passing, ..status };
    assert!(ready(&passing, RESYNC, 90_000).is_ready());
}

#[test]
fn trouble_and_pauses_are_told_first() {
    let trouble = Trouble { error: ProblemKind::StateClosed, since: at(3), attempts: 2, next_try: at(9) };
    let mut status = service(|status| {
        (status.last_good_pass, status.trouble) = (Some(at(1)), Some(trouble.clone()));
    });
    assert_eq!(Readiness::of(&status, at(4)), Readiness::Troubled(trouble));
    status.paused_since = Some(at(5));
    assert_eq!(Readiness::of(&status, at(6)), Readiness::Paused { since: at(5) });
}
