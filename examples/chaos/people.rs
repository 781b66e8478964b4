//! The people of a world: what the files declare of them, and how that is edited.
//!
//! Nobody here is edited into what the failure model leaves out: a person that Apollo cannot match, by
//! an identity that tells nobody from others or by `run_dedupe: false`, gets another key only in ways by
//! which contactsd can know the person again.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::fs;
use std::path::Path;

use contactsd::state::Snapshot;
use fastrand::Rng;

const CUSTOM_IDS: [&str; 2] = ["60c39ed82bd02f01154c470a", "60c39ed82bd02f01154c470b"];
const LISTS: [&str; 4] = ["Customers", "Leads", "Speakers", "Board"];
/// Spelled in all the ways that a search or a server may spell otherwise.
const LAST_NAMES: [&str; 6] = ["Byron", "M\u{fc}ller", "O\u{2019}Neil", "Rene\u{301}e", "Ham & Sons", "Bo\u{200b}nd"];
const EMAIL_ENDS: [&str; 4] = ["@example.com", "@example.com", "+x@example.com", "@b\u{fc}cher.example"];
/// Longer than a custom text may be on some servers.
const LONG: &str = "one two three four five six seven eight nine ten one two three four five six seven eight nine ten one \
                    two three four five six seven eight nine ten";

/// A field with one text that a person may declare.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Text {
    Title,
    Address,
    Website,
    Corporate,
    Mobile,
    Custom(usize),
}

impl Text {
    const ALL: [Self; 7] =
        [Self::Title, Self::Address, Self::Website, Self::Corporate, Self::Mobile, Self::Custom(0), Self::Custom(1)];

    pub(super) fn custom_id(self) -> Option<&'static str> {
        match self {
            Self::Custom(number) => Some(CUSTOM_IDS[number]),
            _ => None,
        }
    }

    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Title => "title",
            Self::Address => "present_raw_address",
            Self::Website => "website_url",
            Self::Corporate => "corporate_phone",
            Self::Mobile => "mobile_phone",
            Self::Custom(_) => "typed_custom_fields",
        }
    }

    /// Draws one of few values, so that edits are often taken back.
    fn value(self, person: usize, random: &mut Rng) -> String {
        let one = random.usize(0..3);
        match self {
            Self::Title => ["CTO", "Head of \u{201c}R&D\u{201d}", "Engineer: II"][one].to_owned(),
            Self::Address => ["1 Loop, Example City", "Ünter 7, Exämple", "Dock 3"][one].to_owned(),
            Self::Website => format!("https://example.com/{one}"),
            Self::Corporate => format!("+1202555{:04}", person * 10 + one),
            Self::Mobile => format!("+1302555{:04}", person * 10 + one),
            Self::Custom(_) => ["a", "b", LONG][one].to_owned(),
        }
    }
}

/// What Apollo could know a person by.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    /// An e-mail; Apollo may match.
    Mail,
    /// A name and a company; Apollo may match.
    Company,
    /// An e-mail, `run_dedupe: false`.
    OwnMail,
    /// A name and a company, `run_dedupe: false`.
    OwnCompany,
    /// A name alone, which Apollo matches nobody by.
    Name,
}

/// Someone, with an entry most of the time.
#[derive(Debug, Clone)]
pub(super) struct Person {
    pub(super) number: usize,
    pub(super) kind: Kind,
    /// No other entry's, in the world; never edited, so that the person's contacts can be found.
    pub(super) first_name: String,
    pub(super) last_name: &'static str,
    pub(super) email: Option<String>,
    pub(super) company: Option<String>,
    pub(super) key: String,
    moved_from: Option<String>,
    /// Every key the person ever had.
    pub(super) keys: Vec<String>,
    pub(super) declared: bool,
    pub(super) texts: BTreeMap<Text, String>,
    pub(super) lists: Option<BTreeSet<String>>,
    /// Lists that the entry no longer answers for: declared before it was deleted or released them.
    pub(super) left_lists: BTreeSet<String>,
    ever_lists: BTreeSet<String>,
    /// Whether the identity was edited since everything was last at rest.
    identity_moved: bool,
    /// Lost with a state, in a way that nothing can know the person again by.
    retired: bool,
    pub(super) history: Vec<String>,
}

