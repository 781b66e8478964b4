//! The watcher on a real file system: every test changes something and awaits the look.
//!
//! A look that never comes hangs the test; that is its way to fail.

use std::collections::HashSet;
use std::fs;
use std::future::Future;
use std::io::Write;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::pin::pin;

use notify::event::Flag;
use notify::{Event, EventKind};
use tempfile::TempDir;

use super::snapshot::Snapshot;
use super::tree::Touch;
use super::watches::Watches;
use super::*;

/// A directory `contacts.d` with `a.yaml` and `team/b.yaml`, and room beside it.
struct World {
    root: TempDir,
}

impl World {
    fn new() -> Self {
        let world = Self { root: tempfile::tempdir().unwrap() };
        world.fill("contacts.d");
        world
    }

    fn at(&self, below: &str) -> PathBuf {
        self.root.path().join(below)
    }

    fn fill(&self, dir: &str) {
        fs::create_dir_all(self.at(dir).join("team")).unwrap();
        fs::write(self.at(dir).join("a.yaml"), "contacts: {}\n").unwrap();
        fs::write(self.at(dir).join("team/b.yaml"), "contacts: {}\n").unwrap();
    }

    fn options(&self) -> Options {
        self.options_for("contacts.d")
    }

    fn options_for(&self, dir: &str) -> Options {
        // Longer than it takes to make the watches again, so that one change is one look.
        Options { quiet: Duration::from_millis(200), ..Options::new(self.at(dir)) }
    }

    fn watch(&self) -> Watcher {
        Watcher::new(self.options()).unwrap()
    }
}

/// Swaps a link as git-sync and kubelet do.
fn swap(link: &Path, target: &str) {
    let fresh = link.parent().unwrap().join("..fresh");
    symlink(target, &fresh).unwrap();
    fs::rename(&fresh, link).unwrap();
}

/// Awaits looks until `reached` holds: a busy machine may split a burst.
async fn look_until(watcher: &mut Watcher, mut reached: impl FnMut(&mut Watcher) -> bool) {
    while !reached(watcher) {
        watcher.changed().await;
    }
}

/// Awaits looks until the notice was left.
async fn await_notice(watcher: &mut Watcher, notice: Notice) {
    look_until(watcher, |watcher| watcher.notices().contains(&notice)).await;
}

/// Awaits a look, and further ones until nothing is under way.
async fn settle(watcher: &mut Watcher) {
    watcher.changed().await;
    settle_if_busy(watcher).await;
}

async fn settle_if_busy(watcher: &mut Watcher) {
    while !is_idle(watcher) {
        watcher.changed().await;
    }
}

/// Tells whether nothing is under way right now.
fn is_idle(watcher: &mut Watcher) -> bool {
    watcher.take_in(Instant::now());
    watcher.debounce.step(Instant::now(), || false) == Step::Idle
}

#[tokio::test]
async fn a_file_written_in_place_calls_for_a_look() {
    let world = World::new();
    let mut watcher = world.watch();
    fs::write(world.at("contacts.d/team/b.yaml"), "contacts: {ada: {}}\n").unwrap();
    assert_eq!(watcher.changed().await, Look::Changed([world.at("contacts.d/team")].into()));
    assert_eq!(watcher.notices(), []);
}

#[tokio::test]
async fn an_editors_atomic_save_calls_for_a_look_each_time() {
    let world = World::new();
    let mut watcher = world.watch();
    for text in ["one", "two", "three"] {
        fs::write(world.at("contacts.d/.a.yaml.new"), text).unwrap();
        fs::rename(world.at("contacts.d/.a.yaml.new"), world.at("contacts.d/a.yaml")).unwrap();
        settle(&mut watcher).await;
    }
}

#[tokio::test]
async fn a_file_removed_calls_for_a_look() {
    let world = World::new();
    let mut watcher = world.watch();
    fs::remove_file(world.at("contacts.d/a.yaml")).unwrap();
    watcher.changed().await;
}

#[tokio::test]
async fn a_new_directory_is_watched_in_turn_however_deep() {
    let world = World::new();
    let mut watcher = world.watch();
    fs::create_dir_all(world.at("contacts.d/x/y/z")).unwrap();
    settle(&mut watcher).await;
    fs::write(world.at("contacts.d/x/y/z/c.yaml"), "").unwrap();
    settle(&mut watcher).await;
    fs::rename(world.at("contacts.d/x"), world.at("contacts.d/w")).unwrap();
    settle(&mut watcher).await;
    fs::write(world.at("contacts.d/w/y/z/c.yaml"), "contacts: {}").unwrap();
    watcher.changed().await;
}

