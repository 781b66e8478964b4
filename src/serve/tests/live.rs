//! The page for people and its stream.

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use super::{Telling, body, say, status};
use crate::serve::live::{LONGEST, STREAMS};
use crate::serve::tcp::ALLOWANCE;
use crate::serve::{Answers, Options, Routes, Server};

async fn server(telling: &Telling) -> Server {
    let answers = Answers {
        health: Box::new(|| Ok("alive".to_owned())),
        readiness: Box::new(|| Ok("ready".to_owned())),
        metrics: Box::new(String::new),
        status: Box::new(String::new),
        live: telling.live(),
    };
    let options = Options { listen: "127.0.0.1:0".parse().unwrap(), names: Vec::new() };
    Server::start(options, Routes::pages(answers)).await.unwrap()
}

/// Sends a request and leaves the answer to be read.
async fn ask(server: &Server, request: &str) -> TcpStream {
    let mut stream = TcpStream::connect(server.address()).await.unwrap();
    stream.write_all(request.as_bytes()).await.unwrap();
    stream
}

async fn listen(server: &Server) -> TcpStream {
    ask(server, "GET /events HTTP/1.1\r\nhost: localhost\r\n\r\n").await
}

/// Reads on until `text` has come.
async fn read_until(stream: &mut TcpStream, text: &str) -> String {
    let mut read = Vec::new();
    while !String::from_utf8_lossy(&read).contains(text) {
        let before = read.len();
        stream.read_buf(&mut read).await.unwrap();
        assert!(read.len() > before, "it ended without {text:?}: {}", String::from_utf8_lossy(&read));
    }
    String::from_utf8(read).unwrap()
}

#[tokio::test]
async fn a_page_may_load_nothing_and_be_shown_in_no_other() {
    let server = server(&Telling::default()).await;
    let answer =
        say(TcpStream::connect(server.address()).await.unwrap(), "GET / HTTP/1.1\r\nhost: localhost\r\n\r\n").await;
    assert_eq!((status(&answer), body(&answer)), (200, "<p>as it began</p>"));
    for header in [
        "content-type: text/html; charset=utf-8",
        "content-security-policy: default-src 'none'",
        "cache-control: no-store",
        "x-content-type-options: nosniff",
        "referrer-policy: no-referrer",
        "cross-origin-resource-policy: same-origin",
    ] {
        assert!(answer.contains(&format!("{header}\r\n")), "{header}: {answer}");
    }
    assert!(!answer.contains("access-control"), "{answer}");
}

#[tokio::test]
async fn page_and_stream_are_read_and_nothing_else_and_by_a_name_it_goes_by() {
    let server = server(&Telling::default()).await;
    for path in ["/", "/events"] {
        let of = async |line: &str, host: &str| {
            let request = format!("{line} HTTP/1.1\r\nhost: {host}\r\n\r\n");
            say(TcpStream::connect(server.address()).await.unwrap(), &request).await
        };
        let head = of(&format!("HEAD {path}"), "localhost").await;
        assert_eq!((status(&head), body(&head)), (200, ""), "{path}");
        for method in ["POST", "PUT", "DELETE", "OPTIONS"] {
            assert_eq!(status(&of(&format!("{method} {path}"), "localhost").await), 405, "{method} {path}");
        }
        assert_eq!(status(&of(&format!("GET {path}"), "evil.example.net").await), 421, "{path}");
    }
}

#[tokio::test]
async fn whoever_listens_hears_how_it_is_and_each_change() {
    let telling = Telling::default();
    let server = server(&telling).await;
    let mut stream = listen(&server).await;
    let first = read_until(&mut stream, "\n\n").await;
    assert!(first.contains("content-type: text/event-stream\r\n"), "{first}");
    assert!(first.contains("data: as it began\n") && first.contains("retry: 1000\n"), "{first}");
    telling.tell("two lines\nof it");
    read_until(&mut stream, "data: two lines\ndata: of it\n\n").await;
    telling.tell("once more");
    read_until(&mut stream, "data: once more\n\n").await;
}

#[tokio::test]
async fn a_stream_ends_with_what_it_tells_of() {
    let telling = Telling::default();
    let server = server(&telling).await;
    let mut stream = listen(&server).await;
    read_until(&mut stream, "as it began\n\n").await;
    telling.tell("");
    let mut rest = String::new();
    stream.read_to_string(&mut rest).await.unwrap();
    assert!(rest.ends_with("0\r\n\r\n"), "in order, not in the middle: {rest:?}");
}

#[tokio::test]
async fn open_streams_hold_up_no_end_of_the_server() {
    let server = server(&Telling::default()).await;
    let mut stream = listen(&server).await;
    read_until(&mut stream, "as it began\n\n").await;
    drop(server);
    let mut rest = Vec::new();
    stream.read_to_end(&mut rest).await.ok();
}

#[tokio::test]
async fn so_many_listen_at_a_time_and_all_others_are_still_answered() {
    const { assert!(STREAMS < ALLOWANCE.connections) }
    let server = server(&Telling::default()).await;
    let mut streams = Vec::new();
    for _ in 0..STREAMS {
        let mut stream = listen(&server).await;
        read_until(&mut stream, "as it began\n\n").await;
        streams.push(stream);
    }
    let mut further = String::new();
    listen(&server).await.read_to_string(&mut further).await.unwrap();
    assert_eq!(status(&further), 503, "{further}");
    for path in ["/", "/healthz"] {
        let request = format!("GET {path} HTTP/1.1\r\nhost: localhost\r\n\r\n");
        assert_eq!(status(&say(TcpStream::connect(server.address()).await.unwrap(), &request).await), 200, "{path}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_stream_tells_that_it_lives_and_ends_before_its_connection_would() {
    assert!(LONGEST < ALLOWANCE.longest);
    let server = server(&Telling::default()).await;
    let began = tokio::time::Instant::now();
    let mut answer = String::new();
    listen(&server).await.read_to_string(&mut answer).await.unwrap();
    assert!(answer.ends_with("0\r\n\r\n"), "in order, not in the middle: {answer:?}");
    assert!(began.elapsed() >= LONGEST, "{:?}", began.elapsed());
    assert_eq!(answer.matches("data: ").count(), 1, "{answer}");
    assert!(answer.matches(": nothing new\n").count() >= 4, "{answer}");
}
