//! GraphQL over HTTP, for any schema.

use async_graphql::{Context, EmptyMutation, EmptySubscription, Object, Schema};
use mocks::{Fault, Service, Shop};
use reqwest::header::HeaderMap;
use reqwest::{Method, Url};
use serde_json::{Value, json};

use crate::client::{client, get, post, request, send, with_json};

#[tokio::test]
async fn any_schema_can_be_served_with_counters_and_faults() {
    let service = echo().await;
    assert_eq!(service.name(), "echo");
    let body = json!({ "query": "{ header(name: \"x-tenant\") }" });
    let call = with_json(request(&service, Method::POST, "/graphql"), &body);
    let answer = send(call.header("x-tenant", "a")).await.expect(200);
    assert_eq!(answer, json!({ "data": { "header": "a" } }));
    service.fault(Some(Fault::Status(502)));
    post(&service, "/graphql", &body).await.expect(502);
    assert_eq!(service.calls_to("POST /graphql"), 2);
    assert_eq!(service.calls_to("GET /graphql"), 0);
}

#[tokio::test]
async fn services_of_one_process_are_independent() {
    let (one, other) = (echo().await, echo().await);
    assert_ne!(one.url(), other.url());
    post(&one, "/graphql", &json!({ "query": "{ __typename }" })).await;
    assert_eq!((one.calls(), other.calls()), (1, 0));
}

#[tokio::test]
async fn get_allows_queries_but_no_mutations() {
    let shop = Shop::start().await.unwrap();
    let send_get = async |parameters: &[(&str, &str)]| {
        let mut url = Url::parse(shop.reviews.url()).unwrap();
        url.set_path("/graphql");
        url.query_pairs_mut().extend_pairs(parameters);
        send(client().get(url)).await
    };
    let query = "query One($id: ID!) { review(id: $id) { id } } query Two { __typename }";
    let reply = send_get(&[
        ("query", query),
        ("operationName", "One"),
        ("variables", r#"{"id":"5"}"#),
    ])
    .await;
    assert_eq!(
        reply.expect(200)["data"],
        json!({ "review": { "id": "5" } })
    );
    assert_eq!(reply.header("cache-control"), "public, max-age=60");

    let write = "mutation { addReview(input: { productId: 1, userId: 60, rating: 1, title: \"t\", body: \"b\" }) { id } }";
    let reply = send_get(&[("query", write)]).await;
    reply.expect(405);
    assert_eq!(reply.header("allow"), "POST");
    let both = format!("{write} query Q {{ __typename }}").replacen("mutation", "mutation M", 1);
    send_get(&[("query", &both), ("operationName", "M")])
        .await
        .expect(405);
    send_get(&[("query", &both), ("operationName", "Q")])
        .await
        .expect(200);
    send_get(&[("query", &both)]).await.expect(405);
    send_get(&[("variables", "{}")]).await.expect(400);
    send_get(&[("query", "{ __typename }"), ("variables", "[")])
        .await
        .expect(400);
    shop.stop().await;
}

#[tokio::test]
async fn invalid_requests_are_rejected_before_execution() {
    let service = echo().await;
    for (body, status) in [
        ("", 400),
        ("{", 400),
        ("[]", 422),
        ("{}", 422),
        (r#"{"query":1}"#, 422),
        (r#"{"query":"{ __typename }","variables":[]}"#, 422),
        (r#"{"query":"{ __typename }","other":1}"#, 422),
        (
            r#"{"query":"{ __typename }","variables":null,"operationName":null,"extensions":null}"#,
            200,
        ),
    ] {
        let call = request(&service, Method::POST, "/graphql");
        let call = call.header("content-type", "application/json").body(body);
        assert_eq!(send(call).await.status, status, "{body}");
    }
    let call = request(&service, Method::POST, "/graphql").body("{ __typename }");
    assert_eq!(send(call).await.status, 415);
    assert_eq!(
        send(request(&service, Method::PUT, "/graphql"))
            .await
            .header("allow"),
        "POST, GET, HEAD"
    );
}

#[tokio::test]
async fn the_graphql_media_type_has_status_400_for_request_errors() {
    let service = echo().await;
    for (query, accept, status) in [
        ("{ unknown }", GRAPHQL_RESPONSE, 400),
        ("{ broken", GRAPHQL_RESPONSE, 400),
        ("{ fails }", GRAPHQL_RESPONSE, 200),
        ("{ __typename }", GRAPHQL_RESPONSE, 200),
        ("{ unknown }", "application/json", 200),
        ("{ unknown }", "*/*", 200),
    ] {
        let call = with_json(
            request(&service, Method::POST, "/graphql"),
            &json!({ "query": query }),
        );
        let reply = send(call.header("accept", accept)).await;
        assert_eq!(reply.status, status, "{query} {accept}");
        let media_type = if accept == GRAPHQL_RESPONSE {
            accept
        } else {
            "application/json"
        };
        assert_eq!(reply.header("content-type"), media_type);
    }
}

#[tokio::test]
async fn the_contract_names_the_routes() {
    let service = echo().await;
    let reply = get(&service, "/openapi.yaml").await;
    let contract: Value =
        serde_saphyr::from_str(std::str::from_utf8(&reply.body).unwrap()).unwrap();
    let operations = contract["paths"]["/graphql"].as_object().unwrap();
    let documented = operations
        .keys()
        .map(|method| format!("{} /graphql", method.to_uppercase()));
    assert_eq!(
        documented.collect::<std::collections::BTreeSet<_>>(),
        service.routes().map(str::to_owned).collect()
    );
}

async fn echo() -> Service {
    let schema = Schema::new(Echo, EmptyMutation, EmptySubscription);
    mocks::graphql("echo", schema).await.unwrap()
}

/// Returns headers of the request.
struct Echo;

#[Object]
impl Echo {
    async fn header(&self, ctx: &Context<'_>, name: String) -> Option<String> {
        let headers = ctx.data::<HeaderMap>().unwrap();
        let value = headers.get(name.as_str())?;
        value.to_str().ok().map(str::to_owned)
    }

    #[expect(
        clippy::unused_async,
        reason = "a resolver is async, whether it waits or not"
    )]
    async fn fails(&self) -> async_graphql::Result<i32> {
        Err("it does".into())
    }
}

const GRAPHQL_RESPONSE: &str = "application/graphql-response+json";
