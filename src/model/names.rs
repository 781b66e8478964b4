//! What the names of stages, custom fields, picklist options and lists stand for in Apollo.
//!
//! Pure: finds and encodes, and says why it cannot. Never asks anybody, and words nothing.

use std::collections::BTreeMap;

use jiff::civil;
use serde::{Deserialize, Serialize};

use super::{CustomFieldId, Field, Timestamp, Value};

/// Characters that Apollo keeps of a custom text whose limit no answer tells.
///
/// Source: `docs/api-notes.md#custom-fields`.
const USUAL_LENGTH: usize = 120;

/// What stands between the options of a field that takes several.
///
/// The page says that every value is a text and not how several options are one; this is what the CRM behind most such
/// fields uses. Source: `docs/api-notes.md#custom-fields`.
const BETWEEN_OPTIONS: &str = ";";

/// A kind of names that Apollo lists by a call of its own.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum NameKind {
    Stages,
    Fields,
    Lists,
}

impl NameKind {
    pub const ALL: [Self; 3] = [Self::Stages, Self::Fields, Self::Lists];

    pub fn name(self) -> &'static str {
        match self {
            Self::Stages => "stages",
            Self::Fields => "fields",
            Self::Lists => "lists",
        }
    }
}

/// Which kinds of names something uses.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub struct NameKinds {
    pub stages: bool,
    pub fields: bool,
}

impl NameKinds {
    pub fn any(self) -> bool {
        self.stages || self.fields
    }

    #[must_use]
    pub fn and(self, other: Self) -> Self {
        Self { stages: self.stages || other.stages, fields: self.fields || other.fields }
    }

    pub fn iter(self) -> impl Iterator<Item = NameKind> {
        [(self.stages, NameKind::Stages), (self.fields, NameKind::Fields)]
            .into_iter()
            .filter_map(|(is, kind)| is.then_some(kind))
    }
}

/// What Apollo listed by one call, and when.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Listing<T> {
    pub read_at: Timestamp,
    pub items: Vec<T>,
}

/// All names that are known.
#[derive(Debug, Default, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Names {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub stages: Option<Listing<Stage>>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub fields: Option<Listing<CustomField>>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub lists: Option<Listing<List>>,
}

/// A stage that a contact can be in.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Stage {
    pub id: String,
    pub name: String,
    /// What the web page shows where that is something else.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub display_name: Option<String>,
}

/// A list that contacts, or other records, can be on.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct List {
    pub id: String,
    pub name: String,
    /// What kind of records it holds, `contacts` for example; `None` where Apollo does not say.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub modality: Option<String>,
    /// How many records Apollo counts on it, which lags behind.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub count: Option<u64>,
}

impl List {
    /// Reports whether it may hold contacts.
    pub fn is_of_contacts(&self) -> bool {
        self.modality.as_deref().is_none_or(|modality| matches!(modality, "contacts" | "contact"))
    }
}

/// A custom field.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CustomField {
    /// The bare id, which is what writes take.
    pub id: CustomFieldId,
    pub label: String,
    /// What kind of records have it, `contact` for example; `None` where Apollo does not say.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub modality: Option<String>,
    /// The type as Apollo names it, in lower case; `None` where it does not say.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub kind: Option<String>,
    /// The options of a picklist; `None` where Apollo does not show them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub options: Option<Vec<PicklistOption>>,
    /// The characters that Apollo keeps of a text; `None` where it does not say.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub max_length: Option<usize>,
    /// Whether a CRM decides the value.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub read_only: bool,
}

/// One option of a picklist.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PicklistOption {
    pub id: String,
    pub label: String,
}

/// What ids stand for, where something that holds ids is shown.
#[derive(Debug, Default, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Glossary(BTreeMap<String, String>);

impl Glossary {
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Returns the label of a custom field.
    pub fn field(&self, id: &CustomFieldId) -> Option<&str> {
        self.0.get(id.as_str()).map(String::as_str)
    }

    /// Lists the ids in a value that stand for something, each with what.
    pub fn in_value<'a>(&'a self, value: &'a str) -> impl Iterator<Item = (&'a str, &'a str)> {
        value.split(BETWEEN_OPTIONS).filter_map(|id| self.0.get_key_value(id)).map(|(id, name)| (&**id, &**name))
    }

    /// Returns what a value stands for, each of several ids; `None` unless all are known.
    pub fn value(&self, value: &str) -> Option<String> {
        let names: Option<Vec<&str>> =
            value.split(BETWEEN_OPTIONS).map(|id| self.0.get(id).map(String::as_str)).collect();
        names.map(|names| names.join(", "))
    }
}

