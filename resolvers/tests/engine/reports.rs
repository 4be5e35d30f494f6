//! Reports of mappings: about what an operation needs, of requests and of responses.

use resolvers::settings::Reports;
use resolvers::{Engine, Outcome};
use serde_json::{Value, json};

use crate::canned::engine_with;
use crate::support::request;
use crate::values::sdl;

/// An engine that shows reports, whose source has these answers.
async fn shown(types: &str, answers: &[(&str, Value)]) -> Engine {
    let sdl = sdl("v0.3", types);
    let (engine, _) = engine_with(&sdl, answers, |settings| settings.reports = Reports::Show).await;
    engine
}

/// The reports of an operation as `mapping start..end: kind path`.
async fn reports(engine: &Engine, query: &str) -> Vec<String> {
    let outcome = engine.execute(request(query), &mut Vec::new()).await;
    let Outcome::Executed { reports, .. } = outcome else {
        panic!("{outcome:?}");
    };
    let lines = reports.iter().map(|it| {
        let range = &it.report.range;
        let path = it.report.path.iter().map(|element| format!("{element:?}"));
        let path: Vec<String> = path.collect();
        let kind = it.report.kind.as_str();
        format!("{} {range:?}: {kind} {}", it.mapping, path.join("."))
    });
    lines.collect()
}

const ITEMS: &str = r#"
    type Query {
      item(id: ID): Item
        @connect(
          source: "api"
          http: { GET: "/item" }
          selection: """
          a b: x.b
          group: { c d }
          made: $({ e: $.e, f: $.f })
          all: items->map({ g: @.g, h: @.h })
          one: items->first { g h }
          either: kind->match(['a', { c: $.c1 }], [@, { c: $.c2, d: $.d2 }])
          $.other { k l }
          any { deep }
          """
        )
      other(id: ID): Item
        @connect(source: "api", http: { GET: "/list" }, selection: "$.rows->map({ a: @.a, b: @.b })->last")
      list: [Item] @connect(source: "api", http: { GET: "/list" }, selection: "$.rows { a b }")
    }
    type Item { a: Int b: Int group: Pair made: Made all: [Each] one: Each either: Pair k: Int l: Int any: Any }
    type Pair { c: Int d: Int }
    type Made { e: Int f: Int }
    type Each { g: Int h: Int }
    scalar Any
"#;

#[tokio::test]
async fn only_what_an_operation_needs_is_reported() {
    let answers = [
        (
            "GET /item",
            json!({ "x": {}, "items": [{}], "kind": "b", "other": {}, "any": {} }),
        ),
        ("GET /list", json!({ "rows": [{}, { "a": 1 }] })),
    ];
    let engine = shown(ITEMS, &answers).await;
    for (selection, expected) in [
        ("a", vec!["a"]),
        ("b", vec!["x.b"]),
        ("group { d }", vec!["d"]),
        ("made { e }", vec!["e"]),
        ("all { h }", vec!["items.->map.0.h"]),
        ("one { g }", vec!["items.->first.g"]),
        (
            "one { x: g y: h }",
            vec!["items.->first.g", "items.->first.h"],
        ),
        ("either { d }", vec!["d2"]),
        ("either { c }", vec!["c2"]),
        ("l", vec!["other.l"]),
        ("any", vec!["any.deep"]),
        ("__typename", vec![]),
        ("group { __typename }", vec![]),
        ("a @skip(if: true) b @include(if: true)", vec!["x.b"]),
    ] {
        let reports = reports(&engine, &format!("{{ item {{ {selection} }} }}")).await;
        let paths: Vec<String> = reports
            .iter()
            .filter_map(|line| Some(path(line.split_once("property_missing ")?.1)))
            .collect();
        assert_eq!(paths, expected, "{selection}: {reports:?}");
        assert_eq!(paths.len(), reports.len(), "{selection}: {reports:?}");
    }
    let other = reports(&engine, "{ other { b } }").await;
    assert_eq!(other.len(), 2, "{other:?}");
    let list = reports(&engine, "{ list { a } }").await;
    let line = r#"selection 9..10: property_missing Key("rows").Index(0).Key("a")"#;
    assert_eq!(list, [line]);
}

/// A path in its debug form, with dots.
fn path(text: &str) -> String {
    let keys = text.replace("Key(\"", "").replace("\")", "");
    keys.replace("Index(", "").replace(')', "")
}

#[tokio::test]
async fn keys_of_a_batch_are_reported_with_every_field() {
    let types = r#"
        type Query { list: [Thing] @connect(source: "api", http: { GET: "/list" }, selection: "id") }
        type Thing
          @connect(source: "api", http: { POST: "/things", body: "ids: $batch.id" }, selection: "id name size") {
          id: ID!
          name: String
          size: Int
        }
    "#;
    let answers = [
        ("GET /list", json!([{ "id": 1 }])),
        ("POST /things", json!([{}])),
    ];
    let engine = shown(types, &answers).await;

    let reports = reports(&engine, "{ list { size } }").await;

    assert_eq!(
        reports,
        [
            r#"selection 0..2: property_missing Index(0).Key("id")"#,
            r#"selection 8..12: property_missing Index(0).Key("size")"#,
        ]
    );
}

