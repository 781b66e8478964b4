//! States that are pulled and pushed: all of them or nothing.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use proptest::prelude::*;

use super::support::*;
use crate::index::StateNote;
use crate::model::{Digest, Endpoint, IntentId, Serial, Timestamp};
use crate::state::tests::model::any_change;
use crate::state::{Change, Error, Location, Snapshot, Wanted};
use crate::store::guard::open_sled;
use crate::store::{Basis, Held, Incoming, Options, Seat, pull, renew, stands};

fn pulled(world: &World) -> String {
    let mut text = Vec::new();
    pull(&world.location(), &mut text).unwrap().expect("there is a state");
    String::from_utf8(text).unwrap()
}

fn load(world: &World, text: &str, force: bool) -> Result<Incoming, Error> {
    Held::take(Options { location: world.location(), ..options(&world.path()) })?.load(&mut text.as_bytes(), force)
}

fn push(world: &World, text: &str) {
    load(world, text, false).unwrap().install().unwrap();
}

/// Names what a directory holds, but for what is noted of sled's log.
fn names(directory: &Path) -> Vec<String> {
    let mut names: Vec<_> =
        fs::read_dir(directory).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
    names.retain(|name| name != "index.sled");
    names.sort();
    names
}

/// A state with a row of each kind.
async fn sample() -> World {
    sample_in(World::new()).await
}

async fn sample_in(world: World) -> World {
    let store = world.open();
    for number in 0..5 {
        let (key, binding) = (key(&format!("k{number}")), Box::new(binding(number, "Engineer \u{9b}\u{1b}é\n")));
        store.commit(vec![Change::PutBinding { key, binding }]).await.unwrap();
    }
    let more = vec![
        Change::Forget { key: key("k4"), tombstone: tombstone(4) },
        Change::PutIntent { id: IntentId(300), intent: Box::new(intent("k7")) },
        Change::PutIntent { id: IntentId(2), intent: Box::new(intent("k8")) },
        Change::PutConflict(conflict("k9")),
        Change::PutQuota { endpoint: Endpoint::CreateContact, ledger: "{\"a\": 1}".to_owned() },
        Change::PutTeam("t1".to_owned()),
        Change::PutCredential("hash".to_owned()),
        Change::BeginPlan(Digest("plan".to_owned())),
        Change::SpendAction { plan: Digest("plan".to_owned()), key: key("k1") },
    ];
    store.commit(more).await.unwrap();
    store.close().await.unwrap();
    world
}

/// A state like the sample that has gone on by itself.
async fn sample_and(changes: Vec<Change>) -> World {
    go_on(sample().await, changes).await
}

async fn go_on(world: World, changes: Vec<Change>) -> World {
    let store = world.open();
    store.commit(changes).await.unwrap();
    store.close().await.unwrap();
    world
}

fn rename(from: &str, to: &str) -> Vec<Change> {
    vec![Change::Rename { from: key(from), to: key(to) }]
}

fn everything(world: &World) -> Option<Snapshot> {
    world.try_read(&Wanted::everything()).unwrap()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(32))]

    #[test]
    fn a_pulled_state_is_pushed_to_the_byte(changes in prop::collection::vec(any_change(), 0..40)) {
        over_each_engine(async |world| {
            let store = world.open();
            for change in changes.clone() {
                // Some are refused, for a contact has one key.
                let _ = store.commit(vec![change]).await;
            }
            let next = store.next_intent_id();
            store.close().await.unwrap();
            let text = pulled(&world);
            let other = World::new();
            push(&other, &text);
            assert_eq!(pulled(&other), text);
            assert_eq!(everything(&other), everything(&world));
            // And back, over what is there.
            let back = load(&world, &pulled(&other), true).unwrap();
            assert!(back.is_the_same());
            back.install().unwrap();
            for world in [&world, &other] {
                assert_eq!(pulled(world), text);
                let store = world.open();
                assert!(store.next_intent_id() >= next || next == IntentId(1));
                store.commit(vec![Change::RemoveBinding { key: key("k0") }]).await.unwrap();
                store.close().await.unwrap();
            }
        });
    }
}

