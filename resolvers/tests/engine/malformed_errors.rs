//! `errors` of subgraphs that are not what GraphQL requires: none of them disappears.

use serde_json::{Value, json};

use crate::federation::{Scripted, engine};
use crate::support::execute;

const SDL: &str = "type Query { a: Int b: Int }";

/// The response to `{ a b }` where the subgraph responds with `response`.
async fn answer(response: Value) -> Value {
    let service = Scripted::new(move |_, _| response.clone());
    let engine = engine(&[("g", SDL)], &[("g", &service)]);
    execute(&engine, "{ a b }", json!({})).await
}

#[tokio::test]
async fn malformed_errors_beside_data_are_listed_without_a_path() {
    const NOT_A_LIST: &str =
        "g: answered with JSON that is not a GraphQL response: `errors` is not a list";
    const NO_MESSAGE: &str =
        "g: answered with an error: the subgraph returned an error without a message";
    for (errors, expected) in [
        (json!("boom"), NOT_A_LIST),
        (json!({}), NOT_A_LIST),
        (json!({ "message": "boom" }), NOT_A_LIST),
        (json!(7), NOT_A_LIST),
        (json!(false), NOT_A_LIST),
        (json!([null]), NO_MESSAGE),
        (json!([{}]), NO_MESSAGE),
        (json!([[]]), NO_MESSAGE),
        (json!([{ "message": 7 }]), NO_MESSAGE),
        (json!(["boom"]), "g: answered with an error: boom"),
        (
            json!([{ "message": "boom", "path": "a" }]),
            "g: answered with an error: boom",
        ),
        (
            json!([{ "message": "boom", "path": { "a": 1 } }]),
            "g: answered with an error: boom",
        ),
        (
            json!([{ "message": "boom", "path": [] }]),
            "g: answered with an error: boom",
        ),
        (
            json!([{ "message": "boom", "path": [true] }]),
            "g: answered with an error: boom",
        ),
        (
            json!([{ "message": "boom", "path": ["c"] }]),
            "g: answered with an error: boom",
        ),
    ] {
        let answer = answer(json!({ "data": { "a": 1, "b": 2 }, "errors": errors })).await;

        assert_eq!(answer["data"], json!({ "a": 1, "b": 2 }), "{errors}");
        let listed = answer["errors"].as_array().unwrap();
        assert_eq!(listed.len(), 1, "{errors}: {answer}");
        assert!(
            listed[0].as_str().unwrap().ends_with(expected),
            "{errors}: {answer}"
        );
    }
}

#[tokio::test]
async fn an_empty_list_or_null_is_no_error() {
    for errors in [json!([]), Value::Null] {
        let answer = answer(json!({ "data": { "a": 1, "b": 2 }, "errors": errors })).await;

        assert_eq!(answer, json!({ "a": 1, "b": 2 }), "{errors}");
    }
}

#[tokio::test]
async fn without_data_every_field_has_an_error() {
    for (response, expected) in [
        (json!({ "errors": "boom" }), "`errors` is not a list"),
        (
            json!({ "data": null, "errors": {} }),
            "`errors` is not a list",
        ),
        (json!({ "errors": ["boom"] }), "boom"),
        (
            json!({ "data": 7, "errors": [{ "message": "boom" }] }),
            "boom",
        ),
        (
            json!({ "data": 7, "errors": "boom" }),
            "`data` is not an object",
        ),
        (json!({ "data": [] }), "`data` is not an object"),
        (json!({ "errors": [] }), "neither `data` nor `errors`"),
        (json!("boom"), "neither `data` nor `errors`"),
        (
            json!([{ "message": "boom" }]),
            "neither `data` nor `errors`",
        ),
    ] {
        let answer = answer(response.clone()).await;

        assert_eq!(
            answer["data"],
            json!({ "a": null, "b": null }),
            "{response}"
        );
        let listed = answer["errors"].as_array().unwrap();
        assert_eq!(listed.len(), 2, "{response}: {answer}");
        for error in listed {
            assert!(
                error.as_str().unwrap().contains(expected),
                "{response}: {answer}"
            );
        }
    }
}
