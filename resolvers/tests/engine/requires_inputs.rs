//! Other inputs than `@requires` that fail, calls that never end, and what is cached of it all.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use futures_util::future::BoxFuture;
use resolvers::cache::{Clock, Moment, Reuse};
use resolvers::local::{LocalRequest, LocalService};
use resolvers::{Engine, Outcome};
use serde_json::{Value, json};

use crate::caching_service::{caching, memory};
use crate::canned;
use crate::federation::{Scripted, engine, engine_with};
use crate::requires_faults::{LINK, entities, fixed};
use crate::support::{execute, request};

const ROOT: &str = r#"type Query { p: P } type P @key(fields: "id") { id: ID! }"#;
const PRICE: &str = r#"type P @key(fields: "id") { id: ID! price: Int }"#;
const SHOP: &str = r#"type P @key(fields: "id") { id: ID! plain: String price: Int @external d2: String @requires(fields: "price") }"#;

fn root() -> Scripted {
    fixed(json!({ "data": { "p": { "__typename": "P", "id": "1" } } }))
}

fn shop() -> Scripted {
    entities(
        |it| json!({ "__typename": "P", "plain": "plain", "d2": format!("price {}", it["price"]) }),
    )
}

fn linked(subgraphs: &[(&'static str, &str)]) -> Vec<(&'static str, String)> {
    let linked = subgraphs.iter();
    linked
        .map(|(name, sdl)| (*name, format!("{LINK}{sdl}")))
        .collect()
}

fn borrowed<'s>(subgraphs: &'s [(&'static str, String)]) -> Vec<(&'static str, &'s str)> {
    subgraphs
        .iter()
        .map(|(name, sdl)| (*name, &**sdl))
        .collect()
}

/// A subgraph that never responds.
#[derive(Debug)]
struct Stalled;

impl LocalService for Stalled {
    fn call(&self, _: LocalRequest) -> BoxFuture<'_, Bytes> {
        Box::pin(std::future::pending())
    }
}

#[tokio::test]
async fn fields_without_a_requirement_do_not_wait_for_one_that_never_comes() {
    let (q, c) = (root(), shop());
    let sdls = linked(&[("q", ROOT), ("price", PRICE), ("c", SHOP)]);
    let engine = engine_with(&borrowed(&sdls), &[("q", &q), ("c", &c)], |settings| {
        settings.operation_timeout = Duration::from_millis(200);
        settings.local.insert("price".to_owned(), Arc::new(Stalled));
    });

    let answer = execute(&engine, "{ p { id d2 plain } }", json!({})).await;

    let data = json!({ "p": { "id": "1", "d2": null, "plain": "plain" } });
    assert_eq!(answer["data"], data, "{answer:#}");
    assert_eq!(answer["errors"].as_array().unwrap().len(), 1, "{answer:#}");
    let error = answer["errors"][0].as_str().unwrap();
    assert!(
        error.starts_with("p.d2: ") && error.ends_with("no response within 200ms"),
        "{error}"
    );
}

/// An engine with a cache whose subgraphs allow all responses to be cached for a minute.
fn cached_engine(price: &Scripted, q: &Scripted, c: &Scripted) -> Engine {
    let sdls = linked(&[("q", ROOT), ("price", PRICE), ("c", SHOP)]);
    let clock = Clock::manual(Moment(1_700_000_000_000));
    let cache = memory(&clock);
    let services = [("q", q), ("price", price), ("c", c)];
    engine_with(&borrowed(&sdls), &services, |settings| {
        let mut caching = caching(&cache);
        let mut policy = caching.default;
        policy.default_ttl = Duration::from_mins(1);
        let names = ["q", "price", "c"].map(str::to_owned);
        caching.subgraphs = BTreeMap::from(names.map(|name| (name, policy)));
        settings.caching = Some(caching);
    })
}

/// Whether the response may be reused.
async fn is_reusable(engine: &Engine, query: &str) -> bool {
    let mut out = Vec::new();
    match engine.execute(request(query), &mut out).await {
        Outcome::Executed { reuse, .. } => !matches!(reuse, None | Some(Reuse::Never)),
        Outcome::Cached { .. } => true,
        Outcome::Refused { .. } => false,
    }
}

#[tokio::test]
async fn what_comes_of_a_failed_input_is_not_cached_and_the_rest_is() {
    let is_down = Arc::new(std::sync::atomic::AtomicBool::new(true));
    let down = Arc::clone(&is_down);
    let price = Scripted::new(move |_, _| {
        if down.load(std::sync::atomic::Ordering::SeqCst) {
            return json!({ "errors": [{ "message": "down" }] });
        }
        json!({ "data": { "_entities": [{ "__typename": "P", "price": 5 }] } })
    });
    let (q, c) = (root(), shop());
    let engine = cached_engine(&price, &q, &c);
    let query = "{ p { id d2 plain } }";

    let partial = execute(&engine, query, json!({})).await;
    assert_eq!(partial["data"]["p"]["d2"], Value::Null, "{partial:#}");
    assert!(!is_reusable(&engine, query).await);
    assert_eq!(c.requests().len(), 1, "{:#?}", c.requests());

    is_down.store(false, std::sync::atomic::Ordering::SeqCst);
    let whole = execute(&engine, query, json!({})).await;
    assert_eq!(
        whole,
        json!({ "p": { "id": "1", "d2": "price 5", "plain": "plain" } })
    );
    assert_eq!(c.requests().len(), 2, "{:#?}", c.requests());
    assert!(is_reusable(&engine, query).await);
    assert_eq!(c.requests().len(), 2, "{:#?}", c.requests());
}

#[tokio::test]
async fn a_value_of_a_fallback_is_not_cached_as_the_whole_value() {
    const WITH_PRICE: &str =
        r#"type Query { p: P } type P @key(fields: "id") { id: ID! price: Int }"#;
    let is_down = Arc::new(std::sync::atomic::AtomicBool::new(true));
    let down = Arc::clone(&is_down);
    let q = Scripted::new(move |_, _| {
        let down = down.load(std::sync::atomic::Ordering::SeqCst);
        let price = if down { Value::Null } else { json!(5) };
        let mut response = json!({ "data": { "p": { "id": "1", "price": price } } });
        if down {
            response["errors"] = json!([{ "message": "down", "path": ["p", "price"] }]);
        }
        response
    });
    let c = shop();
    let sdls = linked(&[("q", WITH_PRICE), ("c", SHOP)]);
    let clock = Clock::manual(Moment(1_700_000_000_000));
    let cache = memory(&clock);
    let engine = engine_with(&borrowed(&sdls), &[("q", &q), ("c", &c)], |settings| {
        let mut caching = caching(&cache);
        let mut policy = caching.default;
        policy.default_ttl = Duration::from_mins(1);
        caching.subgraphs = BTreeMap::from([("c".to_owned(), policy)]);
        settings.caching = Some(caching);
    });
    let query = "{ p { d2 plain } }";

    for _ in 0..2 {
        let partial = execute(&engine, query, json!({})).await;
        assert_eq!(
            partial["data"],
            json!({ "p": { "d2": null, "plain": "plain" } })
        );
        assert_eq!(
            partial["errors"],
            json!(["p.d2: q: answered with an error: down"])
        );
    }
    assert_eq!(c.requests().len(), 1, "{:#?}", c.requests());

    is_down.store(false, std::sync::atomic::Ordering::SeqCst);
    let whole = execute(&engine, query, json!({})).await;
    assert_eq!(whole, json!({ "p": { "d2": "price 5", "plain": "plain" } }));
    assert_eq!(c.requests().len(), 2, "{:#?}", c.requests());
}

const CONTEXT: &str = r#"extend schema @link(url: "https://specs.apollo.dev/federation/v2.8",
    import: ["@key", "@external", "@context", "@fromContext"])
type Query { users: [User] }
type User @key(fields: "id") @context(name: "user") { id: ID! currency: String @external code: String! @external accounts: [Account!] }
type Account @key(fields: "id") { id: ID! kind: String
  balance(currency: String @fromContext(field: "$user { currency }")): String
  total(currency: String! @fromContext(field: "$user { code }")): String }
"#;
const CURRENCY: &str = r#"extend schema @link(url: "https://specs.apollo.dev/federation/v2.8", import: ["@key"])
type User @key(fields: "id") { id: ID! currency: String code: String! }
"#;
/// The response about two users, of which the second has no currency.
async fn run_contexts(query: &str, currencies: Value) -> Value {
    let users = json!([
        { "id": "1", "accounts": [{ "id": "a", "kind": "k" }] },
        { "id": "2", "accounts": [{ "id": "b", "kind": "k" }] },
    ]);
    let bank = Scripted::new(move |_, variables| {
        let parts = (0..).map_while(|part| {
            let list = variables.get(format!("r{part}"))?.as_array()?;
            let context = variables
                .get("c0")
                .or_else(|| variables.get(format!("c0_{part}")));
            let value = format!("in {}", context.unwrap_or(&Value::Null));
            let account = json!({ "balance": value, "total": value, "kind": "k" });
            let list: Vec<Value> = list.iter().map(|_| account.clone()).collect();
            Some((part, Value::from(list)))
        });
        let parts: Vec<(usize, Value)> = parts.collect();
        let mut data = json!({ "users": users });
        for (part, list) in &parts {
            data[format!("_{part}")] = list.clone();
            data["_entities"] = list.clone();
        }
        json!({ "data": data })
    });
    let currency = fixed(currencies);
    let engine = engine(
        &[("a", CONTEXT), ("b", CURRENCY)],
        &[("a", &bank), ("b", &currency)],
    );
    execute(&engine, query, json!({})).await
}

#[tokio::test]
async fn a_failed_context_costs_the_fields_with_the_argument() {
    let error = json!({ "message": "down", "path": ["_entities", 1, "currency"] });
    let values = json!([{ "__typename": "User", "currency": "EUR" }, { "__typename": "User", "currency": null }]);
    let failed = json!({ "data": { "_entities": values }, "errors": [error] });
    let answer = run_contexts("{ users { accounts { balance } id } }", failed).await;

    let data = json!({ "users": [
        { "accounts": [{ "balance": "in \"EUR\"" }], "id": "1" },
        { "accounts": [{ "balance": null }], "id": "2" },
    ] });
    assert_eq!(answer["data"], data, "{answer:#}");
    let errors = json!(["users.1.accounts.0.balance: b: answered with an error: down"]);
    assert_eq!(answer["errors"], errors);
}

#[tokio::test]
async fn a_null_context_is_not_sent_for_an_argument_without_null() {
    let user = |code: Value| json!({ "__typename": "User", "currency": code, "code": code });
    let values = json!([user("EUR".into()), user(Value::Null)]);
    let values = json!({ "data": { "_entities": values } });
    let answer = run_contexts("{ users { accounts { total } } }", values.clone()).await;

    let data = json!({ "users": [
        { "accounts": [{ "total": "in \"EUR\"" }] }, { "accounts": [{ "total": null }] },
    ] });
    assert_eq!(answer["data"], data, "{answer:#}");
    let errors = json!(["users.1.accounts.0.total: User.code is null"]);
    assert_eq!(answer["errors"], errors);

    let answer = run_contexts("{ users { accounts { balance } } }", values).await;
    assert_eq!(
        answer["users"][1]["accounts"][0]["balance"], "in null",
        "{answer:#}"
    );
}

const CONNECTORS: &str = r#"
extend schema @link(url: "https://specs.apollo.dev/connect/v0.3", import: ["@source", "@connect"])
  @source(name: "api", http: { baseURL: "http://localhost" })
type Query { p: P @connect(source: "api", http: { GET: "/p" }, selection: "id") }
type P @connect(source: "api", http: { GET: "/price/{$this.id}" }, selection: "price") {
  id: ID!
  price: Int
  d2: String @connect(source: "api", http: { GET: "/d2/{$this.price}" }, selection: "$.d2")
  plain: String @connect(source: "api", http: { GET: "/plain/{$this.id}" }, selection: "$.plain")
}
"#;

#[tokio::test]
async fn a_failed_value_of_this_costs_the_connectors_that_use_it() {
    let answers = [
        ("GET /p", json!({ "id": "1" })),
        ("GET /plain/1", json!({ "plain": "plain" })),
    ];
    let (engine, requests) = canned::engine(CONNECTORS, &answers).await;
    let answer = execute(&engine, "{ p { id d2 plain } }", json!({})).await;

    let data = json!({ "p": { "id": "1", "d2": null, "plain": "plain" } });
    assert_eq!(answer["data"], data, "{answer:#}");
    let errors = json!(["p.d2: g:P[0]: answered 404 Not Found"]);
    assert_eq!(answer["errors"], errors);
    assert_eq!(requests.lock().unwrap().len(), 3);
}
