//! The graph that ships with the binary: users, products and orders of a shop.

use mocks::{Service, Shop};
use schema::span::Document;
use schema::subgraph::Subgraph;

use crate::config::Config;
use crate::config::connectors::Source;
use crate::config::secret::Secret;

/// The subgraphs, in the order in which a reader should meet them.
pub fn subgraphs() -> Vec<Subgraph> {
    let documents = [
        ("users", include_str!("../../schema/commerce/users.graphql")),
        (
            "products",
            include_str!("../../schema/commerce/products.graphql"),
        ),
        (
            "orders",
            include_str!("../../schema/commerce/orders.graphql"),
        ),
    ];
    documents
        .into_iter()
        .map(|(name, text)| Subgraph {
            name: name.into(),
            document: Document::new(format!("schema/commerce/{name}.graphql"), text),
        })
        .collect()
}

/// Its services, by the name of their subgraph.
pub fn services(shop: &Shop) -> [&Service; 3] {
    [&shop.users, &shop.products, &shop.orders]
}

/// Sends every call to the services of `shop`, wherever they listen.
pub fn connect(shop: &Shop, config: &mut Config) {
    for service in services(shop) {
        let name = service.name();
        let source = Source {
            url: service.url().parse().ok(),
            config: Secret::new(serde_json::json!({})),
            headers: Vec::new(),
            timeout: None,
            calls: None,
            span: None,
        };
        // In each subgraph of the shop the one source is called as the subgraph is.
        config
            .connectors
            .sources
            .insert(format!("{name}.{name}"), source);
    }
}
