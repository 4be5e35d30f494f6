//! Bodies: framing of those that are sent, media types and charsets of those that come.

use std::sync::Arc;

use axum::Router;
use axum::extract::{Path, State};
use axum::http::{HeaderMap, HeaderValue, header};
use axum::response::IntoResponse;
use axum::routing::{any, get};
use resolvers::Engine;
use resolvers::settings::SubgraphSettings;
use serde_json::{Value, json};

use crate::support::{execute, graph, serve, settings_at};
use crate::values::sdl;

const SENT: &str = r#"
    type Query { get: Sent @connect(source: "api", http: { GET: "/" }, selection: "length type body") }
    type Mutation {
      post: Sent @connect(source: "api", http: { POST: "/" }, selection: "length type body")
      put: Sent @connect(source: "api", http: { PUT: "/" }, selection: "length type body")
      patch: Sent @connect(source: "api", http: { PATCH: "/", body: "$args.none" }, selection: "length type body")
      delete: Sent @connect(source: "api", http: { DELETE: "/" }, selection: "length type body")
      form: Sent
        @connect(
          source: "api"
          http: {
            POST: "/"
            headers: [{ name: "content-type", value: "Application/X-WWW-Form-Urlencoded; charset=UTF-8" }]
            body: "a: $(1)"
          }
          selection: "length type body"
        )
    }
    type Sent { length: String type: String body: String }
"#;

async fn echo(headers: HeaderMap, body: String) -> axum::Json<Value> {
    let header = |name| {
        headers
            .get(name)
            .map(|value: &HeaderValue| value.to_str().unwrap())
    };
    axum::Json(json!({
        "length": header(header::CONTENT_LENGTH),
        "type": header(header::CONTENT_TYPE),
        "body": body,
    }))
}

#[tokio::test]
async fn a_write_without_a_body_says_so() {
    let url = serve(Router::new().route("/", any(echo))).await;
    let types = SENT.replace("patch: Sent", "patch(none: Int): Sent");
    let graph = graph(&[("g", &sdl("v0.3", &types))]);
    let engine = Engine::new(graph, settings_at(&url)).unwrap();

    for name in ["post", "put", "patch"] {
        let query = format!("mutation {{ {name} {{ length body }} }}");
        let answer = execute(&engine, &query, json!({})).await;
        assert_eq!(answer, json!({ name: { "length": "0", "body": "" } }));
    }
    for query in ["{ get { length } }", "mutation { delete { length } }"] {
        let answer = execute(&engine, query, json!({})).await;
        assert!(
            answer.to_string().contains(r#"{"length":null}"#),
            "{answer}"
        );
    }
    let form = execute(&engine, "mutation { form { type body } }", json!({})).await;
    let media_type = "Application/X-WWW-Form-Urlencoded; charset=UTF-8";
    assert_eq!(
        form,
        json!({ "form": { "type": media_type, "body": "a=1" } })
    );
}

const RECEIVED: &str = r#"
    type Query {
      it(of: Int!): It @connect(source: "api", http: { GET: "/{$args.of}" }, selection: "name")
      text(of: Int!): String @connect(source: "api", http: { GET: "/{$args.of}" }, selection: "$")
    }
    type It { name: String }
"#;

/// A content type and a body.
type Body = (&'static str, Vec<u8>);

async fn received(bodies: Vec<Body>) -> Engine {
    let answer = async |State(bodies): State<Arc<[Body]>>, Path(index): Path<usize>| {
        let (content_type, body) = bodies[index].clone();
        ([(header::CONTENT_TYPE, content_type)], body).into_response()
    };
    let app = Router::new()
        .route("/{index}", get(answer).post(answer))
        .with_state(bodies.into());
    let url = serve(app).await;
    let mut settings = settings_at(&url);
    let subgraph = SubgraphSettings {
        url: Some(format!("{url}/0").parse().unwrap()),
        ..SubgraphSettings::default()
    };
    settings.subgraphs.insert("f".to_owned(), subgraph);
    let hello = "type Query { hello: String }";
    let graph = graph(&[("g", &sdl("v0.3", RECEIVED)), ("f", hello)]);
    Engine::new(graph, settings).unwrap()
}

fn utf16(text: &str) -> Vec<u8> {
    let units = "\u{feff}".encode_utf16().chain(text.encode_utf16());
    units.flat_map(u16::to_le_bytes).collect()
}

#[tokio::test]
async fn a_body_is_read_in_its_charset() {
    let json = r#"{"name":"Zoë"}"#;
    let bodies = vec![
        (
            "application/json",
            [b"\xef\xbb\xbf", json.as_bytes()].concat(),
        ),
        (
            "application/json; charset=ISO-8859-1",
            b"{\"name\":\"Zo\xeb\"}".to_vec(),
        ),
        (
            "application/json; charset=\"windows-1252\"",
            b"{\"name\":\"Zo\xeb\"}".to_vec(),
        ),
        ("application/json;Charset=utf8", json.into()),
        ("application/json", utf16(json)),
        ("application/json; charset=utf-16", utf16(json)),
    ];
    let count = bodies.len();
    let engine = received(bodies).await;
    for of in 0..count {
        let query = format!("{{ it(of: {of}) {{ name }} }}");
        let answer = execute(&engine, &query, json!({})).await;
        assert_eq!(answer, json!({ "it": { "name": "Zoë" } }), "{of}");
    }
}

#[tokio::test]
async fn a_text_is_read_in_its_charset() {
    let engine = received(vec![
        ("text/plain; charset=latin1", b"Zo\xeb".to_vec()),
        ("Text/Plain", "Zoë".into()),
        ("text/plain; charset=klingon", b"qapla".to_vec()),
    ])
    .await;

    for of in 0..2 {
        let query = format!("{{ text(of: {of}) }}");
        let answer = execute(&engine, &query, json!({})).await;
        assert_eq!(answer, json!({ "text": "Zoë" }), "{of}");
    }
    let unknown = execute(&engine, "{ text(of: 2) }", json!({})).await;
    let error = "text: g:Query.text[0]: answered 200 OK with a body that cannot be decoded: unknown charset `klingon`";
    assert_eq!(
        unknown,
        json!({ "data": { "text": null }, "errors": [error] })
    );
}

#[tokio::test]
async fn a_lone_surrogate_costs_nothing_but_itself() {
    let engine = received(vec![
        (
            "application/json",
            br#"{"name":"Zo","bio":"cut \ud83d"}"#.to_vec(),
        ),
        ("application/json", br#"{"name":"cut \ud83d"}"#.to_vec()),
    ])
    .await;

    for (of, name) in [(0, "Zo"), (1, "cut \u{fffd}")] {
        let query = format!("{{ it(of: {of}) {{ name }} }}");
        let answer = execute(&engine, &query, json!({})).await;
        assert_eq!(answer, json!({ "it": { "name": name } }));
    }
}

#[tokio::test]
async fn a_subgraph_is_read_in_its_charset() {
    let body = b"\xef\xbb\xbf{\"data\":{\"hello\":\"cut \\ud83d\"}}".to_vec();
    let engine = received(vec![("application/json", body)]).await;

    let answer = execute(&engine, "{ hello }", json!({})).await;

    assert_eq!(answer, json!({ "hello": "cut \u{fffd}" }));
}
