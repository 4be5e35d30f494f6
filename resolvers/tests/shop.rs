//! Plans over the graph that ships.

use std::sync::Arc;

use resolvers::{Engine, settings};
use schema::graph::{Graph, LinkOptions, Subgraph};
use schema::span::Document;

fn engine() -> Engine {
    let subgraphs = [
        ("users", include_str!("../../schema/commerce/users.graphql")),
        (
            "products",
            include_str!("../../schema/commerce/products.graphql"),
        ),
        (
            "orders",
            include_str!("../../schema/commerce/orders.graphql"),
        ),
    ]
    .map(|(name, text)| Subgraph {
        name: name.into(),
        document: Document::new(format!("{name}.graphql"), text),
    });
    let (graph, diagnostics) = Graph::link(&subgraphs, LinkOptions::default());
    assert_eq!(diagnostics, []);
    let settings = settings::Settings {
        sources: Default::default(),
        limits: settings::Limits {
            depth: 20,
            tokens: 10_000,
            fields: 5_000,
            source_body: 1 << 24,
            errors: 100,
        },
        operation_timeout: std::time::Duration::from_secs(5),
        source_timeout: std::time::Duration::from_secs(5),
        prepared_operations: 100.try_into().unwrap(),
        introspection: settings::Introspection::Allow,
    };
    Engine::new(Arc::new(graph.unwrap()), settings).unwrap()
}

#[track_caller]
fn plan(query: &str) -> String {
    engine()
        .explain(query, None)
        .unwrap_or_else(|e| panic!("{e:?}"))
}

#[test]
fn q2() {
    println!(
        "{}",
        plan(
            "{ orders(first: 50) { nodes { id status customer { id name email } items { quantity product { id name price { amount currency } } } } } }"
        )
    );
    println!(
        "{}",
        plan(
            "{ users(first: 20) { nodes { name orders { id items { product { merchant { name } } } } } } }"
        )
    );
    println!(
        "{}",
        plan(
            "mutation { a: cancelOrder(id: 1) { customer { name } } b: advanceOrder(id: 2) { id } }"
        )
    );
    println!(
        "{}",
        plan(
            "query($a: Boolean!) { a: user(id: 1) { orderHistory { nodes { id merchants { name } } } } user(id: 2) { name @include(if: $a) orders @skip(if: $a) {id} } __typename }"
        )
    );
}
