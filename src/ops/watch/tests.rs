//! The loop against a sandbox in this process, in time that the tests move and with changes told by hand.
//!
//! Time stands still while a pass is made, whatever its requests take, and goes on while the service rests.

mod credential;
mod entries;
mod month;
mod passes;
mod person;
mod place;
mod world;