#[test]
fn a_copy_is_lines_of_json_with_everything() {
    over_each_engine(async |world| {
        let world = sample_in(world).await;
        let text = pulled(&world);
        let lines: Vec<serde_json::Value> = text.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
        assert_eq!((&lines[0]["format_version"], &lines[0]["lineage"]), (&"1.0".into(), &"first".into()));
        assert_eq!((&lines[0]["serial"], &lines[0]["last_intent"]), (&6.into(), &300.into()));
        let keys: Vec<_> = lines.iter().filter_map(|line| line["key"].as_str()).collect();
        let expected = [
            "b/k0",
            "b/k1",
            "b/k2",
            "b/k3",
            "c/k9",
            "i/2",
            "i/300",
            "m/credential",
            "m/plan",
            "m/team",
            "q/create_contact",
            "s/k1",
            "t/k4",
        ];
        assert_eq!(keys, expected);
        assert_eq!(lines.last().unwrap()["rows"], 13);
        assert!(text.ends_with("\"}\n"));
    });
}

#[test]
fn a_state_takes_the_place_of_one_that_is_behind() {
    over_each_engine(async |world| {
        let old = sample_in(world).await;
        let before = everything(&old);
        let new = sample_and(rename("k0", "k6")).await;
        let text = pulled(&new);
        let incoming = load(&old, &text, false).unwrap();
        assert_eq!(incoming.current().unwrap().serial, Serial(6));
        assert_eq!((incoming.loaded().serial, incoming.loaded().bindings), (Serial(7), 4));
        assert!(!incoming.is_the_same());
        drop(incoming);
        assert_eq!(everything(&old), before, "loading changes nothing");
        push(&old, &text);
        assert_eq!(everything(&old), everything(&new));
        assert!(load(&old, &text, false).unwrap().is_the_same());
        if let Location::Directory(path) = old.location() {
            assert_eq!(names(&path), ["copy.jsonl", "head", "lock", "sled"]);
        }
    });
}

#[tokio::test]
async fn what_is_not_a_whole_copy_changes_nothing() {
    let new = sample_and(rename("k0", "k6")).await;
    let text = pulled(&new);
    let (world, missing) = (sample().await, World::new());
    let before = everything(&world);
    let lines: Vec<&str> = text.lines().collect();
    let join = |lines: &[&str]| lines.iter().flat_map(|line| [line, "\n"]).collect::<String>();
    let mut broken: Vec<String> = (0..lines.len()).map(|count| join(&lines[..count])).collect();
    broken.extend((1..text.len()).step_by(97).map(|length| text[..text.floor_char_boundary(length)].to_owned()));
    broken.extend((1..lines.len()).map(|left_out| join(&[&lines[..left_out], &lines[left_out + 1..]].concat())));
    broken.extend((1..lines.len()).map(|twice| join(&[&lines[..=twice], &lines[twice..]].concat())));
    broken.push(join(&lines.iter().rev().copied().collect::<Vec<_>>()));
    broken.push(text.replacen("Engineer", "Director", 1));
    broken.push(format!("{text}{text}"));
    broken.push(text.replacen("\"1.0\"", "\"2.0\"", 1));
    broken.push(text.replacen("\"state_format\":1", "\"state_format\":9", 1));
    broken.push("{\"format_version\":\"1.0\"}\n".to_owned());
    broken.push("contacts:\n".to_owned());
    for text in broken {
        for world in [&world, &missing] {
            let refused = load(world, &text, true).unwrap_err();
            assert!(matches!(refused, Error::NotACopy { .. }), "{refused}\n{text}");
            assert!(!world.path().join("incoming").exists());
        }
    }
    assert_eq!(everything(&world), before);
    assert_eq!(everything(&missing), None);
    push(&missing, &text);
    assert_eq!(everything(&missing), everything(&new));
}

#[tokio::test]
async fn two_keys_for_one_contact_are_refused_however_well_they_are_sealed() {
    let text = pulled(&sample().await);
    let contact = format!("\"apollo_id\":\"{}\"", id(1));
    let forged = text.replace(&contact, &format!("\"apollo_id\":\"{}\"", id(0)));
    let (rows, _) = forged.trim_end().rsplit_once('\n').unwrap();
    let rows = format!("{rows}\n");
    let refused = load(&World::new(), &seal(&rows, 13), true).unwrap_err();
    assert!(refused.to_string().contains("belongs to two keys"), "{refused}");
}

/// Puts a true last line behind rows that nobody pulled.
fn seal(rows: &str, count: usize) -> String {
    format!("{rows}{{\"rows\":{count},\"checksum\":\"{}\"}}\n", blake3::hash(rows.as_bytes()).to_hex())
}

