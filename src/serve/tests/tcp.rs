//! Pages over TCP.

use std::sync::atomic::{AtomicBool, Ordering};

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use super::{Telling, body, status};
use crate::serve::connections::{MAX_HEAD_BYTES, MAX_HEADERS};
use crate::serve::tcp::ALLOWANCE;
use crate::serve::{Answers, Options, Routes, Server};

fn options(names: &[&str]) -> Options {
    Options { listen: "127.0.0.1:0".parse().unwrap(), names: names.iter().map(|&name| name.to_owned()).collect() }
}

async fn server(names: &[&str]) -> Server {
    let ready = AtomicBool::new(false);
    let answers = Answers {
        health: Box::new(|| Ok("alive".to_owned())),
        // Ready from the second question on.
        readiness: Box::new(move || {
            let asked_before = ready.swap(true, Ordering::SeqCst);
            if asked_before { Ok("ready".to_owned()) } else { Err("no pass yet".to_owned()) }
        }),
        metrics: Box::new(|| "contactsd_up 1\n".to_owned()),
        status: Box::new(|| "{}".to_owned()),
        live: Telling::default().live(),
    };
    Server::start(options(names), Routes::pages(answers)).await.unwrap()
}

async fn say(server: &Server, request: &str) -> String {
    super::say(TcpStream::connect(server.address()).await.unwrap(), request).await
}

async fn get(server: &Server, path: &str) -> String {
    say(server, &format!("GET {path} HTTP/1.1\r\nhost: {}\r\n\r\n", server.address())).await
}

#[tokio::test]
async fn each_path_answers_in_its_own_form() {
    let server = server(&[]).await;
    let forms = [
        ("/healthz", "text/plain; charset=utf-8", "alive\n"),
        ("/metrics", "text/plain; version=0.0.4; charset=utf-8", "contactsd_up 1\n"),
        ("/status", "application/json", "{}"),
    ];
    for (path, kind, text) in forms {
        let answer = get(&server, path).await;
        assert_eq!((status(&answer), body(&answer)), (200, text), "{path}");
        assert!(answer.contains(&format!("content-type: {kind}\r\n")), "{answer}");
        assert!(answer.contains("cache-control: no-store\r\n"), "{answer}");
        assert!(!answer.contains("access-control"), "{answer}");
    }
    let nothing = get(&server, "/pages").await;
    assert!(status(&nothing) == 404 && forms.iter().all(|(path, ..)| nothing.contains(path)), "{nothing}");
}

#[tokio::test]
async fn what_is_not_ready_is_unavailable_and_says_why() {
    let server = server(&[]).await;
    let first = get(&server, "/readyz").await;
    assert_eq!((status(&first), body(&first)), (503, "no pass yet\n"));
    let second = get(&server, "/readyz").await;
    assert_eq!((status(&second), body(&second)), (200, "ready\n"));
}

#[tokio::test]
async fn nothing_can_be_changed_and_nothing_else_is_there() {
    let server = server(&[]).await;
    for method in ["POST", "PUT", "DELETE", "PATCH", "OPTIONS", "TRACE"] {
        let answer = say(&server, &format!("{method} /status HTTP/1.1\r\nhost: localhost\r\n\r\n")).await;
        assert_eq!(status(&answer), 405, "{method}");
        assert!(answer.contains("allow: GET,HEAD\r\n"), "{answer}");
    }
    assert_eq!(status(&get(&server, "/pause").await), 404);
    assert_eq!(status(&say(&server, "POST /v2/pause HTTP/1.1\r\nhost: localhost\r\n\r\n").await), 404);
    let head = say(&server, "HEAD /metrics HTTP/1.1\r\nhost: localhost\r\n\r\n").await;
    assert_eq!((status(&head), body(&head)), (200, ""));
}

#[tokio::test]
async fn only_a_name_it_goes_by_is_answered() {
    let server = server(&["status.example.com"]).await;
    for host in ["localhost:1", "10.42.0.7:8080", "status.example.com"] {
        let answer = say(&server, &format!("GET /status HTTP/1.1\r\nhost: {host}\r\n\r\n")).await;
        assert_eq!(status(&answer), 200, "{host}");
    }
    let answer = say(&server, "GET /status HTTP/1.1\r\nhost: evil.example.net\r\n\r\n").await;
    assert_eq!(status(&answer), 421);
    assert!(body(&answer).contains("--listen-name") && !answer.contains("evil"), "{answer}");
    // The target of a request counts as well, whichever of the two a proxy on the way would believe.
    let whole = "GET http://evil.example.net/status HTTP/1.1\r\nhost: localhost\r\n\r\n";
    assert_eq!(status(&say(&server, whole).await), 421);
    for hosts in ["", "host: localhost\r\nhost: evil.example.net\r\n"] {
        let answer = say(&server, &format!("GET /status HTTP/1.1\r\n{hosts}\r\n")).await;
        assert_eq!(status(&answer), 400, "{hosts:?}");
    }
}

#[tokio::test]
async fn a_request_of_many_kilobytes_is_turned_away() {
    let server = server(&[]).await;
    let many = "x-filler: 0123456789\r\n".repeat(MAX_HEADERS + 1);
    let long = format!("x-filler: {}\r\n", "0".repeat(2 * MAX_HEAD_BYTES));
    for filler in [many, long] {
        let answer = say(&server, &format!("GET /status HTTP/1.1\r\nhost: localhost\r\n{filler}\r\n")).await;
        assert!(answer.is_empty() || status(&answer) == 431, "{answer}");
    }
    assert_eq!(status(&get(&server, "/healthz").await), 200);
}

#[tokio::test]
async fn those_who_never_finish_asking_give_their_places_up() {
    let server = server(&[]).await;
    let mut slow = Vec::new();
    for _ in 0..ALLOWANCE.connections {
        let mut stream = TcpStream::connect(server.address()).await.unwrap();
        stream.write_all(b"GET /healthz HT").await.unwrap();
        slow.push(stream);
    }
    assert_eq!(status(&get(&server, "/healthz").await), 200);
    let mut rest = Vec::new();
    let closed = slow[0].read_to_end(&mut rest).await;
    assert!(closed.is_err() || rest.is_empty(), "the oldest was closed, unanswered");
}

#[tokio::test]
async fn one_answer_that_fails_costs_no_other() {
    let answers = Answers {
        health: Box::new(|| Ok("alive".to_owned())),
        readiness: Box::new(|| Ok("ready".to_owned())),
        metrics: Box::new(|| panic!("no figures")),
        status: Box::new(String::new),
        live: Telling::default().live(),
    };
    let server = Server::start(options(&[]), Routes::pages(answers)).await.unwrap();
    let failed = get(&server, "/metrics").await;
    assert_eq!(status(&failed), 500);
    assert!(!failed.contains("no figures"), "{failed}");
    assert_eq!(status(&get(&server, "/healthz").await), 200);
}

#[tokio::test]
async fn an_address_that_is_taken_is_named() {
    let server = server(&[]).await;
    let options = Options { listen: server.address(), names: Vec::new() };
    let error = Server::start(options, Routes::default()).await.unwrap_err();
    assert_eq!(error.to_string(), format!("cannot listen at {}", server.address()));
}