/// All people of a world.
pub(super) struct People {
    pub(super) all: Vec<Person>,
    most: usize,
    next_key: usize,
    /// Whether identities may be edited now.
    identities_move: bool,
    /// Whether values may be edited now, and deleted entries come back.
    ///
    /// An older state believes that Apollo holds what it held then: an edit back to that is no edit to it.
    values_move: bool,
}

impl Person {
    fn new(number: usize, random: &mut Rng) -> Self {
        let kind = match random.u8(0..10) {
            0..4 => Kind::Mail,
            4..6 => Kind::Company,
            6 => Kind::OwnMail,
            7 => Kind::OwnCompany,
            _ => Kind::Name,
        };
        let has_mail = matches!(kind, Kind::Mail | Kind::OwnMail);
        let has_company = matches!(kind, Kind::Company | Kind::OwnCompany) || has_mail && random.bool();
        let key = format!("k{number}");
        Self {
            number,
            kind,
            first_name: format!("Ada{number}"),
            last_name: LAST_NAMES[random.usize(0..LAST_NAMES.len())],
            email: has_mail.then(|| format!("ada{number}{}", EMAIL_ENDS[random.usize(0..EMAIL_ENDS.len())])),
            company: has_company.then(|| format!("Company {number}")),
            keys: vec![key.clone()],
            key,
            moved_from: None,
            declared: true,
            texts: BTreeMap::new(),
            lists: None,
            left_lists: BTreeSet::new(),
            ever_lists: BTreeSet::new(),
            identity_moved: false,
            retired: false,
            history: Vec::new(),
        }
    }

    /// Reports whether the person never says that a contact is to be made beside one of a stranger, and so waits.
    pub(super) fn is_silent(&self) -> bool {
        self.number.is_multiple_of(3)
    }

    fn runs_dedupe(&self) -> bool {
        !matches!(self.kind, Kind::OwnMail | Kind::OwnCompany)
    }

    /// Reports whether Apollo finds the person again by itself.
    pub(super) fn is_matched(&self) -> bool {
        matches!(self.kind, Kind::Mail | Kind::Company)
    }

    /// Reports whether the person can be known again after a deletion.
    ///
    /// Not with another identity than the state or Apollo may have, and not, unless Apollo matches the
    /// person, between the loss of the state and the look-up that finds the contact again.
    fn can_be_deleted(&self, found_again: bool) -> bool {
        !self.identity_moved && (found_again || self.is_matched())
    }

    fn note(&mut self, what: impl Into<String>) {
        self.history.push(what.into());
    }

    /// The last key of the person that the state knows in any way; what is in doubt counts.
    fn known_key(&self, state: &Snapshot) -> Option<&str> {
        let known = |key: &&String| {
            state.bindings.keys().chain(state.tombstones.keys()).any(|known| known.as_str() == *key)
                || state.intents.values().any(|intent| intent.key.as_str() == *key)
        };
        self.keys.iter().rev().find(known).map(String::as_str)
    }

    /// Gives the person a key by which contactsd can still know who it is.
    fn take_key(&mut self, fresh: String, state: &Snapshot, random: &mut Rng) -> &'static str {
        let known = self.known_key(state).map(str::to_owned);
        let by_identity = match &known {
            None => true,
            // What is bound or in doubt is recognized by its e-mail, or its name and company.
            Some(known) if self.kind != Kind::Name && !self.identity_moved => {
                self.is_matched() || !state.tombstones.keys().any(|key| key.as_str() == known)
            }
            Some(_) => false,
        };
        self.moved_from = match known {
            Some(known) if !by_identity || random.bool() => Some(known),
            _ => None,
        };
        self.key.clone_from(&fresh);
        self.keys.push(fresh);
        if self.moved_from.is_some() { "rename with moved_from" } else { "rename" }
    }
}

impl People {
    /// Draws people; `many`, whether there are enough of them for requests for many.
    pub(super) fn new(many: bool, random: &mut Rng) -> Self {
        let most = if many { random.usize(40..=90) } else { random.usize(5..=15) };
        let mut people = Self { all: Vec::new(), most, next_key: 0, identities_move: true, values_move: true };
        for _ in 0..random.usize(1..=most) {
            people.add(random);
        }
        people
    }

