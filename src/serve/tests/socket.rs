//! Both ends on real sockets, and each end against a raw one.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{UnixListener, UnixStream};

use super::{Telling, body, status};
use crate::serve::client::MAX_ANSWER_BYTES;
use crate::serve::routes::MAX_QUESTION_BYTES;
use crate::serve::*;

/// Longer than any test takes, so that no test depends on it.
const PATIENT: Duration = Duration::from_mins(10);

/// A state directory, and the directory used when its path is too long.
struct World {
    directory: tempfile::TempDir,
}

impl World {
    fn new() -> Self {
        let directory = tempfile::tempdir().unwrap();
        fs::create_dir(directory.path().join("state")).unwrap();
        Self { directory }
    }

    fn state(&self) -> PathBuf {
        self.directory.path().join("state")
    }

    fn runtime(&self) -> PathBuf {
        self.directory.path().join("run")
    }

    fn bind(&self) -> Socket {
        Socket::bind(Role::Writer, &self.state(), &self.runtime()).unwrap()
    }

    /// Answers every question by its length.
    fn serve(&self) -> Service {
        self.bind().answer(routes())
    }

    fn socket(&self) -> PathBuf {
        self.state().join("link.sock")
    }
}

/// Answers a text with the text, and `long` with a long one.
fn routes() -> Routes {
    Routes::default()
        .call("echo", async |text: String| Ok(text))
        .call("closed", async |(): ()| Err::<(), _>("the state is closed".to_owned()))
        .call("long", async |times: usize| Ok("Ada".repeat(times)))
}

async fn question(path: &Path) -> Result<String, Error> {
    ask(path, "echo", &"Ada", PATIENT).await
}

/// Posts a body of JSON, with the length that is said, and returns the raw answer.
async fn post(path: &Path, call: &str, length: u64, body: &str) -> String {
    let head = format!("POST {call} HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/json\r\n");
    let request = format!("{head}content-length: {length}\r\n\r\n{body}");
    super::say(UnixStream::connect(path).await.unwrap(), &request).await
}

/// Listens at the world's socket, hears one question and answers with raw bytes.
async fn answer_once(world: &World, reply: &[u8]) -> Result<String, Error> {
    let listener = UnixListener::bind(world.socket()).unwrap();
    let server = async {
        let (mut stream, _) = listener.accept().await.unwrap();
        let mut heard = Vec::new();
        while !heard.ends_with(b"\"Ada\"") {
            stream.read_buf(&mut heard).await.unwrap();
        }
        stream.write_all(reply).await.unwrap();
    };
    let path = world.socket();
    let (answer, ()) = tokio::join!(question(&path), server);
    answer
}

#[tokio::test]
async fn a_question_arrives_as_it_was_asked_and_is_answered() {
    let world = World::new();
    let service = world.serve();
    assert_eq!(question(&world.socket()).await.unwrap(), "Ada");
    service.close().await;
    assert!(!world.socket().exists());
    assert!(matches!(question(&world.socket()).await, Err(Error::Nobody { .. })));
}

#[tokio::test]
async fn the_socket_is_private() {
    let world = World::new();
    let listener = world.bind();
    assert_eq!(fs::metadata(listener.path()).unwrap().permissions().mode() & 0o777, 0o600);
    assert!(is_same_user(rustix::process::geteuid().as_raw()));
    assert!(!is_same_user(rustix::process::geteuid().as_raw() + 1));
}

#[tokio::test]
async fn many_megabytes_arrive_whole() {
    let world = World::new();
    let _service = world.serve();
    let text = "Ada".repeat(4 << 20);
    let answer: String = ask(&world.socket(), "long", &(4 << 20), PATIENT).await.unwrap();
    assert!(answer == text);
    let answer: String = ask(&world.socket(), "echo", &text, PATIENT).await.unwrap();
    assert!(answer == text);
}

