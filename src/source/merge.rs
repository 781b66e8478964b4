//! From maps of fields as written to entries: how defaults, merge keys and nulls combine.
//!
//! What a file means is decided here alone.

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};

use crate::model::{
    ApolloId, ContactKey, CustomFieldId, Declares, Entry, Field, Fields, Place, TEXT_FIELDS, Texts, Value,
};

/// The name of a merge key, whose maps fill in what the map around it leaves out.
pub(super) const MERGE_KEY: &str = "<<";

/// What a document can hold, by name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Section {
    Contacts,
    Defaults,
}

impl Section {
    pub(super) fn named(name: &str) -> Option<Self> {
        match name {
            "contacts" => Some(Self::Contacts),
            "defaults" => Some(Self::Defaults),
            _ => None,
        }
    }
}

/// What a map of fields can hold, by name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Slot {
    Text(Field),
    Lists,
    Custom,
    /// The stage by its name.
    Stage,
    /// Custom fields by their labels.
    Labelled,
    RunDedupe,
    ApolloId,
    MovedFrom,
    Ignore,
}

/// What there is beside [`TEXT_FIELDS`].
const OTHERS: [Slot; 8] = [
    Slot::Lists,
    Slot::Custom,
    Slot::Stage,
    Slot::Labelled,
    Slot::RunDedupe,
    Slot::ApolloId,
    Slot::MovedFrom,
    Slot::Ignore,
];

impl Slot {
    pub(super) fn named(name: &str) -> Option<Self> {
        let other = || OTHERS.into_iter().find(|slot| slot.name() == name);
        Field::text_field(name).map(Self::Text).or_else(other)
    }

    /// Returns the name that it is written with.
    pub(super) fn name(&self) -> &'static str {
        match self {
            Self::Text(field) => field.api_name(),
            Self::Lists => "label_names",
            Self::Custom => "typed_custom_fields",
            Self::Stage => "contact_stage",
            Self::Labelled => "custom_fields",
            Self::RunDedupe => "run_dedupe",
            Self::ApolloId => "apollo_id",
            Self::MovedFrom => "moved_from",
            Self::Ignore => "ignore",
        }
    }

    /// Returns every name that a contact's map can hold.
    pub(super) fn names() -> impl Iterator<Item = &'static str> {
        TEXT_FIELDS.into_iter().map(|field| field.api_name()).chain(OTHERS.iter().map(Self::name))
    }

    /// Reports whether the slot makes sense for one contact only.
    pub(super) fn belongs_to_one_contact(&self) -> bool {
        matches!(self, Self::ApolloId | Self::MovedFrom)
    }
}

/// A value that may be left out, or cancelled by null.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub(super) enum Declared<T> {
    #[default]
    Absent,
    Null,
    Is(T),
}

impl<T> Declared<T> {
    pub(super) fn is_absent(&self) -> bool {
        matches!(self, Self::Absent)
    }

    pub(super) fn value(self) -> Option<T> {
        match self {
            Self::Absent | Self::Null => None,
            Self::Is(value) => Some(value),
        }
    }

    fn as_ref(&self) -> Option<&T> {
        match self {
            Self::Absent | Self::Null => None,
            Self::Is(value) => Some(value),
        }
    }
}

impl<T: Clone> Declared<T> {
    fn or(self, base: &Self) -> Option<T> {
        if self.is_absent() { base.clone().value() } else { self.value() }
    }
}

/// What `ignore` can name.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Ignored {
    Field(Field),
    /// Every custom field.
    Custom,
}

impl Ignored {
    /// Reads a name as plans show it, or as the field is declared.
    pub(super) fn named(name: &str) -> Option<Self> {
        match name {
            "typed_custom_fields" | "custom_fields" => Some(Self::Custom),
            "contact_stage" => Some(Self::Field(Field::ContactStageId)),
            name => Field::try_from(name.to_owned()).ok().map(Self::Field),
        }
    }
}

pub(super) type CustomValues<'s> = BTreeMap<CustomFieldId, Declared<Cow<'s, str>>>;

/// One map of fields: what stands under a key, or in `defaults`. Its texts are pieces of the file where that is possible.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub(super) struct Draft<'s> {
    /// Each field at most once, in the order written.
    pub(super) texts: Vec<(Field, Declared<Cow<'s, str>>)>,
    pub(super) lists: Declared<BTreeSet<String>>,
    pub(super) custom: Declared<CustomValues<'s>>,
    /// Those that are declared by label.
    pub(super) labelled: Declared<CustomValues<'s>>,
    pub(super) run_dedupe: Declared<bool>,
    pub(super) apollo_id: Declared<ApolloId>,
    pub(super) moved_from: Declared<ContactKey>,
    pub(super) ignored: Declared<BTreeSet<Ignored>>,
}

