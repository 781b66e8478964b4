//! What is left of a plan that was saved, and perhaps applied in part.
//!
//! The state decides: what is left is planned again, and of that only what goes on with an action of the
//! saved plan is kept. Nothing is in the result that the saved plan does not speak of.

use std::collections::{BTreeMap, BTreeSet};

use crate::model::ContactKey;

use super::{Action, Operation};

/// A saved plan against the state as it is now.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub struct Remainder {
    /// What is left to do, as the state needs it now.
    pub actions: Vec<Action>,
    /// How many actions of the saved plan are done.
    pub done: usize,
    /// Keys of the saved plan that would be treated otherwise now; nothing is done about them.
    pub replaced: Vec<ContactKey>,
    /// Keys that need something the saved plan does not speak of; nothing is done about them.
    pub further: Vec<ContactKey>,
}

/// Finds what is left of `saved`, of which the actions of the keys `spent` are done, in a plan made `now`.
///
/// Both plans are of the same files.
pub fn remainder(saved: &[Action], spent: &BTreeSet<ContactKey>, now: &[Action]) -> Remainder {
    let mut by_key: BTreeMap<&ContactKey, &Action> = now.iter().map(|action| (action.key(), action)).collect();
    let touched: BTreeSet<&ContactKey> = now.iter().flat_map(Action::keys).collect();
    let mut rest = Remainder::default();
    for action in saved {
        let key = action.key();
        if spent.contains(key) {
            rest.done += 1;
            continue;
        }
        match by_key.remove(key) {
            Some(next) if goes_on(&action.operation, &next.operation) => rest.actions.push(next.clone()),
            None if !action.keys().any(|key| touched.contains(key)) => rest.done += 1,
            _ => rest.replaced.push(key.clone()),
        }
    }
    let replaced: BTreeSet<&ContactKey> = rest.replaced.iter().collect();
    let further = by_key.values().filter(|action| !action.keys().any(|key| replaced.contains(key)));
    let further: Vec<ContactKey> = further.map(|action| action.key().clone()).collect();
    rest.further = further;
    rest
}