/// Why a name leads to no id.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Unresolved {
    /// Apollo was not asked yet.
    NotRead,
    Unknown {
        /// The names that there are, the nearest first where one is near.
        known: Vec<String>,
        has_near: bool,
        /// The kind of records that has a field of this name instead of contacts.
        of_others: Option<String>,
    },
    Ambiguous {
        ids: Vec<String>,
    },
}

/// Why a value does not fit a custom field.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Misfit {
    /// No option has this label.
    NoOption {
        option: String,
        unresolved: Unresolved,
    },
    /// Apollo does not show the options of the field.
    OptionsHidden,
    /// Several values for a field that takes one.
    OneValue,
    Number,
    Boolean,
    Date,
    DateTime,
    TooLong {
        length: usize,
        limit: usize,
        /// Whether the limit is what is usual, since Apollo does not tell it.
        is_assumed: bool,
    },
    ReadOnly,
}

/// What a field takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Takes {
    /// Text, with or without a limit that is usual.
    Text {
        is_short: bool,
    },
    Number,
    Boolean,
    Date,
    DateTime,
    Option,
    Options,
}

impl Names {
    /// Reports whether two are the same, whenever they were read; lists mean nothing to files.
    pub fn mean_the_same(&self, other: &Self) -> bool {
        fn items<T>(listing: Option<&Listing<T>>) -> Option<&Vec<T>> {
            listing.map(|listing| &listing.items)
        }
        items(self.stages.as_ref()) == items(other.stages.as_ref())
            && items(self.fields.as_ref()) == items(other.fields.as_ref())
    }

    /// Returns when names of a kind were read.
    pub fn read_at(&self, kind: NameKind) -> Option<Timestamp> {
        match kind {
            NameKind::Stages => self.stages.as_ref().map(|listing| listing.read_at),
            NameKind::Fields => self.fields.as_ref().map(|listing| listing.read_at),
            NameKind::Lists => self.lists.as_ref().map(|listing| listing.read_at),
        }
    }

    /// Takes over what `other` knows and this does not, or knows from an earlier time.
    #[must_use]
    pub fn updated_by(mut self, other: Self) -> Self {
        let is_news =
            |kind| other.read_at(kind).is_some_and(|read_at| self.read_at(kind).is_none_or(|mine| mine < read_at));
        let [stages, fields, lists] = NameKind::ALL.map(is_news);
        if stages {
            self.stages = other.stages;
        }
        if fields {
            self.fields = other.fields;
        }
        if lists {
            self.lists = other.lists;
        }
        self
    }

    /// Finds the id of a stage by its name.
    pub fn stage(&self, name: &str) -> Result<&Stage, Unresolved> {
        let stages = &self.stages.as_ref().ok_or(Unresolved::NotRead)?.items;
        let by_name: Vec<&Stage> = stages.iter().filter(|stage| stage.name == name).collect();
        let found = if by_name.is_empty() {
            stages.iter().filter(|stage| stage.display_name.as_deref() == Some(name)).collect()
        } else {
            by_name
        };
        only(found, |stage| &stage.id, || unknown(name, stages.iter().map(|stage| &*stage.name)))
    }

    /// Finds a custom field of contacts by its label.
    pub fn field(&self, label: &str) -> Result<&CustomField, Unresolved> {
        let fields = &self.fields.as_ref().ok_or(Unresolved::NotRead)?.items;
        let of_contacts = || fields.iter().filter(|field| field.is_of_contacts());
        let found = of_contacts().filter(|field| field.label == label).collect();
        only(
            found,
            |field| field.id.as_str(),
            || {
                let elsewhere = fields.iter().find(|field| field.label == label && !field.is_of_contacts());
                match unknown(label, of_contacts().map(|field| &*field.label)) {
                    Unresolved::Unknown { known, has_near, .. } => {
                        let of_others = elsewhere.and_then(|field| field.modality.clone());
                        Unresolved::Unknown { known, has_near, of_others }
                    }
                    other => other,
                }
            },
        )
    }