    fn add(&mut self, random: &mut Rng) {
        let number = self.all.len() + 1;
        let mut person = Person::new(number, random);
        for _ in 0..random.usize(0..5) {
            set_text(&mut person, random);
        }
        if random.bool() {
            set_lists(&mut person, random);
        }
        person.note(format!("new: {:?} as {}", person.kind, person.key));
        self.all.push(person);
    }

    /// Edits something; returns what was done. `state` is read when a key changes.
    pub(super) fn edit(&mut self, random: &mut Rng, state: impl FnOnce() -> Snapshot) -> Option<&'static str> {
        if self.all.len() < self.most && random.u8(0..6) == 0 {
            self.add(random);
            return Some("add");
        }
        let fresh = format!("r{}", self.next_key);
        self.next_key += 1;
        let declared = self.all.iter().filter(|person| person.declared).count();
        let (identities_move, values_move) = (self.identities_move, self.values_move);
        let at = random.usize(0..self.all.len());
        let person = &mut self.all[at];
        let done = if person.declared {
            match random.u8(0..12) {
                0..7 if !values_move => None,
                0..5 => Some(set_text(person, random)),
                5..7 => Some(set_lists(person, random)),
                7 | 8 if declared > 1 && person.can_be_deleted(identities_move) => Some(delete(person)),
                9 | 10 => Some(person.take_key(fresh, &state(), random)),
                11 if person.moved_from.is_some() => settle_move(person, &state()),
                11 if identities_move && person.is_matched() => move_identity(person, &state(), random),
                _ => None,
            }
        } else if person.retired || !values_move {
            None
        } else {
            Some(bring_back(person, fresh, &state(), random))
        };
        if let Some(done) = done {
            let (key, from) = (person.key.clone(), person.moved_from.clone());
            person.note(format!("{done}: {key} (moved_from {from:?}) {:?} {:?}", person.texts, person.lists));
        }
        done
    }

    /// Notes that everything declared stands applied.
    pub(super) fn at_rest(&mut self) {
        self.identities_move = true;
        self.values_move = true;
        for person in &mut self.all {
            person.identity_moved = false;
            person.note("at rest");
        }
    }

    /// Notes that the state is gone. What was deleted and cannot be matched is nobody's from now on.
    pub(super) fn state_is_lost(&mut self) {
        self.identities_move = false;
        for person in &mut self.all {
            person.left_lists.extend(person.ever_lists.iter().cloned());
            person.retired |= !person.declared && !person.is_matched();
            person.note("the state is lost");
        }
    }

    /// Notes that an older state is there again, and says of each key that it does not know which one it does.
    pub(super) fn state_is_older(&mut self, state: &Snapshot) {
        self.identities_move = false;
        self.values_move = false;
        for person in &mut self.all {
            person.left_lists.extend(person.ever_lists.iter().cloned());
            let known = person.known_key(state).map(str::to_owned);
            person.retired |= known.is_none() && !person.declared && !person.is_matched();
            if let Some(known) = known.filter(|known| *known != person.key) {
                person.moved_from = Some(known);
            }
            let (key, from) = (person.key.clone(), person.moved_from.clone());
            person.note(format!("an older state is there again: {key} (moved_from {from:?})"));
        }
    }

    /// Writes the files, each at once.
    pub(super) fn write(&self, directory: &Path) {
        fs::create_dir_all(directory).expect("the world's directory can be written");
        for file in 0..2 {
            let mut text = String::from("contacts:\n");
            let people: Vec<_> =
                self.all.iter().filter(|person| person.declared && person.number % 2 == file).collect();
            if people.is_empty() {
                text = String::from("contacts: {}\n");
            }
            for person in people {
                write_entry(person, &mut text);
            }
            let path = directory.join(format!("people-{file}.yaml"));
            let new = directory.join(format!(".people-{file}.new"));
            fs::write(&new, text).and_then(|()| fs::rename(&new, path)).expect("the files can be written");
        }
    }
}

