//! What the graph declares about a field holds for every selection below it: also where only keys
//! are fetched, because another subgraph provides the rest.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use http::{HeaderMap, HeaderName, HeaderValue};
use resolvers::Engine;
use resolvers::cache::{Cache, Clock, EntityKey, Moment, Target};
use serde_json::{Value, json};

use crate::caching_service::{CachedEngine, THINGS, caching, memory};
use crate::federation::{Scripted, engine_with};
use crate::support::{execute, execute_with};

const PEOPLE: &str = r#"
    extend schema @link(url: "https://specs.apollo.dev/federation/v2.12", import: ["@key", "@cacheTag"])
    type Query {
      user: User
      someone: Named
      latest: Thing
      things(kind: Kind = TOY, filter: Filter): [Thing]
        @cacheTag(format: "things-{$args.kind}")
        @cacheTag(format: "country-{$args.filter.country}")
        @cacheTag(format: "all-things")
    }
    type Mutation {
      add: Thing @openfed__cacheInvalidate
      wipe: Int @cacheInvalidate(types: ["Thing"])
    }
    enum Kind { TOY BOOK }
    input Filter { country: String }
    interface Named { favourites: [Thing] owned: Secret }
    type User implements Named @key(fields: "id") {
      id: ID!
      favourites: [Thing] @cacheControl(scope: PRIVATE)
      last: Thing @cacheControl(scope: PRIVATE)
      cart: [Thing] @cacheControl(maxAge: 0)
      latest: Thing
      owned: Secret
    }
    interface Secret { id: ID! }
    type Diary implements Secret @key(fields: "id") @cacheControl(scope: PRIVATE) { id: ID! }
    type Thing @key(fields: "id") { id: ID! }
"#;

const STOCK: &str = r#"
    extend schema @link(url: "https://specs.apollo.dev/federation/v2.3", import: ["@key"])
    type Thing @key(fields: "id") { id: ID! stock: Int }
"#;

struct World {
    engine: Engine,
    cache: Cache,
    people: Scripted,
}

impl World {
    fn start() -> Self {
        let answers = AtomicUsize::new(0);
        let people = Scripted::new(move |_, _| {
            let answer = answers.fetch_add(1, Ordering::SeqCst) + 1;
            let thing = json!({ "__typename": "Thing", "id": answer.to_string() });
            let diary = json!({ "__typename": "Diary", "id": "1" });
            let list = json!([thing]);
            let user = json!({
                "__typename": "User", "id": "1", "favourites": list, "last": thing, "cart": list,
                "latest": thing, "owned": diary,
            });
            json!({ "data": {
                "user": user, "someone": user, "latest": thing, "things": list,
                "a": list, "b": list, "add": thing, "wipe": 1,
            } })
        });
        let stock = Scripted::new(|_, variables| {
            let entities = variables["r0"].as_array().into_iter().flatten();
            let entities =
                entities.map(|it| json!({ "__typename": "Thing", "id": it["id"], "stock": 3 }));
            json!({ "data": { "_entities": entities.collect::<Vec<_>>() } })
        });
        let cache = memory(&Clock::manual(Moment(1_700_000_000_000)));
        let engine = engine_with(
            &[("people", PEOPLE), ("stock", STOCK)],
            &[("people", &people), ("stock", &stock)],
            |settings| {
                let mut caching = caching(&cache);
                caching.default.default_ttl = Duration::from_mins(10);
                caching.caller_headers = vec![HeaderName::from_static("x-user")];
                settings.caching = Some(caching);
            },
        );
        Self {
            engine,
            cache,
            people,
        }
    }

    /// Executes a query for a caller; returns the number of requests that `people` got for it.
    async fn requests_of(&self, caller: &'static str, query: &str) -> usize {
        let before = self.people.requests().len();
        let mut headers = HeaderMap::new();
        headers.insert("x-user", HeaderValue::from_static(caller));
        let answer = execute_with(&self.engine, query, json!({}), headers).await;
        assert_eq!(answer.get("errors"), None, "{query}: {answer}");
        assert_eq!(answer.get("refused"), None, "{query}: {answer}");
        self.people.requests().len() - before
    }

    async fn is_cached(&self, query: &str) -> bool {
        self.requests_of("a", query).await == 0
    }
}

/// The selections below a field that returns things: of its keys alone, and of more.
const BELOW: [&str; 5] = [
    "{ id }",
    "{ stock }",
    "{ id stock }",
    "{ __typename }",
    "{ ... @skip(if: true) { stock } id }",
];

#[tokio::test]
async fn a_private_field_is_private_whatever_is_selected_below_it() {
    for field in ["favourites", "last"] {
        for below in BELOW {
            let query = format!("{{ user {{ {field} {below} }} }}");
            let world = World::start();
            assert_eq!(world.requests_of("a", &query).await, 1, "{query}");
            assert_eq!(world.requests_of("a", &query).await, 0, "{query}");
            assert_eq!(world.requests_of("b", &query).await, 1, "{query}");
        }
    }
}

#[tokio::test]
async fn a_hint_on_a_possible_type_applies_to_an_interface() {
    for selection in ["favourites { id }", "favourites { stock }", "owned { id }"] {
        let query = format!("{{ someone {{ {selection} }} }}");
        let world = World::start();
        assert_eq!(world.requests_of("a", &query).await, 1, "{query}");
        assert_eq!(world.requests_of("a", &query).await, 0, "{query}");
        assert_eq!(world.requests_of("b", &query).await, 1, "{query}");
    }
}

