//! Batching across operations: the calls of concurrent clients, and what is never shared.

use std::sync::Arc;
use std::time::Duration;

use axum::http::header;
use futures_util::future::join_all;
use http::{HeaderMap, HeaderValue};
use mocks::Fault;
use resolvers::Engine;
use resolvers::settings::{Batching, SubgraphSettings};
use serde_json::{Value, json};

use crate::loader_service::{execute_things, gated, graphql, names, start, thing};
use crate::support::{Running, execute, execute_with, graph, settings};

#[tokio::test]
async fn clients_with_different_keys_share_few_calls() {
    let running = Running::start().await;
    let users = |id: usize| {
        let engine = &running.engine;
        async move {
            let query = "query($id: ID!) { user(id: $id) { id name } }";
            execute(engine, query, json!({ "id": id.to_string() })).await
        }
    };

    let answers = join_all((1..=200).map(users)).await;

    for (index, answer) in answers.iter().enumerate() {
        assert_eq!(answer["user"]["id"], json!((index + 1).to_string()));
        assert!(answer["user"]["name"].is_string(), "{answer}");
    }
    assert!(running.shop.users.calls() <= 10, "{:?}", running.calls());
}

#[tokio::test]
async fn clients_that_arrive_one_by_one_share_calls() {
    let running = Arc::new(Running::start().await);
    let pause = Duration::from_millis(50);
    running.shop.users.fault(Some(Fault::Delay(pause)));
    let mut clients = tokio::task::JoinSet::new();
    let began = tokio::time::Instant::now();
    for id in 1..=200 {
        let running = Arc::clone(&running);
        clients.spawn(async move {
            let query = format!("{{ user(id: {id}) {{ id }} }}");
            assert_eq!(
                running.execute(&query).await["user"]["id"],
                json!(id.to_string())
            );
        });
        tokio::task::yield_now().await;
    }

    while let Some(client) = clients.join_next().await {
        client.unwrap();
    }

    // One call at a time, each as long as the pause: a slow machine has more rounds.
    let rounds = began.elapsed().as_millis() / pause.as_millis();
    let calls = running.shop.users.calls();
    assert!(
        u128::from(calls) <= rounds + 3 && calls < 100,
        "{calls} calls in {rounds} rounds"
    );
}

#[tokio::test]
async fn calls_are_not_shared_if_batching_is_within_the_operation() {
    let running = Running::with(|settings| settings.batching = Batching::WithinOperation).await;

    let queries = [
        "{ user(id: 1) { id } }",
        "{ user(id: 2) { id } }",
        "{ user(id: 1) { id } }",
    ];
    join_all(queries.map(|query| running.execute(query))).await;

    assert_eq!(running.calls(), [3, 0, 0]);
}

#[tokio::test]
async fn one_operation_fetches_all_its_users_in_one_call() {
    let running = Running::start().await;

    let answer = running
        .execute("{ a: user(id: 60) { name } b: user(id: 60) { email } c: user(id: 61) { name } }")
        .await;

    assert!(answer["a"]["name"].is_string(), "{answer}");
    assert!(answer["b"]["email"].is_string(), "{answer}");
    assert!(answer["c"]["name"].is_string(), "{answer}");
    assert_eq!(running.calls(), [1, 0, 0]);
}

#[tokio::test]
async fn a_missing_entity_is_null_for_its_client_alone() {
    let running = Running::start().await;

    let answers = join_all(
        [
            "{ user(id: 1) { id } }",
            "{ user(id: 999999) { id } }",
            "{ user(id: 2) { id } }",
        ]
        .map(|query| running.execute(query)),
    )
    .await;

    assert_eq!(
        answers,
        [
            json!({ "user": { "id": "1" } }),
            json!({ "user": null }),
            json!({ "user": { "id": "2" } })
        ]
    );
}

#[tokio::test]
async fn an_invalid_key_fails_its_client_alone() {
    let running = Running::start().await;

    let answers = join_all(
        [
            "{ user(id: 1) { id } }",
            "{ user(id: \"no such\") { id } }",
            "{ user(id: 2) { id } }",
        ]
        .map(|query| running.execute(query)),
    )
    .await;

    assert_eq!(answers[0], json!({ "user": { "id": "1" } }));
    assert_eq!(answers[2], json!({ "user": { "id": "2" } }));
}

#[tokio::test]
async fn keys_that_arrive_while_a_call_is_in_flight_share_a_batch() {
    let (engine, gated) = gated(|_| ()).await;
    let first = start(&engine, &[1], None);
    gated.wait_for(1).await;

    // Two of the batches share a key, and 1 is in flight already.
    let others = [&[1, 2][..], &[2, 3], &[4]].map(|of| start(&engine, of, None));
    // No call ends, so a batch is sent when its wait is over.
    gated.wait_for(2).await;
    gated.open();

    assert_eq!(first.await.unwrap(), names(&[1]));
    let answers = join_all(others).await;
    let answers: Vec<Value> = answers.into_iter().map(Result::unwrap).collect();
    assert_eq!(answers, [names(&[1, 2]), names(&[2, 3]), names(&[4])]);
    let requests = gated.requests();
    // Each key once, and several in one call.
    let mut keys: Vec<&str> = requests
        .iter()
        .flat_map(|it| it.split(['=', ',']).skip(1))
        .collect();
    keys.sort_unstable();
    assert_eq!(keys, ["1", "2", "3", "4"], "{requests:?}");
    assert!(requests.len() < 4, "{requests:?}");
}

