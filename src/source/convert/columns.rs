//! What each column of one table is, by its layout and by what a person says. Never looks at a row.

use std::collections::BTreeMap;

use super::layouts::{Layout, Says, Use, is_opt_out, plain};
use super::map::Map;
use crate::model::Field;

/// The columns of a table by what they are, each by its number; those of one kind in the order in which they count.
#[derive(Debug, Default)]
pub(super) struct Columns {
    pub(super) texts: Vec<(Field, Vec<usize>)>,
    /// Fields that are left out for contacts that Apollo has.
    pub(super) of_new: Vec<Field>,
    pub(super) names: Vec<usize>,
    pub(super) apollo_ids: Vec<usize>,
    pub(super) stages: Vec<usize>,
    pub(super) lists: Vec<(usize, &'static [char])>,
    pub(super) custom: Vec<(String, usize)>,
    pub(super) addresses: BTreeMap<u8, Vec<usize>>,
    /// Phone numbers with the columns of their kinds.
    pub(super) phones: Vec<(usize, Option<usize>)>,
    pub(super) opt_outs: Vec<(usize, Says)>,
    pub(super) deleted: Vec<(usize, Says)>,
    pub(super) email_status: Vec<usize>,
    pub(super) bounced: Vec<usize>,
    pub(super) company_ids: Vec<usize>,
    pub(super) no_place: Vec<usize>,
    /// The names of columns that nobody knows.
    pub(super) unknown: Vec<String>,
}

impl Columns {
    /// Says what the columns of a header are; a column that is mapped takes the place of what the layout has for its field.
    pub(super) fn of(header: &[String], layout: Option<&Layout>, maps: &[Map]) -> Self {
        let names: Vec<String> = header.iter().map(|name| plain(name)).collect();
        let mapped: Vec<Option<&Map>> =
            names.iter().map(|name| maps.iter().rev().find(|map| plain(&map.column) == *name)).collect();
        let taken: Vec<Kind> = mapped.iter().flatten().filter_map(|map| map.of.as_ref()).filter_map(Kind::of).collect();
        let mut columns = Self::default();
        let mut found: Vec<((usize, usize), Use)> = Vec::new();
        for (number, name) in names.iter().enumerate() {
            if let Some(map) = mapped[number] {
                found.extend(map.of.clone().map(|of| ((0, number), of)));
                continue;
            }
            match layout.and_then(|layout| layout.column(name)) {
                // Its place is given to another column.
                Some((_, of)) if Kind::of(&of).is_some_and(|kind| taken.contains(&kind)) => {}
                Some((place, of)) => found.push(((place, number), of)),
                None if name.is_empty() || name.starts_with(OURS) => {}
                None if is_opt_out(name) => found.push(((usize::MAX, number), Use::OptOut(Says::Yes))),
                None => columns.unknown.push(header[number].trim().to_owned()),
            }
        }
        found.sort_by_key(|(place, _)| *place);
        for ((_, number), of) in found {
            columns.add(number, of, &names);
        }
        columns
    }

    fn add(&mut self, number: usize, of: Use, names: &[String]) {
        match of {
            Use::Text(field) => self.add_text(field, number),
            Use::OfNew(field) => {
                self.of_new.push(field.clone());
                self.add_text(field, number);
            }
            Use::Name => self.names.push(number),
            Use::ApolloId => self.apollo_ids.push(number),
            Use::Stage => self.stages.push(number),
            Use::Lists(between) => self.lists.push((number, between)),
            Use::Custom(label) => self.custom.push((label, number)),
            Use::Address(group) => self.addresses.entry(group).or_default().push(number),
            Use::Phone => self.phones.push((number, kind_column(&names[number], names))),
            Use::OptOut(says) => self.opt_outs.push((number, says)),
            Use::Deleted(says) => self.deleted.push((number, says)),
            Use::EmailStatus => self.email_status.push(number),
            Use::Bounced => self.bounced.push(number),
            Use::CompanyId => self.company_ids.push(number),
            Use::NoPlace => self.no_place.push(number),
            Use::Nothing => {}
        }
    }

    fn add_text(&mut self, field: Field, number: usize) {
        match self.texts.iter_mut().find(|(known, _)| *known == field) {
            Some((_, numbers)) => numbers.push(number),
            None => self.texts.push((field, vec![number])),
        }
    }
}

/// How the columns begin that contactsd adds to rows that it gives back.
pub(super) const OURS: &str = "contactsd ";

/// What two columns cannot both be where a person chose one of them.
#[derive(PartialEq, Eq)]
enum Kind {
    Field(Field),
    Name,
    ApolloId,
}

impl Kind {
    fn of(of: &Use) -> Option<Self> {
        match of {
            Use::Text(field) | Use::OfNew(field) => Some(Self::Field(field.clone())),
            Use::Address(_) => Some(Self::Field(Field::PresentRawAddress)),
            Use::Lists(_) => Some(Self::Field(Field::LabelNames)),
            Use::Stage => Some(Self::Field(Field::ContactStageId)),
            Use::Name => Some(Self::Name),
            Use::ApolloId => Some(Self::ApolloId),
            Use::Phone
            | Use::Custom(_)
            | Use::OptOut(_)
            | Use::Deleted(_)
            | Use::EmailStatus
            | Use::Bounced
            | Use::CompanyId
            | Use::NoPlace
            | Use::Nothing => None,
        }
    }
}

/// Finds the column that says of which kind the values of another one are.
fn kind_column(value: &str, names: &[String]) -> Option<usize> {
    let stem = value.strip_suffix("value")?;
    names.iter().position(|name| name.strip_prefix(stem).is_some_and(|kind| ["label", "type"].contains(&kind)))
}
