//! Changes of cached data are visible through every gateway within a second, by whatever way the
//! invalidation arrives, though the data is cached for an hour.

use std::net::SocketAddr;
use std::time::Duration;

use mocks::{Events, Lifetimes, Settings, Shop};
use serde_json::{Value, json};
use tokio::time::Instant;

use crate::client::exchange;
use crate::server::Server;
use crate::support::until;
use crate::weir::{Setup, Subgraph, Weir};

/// Two gateways in front of one shop.
struct Gateways {
    shop: Shop,
    one: Weir,
    two: Weir,
    _server: Server,
}

/// Reads a product alone and in a list.
const READ: &str = "{ product(id: 9) { stock } products(first: 10) { nodes { id stock } } }";

impl Gateways {
    async fn start(sends_events: bool) -> Option<Self> {
        let server = Server::start().await?;
        let an_hour = "public, max-age=3600";
        let settings = Settings {
            lifetimes: Lifetimes {
                products: an_hour.to_owned(),
                product_lists: an_hour.to_owned(),
                ..Lifetimes::default()
            },
            events: sends_events.then(|| Events::new(server.address())),
            ..Settings::default()
        };
        let shop = Shop::start_with(settings).await.unwrap();
        let sdl = include_str!("../../../schema/commerce/products.graphql");
        let long_lived = sdl
            .replace(" @cacheControl(maxAge: 5)", "")
            .replace("@cacheControl(maxAge: 60)", "@cacheControl(maxAge: 3600)");
        assert!(!long_lived.contains("maxAge: 5") && long_lived != sdl);
        let products = Subgraph {
            name: "products",
            sdl: long_lived,
            source: "products",
            url: shop.products.url().to_owned(),
        };
        let cache = format!(
            "{{ redis: {{ url: '{}', timeout: 1s, events: {{ stream: 'weir:events' }} }} }}",
            server.address()
        );
        let setup = Setup::new(products, &cache);
        let (one, two) = tokio::join!(Weir::connected(&setup), Weir::connected(&setup));
        Some(Self {
            shop,
            one,
            two,
            _server: server,
        })
    }

    /// Fills both caches, checks that reads take no more calls, and returns the stock.
    async fn fill(&self) -> u64 {
        for weir in [&self.one, &self.two] {
            weir.data(READ).await;
        }
        self.shop.products.reset_calls();
        let stock = stock(&self.one.data(READ).await).unwrap();
        assert_eq!(self::stock(&self.two.data(READ).await), Some(stock));
        assert_eq!(self.shop.products.calls(), 0, "the product is not cached");
        stock
    }

    /// Changes the stock at the service, not through a gateway, and returns it.
    async fn change_at_service(&self, stock: u64) -> u64 {
        let address = self.shop.products.url().strip_prefix("http://").unwrap();
        let address: SocketAddr = address.parse().unwrap();
        let body = json!({ "stock": stock }).to_string();
        let headers = [("content-type", "application/json")];
        let answer = exchange(address, "PATCH /products/9", &headers, &body).await;
        assert_eq!(answer.status, 200, "{answer:?}");
        stock
    }

    async fn check_visible_within_a_second(&self, stock: u64, began: Instant, how: &str) {
        for weir in [&self.one, &self.two] {
            until(|| async { self::stock(&weir.data(READ).await) == Some(stock) }).await;
        }
        let took = began.elapsed();
        eprintln!("{how}: visible through both gateways after {took:?}");
        assert!(took < Duration::from_secs(1), "{took:?}");
    }
}

/// The stock, if both reads agree on it.
fn stock(data: &Value) -> Option<u64> {
    let nodes = data["products"]["nodes"].as_array().unwrap();
    let listed = nodes.iter().find(|node| node["id"] == "9").unwrap();
    (listed["stock"] == data["product"]["stock"]).then(|| listed["stock"].as_u64().unwrap())
}

#[tokio::test]
async fn a_mutation_through_one_gateway_is_visible_through_the_other() {
    let Some(gateways) = Gateways::start(false).await else {
        return;
    };
    let stock = gateways.fill().await + 1;
    let merchant = gateways
        .one
        .data("{ product(id: 9) { merchant { id } } }")
        .await;
    let merchant = &merchant["product"]["merchant"]["id"];

    let mutation = format!(
        "mutation {{ changeStock(productId: 9, merchantId: {merchant}, stock: {stock}) {{ stock }} }}"
    );
    let changed = gateways.one.data(&mutation).await;
    let began = Instant::now();

    assert_eq!(changed["changeStock"]["stock"], stock);
    // The gateway that ran the mutation reads the new value at once.
    let own = gateways.one.data("{ product(id: 9) { stock } }").await;
    assert_eq!(own["product"]["stock"], stock);
    gateways
        .check_visible_within_a_second(stock, began, "a mutation")
        .await;
}

#[tokio::test]
async fn a_change_event_of_the_service_is_visible_through_both_gateways() {
    let Some(gateways) = Gateways::start(true).await else {
        return;
    };
    let stock = gateways.fill().await + 1;

    gateways.change_at_service(stock).await;

    let began = Instant::now();
    gateways
        .check_visible_within_a_second(stock, began, "an event")
        .await;
    let (one, two) = (&gateways.one, &gateways.two);
    let handled =
        one.metric("weir_cache_events_total").await + two.metric("weir_cache_events_total").await;
    assert_eq!(handled, 1, "one of the gateways handles the event");
}

#[tokio::test]
async fn an_invalidation_by_an_operator_is_visible_through_both_gateways() {
    let Some(gateways) = Gateways::start(false).await else {
        return;
    };
    let before = gateways.fill().await;
    let stock = gateways.change_at_service(before + 1).await;
    // No invalidation was sent.
    for weir in [&gateways.one, &gateways.two] {
        assert_eq!(self::stock(&weir.data(READ).await), Some(before));
    }

    let product = json!({ "kind": "entity", "type": "Product", "key": { "id": 9 } });
    let answer = gateways.one.invalidate(&json!([product])).await;
    let began = Instant::now();

    assert_eq!(
        (answer.status, answer.json()["reached"].as_str()),
        (202, Some("everyone"))
    );
    gateways
        .check_visible_within_a_second(stock, began, "an operator")
        .await;
}
