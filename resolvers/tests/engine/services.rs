//! Responses of subgraphs: values, types, errors, nonsense.

use insta::assert_snapshot;
use serde_json::{Value, json};

use crate::federation::{Scripted, engine, engine_with};
use crate::support::execute;

const USERS: &str = r#"
    extend schema @link(url: "https://specs.apollo.dev/federation/v2.3", import: ["@key"])
    type Query { users: [User] me: User pets: [Pet] tags: [[String]] }
    type User @key(fields: "id") { id: ID!, name: String }
    union Pet = Cat | Dog
    type Cat { lives: Int }
    type Dog { barks: Boolean! }
"#;

const REVIEWS: &str = r#"
    extend schema @link(url: "https://specs.apollo.dev/federation/v2.3", import: ["@key"])
    type User @key(fields: "id") { id: ID!, reviews: [Review], karma: Int }
    type Review { body: String, stars: Int! }
"#;

/// The result of a query over `users` alone, whose response is `answer`.
async fn users(query: &str, answer: Value) -> String {
    let users = Scripted::new(move |_, _| answer.clone());
    let engine = engine(&[("users", USERS)], &[("users", &users)]);
    text(&execute(&engine, query, json!({})).await)
}

/// The result of `{ users { name <selection> } }` with two users, and `answer` of the reviews.
async fn reviews(selection: &str, answer: Value) -> String {
    let users = Scripted::new(
        |_, _| json!({ "data": { "users": [{ "id": "1", "name": "A" }, { "id": "2", "name": "B" }, { "id": "1", "name": "A" }] } }),
    );
    let reviews = Scripted::new(move |_, _| answer.clone());
    let engine = engine(
        &[("users", USERS), ("reviews", REVIEWS)],
        &[("users", &users), ("reviews", &reviews)],
    );
    let query = format!("{{ users {{ name {selection} }} }}");
    text(&execute(&engine, &query, json!({})).await)
}

/// Data on the first line, then one line for each error.
fn text(answer: &Value) -> String {
    let Some(errors) = answer.get("errors").and_then(Value::as_array) else {
        return answer.to_string();
    };
    let errors = errors
        .iter()
        .map(|error| format!("\n{}", error.as_str().unwrap()));
    answer["data"].to_string() + &errors.collect::<String>()
}

