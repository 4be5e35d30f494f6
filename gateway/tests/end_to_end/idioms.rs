//! The idioms of `docs/idioms.md`, served over a service with the answers that they are for.

use axum::extract::{Path, Query};
use axum::http::StatusCode;
use axum::routing::{get, put};
use axum::{Json, Router};
use gateway::config::Config;
use gateway::config::expand::Environment;
use gateway::tasks::Tasks;
use schema::span::Document;
use schema::subgraph::Subgraph;
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::fs;
use std::net::SocketAddr;
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;

use crate::client::exchange;
use crate::running::Running;

type Parameters = Query<BTreeMap<String, String>>;

fn employees() -> Vec<Value> {
    vec![
        json!({ "id": 1, "name": "Ada", "managerId": null }),
        json!({ "id": 3, "name": "Noor", "managerId": 1 }),
        json!({ "id": 7, "name": "Ida", "managerId": 3 }),
    ]
}

async fn employee(Path(id): Path<u64>) -> Json<Value> {
    let found = employees().into_iter().find(|it| it["id"] == id);
    Json(found.unwrap())
}

async fn reports(Query(parameters): Parameters) -> Json<Vec<Value>> {
    let manager: u64 = parameters["manager"].parse().unwrap();
    let all = employees().into_iter();
    Json(all.filter(|it| it["managerId"] == manager).collect())
}

/// Rows for the users 1 and 2 only.
async fn orders(Query(parameters): Parameters) -> Json<Value> {
    let users: Vec<&str> = parameters["users"].split(',').collect();
    assert_eq!(users, ["1", "2", "3"]);
    Json(json!([
        { "id": 5, "userId": 1, "total": 9 },
        { "id": 6, "userId": 2, "total": 4 },
        { "id": 8, "userId": 1, "total": 2 },
    ]))
}

fn service() -> Router {
    let posts = json!([
        { "title": "A", "authorId": 7 },
        { "title": "B", "authorId": null },
        { "title": "C" },
    ]);
    let users = json!([{ "id": 1, "name": "Ada" }, { "id": 2, "name": "Noor" }, { "id": 3, "name": "Ida" }]);
    let user = get(|Path(id): Path<u64>| async move { Json(json!({ "id": id, "name": "Ida" })) });
    let cart =
        json!({ "lines": [{ "sku": "cup", "count": 1 }, null, { "sku": null, "count": 2 }] });
    let fixed = |value: Value| get(|| async { Json(value) });
    Router::new()
        .route("/posts", fixed(posts))
        .route("/users", fixed(users))
        .route("/users/{id}", user)
        .route("/employees", get(reports))
        .route("/employees/{id}", get(employee))
        .route("/orders", get(orders))
        .route("/cart", fixed(cart))
        .route("/starred/{id}", put(|| async { StatusCode::NO_CONTENT }))
}

/// Starts the service; it ends with `stop`.
async fn start_service(stop: &CancellationToken) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let stopped = stop.clone().cancelled_owned();
    Tasks::default().spawn("service", async {
        let serving = axum::serve(listener, service());
        serving.with_graceful_shutdown(stopped).await.unwrap();
    });
    address
}

/// The first graph below a heading of the page, with the head of all graphs.
fn sdl(heading: &str) -> String {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../docs/idioms.md");
    let page = fs::read_to_string(path).unwrap();
    let block = |text: &str, kind: &str| -> String {
        let (_, rest) = text.split_once(&format!("```{kind}\n")).unwrap();
        rest.split_once("```").unwrap().0.to_owned()
    };
    let (_, section) = page.split_once(&format!("## {heading}\n")).unwrap();
    block(&page, "graphql head") + &block(section, "graphql test")
}

/// The answer to an operation on the graph below a heading.
async fn answer(heading: &str, query: &str) -> Value {
    let stop = CancellationToken::new();
    let service = start_service(&stop).await;
    let config = format!(
        "listen: {{ address: '127.0.0.1:0' }}
graph: {{ subgraphs: {{ g: {{ schema: g.graphql }} }} }}
connectors: {{ sources: {{ g.api: {{ url: 'http://{service}' }} }} }}
"
    );
    let (config, diagnostics) =
        Config::read(&Document::new("weir.yaml", config), &Environment::default());
    let config = config.unwrap_or_else(|| panic!("{diagnostics:#?}"));
    let subgraph = Subgraph {
        name: "g".into(),
        url: None,
        document: Document::new("g.graphql", sdl(heading)),
    };
    let gateway = Running::serving(&config, &[subgraph], CancellationToken::new()).await;
    let body = json!({ "query": query }).to_string();
    let headers = [("content-type", "application/json")];
    let answer = exchange(gateway.address, "POST /graphql", &headers, &body).await;
    stop.cancel();
    answer.json()
}

#[tokio::test]
async fn a_null_key_is_no_object() {
    let heading = "A foreign key that may be null";
    let posts = answer(heading, "{ posts { title author { name } } }").await;

    assert_eq!(
        posts,
        json!({ "data": { "posts": [
            { "title": "A", "author": { "name": "Ida" } },
            { "title": "B", "author": null },
            { "title": "C", "author": null },
        ] } })
    );
}

#[tokio::test]
async fn an_object_refers_to_its_own_type_at_any_depth() {
    let heading = "An object that refers to its own type";
    let query = "{ employee(id: 7) { manager { employee { name manager { employee {
        name manager { id } reports { items { name reports { items { name } } } }
    } } } } } }";
    let employee = answer(heading, query).await;

    let reports =
        json!({ "items": [{ "name": "Noor", "reports": { "items": [{ "name": "Ida" }] } }] });
    let ada = json!({ "name": "Ada", "manager": null, "reports": reports });
    let noor = json!({ "name": "Noor", "manager": { "employee": ada } });
    assert_eq!(
        employee,
        json!({ "data": { "employee": { "manager": { "employee": noor } } } })
    );
}

#[tokio::test]
async fn rows_of_a_batch_are_grouped_by_their_keys() {
    let heading = "Many rows for each key of a batch";
    let users = answer(heading, "{ users { name orders { id total } } }").await;

    assert_eq!(
        users,
        json!({ "data": { "users": [
            { "name": "Ada", "orders": [{ "id": "5", "total": 9 }, { "id": "8", "total": 2 }] },
            { "name": "Noor", "orders": [{ "id": "6", "total": 4 }] },
            { "name": "Ida", "orders": null },
        ] } })
    );
}

#[tokio::test]
async fn lists_are_wrapped_and_nulls_left_out() {
    let wrapped = answer(
        "A list of the response inside an object",
        "{ users { count items { name } } }",
    );
    let cart = answer("Null in lists", "{ cart { skus lines { count } } }");

    let names = json!([{ "name": "Ada" }, { "name": "Noor" }, { "name": "Ida" }]);
    assert_eq!(
        wrapped.await,
        json!({ "data": { "users": { "count": 3, "items": names } } })
    );
    assert_eq!(
        cart.await,
        json!({ "data": { "cart": { "skus": ["cup"], "lines": [{ "count": 1 }, { "count": 2 }] } } })
    );
}

#[tokio::test]
async fn a_response_without_a_body_has_the_constants() {
    let heading = "Responses without a body";
    let starred = answer(
        heading,
        "mutation { star(repository: 5) { repository starred } }",
    )
    .await;

    let star = json!({ "repository": "5", "starred": true });
    assert_eq!(starred, json!({ "data": { "star": star } }));
}
