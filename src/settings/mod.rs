//! Where settings come from: environment, `contactsd.toml` and credentials; and where things are.
//!
//! The one home of environment reads. Flags are `cli`'s; they beat the environment, which beats the
//! file, which beats defaults. Never prints, and never shows a credential.

mod allowed;
mod checkout;
mod credential;
mod database;
mod environment;
mod file;
mod forge;
mod home;
mod locations;
mod time;

pub use checkout::Checkout;
pub use credential::{Credential, CredentialError, credential_files};
pub use database::{PasswordError, database_password};
pub use environment::Environment;
pub use file::{FileError, SettingsFile};
pub use forge::{Forge, Repository};
pub use home::keep_from_git;
pub use locations::{Locations, OwnDir, is_at_home, meeting_place, resolved};
pub use time::{parse_duration, parse_interval};