#[tokio::test]
async fn a_field_with_max_age_zero_is_not_cached_whatever_is_selected_below_it() {
    for below in BELOW {
        let query = format!("{{ user {{ cart {below} }} }}");
        let world = World::start();
        assert_eq!(world.requests_of("a", &query).await, 1, "{query}");
        assert_eq!(world.requests_of("a", &query).await, 1, "{query}");
    }
}

fn thing(id: &str) -> Target {
    Target::Entity {
        type_name: "Thing".to_owned(),
        key: EntityKey::from_json(&json!({ "id": id }).to_string()).unwrap(),
    }
}

#[tokio::test]
async fn lists_and_root_fields_of_keys_are_invalidated_with_their_entities() {
    for below in BELOW {
        for field in ["things", "latest"] {
            let query = format!("{{ {field} {below} }}");
            let world = World::start();
            for mutation in ["mutation { add { id } }", "mutation { wipe }"] {
                assert!(!world.is_cached(&query).await, "{query}");
                assert!(world.is_cached(&query).await, "{query}");
                execute(&world.engine, mutation, json!({})).await;
            }
            for target in [thing("1"), Target::Type("Thing".to_owned())] {
                assert!(!world.is_cached(&query).await, "{query}");
                assert!(world.is_cached(&query).await, "{query}");
                world.cache.invalidate(&target.tags()).await;
            }
            assert!(!world.is_cached(&query).await, "{query}");
        }
    }
}

#[tokio::test]
async fn a_field_that_refers_to_one_entity_is_invalidated_with_the_type() {
    let world = World::start();
    let query = "{ user { latest { stock } } }";
    assert!(!world.is_cached(query).await);

    // The key of one thing is the same after a change of a thing.
    world.cache.invalidate(&thing("1").tags()).await;
    assert!(world.is_cached(query).await);
    let all = Target::Type("Thing".to_owned());
    world.cache.invalidate(&all.tags()).await;
    assert!(!world.is_cached(query).await);
}

#[tokio::test]
async fn tags_with_arguments_invalidate_root_fields_of_subgraphs() {
    let cases: [(&str, Value, &[&str]); 9] = [
        ("{ things(kind: BOOK) { id } }", json!({}), &["things-BOOK"]),
        ("{ things { id } }", json!({}), &["things-TOY"]),
        (
            "query($k: Kind) { things(kind: $k) { id } }",
            json!({ "k": "BOOK" }),
            &["things-BOOK"],
        ),
        (
            "query($k: Kind) { things(kind: $k) { id } }",
            json!({}),
            &["things-TOY"],
        ),
        (
            "query($k: Kind = BOOK) { things(kind: $k) { id } }",
            json!({}),
            &["things-BOOK"],
        ),
        (
            r#"{ things(filter: { country: "NO" }) { stock } }"#,
            json!({}),
            &["country-NO", "things-TOY"],
        ),
        (
            "query($f: Filter) { things(filter: $f) { id } }",
            json!({ "f": { "country": "SE" } }),
            &["country-SE"],
        ),
        (
            "query($c: String) { things(filter: { country: $c }) { id } }",
            json!({ "c": "DK" }),
            &["country-DK"],
        ),
        (
            "{ a: things(kind: TOY) { id } b: things(kind: BOOK) { id } }",
            json!({}),
            &["things-TOY", "things-BOOK", "all-things"],
        ),
    ];
    for (query, variables, tags) in cases {
        for tag in tags {
            let world = World::start();
            let requests = async || {
                execute(&world.engine, query, variables.clone()).await;
                world.people.requests().len()
            };
            requests().await;
            invalidate(&world.cache, "things-OTHER").await;
            assert_eq!(requests().await, 1, "{query} {variables}");
            invalidate(&world.cache, tag).await;
            assert_eq!(requests().await, 2, "{query} {variables}: {tag}");
        }
    }
}

async fn invalidate(cache: &Cache, tag: &str) {
    cache
        .invalidate(&Target::Named(tag.to_owned()).tags())
        .await;
}

/// A box of things: the connector gives their ids, a batch the rest of them.
fn boxed(rule: &str) -> String {
    let boxed = r#"type Query {
      box: Box
        @connect(
          source: "api"
          http: { GET: "/box", queryParams: "ids: $('1,2')", headers: [{ name: "x-user", from: "x-user" }] }
          selection: "things { id }"
        )"#;
    let sdl = THINGS.replacen("type Query {", boxed, 1);
    format!("{sdl} type Box {{ things: [Thing] {rule} }}")
}

#[tokio::test]
async fn hints_hold_for_keys_that_a_connector_gives() {
    for (rule, own, other) in [
        ("", 0, 0),
        ("@cacheControl(scope: PRIVATE)", 0, 1),
        ("@cacheControl(maxAge: 0)", 1, 1),
    ] {
        let cached = CachedEngine::with(&boxed(rule), |settings| {
            let caching = settings.caching.as_mut().unwrap();
            caching.caller_headers = vec![HeaderName::from_static("x-user")];
        })
        .await;
        cached.service.set_cache_control("public, max-age=60");
        let calls = async |caller: &'static str| {
            let mut headers = HeaderMap::new();
            headers.insert("x-user", HeaderValue::from_static(caller));
            let query = "{ box { things { name } } }";
            let answer = execute_with(&cached.engine, query, json!({}), headers).await;
            assert_eq!(answer["box"]["things"][1]["name"], "thing 2 v1", "{answer}");
            let calls = cached.service.take_requests();
            let boxes = calls.iter().filter(|uri| uri.starts_with("/box"));
            boxes.count()
        };
        assert_eq!(calls("a").await, 1, "{rule}");
        assert_eq!(calls("a").await, own, "{rule}");
        assert_eq!(calls("b").await, other, "{rule}");
    }
}
