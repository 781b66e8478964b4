//! The order of fields in a contact: merged maps first, then as the API names them, then ours.

pub(super) use crate::source::merge::MERGE_KEY;

const FIELDS: [&str; 23] = [
    MERGE_KEY,
    "first_name",
    "last_name",
    "organization_name",
    "title",
    "account_id",
    "email",
    "website_url",
    "label_names",
    "contact_stage_id",
    "contact_stage",
    "present_raw_address",
    "direct_phone",
    "corporate_phone",
    "mobile_phone",
    "home_phone",
    "other_phone",
    "typed_custom_fields",
    "custom_fields",
    "run_dedupe",
    "apollo_id",
    "moved_from",
    "ignore",
];

/// Returns the place of a field; a name that is none comes last.
pub(super) fn rank(name: &str) -> usize {
    FIELDS.iter().position(|field| *field == name).unwrap_or(FIELDS.len())
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;
    use crate::model::TEXT_FIELDS;
    use crate::source::merge::Slot;

    #[test]
    fn every_field_has_its_place_and_the_order_is_that_of_plans() {
        let known: BTreeSet<&str> = Slot::names().collect();
        let placed: BTreeSet<&str> = FIELDS.into_iter().skip(1).collect();
        assert_eq!(placed, known);
        assert!(TEXT_FIELDS.is_sorted_by_key(|field| rank(field.api_name())));
        assert!(TEXT_FIELDS.is_sorted());
    }
}
