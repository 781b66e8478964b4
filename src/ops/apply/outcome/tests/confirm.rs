use crate::model::{CustomFieldId, Field, Fields};
use crate::ops::apply::outcome::confirm::*;

use super::{answer, fields};

#[test]
fn a_dropped_value_is_told_from_one_in_another_form() {
    let custom = Field::Custom(CustomFieldId::parse("60c39ed82bd02f01154c470a").unwrap());
    let sent = fields(&[
        (Field::Title, "CTO"),
        (Field::Email, "ada@example"),
        (Field::OrganizationName, "acme"),
        (Field::WebsiteUrl, "https://example.com"),
        (custom.clone(), "7"),
    ]);
    let shown = [(Field::Title, "CTO"), (Field::Email, ""), (Field::OrganizationName, "Acme Inc")];
    let found = deviations(&sent, &Fields::default(), &answer(&shown, &[]));
    let expected = [
        (Field::OrganizationName, DeviationKind::Normalized("Acme Inc".into())),
        (Field::Email, DeviationKind::Dropped(None)),
        (custom, DeviationKind::Dropped(None)),
    ];
    assert_eq!(found, expected.map(|(field, kind)| Deviation { field, kind }));
}

#[test]
fn what_the_answer_does_not_show_is_not_observed() {
    let declared = fields(&[(Field::WebsiteUrl, "https://example.com"), (Field::HomePhone, "555-0100")]);
    assert!(observed(&declared, &answer(&[], &[])).is_empty());
}
