//! Credentials, scopes, quota and what every answer carries.

use std::time::Duration;

use serde_json::{Value, json};

use super::super::{Action, Error, Options, Server};
use super::{World, ada};

const QUOTA_HEADERS: [&str; 9] = [
    "x-rate-limit-minute",
    "x-rate-limit-hourly",
    "x-rate-limit-24-hour",
    "x-minute-usage",
    "x-hourly-usage",
    "x-24-hour-usage",
    "x-minute-requests-left",
    "x-hourly-requests-left",
    "x-24-hour-requests-left",
];

#[tokio::test]
async fn no_credential_and_a_wrong_one_are_401_in_plain_text() {
    let world = World::with(|options| options.api_keys = vec!["right".to_owned()]).await;
    let url = format!("{}/labels", world.server.base_url());
    for (name, value, status) in [
        ("accept", "*/*", 401),
        ("x-api-key", "wrong", 401),
        ("authorization", "Bearer wrong", 401),
        ("x-api-key", "right", 200),
        ("authorization", "Bearer right", 200),
    ] {
        let reply = world.client.get(&url).header(name, value).send().await.unwrap();
        assert_eq!(reply.status().as_u16(), status, "{name}: {value}");
        assert_eq!(reply.headers().contains_key("x-minute-usage"), status == 200);
        if status == 401 {
            assert_eq!(reply.headers()["content-type"], "text/plain; charset=utf-8");
            assert_eq!(reply.text().await.unwrap(), "Invalid access credentials.");
        }
    }
    let health = world.get("/api/v1/auth/health").await;
    assert_eq!((health.status, &health.json()["is_logged_in"]), (200, &json!(false)));
}

#[tokio::test]
async fn a_missing_scope_is_403_and_names_the_action() {
    let world = World::with(|options| options.missing_scopes = [Action::Search].into()).await;
    let reply = world.search(json!({})).await;
    assert_eq!(reply.status, 403);
    let expected = json!({
        "error": "api/v1/contacts/search is not accessible with this api_key", "error_code": "API_INACCESSIBLE",
    });
    assert_eq!(reply.json(), expected);
    assert!(QUOTA_HEADERS.iter().all(|name| reply.header(name).is_none()));
    assert_eq!(world.create(ada()).await.status, 200);
}

#[tokio::test]
async fn a_path_the_api_lacks_is_404_in_json() {
    let world = World::new().await;
    for (method, path) in [
        ("GET", "/api/v1/contacts"),
        ("GET", "/v1/labels"),
        ("POST", "/api/v1/accounts"),
        ("GET", "/api/v1/contacts/1/2"),
    ] {
        let reply = world.send(method, path, Value::Null).await;
        assert_eq!(reply.status, 404);
        assert!(reply.json()["error"].is_string());
    }
}

#[tokio::test]
async fn answers_carry_nine_quota_headers_the_date_and_an_id() {
    let world = World::with(|options| options.quota = "200/m,2000/d".parse().unwrap()).await;
    world.create(ada()).await;
    let refused = world.create(json!({ "title": 1 })).await;
    assert_eq!(refused.status, 422);
    let shown = QUOTA_HEADERS.map(|name| refused.header(name).unwrap_or("missing").to_owned());
    assert_eq!(shown, ["200", "", "2000", "2", "2", "2", "198", "", "1998"]);
    assert_eq!(refused.header("date"), Some("Sun, 15 Jun 2025 15:06:40 GMT"));
    assert_ne!(refused.header("x-request-id"), world.create(ada()).await.header("x-request-id"));
}

#[tokio::test]
async fn an_exhausted_window_is_429_until_it_resets() {
    let world = World::with(|options| options.quota = "2/m,3/h".parse().unwrap()).await;
    world.create(ada()).await;
    world.advance(Duration::from_secs(50));
    world.create(ada()).await;
    let refused = world.create(ada()).await;
    assert_eq!(refused.status, 429);
    assert_eq!(refused.header("retry-after"), Some("10"));
    assert_eq!(refused.header("x-minute-requests-left"), Some("0"));
    let message = "The maximum number of api calls allowed for api/v1/contacts is 2 times per minute. \
                   Please upgrade your plan from https://app.apollo.io/#/settings/plans/upgrade.";
    assert_eq!(refused.json(), json!({ "message": message }));
    assert_eq!(world.search(json!({})).await.status, 200);
    world.advance(Duration::from_secs(10));
    assert_eq!(world.create(ada()).await.status, 200);
    let refused = world.create(ada()).await;
    assert_eq!(refused.header("retry-after"), Some("3540"));
    assert!(refused.text.contains("3 times per hour"));
    assert_eq!(world.server.contacts().len(), 3);
    let counts = world.server.requests();
    assert_eq!((counts.requests(Action::Create), counts.answered(Action::Create, 429)), (5, 2));
}

#[tokio::test]
async fn only_loopback_can_be_listened_on() {
    let world = World::new().await;
    let mut options = Options::new(world.data.path().join("other"), std::sync::Arc::new(Default::default));
    options.listen = "0.0.0.0:0".parse().unwrap();
    assert!(matches!(Server::start(options).await, Err(Error::NotLoopback { .. })));
}
