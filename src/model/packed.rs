//! Entries at rest: each a few hundred bytes, in one piece of memory with others of its file.
//!
//! An entry as it is worked with is a score of texts, each a piece of memory of its own. Those that only wait for their
//! turn are kept like this, and looked at where they lie.

use std::collections::BTreeSet;
use std::fmt;
use std::path::Path;
use std::sync::Arc;

use serde::ser::{SerializeSeq, SerializeStruct};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::entry::{dedupe_can_match, is_matched_by_email};
use super::{ApolloId, ContactKey, CustomFieldId, Entry, Field, Fingerprint, Place, TEXT_FIELDS, Texts, Value};

/// So many bytes of entries are one piece of memory, about; it is free when the last of them is.
const PIECE: usize = 64 << 10;

/// One entry at rest. Cloning is cheap.
#[derive(Clone)]
pub struct PackedEntry {
    pack: Arc<Pack>,
    /// Where it begins.
    at: u32,
    /// Whether it is taken to stand in no file.
    is_placeless: bool,
}

/// Entries of one file.
struct Pack {
    path: Arc<Path>,
    /// Numbers and lengths in ASCII among the texts, so that all of it is one text. A text that is there already, as the
    /// company of the entry before may be, is only pointed to.
    text: Box<str>,
}

/// Packs the entries of one file, one after the other.
#[derive(Default)]
pub struct Packer {
    entries: Vec<PackedEntry>,
    path: Option<Arc<Path>>,
    open: Writer,
    starts: Vec<u32>,
}

impl Packer {
    /// Adds an entry, and returns how many bytes it takes.
    pub fn add(&mut self, entry: &Entry) -> usize {
        if self.open.text.len() >= PIECE || self.path.as_ref().is_some_and(|path| *path != entry.place.path) {
            self.seal();
        }
        self.path.get_or_insert_with(|| Arc::clone(&entry.place.path));
        let start = self.open.text.len();
        self.starts.push(u32::try_from(start).expect("a piece begins below its size"));
        self.open.entry(entry);
        self.open.text.len() - start + size_of::<PackedEntry>()
    }

    /// Returns the entries in the order in which they were added.
    pub fn finish(mut self) -> Vec<PackedEntry> {
        self.seal();
        self.entries.shrink_to_fit();
        self.entries
    }

    fn seal(&mut self) {
        let Some(path) = self.path.take() else { return };
        let pack = Arc::new(Pack { path, text: self.open.take() });
        let entry = |at| PackedEntry { pack: Arc::clone(&pack), at, is_placeless: false };
        self.entries.extend(self.starts.drain(..).map(entry));
    }
}

impl From<&Entry> for PackedEntry {
    fn from(entry: &Entry) -> Self {
        let mut writer = Writer::default();
        writer.entry(entry);
        let pack = Pack { path: Arc::clone(&entry.place.path), text: writer.take() };
        Self { pack: Arc::new(pack), at: 0, is_placeless: false }
    }
}

impl From<Entry> for PackedEntry {
    fn from(entry: Entry) -> Self {
        Self::from(&entry)
    }
}

impl PackedEntry {
    /// Returns the entry as it was before it was packed.
    pub fn unpack(&self) -> Entry {
        self.unpack_at(Place { path: self.path(), key: valid_key(self.parts().key) })
    }

    /// The same, of an entry whose place is at hand: what is kept of it takes no memory of its own then.
    pub fn unpack_at(&self, place: Place) -> Entry {
        let Parts { run_dedupe, apollo_id, moved_from, ignored, fields, .. } = self.parts();
        let fields = fields.map(|(field, value)| (field.owned(), value.owned()));
        Entry {
            place,
            fields: fields.collect::<Vec<_>>().into(),
            run_dedupe,
            apollo_id: apollo_id.map(valid_id),
            moved_from: moved_from.map(valid_key),
            ignored: ignored.map(FieldRef::owned).collect(),
        }
    }

    /// Returns the contact that this entry is, decided by the user.
    pub fn apollo_id(&self) -> Option<ApolloId> {
        self.parts().apollo_id.map(valid_id)
    }

    /// Returns the key this entry had before.
    pub fn moved_from(&self) -> Option<ContactKey> {
        self.parts().moved_from.map(valid_key)
    }