fn set_text(person: &mut Person, random: &mut Rng) -> &'static str {
    let field = Text::ALL[random.usize(0..Text::ALL.len())];
    match random.u8(0..8) {
        0 => drop(person.texts.remove(&field)),
        1 => drop(person.texts.insert(field, String::new())),
        _ => drop(person.texts.insert(field, field.value(person.number, random))),
    }
    "edit"
}

fn set_lists(person: &mut Person, random: &mut Rng) -> &'static str {
    if random.u8(0..6) == 0 {
        person.lists = None;
        person.left_lists.extend(person.ever_lists.iter().cloned());
        return "release lists";
    }
    let lists: BTreeSet<String> = LISTS.iter().filter(|_| random.bool()).map(|&list| list.to_owned()).collect();
    person.ever_lists.extend(lists.iter().cloned());
    person.lists = Some(lists);
    "edit lists"
}

fn delete(person: &mut Person) -> &'static str {
    person.declared = false;
    person.left_lists.extend(person.ever_lists.iter().cloned());
    "delete"
}

/// Takes `moved_from` out of an entry once it has done its work.
fn settle_move(person: &mut Person, state: &Snapshot) -> Option<&'static str> {
    let bound = state.bindings.keys().any(|key| key.as_str() == person.key);
    bound.then(|| {
        person.moved_from = None;
        "drop moved_from"
    })
}

/// Edits what Apollo knows the person by, unless it is what contactsd must know a new key by.
fn move_identity(person: &mut Person, state: &Snapshot, random: &mut Rng) -> Option<&'static str> {
    let known = person.known_key(state).map(str::to_owned);
    let elsewhere = |known: &String| *known != person.key && person.moved_from.as_ref() != Some(known);
    // What was forgotten is told again by who it was.
    let forgotten = |known: &String| state.tombstones.keys().any(|key| key.as_str() == known);
    // Nor can a person who is somebody else by now be known again where the state has nothing of them.
    if known.is_none_or(|known| elsewhere(&known) || forgotten(&known)) {
        return None;
    }
    person.identity_moved = true;
    if person.kind == Kind::Mail {
        person.email = Some(format!("ada{}.{}@example.com", person.number, random.u8(0..3)));
    } else {
        person.company = Some(format!("Company {} of {}", person.number, random.u8(0..3)));
    }
    Some("edit identity")
}

fn bring_back(person: &mut Person, fresh: String, state: &Snapshot, random: &mut Rng) -> &'static str {
    person.declared = true;
    let known = person.known_key(state).map(str::to_owned);
    let same_key =
        known.as_deref().is_none_or(|known| known == person.key || person.moved_from.as_deref() == Some(known));
    if same_key && random.u8(0..4) > 0 {
        return "bring back";
    }
    person.take_key(fresh, state, random);
    "bring back under another key"
}

fn write_entry(person: &Person, text: &mut String) {
    let quoted = |text: &str| serde_json::to_string(text).expect("a text is JSON");
    writeln!(text, "  {}:", person.key).expect("a string can be written to");
    let mut line = |name: &str, value: &str| {
        writeln!(text, "    {name}: {value}").expect("a string can be written to");
    };
    line("first_name", &quoted(&person.first_name));
    line("last_name", &quoted(person.last_name));
    if let Some(email) = &person.email {
        line("email", &quoted(email));
    }
    if let Some(company) = &person.company {
        line("organization_name", &quoted(company));
    }
    if !person.runs_dedupe() {
        line("run_dedupe", "false");
    }
    if let Some(from) = &person.moved_from {
        line("moved_from", from);
    }
    let (custom, plain): (Vec<_>, Vec<_>) = person.texts.iter().partition(|(field, _)| field.custom_id().is_some());
    for (field, value) in plain {
        line(field.name(), &quoted(value));
    }
    if !custom.is_empty() {
        let members =
            custom.iter().filter_map(|(field, value)| Some(format!("{}: {}", field.custom_id()?, quoted(value))));
        line("typed_custom_fields", &format!("{{ {} }}", members.collect::<Vec<_>>().join(", ")));
    }
    if let Some(lists) = &person.lists {
        line("label_names", &format!("[{}]", lists.iter().cloned().collect::<Vec<_>>().join(", ")));
    }
}
