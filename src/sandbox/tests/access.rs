//! Who is answered: programs with the key of the data, and no web page.

use secrecy::ExposeSecret;
use serde_json::{Value, json};

use super::super::{Error, key_file, read_key};
use super::{KEY, Reply, World, ada};

/// Paths that show something: of the API, of the control surface, and one that is nowhere.
const PATHS: [&str; 4] = ["/api/v1/labels", "/sandbox/contacts", "/sandbox/requests", "/sandbox/nothing"];

async fn ask(world: &World, path: &str, headers: &[(&str, &str)]) -> Reply {
    let mut request = world.client.get(format!("http://{}{path}", world.server.address()));
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    let response = request.send().await.unwrap();
    let (status, headers) = (response.status().as_u16(), response.headers().clone());
    Reply { status, headers, text: response.text().await.unwrap() }
}

#[tokio::test]
async fn a_web_page_is_refused_whatever_key_it_has() {
    let world = World::new().await;
    world.create(ada()).await;
    for path in PATHS.into_iter().chain(["/sandbox/owner", "/api/v1/auth/health"]) {
        for (name, value, status) in [
            ("origin", "https://example.org", 403),
            ("origin", "null", 403),
            ("origin", "http://127.0.0.1:8080", 403),
            ("host", "sandbox.example.org", 421),
            ("host", "localhost.example.org:8080", 421),
            ("host", "localhost@example.org", 421),
            ("host", "", 421),
        ] {
            let reply = ask(&world, path, &[("x-api-key", KEY), (name, value)]).await;
            assert_eq!(reply.status, status, "{path} {name}: {value}");
            assert!(!reply.text.contains("ada.quill"), "{path} {name}: {value}");
        }
    }
}

#[tokio::test]
async fn a_request_of_no_host_or_two_is_refused() {
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    let world = World::new().await;
    for hosts in ["", "host: localhost\r\nhost: localhost\r\n"] {
        let mut stream = tokio::net::TcpStream::connect(world.server.address()).await.unwrap();
        let head = format!("GET /sandbox/contacts HTTP/1.1\r\n{hosts}x-api-key: {KEY}\r\nconnection: close\r\n\r\n");
        stream.write_all(head.as_bytes()).await.unwrap();
        let mut reply = String::new();
        stream.read_to_string(&mut reply).await.unwrap();
        assert!(reply.starts_with("HTTP/1.1 400 "), "{reply}");
    }
}

#[tokio::test]
async fn any_name_of_this_machine_will_do() {
    let world = World::new().await;
    for host in ["localhost", "LOCALHOST:1", "127.0.0.1:8080", "[::1]:8080"] {
        assert_eq!(ask(&world, "/api/v1/labels", &[("x-api-key", KEY), ("host", host)]).await.status, 200, "{host}");
    }
}

#[tokio::test]
async fn only_the_key_of_the_data_opens_it() {
    let world = World::with(|options| options.api_keys.clear()).await;
    let key = read_key(&world.data.path().join("data")).unwrap();
    let (key, bearer) = (key.expose_secret(), format!("Bearer {}", key.expose_secret()));
    for path in &PATHS[..3] {
        for (name, value, status) in [
            ("accept", "*/*", 401),
            ("x-api-key", "", 401),
            ("x-api-key", "sandbox", 401),
            ("x-api-key", &key[1..], 401),
            ("x-api-key", key, 200),
            ("authorization", &bearer, 200),
        ] {
            let reply = ask(&world, path, &[(name, value)]).await;
            assert_eq!(reply.status, status, "{path}");
            assert_eq!(reply.text == "Invalid access credentials.", status == 401, "{path}");
            assert!(!reply.text.contains(key), "{path}");
        }
    }
    assert_eq!(ask(&world, "/sandbox/contacts/65b000000000000000000099", &[]).await.status, 401);
    let owner: Value = ask(&world, "/sandbox/owner", &[]).await.json();
    assert_eq!(owner["pid"], json!(std::process::id()));
}

#[tokio::test]
async fn the_key_stays_over_restarts_and_a_directory_in_its_place_is_an_error() {
    let world = World::with(|options| options.api_keys.clear()).await;
    let data = world.data.path().join("data");
    let key = || read_key(&data).unwrap().expose_secret().to_owned();
    let before = key();
    let world = world.restarted_with(|options| options.api_keys.clear()).await;
    assert_eq!(key(), before);
    assert_eq!(ask(&world, "/api/v1/labels", &[("x-api-key", &before)]).await.status, 200);
    world.server.stop().await.unwrap();
    std::fs::remove_file(key_file(&data)).unwrap();
    std::fs::create_dir(key_file(&data)).unwrap();
    let error = super::Server::start(super::options(&world.data, &world.clock)).await.err().unwrap();
    assert!(matches!(error, Error::Key { .. }), "{error}");
}
