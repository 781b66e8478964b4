//! The nouns of contactsd: contacts as declared, as applied, and what ties them to Apollo.
//!
//! Plain values that cannot be wrong once built. Never does I/O, never reads a clock, and knows
//! nothing of YAML, HTTP or sled; every other module stands on this one.

mod batching;
mod binding;
mod bulk;
mod endpoint;
mod entry;
mod field;
mod fingerprint;
mod fold;
mod found;
mod identity;
mod ids;
mod intent;
mod key;
mod made_key;
mod named;
mod names;
mod packed;
mod packed_binding;
mod roster;
mod time;

pub use batching::Batching;
pub use binding::{Binding, Conflict, ConflictCause, Glance, MatchedBy, Merged, Origin, RebuiltBy, Tombstone};
pub use bulk::BulkCreate;
pub use endpoint::Endpoint;
pub use entry::{Declares, Entry, Place};
pub use field::{CustomFieldId, Field, Fields, TEXT_FIELDS, Texts, Value};
pub use fingerprint::Fingerprint;
pub use fold::{fold_email, fold_text, mailbox};
pub use found::Found;
pub use identity::{Identity, IdentityHash, IdentityKey, Parts, PersonAtCompany};
pub use ids::{ApolloId, Digest, Lineage, RunId, Serial, is_hex24};
pub use intent::{Intent, IntentId};
pub use key::{ContactKey, InvalidKey};
pub use made_key::{KeyMaker, is_spelled_whole, key_base};
pub use named::Named;
pub use names::{
    CustomField, Glossary, List, Listing, Misfit, NameKind, NameKinds, Names, PicklistOption, Stage, Unresolved,
};
pub use packed::{Lists, PackedEntry, Packer};
pub use packed_binding::PackedBinding;
pub use roster::{Listed, Roster, Sheet, SheetWriter};
pub use time::Timestamp;