#[tokio::test]
async fn a_row_that_no_version_up_to_this_one_writes_is_refused_in_both_directions() {
    let text = pulled(&sample().await);
    let (rows, _) = text.trim_end().rsplit_once('\n').unwrap();
    let refused =
        load(&World::new(), &seal(&format!("{rows}\n{{\"key\":\"x/new\",\"value\":1}}\n"), 14), true).unwrap_err();
    assert!(refused.to_string().contains("line 15: x/new is a row of unknown kind"), "{refused}");
    let world = sample().await;
    fs::remove_file(world.path().join("copy.jsonl")).unwrap();
    let db = open_sled(&world.path()).unwrap();
    db.db.insert("x/new", b"\x011").unwrap();
    db.db.flush().unwrap();
    drop(db);
    let mut out = Vec::new();
    let refused = pull(&world.location(), &mut out).unwrap_err();
    assert!(refused.to_string().contains("a row of unknown kind"), "{refused}");
    assert!(!String::from_utf8(out).unwrap().contains("\"rows\""));
}

/// What a saved plan has done is not done again from a copy.
#[test]
fn what_a_saved_plan_has_done_travels() {
    over_each_engine(async |world| {
        let world = sample_in(world).await;
        let progress = async |world: &World| {
            let store = world.open();
            let progress = store.plan_progress().await.unwrap();
            store.close().await.unwrap();
            progress
        };
        let before = progress(&world).await;
        assert_eq!((before.plan.is_some(), before.spent.len()), (true, 1));
        let other = World::new();
        push(&other, &pulled(&world));
        assert_eq!(progress(&other).await, before);
    });
}

#[tokio::test]
async fn a_state_is_not_replaced_beside_a_service_paused_or_not() {
    let world = sample().await;
    let text = pulled(&world);
    let seat = Seat::take(&world.location(), &holder()).unwrap();
    seat.pause(Timestamp(7)).unwrap();
    let refused = load(&world, &text, true).unwrap_err();
    assert!(matches!(&refused, Error::Serviced { holder: Some(named), .. } if **named == holder()), "{refused}");
    assert_eq!(pulled(&world), text, "a paused service releases the state, so it can be pulled");
    drop(seat);
    load(&world, &text, false).unwrap();
    // A service beside no state yet as well.
    let missing = World::new();
    let _seat = Seat::take(&missing.location(), &holder()).unwrap();
    assert!(matches!(load(&missing, &text, true), Err(Error::Serviced { .. })));
}

/// An index and its mark are of the state that was; nothing of them outlives it, wherever a push is cut off.
#[tokio::test]
async fn an_index_vouches_for_no_state_that_was_pushed() {
    let world = sample().await;
    let store = world.open();
    let (head, _) = store.head().await.unwrap().unwrap();
    assert!(store.renew_index(head.clone(), |out| Ok(out.write_all(b"index")?)).await.unwrap());
    store.close().await.unwrap();
    let note = StateNote { head, origin: ORIGIN.to_owned(), orphans: Vec::new(), is_quiet: false, applied: 0 };
    assert!(stands(&world.location(), &note));
    let text = pulled(&sample_and(rename("k0", "k6")).await);
    let incoming = load(&world, &text, false).unwrap();
    assert!(stands(&world.location(), &note), "loading changes nothing");
    fs::rename(world.path().join("incoming"), world.path().join("arrived")).unwrap();
    assert!(!stands(&world.location(), &note), "it is decided");
    drop(incoming);
    assert!(!renew(&world.location(), &Basis::of(&note), |_| panic!("it is of the state that was")).unwrap());
    assert_eq!(names(&world.path()), ["copy.jsonl", "head", "lock", "sled"], "whoever takes the lock finishes");
    assert!(!stands(&world.location(), &note));
}

#[test]
fn an_older_or_another_state_needs_force_and_that_of_another_api_is_refused() {
    over_each_engine(async |world| {
        let world = go_on(sample_in(world).await, rename("k0", "k6")).await;
        let before = everything(&world);
        let other = World::new();
        let store = open(&other.path(), "second").unwrap();
        store.close().await.unwrap();
        let fork = sample_and(rename("k1", "k7")).await;
        for (from, why) in [(sample().await, "older"), (other, "lineage"), (fork, "differ")] {
            let text = pulled(&from);
            let refused = load(&world, &text, false).unwrap_err();
            assert!(
                matches!(&refused, Error::PushRefused { setback, .. } if setback.to_string().contains(why)),
                "{refused}"
            );
            assert_eq!(everything(&world), before);
            load(&world, &text, true).unwrap();
        }
        let options = Options { location: world.location(), ..options(&world.path()) };
        let strange = Options { origin: "https://other.example.com".to_owned(), ..options };
        assert!(matches!(Held::take(strange.clone()), Err(Error::OtherOrigin { .. })));
        let elsewhere = World::new();
        let held = Held::take(Options { location: elsewhere.location(), ..strange }).unwrap();
        let refused = held.load(&mut pulled(&world).as_bytes(), true).unwrap_err();
        assert!(matches!(refused, Error::OtherOrigin { .. }), "{refused}");
        load(&world, &pulled(&sample().await), true).unwrap().install().unwrap();
        assert_eq!(everything(&world), everything(&sample().await));
    });
}