#[tokio::test]
async fn a_gathering_batch_is_sent_when_the_call_before_it_ends() {
    let (engine, gated) = gated(|_| ()).await;
    gated.open();

    let answers = execute_things(&engine, &[1, 2, 3, 2, 1]).await;

    assert_eq!(answers, [1, 2, 3, 2, 1].map(thing));
    assert_eq!(
        gated.requests(),
        ["GET /thing?id=1", "GET /things?id=2,3,1"]
    );
}

#[tokio::test]
async fn a_full_batch_is_sent_at_once() {
    let (engine, gated) = gated(|settings| {
        // Keys would gather for half a second otherwise.
        settings.source_timeout = Duration::from_secs(5);
    })
    .await;
    let first = start(&engine, &[1], None);
    gated.wait_for(1).await;

    let second = start(&engine, &[11, 12, 14, 15, 16], None);
    gated.wait_for(3).await;
    gated.open();

    assert_eq!(first.await.unwrap(), names(&[1]));
    assert_eq!(second.await.unwrap(), names(&[11, 12, 14, 15, 16]));
    assert_eq!(
        gated.requests(),
        [
            "GET /things?id=1",
            "GET /things?id=11,12,14,15",
            "GET /things?id=16"
        ]
    );
}

#[tokio::test]
async fn no_call_is_shared_by_two_credentials() {
    let (engine, gated) = gated(|_| ()).await;
    let tokens = ["Bearer a", "Bearer b"];
    let clients: Vec<_> = (0..200_u32)
        .map(|client| {
            let token = tokens[(client % 2) as usize];
            start(&engine, &[client % 7 + 20], Some(token))
        })
        .collect();
    gated.open();

    for (client, answer) in (0_u32..).zip(join_all(clients).await) {
        assert_eq!(answer.unwrap(), names(&[client % 7 + 20]));
    }
    let requests = gated.requests();
    assert!(
        requests
            .iter()
            .all(|line| line.ends_with("Bearer a") || line.ends_with("Bearer b"))
    );
    for token in tokens {
        let own = requests.iter().filter(|line| line.ends_with(token));
        assert!((1..=10).contains(&own.count()), "{requests:?}");
    }
}

#[tokio::test]
async fn a_shared_call_continues_when_one_client_disconnects() {
    let (engine, gated) = gated(|_| ()).await;
    let first = start(&engine, &[1], None);
    gated.wait_for(1).await;
    let second = start(&engine, &[1, 2], None);
    let third = start(&engine, &[1, 2], None);
    gated.wait_for(2).await;

    first.abort();
    assert!(first.await.unwrap_err().is_cancelled());
    second.abort();
    assert!(second.await.unwrap_err().is_cancelled());
    gated.open();

    assert_eq!(third.await.unwrap(), names(&[1, 2]));
    assert_eq!(gated.requests(), ["GET /things?id=1", "GET /things?id=2"]);
}

#[tokio::test]
async fn a_cancelled_call_is_not_joined() {
    let (engine, gated) = gated(|_| ()).await;
    let first = start(&engine, &[1], None);
    gated.wait_for(1).await;
    first.abort();
    assert!(first.await.unwrap_err().is_cancelled());

    let second = start(&engine, &[1], None);
    gated.wait_for(2).await;
    gated.open();

    assert_eq!(second.await.unwrap(), names(&[1]));
}

#[tokio::test]
async fn a_failed_key_fails_only_the_clients_that_sent_it() {
    let (engine, gated) = gated(|_| ()).await;
    let first = start(&engine, &[1], None);
    gated.wait_for(1).await;
    let bad = start(&engine, &[13], None);
    let good = start(&engine, &[2], None);
    gated.wait_for(2).await;
    gated.open();

    assert_eq!(first.await.unwrap(), names(&[1]));
    assert_eq!(good.await.unwrap(), names(&[2]));
    let bad = bad.await.unwrap();
    assert_eq!(
        bad["errors"],
        json!(["ids.0.name: g:Thing[0]: answered 422 Unprocessable Entity"])
    );
    // A shared batch that is rejected is sent again, each client's part alone.
    assert!(gated.requests().len() <= 4, "{:?}", gated.requests());
}

#[tokio::test]
async fn a_field_whose_batch_is_rejected_uses_its_own_connector() {
    let (engine, gated) = gated(|_| ()).await;
    gated.open();

    let answers = execute_things(&engine, &[1, 13, 2]).await;

    let error = "thing: g:Query.thing[0]: answered 422 Unprocessable Entity";
    assert_eq!(answers[1]["errors"], json!([error]));
    assert_eq!([&answers[0], &answers[2]], [&thing(1), &thing(2)]);
    assert_eq!(
        gated.requests(),
        [
            "GET /thing?id=1",
            "GET /thing?id=13",
            "GET /thing?id=2",
            "GET /things?id=13,2",
        ]
    );
}

