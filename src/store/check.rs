//! Comparing the parts of a state with each other: head, sled, and the copy. Changes none of them.

use super::copy::{Copied, Ending, Opened as Copy};
use super::head::Head;
use super::heal::{self, Found, WholeSled};
use super::open;
use super::set_aside::{self, Aside};
use super::verdict::{behind, reaches};
use super::{head, index_file};
use crate::model::{Binding, ContactKey, Serial};
use crate::private_dir::PrivateDir;
use crate::state::{Counters, Error, Location, Row, Rows, Table, decode, owner_of};

/// A state that was looked through.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Checked {
    /// By sled where that is whole, and else by the copy.
    pub serial: Serial,
    pub contacts: u64,
    pub faults: Vec<Fault>,
    /// What was moved out of the way by earlier commands.
    pub set_aside: Vec<Aside>,
}

/// Something that is wrong with a state.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Fault {
    /// Why the head cannot be read.
    Head(String),
    /// Why sled cannot be used.
    Database(String),
    /// A contact is not in the reverse index as its binding says.
    Owner(ContactKey),
    /// The reverse index has contacts that no binding has.
    StrayOwners(u64),
    CopyMissing,
    /// Why the copy cannot be read, or from which line on.
    Copy(String),
    CopyOfAnotherState,
    /// sled has so many commits that the copy lacks.
    CopyBehind(u64),
    /// The copy has so many commits that sled lacks.
    DatabaseBehind(u64),
    /// So many rows differ between sled and the copy; one of them.
    Differ {
        rows: u64,
        example: String,
    },
}

/// Compares the parts of a state that nobody has open; `None` when there is no state.
pub fn check(location: &Location) -> Result<Option<Checked>, Error> {
    let Some((state, _lock)) = open::lock_existing(location)? else { return Ok(None) };
    let mut faults = Vec::new();
    let head = match head::read(&state) {
        Ok(head) => Some(head),
        Err(Error::Unreadable { why, .. }) => {
            faults.push(Fault::Head(why));
            None
        }
        Err(error) => return Err(error),
    };
    let sled = look_at_sled(&state, head.as_ref(), &mut faults)?;
    let copied = look_at_copy(&state, head.as_ref(), &mut faults)?;
    if let Some(sled) = &sled {
        check_owners(sled, &mut faults)?;
        if let Some(copied) = &copied {
            compare(sled, copied, &mut faults)?;
        }
    }
    let counters = sled.as_ref().map(|sled| &sled.counters).or(copied.as_ref().map(|copied| copied.counters()));
    let Counters { serial, totals, .. } = counters.cloned().unwrap_or_default();
    if let Some(sled) = sled {
        sled.db.close()?;
        index_file::vouch(&state);
    }
    let set_aside = set_aside::all(&state)?;
    Ok(Some(Checked { serial, contacts: totals.bindings, faults, set_aside }))
}

fn look_at_sled(
    state: &PrivateDir,
    head: Option<&Head>,
    faults: &mut Vec<Fault>,
) -> Result<Option<Box<WholeSled>>, Error> {
    match heal::look_at_sled(state, head.map(|head| &head.lineage))? {
        Found::Damaged(why) => {
            faults.push(Fault::Database(why));
            Ok(None)
        }
        Found::Whole(sled) => {
            if let Some(why) = head.and_then(|head| behind(&sled.counters, head)) {
                faults.push(Fault::Database(why));
            }
            Ok(Some(sled))
        }
    }
}

fn look_at_copy(
    state: &PrivateDir,
    head: Option<&Head>,
    faults: &mut Vec<Fault>,
) -> Result<Option<Box<Copied>>, Error> {
    let fault = match Copy::read(state) {
        Ok(Copy::None) => Fault::CopyMissing,
        Ok(Copy::Damaged(damage)) => Fault::Copy(damage.to_string()),
        Ok(Copy::Whole(copied)) if head.is_some_and(|head| head.lineage != copied.facts().lineage) => {
            Fault::CopyOfAnotherState
        }
        Ok(Copy::Whole(copied)) => {
            if let Ending::Damaged(damage) = &copied.scanned.ending {
                faults.push(Fault::Copy(damage.to_string()));
            } else if head.is_some_and(|head| !reaches(head, copied.counters())) {
                let head = head.map_or(0, |head| head.commit);
                faults.push(Fault::CopyBehind(head.saturating_sub(copied.counters().commit)));
            }
            return Ok(Some(copied));
        }
        Err(Error::Io { source, .. }) if heal::is_of_the_disk(&source) => {
            Fault::Copy(format!("it cannot be read: {source}"))
        }
        Err(error) => return Err(error),
    };
    faults.push(fault);
    Ok(None)
}

/// Compares the bindings with the reverse index.
fn check_owners(sled: &WholeSled, faults: &mut Vec<Fault>) -> Result<(), Error> {
    let (mut bindings, mut owners) = (0, 0);
    sled.db.scan(|key, value| {
        owners += u64::from(Table::Owners.has(key));
        if !Table::Bindings.has(key) {
            return Ok(());
        }
        bindings += 1;
        let Row::Binding(key) = sled.db.parse(key)? else { return Ok(()) };
        let binding: Binding = decode(sled.db.location(), value)?;
        if owner_of(&*sled.db, &binding.apollo_id)?.as_ref() != Some(&key) {
            faults.push(Fault::Owner(key));
        }
        Ok(())
    })?;
    if owners > bindings {
        faults.push(Fault::StrayOwners(owners - bindings));
    }
    Ok(())
}

/// Compares the rows of sled with those of the copy.
fn compare(sled: &WholeSled, copied: &Copied, faults: &mut Vec<Fault>) -> Result<(), Error> {
    let (here, there) = (sled.counters.commit, copied.counters().commit);
    if here != there {
        let fault = if here > there { Fault::CopyBehind(here - there) } else { Fault::DatabaseBehind(there - here) };
        if !faults.contains(&fault) && !faults.iter().any(|fault| matches!(fault, Fault::Copy(_))) {
            faults.push(fault);
        }
        return Ok(());
    }
    let mut differing = Differing::default();
    sled.db.protect(|db| {
        let is_copied = |key: &[u8]| !matches!(Row::parse(key), Some(Row::Facts | Row::Counters | Row::Owner(_)));
        let mut rows = db.db.iter().filter(|pair| pair.as_ref().map_or(true, |(key, _)| is_copied(key))).peekable();
        copied.each(|row, value| {
            let key = row.to_bytes();
            while let Some(pair) = rows.next_if(|pair| pair.as_ref().map_or(true, |(here, _)| *here.as_ref() < *key)) {
                differing.note(&pair.map_err(|error| db.failed(error))?.0);
            }
            match rows.next_if(|pair| pair.as_ref().is_ok_and(|(here, _)| *here.as_ref() == *key)) {
                Some(Ok((_, here))) if *here == *value => {}
                _ => differing.note(&key),
            }
            Ok(())
        })?;
        for pair in rows {
            differing.note(&pair.map_err(|error| db.failed(error))?.0);
        }
        Ok(())
    })?;
    if let Some(example) = differing.example {
        faults.push(Fault::Differ { rows: differing.rows, example });
    }
    Ok(())
}

#[derive(Default)]
struct Differing {
    rows: u64,
    example: Option<String>,
}

impl Differing {
    fn note(&mut self, key: &[u8]) {
        self.rows += 1;
        self.example.get_or_insert_with(|| String::from_utf8_lossy(key).into_owned());
    }
}
