//! The reviews subgraph: `_entities`, as gateways request them.

use mocks::Shop;
use serde_json::{Value, json};

use crate::reviews::{data_of, execute, key};

#[tokio::test]
async fn hundreds_of_entities_are_in_the_order_of_their_representations() {
    let shop = Shop::start().await.unwrap();
    let names = ["Product", "User", "Product", "Review"];
    let entities: Vec<_> = (0..800)
        .map(|index| (names[index % 4], (index * 7 % 500 + 1).to_string()))
        .collect();
    let keys: Vec<_> = entities.iter().map(|(name, id)| key(name, id)).collect();
    let query = "query($r: [_Any!]!) { _entities(representations: $r) { __typename
        ... on Product { id reviewCount reviews(first: 3) { totalCount nodes { product { id } } } }
        ... on User { id reviews { totalCount nodes { author { id } } } }
        ... on Review { id }
    } }";
    let data = data_of(&shop.reviews, query, &json!({ "r": keys })).await;
    let returned = data["_entities"].as_array().unwrap();
    assert_eq!(returned.len(), 800);
    let mut nodes = 0;
    for (entity, (name, id)) in returned.iter().zip(&entities) {
        assert_eq!(
            (&entity["__typename"], &entity["id"]),
            (&json!(name), &json!(id))
        );
        for node in entity["reviews"]["nodes"].as_array().into_iter().flatten() {
            let owner = if *name == "User" { "author" } else { "product" };
            assert_eq!(node[owner]["id"], *id);
            nodes += 1;
        }
        if *name == "Product" {
            assert_eq!(entity["reviewCount"], entity["reviews"]["totalCount"]);
        }
    }
    assert!(nodes > 800, "{nodes}");
    assert_eq!(shop.reviews.calls_to("POST /graphql"), 1);
    shop.stop().await;
}

#[tokio::test]
async fn unknown_entities_have_no_reviews() {
    let shop = Shop::start().await.unwrap();
    let keys = [
        key("Product", "123456"),
        key("Product", "no-number"),
        key("User", "1"),
        json!({ "__typename": "User", "id": 4711 }),
        key("Review", "999999"),
    ];
    let query = "query($r: [_Any!]!) { _entities(representations: $r) {
        ... on Product { id averageRating reviewCount reviews { totalCount nodes { id } } }
        ... on User { id reviews { totalCount pageInfo { endCursor hasNextPage } } }
        ... on Review { id }
    } }";
    let data = data_of(&shop.reviews, query, &json!({ "r": keys })).await;
    let product = |id: &str| {
        json!({
            "id": id, "averageRating": null, "reviewCount": 0,
            "reviews": { "totalCount": 0, "nodes": [] },
        })
    };
    let user = |id: &str| {
        let page = json!({ "endCursor": null, "hasNextPage": false });
        json!({ "id": id, "reviews": { "totalCount": 0, "pageInfo": page } })
    };
    let expected = json!([
        product("123456"),
        product("no-number"),
        user("1"),
        user("4711"),
        null
    ]);
    assert_eq!(data["_entities"], expected);
    shop.stop().await;
}

#[tokio::test]
async fn a_malformed_representation_fails_only_its_own_entity() {
    let shop = Shop::start().await.unwrap();
    let malformed = [
        (
            json!({ "id": "1" }),
            "a representation must have a `__typename`, a string",
        ),
        (
            json!({ "__typename": 1, "id": "1" }),
            "a representation must have a `__typename`, a string",
        ),
        (
            json!({ "__typename": "Order", "id": "1" }),
            "`Order` is not an entity of this subgraph",
        ),
        (
            json!({ "__typename": "Product" }),
            "a representation of `Product` must have an `id`, a string",
        ),
        (
            json!({ "__typename": "User", "id": ["1"] }),
            "a representation of `User` must have an `id`, a string",
        ),
        (
            json!({ "__typename": "Review", "id": 1.5 }),
            "a representation of `Review` must have an `id`, a string",
        ),
    ];
    let mut keys = vec![key("Product", "1")];
    keys.extend(malformed.iter().map(|(key, _)| key.clone()));
    let query = "query($r: [_Any!]!) { again: _entities(representations: $r) { __typename } }";
    let reply = execute(&shop.reviews, query, &json!({ "r": keys })).await;
    let answer = reply.expect(200);
    assert_eq!(
        answer["data"]["again"],
        json!([{ "__typename": "Product" }, null, null, null, null, null, null])
    );
    let expected = malformed.iter().zip(1..).map(|((_, message), index)| {
        json!({ "message": message, "path": ["again", index], "extensions": { "code": "UNPROCESSABLE" } })
    });
    assert_eq!(answer["errors"], Value::from(expected.collect::<Vec<_>>()));
    assert_eq!(reply.header("cache-control"), "no-store");
    shop.stop().await;
}

#[tokio::test]
async fn an_error_below_an_entity_has_its_path() {
    let shop = Shop::start().await.unwrap();
    let query = "query($r: [_Any!]!, $after: String) { _entities(representations: $r) {
        ... on User { id }
        ... on Product { id mine: reviews(after: $after) { totalCount } }
    } }";
    let variables = json!({ "r": [key("User", "60"), key("Product", "7")], "after": "x" });
    let answer = execute(&shop.reviews, query, &variables).await.expect(200);
    assert_eq!(answer["data"]["_entities"][0], json!({ "id": "60" }));
    let error = &answer["errors"][0];
    assert_eq!(error["path"], json!(["_entities", 1, "mine"]));
    assert_eq!(error["extensions"]["code"], "UNPROCESSABLE");
    for first in [0, -1, 101, i32::MAX, i32::MIN] {
        let query = format!("{{ latestReviews(first: {first}) {{ id }} }}");
        let answer = execute(&shop.reviews, &query, &json!({})).await.expect(200);
        assert_eq!(
            answer["errors"][0]["message"],
            format!("`first` must be a number from 1 to 100, not {first}")
        );
        assert_eq!(answer["errors"][0]["path"], json!(["latestReviews"]));
    }
    shop.stop().await;
}

#[tokio::test]
async fn concurrent_clients_get_their_own_entities() {
    let shop = Shop::start().await.unwrap();
    let query = "query($r: [_Any!]!) { _entities(representations: $r) { ... on User { id reviews { nodes { author { id } } } } } }";
    let operations = (51..151).map(|id: u32| {
        let variables = json!({ "r": [key("User", &id.to_string())] });
        let service = &shop.reviews;
        async move { (id, data_of(service, query, &variables).await) }
    });
    let answers = futures_util::future::join_all(operations).await;
    for (id, data) in answers {
        let user = &data["_entities"][0];
        assert_eq!(user["id"], id.to_string());
        for node in user["reviews"]["nodes"].as_array().unwrap() {
            assert_eq!(node["author"]["id"], id.to_string());
        }
    }
    assert_eq!(shop.reviews.calls(), 100);
    shop.stop().await;
}