#[tokio::test]
async fn objects_of_several_types_are_read_by_their_typename() {
    let pets = json!([
        { "__typename": "Cat", "lives": 9 },
        null,
        { "__typename": "Dog", "barks": false },
        { "lives": 7, "__typename": "Cat" },
    ]);
    let query = "{ pets { __typename ... on Cat { lives } ... on Dog { barks } } }";

    assert_snapshot!(users(query, json!({ "data": { "pets": pets } })).await, @r#"{"pets":[{"__typename":"Cat","lives":9},null,{"__typename":"Dog","barks":false},{"__typename":"Cat","lives":7}]}"#);
}

#[tokio::test]
async fn an_object_of_an_unknown_type_is_null_with_an_error() {
    let pets =
        json!([{ "__typename": "Fish" }, { "lives": 1 }, { "__typename": "Cat", "lives": 1 }]);
    let query = "{ pets { ... on Cat { lives } } }";

    assert_snapshot!(users(query, json!({ "data": { "pets": pets } })).await, @r#"
    {"pets":[null,null,{"lives":1}]}
    pets.0: users: answered with an object of type `Fish`, which the graph does not have there
    pets.1: users: answered with an object of type `Fish`, which the graph does not have there
    "#);
}

#[tokio::test]
async fn values_of_the_wrong_form_are_null_with_an_error() {
    let query = "{ users { id name } me { name } tags }";
    let odd = json!({ "data": {
        "users": { "id": "1" },
        "me": [{ "name": "A" }],
        "tags": [["a", 5, null], null, "b"],
    } });

    assert_snapshot!(users(query, odd).await, @r#"
    {"me":null,"tags":[["a",null,null],null,null],"users":null}
    users: Query.users is not [User]
    me: Query.me is not User
    tags.0.1: Query.tags is not String
    tags.2: Query.tags is not [String]
    "#);
}

#[tokio::test]
async fn an_error_of_a_subgraph_has_the_clients_path() {
    let answer = json!({
        "data": { "users": [{ "name": "A" }, { "name": null }, null], "me": null },
        "errors": [
            { "message": "no name", "path": ["users", 1, "name"] },
            { "message": "no user", "path": ["users", 2], "extensions": { "code": "GONE" } },
            { "message": "not you", "path": ["me", "name"] },
        ],
    });
    let query = "{ everybody: users { called: name } me { name } }";

    assert_snapshot!(users(query, answer).await, @r#"
    {"everybody":[{"called":"A"},{"called":null},null],"me":null}
    everybody.1.called: users: answered with an error: no name
    everybody.2: users: answered with an error: no user
    me.name: users: answered with an error: not you
    "#);
}

#[tokio::test]
async fn an_error_at_no_selected_field_is_reported_once_without_a_path() {
    let answer = json!({
        "data": { "me": { "name": "A" } },
        "errors": [
            { "message": "no path" },
            { "message": "not asked for", "path": ["them", 0] },
            { "message": "the value is there", "path": ["me", "name"] },
            { "message": "through a leaf", "path": ["me", "name", 3] },
            { "path": [] },
            5,
        ],
    });

    assert_snapshot!(users("{ me { name } }", answer).await, @r#"
    {"me":{"name":"A"}}
    : users: answered with an error: no path
    : users: answered with an error: not asked for
    : users: answered with an error: the value is there
    : users: answered with an error: through a leaf
    : users: answered with an error: the subgraph returned an error without a message
    : users: answered with an error: the subgraph returned an error without a message
    "#);
}

#[tokio::test]
async fn a_request_without_data_fails_all_its_fields() {
    let errors = json!([{ "message": "first", "path": ["me"] }, { "message": "second" }]);
    let query = "{ me { name } users { name } }";

    let null = users(query, json!({ "data": null, "errors": errors })).await;
    let none = users(query, json!({ "errors": errors })).await;

    assert_eq!(null, none);
    assert_snapshot!(null, @r#"
    {"me":null,"users":null}
    me: users: answered with an error: first
    users: users: answered with an error: first
    : users: answered with an error: second
    "#);
    let refused = json!({ "errors": [{ "message": "not allowed" }] });
    assert_snapshot!(reviews("karma", refused).await, @r#"
    {"users":[{"karma":null,"name":"A"},{"karma":null,"name":"B"},{"karma":null,"name":"A"}]}
    users.0.karma: reviews: answered with an error: not allowed
    users.1.karma: reviews: answered with an error: not allowed
    users.2.karma: reviews: answered with an error: not allowed
    "#);
}

#[tokio::test]
async fn errors_of_an_entity_are_reported_for_every_object_that_is_that_entity() {
    let answer = json!({
        "data": { "_entities": [
            { "reviews": [{ "body": null, "stars": 1 }, { "body": "ok", "stars": 2 }], "karma": 3 },
            { "reviews": null, "karma": null },
        ] },
        "errors": [
            { "message": "lost", "path": ["_entities", 0, "reviews", 0, "body"] },
            { "message": "no stars", "path": ["_entities", 1, "reviews", 4, "stars"] },
        ],
    });

    assert_snapshot!(reviews("all: reviews { body stars } karma", answer).await, @r#"
    {"users":[{"all":[{"body":null,"stars":1},{"body":"ok","stars":2}],"karma":3,"name":"A"},{"all":null,"karma":null,"name":"B"},{"all":[{"body":null,"stars":1},{"body":"ok","stars":2}],"karma":3,"name":"A"}]}
    users.0.all.0.body: reviews: answered with an error: lost
    users.1.all.4.stars: reviews: answered with an error: no stars
    users.2.all.0.body: reviews: answered with an error: lost
    "#);
}

#[tokio::test]
async fn a_missing_entity_has_null_fields() {
    let quiet = json!({ "data": { "_entities": [null, { "karma": 1 }] } });
    assert_snapshot!(reviews("karma reviews { body }", quiet).await, @r#"{"users":[{"karma":null,"name":"A","reviews":null},{"karma":1,"name":"B","reviews":null},{"karma":null,"name":"A","reviews":null}]}"#);

    let loud = json!({
        "data": { "_entities": [null, { "karma": 1 }] },
        "errors": [{ "message": "no such user", "path": ["_entities", 0] }],
    });
    assert_snapshot!(reviews("karma", loud).await, @r#"
    {"users":[{"karma":null,"name":"A"},{"karma":1,"name":"B"},{"karma":null,"name":"A"}]}
    users.0.karma: reviews: answered with an error: no such user
    users.2.karma: reviews: answered with an error: no such user
    "#);
}

#[tokio::test]
async fn entities_missing_from_the_response_fail() {
    let short = json!({ "data": { "_entities": [{ "karma": 1 }] } });
    assert_snapshot!(reviews("karma", short).await, @r#"
    {"users":[{"karma":1,"name":"A"},{"karma":null,"name":"B"},{"karma":1,"name":"A"}]}
    users.1.karma: reviews: answered with JSON that is not a GraphQL response: fewer entities than were asked for
    "#);

    let long = json!({ "data": { "_entities": [{ "karma": 1 }, 5, { "karma": 3 }] } });
    assert_snapshot!(reviews("karma", long).await, @r#"
    {"users":[{"karma":1,"name":"A"},{"karma":null,"name":"B"},{"karma":1,"name":"A"}]}
    users.1.karma: reviews: answered with JSON that is not a GraphQL response: an entity is not an object
    "#);

    let none = json!({ "data": { "_entities": null }, "errors": [{ "message": "down", "path": ["_entities"] }] });
    assert_snapshot!(reviews("karma", none).await, @r#"
    {"users":[{"karma":null,"name":"A"},{"karma":null,"name":"B"},{"karma":null,"name":"A"}]}
    users.0.karma: reviews: answered with an error: down
    users.1.karma: reviews: answered with an error: down
    users.2.karma: reviews: answered with an error: down
    "#);

    let nothing = json!({ "data": {} });
    assert_snapshot!(reviews("karma", nothing).await, @r#"
    {"users":[{"karma":null,"name":"A"},{"karma":null,"name":"B"},{"karma":null,"name":"A"}]}
    users.0.karma: reviews: answered with JSON that is not a GraphQL response: `_entities` is not a list
    users.1.karma: reviews: answered with JSON that is not a GraphQL response: `_entities` is not a list
    users.2.karma: reviews: answered with JSON that is not a GraphQL response: `_entities` is not a list
    "#);
}

#[tokio::test]
async fn json_that_is_no_graphql_response_is_a_failure() {
    for answer in [
        json!([]),
        json!({}),
        json!({ "data": 5 }),
        json!({ "errors": [] }),
        json!({ "data": null }),
    ] {
        let text = users("{ me { name } }", answer.clone()).await;
        assert!(
            text.starts_with(
                "{\"me\":null}\nme: users: answered with JSON that is not a GraphQL response"
            ),
            "{answer}: {text}"
        );
    }
}

#[tokio::test]
async fn errors_over_the_limit_are_counted() {
    let errors: Vec<Value> = (0..50)
        .map(|n| json!({ "message": format!("e{n}") }))
        .collect();
    let users = Scripted::new(move |_, _| json!({ "data": { "me": null }, "errors": errors }));
    let engine = engine_with(&[("users", USERS)], &[("users", &users)], |settings| {
        settings.limits.errors = 3;
    });

    let answer = execute(&engine, "{ me { name } }", json!({})).await;

    assert_snapshot!(text(&answer), @r#"
    {"me":null}
    : users: answered with an error: e0
    : users: answered with an error: e1
    : users: answered with an error: e2
    : 47 more
    "#);
}

#[tokio::test]
async fn entities_without_a_key_fail_with_the_error_of_the_key() {
    let users = Scripted::new(|_, _| {
        json!({
            "data": { "users": [{ "id": null, "name": "A" }, { "id": "2", "name": "B" }] },
            "errors": [{ "message": "no id", "path": ["users", 0, "id"] }],
        })
    });
    let reviews = Scripted::new(|_, _| json!({ "data": { "_entities": [{ "karma": 2 }] } }));
    let engine = engine(
        &[("users", USERS), ("reviews", REVIEWS)],
        &[("users", &users), ("reviews", &reviews)],
    );

    let answer = execute(&engine, "{ users { name karma } }", json!({})).await;

    assert_snapshot!(text(&answer), @r#"
    {"users":[{"karma":null,"name":"A"},{"karma":2,"name":"B"}]}
    users.0.karma: users: answered with an error: no id
    "#);
}

#[tokio::test]
async fn hostile_responses_never_panic() {
    for text in [
        r#"{"data":{"_entities":[{"karma":{"a":1},"reviews":{"body":[]}},{"reviews":[[{"stars":[]}],5]}]}}"#,
        r#"{"data":{"_entities":{"0":1}},"errors":[{"path":[0,"_entities"]},{"path":["_entities",99999999999]},{"path":["_entities",-1]},{"path":{}}]}"#,
        r#"{"data":{"_entities":[[],[]]},"errors":{"message":1}}"#,
        r#"{"data":{"_entities":[{"reviews":[null,{}],"karma":null}]},"errors":[{"message":"x","path":["_entities",0,"reviews",0]},{"message":"x","path":["_entities",0,"reviews",18446744073709551616]}]}"#,
    ] {
        let answer: Value = serde_json::from_str(text).unwrap();
        let text = reviews("karma reviews { body stars }", answer).await;
        assert!(text.starts_with("{\"users\":"), "{text}");
    }
}

#[tokio::test]
async fn an_error_at_an_alias_has_the_path_of_the_clients_field() {
    let sdl = "type Query { p: [P] } type P { name(upper: Boolean): String }";
    let p = Scripted::new(|_, _| {
        json!({
            "data": { "p": [{ "name": "a", "_a0_name": null }] },
            "errors": [{ "message": "cannot shout", "path": ["p", 0, "_a0_name"] }],
        })
    });
    let engine = engine(&[("p", sdl)], &[("p", &p)]);

    let answer = execute(&engine, "{ p { name loud: name(upper: true) } }", json!({})).await;

    assert_snapshot!(text(&answer), @r#"
    {"p":[{"loud":null,"name":"a"}]}
    p.0.loud: p: answered with an error: cannot shout
    "#);
}

const MEDIA: &str = r#"
    extend schema @link(url: "https://specs.apollo.dev/federation/v2.3", import: ["@key"])
    interface Media @key(fields: "id") { id: ID!, title: String }
    type Book implements Media @key(fields: "id") { id: ID!, title: String, pages: Int }
    type Film implements Media @key(fields: "id") { id: ID!, title: String, minutes: Int }
"#;

const RATINGS: &str = r#"
    extend schema @link(url: "https://specs.apollo.dev/federation/v2.3", import: ["@key", "@interfaceObject"])
    type Query { top: [Media] }
    type Media @key(fields: "id") @interfaceObject { id: ID!, rating: Int }
"#;

/// The requests and the result of a query; one subgraph knows the types of media, the other
/// ratings.
async fn media(query: &str, answer: Value) -> (String, String) {
    let ratings = Scripted::new(
        |_, _| json!({ "data": { "top": [{ "id": "1", "rating": 5 }, { "id": "2", "rating": 4 }] } }),
    );
    let media = Scripted::new(move |_, _| answer.clone());
    let engine = engine(
        &[("media", MEDIA), ("ratings", RATINGS)],
        &[("media", &media), ("ratings", &ratings)],
    );
    let answer = execute(&engine, query, json!({})).await;
    let requests = [ratings.requests(), media.requests()].concat().join("\n");
    (requests, text(&answer))
}

#[tokio::test]
async fn the_types_of_an_interface_object_come_from_another_subgraph() {
    let answer = json!({ "data": { "_entities": [
        { "__typename": "Book", "title": "B", "pages": 100 },
        { "__typename": "Film", "title": "F", "minutes": 90 },
    ] } });
    let query = "{ top { __typename rating title ... on Book { pages } ... on Film { minutes } } }";

    let (requests, answer) = media(query, answer).await;

    assert_snapshot!(requests, @r#"
    query { top { rating id } } {}
    query($r0: [_Any!]!) { _entities(representations: $r0) { ... on Media { __typename title ... on Book { pages } ... on Film { minutes } } } } {"r0":[{"__typename":"Media","id":"1"},{"__typename":"Media","id":"2"}]}
    "#);
    assert_snapshot!(answer, @r#"{"top":[{"__typename":"Book","pages":100,"rating":5,"title":"B"},{"__typename":"Film","minutes":90,"rating":4,"title":"F"}]}"#);
}

#[tokio::test]
async fn types_are_not_fetched_if_they_are_not_needed() {
    let (requests, answer) = media("{ top { id rating } }", Value::Null).await;

    assert_snapshot!(requests, @"query { top { id rating } } {}");
    assert_snapshot!(answer, @r#"{"top":[{"id":"1","rating":5},{"id":"2","rating":4}]}"#);
}

#[tokio::test]
async fn objects_of_unknown_type_are_null() {
    let query = "{ top { __typename rating } }";
    let gone = json!({ "data": null, "errors": [{ "message": "down" }] });
    let odd = json!({ "data": { "_entities": [{ "__typename": "Song" }, null] } });

    let (_, failed) = media(query, gone).await;
    let (_, unknown) = media(query, odd).await;

    assert_snapshot!(failed, @r#"
    {"top":[null,null]}
    top.0: media: answered with an error: down
    top.1: media: answered with an error: down
    "#);
    assert_snapshot!(unknown, @r#"
    {"top":[null,null]}
    top.0: media: answered with an object of type `Song`, which the graph does not have there
    top.1: Query.top is not Media
    "#);
}

#[tokio::test]
async fn an_entity_of_unknown_type_with_an_error_has_it_at_its_fields() {
    let error = json!({ "message": "lost", "path": ["_entities", 1] });
    let found = json!({ "__typename": "Book", "title": "B" });
    let answer = json!({ "data": { "_entities": [found, null] }, "errors": [error] });

    let (_, answer) = media("{ top { rating title } }", answer).await;

    assert_snapshot!(answer, @r#"
    {"top":[{"rating":5,"title":"B"},{"rating":4,"title":null}]}
    top.1.title: media: answered with an error: lost
    "#);
}
