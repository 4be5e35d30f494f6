//! Documents and variables of requests to subgraphs.

use insta::assert_snapshot;
use serde_json::json;

use crate::federation::{Scripted, engine, requests};
use crate::support::execute;

const SHOP: &str = r#"
    type Query {
        product(id: ID!): Product
        search(text: String! = "all", first: Int, filter: Filter, tags: [Tag!]): [Found!]!
        named: [Named!]!
    }
    type Mutation { rename(id: ID!, name: String!): Product }
    enum Tag { NEW OLD }
    input Filter { tag: Tag, near: Near, names: [String!] }
    input Near { lat: Float!, lon: Float! }
    union Found = Product | Shop
    interface Named { name(upper: Boolean): String! }
    type Product implements Named { id: ID!, name(upper: Boolean): String!, price: Int!, shop: Shop, related: [Named!] }
    type Shop implements Named { id: ID!, name(upper: Boolean): String!, price: Float, owner: Owner }
    type Owner { name: String, shop: Shop }
"#;

/// The requests for a query without variables.
async fn documents(query: &str) -> String {
    requests(SHOP, query, json!({})).await.join("\n")
}

#[tokio::test]
async fn variables_are_forwarded_with_the_clients_types_and_defaults() {
    let query = "query Find($first: Int = 3, $tag: Tag, $lat: Float!) {
        search(first: $first, filter: { tag: $tag, near: { lat: $lat, lon: 2.5 } }) { __typename }
    }";

    let requests = requests(SHOP, query, json!({ "lat": 1 })).await;

    assert_snapshot!(requests.join("\n"), @r#"query Find__g__1($first: Int = 3, $tag: Tag, $lat: Float!) { search(first: $first, filter: {tag: $tag, near: {lat: $lat, lon: 2.5}}) { __typename } } {"first":3,"lat":1}"#);
}

