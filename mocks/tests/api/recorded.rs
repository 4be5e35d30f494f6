//! The service that replays recorded responses.

use std::fs;
use std::path::{Path, PathBuf};

use mocks::Recorded;
use reqwest::{Method, RequestBuilder};
use serde_json::json;

use crate::client::{client, send, try_send};

fn folder(name: &str, files: &[(&str, &str)]) -> PathBuf {
    let path = Path::new(env!("CARGO_TARGET_TMPDIR")).join(name);
    let _ = fs::remove_dir_all(&path);
    fs::create_dir_all(&path).unwrap();
    for (name, text) in files {
        fs::write(path.join(name), text).unwrap();
    }
    path
}

fn request(recorded: &Recorded, method: Method, path: &str) -> RequestBuilder {
    client().request(method, format!("{}{path}", recorded.url()))
}

const THINGS: &str = r#"[
  { "request": { "method": "GET", "url": "/things?a=1&b=x%20y" }, "response": { "body": [1.50] } },
  { "request": { "method": "GET", "url": "/things", "headers": { "x-token": "t" } }, "response": { "body": "secret" } },
  { "request": { "method": "GET", "url": "/things" }, "response": { "status": 401, "headers": { "x-why": "token" }, "body": null } }
]"#;

const FORMS: &str = r#"[
  { "request": { "method": "POST", "url": "/things", "form": "a%5Bb%5D=1&c=2" }, "response": { "status": 201 } },
  { "request": { "method": "POST", "url": "/things", "json": { "a": [1] } }, "response": { "status": 202 } }
]"#;

#[tokio::test]
async fn only_recorded_requests_are_answered() {
    let folder = folder(
        "recorded",
        &[("a.json", THINGS), ("b.json", FORMS), ("c.txt", "no")],
    );
    let recorded = Recorded::start(&folder).await.unwrap();
    let get = |path| request(&recorded, Method::GET, path);

    let other_order = send(get("/things?b=x+y&a=1")).await;
    assert_eq!(other_order.expect(200), json!([1.5]));
    assert_eq!(
        send(get("/things").header("x-token", "t"))
            .await
            .expect(200),
        "secret"
    );
    assert_eq!(send(get("/things")).await.header("x-why"), "token");
    for path in [
        "/things?a=1",
        "/things?a=1&b=x%20y&c=3",
        "/thing",
        "/things/",
    ] {
        let message = send(get(path)).await.expect(404)["error"]["message"].clone();
        assert_eq!(message, format!("nothing is recorded for GET {path}"));
    }
    assert_eq!(
        send(request(&recorded, Method::PUT, "/things"))
            .await
            .status,
        404
    );
}

#[tokio::test]
async fn bodies_are_compared_by_their_values() {
    let folder = folder("recorded-bodies", &[("b.json", FORMS)]);
    let recorded = Recorded::start(&folder).await.unwrap();
    let post = || request(&recorded, Method::POST, "/things");
    let form = |text: &'static str| {
        post()
            .header("content-type", "application/x-www-form-urlencoded")
            .body(text)
    };

    assert_eq!(send(form("c=2&a[b]=1")).await.status, 201);
    assert_eq!(send(form("c=2")).await.status, 404);
    assert_eq!(send(post().body("{ \"a\" : [1] }")).await.status, 202);
    assert_eq!(send(post().body("{\"a\":[1],\"b\":0}")).await.status, 404);
    assert_eq!(send(post().body(vec![0xff])).await.status, 404);
}

#[tokio::test]
async fn calls_are_recorded_and_a_stopped_service_refuses_connections() {
    let folder = folder("recorded-calls", &[("a.json", THINGS)]);
    let recorded = Recorded::start(&folder).await.unwrap();
    let url = format!("{}/things", recorded.url());

    for path in ["/things?b=1", "/a"] {
        send(request(&recorded, Method::GET, path)).await;
    }
    let calls = recorded.calls();
    recorded.stop().await;

    assert_eq!(calls, ["GET /a", "GET /things?b=1"]);
    assert!(try_send(client().get(url)).await.is_err());
}

#[tokio::test]
async fn a_folder_without_valid_recordings_fails_the_start() {
    let wrong = r#"[{ "request": { "methd": "GET", "url": "/" }, "response": {} }]"#;
    let cases = [
        ("recorded-none", vec![], "nothing is recorded in"),
        (
            "recorded-wrong",
            vec![("a.json", wrong)],
            "unknown field `methd`",
        ),
    ];
    for (name, files, expected) in cases {
        let error = Recorded::start(&folder(name, &files)).await.unwrap_err();
        assert!(error.to_string().contains(expected), "{error}");
    }
}
