//! Both ends on real sockets, and each end against a raw one.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{UnixListener, UnixStream};

use super::*;
use crate::model::{ApolloId, ContactKey, Fingerprint};

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

    fn bind(&self) -> Listener {
        Listener::bind(Role::Writer, &self.state(), &self.runtime()).unwrap()
    }

    /// Answers every request with what it held.
    fn serve(&self) -> Service {
        self.bind().serve(async |request| Ok(payload(&format!("{request:?}"))))
    }

    fn socket(&self) -> PathBuf {
        self.state().join("link.sock")
    }
}

fn request() -> Request {
    let key = ContactKey::parse("ada").unwrap();
    Request::Snapshot {
        fingerprints: [(key, Fingerprint::from_bytes([7; 16]))].into_iter().collect(),
        contacts: [ApolloId::parse("00000000000000000000000a").unwrap()].iter().collect(),
    }
}

async fn question(path: &Path) -> Result<String, Error> {
    ask(path, &request(), PATIENT).await
}

/// Sends raw bytes and returns the raw reply as JSON.
async fn say(path: &Path, length: u64, message: &str) -> serde_json::Value {
    let mut stream = UnixStream::connect(path).await.unwrap();
    stream.write_all(&length.to_be_bytes()).await.unwrap();
    stream.write_all(message.as_bytes()).await.unwrap();
    let mut reply = Vec::new();
    stream.read_to_end(&mut reply).await.unwrap();
    let (length, reply) = reply.split_first_chunk().unwrap();
    assert_eq!(u64::from_be_bytes(*length), reply.len() as u64);
    serde_json::from_slice(reply).unwrap()
}

/// Listens at the world's socket, hears one request and answers with raw bytes.
async fn answer_once(world: &World, reply: &[u8]) -> Result<String, Error> {
    let listener = UnixListener::bind(world.socket()).unwrap();
    let server = async {
        let (mut stream, _) = listener.accept().await.unwrap();
        wire::receive(&mut stream, u64::MAX, PATIENT).await.unwrap();
        stream.write_all(reply).await.unwrap();
    };
    let path = world.socket();
    let (answer, ()) = tokio::join!(question(&path), server);
    answer
}

