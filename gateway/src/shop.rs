//! The demo in the binary: a graph of users, products, orders and reviews of a shop, and of fields
//! that resolvers in this process compute.

use mocks::{Service, Shop};
use resolvers::local::AsyncGraphqlService;
use resolvers::settings::CallLimitOverrides;
use schema::span::Document;
use schema::subgraph::Subgraph;

use crate::config::Config;
use crate::config::connectors::Source;
use crate::config::errors::{Exposure, Messages, SubgraphErrors};
use crate::config::services;
use crate::launch::Builder;

mod computed;

/// The subgraphs; later ones build on earlier ones.
pub fn subgraphs() -> Vec<Subgraph> {
    SDL.into_iter()
        .map(|(name, text)| Subgraph {
            name: name.into(),
            url: (name == "reviews").then(|| REVIEWS_URL.into()),
            document: Document::new(format!("schema/commerce/{name}.graphql"), text),
        })
        .collect()
}

/// The SDL of each subgraph.
const SDL: [(&str, &str); 5] = [
    ("users", include_str!("../../schema/commerce/users.graphql")),
    (
        "products",
        include_str!("../../schema/commerce/products.graphql"),
    ),
    (
        "orders",
        include_str!("../../schema/commerce/orders.graphql"),
    ),
    (
        "reviews",
        include_str!("../../schema/commerce/reviews.graphql"),
    ),
    (
        "computed",
        include_str!("../../schema/commerce/computed.graphql"),
    ),
];

/// The URL of the reviews subgraph when it runs as a process of its own (`mocks reviews`).
const REVIEWS_URL: &str = "http://127.0.0.1:5004/graphql";

/// Mounts the resolvers of the subgraph `computed`.
#[must_use]
pub fn mount(builder: Builder<'_>) -> Builder<'_> {
    builder.mount("computed", AsyncGraphqlService(computed::schema()))
}

/// The services that the demo calls over HTTP.
pub fn services(shop: &Shop) -> [&Service; 4] {
    [&shop.users, &shop.products, &shop.orders, &shop.reviews]
}

/// Sets the URLs of all sources to the addresses of the services of `shop`.
pub fn configure(shop: &Shop, config: &mut Config) {
    for service in [&shop.users, &shop.products, &shop.orders] {
        let name = service.name();
        let source = Source::with_url(service.url().parse().ok());
        // Each subgraph of the demo has one source of the same name.
        let sources = &mut config.connectors.sources;
        sources.insert(format!("{name}.{name}"), source);
    }
    let reviews = services::SubgraphConfig {
        url: format!("{}/graphql", shop.reviews.url()).parse().ok(),
        headers: Vec::new(),
        forward_headers: Vec::new(),
        timeout: None,
        call_limits: CallLimitOverrides::default(),
        span: None,
    };
    let name = shop.reviews.name().to_owned();
    config.services.0.insert(name, reviews);
    show_messages(config);
}

/// Shows clients the messages of the subgraphs whose resolvers write them for clients.
fn show_messages(config: &mut Config) {
    for name in ["reviews", "computed"] {
        let exposure = Exposure {
            messages: Messages::All,
            ..Exposure::default()
        };
        let errors = SubgraphErrors {
            exposure,
            span: None,
        };
        config.errors.subgraphs.insert(name.to_owned(), errors);
    }
}
