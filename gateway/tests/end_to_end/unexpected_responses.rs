//! Successful responses that are probably not what their connectors expect: the log, the metrics
//! and the reports tell of them.

use std::net::SocketAddr;

use axum::Router;
use axum::http::header;
use gateway::tasks::Tasks;
use serde_json::{Value, json};
use tokio::net::TcpListener;

use crate::client::exchange;
use crate::commands::{Folder, terminate};
use crate::port::Port;

/// A service that answers everything with the page of a login, until the tasks are dropped.
async fn login() -> (SocketAddr, Tasks) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let page = async || ([(header::CONTENT_TYPE, "text/html")], "<h1>Login</h1>");
    let routes = Router::new().fallback(page);
    let tasks = Tasks::default();
    tasks.spawn("login", async {
        axum::serve(listener, routes).await.unwrap();
    });
    (address, tasks)
}

fn files(service: SocketAddr, admin: SocketAddr, reports: bool) -> [(&'static str, String); 2] {
    let config = format!(
        "listen: {{ address: '127.0.0.1:0' }}
graph: {{ subgraphs: {{ g: {{ schema: g.graphql }} }} }}
connectors: {{ reports: {reports} }}
admin: {{ address: '{admin}', key: test-key-of-16-bytes }}
log: {{ format: json }}
"
    );
    let sdl = format!(
        r#"
extend schema @link(url: "https://specs.apollo.dev/connect/v0.3", import: ["@connect"])
type Query {{
  ok: Boolean @connect(http: {{ GET: "http://{service}/?key=secret" }}, selection: "$(true)")
}}
"#
    );
    [("weir.yaml", config), ("g.graphql", sdl)]
}

#[tokio::test]
async fn a_page_in_place_of_json_is_logged_once_counted_and_reported() {
    let (service, _tasks) = login().await;
    for reports in [false, true] {
        let port = Port::free();
        let admin = SocketAddr::from(([127, 0, 0, 1], port.number));
        let files = files(service, admin, reports);
        let files = files.each_ref().map(|(name, text)| (*name, text.as_str()));
        let name = format!("unexpected-{reports}");
        let (child, address) = Folder::new(&name, &files).serve(&["serve"]).await;

        let mut answers = Vec::new();
        for _ in 0..3 {
            let headers = [("content-type", "application/json")];
            let body = r#"{"query":"{ ok }"}"#;
            let answer = exchange(address, "POST /graphql", &headers, body).await;
            answers.push(answer.json());
        }
        let metrics = exchange(admin, "GET /metrics", &[], "").await;
        let metrics = String::from_utf8(metrics.body).unwrap();
        terminate(&child).await;
        let ended = child.wait_with_output().await.unwrap();

        let text = "the body of the response (200 OK) is not read because its media type is `text/html`; it is null for the mapping";
        let mut expected = json!({ "data": { "ok": true } });
        if reports {
            let report = json!({ "connector": "g:Query.ok[0]", "kind": "media_type_unread", "message": text });
            expected["extensions"] = json!({ "connectors": { "reports": [report] } });
        }
        assert_eq!(answers, [expected.clone(), expected.clone(), expected]);
        let line = "weir_connector_warnings_total{connector=\"g:Query.ok[0]\",kind=\"media_type_unread\"} 3\n";
        assert!(metrics.contains(line), "{metrics}");
        let log = String::from_utf8_lossy(&ended.stderr).into_owned();
        let lines = log.lines();
        let lines = lines.map(|line| serde_json::from_str(line).expect(line));
        let warnings: Vec<Value> = lines
            .filter(|line: &Value| line["message"] == "unexpected response")
            .collect();
        assert_eq!(warnings.len(), 1, "{log}");
        assert_eq!(warnings[0]["level"], "WARN");
        assert_eq!(warnings[0]["connector"], "g:Query.ok[0]");
        assert_eq!(warnings[0]["service"], "g");
        assert_eq!(warnings[0]["warning"], text);
        assert!(warnings[0]["request_id"].is_string(), "{log}");
    }
}
