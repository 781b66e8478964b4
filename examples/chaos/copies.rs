//! Copies of the state as it was at earlier moments, made and put back in the ways that people have.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use fastrand::Rng;

use super::engine::Place;
use super::programs::{self, Program};

/// Copies that are kept at a time.
const MOST: usize = 4;

enum Copy {
    /// By `cp -a`.
    Directory(PathBuf),
    /// By `state pull`.
    Pulled(PathBuf),
}

/// What there is to put back.
#[derive(Default)]
pub(super) struct Copies {
    kept: Vec<Copy>,
    made: usize,
}

impl Copies {
    /// Keeps the state as it is now, while no contactsd runs.
    pub(super) fn keep(&mut self, program: &Program, state: &Place, random: &mut Rng) {
        if state.directory().is_some_and(|state| !state.exists()) {
            return;
        }
        self.made += 1;
        let at = program.home.join(format!("copy-{}", self.made));
        let copy = match state.directory().filter(|_| random.bool()) {
            Some(state) => {
                copy_all(state, &at);
                Copy::Directory(at)
            }
            // A state that was only begun holds nothing to pull.
            None => match programs::pull(program) {
                Some(text) => {
                    fs::write(&at, text).expect("the world's directory can be written");
                    Copy::Pulled(at)
                }
                None => return,
            },
        };
        if self.kept.len() == MOST {
            self.kept.swap_remove(random.usize(0..MOST));
        }
        self.kept.push(copy);
    }

    /// Puts one back in place of the state; returns how, when there is one.
    pub(super) fn put_back(&self, program: &Program, state: &Place, random: &mut Rng) -> Option<&'static str> {
        let copy = self.kept.get(random.usize(0..self.kept.len().max(1)))?;
        match copy {
            Copy::Directory(at) => {
                state.lose();
                copy_all(at, state.directory().expect("directories are copied of states in one"));
                Some("by cp -a")
            }
            Copy::Pulled(at) => {
                let pushed = programs::push(program, at);
                assert!(pushed.status.success(), "a pulled state can be pushed: {pushed:?}");
                Some("by state push")
            }
        }
    }
}

fn copy_all(from: &Path, to: &Path) {
    let status = Command::new("cp").arg("-a").args([from, to]).status();
    assert!(status.is_ok_and(|status| status.success()), "cp copies a directory");
}
