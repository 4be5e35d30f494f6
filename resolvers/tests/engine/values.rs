//! Values of connector responses: types, nulls, lists, interfaces and unions.

use insta::assert_json_snapshot;
use serde_json::json;

use crate::canned::{engine, engine_with};
use crate::support::{execute, execute_with};

/// The SDL of a graph with one source and these types.
pub(crate) fn sdl(version: &str, types: &str) -> String {
    format!(
        "extend schema\n\
         @link(url: \"https://specs.apollo.dev/connect/{version}\", import: [\"@source\", \"@connect\"])\n\
         @source(name: \"api\", http: {{ baseURL: \"http://api.example.com\" }})\n{types}"
    )
}

const LEAVES: &str = r#"
    type Query {
      it: It @connect(source: "api", http: { GET: "/it" }, selection: "i f s b id e any list must { s } inner { s must }")
    }
    type It { i: Int f: Float s: String b: Boolean id: ID e: Colour any: Any list: [Int!] must: Must! inner: Inner }
    type Must { s: String! }
    type Inner { s: String must: String! }
    enum Colour { RED GREEN }
    scalar Any
"#;

const ALL: &str = "{ it { i f s b id e any list must { s } inner { s must } } }";

#[tokio::test]
async fn values_of_the_right_type_are_unchanged() {
    let it = json!({
        "i": 7, "f": 1.5, "s": "a\"\u{e9}\n", "b": false, "id": 12, "e": "RED",
        "any": { "deep": [1, null] }, "list": [1, 2], "must": { "s": "" }, "inner": { "s": "x", "must": "y" },
    });
    let (engine, _) = engine(&sdl("v0.3", LEAVES), &[("GET /it", it)]).await;

    assert_json_snapshot!(execute(&engine, ALL, json!({})).await, @r#"
    {
      "it": {
        "any": {
          "deep": [
            1,
            null
          ]
        },
        "b": false,
        "e": "RED",
        "f": 1.5,
        "i": 7,
        "id": "12",
        "inner": {
          "must": "y",
          "s": "x"
        },
        "list": [
          1,
          2
        ],
        "must": {
          "s": ""
        },
        "s": "a\"é\n"
      }
    }
    "#);
}

#[tokio::test]
async fn values_of_another_type_are_null_with_an_error() {
    let it = json!({
        "i": 1.5, "f": "1.5", "s": 5, "b": 0, "id": true, "e": "BLUE",
        "list": [1, "2"], "must": { "s": "x" }, "inner": [{ "must": "y" }],
    });
    let (engine, _) = engine(&sdl("v0.3", LEAVES), &[("GET /it", it)]).await;

    assert_json_snapshot!(execute(&engine, ALL, json!({})).await, @r#"
    {
      "data": {
        "it": {
          "any": null,
          "b": null,
          "e": null,
          "f": null,
          "i": null,
          "id": null,
          "inner": null,
          "list": null,
          "must": {
            "s": "x"
          },
          "s": null
        }
      },
      "errors": [
        "it.i: It.i is not Int",
        "it.f: It.f is not Float",
        "it.s: It.s is not String",
        "it.b: It.b is not Boolean",
        "it.id: It.id is not ID",
        "it.e: It.e is not Colour",
        "it.list.1: It.list is not Int!",
        "it.inner: It.inner is not Inner"
      ]
    }
    "#);
}

#[tokio::test]
async fn null_of_a_non_null_type_makes_the_parent_null() {
    let it = json!({ "must": { "s": "x" }, "inner": { "s": "x" }, "list": [1, null] });
    let (engine, _) = engine(&sdl("v0.3", LEAVES), &[("GET /it", it)]).await;

    assert_json_snapshot!(execute(&engine, "{ it { i list inner { s must } } }", json!({})).await, @r#"
    {
      "data": {
        "it": {
          "i": null,
          "inner": null,
          "list": null
        }
      },
      "errors": [
        "it.list.1: It.list is null",
        "it.inner.must: Inner.must is null"
      ]
    }
    "#);
}

#[tokio::test]
async fn null_propagates_to_the_data_if_no_field_is_nullable() {
    let types = r#"
        type Query { a: A! @connect(source: "api", http: { GET: "/a" }, selection: "b { c }") }
        type A { b: B! }
        type B { c: Int! }
    "#;
    let (engine, _) = engine(&sdl("v0.3", types), &[("GET /a", json!({ "b": {} }))]).await;

    assert_json_snapshot!(execute(&engine, "{ a { b { c } } }", json!({})).await, @r#"
    {
      "data": null,
      "errors": [
        "a.b.c: B.c is null"
      ]
    }
    "#);
}

const MEDIA: &str = r#"
    type Query {
      media: [Media] @connect(source: "api", http: { GET: "/media" }, selection: """
        __typename: kind->match(['book', 'Book'], ['film', 'Film'], [@, @])
        id title pages minutes
        author { id }
      """)
      found: [Found] @connect(source: "api", http: { GET: "/media" }, selection: """
        __typename: kind->match(['book', 'Book'], ['film', 'Film'], [@, @])
        id title pages minutes
      """)
    }
    interface Media { id: ID! title: String }
    union Found = Book | Film
    type Book implements Media { id: ID! title: String pages: Int author: Author }
    type Film implements Media { id: ID! title: String! minutes: Int }
    type Author
      @connect(source: "api", http: { GET: "/authors", queryParams: "id: $batch.id" }, selection: "id name") {
      id: ID!
      name: String
    }
"#;

fn media() -> serde_json::Value {
    json!([
        { "kind": "book", "id": 1, "title": "Weirs", "pages": 90, "author": { "id": 5 } },
        { "kind": "film", "id": 2, "title": "Dams", "minutes": 12 },
        { "kind": "song", "id": 3, "title": "Streams" },
        null,
    ])
}

#[tokio::test]
async fn objects_of_an_interface_have_the_fields_of_their_type() {
    let authors = json!([{ "id": 5, "name": "Ada" }]);
    let answers = [("GET /media", media()), ("GET /authors?id=5", authors)];
    let (engine, requests) = engine(&sdl("v0.4", MEDIA), &answers).await;

    let answer = execute(
        &engine,
        "{ media { __typename id title ... on Book { pages author { name } } ... on Film { length: minutes } } }",
        json!({}),
    )
    .await;

    assert_json_snapshot!(answer, @r#"
    {
      "data": {
        "media": [
          {
            "__typename": "Book",
            "author": {
              "name": "Ada"
            },
            "id": "1",
            "pages": 90,
            "title": "Weirs"
          },
          {
            "__typename": "Film",
            "id": "2",
            "length": 12,
            "title": "Dams"
          },
          null,
          null
        ]
      },
      "errors": [
        "media.2: Query.media is not Media"
      ]
    }
    "#);
    assert_eq!(
        *requests.lock().unwrap(),
        ["GET /media", "GET /authors?id=5"]
    );
}

#[tokio::test]
async fn one_response_key_may_be_different_fields_of_different_types() {
    let (engine, _) = engine(&sdl("v0.4", MEDIA), &[("GET /media", media())]).await;

    let answer = execute(
        &engine,
        "{ found { ... on Book { size: pages } ... on Film { size: minutes } ... on Media { title } kind: __typename } }",
        json!({}),
    )
    .await;

    assert_json_snapshot!(answer, @r#"
    {
      "data": {
        "found": [
          {
            "kind": "Book",
            "size": 90,
            "title": "Weirs"
          },
          {
            "kind": "Film",
            "size": 12,
            "title": "Dams"
          },
          null,
          null
        ]
      },
      "errors": [
        "found.2: Query.found is not Found"
      ]
    }
    "#);
}

#[tokio::test]
async fn arguments_are_coerced_by_the_rules_of_graphql() {
    let types = r#"
        type Query {
          sum(list: [Int!] = [1], input: In, e: E = A, s: String): String
            @connect(source: "api", http: { GET: "/sum", queryParams: "$args { list s e n: input.n d: input.d }" }, selection: "$")
        }
        input In { n: ID d: Int = 5 }
        enum E { A B }
    "#;
    let answers = [
        ("GET /sum?list=1&e=A", json!("defaults")),
        ("GET /sum?list=7&s=x%20y&e=B&n=3&d=5", json!("given")),
        ("GET /sum?list=1&list=2&e=A&n=v&d=6", json!("variables")),
    ];
    let (engine, requests) = engine(&sdl("v0.3", types), &answers).await;

    let answer = execute(
        &engine,
        "query($list: [Int!], $in: In, $gone: E) { \
         a: sum b: sum(list: 7, s: \"x y\", e: B, input: { n: 3 }) c: sum(list: $list, input: $in, e: $gone) }",
        json!({ "list": [1, 2], "in": { "n": "v", "d": 6 } }),
    )
    .await;

    assert_eq!(
        answer,
        json!({ "a": "defaults", "b": "given", "c": "variables" }),
        "{:?}",
        requests.lock().unwrap()
    );
}

#[tokio::test]
async fn configuration_environment_and_headers_reach_the_request_and_the_answer() {
    let types = r#"
        type Query {
          it: String
            @connect(
              source: "api"
              http: { GET: "/{$config.tenant}/{$env.REGION}", queryParams: "h: $request.headers.'x-tenant'->first" }
              selection: "$config.tenant"
            )
        }
    "#;
    let (engine, requests) = engine_with(
        &sdl("v0.3", types),
        &[("GET /t%201/eu?h=a%2Fb", json!({}))],
        |settings| {
            let source = settings.sources.get_mut("g.api").unwrap();
            source.config = json!({ "tenant": "t 1" });
            settings.environment.insert("REGION".into(), "eu".into());
        },
    )
    .await;
    let mut headers = http::HeaderMap::new();
    headers.insert("x-tenant", "a/b".parse().unwrap());

    let answer = execute_with(&engine, "{ it }", json!({}), headers).await;

    assert_eq!(
        answer,
        json!({ "it": "t 1" }),
        "{:?}",
        requests.lock().unwrap()
    );
}

#[tokio::test]
async fn an_operation_has_a_maximum_of_calls_to_a_source() {
    let types = r#"
        type Query { n(i: Int): Int @connect(source: "api", http: { GET: "/n/{$args.i}" }, selection: "$") }
    "#;
    let answers = [("GET /n/1", json!(1)), ("GET /n/2", json!(2))];
    let (engine, requests) = engine_with(&sdl("v0.3", types), &answers, |settings| {
        settings.source_call_limit = std::num::NonZeroUsize::new(2);
    })
    .await;

    let answer = execute(&engine, "{ a: n(i: 1) b: n(i: 2) c: n(i: 3) }", json!({})).await;

    assert_eq!(
        answer,
        json!({
            "data": { "a": 1, "b": 2, "c": null },
            "errors": ["c: g:Query.n[0]: more than 2 calls in one operation"]
        })
    );
    assert_eq!(requests.lock().unwrap().len(), 2);
}
