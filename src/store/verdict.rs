//! Which of sled and its copy is believed, by what both hold and how far `head` says that the state had come.
//!
//! Pure. Nothing that one of them holds up to `head` is given up; what neither holds is a person's to decide.

use super::copy::{Damage, Ending, Scanned};
use super::head::Head;
use crate::state::Counters;

/// What stands under the name of the copy.
#[derive(Debug, Clone, Copy)]
pub(super) enum TheCopy<'a> {
    None,
    Damaged(&'a Damage),
    Upto(&'a Scanned),
}

/// What is to be done before a state is written to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Verdict {
    /// Both hold the same.
    Stands,
    /// sled is whole, and the copy lacks something of it; where it was damaged, and not just left behind, how.
    WriteCopy { damage: Option<Damage> },
    /// The copy holds the commits that follow on sled's last one.
    RollForward { damage: Option<Damage> },
    /// sled is not what it was, and the copy is.
    BuildSled,
    /// Neither is.
    Ask,
}

/// Decides; `sled` is `None` when it cannot be read, or is of another state.
pub(super) fn decide(head: &Head, sled: Option<&Counters>, copy: TheCopy<'_>) -> Verdict {
    let mut damage = None;
    let copy = match copy {
        TheCopy::None => None,
        TheCopy::Damaged(found) => {
            damage = Some(found.clone());
            None
        }
        TheCopy::Upto(copy) => {
            if let Ending::Damaged(found) = &copy.ending {
                damage = Some(found.clone());
            }
            Some(copy)
        }
    };
    let whole_sled = sled.filter(|counters| reaches(head, counters));
    let whole_copy = copy.filter(|copy| copy_reaches(head, copy));
    match (whole_sled, whole_copy) {
        (Some(sled), Some(copy)) if copy.counters == *sled => {
            if damage.is_none() {
                Verdict::Stands
            } else {
                Verdict::WriteCopy { damage }
            }
        }
        (Some(sled), Some(copy)) if copy.counters.commit > sled.commit => {
            // Where both went different ways from some commit on, the one that came further is believed.
            if copy.at(sled.commit) == Some(sled) { Verdict::RollForward { damage } } else { Verdict::BuildSled }
        }
        (Some(_), _) => Verdict::WriteCopy { damage },
        (None, Some(_)) => Verdict::BuildSled,
        (None, None) => Verdict::Ask,
    }
}

/// Reports whether a copy is of this state, and holds all that `head` says was on disk.
pub(super) fn copy_reaches(head: &Head, copy: &Scanned) -> bool {
    let agrees = copy.at(head.commit).is_none_or(|counters| reaches(head, counters));
    copy.header.lineage == head.lineage && agrees && reaches(head, &copy.counters)
}

/// Reports whether something holds all that `head` says was on disk. What is ahead of it is fine: it is written last.
pub(super) fn reaches(head: &Head, counters: &Counters) -> bool {
    let same = counters.serial == head.serial && counters.totals.bindings == head.bindings;
    counters.commit > head.commit || (counters.commit == head.commit && same)
}

/// Says in what rows are behind the head of their state. To be ahead of it is fine: it is written last.
pub(super) fn behind(counters: &Counters, head: &Head) -> Option<String> {
    if reaches(head, counters) {
        return None;
    }
    if counters.commit < head.commit {
        return Some(format!("it is older than it was: it holds commit {} of {}", counters.commit, head.commit));
    }
    Some(format!(
        "it holds {} bindings at serial {}, its head says {} at serial {}",
        counters.totals.bindings, counters.serial, head.bindings, head.serial
    ))
}

#[cfg(test)]
mod tests {
    use super::super::copy::{CopyFile, Opened};
    use super::*;
    use crate::model::{IdentityKey, Lineage, Serial};
    use crate::private_dir::PrivateDir;
    use crate::state::tests::support::key;
    use crate::state::{Facts, Row, Writes, encode};

    fn counters(commit: u64, serial: u64) -> Counters {
        Counters { commit, serial: Serial(serial), ..Counters::default() }
    }

    fn head(commit: u64) -> Head {
        let lineage = Lineage("first".to_owned());
        Head { format: 2, generation: 1, lineage, commit, serial: Serial(commit), bindings: 0 }
    }

    /// A copy whose rows are of commit `base`, and that holds all commits up to `last`.
    fn copy(lineage: &str, base: u64, last: u64) -> Scanned {
        let directory = tempfile::tempdir().unwrap();
        let state = PrivateDir::make(directory.path()).unwrap();
        let facts = Facts::new(Lineage(lineage.to_owned()), "origin".to_owned(), IdentityKey([7; 32]));
        let mut copy = CopyFile::write(&state, &facts, &counters(base, base), |_| Ok(counters(base, base))).unwrap();
        for commit in base + 1..=last {
            let row = (Row::Tombstone(key("ada")), Some(encode(&commit)));
            copy.append(&Writes::from([row, (Row::Counters, Some(encode(&counters(commit, commit))))])).unwrap();
        }
        let Opened::Whole(copied) = Opened::look(&state).unwrap() else { panic!("it was written") };
        copied.scanned
    }

