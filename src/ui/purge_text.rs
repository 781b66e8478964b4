//! What is removed about a person, and what cannot be reached.

use super::amounts::counted;
use crate::model::ContactKey;
use crate::ops::Traces;

/// Words what is going to be removed, before it is asked for.
///
/// `in_sandbox`, whether the sandbox's data is made again without the person as well.
pub fn purge_text(key: &ContactKey, traces: &Traces, in_database: bool, in_sandbox: bool) -> String {
    let Traces { binding, intents, conflict, tombstone, contacts, aside } = traces;
    let mut removed = Vec::new();
    if *binding {
        removed.push("what is managed: its fields, its contact and its runs".to_owned());
    }
    if *intents > 0 {
        removed.push(format!(
            "{} without a recorded outcome; their results will not be looked up",
            counted(*intents, "request")
        ));
    }
    if *conflict {
        removed.push("what waits for a decision".to_owned());
    }
    if *tombstone {
        removed.push("the record that it was managed, which would find it again if it came back".to_owned());
    }
    if removed.is_empty() {
        removed
            .push("older parts of the state's files, which may still hold the person; no current row does".to_owned());
    }
    removed.push("hashes of its e-mail and name, where the account was read".to_owned());
    if in_database {
        removed.push("every row of the state is written again without it".to_owned());
    } else {
        removed.push("the database, its copy and the index, which are made again without it".to_owned());
    }
    if in_sandbox {
        let named: Vec<&str> = contacts.iter().map(crate::model::ApolloId::as_str).collect();
        let of = if named.is_empty() { "as far as the state knows it".to_owned() } else { named.join(", ") };
        removed.push(format!("its contact in the sandbox ({of}), whose data is made again without it"));
    }
    removed.extend(aside.iter().map(|aside| format!("{}, which was moved aside and may hold it", aside.name)));
    let list = |items: &[String]| format!("  - {}\n", items.join("\n  - "));
    format!(
        "Every trace of {} will be removed from the state:\n\n{}\nNot in the state; remove these yourself:\n\n{}",
        key.address(),
        list(&removed),
        list(&out_of_reach(in_database, in_sandbox)).trim_end()
    )
}

/// Words that it is done.
pub fn purged_text(key: &ContactKey) -> String {
    format!("The state holds nothing about {} any more. Nothing was changed in Apollo.", key.address())
}

fn out_of_reach(in_database: bool, in_sandbox: bool) -> Vec<String> {
    let mut places = vec![
        "the contact in Apollo: delete it there, or apply may find it again".to_owned(),
        "the history of the repository that held its entry".to_owned(),
        "backups, pulled states, saved plans, logs, and output that was saved elsewhere".to_owned(),
    ];
    if !in_sandbox {
        places.push("the data of the sandbox, if it was ever applied there: run this with --sandbox too".to_owned());
    }
    if in_database {
        places
            .push("old versions of rows until the database is vacuumed, its write-ahead log, its replicas".to_owned());
    } else {
        places.push("traces of removed files on the disk".to_owned());
    }
    places
}
