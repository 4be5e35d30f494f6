//! Batches: which calls they take, and which object of the response belongs to which entity.

use insta::assert_json_snapshot;
use serde_json::json;

use crate::canned::{engine, engine_with};
use crate::support::execute;
use crate::values::sdl;

const BATCH: &str = r#"
    type Query { ids: [Thing] @connect(source: "api", http: { GET: "/ids" }, selection: "id") }
    type Thing
      @connect(
        source: "api"
        http: { GET: "/things", queryParams: "id: $batch.id" }
        batch: { maxSize: 2 }
        selection: "$.things { id name }"
      ) {
      id: ID!
      name: String
    }
"#;

#[tokio::test]
async fn a_batch_is_deduplicated_and_split_at_its_maximum_size() {
    let answers = [
        (
            "GET /ids",
            json!([{ "id": 1 }, { "id": 2 }, { "id": 1 }, { "id": 3 }, { "id": "1" }]),
        ),
        (
            "GET /things?id=1&id=2",
            json!({ "things": [{ "id": 2, "name": "two" }, { "id": 1, "name": "one" }, { "id": 9, "name": "nine" }] }),
        ),
        ("GET /things?id=3", json!({ "things": [] })),
    ];
    let (engine, requests) = engine(&sdl("v0.3", BATCH), &answers).await;

    let answer = execute(&engine, "{ ids { name } }", json!({})).await;

    // An `ID` is equal by its text; missing objects are null, unrequested ones dropped.
    assert_eq!(
        answer,
        json!({ "ids": [{ "name": "one" }, { "name": "two" }, { "name": "one" }, { "name": null }, { "name": "one" }] })
    );
    assert_eq!(requests.lock().unwrap().len(), 3);
}

#[tokio::test]
async fn a_failed_part_of_a_batch_fails_only_its_own_objects() {
    let answers = [
        ("GET /ids", json!([{ "id": 1 }, { "id": 2 }, { "id": 3 }])),
        (
            "GET /things?id=3",
            json!({ "things": [{ "id": 3, "name": "three" }] }),
        ),
    ];
    let (engine, _) = engine(&sdl("v0.3", BATCH), &answers).await;

    assert_json_snapshot!(execute(&engine, "{ ids { id name } }", json!({})).await, @r#"
    {
      "data": {
        "ids": [
          {
            "id": "1",
            "name": null
          },
          {
            "id": "2",
            "name": null
          },
          {
            "id": "3",
            "name": "three"
          }
        ]
      },
      "errors": [
        "ids.0.name: g:Thing[0]: answered 404 Not Found",
        "ids.1.name: g:Thing[0]: answered 404 Not Found"
      ]
    }
    "#);
}

#[tokio::test]
async fn a_batch_response_without_a_list_fails() {
    let answers = [
        ("GET /ids", json!([{ "id": 1 }])),
        (
            "GET /things?id=1",
            json!({ "things": { "id": 1, "name": "one" } }),
        ),
    ];
    let (engine, _) = engine(&sdl("v0.3", BATCH), &answers).await;

    assert_json_snapshot!(execute(&engine, "{ ids { id name } }", json!({})).await, @r#"
    {
      "data": {
        "ids": [
          {
            "id": "1",
            "name": null
          }
        ]
      },
      "errors": [
        "ids.0.name: g:Thing[0]: answered a batch with a value that is not a list"
      ]
    }
    "#);
}

#[tokio::test]
async fn a_batch_whose_url_would_be_too_long_is_split() {
    let batch = BATCH.replace("batch: { maxSize: 2 }", "");
    let names = |ids: &[i32]| {
        let things: Vec<_> = ids
            .iter()
            .map(|id| json!({ "id": id, "name": "it" }))
            .collect();
        json!({ "things": things })
    };
    let ids: Vec<_> = (1..=5).map(|id| json!({ "id": id })).collect();
    let answers = [
        ("GET /ids", json!(ids)),
        ("GET /things?id=1&id=2", names(&[1, 2])),
        ("GET /things?id=3", names(&[3])),
        ("GET /things?id=4&id=5", names(&[4, 5])),
    ];
    let (engine, requests) = engine_with(&sdl("v0.3", &batch), &answers, |settings| {
        let base = settings.sources["g.api"]
            .url
            .as_ref()
            .unwrap()
            .as_str()
            .len();
        settings.limits.source_url = base + "things?id=1&id=2".len();
    })
    .await;

    let answer = execute(&engine, "{ ids { name } }", json!({})).await;

    let name = json!({ "name": "it" });
    assert_eq!(
        answer,
        json!({ "ids": [name, name, name, name, name] }),
        "{:?}",
        requests.lock().unwrap()
    );
}
