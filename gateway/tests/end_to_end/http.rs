//! GraphQL over HTTP, rule by rule, through a real socket.

use std::num::NonZeroUsize;
use std::time::Duration;

use gateway::config::graph::Introspection;
use gateway::config::listen::Playground;

use crate::client::{Answer, Connection, exchange};
use crate::running::Running;

const JSON: (&str, &str) = ("content-type", "application/json");
const MODERN: (&str, &str) = ("accept", "application/graphql-response+json");
const OLD: (&str, &str) = ("accept", "application/json");
const MODERN_TYPE: &str = "application/graphql-response+json; charset=utf-8";
const OLD_TYPE: &str = "application/json; charset=utf-8";
const TYPENAME: &str = r#"{"query":"{ __typename }"}"#;

async fn post(headers: &[(&str, &str)], body: &str) -> Answer {
    let gateway = Running::alone(|_| {}).await;
    exchange(gateway.address, "POST /graphql", headers, body).await
}

#[track_caller]
fn assert_rejected(answer: &Answer, status: u16, code: &str) {
    assert_eq!(
        (answer.status, answer.code().as_str()),
        (status, code),
        "{answer:?}"
    );
    assert!(answer.json().get("data").is_none(), "{answer:?}");
    assert!(
        !answer.json()["errors"][0]["message"]
            .as_str()
            .unwrap()
            .is_empty()
    );
}

