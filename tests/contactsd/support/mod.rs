//! What the tests of the program share: a sealed world to run it in, and an Apollo to run it against.

mod browser;
mod outcome;
mod people;
pub(crate) mod postgres;
mod preload;
mod remote;
mod running;
mod tap;
mod world;

pub(crate) use browser::Browser;
pub(crate) use outcome::Outcome;
pub(crate) use people::{hundred_in_fifty_files, numbered};
pub(crate) use remote::Remote;
pub(crate) use running::Running;
pub(crate) use world::{KEY, World};
