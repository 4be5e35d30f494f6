//! One connector by itself: the request it makes, what it makes of an answer.

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

fn given(variables: &[(&str, &str)]) -> Inputs {
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
fn a_connector_is_found_by_coordinate_place_and_id() {
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
fn a_name_that_is_nobodys_or_several_connectors_is_refused_with_all_there_are() {
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
fn a_request_has_what_arguments_configuration_and_client_say() {
    let graph = graph();
    let trial = ConnectorTest::find(&graph, &settings(), "one_user").unwrap();
    let mut given = given(&[("args", r#"{"id":"a/b"}"#)]);
    given.headers.insert("x-trace", "t1".parse().unwrap());

    let made = trial.request(&given).unwrap();

    assert_eq!(made.method, Method::GET);
    assert_eq!(made.url.as_str(), "http://api.example.com/v1/users/a%2Fb");
    assert_eq!(made.headers["x-tenant"], "acme");
    assert_eq!(made.headers["x-trace"], "t1");
    assert_eq!(made.body, None);
}

#[test]
fn given_configuration_stands_instead_of_the_one_in_the_settings() {
    let graph = graph();
    let trial = ConnectorTest::find(&graph, &settings(), "User").unwrap();
    let given = given(&[
        ("config", r#"{"tenant":"other"}"#),
        ("batch", r#"[{"id":"1"},{"id":"2"}]"#),
    ]);

    let made = trial.request(&given).unwrap();

    assert_eq!(made.headers["x-tenant"], "other");
    assert_eq!(
        made.body.as_deref(),
        Some(br#"{"ids":["1","2"]}"#.as_slice())
    );
}

#[test]
fn what_cannot_be_built_is_an_error() {
    let graph = graph();
    let trial = ConnectorTest::find(&graph, &settings(), "one_user").unwrap();

    let made = trial.request(&given(&[("args", r#"{"id":[1]}"#)]));

    assert!(matches!(made, Err(FetchError::Build(_))), "{made:?}");
}

#[test]
fn an_answer_is_mapped_whole_with_what_the_mapping_met() {
    let graph = graph();
    let trial = ConnectorTest::find(&graph, &settings(), "one_user").unwrap();

    let mapped = trial.map(&given(&[]), response(200, r#"{"id":7,"full":{}}"#));

    assert_eq!(mapped.result.unwrap().as_deref(), Some(r#"{"id":7}"#));
    assert_eq!(mapped.reports.len(), 1, "{:?}", mapped.reports);
}

#[test]
fn an_answer_that_is_no_success_is_an_error_in_the_words_of_the_connector() {
    let graph = graph();
    let trial = ConnectorTest::find(&graph, &settings(), "one_user").unwrap();

    let mapped = trial.map(&given(&[]), response(404, r#"{"why":"gone"}"#));

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
fn a_batch_is_answered_with_a_list_and_nothing_else() {
    let graph = graph();
    let trial = ConnectorTest::find(&graph, &settings(), "User").unwrap();
    let map = |body| trial.map(&given(&[]), response(200, body)).result;

    assert_eq!(
        map(r#"{"found":[{"id":1,"x":2}]}"#).unwrap().as_deref(),
        Some(r#"[{"id":1}]"#)
    );
    for body in ["{}", r#"{"found":{"id":1}}"#, "", "null"] {
        assert!(matches!(map(body), Err(FetchError::NotAList)), "{body}");
    }
    assert!(matches!(map("{"), Err(FetchError::NotJson { .. })));
}