    /// Tells what the ids in some values stand for, as far as it is known.
    pub fn explain<'f>(&self, values: impl IntoIterator<Item = (&'f Field, &'f Value)>, glossary: &mut Glossary) {
        let Glossary(glossary) = glossary;
        for (field, value) in values {
            let Value::Text(text) = value else { continue };
            match field {
                Field::ContactStageId => {
                    let stages = self.stages.iter().flat_map(|listing| &listing.items);
                    let stage = stages.into_iter().find(|stage| stage.id == *text);
                    glossary.extend(stage.map(|stage| (text.clone(), stage.name.clone())));
                }
                Field::Custom(id) => {
                    let fields = self.fields.iter().flat_map(|listing| &listing.items);
                    let Some(field) = fields.into_iter().find(|field| field.id == *id) else { continue };
                    glossary.insert(id.as_str().to_owned(), field.label.clone());
                    let options = field.options.iter().flatten();
                    let picked = options.filter(|option| text.split(BETWEEN_OPTIONS).any(|id| id == option.id));
                    glossary.extend(picked.map(|option| (option.id.clone(), option.label.clone())));
                }
                _ => {}
            }
        }
    }
}

impl CustomField {
    /// Reports whether it may be a field of contacts.
    pub fn is_of_contacts(&self) -> bool {
        self.modality.as_deref().is_none_or(|modality| matches!(modality, "contact" | "contacts"))
    }

    /// Reports whether it takes several options.
    pub fn takes_several(&self) -> bool {
        self.takes() == Takes::Options
    }

    /// Writes values as Apollo takes them, or says why the field takes them not; none, or an empty one, clears.
    pub fn encode(&self, values: &[&str]) -> Result<String, Misfit> {
        if self.read_only {
            return Err(Misfit::ReadOnly);
        }
        let takes = self.takes();
        if takes == Takes::Options {
            let written = values.iter().filter(|value| !value.is_empty());
            let ids: Vec<&str> = written.map(|value| self.option(value)).collect::<Result<_, _>>()?;
            return Ok(ids.join(BETWEEN_OPTIONS));
        }
        let value = match values {
            [] => return Ok(String::new()),
            [value] => *value,
            _ => return Err(Misfit::OneValue),
        };
        if value.is_empty() {
            return Ok(String::new());
        }
        match takes {
            Takes::Options | Takes::Option => self.option(value).map(str::to_owned),
            Takes::Number if is_number(value) => Ok(value.to_owned()),
            Takes::Number => Err(Misfit::Number),
            Takes::Boolean => match value.to_ascii_lowercase().as_str() {
                truth @ ("true" | "false") => Ok(truth.to_owned()),
                _ => Err(Misfit::Boolean),
            },
            Takes::Date if is_date(value) => Ok(value.to_owned()),
            Takes::Date => Err(Misfit::Date),
            Takes::DateTime if is_date_time(value) => Ok(value.to_owned()),
            Takes::DateTime => Err(Misfit::DateTime),
            Takes::Text { is_short } => self.text(value, is_short).map(|()| value.to_owned()),
        }
    }

    /// Returns the values that [`CustomField::encode`] writes as `text`; `None` where none do.
    pub fn decode(&self, text: &str) -> Option<Vec<String>> {
        let label = |id: &str| {
            let option = self.options.iter().flatten().find(|option| option.id == id);
            option.map_or_else(|| id.to_owned(), |option| option.label.clone())
        };
        let parts = if self.takes_several() { text.split(BETWEEN_OPTIONS).collect() } else { vec![text] };
        let values: Vec<String> = parts.into_iter().map(label).collect();
        let written = self.encode(&values.iter().map(String::as_str).collect::<Vec<_>>());
        written.is_ok_and(|written| written == text).then_some(values)
    }

    fn takes(&self) -> Takes {
        let kind = self.kind.as_deref().unwrap_or_default().replace(['_', '-', ' '], "");
        match kind.as_str() {
            "number" | "integer" | "float" | "decimal" | "currency" | "percent" => Takes::Number,
            "boolean" | "bool" | "checkbox" => Takes::Boolean,
            "date" => Takes::Date,
            "datetime" => Takes::DateTime,
            "picklist" | "select" | "singleselect" => Takes::Option,
            "multipicklist" | "multiselect" => Takes::Options,
            "string" => Takes::Text { is_short: true },
            // Of a type that is not known, what is shown decides.
            _ if self.options.as_ref().is_some_and(|options| !options.is_empty()) => Takes::Option,
            _ => Takes::Text { is_short: false },
        }
    }

