//! The API calls we make, as quota and forecasts count them, and which fields each can carry.

use std::fmt;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::Field;

/// A call of Apollo's API, as its quota counts them: by team and action.
// Variants without docs of their own are listed as names in the schemas, maps by them included.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Endpoint {
    CreateContact,
    CreateContacts,
    UpdateContact,
    // Each changed in its own way.
    UpdateContacts,
    // All moved to one stage.
    UpdateStages,
    ViewContact,
    SearchContacts,
    AddToLists,
    RemoveFromLists,
    ShowStages,
    // With their options and limits.
    ShowCustomFields,
    // The same as the newer call shows them.
    ShowFields,
    ShowLists,
    // Who the credential acts as, and for which team.
    Profile,
}

impl Endpoint {
    pub const ALL: [Self; 14] = [
        Self::CreateContact,
        Self::CreateContacts,
        Self::UpdateContact,
        Self::UpdateContacts,
        Self::UpdateStages,
        Self::ViewContact,
        Self::SearchContacts,
        Self::AddToLists,
        Self::RemoveFromLists,
        Self::ShowStages,
        Self::ShowCustomFields,
        Self::ShowFields,
        Self::ShowLists,
        Self::Profile,
    ];

    /// Returns the name in states, JSON and metrics, which stays as it is.
    pub fn code(self) -> &'static str {
        match self {
            Self::CreateContact => "create_contact",
            Self::CreateContacts => "create_contacts",
            Self::UpdateContact => "update_contact",
            Self::UpdateContacts => "update_contacts",
            Self::UpdateStages => "update_stages",
            Self::ViewContact => "view_contact",
            Self::SearchContacts => "search_contacts",
            Self::AddToLists => "add_to_lists",
            Self::RemoveFromLists => "remove_from_lists",
            Self::ShowStages => "show_stages",
            Self::ShowCustomFields => "show_custom_fields",
            Self::ShowFields => "show_fields",
            Self::ShowLists => "show_lists",
            Self::Profile => "profile",
        }
    }

    /// Reads such a name.
    pub fn coded(code: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|endpoint| endpoint.code() == code)
    }

    /// Returns the name that people read in forecasts and logs.
    pub fn name(self) -> &'static str {
        match self {
            Self::CreateContact => "create",
            Self::CreateContacts => "bulk create",
            Self::UpdateContact => "update",
            Self::UpdateContacts => "bulk update",
            Self::UpdateStages => "stage update",
            Self::ViewContact => "view",
            Self::SearchContacts => "search",
            Self::AddToLists => "list add",
            Self::RemoveFromLists => "list remove",
            Self::ShowStages => "stages",
            Self::ShowCustomFields => "custom fields",
            Self::ShowFields => "fields",
            Self::ShowLists => "lists",
            Self::Profile => "profile",
        }
    }

    /// Returns the scope that a key needs for this action, as Apollo's 403 answers name it.
    ///
    /// Source: the vendor's page of each operation, "Access".
    pub fn scope(self) -> &'static str {
        match self {
            Self::CreateContact => "api/v1/contacts/create",
            Self::CreateContacts => "api/v1/contacts/bulk_create",
            Self::UpdateContact => "api/v1/contacts/update",
            Self::UpdateContacts => "api/v1/contacts/bulk_update",
            Self::UpdateStages => "api/v1/contacts/update_stages",
            Self::ViewContact => "api/v1/contacts/show",
            Self::SearchContacts => "api/v1/contacts/search",
            Self::AddToLists => "api/v1/labels/add_entity_ids_to_label_names",
            Self::RemoveFromLists => "api/v1/labels/remove_entity_ids_from_label_names",
            Self::ShowStages => "api/v1/contact_stages/index",
            Self::ShowCustomFields => "api/v1/typed_custom_fields/index",
            Self::ShowFields => "api/v1/fields/index",
            Self::ShowLists => "api/v1/labels/index",
            Self::Profile => "api/v1/users/api_profile",
        }
    }

    /// Reports whether the call makes contacts, so that sending it twice may make them twice.
    pub fn creates(self) -> bool {
        matches!(self, Self::CreateContact | Self::CreateContacts)
    }

    /// Reports whether a request of this kind can carry `field`; what it cannot carry must follow by another kind.
    ///
    /// An update could carry lists, but would replace all that the contact is on, so they never go that way.
    /// Source: the request bodies on the vendor's page of each operation (`docs/api-notes.md#calls-for-many-contacts`).
    pub fn carries(self, field: &Field) -> bool {
        let is_in_items = !matches!(field, Field::LabelNames | Field::WebsiteUrl) && !field.is_phone();
        match self {
            Self::CreateContact => true,
            Self::CreateContacts => is_in_items,
            Self::UpdateContact => *field != Field::LabelNames,
            Self::UpdateContacts => is_in_items && *field != Field::ContactStageId,
            Self::UpdateStages => *field == Field::ContactStageId,
            Self::AddToLists | Self::RemoveFromLists => *field == Field::LabelNames,
            Self::ViewContact
            | Self::SearchContacts
            | Self::ShowStages
            | Self::ShowCustomFields
            | Self::ShowFields
            | Self::ShowLists
            | Self::Profile => false,
        }
    }
}

impl fmt::Display for Endpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

#[cfg(test)]
mod tests {
    use super::super::TEXT_FIELDS;
    use super::*;

    #[track_caller]
    fn check(endpoint: Endpoint, left_out: &[&str]) {
        let fields = TEXT_FIELDS.into_iter().chain([Field::LabelNames]);
        let uncarried: Vec<_> = fields.filter(|field| !endpoint.carries(field)).map(|field| field.api_name()).collect();
        assert_eq!(uncarried, left_out, "{endpoint}");
    }

    #[test]
    fn states_and_json_name_an_endpoint_alike() {
        for endpoint in Endpoint::ALL {
            assert_eq!(serde_json::to_value(endpoint).unwrap(), endpoint.code());
            assert_eq!(Endpoint::coded(endpoint.code()), Some(endpoint));
        }
    }

    #[test]
    fn each_call_carries_what_its_page_lists() {
        const PHONES: [&str; 5] = ["direct_phone", "corporate_phone", "mobile_phone", "home_phone", "other_phone"];
        check(Endpoint::CreateContact, &[]);
        check(Endpoint::UpdateContact, &["label_names"]);
        check(Endpoint::CreateContacts, &[&["website_url"][..], &PHONES, &["label_names"]].concat());
        check(
            Endpoint::UpdateContacts,
            &[&["website_url", "contact_stage_id"][..], &PHONES, &["label_names"]].concat(),
        );
        let custom = Field::try_from("typed_custom_fields.60c39ed82bd02f01154c470a".to_owned()).unwrap();
        assert!(Endpoint::CreateContacts.carries(&custom) && Endpoint::UpdateContacts.carries(&custom));
        assert!(!Endpoint::UpdateStages.carries(&custom) && Endpoint::UpdateStages.carries(&Field::ContactStageId));
    }
}
