//! Equal problems of many contacts: the first is shown at once, and the others together at the end.
//!
//! Apollo says the same of each contact that has the same mistake.

use super::amounts::{count, counted};
use super::message::place;
use crate::model::ContactKey;
use crate::source::{Diagnostic, Severity};

/// Contacts that are named in the end.
const NAMED: usize = 10;

/// The problems of a run so far, each kind once.
#[derive(Debug, Default)]
pub(super) struct Repeats(Vec<Kind>);

#[derive(Debug)]
struct Kind {
    severity: Severity,
    /// The words without what belongs to one contact.
    words: String,
    first: Diagnostic,
    /// The first of the others, each with its place.
    named: Vec<String>,
    others: usize,
}

impl Repeats {
    /// Notes what is wrong; reports whether it is the first of its kind, to be told now.
    pub(super) fn is_new(&mut self, message: &Diagnostic) -> bool {
        let Some(key) = &message.key else { return true };
        let (severity, words) = (message.severity, words(message, key.as_str()));
        if let Some(kind) = self.0.iter_mut().find(|kind| kind.severity == severity && kind.words == words) {
            kind.others += 1;
            if kind.named.len() < NAMED {
                kind.named.push(line(message));
            }
            return false;
        }
        self.0.push(Kind { severity, words, first: message.clone(), named: Vec::new(), others: 0 });
        true
    }

    /// Sums up what was not told.
    pub(super) fn sums(&self) -> impl Iterator<Item = Diagnostic> + '_ {
        self.0.iter().filter(|kind| kind.others > 0).map(Kind::sum)
    }
}

impl Kind {
    fn sum(&self) -> Diagnostic {
        let what = match self.severity {
            Severity::Error => "error",
            Severity::Warning => "warning",
        };
        let all = count(self.others + 1);
        let summary = format!("{all} contacts have the same {what}: {}", self.first.summary);
        let named: String = self.named.iter().flat_map(|line| ["\n  ", line.as_str()]).collect();
        let more = match self.others - self.named.len() {
            0 => String::new(),
            more => format!("\n  and {}", counted(more, "more contact")),
        };
        let detail = format!("The first one is shown above with its cause. The others:{named}{more}");
        Diagnostic { severity: self.severity, ..Diagnostic::error(summary, detail) }
    }
}

/// Returns the words of a message, to be compared, with its key taken out, wherever it stands as a word.
fn words(message: &Diagnostic, key: &str) -> String {
    let address = format!("contact.{key}");
    let is_in_a_key = |c: char| c.is_alphanumeric() || "._-/".contains(c);
    let words = [message.summary.as_str(), message.detail.as_str()].join("\n");
    let general = |word: &str| {
        let bare = word.trim_matches(|c| !is_in_a_key(c)).trim_end_matches('.');
        if bare == address || bare == key { word.replace(bare, "KEY") } else { word.to_owned() }
    };
    words.split(char::is_whitespace).map(general).collect::<Vec<_>>().join(" ")
}

fn line(message: &Diagnostic) -> String {
    let address = message.key.as_ref().map(ContactKey::address).unwrap_or_default();
    place(message).map_or(address.clone(), |place| format!("{address}  {place}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refused(key: &str, said: &str) -> Diagnostic {
        let (summary, detail) = (
            format!("Apollo rejected contact.{key}"),
            format!("Apollo says: {said}\nLook at it: contactsd import {key} ID."),
        );
        let (key, path) = (ContactKey::parse(key), Some("contacts.d/team.yaml".into()));
        Diagnostic { key: key.ok(), path, ..Diagnostic::error(summary, detail) }
    }

    #[test]
    fn the_same_words_for_many_contacts_are_told_once_and_counted() {
        let mut repeats = Repeats::default();
        let told: Vec<bool> =
            (0..150).map(|number| repeats.is_new(&refused(&format!("p{number}"), "title is too long"))).collect();
        assert_eq!(told.iter().filter(|told| **told).count(), 1);
        assert!(repeats.is_new(&refused("p150", "email is invalid")), "other words");
        let sums: Vec<String> = repeats.sums().map(|sum| format!("{}\n{}", sum.summary, sum.detail)).collect();
        insta::assert_snapshot!(sums.join("\n"), @"
        150 contacts have the same error: Apollo rejected contact.p0
        The first one is shown above with its cause. The others:
          contact.p1  contacts.d/team.yaml
          contact.p2  contacts.d/team.yaml
          contact.p3  contacts.d/team.yaml
          contact.p4  contacts.d/team.yaml
          contact.p5  contacts.d/team.yaml
          contact.p6  contacts.d/team.yaml
          contact.p7  contacts.d/team.yaml
          contact.p8  contacts.d/team.yaml
          contact.p9  contacts.d/team.yaml
          contact.p10  contacts.d/team.yaml
          and 139 more contacts
        ");
    }

    #[test]
    fn what_is_about_no_contact_is_always_told() {
        let mut repeats = Repeats::default();
        let of_all = Diagnostic { key: None, ..refused("ada", "") };
        assert!(repeats.is_new(&of_all) && repeats.is_new(&of_all));
        assert_eq!(repeats.sums().count(), 0);
    }
}
