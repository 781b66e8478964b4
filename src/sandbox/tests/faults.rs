//! Each fault, as a client meets it, and whether the work was done.

use std::collections::BTreeSet;

use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use super::super::{Action, Fault};
use super::{KEY, World, ada};

async fn world(faults: &str) -> World {
    World::with(|options| options.faults = faults.parse().unwrap()).await
}

/// Sends a create on a connection of its own; returns every byte that comes back.
async fn raw_create(world: &World) -> String {
    let mut stream = TcpStream::connect(world.server.address()).await.unwrap();
    let body = ada().to_string();
    let length = body.len();
    let head = format!(
        "POST /api/v1/contacts HTTP/1.1\r\nhost: localhost\r\nx-api-key: {KEY}\r\ncontent-length: {length}\r\n\r\n"
    );
    stream.write_all((head + &body).as_bytes()).await.unwrap();
    let mut bytes = Vec::new();
    // A reset and an orderly end are both ends.
    stream.read_to_end(&mut bytes).await.ok();
    String::from_utf8(bytes).unwrap()
}

#[tokio::test]
async fn a_lost_reply_does_the_work_and_sends_no_byte() {
    let world = world("lost-reply=1").await;
    assert_eq!(raw_create(&world).await, "");
    assert!(world.try_send("POST", "/api/v1/contacts", &ada()).await.is_err());
    assert_eq!(world.server.contacts().len(), 2);
    let counts = world.server.requests();
    assert_eq!((counts.cut(Action::Create), counts.struck(Fault::LostReply)), (2, 2));
}

#[tokio::test]
async fn a_cut_before_does_nothing_and_sends_no_byte() {
    let world = world("cut-before=1").await;
    assert_eq!(raw_create(&world).await, "");
    assert!(world.try_send("POST", "/api/v1/contacts", &ada()).await.is_err());
    assert!(world.server.contacts().is_empty());
    assert_eq!(world.server.requests().cut(Action::Create), 2);
}

#[tokio::test]
async fn a_truncated_answer_has_a_status_and_half_a_body() {
    let world = world("truncated=1").await;
    let bytes = raw_create(&world).await;
    assert!(bytes.starts_with("HTTP/1.1 200 OK\r\n"), "{bytes}");
    let (head, body) = bytes.split_once("\r\n\r\n").unwrap();
    let announced = head.lines().find_map(|line| line.strip_prefix("content-length: ")).unwrap();
    assert_eq!(body.len(), announced.parse::<usize>().unwrap() / 2);
    assert!(world.try_send("POST", "/api/v1/contacts", &ada()).await.is_err());
    assert_eq!(world.server.contacts().len(), 2);
    assert_eq!(world.server.requests().answered(Action::Create, 200), 2);
}

#[tokio::test]
async fn a_500_comes_before_the_work_and_a_502_page_after_it() {
    let world = world("error-500=1").await;
    let reply = world.create(ada()).await;
    assert_eq!((reply.status, reply.json()), (500, json!({ "error": "Internal server error" })));
    assert!(world.server.contacts().is_empty());
    world.server.set_faults("html-502=1".parse().unwrap());
    let reply = world.create(ada()).await;
    assert_eq!((reply.status, reply.header("content-type")), (502, Some("text/html")));
    assert!(reply.text.starts_with("<html>"));
    assert_eq!(world.server.contacts().len(), 1);
}

#[tokio::test]
async fn a_page_has_one_of_five_statuses_and_comes_before_the_work_or_after_it() {
    for (fault, made) in [("page-before=1", 0), ("page-after=1", 20)] {
        let world = world(fault).await;
        let mut statuses = BTreeSet::new();
        for _ in 0..20 {
            let reply = world.create(ada()).await;
            assert_eq!(reply.header("content-type"), Some("text/html"), "{fault}");
            assert!(reply.text.starts_with("<html>"), "{fault}");
            statuses.insert(reply.status);
        }
        assert_eq!(statuses, [403, 404, 410, 418, 429].into(), "{fault}");
        assert_eq!(world.server.contacts().len(), made, "{fault}");
    }
}

#[tokio::test]
async fn what_was_done_can_be_answered_as_a_failure() {
    for (fault, status) in [("refused-after-work=1", 422), ("error-500-after=1", 500)] {
        let world = world(fault).await;
        let reply = world.create(ada()).await;
        assert_eq!((reply.status, reply.json()["error"].is_string()), (status, true), "{fault}");
        assert_eq!(world.server.contacts().len(), 1, "{fault}");
    }
}

#[tokio::test]
async fn an_unavailable_server_says_when_to_come_back() {
    for (faults, seconds) in [("unavailable=1", "1"), ("unavailable=1,retry-after=7", "7")] {
        let world = world(faults).await;
        let reply = world.create(ada()).await;
        assert_eq!((reply.status, reply.header("retry-after")), (503, Some(seconds)));
        assert!(world.server.contacts().is_empty());
    }
}

#[tokio::test]
async fn a_stray_429_says_not_how_long_to_wait() {
    let world = world("stray-429=1").await;
    let reply = world.create(ada()).await;
    assert_eq!((reply.status, reply.header("retry-after")), (429, None));
    assert!(world.server.contacts().is_empty());
}

#[tokio::test]
async fn a_slow_request_is_answered_all_the_same() {
    let world = world("slow=1,slow-ms=1").await;
    assert_eq!(world.create(ada()).await.status, 200);
    assert_eq!(world.server.requests().struck(Fault::Slow), 1);
}

#[tokio::test]
async fn a_fault_can_strike_one_action_alone() {
    let world = world("create:error-500=1").await;
    assert_eq!(world.create(ada()).await.status, 500);
    assert_eq!(world.search(json!({})).await.status, 200);
}

#[tokio::test]
async fn faults_change_while_the_sandbox_runs() {
    let world = world("lost-reply=1").await;
    let url = format!("http://{}/sandbox/faults", world.server.address());
    for (faults, status) in [("gibberish", 422), ("", 200)] {
        let reply = world.client.put(&url).header("x-api-key", KEY).body(faults).send().await.unwrap();
        assert_eq!(reply.status().as_u16(), status);
    }
    assert_eq!(world.create(ada()).await.status, 200);
}

#[tokio::test]
async fn requests_and_faults_are_counted_for_whoever_asks() {
    let world = world("create:lost-reply=1").await;
    raw_create(&world).await;
    world.send("POST", "/api/v1/contacts/search", Value::Null).await;
    let counts = world.get("/sandbox/requests").await.json();
    let expected = json!({
        "requests": { "create": { "cut": 1 }, "search": { "400": 1 } }, "faults": { "lost-reply": 1 },
    });
    assert_eq!(counts, expected);
}