const REQUESTS: &str = r#"
    extend schema @link(url: "https://specs.apollo.dev/connect/v0.3", import: ["@source", "@connect"])
      @source(
        name: "api"
        http: {
          baseURL: "http://127.0.0.1:1/{$config.base}"
          path: "$([$config.tenant ?! 'acme'])"
          queryParams: "s: $config.s"
          headers: [{ name: "x-source", value: "a{$config.a}" }]
        }
      )
    type Query {
      item(id: ID, at: [String!]): Int
        @connect(
          source: "api"
          http: {
            POST: "/items{$args.id}"
            path: "$($args.at ?? ['all'])"
            queryParams: "q: $args.at optional: $args.at?"
            headers: [{ name: "X-Own", value: "b {$args.id}" }]
            body: "id: $args.id"
          }
          selection: "$(1)"
        )
    }
"#;

#[tokio::test]
async fn problems_of_requests_are_reported_with_their_mapping() {
    let answers = [("POST /acme/items/all", json!(1))];
    let (engine, requests) = engine_with(REQUESTS, &answers, |settings| {
        settings.reports = Reports::Show;
    })
    .await;

    let missing = reports(&engine, "{ item }").await;
    let set = reports(&engine, r#"{ item(id: 1, at: ["x"]) }"#).await;

    let at = |mapping: &str, range: &str, variable: &str, key: &str| {
        format!(r#"{mapping} {range}: property_missing Key("${variable}").Key("{key}")"#)
    };
    let source = [
        at("source.http.queryParams", "11..12", "config", "s"),
        at("http.headers.x-source", "10..11", "config", "a"),
    ];
    let [query, header] = source.clone();
    assert_eq!(
        missing,
        [
            query,
            at("http.POST", "13..15", "args", "id"),
            at("http.queryParams", "9..11", "args", "at"),
            header,
            at("http.headers.x-own", "9..11", "args", "id"),
            at("http.body", "10..12", "args", "id"),
        ]
    );
    assert_eq!(set, source);
    assert_eq!(
        *requests.lock().unwrap(),
        ["POST /acme/items/all", "POST /acme/items1/x?q=x&optional=x"]
    );
}

#[tokio::test]
async fn a_path_without_a_value_is_not_called_and_reported() {
    let types = r#"
        type Query {
          files(at: [String!]): Int
            @connect(source: "api", http: { GET: "/files", path: "$args.at" }, selection: "$")
        }
    "#;
    let sdl = sdl("v0.3", types);
    let (engine, requests) = engine_with(&sdl, &[("GET /files/a", json!(1))], |settings| {
        settings.reports = Reports::Show;
    })
    .await;

    for (query, expected) in [
        (
            "{ files }",
            vec![r#"http.path 6..8: property_missing Key("$args").Key("at")"#],
        ),
        ("{ files(at: null) }", vec![]),
        ("{ files(at: []) }", vec![]),
    ] {
        let outcome = engine.execute(request(query), &mut Vec::new()).await;
        let Outcome::Executed { failures, .. } = outcome else {
            panic!("{outcome:?}");
        };
        let errors: Vec<_> = failures.iter().map(|it| it.error.to_string()).collect();
        let error = "the request cannot be built: `path` must evaluate to a list, found null";
        let is_list = query.contains("[]");
        let called = if is_list {
            "answered 404 Not Found"
        } else {
            error
        };
        assert_eq!(errors, [called], "{query}");
        assert_eq!(reports(&engine, query).await, expected, "{query}");
    }
    assert_eq!(reports(&engine, r#"{ files(at: ["a"]) }"#).await, [""; 0]);
    assert_eq!(
        *requests.lock().unwrap(),
        ["GET /files", "GET /files", "GET /files/a"]
    );
}

#[tokio::test]
async fn the_mappings_of_success_and_of_errors_are_reported() {
    let types = r#"
        type Query {
          item(id: ID!): Int
            @connect(
              source: "api"
              http: { GET: "/{$args.id}" }
              isSuccess: "$($.ok ?? $status->eq(201))"
              errors: { message: "$.why", extensions: "code: $.code" }
              selection: "$.value"
            )
        }
    "#;
    let answers = [
        ("GET /a", json!({ "ok": true })),
        ("GET /b", json!({ "ok": false, "value": 1 })),
        ("GET /c", json!({ "ok": "yes", "why": "w", "code": "C" })),
    ];
    let engine = shown(types, &answers).await;

    let missing = |mapping: &str, range: &str, key: &str| {
        format!(r#"{mapping} {range}: property_missing Key("{key}")"#)
    };
    for (id, expected) in [
        ("a", vec![missing("selection", "2..7", "value")]),
        (
            "b",
            vec![
                missing("errors.message", "2..5", "why"),
                missing("errors.extensions", "8..12", "code"),
            ],
        ),
        ("c", vec![]),
    ] {
        let reports = reports(&engine, &format!("{{ item(id: \"{id}\") }}")).await;
        assert_eq!(reports, expected, "{id}");
    }
}

#[tokio::test]
async fn hidden_reports_are_not_recorded() {
    let sdl = sdl("v0.3", ITEMS);
    let answers = [("GET /item", json!({}))];
    let (engine, _) = engine_with(&sdl, &answers, |_| ()).await;

    assert_eq!(reports(&engine, "{ item { a b } }").await, [""; 0]);
}
