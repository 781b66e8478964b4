//! The actions of the API: quota, scopes, faults and counts go by them.

use std::str::FromStr;

use serde::{Deserialize, Serialize};

use super::choice::{self, UnknownChoice};

/// One action of the API.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Action {
    Create,
    BulkCreate,
    Update,
    BulkUpdate,
    UpdateStages,
    View,
    /// Deleting a contact: the real API has the route and lets nobody use it.
    Delete,
    Search,
    ShowLists,
    AddToLists,
    RemoveFromLists,
    ShowStages,
    ShowCustomFields,
    ShowFields,
    Profile,
    Health,
}

impl FromStr for Action {
    type Err = UnknownChoice;

    fn from_str(text: &str) -> Result<Self, UnknownChoice> {
        choice::read(text)
    }
}
