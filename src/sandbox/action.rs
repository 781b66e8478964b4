//! The calls the sandbox answers: what each is named, which path it has, which scope it needs.
//!
//! Never looks at a body or at stored data.

use std::fmt;
use std::str::FromStr;

use axum::http::Method;

/// One action of the API; quota, scopes, faults and counts go by it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Action {
    Create,
    Update,
    View,
    /// Deleting a contact: the real API has the route and lets nobody use it.
    Delete,
    Search,
    ShowLists,
    AddToLists,
    RemoveFromLists,
    ShowStages,
    Profile,
    Health,
}

impl Action {
    pub const ALL: [Self; 11] = [
        Self::Create,
        Self::Update,
        Self::View,
        Self::Delete,
        Self::Search,
        Self::ShowLists,
        Self::AddToLists,
        Self::RemoveFromLists,
        Self::ShowStages,
        Self::Profile,
        Self::Health,
    ];

    /// Returns the name used in options and counts.
    pub fn name(self) -> &'static str {
        match self {
            Self::Create => "create",
            Self::Update => "update",
            Self::View => "view",
            Self::Delete => "delete",
            Self::Search => "search",
            Self::ShowLists => "show-lists",
            Self::AddToLists => "add-to-lists",
            Self::RemoveFromLists => "remove-from-lists",
            Self::ShowStages => "show-stages",
            Self::Profile => "profile",
            Self::Health => "health",
        }
    }

    /// Returns the scope as the 403 answers name it.
    ///
    /// Source: vendor pages of each operation; `contacts/destroy` from a recorded answer.
    pub fn scope(self) -> &'static str {
        match self {
            Self::Create => "api/v1/contacts/create",
            Self::Update => "api/v1/contacts/update",
            Self::View => "api/v1/contacts/show",
            Self::Delete => "api/v1/contacts/destroy",
            Self::Search => "api/v1/contacts/search",
            Self::ShowLists => "api/v1/labels/index",
            Self::AddToLists => "api/v1/labels/add_entity_ids_to_label_names",
            Self::RemoveFromLists => "api/v1/labels/remove_entity_ids_from_label_names",
            Self::ShowStages => "api/v1/contact_stages/index",
            Self::Profile => "api/v1/users/api_profile",
            Self::Health => "api/v1/auth/health",
        }
    }

    /// Returns the route as the 429 answers name it: the create call's is the bare path.
    ///
    /// Source: vendor page of the create call, example of 429.
    pub(super) fn route(self) -> &'static str {
        match self {
            Self::Create => "api/v1/contacts",
            other => other.scope(),
        }
    }
}

impl fmt::Display for Action {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// A text that names no action.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{given:?} names no action; the actions are {}", names())]
pub struct UnknownAction {
    given: String,
}

impl FromStr for Action {
    type Err = UnknownAction;

    /// Reads the name or the scope of an action.
    fn from_str(text: &str) -> Result<Self, UnknownAction> {
        let named = |action: &Self| action.name() == text || action.scope() == text;
        Self::ALL.into_iter().find(named).ok_or_else(|| UnknownAction { given: text.to_owned() })
    }
}

fn names() -> String {
    Action::ALL.map(Action::name).join(", ")
}

/// One request's action with the contact that its path names.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Call {
    pub(super) action: Action,
    /// The last part of `/contacts/{id}`, unchecked; empty for the other paths.
    pub(super) id: String,
}

impl Call {
    /// Reads method and path; `None` where the API has nothing.
    ///
    /// PUT is the older documentation's method for updates and still in use.
    pub(super) fn of(method: &Method, path: &str) -> Option<Self> {
        let parts: Vec<&str> = path.strip_prefix("/api/v1/")?.split('/').collect();
        let bare = |action| Some(Self { action, id: String::new() });
        let of_contact = |action, id: &str| Some(Self { action, id: id.to_owned() });
        match (method.as_str(), parts.as_slice()) {
            ("POST", ["contacts"]) => bare(Action::Create),
            ("POST", ["contacts", "search"]) => bare(Action::Search),
            ("PATCH" | "PUT", ["contacts", id]) => of_contact(Action::Update, id),
            ("GET", ["contacts", id]) => of_contact(Action::View, id),
            ("DELETE", ["contacts", id]) => of_contact(Action::Delete, id),
            ("GET", ["labels"]) => bare(Action::ShowLists),
            ("POST", ["labels", "add_entity_ids_to_label_names"]) => bare(Action::AddToLists),
            ("POST", ["labels", "remove_entity_ids_from_label_names"]) => bare(Action::RemoveFromLists),
            ("GET", ["contact_stages"]) => bare(Action::ShowStages),
            ("GET", ["users", "api_profile"]) => bare(Action::Profile),
            ("GET", ["auth", "health"]) => bare(Action::Health),
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_action_is_read_by_its_name_and_by_its_scope() {
        for action in Action::ALL {
            assert_eq!(action.name().parse(), Ok(action));
            assert_eq!(action.scope().parse(), Ok(action));
        }
        assert!("contacts".parse::<Action>().is_err());
    }

    #[test]
    fn a_path_that_only_begins_like_one_of_the_api_is_no_call() {
        assert_eq!(Call::of(&Method::GET, "/api/v1/contacts/1/2"), None);
        assert_eq!(Call::of(&Method::GET, "/v1/labels"), None);
        assert_eq!(Call::of(&Method::GET, "/api/v1/contacts"), None);
        let view = Call { action: Action::View, id: "7".to_owned() };
        assert_eq!(Call::of(&Method::GET, "/api/v1/contacts/7"), Some(view));
    }
}
