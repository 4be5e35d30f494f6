//! Responses in the caches of clients: `Cache-Control`, `Vary`, `ETag`, and conditional requests.

use gateway::config::cache::ClientMaxAge;
use gateway::shop;
use mocks::{Fault, Shop};
use serde_json::json;

use crate::client::{Answer, exchange};
use crate::running::Running;

const PRODUCT: &str = "{ product(id: 1) { name } }";
const CHANGE: &str = "mutation { changeStock(productId: 1, merchantId: 1, stock: 3) { id } }";

async fn start(shop: &Shop, max_age: ClientMaxAge) -> Running {
    Running::alone(|config| {
        shop::configure(shop, config);
        config.cache.caller_headers = vec!["x-user".parse().unwrap()];
        config.cache.client_max_age = max_age;
    })
    .await
}

async fn post(gateway: &Running, query: &str) -> Answer {
    let headers = [("content-type", "application/json")];
    let body = json!({ "query": query }).to_string();
    exchange(gateway.address, "POST /graphql", &headers, &body).await
}

async fn get(gateway: &Running, query: &str, tag: Option<&str>) -> Answer {
    let query = query.replace(' ', "%20");
    let headers: Vec<_> = tag.into_iter().map(|tag| ("if-none-match", tag)).collect();
    let target = format!("GET /graphql?query={query}");
    exchange(gateway.address, &target, &headers, "").await
}

#[tokio::test]
async fn a_cacheable_response_is_validated_at_each_use() {
    let shop = Shop::start().await.unwrap();
    let gateway = start(&shop, ClientMaxAge::Zero).await;

    let product = post(&gateway, PRODUCT).await;
    shop.users.fault(Some(Fault::Status(503)));
    let failed = post(&gateway, "{ product(id: 1) { name } user(id: 3) { name } }").await;
    let (mutation, refused) = (
        post(&gateway, CHANGE).await,
        post(&gateway, "{ nothing }").await,
    );

    assert_eq!(product.header("cache-control"), Some("no-cache"));
    let vary: Vec<&str> = product.header("vary").unwrap().split(", ").collect();
    assert!(
        vary.contains(&"accept") && vary.contains(&"x-user"),
        "{vary:?}"
    );
    assert_eq!(failed.header("vary"), Some("accept"));
    for answer in [failed, mutation, refused] {
        assert_eq!(answer.header("cache-control"), Some("no-store"));
    }
}

#[tokio::test]
async fn inherited_lifetimes_are_those_of_the_values() {
    let shop = Shop::start().await.unwrap();
    let gateway = start(&shop, ClientMaxAge::Inherit).await;

    let product = post(&gateway, PRODUCT).await;

    let cache_control = product.header("cache-control").unwrap();
    assert!(cache_control.starts_with("max-age="), "{cache_control}");
    assert!(cache_control.contains("public"), "{cache_control}");
    assert_eq!(
        product.header("etag"),
        None,
        "a response to POST is not validated"
    );
}

#[tokio::test]
async fn a_client_that_has_the_response_gets_none() {
    let shop = Shop::start().await.unwrap();
    for max_age in [ClientMaxAge::Zero, ClientMaxAge::Inherit] {
        let gateway = start(&shop, max_age).await;
        let first = get(&gateway, PRODUCT, None).await;
        let tag = first.header("etag").unwrap().to_owned();
        let strong = tag.trim_start_matches("W/").to_owned();
        assert_eq!((first.status, strong.len()), (200, 34), "{tag}");

        for known in [&tag, &strong, &format!("\"other\", {tag}"), "*"] {
            let again = get(&gateway, PRODUCT, Some(known)).await;
            assert_eq!((again.status, again.body.len()), (304, 0), "{known}");
            assert_eq!(again.header("etag"), Some(&*tag));
            assert_eq!(again.header("vary"), first.header("vary"));
            assert!(again.header("cache-control").is_some());
        }
        let other = get(&gateway, "{ product(id: 2) { name } }", Some(&tag)).await;
        assert_eq!(other.status, 200);
        assert_ne!(other.header("etag"), Some(&*tag));
    }
}

#[tokio::test]
async fn a_response_that_is_not_cacheable_has_no_tag() {
    let shop = Shop::start().await.unwrap();
    let gateway = start(&shop, ClientMaxAge::Zero).await;
    shop.users.fault(Some(Fault::Status(503)));

    let failed = get(&gateway, "{ user(id: 3) { name } }", Some("*")).await;

    assert_eq!(failed.status, 200);
    assert_eq!(failed.header("etag"), None);
    assert_eq!(failed.header("cache-control"), Some("no-store"));
}