#[tokio::test]
async fn an_operation_is_answered_in_the_media_type_that_is_accepted() {
    for (accept, expected) in [
        ("application/graphql-response+json", MODERN_TYPE),
        (
            "application/graphql-response+json, application/json;q=0.9",
            MODERN_TYPE,
        ),
        ("application/json", OLD_TYPE),
        ("*/*", OLD_TYPE),
    ] {
        let answer = post(&[JSON, ("accept", accept)], TYPENAME).await;

        assert_eq!(answer.status, 200);
        assert_eq!(answer.header("content-type"), Some(expected), "{accept}");
        assert_eq!(answer.body, br#"{"data":{"__typename":"Query"}}"#);
    }
}

#[tokio::test]
async fn accepting_neither_type_is_406_in_plain_json() {
    let answer = post(&[JSON, ("accept", "text/html")], TYPENAME).await;

    assert_rejected(&answer, 406, "NOT_ACCEPTABLE");
    assert_eq!(answer.header("content-type"), Some(OLD_TYPE));
}

#[tokio::test]
async fn only_json_is_read() {
    for content_type in [
        "text/plain",
        "application/x-www-form-urlencoded",
        "application/graphql",
        "application/json; charset=iso-8859-1",
    ] {
        let answer = post(&[("content-type", content_type)], TYPENAME).await;
        assert_rejected(&answer, 415, "UNSUPPORTED_MEDIA_TYPE");
        assert_eq!(answer.header("accept-post"), Some("application/json"));
    }
    assert_rejected(&post(&[], TYPENAME).await, 415, "UNSUPPORTED_MEDIA_TYPE");
}

#[tokio::test]
async fn a_body_that_is_no_request_is_400_in_the_accepted_type() {
    let gateway = Running::alone(|_| {}).await;
    for body in [
        "NONSENSE",
        r#"{"query":"#,
        "[{]",
        " ",
        "",
        "{}",
        "7",
        r#"{"qeury": "{ __typename }"}"#,
        r#"{"query": 1}"#,
        r#"{"query": "{ __typename }", "variables": [7]}"#,
        r#"{"query": "{ __typename }", "operationName": {}}"#,
        r#"{"query": "{ __typename }", "extensions": "x"}"#,
        r#"[{"query": "{ __typename }"}]"#,
    ] {
        for (accept, media_type) in [(MODERN, MODERN_TYPE), (OLD, OLD_TYPE)] {
            let answer = exchange(gateway.address, "POST /graphql", &[JSON, accept], body).await;
            assert_rejected(&answer, 400, "BAD_REQUEST");
            assert_eq!(answer.header("content-type"), Some(media_type), "{body}");
        }
    }
}

#[tokio::test]
async fn a_rejected_operation_is_400_and_in_plain_json_200() {
    let gateway = Running::alone(|config| {
        config.limits.depth = 2.try_into().unwrap();
        config.graph.introspection = Introspection::Refuse;
    })
    .await;
    for (body, code) in [
        (r#"{"query": "{"}"#, "GRAPHQL_PARSE_FAILED"),
        (
            r#"{"query": "{ nothingLikeThis }"}"#,
            "GRAPHQL_VALIDATION_FAILED",
        ),
        (
            r#"{"query": "query($id: ID!) { user(id: $id) { id } }"}"#,
            "BAD_USER_INPUT",
        ),
        (
            r#"{"query": "query A { __typename }", "operationName": "B"}"#,
            "OPERATION_RESOLUTION_FAILURE",
        ),
        (
            r#"{"query": "{ orders { nodes { id } } }"}"#,
            "OPERATION_LIMIT_EXCEEDED",
        ),
        (
            r#"{"query": "{ __schema { description } }"}"#,
            "INTROSPECTION_DISABLED",
        ),
    ] {
        for (headers, status, media_type) in [
            (&[JSON, MODERN][..], 400, MODERN_TYPE),
            (&[JSON, OLD], 200, OLD_TYPE),
            (&[JSON], 200, OLD_TYPE),
        ] {
            let answer = exchange(gateway.address, "POST /graphql", headers, body).await;
            assert_rejected(&answer, status, code);
            assert_eq!(answer.header("content-type"), Some(media_type), "{body}");
        }
    }
}

#[tokio::test]
async fn a_document_that_doubles_with_each_fragment_is_refused() {
    let mut query = String::from("{ ...F0 } fragment F22 on Query { __typename @skip(if: true) }");
    for level in 0..22 {
        let next = level + 1;
        let fragment = format!(" fragment F{level} on Query {{ ...F{next} ...F{next} }}");
        query.push_str(&fragment);
    }
    let body = serde_json::json!({ "query": query }).to_string();

    let answer = post(&[JSON, MODERN], &body).await;

    assert_rejected(&answer, 400, "OPERATION_LIMIT_EXCEEDED");
}

#[tokio::test]
async fn an_error_in_a_document_has_a_location() {
    let answer = post(&[JSON], r#"{"query": "{\n  nothingLikeThis }"}"#).await;

    let location = &answer.json()["errors"][0]["locations"][0];
    assert_eq!(*location, serde_json::json!({ "line": 2, "column": 3 }));
}

#[tokio::test]
async fn http_errors_have_their_status_in_both_types() {
    let gateway = Running::alone(|config| {
        config.limits.body_size = NonZeroUsize::new(64).unwrap();
    })
    .await;
    let text = ("content-type", "text/plain");
    let long = "x".repeat(65);
    for (accept, media_type) in [(MODERN, MODERN_TYPE), (OLD, OLD_TYPE)] {
        for (line, content_type, body, status, code) in [
            ("PUT /graphql", JSON, TYPENAME, 405, "METHOD_NOT_ALLOWED"),
            (
                "GET /graphql?query=mutation%7B__typename%7D",
                JSON,
                "",
                405,
                "METHOD_NOT_ALLOWED",
            ),
            (
                "POST /graphql",
                text,
                TYPENAME,
                415,
                "UNSUPPORTED_MEDIA_TYPE",
            ),
            ("POST /graphql", JSON, &long, 413, "REQUEST_TOO_LARGE"),
        ] {
            let answer = exchange(gateway.address, line, &[content_type, accept], body).await;
            assert_rejected(&answer, status, code);
            assert_eq!(answer.header("content-type"), Some(media_type), "{line}");
        }
    }
}

#[tokio::test]
async fn get_runs_queries_and_rejects_mutations() {
    let gateway = Running::alone(|_| {}).await;
    let get = async |query: &str| {
        exchange(
            gateway.address,
            &format!("GET /graphql?{query}"),
            &[MODERN],
            "",
        )
        .await
    };

    let query = get("query=query+A%7B__typename%7D&operationName=A&variables=%7B%7D").await;
    let mutation = get("query=mutation%7B__typename%7D").await;
    let nothing = get("").await;

    assert_eq!(
        (query.status, query.json()["data"]["__typename"].as_str()),
        (200, Some("Query"))
    );
    assert_rejected(&mutation, 405, "METHOD_NOT_ALLOWED");
    assert_eq!(mutation.header("allow"), Some("POST"));
    assert_rejected(&nothing, 400, "BAD_REQUEST");
}

#[tokio::test]
async fn other_methods_are_rejected_with_the_allowed_ones() {
    let gateway = Running::alone(|_| {}).await;
    for method in ["PUT", "DELETE", "PATCH", "OPTIONS"] {
        let answer = exchange(gateway.address, &format!("{method} /graphql"), &[], "").await;
        assert_rejected(&answer, 405, "METHOD_NOT_ALLOWED");
        assert_eq!(answer.header("allow"), Some("GET, POST"));
    }
    let health = exchange(gateway.address, "POST /health/live", &[], "").await;
    assert_rejected(&health, 405, "METHOD_NOT_ALLOWED");
}

#[tokio::test]
async fn a_body_over_the_limit_is_rejected_before_it_is_read() {
    let gateway = Running::alone(|config| {
        config.limits.body_size = NonZeroUsize::new(64).unwrap();
    })
    .await;
    let mut announced = Connection::open(gateway.address).await;
    announced
        .send("POST /graphql HTTP/1.1\r\nhost: weir\r\ncontent-type: application/json\r\ncontent-length: 1000000\r\n\r\n")
        .await;
    let mut chunked = Connection::open(gateway.address).await;
    chunked
        .send("POST /graphql HTTP/1.1\r\nhost: weir\r\ncontent-type: application/json\r\ntransfer-encoding: chunked\r\n\r\n")
        .await;
    for _ in 0..3 {
        chunked.send(format!("20\r\n{}\r\n", "x".repeat(32))).await;
    }

    for mut connection in [announced, chunked] {
        let answer = connection.answer().await.unwrap();
        assert_rejected(&answer, 413, "REQUEST_TOO_LARGE");
        assert!(connection.is_closed().await);
    }
    let fits = exchange(gateway.address, "POST /graphql", &[JSON], TYPENAME).await;
    assert_eq!(fits.status, 200);
}

#[tokio::test]
async fn a_client_that_sends_too_slowly_times_out() {
    let gateway = Running::alone(|config| {
        config.listen.body_timeout = Duration::from_millis(50);
        config.listen.header_timeout = Duration::from_millis(50);
    })
    .await;
    let mut body = Connection::open(gateway.address).await;
    body.send("POST /graphql HTTP/1.1\r\nhost: weir\r\ncontent-type: application/json\r\ncontent-length: 26\r\n\r\n{\"query\"")
        .await;
    let mut head = Connection::open(gateway.address).await;
    head.send("POST /graphql HTTP/1.1\r\nhost: we").await;
    let mut nothing = Connection::open(gateway.address).await;

    assert_rejected(&body.answer().await.unwrap(), 408, "REQUEST_TIMEOUT");
    assert!(body.is_closed().await);
    assert!(head.is_closed().await);
    assert!(nothing.is_closed().await);
}

#[tokio::test]
async fn a_connection_serves_one_request_after_the_other() {
    let gateway = Running::alone(|_| {}).await;
    let mut connection = Connection::open(gateway.address).await;

    connection.request("POST /graphql", &[JSON], TYPENAME).await;
    connection
        .request("POST /graphql", &[JSON], "NONSENSE")
        .await;
    connection.request("POST /graphql", &[JSON], TYPENAME).await;

    assert_eq!(connection.answer().await.unwrap().status, 200);
    assert_eq!(connection.answer().await.unwrap().status, 400);
    assert_eq!(connection.answer().await.unwrap().status, 200);
}

#[tokio::test]
async fn bytes_that_are_not_http_fail_only_their_connection() {
    let gateway = Running::alone(|_| {}).await;
    let mut garbage = Connection::open(gateway.address).await;
    garbage
        .send([
            0x16, 0x03, 0x01, 0x02, 0x00, 0x01, b'\r', b'\n', b'\r', b'\n',
        ])
        .await;
    let mut long = Connection::open(gateway.address).await;
    long.send(format!(
        "GET / HTTP/1.1\r\nhost: weir\r\ncookie: {}\r\n\r\n",
        "x".repeat(50_000)
    ))
    .await;
    let mut longer = Connection::open(gateway.address).await;
    longer
        .send(format!(
            "GET / HTTP/1.1\r\nhost: weir\r\ncookie: {}\r\n\r\n",
            "x".repeat(100_000)
        ))
        .await;

    assert_eq!(
        garbage.answer().await.map(|answer| answer.status),
        Some(400)
    );
    assert_eq!(long.answer().await.unwrap().status, 200);
    assert_eq!(longer.answer().await.unwrap().status, 431);
    assert_eq!(
        exchange(gateway.address, "POST /graphql", &[JSON], TYPENAME)
            .await
            .status,
        200
    );
}

#[tokio::test]
async fn connections_over_the_limit_wait_for_their_turn() {
    let gateway = Running::alone(|config| {
        config.listen.connections = NonZeroUsize::new(1).unwrap();
    })
    .await;
    let mut first = Connection::open(gateway.address).await;
    first.request("GET /health/live", &[], "").await;
    assert_eq!(first.answer().await.unwrap().status, 200);
    let mut second = Connection::open(gateway.address).await;
    second.request("GET /health/live", &[], "").await;

    drop(first);

    assert_eq!(second.answer().await.unwrap().status, 200);
}

#[tokio::test]
async fn every_answer_has_the_id_of_its_request() {
    let gateway = Running::alone(|_| {}).await;
    let id = async |headers: &[(&str, &str)]| {
        let answer = exchange(gateway.address, "GET /nothing", headers, "").await;
        answer.header("x-request-id").unwrap().to_owned()
    };

    assert_eq!(id(&[("x-request-id", "7f-3a")]).await, "7f-3a");
    assert_ne!(id(&[("x-request-id", "two words")]).await, "two words");
    assert_ne!(id(&[]).await, id(&[]).await);
}

#[tokio::test]
async fn unknown_paths_are_not_found_in_json() {
    let gateway = Running::alone(|_| {}).await;
    for path in [
        "/nothing",
        "/assets/nothing.js",
        "/assets/../Cargo.toml",
        "/graphql/",
        "/%00",
    ] {
        let answer = exchange(gateway.address, &format!("GET {path}"), &[], "").await;
        assert_rejected(&answer, 404, "NOT_FOUND");
        assert_eq!(answer.header("content-type"), Some(OLD_TYPE));
    }
}

#[tokio::test]
async fn the_page_is_served_with_a_strict_policy_unless_it_is_hidden() {
    let gateway = Running::alone(|_| {}).await;
    let hidden = Running::alone(|config| config.listen.playground = Playground::Hide).await;

    let page = exchange(gateway.address, "GET /", &[("accept", "text/html")], "").await;

    assert_eq!(page.status, 200);
    assert_eq!(
        page.header("content-type"),
        Some("text/html; charset=utf-8")
    );
    let policy = page.header("content-security-policy").unwrap();
    assert!(
        policy.contains("default-src 'none'") && !policy.contains("unsafe-eval"),
        "{policy}"
    );
    assert_eq!(exchange(hidden.address, "GET /", &[], "").await.status, 404);
}

#[tokio::test]
async fn health_needs_no_service() {
    let gateway = Running::alone(|_| {}).await;

    assert_eq!(
        exchange(gateway.address, "GET /health/live", &[], "")
            .await
            .status,
        200
    );
    assert_eq!(
        exchange(gateway.address, "GET /health/ready", &[], "")
            .await
            .status,
        200
    );
}
