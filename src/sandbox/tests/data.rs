//! The data directory: restarts, crashes, and who owns it.

use std::collections::BTreeSet;
use std::fs::{self, OpenOptions};
use std::io::Write;
use std::os::unix::fs::PermissionsExt;
use std::path::PathBuf;
use std::sync::Arc;

use serde_json::json;

use super::super::{Error, Sandbox, Server, attach_or_start};
use super::{World, ada, ada_again, options};

impl World {
    fn log(&self) -> PathBuf {
        self.data.path().join("data/log.jsonl")
    }

    fn append_to_log(&self, bytes: &[u8]) {
        OpenOptions::new().append(true).open(self.log()).unwrap().write_all(bytes).unwrap();
    }
}

#[tokio::test]
async fn a_restart_keeps_everything_that_was_answered() {
    let world = World::new().await;
    let id = world.create(ada_again(&json!({ "label_names": ["A"], "website_url": "https://example.com" }))).await.id();
    let gone = world.create(json!({ "first_name": "Bo" })).await.id();
    world.patch(&id, json!({ "title": "Poet" })).await;
    world.delete_by_hand(&gone).await;
    let (contacts, labels) = (world.server.contacts(), world.labels().await);
    // Twice: the second start reads what the first wrote again.
    let world = world.restarted().await.restarted().await;
    assert_eq!(world.server.contacts(), contacts);
    assert_eq!(world.labels().await, labels);
    assert_eq!(world.view(&gone).await.json()["deleted_contact_ids"], json!([gone]));
    assert_eq!(world.search(json!({ "q_keywords": "poet" })).await.json()["pagination"]["total_entries"], 1);
    assert_eq!(world.create(ada_again(&json!({}))).await.id(), id);
}

#[tokio::test]
async fn an_answered_change_is_in_the_file_before_the_answer() {
    let world = World::new().await;
    let id = world.create(ada()).await.id();
    assert!(fs::read_to_string(world.log()).unwrap().contains(&id));
}

#[tokio::test]
async fn ids_are_never_given_twice() {
    let mut world = World::new().await;
    let mut ids = BTreeSet::new();
    for round in 0..3 {
        for _ in 0..5 {
            let id = world.create(json!({ "first_name": "Bo" })).await.id();
            assert_eq!(id.len(), 24);
            assert!(ids.insert(id.clone()), "round {round}");
            world.delete_by_hand(&id).await;
        }
        world = world.restarted().await;
    }
}

#[tokio::test]
async fn the_torn_end_of_the_log_is_dropped() {
    for torn in [b"{\"contacts\":[{\"id\":\"65".as_slice(), b"\0\0\0\n{\"labels\":[", b"{\"contacts\":7}\n"] {
        let world = World::new().await;
        let id = world.create(ada()).await.id();
        world.append_to_log(torn);
        let world = world.restarted().await;
        assert_eq!(world.view(&id).await.id(), id);
        assert_eq!(world.server.contacts().len(), 1);
        let next = world.create(json!({ "first_name": "Bo" })).await.id();
        assert_eq!(world.restarted().await.view(&next).await.id(), next);
    }
}

#[tokio::test]
async fn damage_before_good_lines_is_refused_and_the_file_left_alone() {
    for (from, to, line) in [("\"contacts\"", "\"contacts", 2), ("contactsd_sandbox", "something else", 1)] {
        let world = World::new().await;
        world.create(ada()).await;
        world.create(json!({ "first_name": "Bo" })).await;
        world.server.stop().await.unwrap();
        let log = world.data.path().join("data/log.jsonl");
        let damaged = fs::read_to_string(&log).unwrap().replacen(from, to, 1);
        fs::write(&log, &damaged).unwrap();
        let error = Server::start(options(&world.data, &world.clock)).await.err().unwrap();
        assert!(matches!(error, Error::Damaged { line: found, .. } if found == line), "{error}");
        assert_eq!(fs::read_to_string(&log).unwrap(), damaged);
    }
}

#[tokio::test]
async fn nobody_else_can_read_the_data() {
    let world = World::new().await;
    world.create(ada()).await;
    let mode = |path: PathBuf| fs::metadata(path).unwrap().permissions().mode() & 0o777;
    assert_eq!(mode(world.data.path().join("data")), 0o700);
    assert_eq!(mode(world.log()), 0o600);
    assert_eq!(mode(world.data.path().join("data/owner.json")), 0o600);
    assert_eq!(mode(world.data.path().join("data/key")), 0o600);
}

#[tokio::test]
async fn a_second_start_finds_the_owner_and_can_use_it() {
    let world = World::new().await;
    let error = Server::start(options(&world.data, &world.clock)).await.err().unwrap();
    let expected = world.server.address();
    let pid = std::process::id();
    assert!(matches!(error, Error::Owned { pid: p, address, .. } if (p, address) == (pid, expected)), "{error}");
    let attached = attach_or_start(options(&world.data, &world.clock)).await.unwrap();
    assert!(matches!(attached, Sandbox::Attached { .. }));
    assert_eq!(attached.base_url(), world.server.base_url());
    attached.stop().await.unwrap();
    assert_eq!(world.create(ada()).await.status, 200);
}

#[tokio::test]
async fn of_two_that_start_together_one_owns_the_data_and_the_other_attaches() {
    let data = tempfile::TempDir::new().unwrap();
    let clock = std::sync::Arc::default();
    let start = || attach_or_start(options(&data, &clock));
    let (one, other) = tokio::join!(start(), start());
    let (one, other) = (one.unwrap(), other.unwrap());
    assert_eq!(one.address(), other.address());
    assert_ne!(matches!(one, Sandbox::Started(_)), matches!(other, Sandbox::Started(_)));
}

#[tokio::test]
async fn a_stopped_owner_leaves_nothing_in_the_way() {
    let world = World::new().await;
    let World { server, clock, data, .. } = world;
    server.stop().await.unwrap();
    assert!(matches!(attach_or_start(options(&data, &clock)).await, Ok(Sandbox::Started(_))));
}

#[tokio::test]
async fn parallel_creates_all_reach_the_disk() {
    let world = World::new().await;
    let names: Vec<_> = (0..200).map(|number| format!("P{number}")).collect();
    let mut creates = tokio::task::JoinSet::new();
    for name in names {
        let request =
            world.client.post(format!("{}/contacts", world.server.base_url())).header("x-api-key", super::KEY);
        creates.spawn(request.body(json!({ "first_name": name, "label_names": ["A"] }).to_string()).send());
    }
    for reply in creates.join_all().await {
        assert_eq!(reply.unwrap().status().as_u16(), 200);
    }
    let labels = world.labels().await;
    assert_eq!((labels.len(), &labels[0]["cached_count"]), (1, &json!(200)));
    assert_eq!(world.restarted().await.server.contacts().len(), 200);
}

#[tokio::test]
async fn data_with_a_link_in_it_is_refused_and_what_it_leads_to_stays() {
    for name in ["owner.json", "key", "log.jsonl", "log.jsonl.new"] {
        let root = tempfile::tempdir().unwrap();
        let (data, victim) = (root.path().join("data"), root.path().join("victim"));
        fs::create_dir(&data).unwrap();
        fs::write(&victim, "mine").unwrap();
        std::os::unix::fs::symlink(&victim, data.join(name)).unwrap();
        let refused = Server::start(options(&root, &Arc::default())).await;
        assert!(matches!(refused.err(), Some(Error::Directory(_))), "{name}");
        assert_eq!(fs::read_to_string(&victim).unwrap(), "mine", "{name}");
    }
}
