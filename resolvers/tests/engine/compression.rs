//! Compressed responses of services: decoded within the limit of a body.

use std::io::Write as _;

use axum::Router;
use axum::extract::{Path, Request};
use axum::http::{HeaderMap, StatusCode, header};
use axum::middleware::map_request;
use axum::response::IntoResponse;
use axum::routing::get;
use resolvers::settings::{Settings, SubgraphSettings};
use resolvers::{Engine, Outcome};
use serde_json::{Value, json};
use tower_http::compression::CompressionLayer;

use crate::support::{execute, graph, request, serve, settings_at};
use crate::values::sdl;

const THINGS: &str = r#"
    type Query {
      text(by: String!): String @connect(source: "api", http: { GET: "/text/{$args.by}" }, selection: "$.text")
      accepted: String @connect(source: "api", http: { GET: "/accepted" }, selection: "$")
      coded(by: String!): String @connect(source: "api", http: { GET: "/coded/{$args.by}" }, selection: "$.text")
      empties: String @connect(source: "api", http: { GET: "/empties" }, selection: "$.text")
      zeros: String @connect(source: "api", http: { GET: "/zeros" }, selection: "$.text")
      encoded(as: String!): String
        @connect(source: "api", http: { GET: "/encoded/{$args.as}" }, selection: "$.text")
      empty: Boolean @connect(source: "api", http: { GET: "/empty" }, selection: "$(true)")
    }
"#;

const SUBGRAPH: &str = "type Query { hello: String }";

