//! The store as its callers see it, on real directories.

mod commits;
mod crash;
mod damage;
mod fixture;
mod healing;
mod leftovers;
mod model;
mod opening;
mod parts;
mod purge;
mod recovery;
mod spent;
pub(super) mod support;
mod transfer;
