//! One connector alone: its request, and how it maps a response.

use std::sync::Arc;

use bytes::Bytes;
use http::{HeaderMap, Method, StatusCode};
use resolvers::connector_test::{ConnectorTest, Inputs, NotFound, Response, coordinates};
use resolvers::error::FetchError;
use resolvers::settings::{Settings, SourceSettings};
use schema::graph::Graph;
use schema::json::Json;

use crate::support;

const SDL: &str = r#"
extend schema
  @link(url: "https://specs.apollo.dev/connect/v0.3", import: ["@source", "@connect"])
  @source(
    name: "api"
    http: {
      baseURL: "http://api.example.com/v1"
      headers: [{ name: "x-tenant", value: "{$config.tenant}" }, { name: "x-trace", from: "x-trace" }]
    }
    errors: { message: "$.why", extensions: "status: $status" }
  )

type Query {
  user(id: ID!): User
    @connect(source: "api", id: "one_user", http: { GET: "/users/{$args.id}" }, selection: "id name: full.name")
    @connect(source: "api", http: { GET: "/people/{$args.id}" }, selection: "id name")
  users: [User] @connect(source: "api", http: { GET: "/users" }, selection: "id name")
}

type User
  @connect(source: "api", http: { POST: "/find", body: "ids: $batch.id" }, selection: "$.found { id name }") {
  id: ID!
  name: String
}
"#;

fn graph() -> Arc<Graph> {
    support::graph(&[("people", SDL)])
}

fn settings() -> Settings {
    let mut settings = support::settings();
    let api = SourceSettings {
        config: serde_json::json!({ "tenant": "acme" }),
        ..SourceSettings::default()
    };
    settings.sources.insert("people.api".to_owned(), api);
    settings
}

fn inputs(variables: &[(&str, &str)]) -> Inputs {
    let variables = variables.iter().map(|(name, json)| {
        let json = Json::parse(Bytes::copy_from_slice(json.as_bytes())).unwrap();
        ((*name).to_owned(), json)
    });
    Inputs {
        variables: variables.collect(),
        headers: HeaderMap::new(),
    }
}

fn response(status: u16, body: &str) -> Response {
    Response {
        status: StatusCode::from_u16(status).unwrap(),
        headers: HeaderMap::new(),
        body: Bytes::copy_from_slice(body.as_bytes()),
    }
}

#[test]
fn a_connector_is_found_by_coordinate_field_and_id() {
    let graph = graph();
    let sources = settings();
    let found =
        |name| ConnectorTest::find(&graph, &sources, name).map(|it| it.coordinate().to_owned());

    for name in [
        "people:Query.user[0]",
        "Query.user[0]",
        "one_user",
        "people:one_user",
    ] {
        assert_eq!(found(name).as_deref(), Ok("people:Query.user[0]"), "{name}");
    }
    for name in ["Query.users", "people:Query.users", "Query.users[0]"] {
        assert_eq!(
            found(name).as_deref(),
            Ok("people:Query.users[0]"),
            "{name}"
        );
    }
    assert_eq!(found("User").as_deref(), Ok("people:User[0]"));
}

#[test]
fn an_unknown_or_ambiguous_name_is_rejected_with_the_known_ones() {
    let graph = graph();
    let sources = settings();
    let found = |name| {
        ConnectorTest::find(&graph, &sources, name)
            .map(|_| ())
            .unwrap_err()
    };

    assert_eq!(
        found("Query.user"),
        NotFound::Ambiguous(vec![
            "people:Query.user[0]".into(),
            "people:Query.user[1]".into()
        ])
    );
    for name in [
        "",
        "Query",
        "Query.user[2]",
        "orders:Query.users",
        "users",
        "[0]",
    ] {
        let NotFound::Unknown(known) = found(name) else {
            panic!("{name} was found");
        };
        assert_eq!(known, coordinates(&graph), "{name}");
    }
}

#[test]
fn a_request_is_built_from_arguments_configuration_and_client_headers() {
    let graph = graph();
    let test = ConnectorTest::find(&graph, &settings(), "one_user").unwrap();
    let mut inputs = inputs(&[("args", r#"{"id":"a/b"}"#)]);
    inputs.headers.insert("x-trace", "t1".parse().unwrap());

    let request = test.request(&inputs).unwrap();

    assert_eq!(request.method, Method::GET);
    assert_eq!(
        request.url.as_str(),
        "http://api.example.com/v1/users/a%2Fb"
    );
    assert_eq!(request.headers["x-tenant"], "acme");
    assert_eq!(request.headers["x-trace"], "t1");
    assert_eq!(request.body, None);
}

#[test]
fn inputs_replace_the_configuration_of_the_settings() {
    let graph = graph();
    let test = ConnectorTest::find(&graph, &settings(), "User").unwrap();
    let inputs = inputs(&[
        ("config", r#"{"tenant":"other"}"#),
        ("batch", r#"[{"id":"1"},{"id":"2"}]"#),
    ]);

    let request = test.request(&inputs).unwrap();

    assert_eq!(request.headers["x-tenant"], "other");
    assert_eq!(
        request.body.as_deref(),
        Some(br#"{"ids":["1","2"]}"#.as_slice())
    );
}

#[test]
fn a_request_that_cannot_be_built_is_an_error() {
    let graph = graph();
    let test = ConnectorTest::find(&graph, &settings(), "one_user").unwrap();

    let request = test.request(&inputs(&[("args", r#"{"id":[1]}"#)]));

    assert!(matches!(request, Err(FetchError::Build(_))), "{request:?}");
}

#[test]
fn a_response_is_mapped_whole_with_the_reports_of_the_mapping() {
    let graph = graph();
    let test = ConnectorTest::find(&graph, &settings(), "one_user").unwrap();

    let mapped = test.map(&inputs(&[]), response(200, r#"{"id":7,"full":{}}"#));

    assert_eq!(mapped.result.unwrap().as_deref(), Some(r#"{"id":7}"#));
    assert_eq!(mapped.reports.len(), 1, "{:?}", mapped.reports);
}

#[test]
fn an_error_response_is_mapped_by_the_errors_of_the_connector() {
    let graph = graph();
    let test = ConnectorTest::find(&graph, &settings(), "one_user").unwrap();

    let mapped = test.map(&inputs(&[]), response(404, r#"{"why":"gone"}"#));

    let Err(FetchError::Refused {
        message,
        extensions,
        ..
    }) = mapped.result
    else {
        panic!("{mapped:?}");
    };
    assert_eq!(message.as_deref(), Some("gone"));
    assert_eq!(extensions.as_deref(), Some(r#"{"status":404}"#));
}

#[test]
fn a_batch_response_must_be_a_list() {
    let graph = graph();
    let test = ConnectorTest::find(&graph, &settings(), "User").unwrap();
    let map = |body| test.map(&inputs(&[]), response(200, body)).result;

    assert_eq!(
        map(r#"{"found":[{"id":1,"x":2}]}"#).unwrap().as_deref(),
        Some(r#"[{"id":1}]"#)
    );
    for body in ["{}", r#"{"found":{"id":1}}"#, "", "null"] {
        assert!(matches!(map(body), Err(FetchError::NotAList)), "{body}");
    }
    assert!(matches!(map("{"), Err(FetchError::NotJson { .. })));
}