#[tokio::test]
async fn a_mounted_config_map_is_seen_at_every_swap() {
    let world = World::new();
    let dir = world.at("mount");
    for version in ["..2026_01", "..2026_02", "..2026_03"] {
        fs::create_dir_all(dir.join(version)).unwrap();
        fs::write(dir.join(version).join("a.yaml"), version).unwrap();
    }
    symlink("..2026_01", dir.join("..data")).unwrap();
    symlink("..data/a.yaml", dir.join("a.yaml")).unwrap();
    let mut watcher = Watcher::new(world.options_for("mount")).unwrap();
    for version in ["..2026_02", "..2026_03"] {
        swap(&dir.join("..data"), version);
        settle(&mut watcher).await;
    }
    fs::write(dir.join("..2026_03/a.yaml"), "written behind the links").unwrap();
    watcher.changed().await;
}

#[tokio::test]
async fn a_link_to_a_directory_that_links_may_lead_to_is_watched_where_it_leads() {
    let world = World::new();
    world.fill("elsewhere");
    symlink("../elsewhere/team", world.at("contacts.d/linked")).unwrap();
    symlink("../elsewhere/a.yaml", world.at("contacts.d/linked.yaml")).unwrap();
    let bounds = Bounds { root_within: None, follow_within: vec![world.at("elsewhere")] };
    let mut watcher = Watcher::new(Options { bounds, ..world.options() }).unwrap();
    for file in ["elsewhere/a.yaml", "elsewhere/team/b.yaml"] {
        fs::write(world.at(file), "contacts: {ada: {}}\n").unwrap();
        settle(&mut watcher).await;
    }
}

#[tokio::test]
async fn a_directory_removed_and_put_back_is_watched_again() {
    let world = World::new();
    let mut watcher = world.watch();
    let dir = world.at("contacts.d");
    for _ in 0..2 {
        fs::remove_dir_all(&dir).unwrap();
        await_notice(&mut watcher, Notice::Missing { dir: dir.clone() }).await;
        world.fill("contacts.d");
        await_notice(&mut watcher, Notice::Remade { dir: dir.clone() }).await;
    }
    settle_if_busy(&mut watcher).await;
    fs::write(world.at("contacts.d/team/b.yaml"), "contacts: {ada: {}}\n").unwrap();
    watcher.changed().await;
}

#[tokio::test]
async fn a_directory_renamed_away_with_another_in_its_place_is_seen() {
    let world = World::new();
    let mut watcher = world.watch();
    world.fill("next");
    fs::rename(world.at("contacts.d"), world.at("previous")).unwrap();
    fs::rename(world.at("next"), world.at("contacts.d")).unwrap();
    settle(&mut watcher).await;
    fs::write(world.at("contacts.d/a.yaml"), "contacts: {ada: {}}\n").unwrap();
    watcher.changed().await;
}

#[tokio::test]
async fn a_directory_that_comes_late_is_awaited_through_all_its_parents() {
    let world = World::new();
    let dir = world.at("mount/team/contacts.d");
    let mut watcher = Watcher::new(world.options_for("mount/team/contacts.d")).unwrap();
    assert_eq!(watcher.notices(), [Notice::Missing { dir: dir.clone() }]);
    fs::create_dir(world.at("mount")).unwrap();
    settle(&mut watcher).await;
    world.fill("mount/team/contacts.d");
    await_notice(&mut watcher, Notice::Remade { dir }).await;
}

#[tokio::test]
async fn a_synced_repository_is_seen_at_every_swap() {
    let world = World::new();
    for tree in ["one", "two", "three"] {
        world.fill(&format!("trees/{tree}/contacts.d"));
    }
    symlink("trees/one", world.at("current")).unwrap();
    let mut watcher = Watcher::new(world.options_for("current/contacts.d")).unwrap();
    let dir = world.at("current/contacts.d");
    for tree in ["trees/two", "trees/three"] {
        swap(&world.at("current"), tree);
        await_notice(&mut watcher, Notice::Remade { dir: dir.clone() }).await;
    }
    settle_if_busy(&mut watcher).await;
    fs::write(world.at("trees/three/contacts.d/a.yaml"), "contacts: {ada: {}}\n").unwrap();
    watcher.changed().await;
}

