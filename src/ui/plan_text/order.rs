//! The order in which actions are shown: by address, or file by file.

use std::fmt;
use std::path::Path;

use super::super::message::shown_path;
use super::layout::{Layout, Marks};
use super::{block, concise, header, tail};
use crate::plan::{Action, Counts, Plan};

/// What is shown between the title and the counts, one after the other.
#[derive(Debug, Clone, Copy)]
pub(in crate::ui) enum Piece<'a> {
    /// From here on, actions of this file.
    File(&'a Path, Counts),
    Action(&'a Action),
}

/// Lists the actions of a plan in their order; with `by_file`, each file's after its name.
pub(in crate::ui) fn pieces(plan: &Plan, by_file: bool) -> Box<dyn Iterator<Item = Piece<'_>> + '_> {
    if !by_file {
        return Box::new(plan.actions.iter().map(Piece::Action));
    }
    let mut actions: Vec<&Action> = plan.actions.iter().collect();
    actions.sort_by(|one, other| one.place.path.cmp(&other.place.path));
    let mut pieces = Vec::with_capacity(actions.len() + 1);
    for file in actions.chunk_by(|one, other| one.place.path == other.place.path) {
        pieces.push(Piece::File(&file[0].place.path, Counts::of(file.iter().copied())));
        pieces.extend(file.iter().copied().map(Piece::Action));
    }
    Box::new(pieces.into_iter())
}

/// A piece as text, with the empty line before it.
pub(in crate::ui) struct PieceText<'a> {
    pub(in crate::ui) piece: Piece<'a>,
    pub(in crate::ui) layout: Layout<'a>,
}

impl fmt::Display for PieceText<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let layout = self.layout;
        match self.piece {
            Piece::File(path, counts) => {
                let heading = format!("{}: {}", shown_path(path), tail::kinds(&counts));
                match layout.marks {
                    Marks::Indented => writeln!(f, "\n{}", layout.paint.bold(heading)),
                    // Looks as the place in a file does in other diffs.
                    Marks::FirstColumn => writeln!(f, "\n@@ {heading} @@"),
                }
            }
            Piece::Action(action) if layout.concise => concise::write(f, action, layout),
            Piece::Action(action) => {
                writeln!(f)?;
                header::write(f, action, layout)?;
                block::write(f, action, layout)
            }
        }
    }
}