/// A service that compresses as its path says, whatever a request accepts.
fn service() -> Router {
    let none = || {
        CompressionLayer::new()
            .no_br()
            .no_deflate()
            .no_gzip()
            .no_zstd()
    };
    let text = || get(async || axum::Json(json!({ "text": "long ".repeat(1_000) })));
    let hello = async || axum::Json(json!({ "data": { "hello": "long ".repeat(1_000) } }));
    let encoded = async |Path(encoding): Path<String>| {
        let json = header::HeaderValue::from_static("application/json");
        let encoding = encoding.parse().unwrap();
        let headers = [
            (header::CONTENT_TYPE, json),
            (header::CONTENT_ENCODING, encoding),
        ];
        (HeaderMap::from_iter(headers), r#"{"text":"as it is"}"#)
    };
    let compressed = Router::new()
        .route("/text/gzip", text().layer(none().gzip(true)))
        .route("/text/br", text().layer(none().br(true)))
        .route("/text/deflate", text().layer(none().deflate(true)))
        .route("/text/zstd", text().layer(none().zstd(true)))
        .route(
            "/graphql",
            axum::routing::post(hello).layer(CompressionLayer::new()),
        )
        .layer(map_request(async |mut request: Request| {
            let all = header::HeaderValue::from_static("gzip, br, deflate, zstd");
            request.headers_mut().insert(header::ACCEPT_ENCODING, all);
            request
        }));
    Router::new()
        .merge(compressed)
        .route("/text/none", text())
        .route("/zeros", get(zeros))
        .route("/empties", get(empties))
        .route("/coded/{codings}", get(coded))
        .route("/accepted", get(accepted))
        .route("/encoded/{encoding}", get(encoded))
        .route("/empty", get(empty))
}

async fn accepted(headers: HeaderMap) -> axum::Json<Value> {
    let accepted = headers.get(header::ACCEPT_ENCODING);
    axum::Json(json!(accepted.map(|it| it.to_str().unwrap())))
}

async fn empty() -> impl IntoResponse {
    (StatusCode::OK, [(header::CONTENT_ENCODING, "gzip")])
}

/// 64 MiB of JSON in a few dozen KiB.
async fn zeros() -> impl IntoResponse {
    let mut gzip = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    gzip.write_all(br#"{"text":""#).unwrap();
    let zeros = "0".repeat(64 << 20);
    gzip.write_all(zeros.as_bytes()).unwrap();
    gzip.write_all(br#""}"#).unwrap();
    ([(header::CONTENT_ENCODING, "gzip")], gzip.finish().unwrap())
}

/// A body with the codings that the path lists, in headers of which `;` begins another one.
async fn coded(Path(codings): Path<String>) -> impl IntoResponse {
    let mut body = br#"{"text":"coded"}"#.to_vec();
    let json = header::HeaderValue::from_static("application/json");
    let mut headers = HeaderMap::from_iter([(header::CONTENT_TYPE, json)]);
    for line in codings.split(';') {
        headers.append(header::CONTENT_ENCODING, line.parse().unwrap());
        for coding in line.split(',') {
            body = compressed(&body, coding.trim());
        }
    }
    (headers, body)
}

fn compressed(body: &[u8], coding: &str) -> Vec<u8> {
    let level = flate2::Compression::fast();
    match coding.to_ascii_lowercase().as_str() {
        "deflate" => {
            let mut zlib = flate2::write::ZlibEncoder::new(Vec::new(), level);
            zlib.write_all(body).unwrap();
            zlib.finish().unwrap()
        }
        "gzip" | "x-gzip" => {
            let mut gzip = flate2::write::GzEncoder::new(Vec::new(), level);
            gzip.write_all(body).unwrap();
            gzip.finish().unwrap()
        }
        _ => body.to_vec(),
    }
}

/// 8 MiB of empty members, which decode to nothing, in a small body.
async fn empties() -> impl IntoResponse {
    let empty = compressed(b"", "gzip");
    let empties = empty.repeat((8 << 20) / empty.len());
    (
        [(header::CONTENT_ENCODING, "gzip, gzip")],
        compressed(&empties, "gzip"),
    )
}

async fn engine(change: impl FnOnce(&mut Settings)) -> Engine {
    let url = serve(service()).await;
    let mut settings = settings_at(&url);
    let subgraph = SubgraphSettings {
        url: Some(format!("{url}/graphql").parse().unwrap()),
        ..SubgraphSettings::default()
    };
    settings.subgraphs.insert("f".to_owned(), subgraph);
    change(&mut settings);
    let graph = graph(&[("g", &sdl("v0.3", THINGS)), ("f", SUBGRAPH)]);
    Engine::new(graph, settings).unwrap()
}

#[tokio::test]
async fn compressed_responses_are_decoded() {
    let engine = engine(|_| ()).await;
    let expected = json!("long ".repeat(1_000));
    for encoding in ["gzip", "br", "deflate", "zstd", "none"] {
        let query = format!("{{ text(by: \"{encoding}\") }}");
        let answer = execute(&engine, &query, json!({})).await;
        assert_eq!(answer["text"], expected, "{encoding}: {answer}");
    }
    let answer = execute(&engine, "{ hello }", json!({})).await;
    assert_eq!(answer["hello"], expected);
}

#[tokio::test]
async fn requests_accept_what_is_decoded() {
    let engine = engine(|_| ()).await;

    let answer = execute(&engine, "{ accepted }", json!({})).await;

    let accepted = answer["accepted"].as_str().unwrap_or_default();
    for encoding in ["gzip", "br", "deflate", "zstd"] {
        assert!(accepted.contains(encoding), "{answer}");
    }
}

#[tokio::test]
async fn a_body_is_bounded_after_it_is_decoded() {
    let engine = engine(|settings| settings.limits.source_body = 1 << 20).await;

    let answer = execute(&engine, "{ zeros }", json!({})).await;

    let error = "zeros: g:Query.zeros[0]: answered with more than 1048576 bytes";
    assert_eq!(
        answer,
        json!({ "data": { "zeros": null }, "errors": [error] })
    );
}

#[tokio::test]
async fn an_unknown_or_wrong_encoding_is_named() {
    let engine = engine(|_| ()).await;
    for (encoding, expected) in [
        ("compress", "unknown content encoding `compress`"),
        ("gzip, sdch", "unknown content encoding `sdch`"),
        ("gzip", "gzip header"),
        ("X-GZIP", "gzip header"),
        ("br, gzip", "gzip header"),
        (
            "gzip, gzip, gzip, gzip",
            "4 content encodings, more than the maximum of 3",
        ),
    ] {
        let query = format!("{{ encoded(as: \"{encoding}\") }}");
        let outcome = engine.execute(request(&query), &mut Vec::new()).await;
        let Outcome::Executed { failures, .. } = outcome else {
            panic!("{outcome:?}");
        };
        let text = failures[0].error.to_string();
        let start = "answered 200 OK with a body that cannot be decoded: ";
        assert!(text.starts_with(start), "{text}");
        assert!(text.contains(expected), "{text}");
    }
    for identity in ["identity", "Identity, identity", ","] {
        let query = format!("{{ encoded(as: \"{identity}\") }}");
        let answer = execute(&engine, &query, json!({})).await;
        assert_eq!(answer, json!({ "encoded": "as it is" }), "{identity}");
    }
}

#[tokio::test]
async fn codings_have_no_letter_case_and_are_decoded_from_the_last_to_the_first() {
    let engine = engine(|_| ()).await;
    for codings in [
        "x-gzip",
        "GZip",
        "X-GZIP",
        "Deflate",
        "gzip, deflate",
        "deflate, identity, gzip",
        "gzip,gzip,deflate",
        "deflate;gzip",
        "gzip;identity;x-gzip, Deflate",
    ] {
        let query = format!("{{ coded(by: \"{codings}\") }}");
        let answer = execute(&engine, &query, json!({})).await;
        assert_eq!(answer, json!({ "coded": "coded" }), "{codings}");
    }
}

#[tokio::test]
async fn every_stage_of_decoding_is_bounded() {
    let engine = engine(|settings| settings.limits.source_body = 1 << 20).await;

    let answer = execute(&engine, "{ empties }", json!({})).await;

    let error = "empties: g:Query.empties[0]: answered with more than 1048576 bytes";
    assert_eq!(
        answer,
        json!({ "data": { "empties": null }, "errors": [error] })
    );
}

#[tokio::test]
async fn an_empty_body_needs_no_decoding() {
    let engine = engine(|_| ()).await;
    let answer = execute(&engine, "{ empty }", json!({})).await;
    assert_eq!(answer, json!({ "empty": true }));
}
