//! Plans as people see them. Here is what the tests build plans from.

mod actions;
mod values;
mod whole;

use std::time::Duration;

use super::*;
use crate::model::{Digest, Endpoint, Field, IntentId};
use crate::plan::{BrakeKind, Creates, Dispute, OneEach, Reason};
use crate::ui::Mask;
use crate::ui::test_plans::{
    action, ada, brake, conflict, create, custom, entry, full, id, intent, key, lists, plan_of, released, set,
    several_actions, update,
};

fn text(plan: &Plan, options: PlanOptions<'_>) -> String {
    PlanText { plan, options }.to_string().replace('\u{1b}', "␛")
}

/// Shows the block of one action, without what stands before and after it.
fn block(action: Action) -> String {
    block_with(action, PlanOptions::default())
}

fn block_with(action: Action, options: PlanOptions<'_>) -> String {
    let text = text(&plan_of(vec![action]), options);
    let start =
        ["following actions:\n\n", "can continue:\n\n"].iter().find_map(|title| Some(text.find(title)? + title.len()));
    let end = text.rfind("    }\n").unwrap() + "    }".len();
    text[start.unwrap()..end].to_owned()
}

const COLOR: PlanOptions<'static> = PlanOptions {
    color: true,
    width: 60,
    mask: Mask::Off,
    detail: Detail::Blocks,
    by_file: false,
    abridged: false,
    next_step: None,
    forecast: None,
    digest: None,
    names: None,
};