    /// Finds the id of an option by its label; the id itself stands for itself.
    fn option(&self, label: &str) -> Result<&str, Misfit> {
        let options = self.options.as_ref().filter(|options| !options.is_empty()).ok_or(Misfit::OptionsHidden)?;
        let found: Vec<&PicklistOption> = options.iter().filter(|option| option.label == label).collect();
        let by_id = || options.iter().find(|option| option.id == label);
        let found = if found.is_empty() { by_id().into_iter().collect() } else { found };
        let option = only(found, |option| &option.id, || unknown(label, options.iter().map(|option| &*option.label)));
        option.map(|option| &*option.id).map_err(|unresolved| Misfit::NoOption { option: label.to_owned(), unresolved })
    }

    fn text(&self, value: &str, is_short: bool) -> Result<(), Misfit> {
        let limit = self.max_length.or(is_short.then_some(USUAL_LENGTH));
        let length = value.chars().count();
        match limit {
            Some(limit) if length > limit => {
                Err(Misfit::TooLong { length, limit, is_assumed: self.max_length.is_none() })
            }
            _ => Ok(()),
        }
    }
}

/// Reports whether a text is a decimal number in plain digits.
fn is_number(text: &str) -> bool {
    let digits = text.strip_prefix('-').unwrap_or(text);
    let (whole, part) = digits.split_once('.').unwrap_or((digits, "0"));
    [whole, part].iter().all(|part| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit()))
}

fn is_date(text: &str) -> bool {
    text.len() == "2025-08-07".len() && text.parse::<civil::Date>().is_ok()
}

fn is_date_time(text: &str) -> bool {
    is_date(text) || text.parse::<jiff::Timestamp>().is_ok() || text.parse::<civil::DateTime>().is_ok()
}

/// Takes the only one that was found.
fn only<'n, T>(
    found: Vec<&'n T>,
    id: impl Fn(&'n T) -> &'n str,
    unknown: impl FnOnce() -> Unresolved,
) -> Result<&'n T, Unresolved> {
    match found[..] {
        [one] => Ok(one),
        [] => Err(unknown()),
        [first, ..] if found.iter().all(|other| id(other) == id(first)) => Ok(first),
        _ => Err(Unresolved::Ambiguous { ids: found.into_iter().map(|found| id(found).to_owned()).collect() }),
    }
}

/// How many names are told where none is near.
const NAMES_TOLD: usize = 12;

/// Longest name that is compared with the known ones, in bytes.
const MAX_COMPARED_BYTES: usize = 200;

