mod loopback;

use std::io::{ErrorKind, Write};
use std::net::SocketAddr;
use std::process::Command;
use std::time::Duration;

use loopback::{Loopback, Reply};
use url::Url;

use super::super::{Credential, Retry, Standing};
use super::*;
use crate::apollo::Order;
use crate::apollo::received::MAX_BODY_BYTES;

const CONTACT: &str = r#"{"contact": {"id": "66e34b81740c50074e3d1b01", "email": "ada@example.com"}}"#;

fn http(status: &str, headers: &str, body: &str) -> Vec<u8> {
    format!("HTTP/1.1 {status}\r\ncontent-length: {}\r\n{headers}\r\n{body}", body.len()).into_bytes()
}

fn ok(body: &str) -> Reply {
    Reply::Send(http("200 OK", "content-type: application/json\r\n", body))
}

fn options(address: SocketAddr) -> Options {
    let base_url = Url::parse(&format!("http://{address}/api/v1")).unwrap();
    Options::new(base_url, Credential::ApiKey("key-of-the-team".into()))
}

fn client(address: SocketAddr) -> Client {
    Client::new(options(address)).unwrap()
}

fn hasty(address: SocketAddr) -> Client {
    Client::new(Options { request_timeout: Duration::from_millis(100), ..options(address) }).unwrap()
}

fn id() -> ApolloId {
    ApolloId::parse("66e34b81740c50074e3d1b01").unwrap()
}

/// Sends one create to a server with this one reply; returns the error and how many requests arrived.
async fn failed_create(reply: Reply) -> (Error, usize) {
    let mut server = Loopback::start([reply]).await;
    let error = client(server.address).create_contact("{}").await.unwrap_err();
    (error, server.requests().len())
}

#[tokio::test]
async fn a_create_is_sent_as_the_api_expects_it() {
    let mut server = Loopback::start([ok(CONTACT)]).await;
    let body = r#"{"email":"ada@example.com","run_dedupe":true}"#;
    let answer = client(server.address).create_contact(body).await.unwrap();
    assert_eq!((answer.value.id, answer.meta.status), (id(), 200));

    let requests = server.requests();
    let [request] = requests.as_slice() else { panic!("{requests:?}") };
    assert_eq!((request.line.as_str(), request.body.as_str()), ("POST /api/v1/contacts HTTP/1.1", body));
    for (name, value) in [
        ("x-api-key", "key-of-the-team"),
        ("content-type", "application/json"),
        ("accept", "application/json"),
        ("cache-control", "no-cache"),
        ("user-agent", concat!("contactsd/", env!("CARGO_PKG_VERSION"))),
        ("host", &server.address.to_string()),
    ] {
        assert_eq!(request.header(name), Some(value), "{name}");
    }
    assert_eq!((request.header("authorization"), request.header("accept-encoding")), (None, None));
}

#[tokio::test]
async fn an_access_token_is_sent_as_bearer() {
    let mut server = Loopback::start([ok(CONTACT)]).await;
    let credential = Credential::AccessToken("token-of-the-user".into());
    let client = Client::new(Options { credential, ..options(server.address) }).unwrap();
    client.view_contact(&id()).await.unwrap();
    let request = server.requests().remove(0);
    assert_eq!(request.header("authorization"), Some("Bearer token-of-the-user"));
    assert_eq!(request.header("x-api-key"), None);
}