#[tokio::test]
async fn many_ask_at_the_same_time() {
    let world = World::new();
    let _service = world.serve();
    let mut asking = tokio::task::JoinSet::new();
    for _ in 0..100 {
        let path = world.socket();
        asking.spawn(async move { question(&path).await });
    }
    let answers = asking.join_all().await;
    assert_eq!(answers.len(), 100);
    assert!(answers.iter().all(|answer| answer.as_ref().is_ok_and(|text| text == "Ada")));
}

/// All places are taken by peers that stop in the middle; they lose them when their time is up.
#[tokio::test(start_paused = true)]
async fn peers_that_are_stuck_hold_up_nobody() {
    let world = World::new();
    let _service = world.serve();
    let mut stuck = Vec::new();
    for number in 0..16 {
        let mut stream = UnixStream::connect(world.socket()).await.unwrap();
        let head = "POST /v2/echo HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/json\r\n";
        let begun = ["", "POST /v2", &format!("{head}content-length: 5\r\n\r\n\"A")][number % 3].to_owned();
        stream.write_all(begun.as_bytes()).await.unwrap();
        stuck.push(stream);
    }
    assert_eq!(question(&world.socket()).await.unwrap(), "Ada");
}

/// One that asks and does not take the answer.
#[tokio::test(start_paused = true)]
async fn an_answer_that_nobody_takes_is_given_up() {
    let world = World::new();
    let _service = world.serve();
    let mut stuck = Vec::new();
    for _ in 0..16 {
        let mut stream = UnixStream::connect(world.socket()).await.unwrap();
        let head = "POST /v2/long HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/json\r\n";
        stream.write_all(format!("{head}content-length: 7\r\n\r\n1000000").as_bytes()).await.unwrap();
        stuck.push(stream);
    }
    assert_eq!(question(&world.socket()).await.unwrap(), "Ada");
}

#[tokio::test]
async fn what_cannot_be_answered_says_why_and_may_be_asked_again() {
    let world = World::new();
    let _service = world.serve();
    let error = ask::<_, ()>(&world.socket(), "closed", &(), PATIENT).await.unwrap_err();
    assert!(error.is_passing());
    assert_eq!(error.to_string(), "the other process cannot answer: the state is closed");
}