    /// Returns the declared lists, none when undeclared.
    pub fn lists(&self) -> Lists<'_> {
        let mut fields = self.parts().fields;
        let lists = fields.find_map(|(field, value)| match value {
            ValueRef::Lists(lists) if field.is(&Field::LabelNames) => Some(lists),
            _ => None,
        });
        lists.unwrap_or_default()
    }

    /// Reports whether Apollo may match this entry to a contact it has.
    pub fn run_dedupe(&self) -> bool {
        self.parts().run_dedupe
    }

    /// As [`Entry::is_matched_by_email`].
    pub fn is_matched_by_email(&self) -> bool {
        is_matched_by_email(self.run_dedupe(), self)
    }

    /// As [`Entry::dedupe_can_match`].
    pub fn dedupe_can_match(&self) -> bool {
        dedupe_can_match(self.run_dedupe(), self)
    }

    /// As [`Entry::fingerprint`].
    pub fn fingerprint(&self) -> Fingerprint {
        self.unpack().fingerprint()
    }

    /// Returns the entry as if it stood in no file.
    #[must_use]
    pub fn without_path(&self) -> Self {
        Self { is_placeless: true, ..self.clone() }
    }

    /// Returns the file that it stands in.
    pub fn path(&self) -> Arc<Path> {
        if self.is_placeless { Path::new("").into() } else { Arc::clone(&self.pack.path) }
    }

    fn parts(&self) -> Parts<'_> {
        let mut rest = Reader { all: &self.pack.text, at: self.at as usize };
        let key = rest.text();
        let run_dedupe = rest.number() == 1;
        let apollo_id = rest.list().next();
        let moved_from = rest.list().next();
        let ignored = rest.fields();
        Parts { key, run_dedupe, apollo_id, moved_from, ignored, fields: rest.values() }
    }
}

impl Texts for PackedEntry {
    fn text(&self, field: &Field) -> Option<&str> {
        let mut fields = self.parts().fields;
        fields.find_map(|(of, value)| match value {
            ValueRef::Text(text) if of.is(field) => Some(text),
            _ => None,
        })
    }
}

impl PartialEq for PackedEntry {
    fn eq(&self, other: &Self) -> bool {
        self.unpack() == other.unpack()
    }
}

impl Eq for PackedEntry {}

impl fmt::Debug for PackedEntry {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.unpack().fmt(f)
    }
}

impl Serialize for PackedEntry {
    /// Writes what [`Entry`] is written as.
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let Parts { key, run_dedupe, apollo_id, moved_from, ignored, fields } = self.parts();
        let mut entry = serializer.serialize_struct("Entry", 6)?;
        entry.serialize_field("place", &Place { path: self.path(), key: valid_key(key) })?;
        entry.serialize_field("fields", &fields)?;
        entry.serialize_field("run_dedupe", &run_dedupe)?;
        entry.serialize_field("apollo_id", &apollo_id)?;
        entry.serialize_field("moved_from", &moved_from)?;
        let ignored: BTreeSet<Field> = ignored.map(FieldRef::owned).collect();
        if ignored.is_empty() {
            entry.skip_field("ignored")?;
        } else {
            entry.serialize_field("ignored", &ignored)?;
        }
        entry.end()
    }
}

impl<'de> Deserialize<'de> for PackedEntry {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Entry::deserialize(deserializer).map(Into::into)
    }
}

fn valid_key(text: &str) -> ContactKey {
    ContactKey::parse(text).expect("it was a key when it was packed")
}

fn valid_id(text: &str) -> ApolloId {
    ApolloId::recorded(text).expect("it was an id when it was packed")
}

/// What there is of an entry, where it lies.
struct Parts<'a> {
    key: &'a str,
    run_dedupe: bool,
    apollo_id: Option<&'a str>,
    moved_from: Option<&'a str>,
    ignored: FieldNames<'a>,
    fields: Values<'a>,
}

/// A field where it lies.
#[derive(Clone, Copy)]
enum FieldRef<'a> {
    Named(&'static Field),
    Custom(&'a str),
}

static LISTS: Field = Field::LabelNames;
static TEXTS: [Field; 14] = TEXT_FIELDS;

/// The numbers of what is not in [`TEXT_FIELDS`].
const NUMBER_OF_LISTS: usize = TEXT_FIELDS.len();
const NUMBER_OF_CUSTOM: usize = NUMBER_OF_LISTS + 1;

impl FieldRef<'_> {
    fn is(self, field: &Field) -> bool {
        match (self, field) {
            (Self::Named(one), other) => one == other,
            (Self::Custom(one), Field::Custom(other)) => one == other.as_str(),
            (Self::Custom(_), _) => false,
        }
    }

    fn owned(self) -> Field {
        match self {
            Self::Named(field) => field.clone(),
            Self::Custom(id) => Field::Custom(CustomFieldId::parse(id).expect("it was an id when it was packed")),
        }
    }
}