#[tokio::test]
async fn an_exchange_that_stops_anywhere_has_not_happened_or_is_finished_by_whoever_comes_next() {
    let new = sample_and(rename("k0", "k6")).await;
    let text = pulled(&new);
    for had_one in [true, false] {
        for steps in 0..6 {
            let world = if had_one { sample().await } else { World::new() };
            let (state, before) = (world.path(), everything(&world));
            let incoming = load(&world, &text, false).unwrap();
            fs::write(state.join("index.behind"), "of the state that was").unwrap();
            let arrived = state.join("arrived");
            // What `install` does, up to a step.
            if steps == 0 {
                let aside = tempfile::tempdir().unwrap();
                copy_tree(&state.join("incoming"), aside.path());
                drop(incoming);
                copy_tree(aside.path(), &state.join("incoming"));
                fs::remove_file(state.join("index.behind")).unwrap();
                assert_eq!(everything(&world), before);
                world.open().close().await.unwrap();
                assert!(!state.join("incoming").exists(), "what was not decided is cleared up");
                continue;
            }
            fs::rename(state.join("incoming"), &arrived).unwrap();
            drop(incoming);
            if steps >= 2 && had_one {
                fs::remove_file(state.join("copy.jsonl")).unwrap();
                fs::remove_dir_all(state.join("sled")).unwrap();
            }
            if steps >= 3 {
                let _ = fs::remove_dir_all(state.join("sled"));
                fs::rename(arrived.join("sled"), state.join("sled")).unwrap();
            }
            if steps >= 4 {
                fs::rename(arrived.join("copy.jsonl"), state.join("copy.jsonl")).unwrap();
            }
            if steps >= 5 {
                fs::rename(arrived.join("head"), state.join("head")).unwrap();
            }
            if steps % 2 == 0 {
                let store = world.open();
                assert_eq!(Some(store.snapshot(&Wanted::everything()).await.unwrap()), everything(&new));
                store.close().await.unwrap();
            }
            assert_eq!(everything(&world), everything(&new), "after step {steps}");
            assert_eq!(names(&state), ["copy.jsonl", "head", "lock", "sled"]);
        }
    }
}

#[tokio::test]
async fn what_is_pushed_is_private() {
    fn check(path: &Path) {
        let mode = fs::metadata(path).unwrap().permissions().mode() & 0o777;
        assert_eq!(mode, if path.is_dir() { 0o700 } else { 0o600 }, "{}", path.display());
        if path.is_dir() {
            for name in names(path) {
                check(&path.join(name));
            }
        }
    }
    let world = World::new();
    push(&world, &pulled(&sample().await));
    check(&world.path());
}

#[tokio::test]
async fn a_state_that_is_written_is_pulled_and_not_replaced() {
    let world = sample().await;
    let text = pulled(&world);
    let store = world.open();
    assert!(matches!(load(&world, &text, true), Err(Error::Locked { .. })));
    assert_eq!(pulled(&world), text);
    store.commit(vec![Change::RemoveBinding { key: key("k0") }]).await.unwrap();
    let without = pulled(&world);
    assert!(!without.contains("\"b/k0\"") && without.lines().count() == text.lines().count() - 1, "{without}");
    store.close().await.unwrap();
    assert_eq!(pulled(&world), without);
    // One without a copy is read from what the writer has open.
    fs::remove_file(world.path().join("copy.jsonl")).unwrap();
    let held = Held::take(options(&world.path())).unwrap();
    let Err(Error::Locked { holder: Some(holder), .. }) = world.try_open() else { panic!("it is held") };
    assert_eq!(holder.pid, 4242);
    drop(held);
    world.open().close().await.unwrap();
}

#[tokio::test]
async fn a_damaged_state_is_not_pulled_as_a_whole_one() {
    let world = sample().await;
    fs::remove_file(world.path().join("copy.jsonl")).unwrap();
    let database = world.path().join("sled/db");
    let whole = fs::read(&database).unwrap();
    fs::write(&database, &whole[..whole.len() / 3]).unwrap();
    let mut out = Vec::new();
    assert!(pull(&world.location(), &mut out).is_err());
    assert!(!String::from_utf8(out).unwrap().contains("\"rows\""));
}
