//! The example graph links without diagnostics.

use schema::link::{self, LinkOptions};
use schema::span::Document;
use schema::subgraph::Subgraph;

fn subgraph(name: &str, text: &str) -> Subgraph {
    Subgraph {
        name: name.into(),
        url: None,
        document: Document::new(format!("{name}.graphql"), text),
    }
}

fn subgraphs() -> [Subgraph; 5] {
    [
        subgraph("users", include_str!("../commerce/users.graphql")),
        subgraph("products", include_str!("../commerce/products.graphql")),
        subgraph("orders", include_str!("../commerce/orders.graphql")),
        subgraph("reviews", include_str!("../commerce/reviews.graphql")),
        subgraph("computed", include_str!("../commerce/computed.graphql")),
    ]
}

#[test]
fn the_shop_links() {
    let (graph, diagnostics) = link::link(&subgraphs(), LinkOptions::default());

    let rendered: Vec<_> = diagnostics
        .iter()
        .map(schema::diagnostic::Diagnostic::render)
        .collect();
    assert_eq!(rendered.join("\n"), "");
    let graph = graph.unwrap();
    let sdl = graph.client_sdl();
    assert!(sdl.contains("placeOrder("), "{sdl}");
    assert!(!sdl.contains("connect"), "{sdl}");
    assert_eq!(graph.sources().len(), 27);
}

#[test]
fn every_mutation_of_the_shop_with_connectors_invalidates_entries() {
    let (graph, _) = link::link(&subgraphs(), LinkOptions::default());
    let graph = graph.unwrap();
    let types = graph.types();
    let mutation = types.mutation().unwrap();

    let subgraphs = ["users", "products", "orders"];
    let all: Vec<_> = subgraphs
        .iter()
        .map(|subgraph| graph.subgraph_cache_directives(subgraph).unwrap())
        .collect();
    let without = types.get(mutation).fields().unwrap().keys().filter(|name| {
        let directives = all
            .iter()
            .filter_map(|it| it.field_directives(mutation, name));
        directives.flat_map(|it| &it.invalidates).next().is_none()
    });
    let without: Vec<_> = without.map(|name| &**name).collect();

    // The reviews subgraph has no cache directives.
    assert_eq!(without, ["addReview"]);
}
