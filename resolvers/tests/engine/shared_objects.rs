//! Two sources give the same object, and one of them fails: only its own fields fail, whichever
//! response arrives first.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use futures_util::future::BoxFuture;
use resolvers::Engine;
use resolvers::local::{LocalRequest, LocalService};
use serde_json::{Value, json};

use crate::federation::engine_with;
use crate::support::execute;

const LINK: &str = r#"extend schema @link(url: "https://specs.apollo.dev/federation/v2.9", import: ["@key", "@shareable"])
"#;

/// A subgraph with one response, which takes a while.
#[derive(Debug)]
struct Slow {
    response: Value,
    delay: Duration,
}

impl LocalService for Slow {
    fn call(&self, _: LocalRequest) -> BoxFuture<'_, Bytes> {
        let response = Bytes::from(self.response.to_string());
        Box::pin(async move {
            tokio::time::sleep(self.delay).await;
            response
        })
    }
}

const ROOT: &str = r#"type Query { p: P ps: [P] } type P @key(fields: "id") { id: ID! }"#;
const NAME: &str = r#"type P @key(fields: "id") { id: ID! cat: Cat @shareable cats: [Cat] @shareable }
    type Cat { id: ID @shareable name: String }"#;
const DETAIL: &str = r#"type P @key(fields: "id") { id: ID! cat: Cat @shareable cats: [Cat] @shareable }
    type Cat { id: ID @shareable det: String }"#;

/// An engine whose subgraphs `q`, `x` and `c` respond after these times.
fn slow_engine(subgraphs: [(&'static str, &str, Value, u64); 3]) -> Engine {
    let sdls: Vec<(&str, String)> = subgraphs
        .iter()
        .map(|(name, sdl, _, _)| (*name, format!("{LINK}{sdl}")))
        .collect();
    let sdls: Vec<(&str, &str)> = sdls
        .iter()
        .map(|(name, sdl)| (*name, sdl.as_str()))
        .collect();
    engine_with(&sdls, &[], |settings| {
        for (name, _, response, delay) in subgraphs {
            let delay = Duration::from_millis(delay);
            let service: Arc<dyn LocalService> = Arc::new(Slow { response, delay });
            settings.local.insert(name.to_owned(), service);
        }
    })
}

/// The failures of `x`: no data, an entity that fails, a field that fails.
fn failures(field: &str) -> [Value; 3] {
    let error = |path: Value| json!([{ "message": "down", "path": path }]);
    [
        json!({ "data": null, "errors": [{ "message": "down" }] }),
        json!({ "data": { "_entities": [null] }, "errors": error(json!(["_entities", 0])) }),
        json!({
            "data": { "_entities": [{ "__typename": "P", field: null }] },
            "errors": error(json!(["_entities", 0, field])),
        }),
    ]
}

#[tokio::test]
async fn a_failed_source_of_a_shared_object_fails_its_own_fields() {
    let root = json!({ "data": { "p": { "__typename": "P", "id": "1" } } });
    for failure in failures("cat") {
        for (first, second) in [(0, 40), (40, 0)] {
            let cat = json!({ "__typename": "P", "cat": { "id": "2", "det": "D" } });
            let detail = json!({ "data": { "_entities": [cat] } });
            let engine = slow_engine([
                ("q", ROOT, root.clone(), 0),
                ("x", NAME, failure.clone(), first),
                ("c", DETAIL, detail, second),
            ]);

            let answer = execute(&engine, "{ p { cat { name det } } }", json!({})).await;

            let data = json!({ "p": { "cat": { "name": null, "det": "D" } } });
            assert_eq!(answer["data"], data, "{failure} {first}: {answer:#}");
            let errors = json!(["p.cat.name: x: answered with an error: down"]);
            assert_eq!(answer["errors"], errors, "{failure} {first}: {answer:#}");
        }
    }
}

#[tokio::test]
async fn a_failed_source_of_a_shared_list_fails_its_own_fields() {
    let root = json!({ "data": { "p": { "__typename": "P", "id": "1" } } });
    for failure in failures("cats") {
        for (first, second) in [(0, 40), (40, 0)] {
            let cats = json!({ "__typename": "P", "cats": [{ "det": "D" }, null, { "det": "E" }] });
            let detail = json!({ "data": { "_entities": [cats] } });
            let engine = slow_engine([
                ("q", ROOT, root.clone(), 0),
                ("x", NAME, failure.clone(), first),
                ("c", DETAIL, detail, second),
            ]);

            let answer = execute(&engine, "{ p { cats { name det } } }", json!({})).await;

            let cats = json!([{ "name": null, "det": "D" }, null, { "name": null, "det": "E" }]);
            assert_eq!(
                answer["data"],
                json!({ "p": { "cats": cats } }),
                "{failure} {first}"
            );
            assert_eq!(answer["errors"].as_array().unwrap().len(), 2, "{answer:#}");
        }
    }
}

#[tokio::test]
async fn a_key_that_failed_before_its_object_came_fails_what_it_leads_to() {
    const KEY: &str = "type Query { f: F! @shareable g: Int } type F { id: ID! @shareable }";
    const OBJECT: &str = "type Query { f: F! @shareable } type F { id: ID! @shareable n: Int }";
    const ENTITY: &str = r#"type F @key(fields: "id") { id: ID! m: Int! }"#;
    let down = json!({ "data": null, "errors": [{ "message": "down" }] });
    for (first, second) in [(0, 40), (40, 0)] {
        let engine = slow_engine([
            ("q", KEY, down.clone(), first),
            ("x", OBJECT, json!({ "data": { "f": { "n": 1 } } }), second),
            ("c", ENTITY, json!({ "data": { "_entities": [] } }), 0),
        ]);

        let answer = execute(&engine, "{ g f { n } }", json!({})).await;
        assert_eq!(answer["data"], json!({ "g": null, "f": { "n": 1 } }));

        let answer = execute(&engine, "{ g f { m n } }", json!({})).await;
        assert_eq!(answer["data"], json!(null), "{first}: {answer:#}");
        let errors = json!(["f.m: q: answered with an error: down"]);
        assert_eq!(answer["errors"], errors, "{first}: {answer:#}");
    }
}