#[tokio::test]
async fn a_request_arrives_as_it_was_asked_and_is_answered() {
    let world = World::new();
    let service = world.serve();
    assert_eq!(question(&world.socket()).await.unwrap(), format!("{:?}", request()));
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
async fn an_answer_of_many_megabytes_arrives_whole() {
    let world = World::new();
    let text = "Ada".repeat(4 << 20);
    let answer = payload(&text);
    let _service = world.bind().serve(move |_| {
        let answer = answer.clone();
        async move { Ok(answer) }
    });
    assert!(question(&world.socket()).await.unwrap() == text);
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
    assert!(answers.iter().all(|answer| answer.as_ref().is_ok_and(|text| text.contains("ada"))));
}

#[tokio::test]
async fn what_cannot_be_answered_says_why_and_may_be_asked_again() {
    let world = World::new();
    let _service = world.bind().serve(async |_| Err("the state is closed".to_owned()));
    let error = question(&world.socket()).await.unwrap_err();
    assert!(error.is_passing());
    assert_eq!(error.to_string(), "the other process cannot answer: the state is closed");
}

#[tokio::test]
async fn another_version_is_refused_whatever_it_asks() {
    let world = World::new();
    let _service = world.serve();
    let message = r#"{"version":2,"request":["something new"]}"#;
    let reply = say(&world.socket(), message.len() as u64, message).await;
    let expected = r#"{"version":1,"refusal":{"kind":"other_version","spoken":1,"asked":2}}"#;
    assert_eq!(reply, serde_json::from_str::<serde_json::Value>(expected).unwrap());
}

#[tokio::test]
async fn an_unknown_request_is_refused_by_name() {
    let world = World::new();
    let _service = world.serve();
    let message = r#"{"version":1,"request":{"kind":"dance","digest":"x"}}"#;
    let reply = say(&world.socket(), message.len() as u64, message).await;
    assert_eq!(reply["refusal"]["kind"], "unknown_kind");
    assert_eq!(reply["refusal"]["request"], "dance");
}

#[tokio::test]
async fn what_is_no_request_is_refused() {
    let world = World::new();
    let _service = world.serve();
    let wrong = ["{", "[]", r#"{"version":1}"#, r#"{"version":1,"request":{"kind":"snapshot","fingerprints":7}}"#];
    for message in wrong {
        let reply = say(&world.socket(), message.len() as u64, message).await;
        assert_eq!(reply["refusal"]["kind"], "malformed", "{message}");
    }
}

#[tokio::test]
async fn a_request_that_is_too_long_is_refused_before_it_is_read() {
    let world = World::new();
    let _service = world.serve();
    for length in [wire::MAX_REQUEST_BYTES + 1, u64::MAX] {
        let reply = say(&world.socket(), length, "").await;
        assert_eq!(reply["refusal"]["kind"], "too_long");
        assert_eq!(reply["refusal"]["limit"], wire::MAX_REQUEST_BYTES);
    }
}

#[tokio::test]
async fn a_reply_that_is_too_long_is_not_taken() {
    let error = answer_once(&World::new(), &u64::MAX.to_be_bytes()).await.unwrap_err();
    assert!(matches!(error, Error::TooLong { bytes: u64::MAX, .. }) && !error.is_passing(), "{error:?}");
}

#[tokio::test]
async fn a_reply_that_ends_early_is_not_taken_for_a_short_one() {
    let whole = br#"{"version":1,"answer":"Ada"}"#;
    for kept in [0, 1, whole.len() - 1] {
        let mut reply = (whole.len() as u64).to_be_bytes().to_vec();
        reply.extend(&whole[..kept]);
        let error = answer_once(&World::new(), &reply).await.unwrap_err();
        assert!(matches!(error, Error::Cut { .. }) && error.is_passing(), "{error:?}");
    }
}

#[tokio::test]
async fn one_that_says_nothing_is_not_waited_for() {
    let world = World::new();
    let _silent = UnixListener::bind(world.socket()).unwrap();
    let error = ask::<String>(&world.socket(), &request(), Duration::ZERO).await.unwrap_err();
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
    let refused = Listener::bind(Role::Writer, &world.state(), &world.runtime()).unwrap_err();
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
    let listener = Listener::bind(Role::Writer, &state, &world.runtime()).unwrap();
    let path = listener.path().to_owned();
    assert_eq!(path.parent(), Some(world.runtime().as_path()));
    assert_eq!(fs::metadata(world.runtime()).unwrap().permissions().mode() & 0o777, 0o700);
    assert_ne!(Listener::bind(Role::Writer, &other, &world.runtime()).unwrap().path(), path);
    let _service = listener.serve(async |_| Ok(payload(&"found")));
    assert_eq!(candidates(Role::Writer, &state, None), Vec::<PathBuf>::new());
    let [named] = &candidates(Role::Writer, &state, Some(&path))[..] else { panic!("one place fits") };
    assert_eq!(question(named).await.unwrap(), "found");
}

#[tokio::test]
async fn a_runtime_directory_that_others_may_enter_is_refused() {
    let world = World::new();
    let state = world.state().join("d".repeat(100));
    fs::create_dir(&state).unwrap();
    fs::create_dir(world.runtime()).unwrap();
    fs::set_permissions(world.runtime(), fs::Permissions::from_mode(0o755)).unwrap();
    assert!(matches!(Listener::bind(Role::Writer, &state, &world.runtime()), Err(Error::NotPrivate { .. })));
    // A link to a private directory could be turned elsewhere by its owner.
    let link = world.directory.path().join("link");
    std::os::unix::fs::symlink(world.state(), &link).unwrap();
    assert!(matches!(Listener::bind(Role::Writer, &state, &link), Err(Error::NotPrivate { .. })));
    let long = world.directory.path().join("r".repeat(100));
    assert!(matches!(Listener::bind(Role::Writer, &state, &long), Err(Error::PathTooLong { .. })));
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

#[test]
fn every_request_is_heard_as_it_was_asked() {
    let approve = Request::Approve { digest: crate::model::Digest("0f".repeat(16)) };
    for asked in [request(), Request::Status, Request::Pause, Request::Resume, approve] {
        assert_eq!(message::read_request(&message::write_request(&asked)), Ok(asked));
    }
}

#[tokio::test]
async fn a_service_listens_beside_a_writer() {
    let world = World::new();
    let service = Listener::bind(Role::Service, &world.state(), &world.runtime()).unwrap();
    let writer = world.bind();
    assert_eq!(candidates(Role::Service, &world.state(), None), [world.state().join("watch.sock")]);
    assert!(service.path().exists() && writer.path().exists() && service.path() != writer.path());
    let deep = world.directory.path().join("s".repeat(120));
    fs::create_dir(&deep).unwrap();
    let service = Listener::bind(Role::Service, &deep, &world.runtime()).unwrap();
    let writer = Listener::bind(Role::Writer, &deep, &world.runtime()).unwrap();
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