/// A value where it lies.
#[derive(Clone)]
enum ValueRef<'a> {
    Text(&'a str),
    Lists(Lists<'a>),
}

impl ValueRef<'_> {
    fn owned(self) -> Value {
        match self {
            Self::Text(text) => Value::Text(text.to_owned()),
            Self::Lists(lists) => Value::Lists(lists.map(str::to_owned).collect()),
        }
    }
}

/// Some texts, one after the other.
#[derive(Debug, Default, Clone)]
pub struct Lists<'a> {
    left: usize,
    rest: Reader<'a>,
}

impl<'a> Iterator for Lists<'a> {
    type Item = &'a str;

    fn next(&mut self) -> Option<&'a str> {
        self.left = self.left.checked_sub(1)?;
        Some(self.rest.text())
    }
}

#[derive(Clone)]
struct FieldNames<'a> {
    left: usize,
    rest: Reader<'a>,
}

impl<'a> Iterator for FieldNames<'a> {
    type Item = FieldRef<'a>;

    fn next(&mut self) -> Option<FieldRef<'a>> {
        self.left = self.left.checked_sub(1)?;
        Some(self.rest.field())
    }
}

#[derive(Clone)]
struct Values<'a> {
    left: usize,
    rest: Reader<'a>,
}

impl<'a> Iterator for Values<'a> {
    type Item = (FieldRef<'a>, ValueRef<'a>);

    fn next(&mut self) -> Option<Self::Item> {
        self.left = self.left.checked_sub(1)?;
        let field = self.rest.field();
        Some((
            field,
            if self.rest.number() == 0 { ValueRef::Text(self.rest.text()) } else { ValueRef::Lists(self.rest.list()) },
        ))
    }
}

impl Serialize for Values<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut pairs = serializer.serialize_seq(Some(self.left))?;
        for (field, value) in self.clone() {
            pairs.serialize_element(&(field, value))?;
        }
        pairs.end()
    }
}

impl Serialize for FieldRef<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Named(field) => field.serialize(serializer),
            custom @ Self::Custom(_) => custom.owned().serialize(serializer),
        }
    }
}

impl Serialize for ValueRef<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Text(text) => serializer.serialize_str(text),
            Self::Lists(lists) => serializer.collect_seq(lists.clone()),
        }
    }
}

/// Puts entries together as one text.
#[derive(Default)]
struct Writer {
    text: String,
    /// Where a text was written last, by its number; where there is none yet, the very first text.
    places: Vec<u32>,
}

/// So many places of texts are remembered. Texts that repeat do so in entries that follow one another.
const PLACES: usize = 1024;

/// Returns under which number the place of a text, longer than [`SHORT`], is remembered: few differ in neither end nor
/// length, and those take the place of one another.
fn number_of_place(text: &str) -> usize {
    let end = |end: Option<&[u8; SHORT]>| u64::from(u32::from_le_bytes(*end.expect("it is longer")));
    let ends = end(text.as_bytes().first_chunk()) << 32 | end(text.as_bytes().last_chunk());
    let mixed = (ends ^ (text.len() as u64) << 16).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    usize::try_from(mixed >> (u64::BITS - PLACES.ilog2())).expect("below the number of places")
}

/// So many bits of a number are in one character; the next bit says that more follow.
const BITS: u32 = 6;

/// Texts as short as this are not pointed to, which takes as much.
const SHORT: usize = 4;

impl Writer {
    fn entry(&mut self, entry: &Entry) {
        let Entry { place, fields, run_dedupe, apollo_id, moved_from, ignored } = entry;
        self.text(place.key.as_str());
        self.number(usize::from(*run_dedupe));
        self.texts(apollo_id.iter().map(ApolloId::as_str));
        self.texts(moved_from.iter().map(ContactKey::as_str));
        self.number(ignored.len());
        for field in ignored {
            self.field(field);
        }
        self.number(fields.len());
        for (field, value) in fields.iter() {
            self.field(field);
            match value {
                Value::Text(text) => {
                    self.number(0);
                    self.text(text);
                }
                Value::Lists(lists) => {
                    self.number(1);
                    self.texts(lists.iter().map(String::as_str));
                }
            }
        }
    }

