//! The graph that ships links without a complaint.

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

#[test]
fn the_shop_links() {
    let subgraphs = [
        subgraph("users", include_str!("../commerce/users.graphql")),
        subgraph("products", include_str!("../commerce/products.graphql")),
        subgraph("orders", include_str!("../commerce/orders.graphql")),
        subgraph("reviews", include_str!("../commerce/reviews.graphql")),
        subgraph("computed", include_str!("../commerce/computed.graphql")),
    ];

    let (graph, diagnostics) = link::link(&subgraphs, LinkOptions::default());

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
