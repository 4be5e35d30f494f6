//! Clients that ask at one moment share calls, and what is kept is not asked for.

use std::time::Duration;

use futures_util::future::join_all;
use mocks::{Fault, Shop};
use serde_json::{Value, json};

use crate::client::{Answer, Connection};
use crate::people::{Call, People, person};
use crate::server::Server;
use crate::support::until;
use crate::weir::{Setup, Subgraph, Weir, data, post};

/// As long as a service may take for an answer.
const A_CALL: Duration = Duration::from_millis(50);

/// What each of the clients is answered that ask at one moment: each for one thing, for somebody.
async fn ask_at_once(weir: &Weir, query: &str, asked: &[(u32, &'static str)]) -> Vec<Answer> {
    let connections = asked.iter().map(|_| Connection::open(weir.address));
    let connections = join_all(connections).await;
    let clients = connections.into_iter().zip(asked);
    join_all(clients.map(async |(mut connection, (id, caller))| {
        let body = json!({ "query": query, "variables": { "id": id } });
        let headers = [("authorization", *caller)];
        let headers = if caller.is_empty() { &[][..] } else { &headers };
        post(&mut connection, &body, headers).await;
        connection.answer().await.expect("an answer")
    }))
    .await
}

#[tokio::test]
async fn two_hundred_clients_that_ask_for_a_user_each_take_ten_calls_at_most() {
    let shop = Shop::start().await.unwrap();
    shop.users.fault(Some(Fault::Delay(A_CALL)));
    let users = Subgraph {
        name: "users",
        sdl: include_str!("../../../schema/commerce/users.graphql").to_owned(),
        source: "users",
        url: shop.users.url().to_owned(),
    };
    let weir = Weir::start(&Setup::of(users, "{}")).await;
    let asked: Vec<_> = (1..=200).map(|id| (id, "")).collect();

    let query = "query($id: ID!) { user(id: $id) { id name } }";
    let answers = ask_at_once(&weir, query, &asked).await;

    for ((id, _), answer) in asked.iter().zip(&answers) {
        assert_eq!(data(answer)["user"]["id"], id.to_string());
    }
    let calls = shop.users.calls();
    eprintln!("200 clients, a user each: {calls} calls");
    assert!(calls <= 10, "{calls} calls");
}

/// One call or ten, but each for one of the callers, and for nothing twice.
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
async fn clients_with_other_credentials_share_neither_calls_nor_what_is_kept() {
    let Some(server) = Server::start().await else {
        return;
    };
    let people = People::start("private, max-age=3600", A_CALL).await;
    let cache = format!(
        "{{ redis: {{ url: '{}', timeout: 1s }} }}",
        server.address()
    );
    let setup = Setup::of(people.subgraph(), &cache);
    let (one, two) = tokio::join!(Weir::connected(&setup), Weir::connected(&setup));
    let callers = ["Bearer ada", "Bearer bob"];
    let asked: Vec<_> = (0..200)
        .map(|client| (client / 2 + 1, callers[client as usize % 2]))
        .collect();
    let query = "query($id: ID!) { person(id: $id) { id name } }";
    let check = async |weir: &Weir| {
        for ((id, caller), answer) in asked.iter().zip(ask_at_once(weir, query, &asked).await) {
            assert_eq!(data(&answer)["person"], person(*id, caller));
            let says = answer.header("cache-control").unwrap();
            assert!(says.contains("private"), "{says}");
        }
    };

    check(&one).await;
    let calls = people.calls();
    eprintln!("200 clients of two callers: {} calls", calls.len());
    check_calls(&calls, callers);

    // All of it is there now, for who it was fetched for; also through the other gateway.
    until(|| async { server.ask::<Vec<String>>(&["KEYS", "*:v"]).await.len() == 200 }).await;
    check(&one).await;
    check(&two).await;
    assert_eq!(people.calls().len(), 0);
    // A third has nothing of that.
    let answer = two.post(
        "{ person(id: 7) { id name } }",
        &[("authorization", "Bearer eve")],
    );
    assert_eq!(data(&answer.await)["person"], person(7, "Bearer eve"));
    assert_eq!(people.calls().len(), 1);
}

#[tokio::test]
async fn of_fifty_entities_of_which_forty_are_kept_ten_are_asked_for_in_one_call() {
    let Some(server) = Server::start().await else {
        return;
    };
    let people = People::start("max-age=3600", Duration::ZERO).await;
    let cache = format!(
        "{{ redis: {{ url: '{}', timeout: 1s }} }}",
        server.address()
    );
    let setup = Setup::of(people.subgraph(), &cache);
    let (one, two) = tokio::join!(Weir::connected(&setup), Weir::connected(&setup));
    let all = |count: u32| -> Vec<Value> { (1..=count).map(|id| person(id, "")).collect() };

    let forty = one.data("{ people(first: 40) { id name } }").await;
    assert_eq!(forty["people"], json!(all(40)));
    assert_eq!(people.calls().len(), 1);
    until(|| async { server.ask::<Vec<String>>(&["KEYS", "*:v"]).await.len() == 40 }).await;

    // Forty are in the memory of the one, and in Redis for the other.
    for weir in [&one, &two] {
        let fifty = weir.data("{ people(first: 50) { id name } }").await;
        assert_eq!(fifty["people"], json!(all(50)));
        let calls = people.calls();
        let ids: Vec<_> = calls.iter().map(|call| call.ids.clone()).collect();
        assert_eq!(ids, [(41..=50).collect::<Vec<_>>()]);
        let body = json!((41..=50).map(tenth).collect::<Vec<_>>());
        assert_eq!(weir.invalidate(&body).await.status, 202);
    }
}

fn tenth(id: u32) -> Value {
    json!({ "kind": "entity", "type": "Person", "key": { "id": id } })
}
