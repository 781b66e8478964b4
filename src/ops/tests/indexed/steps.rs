//! Steps that a directory and its state go through.

use proptest::prelude::*;

use super::rows::KEYS;
use crate::store::Moment;

/// Files that edits work on; the last is below a directory that a symlink may lead to.
pub(super) const FILES: [&str; 5] = ["a.yaml", "b.yaml", "d/c.yaml", "d/e.yaml", "x/f.yaml"];

/// What files hold, each of the same length once padded.
pub(super) const TEXTS: [&str; 12] = [
    "contacts: {ada: {email: ada@example.com}}",
    "contacts: {ada: {email: ada@example.com, title: CTO}, bob: {email: bob@example.com}}",
    "contacts: {bob: {email: bob@example.com, title: CEO}}",
    "contacts: {cyd: {email: cyd@example.com, moved_from: bob}}",
    "contacts: {dot: {email: ADA+x@example.com}}",
    "contacts: {eve: {first_name: Eve, last_name: Ross, email: eve@gmail.com}}",
    "contacts: {fay: {first_name: eve, last_name: ROSS, email: fay@gmail.com}}",
    "contacts: {gil: {email: gil@example.com, home_phone: unlisted}}",
    "contacts: {hal: {email: hal@example.com, apollo_id: 00000000000000000000000a}}",
    "contacts: {ida: {email: ida@example.com, apollo_id: 00000000000000000000000a}}",
    "contacts: {ada: {emial: ada@example.com}}",
    "",
];

#[derive(Debug, Clone)]
pub(super) enum Step {
    Write {
        file: usize,
        text: usize,
    },
    /// Writes in place and puts size and time of writing back.
    Sneak {
        file: usize,
        text: usize,
    },
    Remove {
        file: usize,
    },
    Rename {
        from: usize,
        to: usize,
    },
    /// Makes or removes a symlink to a directory.
    LinkDirectory,
    /// Makes a symlink to a file.
    LinkFile {
        file: usize,
    },
    /// Plans, and renews the index as `plan` does.
    Plan,
    /// Binds what is declared and forgets what is gone, all or every other key; then renews the index, or crashes.
    Apply {
        every: usize,
        renews: bool,
    },
    /// Applies as above until a commit fails; then goes on in the same session as a service might.
    Broken {
        every: usize,
        /// Which commit fails, from 1.
        commit: u64,
        moment: Moment,
        /// Whether what was written, if anything, never reached the disk.
        is_lost: bool,
    },
    /// Writes a row in a session of its own, which knows no files, and may know of the index.
    Row {
        row: usize,
        key: usize,
    },
    /// Writes a row and dies before the head says so.
    Torn {
        row: usize,
        key: usize,
    },
    /// Dies after the mark is made.
    MarkAlone,
    Flip {
        at: prop::sample::Index,
        by: u8,
    },
    Cut {
        at: prop::sample::Index,
    },
    Delete,
}

pub(super) fn any_step() -> impl Strategy<Value = Step> {
    let (file, text) = (0..FILES.len(), 0..TEXTS.len());
    let at = || any::<prop::sample::Index>();
    prop_oneof![
        6 => (file.clone(), text.clone()).prop_map(|(file, text)| Step::Write { file, text }),
        3 => (file.clone(), text).prop_map(|(file, text)| Step::Sneak { file, text }),
        2 => file.clone().prop_map(|file| Step::Remove { file }),
        2 => (file.clone(), file.clone()).prop_map(|(from, to)| Step::Rename { from, to }),
        1 => Just(Step::LinkDirectory),
        1 => file.prop_map(|file| Step::LinkFile { file }),
        5 => Just(Step::Plan),
        4 => (1..3_usize, any::<bool>()).prop_map(|(every, renews)| Step::Apply { every, renews }),
        3 => (1..3_usize, 1..4_u64, any_moment(), any::<bool>())
            .prop_map(|(every, commit, moment, is_lost)| Step::Broken { every, commit, moment, is_lost }),
        2 => (0..6_usize, 0..KEYS.len()).prop_map(|(row, key)| Step::Row { row, key }),
        2 => (0..6_usize, 0..KEYS.len()).prop_map(|(row, key)| Step::Torn { row, key }),
        1 => Just(Step::MarkAlone),
        1 => (at(), 1..=255_u8).prop_map(|(at, by)| Step::Flip { at, by }),
        1 => at().prop_map(|at| Step::Cut { at }),
        1 => Just(Step::Delete),
    ]
}

pub(super) fn any_moment() -> impl Strategy<Value = Moment> {
    prop_oneof![Just(Moment::BeforeBatch), Just(Moment::AmidBatch), Just(Moment::AfterBarrier), Just(Moment::AfterHead),]
}
