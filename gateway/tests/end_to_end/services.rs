//! Subgraphs: the requests they receive, their URLs, and those in this process.

use std::collections::BTreeMap;
use std::sync::Arc;

use async_graphql::{Context, EmptyMutation, EmptySubscription, ID, Object, Schema, SimpleObject};
use gateway::config::Config;
use gateway::config::expand::Environment;
use gateway::launch::{Gateway, StartError};
use gateway::local::AsyncGraphqlService;
use http::HeaderMap;
use mocks::Fault;
use schema::span::Document;
use schema::subgraph::Subgraph;
use serde_json::{Value, json};
use tokio_util::sync::CancellationToken;

use crate::client::exchange;
use crate::running::{Running, linked};

/// A subgraph that returns the headers of its request.
pub(crate) struct Query;

#[derive(SimpleObject)]
struct Book {
    id: ID,
    title: String,
}

#[Object]
impl Query {
    async fn header(&self, ctx: &Context<'_>, name: String) -> Option<String> {
        let headers = ctx.data_opt::<HeaderMap>()?;
        let values = headers.get_all(name).iter();
        let values: Vec<_> = values.map(|value| value.to_str().unwrap()).collect();
        (!values.is_empty()).then(|| values.join(", "))
    }

    #[graphql(entity)]
    async fn book(&self, id: ID) -> Book {
        Book {
            title: format!("Book {}", *id),
            id,
        }
    }
}

pub(crate) fn books() -> Schema<Query, EmptyMutation, EmptySubscription> {
    Schema::new(Query, EmptyMutation, EmptySubscription)
}

pub(crate) const BOOKS: &str = r#"
extend schema @link(url: "https://specs.apollo.dev/federation/v2.5", import: ["@key"])
type Query { header(name: String!): String }
type Book @key(fields: "id") { id: ID! title: String! }
"#;

pub(crate) async fn post(
    address: std::net::SocketAddr,
    query: &str,
    headers: &[(&str, &str)],
) -> Value {
    let mut all = vec![("content-type", "application/json")];
    all.extend_from_slice(headers);
    let body = json!({ "query": query }).to_string();
    exchange(address, "POST /graphql", &all, &body).await.json()
}

pub(crate) fn config(text: &str) -> Config {
    let variables = BTreeMap::<String, String>::new();
    let environment: Environment = variables.into_iter().collect();
    let (config, diagnostics) = Config::read(&Document::new("weir.yaml", text), &environment);
    let mut config = config.unwrap_or_else(|| panic!("{diagnostics:#?}"));
    config.listen.address.set_port(0);
    config
}

pub(crate) fn subgraph(name: &str, url: Option<&str>, sdl: &str) -> Subgraph {
    Subgraph {
        name: name.into(),
        url: url.map(Into::into),
        document: Document::new(format!("{name}.graphql"), sdl),
    }
}

#[tokio::test]
async fn a_subgraph_receives_only_configured_headers() {
    let service = mocks::graphql("books", books()).await.unwrap();
    let config = config(
        "graph: { supergraph: unread.graphql }
services:
  books:
    headers: { x-token: secret, x-both: ours }
    forward_headers: [x-request-id, x-both]
",
    );
    let url = format!("{}/graphql", service.url());
    let gateway = Running::serving(
        &config,
        &[subgraph("books", Some(&url), BOOKS)],
        CancellationToken::new(),
    )
    .await;

    let query = "{ token: header(name: \"x-token\") id: header(name: \"x-request-id\")
        both: header(name: \"x-both\") cookie: header(name: \"cookie\") }";
    let headers = [
        ("x-request-id", "tuesday"),
        ("x-both", "theirs"),
        ("cookie", "session=1"),
    ];
    let answer = post(gateway.address, query, &headers).await;

    let expected = json!({ "token": "secret", "id": "tuesday", "both": "ours", "cookie": null });
    assert_eq!(answer, json!({ "data": expected }));
}

#[tokio::test]
async fn a_subgraph_has_the_configured_timeout_and_url() {
    let service = mocks::graphql("books", books()).await.unwrap();
    service.fault(Some(Fault::Stall));
    let url = format!("{}/graphql", service.url());
    let config = config(&format!(
        "graph: {{ supergraph: unread.graphql }}
services: {{ books: {{ url: '{url}', timeout: 50ms }} }}
"
    ));
    let elsewhere = Some("http://127.0.0.1:1/graphql");
    let gateway = Running::serving(
        &config,
        &[subgraph("books", elsewhere, BOOKS)],
        CancellationToken::new(),
    )
    .await;

    let answer = post(gateway.address, "{ header(name: \"x\") }", &[]).await;

    assert_eq!(answer["errors"][0]["extensions"]["code"], "SOURCE_TIMEOUT");
    assert_eq!(service.calls(), 1);
}

#[tokio::test]
async fn mounted_names_are_subgraphs_and_every_subgraph_has_a_url() {
    let config = config("graph: { supergraph: unread.graphql }");
    let graph = linked(&config, &[subgraph("books", None, BOOKS)]);
    let bind = async |name: Option<&str>| {
        let builder = Gateway::builder(&config, Arc::clone(&graph));
        let builder = match name {
            Some(name) => builder.mount(name, AsyncGraphqlService(books())),
            None => builder,
        };
        builder.bind(CancellationToken::new()).await
    };

    assert!(
        matches!(bind(None).await, Err(StartError::NoUrl { subgraph, .. }) if subgraph == "books")
    );
    assert!(
        matches!(bind(Some("book")).await, Err(StartError::NotASubgraph(name)) if name == "book")
    );
    assert!(bind(Some("books")).await.is_ok());
}
