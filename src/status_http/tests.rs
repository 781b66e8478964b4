//! A real server on loopback, asked in raw HTTP.

use std::sync::atomic::{AtomicBool, Ordering};

use tokio::io::{AsyncReadExt, AsyncWriteExt};

use super::*;

async fn server(names: &[&str]) -> Server {
    let ready = AtomicBool::new(false);
    let answers = Answers {
        health: Box::new(|| Verdict::Yes("alive".to_owned())),
        // Ready from the second question on.
        readiness: Box::new(move || {
            let asked_before = ready.swap(true, Ordering::SeqCst);
            if asked_before { Verdict::Yes("ready".to_owned()) } else { Verdict::No("no pass yet".to_owned()) }
        }),
        metrics: Box::new(|| "contactsd_up 1\n".to_owned()),
        status: Box::new(|| "{}".to_owned()),
    };
    let names = names.iter().map(|&name| name.to_owned()).collect();
    Server::start(Options { listen: "127.0.0.1:0".parse().unwrap(), names }, answers).await.unwrap()
}

/// Sends raw bytes and returns everything that comes back.
async fn say(server: &Server, request: &str) -> String {
    let mut stream = TcpStream::connect(server.address()).await.unwrap();
    stream.write_all(request.as_bytes()).await.unwrap();
    let mut answer = Vec::new();
    // A server that hangs up on what it did not read to its end resets the connection.
    stream.read_to_end(&mut answer).await.ok();
    String::from_utf8(answer).unwrap()
}

async fn get(server: &Server, path: &str) -> String {
    say(server, &format!("GET {path} HTTP/1.1\r\nhost: {}\r\n\r\n", server.address())).await
}

/// Returns the status of an answer.
fn status(answer: &str) -> u16 {
    answer.split(' ').nth(1).unwrap_or_else(|| panic!("no status in {answer:?}")).parse().unwrap()
}

fn body(answer: &str) -> &str {
    answer.split_once("\r\n\r\n").unwrap().1
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
    let index = get(&server, "/").await;
    assert!(forms.iter().all(|(path, ..)| index.contains(path)), "{index}");
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
    for _ in 0..MAX_CONNECTIONS {
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
        health: Box::new(|| Verdict::Yes("alive".to_owned())),
        readiness: Box::new(|| Verdict::Yes("ready".to_owned())),
        metrics: Box::new(|| panic!("no figures")),
        status: Box::new(String::new),
    };
    let options = Options { listen: "127.0.0.1:0".parse().unwrap(), names: Vec::new() };
    let server = Server::start(options, answers).await.unwrap();
    let failed = get(&server, "/metrics").await;
    assert_eq!(status(&failed), 500);
    assert!(!failed.contains("no figures"), "{failed}");
    assert_eq!(status(&get(&server, "/healthz").await), 200);
}

#[tokio::test]
async fn an_address_that_is_taken_is_named() {
    let server = server(&[]).await;
    let answers = || Answers {
        health: Box::new(|| Verdict::Yes(String::new())),
        readiness: Box::new(|| Verdict::Yes(String::new())),
        metrics: Box::new(String::new),
        status: Box::new(String::new),
    };
    let options = Options { listen: server.address(), names: Vec::new() };
    let error = Server::start(options, answers()).await.unwrap_err();
    assert_eq!(error.to_string(), format!("cannot listen at {}", server.address()));
}