#[tokio::test]
async fn literals_are_forwarded_as_the_client_wrote_them() {
    let query = r#"{ search(text: "a \"b\" é\n", first: 10, filter: { names: "one", tag: NEW }, tags: OLD) { __typename } }"#;

    assert_snapshot!(documents(query).await, @r#"query { search(text: "a \"b\" é\n", first: 10, filter: {names: "one", tag: NEW}, tags: OLD) { __typename } } {}"#);
}

#[tokio::test]
async fn fields_of_the_interface_are_selected_once_and_others_by_type() {
    let query = "{ named { name ... on Product { id shop { name } } ... on Shop { id } } }";

    assert_snapshot!(documents(query).await, @"query { named { __typename name ... on Product { id shop { name } } ... on Shop { id } } } {}");
}

#[tokio::test]
async fn fields_of_different_types_share_a_response_key_if_they_can_merge() {
    // `price` is `Int!` of a product and `Float` of a shop; `id` has the same type in both.
    let query = "{ search { ... on Product { id cost: price } ... on Shop { id price } } }";

    assert_snapshot!(documents(query).await, @"query { search { __typename ... on Product { id price } ... on Shop { id _a0_price: price } } } {}");
}

#[tokio::test]
async fn nested_fields_decide_too_whether_a_response_key_is_shared() {
    let sdl = "
        type Query { found: [Found!]! }
        union Found = A | B | C
        type A { of: X }
        type B { of: Y }
        type C { of: X }
        type X { n: Int! }
        type Y { n: Int }
    ";
    let query =
        "{ found { ... on A { of { n } } ... on B { x: of { n } } ... on C { of { n } } } }";

    let requests = requests(sdl, query, json!({})).await;

    assert_snapshot!(requests.join("\n"), @"query { found { __typename ... on A { of { n } } ... on B { _a0_of: of { n } } ... on C { of { n } } } } {}");
}

#[tokio::test]
async fn one_field_with_different_arguments_gets_unused_aliases() {
    let sdl = "type Query { p: P } type P { name(upper: Boolean): String, _a0_name: Int }";
    let query =
        "{ p { name loud: name(upper: true) soft: name(upper: false) again: name _a0_name } }";

    let requests = requests(sdl, query, json!({})).await;

    assert_snapshot!(requests.join("\n"), @"query { p { name _a1_name: name(upper: true) _a2_name: name(upper: false) _a0_name } } {}");
}

#[tokio::test]
async fn conditions_are_computed_for_the_subgraph() {
    let query = "query ($a: Boolean!, $b: Boolean!) {
        product(id: 1) { id name @include(if: $a) price @skip(if: $b) shop @include(if: $a) { name } }
    }";

    let requests = requests(SHOP, query, json!({ "a": true, "b": true })).await;

    assert_snapshot!(requests.join("\n"), @r#"query($_w0: Boolean!, $_w1: Boolean!) { product(id: 1) { id name @include(if: $_w0) price @include(if: $_w1) shop @include(if: $_w0) { name } } } {"_w0":true,"_w1":false}"#);
}

#[tokio::test]
async fn a_condition_of_the_whole_request_is_not_repeated() {
    let query = "query ($a: Boolean!) { product(id: 1) @include(if: $a) { name } }";

    let yes = requests(SHOP, query, json!({ "a": true })).await;
    let no = requests(SHOP, query, json!({ "a": false })).await;

    assert_snapshot!(yes.join("\n"), @"query { product(id: 1) { name } } {}");
    assert!(no.is_empty(), "{no:?}");
}

#[tokio::test]
async fn a_selection_set_is_never_empty() {
    assert_snapshot!(documents("{ product(id: 1) { __typename } }").await, @"query { product(id: 1) { __typename } } {}");
}

#[tokio::test]
async fn a_mutation_that_is_selected_twice_is_requested_twice() {
    let query = r#"mutation Twice {
        a: rename(id: 1, name: "x") { name }
        b: rename(id: 1, name: "x") { name }
    }"#;

    assert_snapshot!(documents(query).await, @r#"mutation Twice__g__1 { rename(id: 1, name: "x") { name } _a0_rename: rename(id: 1, name: "x") { name } } {}"#);
}

const PRODUCTS: &str = r#"
    extend schema @link(url: "https://specs.apollo.dev/federation/v2.3", import: ["@key", "@shareable"])
    type Query { products: [Product] bests: [Best] }
    type Best { product: Product, book: Book }
    type Product @key(fields: "id") { id: ID!, weight: Float, maker: Maker }
    type Book @key(fields: "isbn lang { code }") { isbn: String!, lang: Lang! }
    type Lang @shareable { code: String! }
    type Maker { country: String }
"#;

const STOCK: &str = r#"
    extend schema @link(url: "https://specs.apollo.dev/federation/v2.3", import: ["@key", "@external", "@requires", "@shareable"])
    type Product @key(fields: "id") {
        id: ID!
        weight: Float @external
        maker: Maker @external
        shipping(zone: Int): Float @requires(fields: "weight maker { country }")
        left: Int
    }
    type Maker { country: String @external }
    type Book @key(fields: "isbn lang { code }") { isbn: String!, lang: Lang!, left: Int! }
    type Lang @shareable { code: String! }
"#;

#[tokio::test]
async fn representations_have_key_and_requirements_and_are_deduplicated() {
    let products = Scripted::new(|_, _| {
        let whole = json!({ "id": 1, "weight": 2.5, "maker": { "country": "D\u{c4}" } });
        let light = json!({ "id": "2", "weight": null, "maker": null });
        let lost = json!({ "id": null, "weight": 1, "maker": null });
        json!({ "data": { "products": [whole, light, whole, null, lost] } })
    });
    let stock = Scripted::new(
        |_, _| json!({ "data": { "_entities": [{ "shipping": 5, "left": 1 }, { "shipping": 6.5, "left": null }] } }),
    );
    let engine = engine(
        &[("products", PRODUCTS), ("stock", STOCK)],
        &[("products", &products), ("stock", &stock)],
    );
    let query = "query Ship($zone: Int!) { products { shipping(zone: $zone) left weight } }";

    let answer = execute(&engine, query, json!({ "zone": 7 })).await;

    assert_snapshot!(products.requests().join("\n"), @"query Ship__products__1 { products { weight maker { country } id } } {}");
    assert_snapshot!(stock.requests().join("\n"), @r#"query Ship__stock__2($zone: Int!, $r0: [_Any!]!) { _entities(representations: $r0) { ... on Product { shipping(zone: $zone) left } } } {"zone":7,"r0":[{"__typename":"Product","id":"1","weight":2.5,"maker":{"country":"DÄ"}},{"__typename":"Product","id":"2","weight":null,"maker":null}]}"#);
    assert_snapshot!(answer.to_string(), @r#"{"products":[{"left":1,"shipping":5,"weight":2.5},{"left":null,"shipping":6.5,"weight":null},{"left":1,"shipping":5,"weight":2.5},null,{"left":null,"shipping":null,"weight":1}]}"#);
}

#[tokio::test]
async fn entities_of_one_subgraph_and_step_are_one_request() {
    let products = Scripted::new(|_, _| {
        let book = json!({ "isbn": "i\"1", "lang": { "code": "en" } });
        json!({ "data": { "bests": [
            { "product": { "id": "1" }, "book": book },
            { "product": { "id": "2" }, "book": book },
        ] } })
    });
    let stock = Scripted::new(
        |_, _| json!({ "data": { "_0": [{ "left": 1 }, { "left": 2 }], "_1": [{ "left": 3 }] } }),
    );
    let engine = engine(
        &[("products", PRODUCTS), ("stock", STOCK)],
        &[("products", &products), ("stock", &stock)],
    );

    let answer = execute(
        &engine,
        "{ bests { product { left } book { left } } }",
        json!({}),
    )
    .await;

    assert_snapshot!(stock.requests().join("\n"), @r#"query($r0: [_Any!]!, $r1: [_Any!]!) { _0: _entities(representations: $r0) { ... on Product { left } } _1: _entities(representations: $r1) { ... on Book { left } } } {"r0":[{"__typename":"Product","id":"1"},{"__typename":"Product","id":"2"}],"r1":[{"__typename":"Book","isbn":"i\"1","lang":{"code":"en"}}]}"#);
    assert_snapshot!(answer.to_string(), @r#"{"bests":[{"book":{"left":3},"product":{"left":1}},{"book":{"left":3},"product":{"left":2}}]}"#);
}

#[tokio::test]
async fn a_part_of_a_request_that_is_left_out_has_no_representations() {
    let products = Scripted::new(|_, _| {
        let book = json!({ "isbn": "1", "lang": { "code": "en" } });
        json!({ "data": { "bests": [{ "product": { "id": "1" }, "book": book }] } })
    });
    let stock = Scripted::new(|_, _| json!({ "data": { "_0": [], "_1": [{ "left": 3 }] } }));
    let engine = engine(
        &[("products", PRODUCTS), ("stock", STOCK)],
        &[("products", &products), ("stock", &stock)],
    );
    let query = "query ($p: Boolean!, $b: Boolean!) {
        bests { product { left @include(if: $p) } book { left @include(if: $b) } }
    }";

    let one = execute(&engine, query, json!({ "p": false, "b": true })).await;
    let none = execute(&engine, query, json!({ "p": false, "b": false })).await;

    // No request was sent the second time.
    assert_snapshot!(stock.requests().join("\n"), @r#"query($r0: [_Any!]!, $r1: [_Any!]!) { _0: _entities(representations: $r0) { ... on Product { left } } _1: _entities(representations: $r1) { ... on Book { left } } } {"r0":[],"r1":[{"__typename":"Book","isbn":"1","lang":{"code":"en"}}]}"#);
    assert_snapshot!(one.to_string(), @r#"{"bests":[{"book":{"left":3},"product":{}}]}"#);
    assert_snapshot!(none.to_string(), @r#"{"bests":[{"book":{},"product":{}}]}"#);
}

#[tokio::test]
async fn a_document_that_would_grow_without_bound_is_rejected() {
    // Without a `next` of `Link` itself in the subgraph, each level is written for both types.
    let chain = r#"
        extend schema @link(url: "https://specs.apollo.dev/federation/v2.3", import: ["@key", "@shareable"])
        type Query { first: Link }
        interface Link { id: ID! }
        type A implements Link { id: ID! next: Link }
        type B implements Link { id: ID! next: Link }
    "#;
    let other = "interface Link { id: ID! next: Link } type Query { last: C } type C implements Link { id: ID! next: Link }";
    let chained = Scripted::new(|_, _| json!({ "data": { "first": null } }));
    let engine = engine(
        &[("chain", chain), ("other", other)],
        &[("chain", &chained)],
    );
    let nested = |depth: usize| {
        let (open, close) = ("{ next ".repeat(depth), "}".repeat(depth));
        format!("{{ first {open} {{ id }} {close} }}")
    };

    let small = execute(&engine, &nested(3), json!({})).await;
    let large = execute(&engine, &nested(17), json!({})).await;

    assert_eq!(small, json!({ "first": null }));
    assert_snapshot!(chained.requests().join("\n"), @"query { first { __typename ... on A { next { __typename ... on A { next { __typename ... on A { next { __typename id } } ... on B { next { __typename id } } } } ... on B { next { __typename ... on A { next { __typename id } } ... on B { next { __typename id } } } } } } ... on B { next { __typename ... on A { next { __typename ... on A { next { __typename id } } ... on B { next { __typename id } } } } ... on B { next { __typename ... on A { next { __typename id } } ... on B { next { __typename id } } } } } } } } {}");
    assert_snapshot!(large.to_string(), @r#"{"refused":["Limit []: the operation needs a request of more than 20000 fields to a subgraph, because types that it does not have are expanded"]}"#);
}
