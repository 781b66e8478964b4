//! The team that the sandbox plays: one fictional user, and its ids.

use serde_json::{Value, json};

pub(super) const TEAM_ID: &str = "65a1000000000000000000a0";
/// The user that every contact belongs to and was made by.
pub(super) const USER_ID: &str = "65a1000000000000000000b0";
/// The stage of a contact that was created without one.
pub(super) const DEFAULT_STAGE_ID: &str = "65a1000000000000000000c0";

/// The job that every change in the background is.
pub(super) const JOB_ID: &str = "65a1000000000000000000d0";

/// Returns the answer that describes the user.
pub(super) fn profile() -> Value {
    json!({
        "id": USER_ID, "team_id": TEAM_ID, "first_name": "Sandy", "last_name": "Box", "name": "Sandy Box",
        "title": "Administrator", "email": "sandy.box@example.com",
    })
}
