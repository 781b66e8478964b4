//! The kinds of storm: what is special about the account, the server or the checkout in a world.

use std::collections::BTreeSet;
use std::str::FromStr;

use fastrand::Rng;

use super::disks;

/// One kind of storm. What all have: kills, edits, lost states, and faults that every network has.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(in super::super) enum Kind {
    /// Nothing but what all have.
    Faults,
    /// Pages with a 4xx, and 5xx, before and after the work was done.
    Pages,
    /// Refusals of what was done all the same.
    Refusals,
    /// Requests for many contacts, whose answers show little, or leave some out.
    Batches,
    /// The state is put back as it was earlier.
    Copies,
    /// Namesakes and shared mailboxes are in the account.
    Strangers,
    /// The search misses, hides, repeats.
    Search,
    /// The server's clock is wrong or not told.
    Clocks,
    /// Values are kept in other forms than they were sent in.
    Forms,
    /// The server is gone for a while, or fails at everything.
    Outages,
    /// Reads, writes and syncs of the state fail, and its disk is full.
    Disks,
    /// sled's files or the copy are damaged between runs.
    Damage,
    /// Some of the above at once.
    Mixed,
}

impl Kind {
    pub(in super::super) const ALL: [Self; 13] = [
        Self::Faults,
        Self::Pages,
        Self::Refusals,
        Self::Batches,
        Self::Copies,
        Self::Strangers,
        Self::Search,
        Self::Clocks,
        Self::Forms,
        Self::Outages,
        Self::Disks,
        Self::Damage,
        Self::Mixed,
    ];

    pub(in super::super) fn name(self) -> &'static str {
        match self {
            Self::Faults => "faults",
            Self::Pages => "pages",
            Self::Refusals => "refusals",
            Self::Batches => "batches",
            Self::Copies => "copies",
            Self::Strangers => "strangers",
            Self::Search => "search",
            Self::Clocks => "clocks",
            Self::Forms => "forms",
            Self::Outages => "outages",
            Self::Disks => "disks",
            Self::Damage => "damage",
            Self::Mixed => "mixed",
        }
    }
}

impl FromStr for Kind {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let names = || Self::ALL.map(Self::name).join(", ");
        Self::ALL.into_iter().find(|kind| kind.name() == text).ok_or_else(|| format!("the kinds are {}", names()))
    }
}

const USUAL_FAULTS: [&str; 7] = ["lost-reply", "cut-before", "error-500", "html-502", "truncated", "slow", "stray-429"];
const PAGES: [&str; 4] = ["page-before", "page-after", "error-500-after", "unavailable"];
const REFUSALS: [&str; 2] = ["refused-after-work", "create:refused-after-work"];
/// No item of a list call: its answer shows nobody, so that nothing tells of one that was left undone.
const BATCHES: [&str; 8] = [
    "bulk-create:item-left-out",
    "bulk-create:item-undone",
    "bulk-create:item-ghost",
    "bulk-update:item-left-out",
    "bulk-update:item-undone",
    "update-stages:item-left-out",
    "update-stages:item-undone",
    "bulk-create:refused-after-work",
];
/// Readings of what requests for many do and show.
const READINGS: [&str; 8] = [
    "bulk-overwrites",
    "bulk-matches-among-created",
    "bulk-empty-refused",
    "bulk-rows-bare",
    "bulk-refused-half-done",
    "bulk-refusals-silent",
    "bulk-answers-jobs",
    "bulk-ignores-gone",
];
/// How a server fails that fails at everything; the last one does the work first.
const OUTAGES: [&str; 4] = ["error-500", "unavailable", "cut-before", "error-500-after"];