fn unknown<'n>(name: &str, known: impl Iterator<Item = &'n str>) -> Unresolved {
    let plain = name.trim().to_lowercase();
    let known: Vec<&str> = known.collect();
    let distance = |other: &&&str| strsim::osa_distance(&plain, &other.trim().to_lowercase());
    let nearest = known.iter().filter(|other| plain.len().max(other.len()) <= MAX_COMPARED_BYTES).min_by_key(distance);
    let near = nearest.filter(|near| distance(near) <= 1 + plain.chars().count() / 3);
    if let Some(near) = near {
        return Unresolved::Unknown { known: vec![(*near).to_owned()], has_near: true, of_others: None };
    }
    let known = known.into_iter().take(NAMES_TOLD).map(str::to_owned).collect();
    Unresolved::Unknown { known, has_near: false, of_others: None }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn field(kind: &str) -> CustomField {
        let option = |id: &str, label: &str| PicklistOption { id: id.to_owned(), label: label.to_owned() };
        let options = [option("5c1", "Gold"), option("5c2", "Silver"), option("5c3", "Silver")];
        CustomField {
            id: CustomFieldId::parse("60c39ed82bd02f01154c470a").unwrap(),
            label: "Tier".to_owned(),
            modality: None,
            kind: Some(kind.to_owned()),
            options: kind.contains("list").then(|| options.to_vec()),
            max_length: None,
            read_only: false,
        }
    }

    #[track_caller]
    fn check(kind: &str, good: &[(&str, &str)], bad: &[&str]) {
        let field = field(kind);
        for (value, written) in good {
            assert_eq!(field.encode(&[value]).as_deref(), Ok(*written), "{kind} {value}");
        }
        for value in bad {
            assert!(field.encode(&[value]).is_err(), "{kind} {value}");
        }
        assert_eq!(field.encode(&[""]).as_deref(), Ok(""), "{kind}");
        assert_eq!(field.encode(&[]).as_deref(), Ok(""), "{kind}");
    }

    #[test]
    fn a_value_is_written_as_its_type_takes_it_or_refused() {
        check(
            "number",
            &[("7", "7"), ("-7.50", "-7.50"), ("007", "007")],
            &["1e3", "0x10", "1,000", ".5", "5.", "many"],
        );
        check("boolean", &[("true", "true"), ("False", "false")], &["yes", "1", "on"]);
        check(
            "date",
            &[("2025-08-07", "2025-08-07")],
            &["2025-02-30", "07.08.2025", "2025-8-7", "2025-08-07T10:00:00Z"],
        );
        check("datetime", &[("2025-08-07", "2025-08-07"), ("2025-08-07T10:00:00Z", "2025-08-07T10:00:00Z")], &["noon"]);
        check("picklist", &[("Gold", "5c1"), ("5c2", "5c2")], &["gold", "Bronze", "Silver"]);
        check("multipicklist", &[("Gold", "5c1")], &["Gold;Bronze", "Silver"]);
        check("string", &[(&"ü".repeat(120), &"ü".repeat(120))], &[&"ü".repeat(121)]);
        check("textarea", &[(&"x".repeat(5000), &"x".repeat(5000))], &[]);
        assert_eq!(field("multipicklist").encode(&["Gold", "5c2"]).as_deref(), Ok("5c1;5c2"));
        assert_eq!(field("date").encode(&["2025-08-07", "2025-08-08"]), Err(Misfit::OneValue));
        let limited = CustomField { max_length: Some(3), ..field("textarea") };
        assert_eq!(limited.encode(&["four"]), Err(Misfit::TooLong { length: 4, limit: 3, is_assumed: false }));
        assert_eq!(CustomField { options: None, ..field("picklist") }.encode(&["Gold"]), Err(Misfit::OptionsHidden));
        assert_eq!(CustomField { read_only: true, ..field("string") }.encode(&["x"]), Err(Misfit::ReadOnly));
    }

    #[test]
    fn a_name_that_stands_for_nothing_or_for_several_is_told() {
        let stage = |id: &str, name: &str| Stage { id: id.to_owned(), name: name.to_owned(), display_name: None };
        let stages = vec![stage("1", "Cold"), stage("2", "Warm"), stage("3", "Twice"), stage("4", "Twice")];
        let names = Names { stages: Some(Listing { read_at: Timestamp(1), items: stages }), ..Names::default() };
        assert_eq!(names.stage("Warm").map(|stage| &*stage.id), Ok("2"));
        assert_eq!(names.stage("Twice"), Err(Unresolved::Ambiguous { ids: vec!["3".to_owned(), "4".to_owned()] }));
        let near = |name| match names.stage(name) {
            Err(Unresolved::Unknown { known, has_near: true, .. }) => known[0].clone(),
            other => panic!("{other:?}"),
        };
        assert_eq!((near("cold").as_str(), near("Wram").as_str()), ("Cold", "Warm"));
        assert!(
            matches!(names.stage("Elsewhere"), Err(Unresolved::Unknown { known, has_near: false, .. }) if known.len() == 4)
        );
        assert_eq!(names.field("Tier"), Err(Unresolved::NotRead));
    }

    #[test]
    fn a_field_of_other_records_is_none_of_contacts() {
        let of = |modality: &str, id: &str| CustomField {
            modality: Some(modality.to_owned()),
            id: CustomFieldId::parse(&id.repeat(24)).unwrap(),
            ..field("string")
        };
        let known = |items| Names { fields: Some(Listing { read_at: Timestamp(1), items }), ..Names::default() };
        let both = known(vec![of("account", "a"), of("contact", "b")]);
        assert_eq!(both.field("Tier").map(|field| field.id.as_str()), Ok(&*"b".repeat(24)));
        let other = known(vec![of("account", "a")]);
        let Err(Unresolved::Unknown { of_others, .. }) = other.field("Tier") else {
            panic!("it is no field of contacts")
        };
        assert_eq!(of_others.as_deref(), Some("account"));
    }

    #[test]
    fn what_was_read_later_stands() {
        let stages = |at, name: &str| {
            let items = vec![Stage { id: "1".to_owned(), name: name.to_owned(), display_name: None }];
            Names { stages: Some(Listing { read_at: Timestamp(at), items }), ..Names::default() }
        };
        assert_eq!(stages(1, "Cold").updated_by(stages(2, "Icy")), stages(2, "Icy"));
        assert_eq!(stages(2, "Icy").updated_by(stages(1, "Cold")), stages(2, "Icy"));
        assert!(
            stages(1, "Cold").mean_the_same(&stages(9, "Cold")) && !stages(1, "Cold").mean_the_same(&stages(1, "Icy"))
        );
    }
}