/// Reports whether `next` does what is left of `saved`, and nothing else.
fn goes_on(saved: &Operation, next: &Operation) -> bool {
    use Operation::{Adopt, Conflict, Contradiction, Create, Forget, Move, Release, Restore, Settle, Update};
    let same_entry = || match (saved.entry(), next.entry()) {
        (Some(one), Some(other)) => one.fingerprint() == other.fingerprint(),
        (None, None) => true,
        _ => false,
    };
    match (saved, next) {
        // Nothing is sent; the run says who has to decide what.
        (_, Conflict { .. } | Contradiction { .. }) => true,
        (Forget { id }, Forget { id: now }) => id == now,
        // Bound since, and not everything that is declared is confirmed.
        (Adopt { id, .. } | Restore { id, .. } | Move { id, .. } | Update { id, .. }, Update { id: now, .. })
        | (Adopt { id, .. }, Adopt { id: now, .. })
        | (Restore { id, .. }, Restore { id: now, .. })
        | (Release { id, .. }, Release { id: now, .. }) => id == now && same_entry(),
        (Move { from, id, .. }, Move { from: now_from, id: now, .. }) => from == now_from && id == now && same_entry(),
        // Sent since and in doubt, sent and bound, or refused by Apollo.
        (Create { .. } | Settle { .. }, Create { .. } | Update { .. } | Settle { .. }) => same_entry(),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;
    use crate::model::{ApolloId, Entry, Field, Fields, Intent, IntentId, Place, RunId, Timestamp, Value};
    use crate::plan::{Change, Dispute, Reason, Setting};

    fn key(text: &str) -> ContactKey {
        ContactKey::parse(text).unwrap()
    }

    fn id(number: u8) -> ApolloId {
        ApolloId::parse(&format!("{number:024x}")).unwrap()
    }

    fn entry(of: &str, title: &str) -> Entry {
        let fields: [(Field, Value); 1] = [(Field::Title, title.into())];
        let fields: Fields = fields.into_iter().collect();
        let place = Place { path: Path::new("contacts.d/team.yaml").into(), key: key(of) };
        Entry { place, fields, run_dedupe: true, apollo_id: None, moved_from: None, ignored: [].into() }
    }

    fn action(of: &str, operation: Operation) -> Action {
        Action { place: entry(of, "").place, reason: Reason::FieldsDiffer, operation }
    }

    fn create(of: &str) -> Action {
        action(of, Operation::Create { entry: entry(of, "CTO").into() })
    }

    fn update(of: &str, number: u8) -> Action {
        let change = Change { field: Field::Title, before: None, after: Setting::Set("CTO".into()) };
        action(of, Operation::Update { id: id(number), entry: entry(of, "CTO").into(), changes: vec![change] })
    }

    fn forget(of: &str, number: u8) -> Action {
        action(of, Operation::Forget { id: id(number) })
    }

    fn moved(from: &str, of: &str, number: u8) -> Action {
        let entry = entry(of, "CTO");
        action(of, Operation::Move { from: key(from), id: id(number), entry: entry.into(), changes: Vec::new() })
    }

    fn settle(of: &str, declared: bool) -> Action {
        let intent = Intent {
            run: RunId("run".to_owned()),
            first_sent_at: Timestamp(0),
            last_sent_at: Timestamp(0),
            path: String::new(),
            ..Intent::bare(key(of))
        };
        let entry = declared.then(|| entry(of, "CTO").into());
        action(of, Operation::Settle { intent_id: IntentId(1), intent: Box::new(intent), entry })
    }

    fn conflict(of: &str) -> Action {
        let dispute = Dispute::Stranger { id: id(9) };
        action(of, Operation::Conflict { dispute, entry: entry(of, "CTO").into() })
    }

    /// Checks what becomes of one saved action when the state needs `now`.
    #[track_caller]
    fn check(saved: &Action, now: Option<Action>, kept: bool) {
        let now: Vec<Action> = now.into_iter().collect();
        let rest = remainder(std::slice::from_ref(saved), &BTreeSet::new(), &now);
        let expected = if kept {
            Remainder { actions: now, ..Remainder::default() }
        } else {
            Remainder { replaced: vec![saved.key().clone()], ..Remainder::default() }
        };
        assert_eq!(rest, expected);
    }

    #[test]
    fn a_plan_that_nothing_happened_to_is_left_as_it_is() {
        let saved = [create("ada"), update("bo", 1), forget("cy", 2), moved("old", "di", 3), settle("ed", false)];
        let rest = remainder(&saved, &BTreeSet::new(), &saved);
        assert_eq!(rest, Remainder { actions: saved.to_vec(), ..Remainder::default() });
    }

    #[test]
    fn what_is_spent_is_done_even_where_the_state_would_do_it_again() {
        let saved = [create("ada"), update("bo", 1), forget("cy", 2)];
        let spent = [key("ada"), key("bo")].into();
        let rest = remainder(&saved, &spent, &[update("bo", 1), forget("cy", 2)]);
        assert_eq!(rest.actions, [forget("cy", 2)]);
        assert_eq!((rest.done, rest.further), (2, vec![key("bo")]));
    }

    #[test]
    fn what_needs_nothing_any_more_is_done() {
        let rest = remainder(&[create("ada"), settle("bo", false)], &BTreeSet::new(), &[]);
        assert_eq!(rest, Remainder { done: 2, ..Remainder::default() });
    }

    #[test]
    fn a_create_goes_on_where_it_stopped() {
        check(&create("ada"), Some(settle("ada", true)), true);
        check(&create("ada"), Some(update("ada", 1)), true);
        check(&settle("ada", true), Some(update("ada", 1)), true);
        check(&settle("ada", true), Some(create("ada")), true);
        check(&create("ada"), Some(conflict("ada")), true);
        check(&moved("old", "ada", 1), Some(update("ada", 1)), true);
    }

    #[test]
    fn nothing_is_done_that_the_saved_plan_does_not_say() {
        check(&create("ada"), Some(moved("old", "ada", 1)), false);
        check(&update("ada", 1), Some(update("ada", 2)), false);
        check(&update("ada", 1), Some(forget("ada", 1)), false);
        check(&forget("ada", 1), Some(forget("ada", 2)), false);
        check(&forget("ada", 1), Some(update("ada", 1)), false);
        check(&settle("ada", false), Some(settle("ada", true)), false);
        let other = Action { operation: Operation::Create { entry: entry("ada", "CEO").into() }, ..create("ada") };
        check(&create("ada"), Some(other), false);
        let rest = remainder(&[create("ada")], &BTreeSet::new(), &[create("ada"), update("bo", 1)]);
        assert_eq!((rest.actions, rest.further), (vec![create("ada")], vec![key("bo")]));
    }

    #[test]
    fn a_key_that_another_action_would_take_now_is_left_alone() {
        let saved = [forget("old", 1), create("ada")];
        let rest = remainder(&saved, &BTreeSet::new(), &[moved("old", "ada", 1)]);
        let replaced = vec![key("old"), key("ada")];
        assert_eq!(rest, Remainder { replaced, ..Remainder::default() });
    }
}