/// Quirks with which a search for a name or an e-mail can miss a contact.
const SEARCHES_THAT_MISS: [&str; 2] = ["search-transliterates", "search-splits-at-plus"];
const OTHER_SEARCHES: [&str; 3] = ["search-hides-emails", "search-repeats-rows", "search-bare-when-empty"];
const CLOCKS: [&str; 6] =
    ["clock-fast", "clock-slow", "no-date", "created-at-behind", "no-date,clock-slow", "created-at-behind,no-date"];
const FORMS: [&str; 6] = [
    "stores-punycode",
    "stores-straight-quotes",
    "stores-entities",
    "stores-nfc",
    "stores-no-zero-width",
    "cuts-custom-text",
];

/// What a world is like.
#[derive(Debug, Clone)]
pub(super) struct Weather {
    faults: Vec<&'static str>,
    /// The sandbox's quirks, as `--quirk` reads them.
    pub(super) quirks: String,
    /// The kinds of storm that come together.
    parts: BTreeSet<Kind>,
    /// Whether a search finds everybody by what the files say of them.
    ///
    /// Where it does not, a contact that no state knows and that Apollo does not match cannot be recognized.
    pub(super) finds_everybody: bool,
}

impl Weather {
    pub(super) fn draw(kind: Kind, random: &mut Rng) -> Self {
        let mut parts: BTreeSet<Kind> =
            Kind::ALL.into_iter().filter(|part| kind == *part || (kind == Kind::Mixed && random.bool())).collect();
        if !disks::can_fail() {
            parts.remove(&Kind::Disks);
        }
        let has = |part| parts.contains(&part);
        let mut faults = USUAL_FAULTS.to_vec();
        faults.extend(PAGES.iter().filter(|_| has(Kind::Pages)));
        faults.extend(REFUSALS.iter().filter(|_| has(Kind::Refusals)));
        faults.extend(BATCHES.iter().filter(|_| has(Kind::Batches)));
        let mut quirks = Vec::new();
        if has(Kind::Batches) {
            quirks.extend(some(&READINGS, random));
        }
        if has(Kind::Search) {
            quirks.extend(some(&SEARCHES_THAT_MISS, random));
            quirks.extend(some(&OTHER_SEARCHES, random));
        }
        if has(Kind::Clocks) {
            quirks.push(CLOCKS[random.usize(0..CLOCKS.len())]);
        }
        if has(Kind::Forms) {
            quirks.extend(some(&FORMS, random));
        }
        let misses = SEARCHES_THAT_MISS.iter().chain(&FORMS).any(|quirk| quirks.contains(quirk));
        if (has(Kind::Search) || has(Kind::Batches)) && random.bool() {
            parts.insert(Kind::Strangers);
        }
        Self { faults, parts, finds_everybody: !misses, quirks: quirks.join(",") }
    }

    pub(super) fn has(&self, part: Kind) -> bool {
        self.parts.contains(&part)
    }

    /// Reports whether there are to be so many others in the account that they fill more than a page.
    pub(super) fn is_crowded(&self) -> bool {
        self.quirks.contains("search-repeats-rows")
    }

    /// Draws how the server fails at everything, as the sandbox reads it.
    pub(super) fn outage(random: &mut Rng) -> String {
        format!("{}=1,retry-after=0", OUTAGES[random.usize(0..OUTAGES.len())])
    }

    /// Draws what goes wrong with requests in one round, as the sandbox reads it.
    pub(super) fn faults(&self, random: &mut Rng, slow_ms: u128) -> String {
        // However many there are, some requests get through.
        let share = if self.faults.len() > USUAL_FAULTS.len() { 0.6 } else { 1.0 };
        let worst = [0.0, 0.1, 0.3][random.usize(0..3)] * share;
        let rules: Vec<String> = self.faults.iter().map(|name| format!("{name}={:.3}", random.f64() * worst)).collect();
        format!("{},slow-ms={slow_ms},retry-after=0", rules.join(","))
    }
}

fn some(names: &[&'static str], random: &mut Rng) -> Vec<&'static str> {
    names.iter().copied().filter(|_| random.bool()).collect()
}
