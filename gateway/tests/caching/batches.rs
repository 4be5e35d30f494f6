//! Concurrent clients share calls, and cached values take none.

use std::time::Duration;

use futures_util::future::join_all;
use mocks::{Fault, Shop};
use serde_json::{Value, json};

use crate::client::{Answer, Connection};
use crate::people::{Call, People, person};
use crate::server::Server;
use crate::support::until;
use crate::weir::{Setup, Subgraph, Weir, data, post};

/// Delay of the service's responses.
const CALL_DELAY: Duration = Duration::from_millis(50);

/// The answers to concurrent clients, each of which sends one id and the credentials of a caller.
async fn execute_at_once(weir: &Weir, query: &str, clients: &[(u32, &'static str)]) -> Vec<Answer> {
    let connections = clients.iter().map(|_| Connection::open(weir.address));
    let connections = join_all(connections).await;
    let clients = connections.into_iter().zip(clients);
    join_all(clients.map(async |(mut connection, (id, caller))| {
        let body = json!({ "query": query, "variables": { "id": id } });
        let headers = [("authorization", *caller)];
        let headers = if caller.is_empty() { &[][..] } else { &headers };
        post(&mut connection, &body, headers).await;
        connection.answer().await.expect("a response")
    }))
    .await
}

#[tokio::test]
async fn two_hundred_clients_with_a_user_each_take_ten_calls_at_most() {
    let shop = Shop::start().await.unwrap();
    shop.users.fault(Some(Fault::Delay(CALL_DELAY)));
    let users = Subgraph {
        name: "users",
        sdl: include_str!("../../../schema/commerce/users.graphql").to_owned(),
        source: "users",
        url: shop.users.url().to_owned(),
    };
    let weir = Weir::start(&Setup::new(users, "{}")).await;
    let clients: Vec<_> = (1..=200).map(|id| (id, "")).collect();

    let query = "query($id: ID!) { user(id: $id) { id name } }";
    let answers = execute_at_once(&weir, query, &clients).await;

    for ((id, _), answer) in clients.iter().zip(&answers) {
        assert_eq!(data(answer)["user"]["id"], id.to_string());
    }
    let calls = shop.users.calls();
    eprintln!("200 clients with a user each: {calls} calls");
    assert!(calls <= 10, "{calls} calls");
}

/// Checks that each call is of one caller, at most ten of each, and that no id is fetched twice.
fn check_calls(calls: &[Call], callers: [&str; 2]) {
    for caller in callers {
        let own = calls.iter().filter(|call| call.caller == caller);
        let own: Vec<&Call> = own.collect();
        let mut ids: Vec<u32> = own.iter().flat_map(|call| call.ids.clone()).collect();
        ids.sort_unstable();
        assert_eq!(ids, (1..=100).collect::<Vec<_>>(), "{caller}");
        assert!(own.len() <= 10, "{} calls for {caller}", own.len());
    }
    assert!(calls.iter().all(|call| callers.contains(&&*call.caller)));
}

#[tokio::test]
async fn clients_with_different_credentials_share_neither_calls_nor_cached_values() {
    let Some(server) = Server::start().await else {
        return;
    };
    let people = People::start("private, max-age=3600", CALL_DELAY).await;
    let cache = format!(
        "{{ redis: {{ url: '{}', timeout: 1s }} }}",
        server.address()
    );
    let setup = Setup::new(people.subgraph(), &cache);
    let (one, two) = tokio::join!(Weir::connected(&setup), Weir::connected(&setup));
    let callers = ["Bearer ada", "Bearer bob"];
    let clients: Vec<_> = (0..200)
        .map(|client| (client / 2 + 1, callers[client as usize % 2]))
        .collect();
    let query = "query($id: ID!) { person(id: $id) { id name } }";
    let check = async |weir: &Weir| {
        for ((id, caller), answer) in clients
            .iter()
            .zip(execute_at_once(weir, query, &clients).await)
        {
            assert_eq!(data(&answer)["person"], person(*id, caller));
            let cache_control = answer.header("cache-control").unwrap();
            assert!(cache_control.contains("private"), "{cache_control}");
        }
    };

    check(&one).await;
    let calls = people.calls();
    eprintln!("200 clients of two callers: {} calls", calls.len());
    check_calls(&calls, callers);

    // All values are cached now for their callers, also in the other gateway.
    until(|| async { server.command::<Vec<String>>(&["KEYS", "*:v"]).await.len() == 200 }).await;
    check(&one).await;
    check(&two).await;
    assert_eq!(people.calls().len(), 0);
    // A third caller has no cached value.
    let answer = two.post(
        "{ person(id: 7) { id name } }",
        &[("authorization", "Bearer eve")],
    );
    assert_eq!(data(&answer.await)["person"], person(7, "Bearer eve"));
    assert_eq!(people.calls().len(), 1);
}

#[tokio::test]
async fn ten_uncached_entities_of_fifty_are_fetched_in_one_call() {
    let Some(server) = Server::start().await else {
        return;
    };
    let people = People::start("max-age=3600", Duration::ZERO).await;
    let cache = format!(
        "{{ redis: {{ url: '{}', timeout: 1s }} }}",
        server.address()
    );
    let setup = Setup::new(people.subgraph(), &cache);
    let (one, two) = tokio::join!(Weir::connected(&setup), Weir::connected(&setup));
    let all = |count: u32| -> Vec<Value> { (1..=count).map(|id| person(id, "")).collect() };

    let forty = one.data("{ people(first: 40) { id name } }").await;
    assert_eq!(forty["people"], json!(all(40)));
    assert_eq!(people.calls().len(), 1);
    until(|| async { server.command::<Vec<String>>(&["KEYS", "*:v"]).await.len() == 40 }).await;

    // Forty entities are in the memory of the first gateway, and in Redis for the other.
    for weir in [&one, &two] {
        let fifty = weir.data("{ people(first: 50) { id name } }").await;
        assert_eq!(fifty["people"], json!(all(50)));
        let calls = people.calls();
        let ids: Vec<_> = calls.iter().map(|call| call.ids.clone()).collect();
        assert_eq!(ids, [(41..=50).collect::<Vec<_>>()]);
        let body = json!((41..=50).map(invalidation).collect::<Vec<_>>());
        assert_eq!(weir.invalidate(&body).await.status, 202);
    }
}

fn invalidation(id: u32) -> Value {
    json!({ "kind": "entity", "type": "Person", "key": { "id": id } })
}
