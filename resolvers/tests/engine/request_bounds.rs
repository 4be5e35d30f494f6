//! Requests to sources that are too large, or would reach another path: they are not sent.

use serde_json::{Value, json};

use crate::canned;
use crate::support::execute;

const SDL: &str = r#"
    extend schema
      @link(url: "https://specs.apollo.dev/connect/v0.3", import: ["@source", "@connect"])
      @source(name: "api", http: { baseURL: "http://127.0.0.1:1" })
    type Query {
      query(x: String): Int
        @connect(source: "api", http: { GET: "/q", queryParams: "x: $args.x" }, selection: "$")
      segment(x: String): Int
        @connect(source: "api", http: { GET: "/s/{$args.x}/tail" }, selection: "$")
      path(x: [String]): Int
        @connect(source: "api", http: { GET: "/p", path: "$args.x" }, selection: "$")
      header(x: String): Int
        @connect(source: "api", selection: "$", http: {
          GET: "/h" headers: [{ name: "x-tenant", value: "{$args.x}" }]
        })
    }
"#;

/// Runs an operation with `$x`, whose call must not be sent, and returns its error.
async fn refused(query: &str, x: Value) -> String {
    let (engine, requests) = canned::engine(SDL, &[]).await;

    let answer = execute(&engine, query, json!({ "x": x })).await;

    assert_eq!(*requests.lock().unwrap(), Vec::<String>::new(), "{answer}");
    let error = answer["errors"][0].as_str().unwrap();
    let reason = error.split_once("the request cannot be built: ");
    reason.unwrap_or_else(|| panic!("{error}")).1.to_owned()
}

#[tokio::test]
async fn a_url_that_is_too_long_is_not_sent() {
    let query = "query($x: String) { query(x: $x) }";

    let reason = refused(query, "x".repeat(200_000).into()).await;

    assert!(reason.starts_with("its URL has 2000"), "{reason}");
    assert!(
        reason.ends_with(" bytes, more than the maximum of 8000"),
        "{reason}"
    );
}

#[tokio::test]
async fn headers_that_are_too_large_are_not_sent() {
    let query = "query($x: String) { header(x: $x) }";

    let reason = refused(query, "x".repeat(40_000).into()).await;

    // The sizes of `accept: application/json` and of the name are part of it.
    let expected = "its headers have 40038 bytes, more than the maximum of 32768";
    assert_eq!(reason, expected);
}

#[tokio::test]
async fn a_value_that_is_an_empty_path_segment_is_named() {
    let query = "query($x: String) { segment(x: $x) }";
    let expected = "the expression `{$args.x}` renders to an empty path segment";
    assert_eq!(refused(query, json!("")).await, expected);
    assert_eq!(refused(query, json!(null)).await, expected);

    let query = "query($x: [String]) { path(x: $x) }";
    let expected = "element 2 of `path` renders to an empty path segment";
    assert_eq!(refused(query, json!(["a", "", "b"])).await, expected);
    assert_eq!(refused(query, json!(["a", null])).await, expected);
}

#[tokio::test]
async fn a_value_cannot_lead_to_another_path() {
    let query = "query($x: String) { segment(x: $x) }";
    for value in [
        "..",
        ".",
        "../admin",
        "%2e%2e",
        "%252e%252e%252fadmin",
        "..\\",
        "..;",
    ] {
        assert_eq!(
            refused(query, json!(value)).await,
            "the expression `{$args.x}` renders to the path segment `.` or `..`",
            "{value}"
        );
    }
}
