//! The team that the sandbox plays: one fictional user and the stages a new Apollo team has.

use serde_json::{Value, json};

pub(super) const TEAM_ID: &str = "65a1000000000000000000a0";
/// The user that every contact belongs to and was made by.
pub(super) const USER_ID: &str = "65a1000000000000000000b0";
/// The stage of a contact that was created without one.
pub(super) const DEFAULT_STAGE_ID: &str = "65a1000000000000000000c0";

/// The job that every change in the background is.
pub(super) const JOB_ID: &str = "65a1000000000000000000d0";

/// Name, category and id of each stage, in order.
const STAGES: [(&str, Option<&str>, &str); 5] = [
    ("Cold", None, DEFAULT_STAGE_ID),
    ("Approaching", Some("in_progress"), "65a1000000000000000000c1"),
    ("Interested", Some("succeeded"), "65a1000000000000000000c2"),
    ("Not Interested", Some("failed"), "65a1000000000000000000c3"),
    ("Do Not Contact", Some("failed"), "65a1000000000000000000c4"),
];

/// Returns the answer that lists the stages.
pub(super) fn stages() -> Value {
    let stages = STAGES.iter().enumerate().map(|(at, (name, category, id))| {
        json!({
            "id": id, "team_id": TEAM_ID, "name": name, "display_name": name, "display_order": at,
            "category": category, "ignore_trigger_override": false, "is_meeting_set": false,
        })
    });
    json!({ "contact_stages": stages.collect::<Vec<_>>() })
}

/// Returns the answer that describes the user.
pub(super) fn profile() -> Value {
    json!({
        "id": USER_ID, "team_id": TEAM_ID, "first_name": "Sandy", "last_name": "Box", "name": "Sandy Box",
        "title": "Administrator", "email": "sandy.box@example.com",
    })
}
