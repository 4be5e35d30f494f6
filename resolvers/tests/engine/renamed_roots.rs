//! Subgraphs whose root types have names of their own.

use serde_json::json;

use crate::federation::{Scripted, engine};
use crate::support::execute;

const SDL: &str = r#"
    extend schema @link(url: "https://specs.apollo.dev/federation/v2.9", import: ["@key"])
    schema { query: MyQuery mutation: MyMutation }
    type MyQuery { search: [S] node: N self: MyQuery n: Int }
    type MyMutation { bump: MyPayload }
    union S = MyQuery | O
    interface N { n: Int }
    type O implements N { n: Int o: Int }
    type P implements N { n: Int }
    type MyPayload { query: MyQuery by: MyMutation changed: Int }
"#;

#[tokio::test]
async fn a_renamed_root_in_a_union_is_selected_and_read_by_its_own_name() {
    let service = Scripted::new(|query, _| {
        assert!(query.contains("... on MyQuery"), "{query}");
        assert!(!query.contains("on Query"), "{query}");
        let root = json!({ "__typename": "MyQuery", "n": 1 });
        json!({ "data": { "search": [root, { "__typename": "O", "o": 2 }, null] } })
    });
    let engine = engine(&[("g", SDL)], &[("g", &service)]);

    let query = "{ search { __typename ... on Query { n } ... on O { o } } }";
    let answer = execute(&engine, query, json!({})).await;

    let search = json!([{ "__typename": "Query", "n": 1 }, { "__typename": "O", "o": 2 }, null]);
    assert_eq!(answer, json!({ "search": search }));
}

#[tokio::test]
async fn renamed_roots_inside_of_other_objects_have_their_default_names_for_clients() {
    let service = Scripted::new(|query, _| {
        if query.starts_with("mutation") {
            let payload = json!({ "query": { "n": 3 }, "by": { "bump": { "changed": 4 } } });
            return json!({ "data": { "bump": payload } });
        }
        json!({ "data": { "self": { "self": { "n": 5 } } } })
    });
    let engine = engine(&[("g", SDL)], &[("g", &service)]);

    let query = "{ __typename self { __typename self { n } } }";
    let answer = execute(&engine, query, json!({})).await;
    let mutation =
        "mutation { bump { query { __typename n } by { __typename bump { changed } } } }";
    let changed = execute(&engine, mutation, json!({})).await;

    let inner = json!({ "__typename": "Query", "self": { "n": 5 } });
    assert_eq!(answer, json!({ "__typename": "Query", "self": inner }));
    let by = json!({ "__typename": "Mutation", "bump": { "changed": 4 } });
    let query = json!({ "__typename": "Query", "n": 3 });
    assert_eq!(
        changed,
        json!({ "bump": { "query": query, "by": by } }),
        "{changed}"
    );
}

#[tokio::test]
async fn an_error_of_an_unknown_type_names_what_the_subgraph_returned() {
    let service =
        Scripted::new(|_, _| json!({ "data": { "search": [{ "__typename": "Query", "n": 1 }] } }));
    let engine = engine(&[("g", SDL)], &[("g", &service)]);

    let answer = execute(&engine, "{ search { ... on Query { n } } }", json!({})).await;

    assert_eq!(answer["data"], json!({ "search": [null] }));
    assert!(
        answer["errors"][0].as_str().unwrap().contains("`Query`"),
        "{answer}"
    );
}