impl Draft<'_> {
    /// Reports whether `slot` was written, null included.
    pub(super) fn holds(&self, slot: &Slot) -> bool {
        match slot {
            Slot::Text(field) => self.holds_text(field),
            Slot::Lists => !self.lists.is_absent(),
            Slot::Custom => !self.custom.is_absent(),
            Slot::Stage => self.holds_text(&Field::ContactStageId),
            Slot::Labelled => !self.labelled.is_absent(),
            Slot::RunDedupe => !self.run_dedupe.is_absent(),
            Slot::ApolloId => !self.apollo_id.is_absent(),
            Slot::MovedFrom => !self.moved_from.is_absent(),
            Slot::Ignore => !self.ignored.is_absent(),
        }
    }

    fn holds_text(&self, field: &Field) -> bool {
        self.text(field).is_some()
    }

    /// Returns what was written for a field of text.
    fn text(&self, field: &Field) -> Option<&Declared<Cow<'_, str>>> {
        self.texts.iter().find(|(held, _)| held == field).map(|(_, value)| value)
    }
}

/// A contact with the defaults of its document: an entry that owns nothing of what the file says yet.
///
/// Whoever only compares needs no entry.
pub(super) struct Whole<'s> {
    pub(super) place: Place,
    pub(super) own: Draft<'s>,
    pub(super) defaults: &'s Draft<'s>,
}

/// Those of texts alone, as nobody is told by others.
impl Texts for Whole<'_> {
    fn text(&self, field: &Field) -> Option<&str> {
        let declared = self.own.text(field).or_else(|| self.defaults.text(field))?;
        declared.as_ref().map(AsRef::as_ref)
    }
}

impl Declares for Whole<'_> {
    fn key(&self) -> &ContactKey {
        &self.place.key
    }

    fn apollo_id(&self) -> Option<&ApolloId> {
        self.own.apollo_id.as_ref()
    }

    fn moved_from(&self) -> Option<&ContactKey> {
        self.own.moved_from.as_ref()
    }

    fn run_dedupe(&self) -> bool {
        let Draft { run_dedupe, .. } = if self.own.run_dedupe.is_absent() { self.defaults } else { &self.own };
        run_dedupe.as_ref().copied().unwrap_or(true)
    }
}

impl Whole<'_> {
    /// Makes an entry of it, with memory of its own.
    pub(super) fn into_entry(self) -> Entry {
        let Self { place, own, defaults } = self;
        let Draft { mut texts, lists, custom, labelled, run_dedupe, apollo_id, moved_from, ignored } = own;
        let written = texts.len();
        for (field, value) in &defaults.texts {
            if !texts[..written].iter().any(|(held, _)| held == field) {
                texts.push((field.clone(), value.clone()));
            }
        }
        let lists = lists.or(&defaults.lists);
        let mut custom_fields = defaults_of(&custom, &defaults.custom);
        custom_fields.append(&mut defaults_of(&labelled, &defaults.labelled));
        for mut own in [labelled, custom].into_iter().filter_map(Declared::value) {
            custom_fields.append(&mut own);
        }
        let mut fields = Vec::with_capacity(texts.len() + usize::from(lists.is_some()) + custom_fields.len());
        fields.extend(
            texts.into_iter().filter_map(|(field, value)| Some((field, Value::Text(value.value()?.into_owned())))),
        );
        fields.extend(lists.map(|lists| (Field::LabelNames, Value::Lists(lists))));
        let custom_fields = custom_fields.into_iter();
        fields.extend(
            custom_fields.filter_map(|(id, value)| Some((Field::Custom(id), Value::Text(value.value()?.into_owned())))),
        );
        let fields: Fields = fields.into();
        let ignored = ignored.or(&defaults.ignored).unwrap_or_default();
        let is_ignored = |field: &Field| match field {
            Field::Custom(_) if ignored.contains(&Ignored::Custom) => true,
            field => ignored.contains(&Ignored::Field(field.clone())),
        };
        let ignored = fields.iter().map(|(field, _)| field).filter(|field| is_ignored(field)).cloned().collect();
        Entry {
            place,
            fields,
            run_dedupe: run_dedupe.or(&defaults.run_dedupe).unwrap_or(true),
            apollo_id: apollo_id.value(),
            moved_from: moved_from.value(),
            ignored,
        }
    }
}

/// Returns what defaults add to custom fields; a null map cancels all that are written in the same way.
fn defaults_of<'s>(custom: &Declared<CustomValues<'s>>, defaults: &Declared<CustomValues<'s>>) -> CustomValues<'s> {
    match (custom, defaults) {
        (Declared::Null, _) | (_, Declared::Absent | Declared::Null) => CustomValues::new(),
        (_, Declared::Is(defaults)) => defaults.clone(),
    }
}