#[tokio::test]
async fn a_call_of_another_version_is_refused_whatever_it_asks() {
    let world = World::new();
    let _service = world.serve();
    let answer = post(&world.socket(), "/v3/echo", 22, r#"{"something": ["new"]}"#).await;
    assert_eq!(status(&answer), 404);
    let version = env!("CARGO_PKG_VERSION");
    assert_eq!(body(&answer), format!("it is contactsd {version} and does not know /v3/echo"));
}

#[tokio::test]
async fn an_unknown_call_is_refused_by_name() {
    let world = World::new();
    let _service = world.serve();
    let error = ask::<_, ()>(&world.socket(), "dance", &(), PATIENT).await.unwrap_err();
    let version = env!("CARGO_PKG_VERSION");
    let refused =
        format!("the other process refuses the question: it is contactsd {version} and does not know /v2/dance");
    assert_eq!((error.to_string(), error.is_passing()), (refused, false));
}

/// Before version 2 of the calls, messages were a length and JSON: neither end waits for the other in vain.
#[tokio::test]
async fn a_process_that_speaks_no_http_is_told_apart_and_hung_up_on() {
    let old = r#"{"version":1,"refusal":{"kind":"too_long","bytes":1,"limit":1}}"#;
    let reply = [&(old.len() as u64).to_be_bytes()[..], old.as_bytes()].concat();
    let error = answer_once(&World::new(), &reply).await.unwrap_err();
    assert!(error.to_string().ends_with("answers as another version of contactsd does"), "{error}");
    assert!(!error.is_passing());
    let world = World::new();
    let _service = world.serve();
    let asked = r#"{"version":1,"request":{"kind":"status"}}"#;
    let mut question = String::from_utf8((asked.len() as u64).to_be_bytes().to_vec()).unwrap();
    question.push_str(asked);
    let answer = super::say(UnixStream::connect(world.socket()).await.unwrap(), &question).await;
    assert_eq!(status(&answer), 400);
}

#[tokio::test]
async fn what_is_no_question_is_refused() {
    let world = World::new();
    let _service = world.serve();
    for wrong in ["{", "[]", "", "7"] {
        let answer = post(&world.socket(), "/v2/echo", wrong.len() as u64, wrong).await;
        assert!(matches!(status(&answer), 400 | 422), "{wrong}: {answer}");
        assert!(body(&answer).contains("JSON"), "{wrong}: {answer}");
    }
}

#[tokio::test]
async fn a_question_that_is_too_long_is_refused_before_it_is_read() {
    let world = World::new();
    let _service = world.serve();
    let answer = post(&world.socket(), "/v2/echo", MAX_QUESTION_BYTES + 1, "").await;
    assert_eq!(status(&answer), 413);
    assert!(body(&answer).contains(&MAX_QUESTION_BYTES.to_string()), "{answer}");
}

#[tokio::test]
async fn an_answer_that_is_too_long_is_not_taken() {
    let bytes = MAX_ANSWER_BYTES + 1;
    let reply = format!("HTTP/1.1 200 OK\r\ncontent-length: {bytes}\r\n\r\n");
    let error = answer_once(&World::new(), reply.as_bytes()).await.unwrap_err();
    assert!(matches!(error, Error::TooLong { .. }) && !error.is_passing(), "{error:?}");
}

#[tokio::test]
async fn an_answer_that_ends_early_is_not_taken_for_a_short_one() {
    let whole = b"HTTP/1.1 200 OK\r\ncontent-length: 5\r\n\r\n\"Ada\"";
    assert_eq!(answer_once(&World::new(), whole).await.unwrap(), "Ada");
    for kept in 0..whole.len() {
        let error = answer_once(&World::new(), &whole[..kept]).await.unwrap_err();
        assert!(matches!(error, Error::Cut { .. }) && error.is_passing(), "{kept}: {error:?}");
    }
}

#[tokio::test]
async fn one_that_says_nothing_is_not_waited_for() {
    let world = World::new();
    let _silent = UnixListener::bind(world.socket()).unwrap();
    let error = ask::<_, String>(&world.socket(), "echo", &"Ada", Duration::ZERO).await.unwrap_err();
    assert!(matches!(error, Error::Silent { .. }) && error.is_passing(), "{error:?}");
}

#[tokio::test]
async fn the_socket_of_a_dead_process_is_replaced() {
    let world = World::new();
    // Closing a socket leaves its file, as a kill does.
    drop(std::os::unix::net::UnixListener::bind(world.socket()).unwrap());
    assert!(matches!(question(&world.socket()).await, Err(Error::Nobody { .. })));
    let _service = world.serve();
    question(&world.socket()).await.unwrap();
}

#[tokio::test]
async fn what_is_no_socket_is_not_removed() {
    let world = World::new();
    fs::write(world.socket(), "mine").unwrap();
    let refused = Socket::bind(Role::Writer, &world.state(), &world.runtime()).unwrap_err();
    assert!(matches!(refused, Error::InTheWay { .. }), "{refused:?}");
    assert_eq!(fs::read_to_string(world.socket()).unwrap(), "mine");
}

#[tokio::test]
async fn a_long_path_moves_the_socket_to_the_runtime_directory() {
    let world = World::new();
    let state = world.state().join("d".repeat(100));
    let other = world.state().join("e".repeat(100));
    for path in [&state, &other] {
        fs::create_dir(path).unwrap();
    }
    let listener = Socket::bind(Role::Writer, &state, &world.runtime()).unwrap();
    let path = listener.path().to_owned();
    assert_eq!(path.parent(), Some(world.runtime().as_path()));
    assert_eq!(fs::metadata(world.runtime()).unwrap().permissions().mode() & 0o777, 0o700);
    assert_ne!(Socket::bind(Role::Writer, &other, &world.runtime()).unwrap().path(), path);
    let _service = listener.answer(routes());
    assert_eq!(candidates(Role::Writer, &state, None), Vec::<PathBuf>::new());
    let [named] = &candidates(Role::Writer, &state, Some(&path))[..] else { panic!("one place fits") };
    assert_eq!(question(named).await.unwrap(), "Ada");
}

#[tokio::test]
async fn a_runtime_directory_that_others_may_enter_is_refused() {
    let world = World::new();
    let state = world.state().join("d".repeat(100));
    fs::create_dir(&state).unwrap();
    fs::create_dir(world.runtime()).unwrap();
    fs::set_permissions(world.runtime(), fs::Permissions::from_mode(0o755)).unwrap();
    assert!(matches!(Socket::bind(Role::Writer, &state, &world.runtime()), Err(Error::NotPrivate { .. })));
    // A link to a private directory could be turned elsewhere by its owner.
    let link = world.directory.path().join("link");
    std::os::unix::fs::symlink(world.state(), &link).unwrap();
    assert!(matches!(Socket::bind(Role::Writer, &state, &link), Err(Error::NotPrivate { .. })));
    let long = world.directory.path().join("r".repeat(100));
    assert!(matches!(Socket::bind(Role::Writer, &state, &long), Err(Error::PathTooLong { .. })));
}

#[test]
fn the_socket_in_the_state_directory_is_asked_first() {
    let state = Path::new("people/state");
    let own = state.join("link.sock");
    let named = Path::new("/run/user/1000/contactsd-1.sock");
    assert_eq!(candidates(Role::Writer, state, Some(named)), [own.clone(), named.to_owned()]);
    assert_eq!(candidates(Role::Writer, state, Some(&own)), std::slice::from_ref(&own));
    assert_eq!(candidates(Role::Writer, state, None), [own]);
}

#[tokio::test]
async fn a_service_listens_beside_a_writer() {
    let world = World::new();
    let service = Socket::bind(Role::Service, &world.state(), &world.runtime()).unwrap();
    let writer = world.bind();
    assert_eq!(candidates(Role::Service, &world.state(), None), [world.state().join("watch.sock")]);
    assert!(service.path().exists() && writer.path().exists() && service.path() != writer.path());
    let deep = world.directory.path().join("s".repeat(120));
    fs::create_dir(&deep).unwrap();
    let service = Socket::bind(Role::Service, &deep, &world.runtime()).unwrap();
    let writer = Socket::bind(Role::Writer, &deep, &world.runtime()).unwrap();
    assert_ne!(service.path(), writer.path());
}

/// The directory of a state was removed and made again: the one that went took the socket of the one that came along.
#[tokio::test]
async fn a_socket_that_was_replaced_is_not_removed_by_whoever_had_it_before() {
    let world = World::new();
    let former = world.serve();
    assert!(former.is_in_place());
    fs::remove_file(world.socket()).unwrap();
    assert!(!former.is_in_place());
    let latter = world.serve();
    assert!(!former.is_in_place() && latter.is_in_place());
    former.close().await;
    question(&world.socket()).await.unwrap();
    drop(latter);
    assert!(!world.socket().exists());
}

#[tokio::test]
async fn pages_are_there_beside_the_calls_under_any_host_name() {
    let world = World::new();
    let pages = Routes::pages(Answers {
        health: Box::new(|| Ok("alive".to_owned())),
        readiness: Box::new(|| Err("no pass yet".to_owned())),
        metrics: Box::new(String::new),
        status: Box::new(String::new),
        live: Telling::default().live(),
    });
    let _service = world.bind().answer(pages.call("echo", async |text: String| Ok(text)));
    let stream = UnixStream::connect(world.socket()).await.unwrap();
    let answer = super::say(stream, "GET /readyz HTTP/1.1\r\nhost: service\r\n\r\n").await;
    assert_eq!((status(&answer), body(&answer)), (503, "no pass yet\n"));
    assert_eq!(question(&world.socket()).await.unwrap(), "Ada");
}