#[tokio::test]
async fn a_checkout_of_ten_thousand_files_is_one_burst() {
    let world = World::new();
    // Quiet for longer than any pause of the writing below, on any machine.
    let options = Options { quiet: Duration::from_millis(500), longest: Duration::MAX / 4, ..world.options() };
    let mut watcher = Watcher::new(options).unwrap();
    for number in 0..10_000 {
        let directory = world.at("contacts.d").join(format!("{}", number / 100));
        fs::create_dir_all(&directory).unwrap();
        fs::write(directory.join(format!("{number}.yaml")), "contacts: {}\n").unwrap();
    }
    let mut looks = 0;
    while !is_idle(&mut watcher) || looks == 0 {
        watcher.changed().await;
        looks += 1;
    }
    assert!(looks <= 2, "{looks} looks");
}

#[tokio::test]
async fn polling_notices_each_change_and_says_nothing_of_it() {
    let world = World::new();
    let options = Options { poll: Some(Duration::from_millis(5)), ..world.options() };
    let mut watcher = Watcher::new(options).unwrap();
    for file in ["contacts.d/a.yaml", "contacts.d/team/new.yaml"] {
        fs::write(world.at(file), file).unwrap();
        watcher.changed().await;
    }
    assert_eq!(watcher.notices(), []);
}

#[tokio::test]
async fn polling_sees_the_directory_go_and_come() {
    let world = World::new();
    let options = Options { poll: Some(Duration::from_millis(5)), ..world.options() };
    let mut watcher = Watcher::new(options).unwrap();
    let dir = world.at("contacts.d");
    fs::remove_dir_all(&dir).unwrap();
    await_notice(&mut watcher, Notice::Missing { dir: dir.clone() }).await;
    world.fill("contacts.d");
    await_notice(&mut watcher, Notice::Remade { dir }).await;
}

#[tokio::test]
async fn lost_events_call_for_a_rescan_and_are_told() {
    let world = World::new();
    let mut watcher = world.watch();
    watcher.inbox.receive(Ok(Event::new(EventKind::Other).set_flag(Flag::Rescan)));
    assert_eq!(watcher.changed().await, Look::Rescan);
    assert_eq!(watcher.notices(), [Notice::Overflow { dir: world.at("contacts.d") }]);
    settle_if_busy(&mut watcher).await;
    fs::write(world.at("contacts.d/a.yaml"), "contacts: {ada: {}}\n").unwrap();
    watcher.changed().await;
}

#[tokio::test]
async fn a_look_waits_for_git_to_finish() {
    let world = World::new();
    fs::create_dir(world.at(".git")).unwrap();
    fs::write(world.at(".git/index.lock"), "").unwrap();
    let mut watcher = world.watch();
    fs::write(world.at("contacts.d/a.yaml"), "contacts: {ada: {}}\n").unwrap();
    watcher.outbox.told().await;
    watcher.take_in(Instant::now());
    let quiet = Instant::now() + Duration::from_secs(1);
    assert!(matches!(watcher.debounce.step(quiet, || watcher.gate.is_held()), Step::Wait(_)));
    fs::remove_file(world.at(".git/index.lock")).unwrap();
    watcher.changed().await;
}

#[tokio::test]
async fn a_future_dropped_again_and_again_loses_no_look() {
    let world = World::new();
    let mut watcher = world.watch();
    fs::write(world.at("contacts.d/a.yaml"), "contacts: {ada: {}}\n").unwrap();
    let look = std::future::poll_fn(|context| {
        let polled = pin!(watcher.changed()).poll(context);
        if polled.is_pending() {
            context.waker().wake_by_ref();
        }
        polled
    });
    look.await;
}

#[test]
fn reading_everything_and_writing_our_own_state_say_nothing() {
    let world = World::new();
    let dir = fs::canonicalize(world.at("contacts.d")).unwrap();
    let inbox = Arc::new(Inbox::default());
    let watches = Watches::set(&Place::new(dir.clone()), &inbox).unwrap();
    fs::read(dir.join("a.yaml")).unwrap();
    fs::read_dir(dir.join("team")).unwrap().for_each(drop);
    fs::create_dir(dir.join(".contactsd")).unwrap();
    fs::write(dir.join(".contactsd/head"), "1").unwrap();
    fs::write(world.at("beside"), "not below the directory").unwrap();
    // Events come in order: with the last one, all that the lines above led to is there.
    let last = dir.join("last.yaml");
    fs::write(&last, "").unwrap();
    let mut heard = HashSet::new();
    while !heard.contains(&last) {
        heard.extend(inbox.wait(Duration::MAX).paths);
    }
    heard.retain(|path| watches.tree.judge(path) != Touch::Nothing);
    assert_eq!(heard, HashSet::from([last]));
}

