//! The REST client of Apollo.io: one method per call, errors that say whether to send again.
//!
//! Writes strictly (declared fields only, the same bytes for the same fields) and reads leniently
//! (unknown keys, nulls and unexpected types never fail an answer that holds what we need).
//! Never retries, waits, reads a clock or follows a redirect; never shows a credential. Each
//! method sends at most one request: counting them and deciding on the next is the caller's.
//! The facts it stands on are in `docs/api-notes.md`.

mod batch;
pub mod body;
mod cleaner;
mod client;
mod complaint;
mod contact;
mod error;
mod excerpt;
mod hint;
mod json;
mod lists;
mod meta;
mod names;
mod options;
mod phone;
mod profile;
mod reader;
mod received;
mod search;

pub use batch::{BatchAnswer, Row, Standing};
pub use client::Client;
pub(crate) use client::StagesBy;
pub use contact::{Contact, DedupeResult};
pub use error::{Call, Error, Refusal, Retry};
pub use lists::ListChange;
pub use meta::{Answer, Meta, QuotaHeaders, WindowHeaders};
pub use options::{Credential, Options, PRODUCTION_URL};
pub use phone::Phone;
pub use profile::Profile;
pub use reader::Reader;
pub use search::{Order, PER_PAGE, SearchPage};