    fn field(&mut self, field: &Field) {
        match field {
            Field::LabelNames => self.number(NUMBER_OF_LISTS),
            Field::Custom(id) => {
                self.number(NUMBER_OF_CUSTOM);
                self.text(id.as_str());
            }
            named => self.number(TEXTS.iter().position(|one| one == named).expect("any other field holds one text")),
        }
    }

    fn texts<'t>(&mut self, texts: impl ExactSizeIterator<Item = &'t str>) {
        self.number(texts.len());
        texts.for_each(|text| self.text(text));
    }

    /// Writes twice the length and the text, or one more than twice the place where it is.
    fn text(&mut self, text: &str) {
        if text.len() > SHORT {
            let here = self.text.len();
            self.places.resize(PLACES, 0);
            let place = &mut self.places[number_of_place(text)];
            let seen = *place as usize;
            if seen < here && (Reader { all: &self.text, at: seen }).text() == text {
                return self.number(2 * seen + 1);
            }
            // Beyond four billion bytes none is pointed to.
            *place = u32::try_from(here).unwrap_or_default();
        }
        self.number(2 * text.len());
        self.text.push_str(text);
    }

    /// Returns what was written, and begins again.
    fn take(&mut self) -> Box<str> {
        self.places.clear();
        std::mem::take(&mut self.text).into_boxed_str()
    }

    fn number(&mut self, mut number: usize) {
        loop {
            let (low, more) = (number & ((1 << BITS) - 1), number >> BITS);
            let byte = low | usize::from(more > 0) << BITS;
            self.text.push(char::from(u8::try_from(byte).expect("seven bits")));
            if more == 0 {
                return;
            }
            number = more;
        }
    }
}

/// Reads what a [`Writer`] put together.
#[derive(Debug, Default, Clone, Copy)]
struct Reader<'a> {
    all: &'a str,
    at: usize,
}

impl<'a> Reader<'a> {
    fn number(&mut self) -> usize {
        let (mut number, mut shift) = (0, 0);
        loop {
            let byte = usize::from(self.all.as_bytes()[self.at]);
            self.at += 1;
            number |= (byte & ((1 << BITS) - 1)) << shift;
            if byte >> BITS == 0 {
                return number;
            }
            shift += BITS;
        }
    }

    fn text(&mut self) -> &'a str {
        let number = self.number();
        if number % 2 == 1 {
            return Reader { all: self.all, at: number / 2 }.text();
        }
        let start = self.at;
        self.at += number / 2;
        &self.all[start..self.at]
    }

    fn field(&mut self) -> FieldRef<'a> {
        match self.number() {
            NUMBER_OF_LISTS => FieldRef::Named(&LISTS),
            NUMBER_OF_CUSTOM => FieldRef::Custom(self.text()),
            text => FieldRef::Named(&TEXTS[text]),
        }
    }

    /// Reads texts, and goes behind them.
    fn list(&mut self) -> Lists<'a> {
        let left = self.number();
        let list = Lists { left, rest: *self };
        for _ in 0..left {
            self.text();
        }
        list
    }

    /// Reads fields without values, and goes behind them.
    fn fields(&mut self) -> FieldNames<'a> {
        let left = self.number();
        let fields = FieldNames { left, rest: *self };
        for _ in 0..left {
            self.field();
        }
        fields
    }

    fn values(mut self) -> Values<'a> {
        Values { left: self.number(), rest: self }
    }
}

#[cfg(test)]
mod tests {
    use proptest::collection::btree_set;
    use proptest::option;
    use proptest::prelude::*;

    use super::*;
    use crate::model::Fields;

    fn field() -> impl Strategy<Value = Field> {
        let custom = "[0-9a-fA-F]{24}".prop_map(|id| Field::Custom(CustomFieldId::parse(&id).unwrap()));
        prop_oneof![4 => prop::sample::select(TEXT_FIELDS.to_vec()), 1 => Just(Field::LabelNames), 1 => custom]
    }

    fn value(field: &Field) -> BoxedStrategy<Value> {
        match field {
            Field::LabelNames => btree_set(".{0,90}", 0..4).prop_map(Value::Lists).boxed(),
            _ => ".{0,90}".prop_map(Value::Text).boxed(),
        }
    }