#[tokio::test]
async fn a_batch_that_fails_with_503_is_not_repeated_by_key() {
    let (engine, gated) = gated(|_| ()).await;
    gated.open();

    let answers = execute_things(&engine, &[1, 503, 2]).await;

    assert_eq!(answers[0], thing(1));
    for answer in &answers[1..] {
        let error = "thing: g:Query.thing[0]: answered 503 Service Unavailable";
        assert_eq!(answer["errors"], json!([error]));
    }
    assert_eq!(
        gated.requests(),
        ["GET /thing?id=1", "GET /things?id=503,2"]
    );
}

#[tokio::test]
async fn a_failed_part_of_a_batch_fails_its_own_keys_only() {
    let (engine, gated) = gated(|_| ()).await;
    gated.open();

    let answer = execute(
        &engine,
        "{ ids(of: [1, 2, 3, 4, 503, 6]) { name } }",
        json!({}),
    )
    .await;

    let things = &answer["data"]["ids"];
    assert_eq!(things[3]["name"], "thing 4", "{answer}");
    assert_eq!(things[5]["name"], Value::Null, "{answer}");
    assert_eq!(answer["errors"].as_array().unwrap().len(), 2, "{answer}");
}

#[tokio::test]
#[expect(clippy::disallowed_methods, reason = "ends with the test's runtime")]
async fn a_mutation_joins_no_call_and_no_later_read_joins_one_before_it() {
    let (engine, gated) = gated(|_| ()).await;
    let first = start(&engine, &[1], None);
    gated.wait_for(1).await;

    let own = Arc::clone(&engine);
    let mutation =
        tokio::spawn(async move { execute(&own, "mutation { touch { name } }", json!({})).await });
    // It does not join the call for the same key, which may have read older data.
    gated.wait_for(2).await;
    gated.gate.add_permits(2);
    assert_eq!(mutation.await.unwrap()["touch"][0]["name"], "thing 1");
    assert_eq!(first.await.unwrap(), names(&[1]));

    let late = start(&engine, &[1], None);
    gated.wait_for(3).await;
    let own = Arc::clone(&engine);
    let mutation =
        tokio::spawn(async move { execute(&own, "mutation { touch { id } }", json!({})).await });
    mutation.await.unwrap();
    // A call in flight from before the mutation is not joined.
    let after = start(&engine, &[1], None);
    gated.wait_for(4).await;
    gated.open();

    assert_eq!(late.await.unwrap(), names(&[1]));
    assert_eq!(after.await.unwrap(), names(&[1]));
}

#[tokio::test]
async fn equal_reads_of_concurrent_operations_are_one_call() {
    let (engine, gated) = gated(|_| ()).await;
    let clients = (0..50).map(|_| execute(&engine, "{ list { id } }", json!({})));
    let opened = async {
        gated.wait_for(1).await;
        gated.open();
        Value::Null
    };

    let (answers, _) = tokio::join!(join_all(clients), opened);

    assert!(
        answers
            .iter()
            .all(|it| *it == json!({ "list": [{ "id": "1" }] }))
    );
    assert_eq!(gated.requests(), ["GET /list"]);
}

#[tokio::test]
async fn equal_requests_to_a_subgraph_are_one_call() {
    const SDL: &str = r#"
        extend schema @link(url: "https://specs.apollo.dev/federation/v2.3", import: ["@key"])
        type Query { greeting: String }
        type Mutation { greet: String }
    "#;
    let (_, gated) = gated(|_| ()).await;
    let url = graphql(gated.clone()).await;
    let mut settings = settings();
    let service = SubgraphSettings {
        url: Some(url.parse().unwrap()),
        forwarded_headers: vec![header::AUTHORIZATION],
        ..SubgraphSettings::default()
    };
    settings.subgraphs.insert("s".to_owned(), service);
    let engine = Engine::new(graph(&[("s", SDL)]), settings).unwrap();
    gated.open();

    let with = |token: &'static str, query: &'static str| {
        let headers =
            HeaderMap::from_iter([(header::AUTHORIZATION, HeaderValue::from_static(token))]);
        execute_with(&engine, query, json!({}), headers)
    };
    let clients = (0..40).map(|client| {
        let token = if client % 2 == 0 { "a" } else { "b" };
        with(token, "{ greeting }")
    });
    let answers = join_all(clients).await;
    assert!(
        answers
            .iter()
            .all(|it| *it == json!({ "greeting": "hello" })),
        "{answers:?}"
    );
    assert_eq!(gated.requests(), ["POST / a", "POST / b"]);

    let mutations = (0..3).map(|_| with("a", "mutation { greet }"));
    join_all(mutations).await;
    assert_eq!(gated.requests().len(), 5);
}
