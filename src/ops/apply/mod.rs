//! Carries out a plan.
//!
//! [`courier`] sends and returns what came; [`outcome`] says what that means for an entry; the others look, send and
//! record, one action each.

mod action;
mod batch;
mod bind;
mod bring_up;
pub(crate) mod courier;
mod create;
mod crew;
mod drawing;
pub(crate) mod ledgers;
pub(crate) mod line;
mod local;
mod look;
pub(crate) mod outages;
pub(crate) mod outcome;
mod performer;
mod run;
mod settle;
mod witness;

pub use run::{apply, apply_as};
