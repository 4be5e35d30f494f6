//! Mappings that need nothing of the body, applied to empty, null and scalar bodies.

use axum::Router;
use axum::http::{Method, StatusCode, Uri, header};
use axum::response::IntoResponse;
use resolvers::Engine;
use serde_json::{Value, json};

use crate::support::{execute, graph, serve, settings_at};
use crate::values::sdl;

const THINGS: &str = r#"
    type Query {
      found(id: ID!): Outcome
        @connect(
          source: "api"
          http: { GET: "/missing/{$args.id}" }
          isSuccess: "$($status->in([200, 404]))"
          selection: "ok: $($status->eq(200)) id: $args.id status: $status"
        )
      nested: Outer @connect(source: "api", http: { GET: "/nested" }, selection: "a: x { ok: $(true) }")
      guarded: Outer @connect(source: "api", http: { GET: "/nested" }, selection: "a: x? { ok: $(true) }")
      list: [Outcome] @connect(source: "api", http: { GET: "/list" }, selection: "ok: $(true) id")
      scalar: Outcome @connect(source: "api", http: { GET: "/scalar" }, selection: "id: $ ok: $(true)")
      keys: Outcome @connect(source: "api", http: { GET: "/scalar" }, selection: "id ok")
    }
    type Mutation {
      del(id: ID!): Outcome
        @connect(source: "api", http: { DELETE: "/things/{$args.id}" }, selection: "ok: $(true) id: $args.id status: $status")
    }
    type Outer { a: Outcome }
    type Outcome { ok: Boolean id: ID status: Int }
"#;

async fn answer(method: Method, uri: Uri) -> impl IntoResponse {
    let (status, body) = match (method, uri.path()) {
        (Method::DELETE, _) => (StatusCode::NO_CONTENT, ""),
        (_, "/nested") => (StatusCode::OK, r#"{"x":null}"#),
        (_, "/list") => (StatusCode::OK, r#"[{"id":1},null,5]"#),
        (_, "/scalar") => (StatusCode::OK, "7"),
        _ => (StatusCode::NOT_FOUND, ""),
    };
    (status, [(header::CONTENT_TYPE, "application/json")], body)
}

async fn result(query: &str) -> Value {
    let url = serve(Router::new().fallback(answer)).await;
    let graph = graph(&[("g", &sdl("v0.3", THINGS))]);
    let engine = Engine::new(graph, settings_at(&url)).unwrap();
    execute(&engine, query, json!({})).await
}

#[tokio::test]
async fn an_empty_body_has_the_members_that_need_no_body() {
    assert_eq!(
        result("mutation { del(id: 3) { ok id status } }").await,
        json!({ "del": { "ok": true, "id": "3", "status": 204 } })
    );
    assert_eq!(
        result("{ found(id: 3) { ok id status } }").await,
        json!({ "found": { "ok": false, "id": "3", "status": 404 } })
    );
}

#[tokio::test]
async fn a_group_of_null_or_of_a_scalar_has_the_members_that_need_no_object() {
    assert_eq!(
        result("{ nested { a { ok } } guarded { a { ok } } }").await,
        json!({ "nested": { "a": { "ok": true } }, "guarded": { "a": null } })
    );
    assert_eq!(
        result("{ list { ok id } scalar { id ok } }").await,
        json!({
            "list": [{ "ok": true, "id": "1" }, { "ok": true, "id": null }, { "ok": true, "id": null }],
            "scalar": { "id": "7", "ok": true }
        })
    );
    // Without such members the value is the scalar itself, which is no object.
    assert_eq!(
        result("{ keys { ok } }").await,
        json!({ "data": { "keys": null }, "errors": ["keys: Query.keys is not Outcome"] })
    );
}
