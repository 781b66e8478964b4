//! The API calls we make, as quota and forecasts count them.

use std::fmt;

use serde::{Deserialize, Serialize};

/// One endpoint action; Apollo counts requests per team and action.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Endpoint {
    CreateContact,
    UpdateContact,
    ViewContact,
    SearchContacts,
    AddToLists,
    RemoveFromLists,
    /// Who the credential acts as, and for which team.
    Profile,
}

impl Endpoint {
    pub const ALL: [Self; 7] = [
        Self::CreateContact,
        Self::UpdateContact,
        Self::ViewContact,
        Self::SearchContacts,
        Self::AddToLists,
        Self::RemoveFromLists,
        Self::Profile,
    ];

    /// Returns the name used in forecasts, state and logs.
    pub fn name(self) -> &'static str {
        match self {
            Self::CreateContact => "create",
            Self::UpdateContact => "update",
            Self::ViewContact => "view",
            Self::SearchContacts => "search",
            Self::AddToLists => "list add",
            Self::RemoveFromLists => "list remove",
            Self::Profile => "profile",
        }
    }

    /// Returns the scope that a key needs for this action, as Apollo's 403 answers name it.
    ///
    /// Source: the vendor's page of each operation, "Access".
    pub fn scope(self) -> &'static str {
        match self {
            Self::CreateContact => "api/v1/contacts/create",
            Self::UpdateContact => "api/v1/contacts/update",
            Self::ViewContact => "api/v1/contacts/show",
            Self::SearchContacts => "api/v1/contacts/search",
            Self::AddToLists => "api/v1/labels/add_entity_ids_to_label_names",
            Self::RemoveFromLists => "api/v1/labels/remove_entity_ids_from_label_names",
            Self::Profile => "api/v1/users/api_profile",
        }
    }
}

impl fmt::Display for Endpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}
