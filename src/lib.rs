//! contactsd: contacts as code for Apollo.io.
//!
//! Modules stand on floors; each imports only from floors below its own. `ARCHITECTURE.md` has the map.

pub mod apollo;
mod aside;
pub mod beneath;
pub mod cli;
pub mod failpoints;
mod git_dir;
mod hosts;
pub mod index;
pub mod journal;
pub mod model;
pub mod ops;
pub mod plan;
pub mod private_dir;
pub mod quota;
pub mod sandbox;
pub mod serve;
pub mod settings;
mod shell_word;
pub mod source;
pub mod state;
pub mod store;
pub mod ui;
pub mod watcher;
