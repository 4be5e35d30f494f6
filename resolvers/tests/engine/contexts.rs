//! Arguments from the objects above (`@context`, `@fromContext`): plans, requests to subgraphs,
//! responses.

use insta::assert_snapshot;
use resolvers::Engine;
use serde_json::{Value, json};

use crate::federation::{Scripted, engine};
use crate::support::{self, execute};

const LINK: &str = r#"extend schema @link(url: "https://specs.apollo.dev/federation/v2.8",
    import: ["@key", "@shareable", "@external", "@requires", "@context", "@fromContext"])
"#;

const BANK: &str = r#"
type Query { users: [User!]! }
type User @key(fields: "id") @context(name: "user") { id: ID! currency: String accounts: [Account!]! }
type Account @key(fields: "id") {
  id: ID!
  balance(currency: String @fromContext(field: "$user { currency }")): String
}
"#;

fn linked(subgraphs: &[&'static str]) -> Vec<(&'static str, String)> {
    let names = ["a", "b", "c"].into_iter();
    names
        .zip(subgraphs)
        .map(|(name, sdl)| (name, format!("{LINK}{sdl}")))
        .collect()
}

/// The plan of a query over subgraphs `a`, `b`, `c`.
#[track_caller]
fn plan(subgraphs: &[&'static str], query: &str) -> String {
    let sdls = linked(subgraphs);
    let subgraphs: Vec<_> = sdls.iter().map(|(name, it)| (*name, &**it)).collect();
    let engine = Engine::new(support::graph(&subgraphs), support::settings()).unwrap();
    engine.plan_text(query, None).unwrap()
}

/// The answer to a query, and the requests to the subgraphs.
async fn executed(
    subgraphs: &[&'static str],
    services: &[Scripted],
    query: &str,
    variables: Value,
) -> (Value, String) {
    let sdls = linked(subgraphs);
    let subgraphs: Vec<_> = sdls.iter().map(|(name, it)| (*name, &**it)).collect();
    let by_name: Vec<_> = subgraphs.iter().map(|it| it.0).zip(services).collect();
    let engine = engine(&subgraphs, &by_name);
    let answer = execute(&engine, query, variables).await;
    let requests: Vec<_> = services.iter().flat_map(Scripted::requests).collect();
    (answer, requests.join("\n"))
}

/// Answers a root query with `data`, and entities with `name` of their id and the value of `$c0`.
fn bank(data: Value, name: &'static str) -> Scripted {
    Scripted::new(move |query, variables| {
        if variables.get("r0").is_none() {
            return json!({ "data": data });
        }
        let entities = |representations: &Value, context: &Value| {
            let representations = representations.as_array().unwrap().iter();
            let representations = representations.map(|it| {
                let value = format!("{} in {context}", it["id"].as_str().unwrap());
                json!({ name: value })
            });
            representations.collect::<Value>()
        };
        if query.contains(" _entities(") && !query.contains("_0: ") {
            let all = entities(&variables["r0"], &variables["c0"]);
            return json!({ "data": { "_entities": all } });
        }
        let parts = (0..).map_while(|part| {
            let representations = variables.get(format!("r{part}"))?;
            let context = &variables[format!("c0_{part}")];
            Some((format!("_{part}"), entities(representations, context)))
        });
        json!({ "data": parts.collect::<serde_json::Map<_, _>>() })
    })
}

#[test]
fn the_value_is_fetched_first_and_the_field_in_a_fetch_of_its_own() {
    assert_snapshot!(plan(&[BANK], "{ users { accounts { balance } } }"), @r"
    1. a  query
       gives users { accounts { id } currency }
    2. a  _entities
       one batch over users.accounts by id
       balance(currency:) from currency of each User at users
       gives balance
       after 1
    ");
}

#[test]
fn a_value_of_the_fetch_that_gives_the_objects_is_known_before_the_field() {
    const OWNERS: &str = r#"type Query { user: User } type User @key(fields: "id") { id: ID! }"#;
    const ACCOUNTS: &str = r#"
    type User @key(fields: "id") @context(name: "user") { id: ID! currency: String accounts: [Account!]! }
    type Account @key(fields: "id") {
      id: ID!
      balance(currency: String @fromContext(field: "$user { currency }")): String
    }
    "#;
    assert_snapshot!(plan(&[OWNERS, ACCOUNTS], "{ user { accounts { balance } } }"), @r"
    1. a  query
       gives user { id }
    2. b  _entities
       one batch over user by id
       gives accounts { id } currency
       after 1
    3. b  _entities
       one batch over user.accounts by id
       balance(currency:) from currency of each User at user
       gives balance
       after 2
    ");
}

#[tokio::test]
async fn objects_below_different_values_are_in_different_parts_of_a_request() {
    let users = json!({ "users": [
        { "id": "1", "currency": "EUR", "accounts": [{ "id": "a" }, { "id": "b" }] },
        { "id": "2", "currency": "USD", "accounts": [{ "id": "b" }] },
        { "id": "3", "currency": "EUR", "accounts": [{ "id": "a" }, { "id": "c" }] },
        { "id": "4", "currency": null, "accounts": [{ "id": "d" }] },
    ] });
    let query = "{ users { accounts { balance } } }";
    let (answer, requests) = executed(&[BANK], &[bank(users, "balance")], query, json!({})).await;

    assert_snapshot!(answer.to_string(), @r#"{"users":[{"accounts":[{"balance":"a in \"EUR\""},{"balance":"b in \"EUR\""}]},{"accounts":[{"balance":"b in \"USD\""}]},{"accounts":[{"balance":"a in \"EUR\""},{"balance":"c in \"EUR\""}]},{"accounts":[{"balance":"d in null"}]}]}"#);
    assert_snapshot!(requests, @r#"
    query { users { accounts { id } currency } } {}
    query($c0_0: String, $r0: [_Any!]!, $c0_1: String, $r1: [_Any!]!, $c0_2: String, $r2: [_Any!]!, $c0_3: String, $r3: [_Any!]!) { _0: _entities(representations: $r0) { ... on Account { balance(currency: $c0_0) } } _1: _entities(representations: $r1) { ... on Account { balance(currency: $c0_1) } } _2: _entities(representations: $r2) { ... on Account { balance(currency: $c0_2) } } _3: _entities(representations: $r3) { ... on Account { balance(currency: $c0_3) } } } {"r0":[{"__typename":"Account","id":"a"},{"__typename":"Account","id":"b"},{"__typename":"Account","id":"c"}],"c0_0":"EUR","r1":[{"__typename":"Account","id":"b"}],"c0_1":"USD","r2":[{"__typename":"Account","id":"d"}],"c0_2":null,"r3":[],"c0_3":null}
    "#);
}

#[tokio::test]
async fn many_values_take_few_documents() {
    let users: Vec<Value> = (0..70)
        .map(|id| {
            let account = json!({ "id": format!("of {id}") });
            json!({ "id": id.to_string(), "currency": format!("C{id}"), "accounts": [account] })
        })
        .collect();
    let data = json!({ "users": users });
    let query = "{ users { accounts { balance } } }";
    let (answer, requests) = executed(&[BANK], &[bank(data, "balance")], query, json!({})).await;

    for (id, user) in answer["users"].as_array().unwrap().iter().enumerate() {
        let balance = &user["accounts"][0]["balance"];
        assert_eq!(*balance, json!(format!("of {id} in \"C{id}\"")));
    }
    let parts = requests
        .lines()
        .skip(1)
        .map(|line| line.matches(": _entities(").count());
    assert_eq!(parts.collect::<Vec<_>>(), [32, 32, 8]);
}

#[tokio::test]
async fn the_nearest_ancestor_provides_the_value_and_values_may_be_nested() {
    let sdl = r#"
        type Query { team: Team }
        interface Owner { id: ID! items: [Item!]! }
        type Team implements Owner @key(fields: "id") @context(name: "owner") {
          id: ID! home: Place! lead: User items: [Item!]!
        }
        type User implements Owner @key(fields: "id") @context(name: "owner") {
          id: ID! cities: [Place!]! items: [Item!]!
        }
        type Place { city: String! }
        type Box { item: Item }
        type Item @key(fields: "id") {
          id: ID!
          box: Box
          near(cities: [String!] @fromContext(field: "$owner ... on User { cities { city } } ... on Team { all { city } }")): String
        }
        extend type Team { all: [Place!]! }
    "#;
    let data = json!({ "team": {
        "id": "t", "all": [{ "city": "Bonn" }], "items": [{ "id": "1" }],
        "lead": {
            "id": "u", "cities": [{ "city": "Rome" }, { "city": "Oslo" }],
            "items": [{ "id": "1", "box": { "item": { "id": "2" } } }],
        },
    } });
    let query = "{ team { items { near } lead { items { near box { item { near } } } } } }";
    let (answer, requests) = executed(&[sdl], &[bank(data, "near")], query, json!({})).await;

    assert_snapshot!(answer.to_string(), @r#"{"team":{"items":[{"near":"1 in [\"Bonn\"]"}],"lead":{"items":[{"box":{"item":{"near":"2 in [\"Rome\",\"Oslo\"]"}},"near":"1 in [\"Rome\",\"Oslo\"]"}]}}}"#);
    assert_snapshot!(requests, @r#"
    query { team { items { id } lead { items { box { item { id } } id } cities { city } } all { city } } } {}
    query($c0: [String!], $r0: [_Any!]!) { _entities(representations: $r0) { ... on Item { near(cities: $c0) } } } {"r0":[{"__typename":"Item","id":"1"}],"c0":["Bonn"]}
    query($c0: [String!], $r0: [_Any!]!) { _entities(representations: $r0) { ... on Item { near(cities: $c0) } } } {"r0":[{"__typename":"Item","id":"1"}],"c0":["Rome","Oslo"]}
    query($c0: [String!], $r0: [_Any!]!) { _entities(representations: $r0) { ... on Item { near(cities: $c0) } } } {"r0":[{"__typename":"Item","id":"2"}],"c0":["Rome","Oslo"]}
    "#);
}

const SPLIT: [&str; 2] = [
    r#"
    type Query { users: [User!]! }
    type User @key(fields: "id") @context(name: "user") { id: ID! currency: String @external accounts: [Account!]! }
    type Account @key(fields: "id") {
      id: ID!
      balance(currency: String @fromContext(field: "$user { currency }")): String
    }
    "#,
    r#"
    type User @key(fields: "id") { id: ID! currency: String }
    type Account @key(fields: "id") { id: ID! balance: String @external rich: Boolean @requires(fields: "balance") }
    "#,
];

#[test]
fn the_value_may_come_from_another_subgraph_and_serve_a_requirement() {
    assert_snapshot!(plan(&SPLIT, "{ users { accounts { rich } } }"), @r"
    1. a  query
       gives users { accounts { id } id }
    2. b  _entities
       one batch over users by id
       gives currency
       after 1
    3. a  _entities
       one batch over users.accounts by id
       balance(currency:) from currency of each User at users
       gives balance
       after 1, 2
    4. b  _entities
       one batch over users.accounts by id
       told balance of each Account
       gives rich
       after 1, 3
    ");
}

/// The context is set and used in a subgraph that is queried after the value is known.
const LATER: [&str; 2] = [
    r#"
    type Query { users: [User!]! }
    type User @key(fields: "id") { id: ID! currency: String }
    "#,
    r#"
    type User @key(fields: "id") @context(name: "user") { id: ID! currency: String @external accounts: [Account!]! }
    type Account @key(fields: "id") {
      id: ID!
      balance(currency: String @fromContext(field: "$user { currency }")): String
    }
    "#,
];

#[test]
fn a_subgraph_that_is_queried_later_anyway_gets_one_request() {
    let query = "{ users { accounts { balance } } }";
    assert_snapshot!(plan(&LATER, query), @r"
    1. a  query
       gives users { currency id }
    2. b  _entities
       one batch over users by id
       balance(currency:) from currency of each User at users
       gives accounts { balance }
       after 1
    ");
    let query = "{ users { currency accounts { id balance } } }";
    assert_snapshot!(plan(&LATER, query), @r"
    1. a  query
       gives users { currency id }
    2. b  _entities
       one batch over users by id
       balance(currency:) from currency of each User at users
       gives accounts { id balance }
       after 1
    ");
}

#[tokio::test]
async fn nested_fields_get_the_value_of_the_ancestor_of_the_requested_objects() {
    let users = json!({ "users": [
        { "id": "1", "currency": "EUR" },
        { "id": "2", "currency": "USD" },
        { "id": "3", "currency": "EUR" },
    ] });
    let accounts = Scripted::new(|_, variables| {
        let part = |part: usize| {
            let representations = variables[format!("r{part}")].as_array().unwrap().iter();
            let context = &variables[format!("c0_{part}")];
            let representations = representations.map(|it| {
                let balance = format!("of {} in {context}", it["id"].as_str().unwrap());
                json!({ "accounts": [{ "balance": balance }] })
            });
            representations.collect::<Value>()
        };
        json!({ "data": { "_0": part(0), "_1": part(1) } })
    });
    let services = [bank(users, ""), accounts];
    let query = "{ users { accounts { balance } } }";
    let (answer, requests) = executed(&LATER, &services, query, json!({})).await;

    assert_snapshot!(answer.to_string(), @r#"{"users":[{"accounts":[{"balance":"of 1 in \"EUR\""}]},{"accounts":[{"balance":"of 2 in \"USD\""}]},{"accounts":[{"balance":"of 3 in \"EUR\""}]}]}"#);
    assert_snapshot!(requests, @r#"
    query { users { currency id } } {}
    query($c0_0: String, $r0: [_Any!]!, $c0_1: String, $r1: [_Any!]!) { _0: _entities(representations: $r0) { ... on User { accounts { balance(currency: $c0_0) } } } _1: _entities(representations: $r1) { ... on User { accounts { balance(currency: $c0_1) } } } } {"r0":[{"__typename":"User","id":"1"},{"__typename":"User","id":"3"}],"c0_0":"EUR","r1":[{"__typename":"User","id":"2"}],"c0_1":"USD"}
    "#);
}

#[tokio::test]
async fn a_value_that_failed_fails_the_fields_that_take_it() {
    let users = json!({ "users": [
        { "id": "1", "accounts": [{ "id": "a" }] },
        { "id": "2", "accounts": [{ "id": "b" }] },
    ] });
    let currencies = Scripted::new(|_, _| {
        json!({
            "data": { "_entities": [{ "currency": "EUR" }, null] },
            "errors": [{ "message": "no currency", "path": ["_entities", 1, "currency"] }],
        })
    });
    let services = [bank(users, "balance"), currencies];
    let query = "{ users { accounts { balance } } }";
    let (answer, _) = executed(&SPLIT, &services, query, json!({})).await;

    assert_snapshot!(answer.to_string(), @r#"{"data":{"users":[{"accounts":[{"balance":"a in \"EUR\""}]},{"accounts":[{"balance":null}]}]},"errors":["users.1.accounts.0.balance: b: answered with an error: no currency"]}"#);
}

#[tokio::test]
async fn a_value_that_its_type_does_not_allow_is_not_sent() {
    let users = json!({ "users": [
        { "id": "1", "currency": "EUR", "accounts": [{ "id": "a" }] },
        { "id": "2", "currency": [true], "accounts": [{ "id": "b" }] },
    ] });
    let query = "{ users { accounts { balance } } }";
    let (answer, requests) = executed(&[BANK], &[bank(users, "balance")], query, json!({})).await;

    assert!(!requests.contains("[true]"), "{requests}");
    let balances = json!([{ "accounts": [{ "balance": "a in \"EUR\"" }] }, { "accounts": [{ "balance": null }] }]);
    assert_eq!(answer["data"]["users"], balances, "{answer}");
    let errors = json!(["users.1.accounts.0.balance: User.currency is not String"]);
    assert_eq!(answer["errors"], errors);
}

#[tokio::test]
async fn a_value_is_sent_where_the_same_request_provides_the_type_of_its_object() {
    const OBJECTS: &str = r#"type Query { one: I }
        type I @key(fields: "id") @interfaceObject { id: ID! rate: String }"#;
    const TYPES: &str = r#"interface I @key(fields: "id") { id: ID! }
        type A implements I @key(fields: "id") @context(name: "a") { id: ID! part: P }
        type P @key(fields: "id") { id: ID! at(rate: String @fromContext(field: "$a { rate }")): String }"#;
    let import = "import: [\"@interfaceObject\",";
    let objects = format!("{}{OBJECTS}", LINK.replace("import: [", import));
    let types = format!("{LINK}{TYPES}");
    let root = Scripted::new(|_, _| json!({ "data": { "one": { "id": "1", "rate": "high" } } }));
    let parts = Scripted::new(|_, variables| {
        let part = json!({ "at": variables["c0"] });
        json!({ "data": { "_entities": [{ "__typename": "A", "part": part }] } })
    });
    let engine = engine(
        &[("a", &objects), ("b", &types)],
        &[("a", &root), ("b", &parts)],
    );

    let answer = execute(&engine, "{ one { ... on A { part { at } } } }", json!({})).await;

    assert_eq!(answer, json!({ "one": { "part": { "at": "high" } } }));
}

#[tokio::test]
async fn an_error_is_placed_at_the_objects_below_its_value() {
    let users = json!({ "users": [
        { "id": "1", "currency": "EUR", "accounts": [{ "id": "a" }] },
        { "id": "2", "currency": "USD", "accounts": [{ "id": "a" }, { "id": "b" }] },
    ] });
    let service = Scripted::new(move |_, variables| {
        if variables.get("r0").is_none() {
            return json!({ "data": users });
        }
        json!({
            "data": { "_0": [{ "balance": "1" }], "_1": [{ "balance": "2" }, null] },
            "errors": [{ "message": "frozen", "path": ["_1", 1, "balance"] }],
        })
    });
    let query = "{ users { accounts { balance } } }";
    let (answer, _) = executed(&[BANK], &[service], query, json!({})).await;

    assert_snapshot!(answer.to_string(), @r#"{"data":{"users":[{"accounts":[{"balance":"1"}]},{"accounts":[{"balance":"2"},{"balance":null}]}]},"errors":["users.1.accounts.1.balance: a: answered with an error: frozen"]}"#);
}

#[tokio::test]
async fn no_value_is_fetched_for_a_field_that_is_left_out() {
    let users = json!({ "users": [{ "id": "1", "accounts": [{ "id": "a" }] }] });
    let query = "query ($c0: Boolean!) { users { accounts { id balance @include(if: $c0) } } }";
    let services = [
        bank(users, "balance"),
        Scripted::new(|_, _| json!({ "data": { "_entities": [{ "currency": "EUR" }] } })),
    ];
    let variables = json!({ "c0": false });
    let (answer, requests) = executed(&SPLIT, &services, query, variables).await;

    assert_snapshot!(answer.to_string(), @r#"{"users":[{"accounts":[{"id":"a"}]}]}"#);
    assert_snapshot!(requests, @r#"query($_w0: Boolean!) { users { accounts { id } id @include(if: $_w0) } } {"_w0":false}"#);
}

#[test]
fn circular_contexts_have_no_plan_and_planning_ends() {
    let sdl = r#"
        type Query { node: Node }
        type Node @key(fields: "id") @context(name: "node") { id: ID! next: Node leaf: Leaf }
        type Leaf @key(fields: "id") {
          id: ID!
          path(above: String @fromContext(field: "$node { next { leaf { path } } }")): String
        }
    "#;
    let sdls = linked(&[sdl]);
    let subgraphs: Vec<_> = sdls.iter().map(|(name, it)| (*name, &**it)).collect();
    let engine = Engine::new(support::graph(&subgraphs), support::settings()).unwrap();

    let rejected = engine
        .plan_text("{ node { leaf { path } } }", None)
        .unwrap_err();

    assert_eq!(
        rejected[0].message,
        "no source can provide `Leaf.path` at this position"
    );
}

#[test]
fn clients_do_not_see_the_argument() {
    let sdls = linked(&[BANK]);
    let subgraphs: Vec<_> = sdls.iter().map(|(name, it)| (*name, &**it)).collect();
    let sdl = support::graph(&subgraphs).client_sdl();

    assert!(sdl.contains("  balance: String\n"), "{sdl}");
    assert!(!sdl.to_lowercase().contains("context"), "{sdl}");
}