    fn damage() -> Damage {
        Damage { line: 3, why: "it is no row".to_owned() }
    }

    #[test]
    fn what_came_as_far_as_head_is_believed() {
        let rewritten = || Verdict::WriteCopy { damage: None };
        // How far head and sled came, and from where to where the copy goes.
        for (head_at, sled, copied, verdict) in [
            (5, Some(5), Some((1, 5)), Verdict::Stands),
            (5, Some(5), Some((5, 5)), Verdict::Stands),
            // Both may be ahead of the head, which is written last.
            (4, Some(5), Some((1, 5)), Verdict::Stands),
            (5, Some(5), None, rewritten()),
            (5, Some(5), Some((1, 4)), rewritten()),
            (4, Some(5), Some((1, 3)), rewritten()),
            // Written with the commit, and sled did not get to it.
            (5, Some(5), Some((1, 6)), Verdict::RollForward { damage: None }),
            (5, Some(5), Some((5, 7)), Verdict::RollForward { damage: None }),
            // What is missing in between is not there to be written.
            (5, Some(5), Some((6, 7)), Verdict::BuildSled),
            // sled lost what it had.
            (5, Some(4), Some((1, 5)), Verdict::BuildSled),
            (5, None, Some((1, 5)), Verdict::BuildSled),
            (5, None, Some((1, 9)), Verdict::BuildSled),
            // So did both.
            (5, Some(4), Some((1, 4)), Verdict::Ask),
            (5, None, Some((1, 4)), Verdict::Ask),
            (5, Some(4), None, Verdict::Ask),
            (5, None, None, Verdict::Ask),
        ] {
            let sled = sled.map(|commit| counters(commit, commit));
            let copied = copied.map(|(base, last)| copy("first", base, last));
            let copied = copied.as_ref().map_or(TheCopy::None, TheCopy::Upto);
            assert_eq!(decide(&head(head_at), sled.as_ref(), copied), verdict, "{head_at} {sled:?} {copied:?}");
        }
    }

    #[test]
    fn damage_behind_what_is_needed_is_told_and_costs_nothing() {
        let damage = damage();
        let torn = |last, ending| {
            let mut copied = copy("first", 1, last);
            copied.ending = ending;
            copied
        };
        let damaged = |last| torn(last, Ending::Damaged(damage.clone()));
        let stands = counters(5, 5);
        let told = Some(damage.clone());
        for (sled, copied, verdict) in [
            (Some(&stands), torn(5, Ending::Torn), Verdict::Stands),
            (Some(&stands), damaged(5), Verdict::WriteCopy { damage: told.clone() }),
            (Some(&stands), damaged(2), Verdict::WriteCopy { damage: told.clone() }),
            (Some(&stands), damaged(6), Verdict::RollForward { damage: told.clone() }),
            (None, damaged(5), Verdict::BuildSled),
            (None, damaged(4), Verdict::Ask),
        ] {
            assert_eq!(decide(&head(5), sled, TheCopy::Upto(&copied)), verdict, "{copied:?}");
        }
        let all = TheCopy::Damaged(&damage);
        assert_eq!(decide(&head(5), Some(&stands), all), Verdict::WriteCopy { damage: told });
        assert_eq!(decide(&head(5), None, all), Verdict::Ask);
    }

    #[test]
    fn what_is_of_another_state_or_went_another_way_is_not_believed() {
        let stands = counters(5, 5);
        let other = copy("other", 1, 5);
        assert_eq!(decide(&head(5), Some(&stands), TheCopy::Upto(&other)), Verdict::WriteCopy { damage: None });
        assert_eq!(decide(&head(5), None, TheCopy::Upto(&other)), Verdict::Ask);
        // The same commit, of another history.
        let strange = Counters { serial: Serial(9), ..counters(5, 5) };
        let ours = copy("first", 1, 5);
        assert_eq!(decide(&head(5), Some(&strange), TheCopy::Upto(&ours)), Verdict::BuildSled);
        let ahead = Counters { serial: Serial(9), ..counters(6, 6) };
        let further = copy("first", 1, 7);
        assert_eq!(decide(&head(5), Some(&ahead), TheCopy::Upto(&further)), Verdict::BuildSled);
        let mut apart = copy("first", 1, 4);
        apart.counters = strange;
        assert_eq!(decide(&head(5), Some(&stands), TheCopy::Upto(&apart)), Verdict::WriteCopy { damage: None });
    }
}