#[test]
fn once_events_cannot_be_had_changes_are_polled_for_and_the_operator_is_told_why() {
    let world = World::new();
    let (inbox, outbox) = (Arc::new(Inbox::default()), Arc::new(Outbox::default()));
    let interval = Duration::from_millis(5);
    let worker = Worker::new(Place::new(world.at("contacts.d")), Some(interval), inbox, Arc::clone(&outbox));
    let before = worker.fall_back(Cause::WatchLimit);
    fs::write(world.at("contacts.d/new.yaml"), "").unwrap();
    assert_ne!(before, Snapshot::take(&Place::new(world.at("contacts.d"))));
    let dir = world.at("contacts.d");
    assert_eq!(outbox.take_notices(), [Notice::Polling { dir, interval, cause: Cause::WatchLimit }]);
}

#[tokio::test]
async fn a_watching_thread_that_breaks_down_is_noticed_and_begins_again() {
    let world = World::new();
    let mut watcher = world.watch();
    watcher.inbox.break_down();
    assert_eq!(watcher.changed().await, Look::Rescan);
    let [Notice::Broken { reason, .. }] = &watcher.notices()[..] else { panic!("nothing was said of it") };
    assert!(reason.contains("a test breaks it down"));
    fs::write(world.at("contacts.d/a.yaml"), "contacts: {ada: {}}\n").unwrap();
    watcher.changed().await;
}

#[tokio::test]
async fn a_state_inside_the_directory_calls_for_no_look() {
    let world = World::new();
    let options = Options { ignore: vec![world.at("contacts.d/state")], ..world.options() };
    let mut watcher = Watcher::new(options).unwrap();
    fs::create_dir_all(world.at("contacts.d/state/sled")).unwrap();
    fs::write(world.at("contacts.d/state/head"), "").unwrap();
    fs::write(world.at("contacts.d/team/b.yaml"), "contacts: {ada: {}}\n").unwrap();
    assert_eq!(watcher.changed().await, Look::Changed([world.at("contacts.d/team")].into()));
}

#[tokio::test(start_paused = true)]
async fn a_stir_is_told_at_once_and_its_look_when_it_is_over() {
    let world = World::new();
    let (mut watcher, hand) = Watcher::by_hand(&Options::new(world.at("contacts.d")));
    let begun = Instant::now();
    hand.tell(Look::Changed([world.at("contacts.d")].into()));
    watcher.stirred().await;
    watcher.stirred().await;
    assert_eq!(begun.elapsed(), Duration::ZERO);
    hand.tell(Look::Changed([world.at("contacts.d/team")].into()));
    let both = [world.at("contacts.d"), world.at("contacts.d/team")].into();
    assert_eq!(watcher.changed().await, Look::Changed(both));
    assert_eq!(begun.elapsed(), Duration::from_millis(500));
}

#[tokio::test]
async fn a_file_calls_for_a_look_when_it_is_closed_and_not_before() {
    let world = World::new();
    let mut watcher = world.watch();
    let path = world.at("contacts.d/a.yaml");
    let mut file = fs::File::create(&path).unwrap();
    file.write_all(b"contacts: {ada: {email: ada@mills.example.co").unwrap();
    // Events come in order: when this one is heard, the write before it was.
    fs::write(world.at("contacts.d/team/b.yaml"), "contacts: {ada: {}}\n").unwrap();
    assert_eq!(watcher.changed().await, Look::Changed([world.at("contacts.d/team")].into()));
    assert_eq!(watcher.being_written(), [path]);
    file.write_all(b"m}}\n").unwrap();
    drop(file);
    assert_eq!(watcher.changed().await, Look::Changed([world.at("contacts.d")].into()));
    assert!(watcher.being_written().is_empty());
}

#[tokio::test]
async fn a_log_beside_the_contact_files_wakes_nobody() {
    let world = World::new();
    let mut watcher = world.watch();
    fs::write(world.at("contacts.d/app.log"), "started\n").unwrap();
    fs::write(world.at("contacts.d/app.log"), "ended\n").unwrap();
    fs::write(world.at("contacts.d/team/b.yaml"), "contacts: {ada: {}}\n").unwrap();
    assert_eq!(watcher.changed().await, Look::Changed([world.at("contacts.d/team")].into()));
}
