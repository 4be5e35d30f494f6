//! Keys of `__typename` alone: the only object of its type.

use serde_json::{Value, json};

use crate::federation::{Scripted, engine};
use crate::support::execute;

fn sdl(types: &str) -> String {
    let url = "https://specs.apollo.dev/federation/v2.9";
    let imports = r#"["@key", "@external", "@requires", "@shareable"]"#;
    format!("extend schema @link(url: \"{url}\", import: {imports})\n{types}")
}

#[tokio::test]
async fn the_only_object_of_a_type_is_fetched_by_its_typename() {
    let warehouse = sdl(
        r#"type Query { catalogEntry: CatalogEntry entries: [CatalogEntry] }
        type CatalogEntry @key(fields: "__typename") { sku: String! }"#,
    );
    let reviews = sdl(
        r#"type CatalogEntry @key(fields: "__typename") { rating: Rating! }
        type Rating { score: Int! }"#,
    );
    let wh = Scripted::new(|_, _| {
        let entry = json!({ "__typename": "CatalogEntry", "sku": "kettle" });
        json!({ "data": { "catalogEntry": entry, "entries": [entry, null, entry] } })
    });
    let rev = Scripted::new(|_, variables| {
        let representations = json!([{ "__typename": "CatalogEntry" }]);
        assert_eq!(variables["r0"], representations);
        json!({ "data": { "_entities": [{ "rating": { "score": 5 } }] } })
    });
    let engine = engine(
        &[("wh", &warehouse), ("rev", &reviews)],
        &[("wh", &wh), ("rev", &rev)],
    );

    let one = execute(
        &engine,
        "{ catalogEntry { sku rating { score } } }",
        json!({}),
    )
    .await;
    let all = execute(&engine, "{ entries { rating { score } } }", json!({})).await;

    let rating = json!({ "score": 5 });
    let entry = json!({ "sku": "kettle", "rating": rating });
    assert_eq!(one, json!({ "catalogEntry": entry }));
    let entry = json!({ "rating": rating });
    assert_eq!(all, json!({ "entries": [entry, null, entry] }));
    assert_eq!(rev.requests().len(), 2);
}

#[tokio::test]
async fn a_nested_object_of_a_key_may_have_its_typename_alone() {
    let a = sdl(
        r#"type Query { p: P } type P @key(fields: "id org { __typename }") { id: ID! org: Org! @shareable }
        type Org { name: String @shareable }"#,
    );
    let b = sdl(
        r#"type P @key(fields: "id org { __typename }") { id: ID! org: Org! @external stock: Int }
        type Org { name: String @shareable }"#,
    );
    let first = Scripted::new(|query, _| {
        assert!(query.contains("org { __typename }"), "{query}");
        json!({ "data": { "p": { "id": "1", "org": { "__typename": "Org" } } } })
    });
    let second = Scripted::new(|_, variables| {
        let org = json!({ "__typename": "Org" });
        let expected = json!([{ "__typename": "P", "id": "1", "org": org }]);
        assert_eq!(variables["r0"], expected);
        json!({ "data": { "_entities": [{ "stock": 7 }] } })
    });
    let engine = engine(&[("a", &a), ("b", &b)], &[("a", &first), ("b", &second)]);

    let answer = execute(&engine, "{ p { stock } }", json!({})).await;

    assert_eq!(answer, json!({ "p": { "stock": 7 } }));
}

/// `@key(fields: "__typename")` beside a requirement: both are in the representation.
#[tokio::test]
async fn a_requirement_is_sent_with_a_typename_key() {
    let a = sdl(r#"type Query { one: One } type One @key(fields: "__typename") { size: Int }"#);
    let b = sdl(
        r#"type One @key(fields: "__typename") { size: Int @external double: Int @requires(fields: "size") }"#,
    );
    let first = Scripted::new(|_, _| json!({ "data": { "one": { "size": 2 } } }));
    let second = Scripted::new(|_, variables| {
        let size = variables["r0"][0]["size"].as_i64();
        json!({ "data": { "_entities": [{ "double": size.map(|size| 2 * size) }] } })
    });
    let engine = engine(&[("a", &a), ("b", &b)], &[("a", &first), ("b", &second)]);

    let answer = execute(&engine, "{ one { double } }", json!({})).await;

    assert_eq!(answer, json!({ "one": { "double": 4 } }));
    let sent: Value = json!([{ "__typename": "One", "size": 2 }]);
    assert!(
        second.requests()[0].contains(&sent.to_string()),
        "{:?}",
        second.requests()
    );
}
