//! Batches across operations with selections of every form.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use axum::Router;
use axum::http::Uri;
use futures_util::future::join_all;
use resolvers::Engine;
use serde_json::{Value, json};

use crate::support::{execute, graph, serve, settings_at};
use crate::values::sdl;

#[tokio::test]
async fn a_batch_is_shared_however_its_selection_is_written() {
    for (selection, body) in [
        ("id name", list as fn(Vec<Value>) -> Value),
        ("$ { id name }", list),
        ("id: $.id name", list),
        ("id $ { name }", list),
        ("$.things { id name }", |things| json!({ "things": things })),
    ] {
        let calls = Arc::new(AtomicUsize::new(0));
        let engine = engine(selection, body, Arc::clone(&calls)).await;
        let client = async |id: usize| {
            let query = "query($id: ID!) { thing(id: $id) { name } }";
            execute(&engine, query, json!({ "id": id })).await
        };

        let answers = join_all((1..=50).map(client)).await;

        for (answer, id) in answers.iter().zip(1..) {
            let expected = json!({ "thing": { "name": format!("thing {id}") } });
            assert_eq!(*answer, expected, "{selection}");
        }
        let calls = calls.load(Ordering::SeqCst);
        assert!(calls <= 2, "{selection}: {calls} calls");
    }
}

fn list(things: Vec<Value>) -> Value {
    things.into()
}

/// An engine over a service whose batch has this selection, and returns what `body` makes of the
/// things; it counts its calls.
async fn engine(selection: &str, body: fn(Vec<Value>) -> Value, calls: Arc<AtomicUsize>) -> Engine {
    let types = format!(
        r#"
        type Query {{
          thing(id: ID!): Thing
            @connect(source: "api", http: {{ GET: "/thing", queryParams: "id: $args.id" }}, entity: true, selection: "id name")
        }}
        type Thing
          @connect(
            source: "api"
            http: {{ GET: "/things", queryParams: "id: $batch.id->joinNotNull(',')" }}
            selection: "{selection}"
          ) {{
          id: ID!
          name: String
        }}
        "#
    );
    let answer = async move |uri: Uri| {
        calls.fetch_add(1, Ordering::SeqCst);
        // The other clients arrive in the meantime.
        tokio::time::sleep(Duration::from_millis(100)).await;
        let ids = uri.query().unwrap_or_default().replace("%2C", ",");
        let ids = ids.trim_start_matches("id=").split(',');
        let things = ids.map(|id| json!({ "id": id, "name": format!("thing {id}") }));
        let mut things: Vec<Value> = things.collect();
        axum::Json(match uri.path() {
            "/thing" => things.remove(0),
            _ => body(things),
        })
    };
    let url = serve(Router::new().fallback(answer)).await;
    let graph = graph(&[("g", &sdl("v0.3", &types))]);
    Engine::new(graph, settings_at(&url)).unwrap()
}
