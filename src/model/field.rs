//! The fields of a contact that files can declare, and sets of their values.

use std::collections::BTreeSet;
use std::fmt;
use std::sync::Arc;

use serde::{Deserialize, Serialize, Serializer};

use super::fold_text;

/// Apollo's id of one custom field: 24 hexadecimal digits, kept as written.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct CustomFieldId(Box<str>);

impl TryFrom<String> for CustomFieldId {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        Self::parse(&text).ok_or(format!("{text:?} is no custom field id"))
    }
}

impl From<CustomFieldId> for String {
    fn from(id: CustomFieldId) -> Self {
        id.0.into()
    }
}

impl CustomFieldId {
    /// Accepts the bare hexadecimal form only.
    ///
    /// Apollo's `/fields` call shows ids as `contact.HEX`; writing those is accepted and ignored.
    pub fn parse(text: &str) -> Option<Self> {
        super::ids::is_hex24(text).then(|| Self(text.into()))
    }

    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// One thing about a contact that a file can declare; named as the API names it.
///
/// The order of the variants is the order in plans.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Deserialize)]
#[serde(try_from = "String")]
pub enum Field {
    FirstName,
    LastName,
    OrganizationName,
    Title,
    AccountId,
    Email,
    WebsiteUrl,
    LabelNames,
    ContactStageId,
    PresentRawAddress,
    DirectPhone,
    CorporatePhone,
    MobilePhone,
    HomePhone,
    OtherPhone,
    Custom(CustomFieldId),
}

/// The fields that hold one text and have a name of their own, in the order of the API page.
pub const TEXT_FIELDS: [Field; 14] = [
    Field::FirstName,
    Field::LastName,
    Field::OrganizationName,
    Field::Title,
    Field::AccountId,
    Field::Email,
    Field::WebsiteUrl,
    Field::ContactStageId,
    Field::PresentRawAddress,
    Field::DirectPhone,
    Field::CorporatePhone,
    Field::MobilePhone,
    Field::HomePhone,
    Field::OtherPhone,
];

const CUSTOM_PREFIX: &str = "typed_custom_fields.";

impl Field {
    /// Returns the API's name; custom fields share `typed_custom_fields`.
    pub fn api_name(&self) -> &'static str {
        match self {
            Self::FirstName => "first_name",
            Self::LastName => "last_name",
            Self::OrganizationName => "organization_name",
            Self::Title => "title",
            Self::AccountId => "account_id",
            Self::Email => "email",
            Self::WebsiteUrl => "website_url",
            Self::LabelNames => "label_names",
            Self::ContactStageId => "contact_stage_id",
            Self::PresentRawAddress => "present_raw_address",
            Self::DirectPhone => "direct_phone",
            Self::CorporatePhone => "corporate_phone",
            Self::MobilePhone => "mobile_phone",
            Self::HomePhone => "home_phone",
            Self::OtherPhone => "other_phone",
            Self::Custom(_) => "typed_custom_fields",
        }
    }

    /// Reads a field that holds one text by its API name.
    pub fn text_field(name: &str) -> Option<Self> {
        // One comparison and not one with each name: files are full of these.
        Some(match name {
            "first_name" => Self::FirstName,
            "last_name" => Self::LastName,
            "organization_name" => Self::OrganizationName,
            "title" => Self::Title,
            "account_id" => Self::AccountId,
            "email" => Self::Email,
            "website_url" => Self::WebsiteUrl,
            "contact_stage_id" => Self::ContactStageId,
            "present_raw_address" => Self::PresentRawAddress,
            "direct_phone" => Self::DirectPhone,
            "corporate_phone" => Self::CorporatePhone,
            "mobile_phone" => Self::MobilePhone,
            "home_phone" => Self::HomePhone,
            "other_phone" => Self::OtherPhone,
            _ => return None,
        })
    }

    pub fn is_phone(&self) -> bool {
        matches!(
            self,
            Self::DirectPhone | Self::CorporatePhone | Self::MobilePhone | Self::HomePhone | Self::OtherPhone
        )
    }
}

impl fmt::Display for Field {
    /// Writes the name that plans show: `title`, or `typed_custom_fields.HEX`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Custom(id) => write!(f, "{CUSTOM_PREFIX}{}", id.as_str()),
            named => f.write_str(named.api_name()),
        }
    }
}

impl Serialize for Field {
    /// Writes the name that plans show.
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Custom(_) => serializer.collect_str(self),
            named => serializer.serialize_str(named.api_name()),
        }
    }
}

impl TryFrom<String> for Field {
    type Error = String;

    fn try_from(name: String) -> Result<Self, String> {
        if let Some(id) = name.strip_prefix(CUSTOM_PREFIX) {
            let known = CustomFieldId::parse(id).map(Self::Custom);
            return known.ok_or_else(|| format!("{id:?} is no custom field id"));
        }
        if name == Self::LabelNames.api_name() {
            return Ok(Self::LabelNames);
        }
        Self::text_field(&name).ok_or_else(|| format!("{name:?} is no field of a contact"))
    }
}

/// What a field holds: the lists of [`Field::LabelNames`], the text of any other.
///
/// `Text("")` and an empty set are declared empty, which clears.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize)]
#[serde(untagged)]
pub enum Value {
    Text(String),
    Lists(BTreeSet<String>),
}

impl Value {
    pub fn is_empty(&self) -> bool {
        match self {
            Self::Text(text) => text.is_empty(),
            Self::Lists(lists) => lists.is_empty(),
        }
    }
}