#[tokio::test]
async fn each_call_has_its_method_and_path() {
    let search = r#"{"contacts": [], "pagination": {"page": 3, "total_pages": 0, "total_entries": 0}}"#;
    let list_change = include_str!("../../../tests/fixtures/apollo/list-change.json");
    let script = [ok(CONTACT), ok(CONTACT), ok(search), ok(list_change), ok(r#"{"message": "done"}"#)];
    let mut server = Loopback::start(script).await;
    let client = client(server.address);
    client.update_contact(&id(), r#"{"title":"Pilot"}"#).await.unwrap();
    client.view_contact(&id()).await.unwrap();
    let found = client.search_contacts(Some("ada@example.com"), Order::OldestFirst, 3).await.unwrap();
    assert_eq!(found.value.page, 3);
    client.change_lists(Endpoint::AddToLists, "{\"a\":1}").await.unwrap();
    client.change_lists(Endpoint::RemoveFromLists, "{\"b\":2}").await.unwrap();

    let requests = server.requests();
    let sent: Vec<_> = requests.iter().map(|request| (request.line.as_str(), request.body.as_str())).collect();
    assert_eq!(
        sent,
        [
            ("PATCH /api/v1/contacts/66e34b81740c50074e3d1b01 HTTP/1.1", r#"{"title":"Pilot"}"#),
            ("GET /api/v1/contacts/66e34b81740c50074e3d1b01 HTTP/1.1", ""),
            (
                "POST /api/v1/contacts/search HTTP/1.1",
                &body::search(Some("ada@example.com"), Order::OldestFirst, 3, 100)
            ),
            ("POST /api/v1/labels/add_entity_ids_to_label_names HTTP/1.1", "{\"a\":1}"),
            ("POST /api/v1/labels/remove_entity_ids_from_label_names HTTP/1.1", "{\"b\":2}"),
        ]
    );
}

#[tokio::test]
async fn each_call_for_many_contacts_has_its_path_and_body() {
    let shown = r#"{"contacts": [{"id": "66e34b81740c50074e3d1b01"}]}"#;
    let script = [ok(r#"{"created_contacts": [], "existing_contacts": []}"#), ok(shown), ok(shown)];
    let mut server = Loopback::start(script).await;
    let client = client(server.address);
    let nobody = client.create_contacts(&body::create_many([])).await.unwrap().value;
    assert_eq!(nobody, BatchAnswer::default());
    assert_eq!(client.update_contacts(&body::update_many(["{}"])).await.unwrap().value.rows.len(), 1);
    let other = ApolloId::parse("66e34b81740c50074e3d1b02").unwrap();
    let moved = client.update_stages(&[&id(), &other], "60e34b81740c50074e3d1c01").await.unwrap().value;
    assert_eq!((&moved.rows[0].contact.id, moved.rows[0].standing), (&id(), Standing::Existing));

    let requests = server.requests();
    let sent: Vec<_> = requests.iter().map(|request| (request.line.as_str(), request.body.as_str())).collect();
    let query = "contact_ids%5B%5D=66e34b81740c50074e3d1b01&contact_ids%5B%5D=66e34b81740c50074e3d1b02\
                 &contact_stage_id=60e34b81740c50074e3d1c01";
    assert_eq!(
        sent,
        [
            ("POST /api/v1/contacts/bulk_create HTTP/1.1", r#"{"contacts":[],"run_dedupe":true}"#),
            ("POST /api/v1/contacts/bulk_update HTTP/1.1", r#"{"contact_attributes":[{}]}"#),
            (
                &*format!("POST /api/v1/contacts/update_stages?{query} HTTP/1.1"),
                &*body::stages([&id(), &other], "60e34b81740c50074e3d1c01")
            ),
        ]
    );
}

#[tokio::test]
async fn an_error_names_the_call_without_its_query() {
    let server = Loopback::start([Reply::Close(vec![])]).await;
    let error = client(server.address).update_stages(&[&id()], "60e34b81740c50074e3d1c01").await.unwrap_err();
    let shown = format!("{error} {:?}", std::error::Error::source(&error));
    assert!(shown.contains("/contacts/update_stages:") && !shown.contains("60e34b81740c50074e3d1c01"), "{shown}");
}

#[tokio::test]
async fn a_request_for_many_contacts_may_take_longer() {
    let server = Loopback::start([Reply::Stall(vec![])]).await;
    let hasty = hasty(server.address);
    assert_eq!(hasty.many_timeout, Duration::from_millis(500));
    let error = hasty.create_contacts("{}").await.unwrap_err();
    assert!(matches!(error, Error::Timeout { .. }), "{error:?}");
    assert_eq!(error.retry(Endpoint::CreateContacts), Retry::Settle);
}

#[tokio::test]
async fn a_base_url_may_end_with_a_slash() {
    let mut server = Loopback::start([ok(CONTACT)]).await;
    let base_url = Url::parse(&format!("http://{}/api/v1/", server.address)).unwrap();
    let client = Client::new(Options { base_url, ..options(server.address) }).unwrap();
    client.create_contact("{}").await.unwrap();
    assert_eq!(server.requests()[0].line, "POST /api/v1/contacts HTTP/1.1");
}

#[tokio::test]
async fn localhost_is_this_machine() {
    let server = Loopback::start([ok(CONTACT)]).await;
    let base_url = Url::parse(&format!("http://localhost:{}", server.address.port())).unwrap();
    let client = Client::new(Options { base_url, ..options(server.address) }).unwrap();
    client.view_contact(&id()).await.unwrap();
}

#[tokio::test]
async fn a_redirect_is_an_error_and_not_followed() {
    let mut elsewhere = Loopback::start([ok(CONTACT)]).await;
    for status in ["301 Moved Permanently", "302 Found", "307 Temporary Redirect", "308 Permanent Redirect"] {
        let location = format!("location: http://{}/\r\n", elsewhere.address);
        let (error, requests) = failed_create(Reply::Send(http(status, &location, ""))).await;
        assert_eq!((error.retry(Endpoint::CreateContact), requests), (Retry::Never, 1));
        assert_eq!(
            error.status().map(|code| code.to_string()).as_deref(),
            status.split_once(' ').map(|(code, _)| code)
        );
    }
    assert!(elsewhere.requests().is_empty());
}

/// Runs one of these tests in a process whose environment names a proxy, which must not be asked.
#[test]
fn this_machine_is_reached_without_the_proxy() {
    let proxy = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    proxy.set_nonblocking(true).unwrap();
    let url = format!("http://{}", proxy.local_addr().unwrap());
    let mut child = Command::new(std::env::current_exe().unwrap());
    for name in ["HTTP_PROXY", "http_proxy", "HTTPS_PROXY", "https_proxy", "ALL_PROXY", "all_proxy"] {
        child.env(name, &url);
    }
    child.env_remove("NO_PROXY").env_remove("no_proxy");
    let name = "apollo::client::tests::a_create_is_sent_as_the_api_expects_it";
    let output = child.args(["--exact", name]).output().unwrap();
    let text = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success() && text.contains("1 passed"), "{text}");
    assert_eq!(proxy.accept().unwrap_err().kind(), ErrorKind::WouldBlock);
}

#[tokio::test]
async fn a_refused_connection_is_sent_again_even_for_a_create() {
    // Bound and not listening: the port stays ours, and connecting to it is refused.
    let socket = tokio::net::TcpSocket::new_v4().unwrap();
    socket.bind("127.0.0.1:0".parse().unwrap()).unwrap();
    let error = client(socket.local_addr().unwrap()).create_contact("{}").await.unwrap_err();
    assert!(matches!(error, Error::Connect { .. }), "{error:?}");
    assert_eq!(error.retry(Endpoint::CreateContact), Retry::Now);
    assert!(error.meta().is_none());
}

#[tokio::test]
async fn a_connection_that_takes_too_long_was_never_used() {
    // TLS belongs to connecting, and this listener never says a word of it.
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let options = Options { connect_timeout: Duration::from_millis(100), ..options(address) };
    let base_url = Url::parse(&format!("https://{address}")).unwrap();
    let client = Client(Reader { base_url, ..Reader::new(options).unwrap() });
    let error = client.create_contact("{}").await.unwrap_err();
    assert!(matches!(error, Error::Connect { .. }), "{error:?}");
    assert_eq!(error.retry(Endpoint::CreateContact), Retry::Now);
}

#[tokio::test]
async fn a_lost_reply_leaves_a_create_in_doubt_and_repeats_the_rest() {
    let whole = http("200 OK", "", CONTACT);
    let cut_head = whole[..20].to_vec();
    let cut_body = whole[..whole.len() - 10].to_vec();
    let unannounced = format!("HTTP/1.1 200 OK\r\nconnection: close\r\n\r\n{}", &CONTACT[..30]).into_bytes();
    let chunked = b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n5\r\n{\"con\r\n".to_vec();
    for reply in [
        Reply::Close(vec![]),
        Reply::Close(cut_head.clone()),
        Reply::Close(cut_body.clone()),
        Reply::Close(unannounced),
        Reply::Close(chunked),
        Reply::Close(b"SSH-2.0-OpenSSH\r\n".to_vec()),
        Reply::Reset(vec![]),
        Reply::Reset(cut_head),
        Reply::Reset(cut_body),
    ] {
        let (error, requests) = failed_create(reply).await;
        assert!(matches!(error, Error::Transport { .. }), "{error:?}");
        assert_eq!((error.retry(Endpoint::CreateContact), requests), (Retry::Settle, 1));
        assert_eq!(error.retry(Endpoint::UpdateContact), Retry::Now);
    }
}

#[tokio::test]
async fn the_headers_of_a_cut_answer_count() {
    let reply = b"HTTP/1.1 200 OK\r\ncontent-length: 99\r\nx-hourly-usage: 12\r\n\r\n{".to_vec();
    let (error, _) = failed_create(Reply::Close(reply)).await;
    assert_eq!(error.meta().unwrap().quota.hour.usage, Some(12));
}

#[tokio::test]
async fn a_kept_connection_that_closes_under_a_create_leaves_it_in_doubt_and_unsent_again() {
    let mut server = Loopback::start([ok(CONTACT), Reply::Close(vec![])]).await;
    let client = client(server.address);
    client.view_contact(&id()).await.unwrap();
    let error = client.create_contact("{}").await.unwrap_err();
    assert_eq!(error.retry(Endpoint::CreateContact), Retry::Settle, "{error:?}");
    assert_eq!(server.requests().len(), 2);
}

#[tokio::test]
async fn a_server_that_stalls_is_a_timeout_before_and_within_the_answer() {
    let server = Loopback::start([Reply::Stall(vec![])]).await;
    let error = hasty(server.address).create_contact("{}").await.unwrap_err();
    assert!(matches!(error, Error::Timeout { .. }), "{error:?}");
    assert_eq!(error.retry(Endpoint::CreateContact), Retry::Settle);
    assert_eq!(error.retry(Endpoint::ViewContact), Retry::Now);

    let half = http("200 OK", "", CONTACT)[..60].to_vec();
    let server = Loopback::start([Reply::Stall(half)]).await;
    let error = hasty(server.address).create_contact("{}").await.unwrap_err();
    assert!(matches!(error, Error::Timeout { .. }), "{error:?}");
    assert_eq!(error.retry(Endpoint::CreateContact), Retry::Settle);
}

#[tokio::test]
async fn a_refusal_counts_by_its_status_even_when_its_body_is_cut() {
    let reply = b"HTTP/1.1 429 Too Many Requests\r\ncontent-length: 99\r\nretry-after: 30\r\n\r\n{\"mess".to_vec();
    let (error, _) = failed_create(Reply::Close(reply)).await;
    assert_eq!(error.retry(Endpoint::CreateContact), Retry::Later);
    assert_eq!(error.meta().unwrap().retry_after, Some(Duration::from_secs(30)));
}

#[tokio::test]
async fn too_many_requests_are_sent_later_with_or_without_a_time() {
    let body = include_str!("../../../tests/fixtures/apollo/too-many-requests.json");
    let dates = "date: Thu, 06 Aug 2026 10:00:00 GMT\r\nretry-after: Thu, 06 Aug 2026 10:00:45 GMT\r\n";
    for (headers, seconds) in [("retry-after: 30\r\n", Some(30)), (dates, Some(45)), ("", None)] {
        let (error, _) = failed_create(Reply::Send(http("429 Too Many Requests", headers, body))).await;
        assert_eq!(error.retry(Endpoint::CreateContact), Retry::Later);
        assert_eq!(error.meta().unwrap().retry_after, seconds.map(Duration::from_secs));
        assert!(error.server_message().is_some_and(|message| message.contains("per hour")));
    }
}

#[tokio::test]
async fn a_gateways_page_leaves_a_create_in_doubt() {
    let (error, _) = failed_create(Reply::Send(http("502 Bad Gateway", "", "<html><h1>502</h1></html>"))).await;
    assert_eq!((error.status(), error.retry(Endpoint::CreateContact)), (Some(502), Retry::Settle));
    assert!(error.to_string().ends_with("answered 502 with an HTML page"), "{error}");
}

#[tokio::test]
async fn a_success_with_an_error_in_it_is_no_success() {
    let (error, _) = failed_create(ok(r#"{"error": "stage \u001b[1m unknown"}"#)).await;
    assert!(matches!(error, Error::Unreadable { .. }), "{error:?}");
    assert_eq!(error.retry(Endpoint::CreateContact), Retry::Settle);
    assert!(error.to_string().ends_with("answered 200 with an error: stage \\u{1b}[1m unknown"), "{error}");

    let server = Loopback::start([ok(r#"{"error": "no such list"}"#), ok("[]"), ok("<html>")]).await;
    let client = client(server.address);
    let change = client.change_lists(Endpoint::AddToLists, "{}").await.unwrap().value;
    assert_eq!(change.complaint.as_deref(), Some("no such list"));
    client.change_lists(Endpoint::AddToLists, "{}").await.unwrap();
    assert!(client.change_lists(Endpoint::AddToLists, "{}").await.is_err());
}

#[tokio::test]
async fn an_answer_of_more_than_8_mib_is_not_read_to_its_end() {
    let fits = format!("{CONTACT}{}", " ".repeat(MAX_BODY_BYTES - CONTACT.len()));
    let server = Loopback::start([ok(&fits)]).await;
    client(server.address).create_contact("{}").await.unwrap();

    let (error, _) = failed_create(ok(&format!("{fits} "))).await;
    assert!(matches!(error, Error::TooLarge { .. }), "{error:?}");
    assert_eq!(error.retry(Endpoint::CreateContact), Retry::Settle);
    assert_eq!(error.status(), Some(200));
}

fn compressed(encoding: &str, status: &str, body: &[u8]) -> Vec<u8> {
    let head = format!("HTTP/1.1 {status}\r\ncontent-length: {}\r\ncontent-encoding: {encoding}\r\n\r\n", body.len());
    [head.as_bytes(), body].concat()
}

fn gzip(body: &[u8]) -> Vec<u8> {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::best());
    encoder.write_all(body).unwrap();
    encoder.finish().unwrap()
}

fn zlib(body: &[u8]) -> Vec<u8> {
    let mut encoder = flate2::write::ZlibEncoder::new(Vec::new(), flate2::Compression::best());
    encoder.write_all(body).unwrap();
    encoder.finish().unwrap()
}

fn deflate(body: &[u8]) -> Vec<u8> {
    let mut encoder = flate2::write::DeflateEncoder::new(Vec::new(), flate2::Compression::best());
    encoder.write_all(body).unwrap();
    encoder.finish().unwrap()
}

#[tokio::test]
async fn an_answer_that_is_compressed_unasked_is_read() {
    let plain = CONTACT.as_bytes();
    let marked = [b"\xef\xbb\xbf", plain].concat();
    for answer in [
        compressed("gzip", "200 OK", &gzip(plain)),
        compressed("GZIP", "200 OK", &gzip(&marked)),
        compressed("x-gzip", "200 OK", &gzip(plain)),
        compressed("deflate", "200 OK", &zlib(plain)),
        compressed("deflate", "200 OK", &deflate(plain)),
        compressed("deflate, gzip", "200 OK", &gzip(&zlib(plain))),
        compressed("identity", "200 OK", plain),
        // The header is lost, or left over.
        compressed("", "200 OK", &gzip(plain)),
        compressed("gzip", "200 OK", plain),
        http("200 OK", "", std::str::from_utf8(&marked).unwrap()),
    ] {
        let server = Loopback::start([Reply::Send(answer)]).await;
        assert_eq!(client(server.address).create_contact("{}").await.unwrap().value.id, id());
    }
    let refusal = compressed("gzip", "422 Unprocessable", &gzip(br#"{"error": "no such stage"}"#));
    let (error, _) = failed_create(Reply::Send(refusal)).await;
    assert_eq!(error.server_message(), Some("no such stage"));
}

#[tokio::test]
async fn a_compressed_answer_counts_by_what_it_holds() {
    let fits = format!("{CONTACT}{}", " ".repeat(MAX_BODY_BYTES - CONTACT.len()));
    let server = Loopback::start([Reply::Send(compressed("gzip", "200 OK", &gzip(fits.as_bytes())))]).await;
    client(server.address).create_contact("{}").await.unwrap();
    for bytes in [fits.len() + 1, fits.len() * 50] {
        let large = gzip(&vec![b' '; bytes]);
        let (error, _) = failed_create(Reply::Send(compressed("gzip", "200 OK", &large))).await;
        assert!(matches!(error, Error::TooLarge { .. }), "{error:?}");
    }
}

#[tokio::test]
async fn a_compressed_answer_that_cannot_be_read_leaves_a_create_in_doubt() {
    let whole = gzip(CONTACT.as_bytes());
    let (error, _) = failed_create(Reply::Send(compressed("gzip", "200 OK", &whole[..whole.len() / 2]))).await;
    assert!(matches!(error, Error::Transport { .. }), "{error:?}");
    assert_eq!(error.retry(Endpoint::CreateContact), Retry::Settle);
    let damaged: Vec<u8> =
        whole.iter().enumerate().map(|(at, byte)| if at > 12 { byte ^ 0x55 } else { *byte }).collect();
    for answer in [compressed("gzip", "200 OK", &damaged), compressed("br", "200 OK", CONTACT.as_bytes())] {
        let (error, _) = failed_create(Reply::Send(answer)).await;
        assert!(matches!(error, Error::Unreadable { .. } | Error::Transport { .. }), "{error:?}");
        assert_eq!(error.retry(Endpoint::CreateContact), Retry::Settle);
    }
    let (error, _) = failed_create(Reply::Send(compressed("br", "422 Unprocessable", b"\x8b\x00"))).await;
    assert_eq!((error.status(), error.retry(Endpoint::CreateContact)), (Some(422), Retry::Never));
}

#[tokio::test]
async fn a_refusal_of_more_than_8_mib_keeps_its_status() {
    let (error, _) = failed_create(Reply::Send(http("422 Unprocessable", "", &"x".repeat(MAX_BODY_BYTES + 1)))).await;
    assert_eq!((error.status(), error.retry(Endpoint::CreateContact)), (Some(422), Retry::Never));
}

#[tokio::test]
async fn a_credential_appears_in_no_client_and_no_error() {
    let mut server = Loopback::start([Reply::Send(http("401 Unauthorized", "", "Invalid access credentials."))]).await;
    let client = client(server.address);
    let error = client.create_contact("{}").await.unwrap_err();
    assert_eq!(server.requests()[0].header("x-api-key"), Some("key-of-the-team"));
    assert!(!format!("{client:?} {error:?} {error}").contains("key-of-the-team"));
}

#[tokio::test]
async fn a_credential_that_an_answer_repeats_is_in_no_part_of_it() {
    let said = "key-of-the-team is wrong, so is key-of\\u002dthe-team and key-of%2Dthe-team";
    let refusal = format!(r#"{{"error": "{said}", "error_code": "{said}", "deleted_contact_ids": ["{said}"]}}"#);
    let headers = "x-request-id: r-key-of-the-team-1\r\n";
    let contact = CONTACT.replace("ada@example.com", "key-of-the-team@example.com").replace('}', "")
        + r#", "title": "key-of-the-team", "custom_field_errors": {"key-of-the-team": "key-of-the-team"},
            "label_ids": ["key-of-the-team"]}, "error": "key-of-the-team", "labels": [{"id": "key-of-the-team"}]}"#;
    let replies = [
        Reply::Send(http("401 Unauthorized", headers, "Bad key key-of-the-team")),
        Reply::Send(http("422 Unprocessable", headers, &refusal)),
        Reply::Send(http("422 Unprocessable", headers, &format!("{}key-of-the-team", "x".repeat(500)))),
        Reply::Send(http("200 OK", headers, r#"{"error": {"message": "key-of-the-team"}}"#)),
        Reply::Send(http("200 OK", headers, "key-of-the-team")),
        Reply::Close(b"HTTP/1.1 422 Unprocessable\r\ncontent-length: 99\r\n\r\nno key-of-the-te".to_vec()),
        Reply::Send(http("200 OK", headers, &contact)),
    ];
    let count = replies.len();
    let server = Loopback::start(replies).await;
    let client = client(server.address);
    for number in 1..=count {
        let answer = client.view_contact(&id()).await;
        let shown = format!("{answer:?} {}", answer.as_ref().err().map(ToString::to_string).unwrap_or_default());
        assert!(!shown.contains("key-of") && !shown.contains("the-te"), "{shown}");
        assert!(shown.contains("(credential)"), "{shown}");
        assert_eq!(answer.is_ok(), number == count, "{shown}");
    }
}

#[test]
fn a_call_can_run_on_any_thread() {
    fn can_move<T: Send>(_: &T) {}
    let client = client(SocketAddr::from(([127, 0, 0, 1], 1)));
    can_move(&client.create_contact("{}"));
    can_move(&client.search_contacts(Some("ada"), Order::OldestFirst, 1));
}
