//! What changes is seen through every gateway within a second, however it was changed, though it
//! is kept for an hour.

use std::net::SocketAddr;
use std::time::Duration;

use mocks::{Events, Lifetimes, Settings, Shop};
use serde_json::{Value, json};
use tokio::time::Instant;

use crate::client::ask;
use crate::server::Server;
use crate::support::until;
use crate::weir::{Setup, Subgraph, Weir};

/// Two gateways before one shop.
struct Gateways {
    shop: Shop,
    one: Weir,
    two: Weir,
    _server: Server,
}

/// What a product is read by, by itself and among others.
const READ: &str = "{ product(id: 9) { stock } products(first: 10) { nodes { id stock } } }";

impl Gateways {
    async fn start(tells_events: bool) -> Option<Self> {
        let server = Server::start().await?;
        let for_an_hour = "public, max-age=3600";
        let settings = Settings {
            lifetimes: Lifetimes {
                products: for_an_hour.to_owned(),
                product_lists: for_an_hour.to_owned(),
                ..Lifetimes::default()
            },
            events: tells_events.then(|| Events::new(server.address())),
            ..Settings::default()
        };
        let shop = Shop::start_with(settings).await.unwrap();
        let sdl = include_str!("../../../schema/commerce/products.graphql");
        let for_long = sdl
            .replace(" @cacheControl(maxAge: 5)", "")
            .replace("@cacheControl(maxAge: 60)", "@cacheControl(maxAge: 3600)");
        assert!(!for_long.contains("maxAge: 5") && for_long != sdl);
        let products = Subgraph {
            name: "products",
            sdl: for_long,
            source: "products",
            url: shop.products.url().to_owned(),
        };
        let cache = format!(
            "{{ redis: {{ url: '{}', timeout: 1s, events: {{ stream: 'weir:events' }} }} }}",
            server.address()
        );
        let setup = Setup::of(products, &cache);
        let (one, two) = tokio::join!(Weir::connected(&setup), Weir::connected(&setup));
        Some(Self {
            shop,
            one,
            two,
            _server: server,
        })
    }

    /// Both have what is read, and ask nobody any more; gives the stock.
    async fn filled(&self) -> u64 {
        for weir in [&self.one, &self.two] {
            weir.data(READ).await;
        }
        self.shop.products.reset_calls();
        let stock = stock(&self.one.data(READ).await).unwrap();
        assert_eq!(self::stock(&self.two.data(READ).await), Some(stock));
        assert_eq!(self.shop.products.calls(), 0, "it is not kept");
        stock
    }

    /// The service is told by somebody else; gives the new stock.
    async fn change_behind_their_backs(&self, stock: u64) -> u64 {
        let address = self.shop.products.url().strip_prefix("http://").unwrap();
        let address: SocketAddr = address.parse().unwrap();
        let body = json!({ "stock": stock }).to_string();
        let headers = [("content-type", "application/json")];
        let answer = ask(address, "PATCH /products/9", &headers, &body).await;
        assert_eq!(answer.status, 200, "{answer:?}");
        stock
    }

    async fn see_within_a_second(&self, stock: u64, began: Instant, how: &str) {
        for weir in [&self.one, &self.two] {
            until(|| async { self::stock(&weir.data(READ).await) == Some(stock) }).await;
        }
        let took = began.elapsed();
        eprintln!("{how}: seen through both gateways after {took:?}");
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
async fn stock_that_a_merchant_changes_through_one_gateway_is_right_through_the_other() {
    let Some(gateways) = Gateways::start(false).await else {
        return;
    };
    let stock = gateways.filled().await + 1;
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
    // Who wrote reads what was written at once.
    let own = gateways.one.data("{ product(id: 9) { stock } }").await;
    assert_eq!(own["product"]["stock"], stock);
    gateways
        .see_within_a_second(stock, began, "a mutation")
        .await;
}

#[tokio::test]
async fn stock_that_changes_at_the_service_is_right_when_the_service_says_so() {
    let Some(gateways) = Gateways::start(true).await else {
        return;
    };
    let stock = gateways.filled().await + 1;

    gateways.change_behind_their_backs(stock).await;

    let began = Instant::now();
    gateways.see_within_a_second(stock, began, "an event").await;
    let (one, two) = (&gateways.one, &gateways.two);
    let handled =
        one.counted("weir_cache_events_total").await + two.counted("weir_cache_events_total").await;
    assert_eq!(handled, 1, "one of them handles it");
}

#[tokio::test]
async fn stock_that_an_operator_names_is_right_everywhere() {
    let Some(gateways) = Gateways::start(false).await else {
        return;
    };
    let before = gateways.filled().await;
    let stock = gateways.change_behind_their_backs(before + 1).await;
    // Nobody has told them.
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
        .see_within_a_second(stock, began, "an operator")
        .await;
}