impl From<&str> for Value {
    fn from(text: &str) -> Self {
        Self::Text(text.to_owned())
    }
}

/// What a contact is known by: texts by their fields.
pub trait Texts {
    /// Returns the text of `field`; `None` for lists and undeclared fields.
    fn text(&self, field: &Field) -> Option<&str>;

    /// Returns the text of a field, folded; empty where there is none.
    fn folded(&self, field: &Field) -> String {
        self.text(field).map(fold_text).unwrap_or_default()
    }

    /// Reports whether a field holds more than blanks.
    fn says(&self, field: &Field) -> bool {
        self.text(field).is_some_and(|text| !text.trim().is_empty())
    }
}

/// Fields with their values, each at most once, sorted by field.
///
/// Clones share their values until one is changed: an entry is in what is desired, in the plan and in what is
/// recorded at the same time.
#[derive(Clone, Default, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(from = "Vec<(Field, Value)>")]
pub struct Fields(Arc<Vec<(Field, Value)>>);

impl Fields {
    pub fn get(&self, field: &Field) -> Option<&Value> {
        self.position(field).ok().map(|at| &self.0[at].1)
    }

    /// Returns the text of `field`; `None` for lists and undeclared fields.
    pub fn text(&self, field: &Field) -> Option<&str> {
        match self.get(field)? {
            Value::Text(text) => Some(text),
            Value::Lists(_) => None,
        }
    }

    /// Returns the text of a field, folded; empty where there is none.
    pub fn folded(&self, field: &Field) -> String {
        Texts::folded(self, field)
    }

    /// Returns the declared lists, none when undeclared.
    pub fn lists(&self) -> impl Iterator<Item = &str> {
        match self.get(&Field::LabelNames) {
            Some(Value::Lists(lists)) => Some(lists),
            _ => None,
        }
        .into_iter()
        .flatten()
        .map(String::as_str)
    }

    pub fn contains(&self, field: &Field) -> bool {
        self.position(field).is_ok()
    }

    /// Sets `field`, replacing an earlier value.
    pub fn set(&mut self, field: Field, value: impl Into<Value>) {
        let value = value.into();
        let position = self.position(&field);
        let fields = Arc::make_mut(&mut self.0);
        match position {
            Ok(at) => fields[at].1 = value,
            Err(at) => fields.insert(at, (field, value)),
        }
    }

    pub fn remove(&mut self, field: &Field) -> Option<Value> {
        self.position(field).ok().map(|at| Arc::make_mut(&mut self.0).remove(at).1)
    }

    pub fn iter(&self) -> impl Iterator<Item = (&Field, &Value)> {
        self.0.iter().map(|(field, value)| (field, value))
    }

    pub fn len(&self) -> usize {
        self.0.len()
    }

    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    fn position(&self, field: &Field) -> Result<usize, usize> {
        self.0.binary_search_by(|(present, _)| present.cmp(field))
    }
}

impl Texts for Fields {
    fn text(&self, field: &Field) -> Option<&str> {
        Self::text(self, field)
    }
}

impl FromIterator<(Field, Value)> for Fields {
    /// Takes the last value of a field that comes more than once.
    fn from_iter<T: IntoIterator<Item = (Field, Value)>>(pairs: T) -> Self {
        let mut pairs: Vec<_> = pairs.into_iter().collect();
        pairs.sort_by(|(one, _), (other, _)| one.cmp(other));
        pairs.dedup_by(|later, kept| {
            let is_same = later.0 == kept.0;
            if is_same {
                std::mem::swap(later, kept);
            }
            is_same
        });
        pairs.shrink_to_fit();
        Self(Arc::new(pairs))
    }
}

impl From<Vec<(Field, Value)>> for Fields {
    fn from(pairs: Vec<(Field, Value)>) -> Self {
        pairs.into_iter().collect()
    }
}

impl IntoIterator for Fields {
    type Item = (Field, Value);
    type IntoIter = std::vec::IntoIter<(Field, Value)>;

    fn into_iter(self) -> Self::IntoIter {
        Arc::unwrap_or_clone(self.0).into_iter()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_field_is_found_again_by_the_name_it_shows() {
        let custom = Field::Custom(CustomFieldId::parse("60c39ed82bd02f01154c470a").unwrap());
        for field in TEXT_FIELDS.into_iter().chain([Field::LabelNames, custom]) {
            assert_eq!(Field::try_from(field.to_string()), Ok(field));
        }
    }

    #[test]
    fn a_clone_that_is_changed_leaves_the_other_as_it_was() {
        let fields: Fields = [(Field::Title, "a".into()), (Field::Email, "e".into())].into_iter().collect();
        let mut changed = fields.clone();
        changed.set(Field::Title, "b");
        assert_eq!(changed.remove(&Field::Email), Some("e".into()));
        assert_eq!((fields.text(&Field::Title), fields.len()), (Some("a"), 2));
        assert_eq!((changed.text(&Field::Title), changed.len()), (Some("b"), 1));
    }

    #[test]
    fn the_last_of_two_equal_fields_stands() {
        let fields: Fields =
            [(Field::Title, "a".into()), (Field::Email, "e".into()), (Field::Title, "b".into())].into_iter().collect();
        assert_eq!(fields.text(&Field::Title), Some("b"));
        assert_eq!(fields.len(), 2);
    }
}