    fn fields() -> impl Strategy<Value = Fields> {
        let pairs =
            |fields: BTreeSet<Field>| fields.into_iter().map(|field| (value(&field), Just(field))).collect::<Vec<_>>();
        let pairs = btree_set(field(), 0..12).prop_flat_map(pairs);
        pairs.prop_map(|pairs| pairs.into_iter().map(|(value, field)| (field, value)).collect())
    }

    fn entry() -> impl Strategy<Value = Entry> {
        let key = |text: String| ContactKey::parse(&text).unwrap();
        let place = |key| Place { path: Path::new("contacts.d/team.yaml").into(), key };
        let of_person = (fields(), any::<bool>(), option::of("[0-9a-f]{24}"));
        let of_key = ("[a-z0-9][A-Z.]{0,100}".prop_map(key), option::of("[a-z]{1,9}".prop_map(key)));
        (of_key, of_person, btree_set(field(), 0..3)).prop_map(
            move |((key, moved_from), (fields, run_dedupe, apollo_id), ignored)| {
                let apollo_id = apollo_id.map(|id| ApolloId::parse(&id).unwrap());
                Entry { place: place(key), fields, run_dedupe, apollo_id, moved_from, ignored }
            },
        )
    }

    fn json(value: &impl Serialize) -> String {
        serde_json::to_string(value).unwrap()
    }

    proptest! {
        #[test]
        fn an_entry_is_the_same_after_its_rest(entries in prop::collection::vec(entry(), 1..9)) {
            let mut packer = Packer::default();
            for entry in &entries {
                packer.add(entry);
            }
            let rested = packer.finish();
            prop_assert_eq!(rested.iter().map(PackedEntry::unpack).collect::<Vec<_>>(), &entries[..]);
            prop_assert_eq!(json(&rested), json(&entries));
            prop_assert_eq!(serde_json::from_str::<Vec<PackedEntry>>(&json(&rested)).unwrap(), rested);
        }

        #[test]
        fn an_entry_at_rest_tells_what_it_declares(entry in entry()) {
            let packed = PackedEntry::from(&entry);
            for field in TEXT_FIELDS.into_iter().chain(entry.fields.iter().map(|(field, _)| field.clone())) {
                prop_assert_eq!(packed.text(&field), entry.fields.text(&field));
            }
            prop_assert!(packed.lists().eq(entry.fields.lists()));
            prop_assert_eq!((packed.apollo_id(), packed.moved_from()), (entry.apollo_id.clone(), entry.moved_from.clone()));
            prop_assert_eq!(packed.is_matched_by_email(), entry.is_matched_by_email());
            prop_assert_eq!(packed.dedupe_can_match(), entry.dedupe_can_match());
            prop_assert_eq!(packed.fingerprint(), entry.fingerprint());
            let mut placeless = entry;
            placeless.place.path = Path::new("").into();
            prop_assert_eq!(packed.without_path().unpack(), placeless);
        }
    }

    fn titled(number: usize, title: String) -> Entry {
        let key = ContactKey::parse(&format!("key-{number}")).unwrap();
        let place = Place { path: Path::new("a.yaml").into(), key };
        let fields = [(Field::Title, Value::Text(title))].into_iter().collect();
        Entry { place, fields, run_dedupe: true, apollo_id: None, moved_from: None, ignored: [].into() }
    }

    #[test]
    fn many_entries_are_several_pieces() {
        let entry = |number: usize| titled(number, format!("{number:01000}"));
        let mut packer = Packer::default();
        let bytes: usize = (0..200).map(|number| packer.add(&entry(number))).sum();
        assert!((200_000..210_000).contains(&bytes), "{bytes}");
        let rested = packer.finish();
        let pieces: BTreeSet<_> = rested.iter().map(|entry| Arc::as_ptr(&entry.pack)).collect();
        assert_eq!(pieces.len(), 4);
        assert!((0..200).all(|number| rested[number].unpack() == entry(number)));
    }

    #[test]
    fn a_text_is_kept_once_in_a_piece() {
        let entry = |number: usize| titled(number, "t".repeat(1000 + number % 2));
        let mut packer = Packer::default();
        let bytes: usize = (0..200).map(|number| packer.add(&entry(number))).sum();
        assert!(bytes < 10_000, "{bytes}");
        let rested = packer.finish();
        assert!((0..200).all(|number| rested[number].unpack() == entry(number)));
    }
}
