//! Timeouts of waiters, and bounds of the loader.

use std::collections::BTreeMap;
use std::num::NonZeroUsize;

use http::{HeaderMap, HeaderValue, Method};
use schema::link::{LinkOptions, link};
use schema::source::SourceId;
use schema::span::Document;
use schema::subgraph::Subgraph;
use tokio::time::{Instant, sleep};

use super::groups::{BatchSpec, RequestedKeys};
use super::shared_call::SharedCall;
use super::*;
use crate::settings::{Batching, CallLimits, Introspection, Limits, Reports, Settings};
use crate::source_client::request::Request;

type Answer = &'static str;

#[tokio::test(start_paused = true)]
async fn a_waiter_that_times_out_leaves_the_others_their_timeout() {
    let second = Duration::from_secs(1);
    let call = async move {
        sleep(second * 5 / 4).await;
        "done"
    };
    let first: CallWaiter<Answer> = SharedCall::start(call, || "panicked", Arc::default());
    let shared_call = Arc::clone(first.shared_call());
    let follower = shared_call.join().unwrap();
    let later = async {
        sleep(second / 2).await;
        wait(follower, second).await
    };
    let start = Instant::now();

    let (first, later) = tokio::join!(wait(first, second), later);

    assert!(matches!(first, Err(FetchError::Timeout(time)) if time == second));
    assert_eq!(later.unwrap(), "done");
    assert_eq!(start.elapsed(), second * 5 / 4);
    assert!(
        shared_call.join().is_none(),
        "a call that took too long was joined"
    );
}

const SDL: &str = r#"
extend schema
  @link(url: "https://specs.apollo.dev/federation/v2.12", import: ["@key"])
  @link(url: "https://specs.apollo.dev/connect/v0.3", import: ["@source", "@connect"])
  @source(name: "api", http: { baseURL: "http://127.0.0.1:1" })
type Query { ids: [Thing] @connect(source: "api", http: { GET: "/ids" }, selection: "id") }
type Thing
  @connect(
    source: "api"
    http: {
      GET: "/things"
      queryParams: "id: $batch.id"
      headers: [{ name: "authorization", from: "authorization" }]
    }
    selection: "id name"
  ) {
  id: ID!
  name: String
}
"#;

fn loader() -> Arc<Loader> {
    let subgraph = Subgraph {
        name: "g".into(),
        url: None,
        document: Document::new("g.graphql", SDL),
    };
    let options = LinkOptions {
        experimental_connect: false,
        ..LinkOptions::default()
    };
    let (graph, problems) = link(&[subgraph], options);
    let graph = graph.unwrap_or_else(|| panic!("{problems:?}"));
    let settings = Settings {
        sources: BTreeMap::new(),
        subgraphs: BTreeMap::new(),
        local: BTreeMap::new(),
        limits: Limits {
            depth: 20,
            tokens: 10_000,
            fields: 5_000,
            selections: 5_000,
            aliases: 5_000,
            root_fields: 5_000,
            introspection_size: 1 << 20,
            response_size: 16 << 20,
            operation_memory: 128 << 20,
            source_body: 1 << 20,
            source_url: 8_000,
            source_headers: 32 << 10,
            errors: 100,
        },
        operation_timeout: Duration::from_secs(10),
        prepare_timeout: Duration::from_secs(30),
        source_timeout: Duration::from_secs(5),
        call_limits: CallLimits::default(),
        source_call_limit: None,
        batching: Batching::AcrossOperations,
        caching: None,
        environment: BTreeMap::new(),
        reports: Reports::Hide,
        operation_cache_size: 64 << 20,
        prepared_operations: NonZeroUsize::MIN,
        overrides: BTreeMap::new(),
        introspection: Introspection::Allow,
    };
    let sources = Sources::new(Arc::new(graph), &settings).unwrap();
    Arc::new(Loader::new(Arc::new(sources)))
}

fn entry_count<T>(shards: &Shards<T>) -> usize {
    shards.iter().map(|shard| lock(shard).len()).sum()
}

#[test]
fn different_calls_are_bounded_and_removed_when_they_end() {
    let loader = loader();
    let waiters: Vec<_> = (0..1_000)
        .map(|number| {
            let request = Request {
                method: Method::GET,
                url: format!("http://127.0.0.1:1/{number}").parse().unwrap(),
                headers: HeaderMap::new(),
                body: None,
                is_idempotent: true,
                memory: None,
                gate: None,
                clock: None,
            };
            loader.join_or_start(identity::request_identity(&request), request)
        })
        .collect();

    assert!((1..=SHARDS * MAX_PER_SHARD).contains(&entry_count(&loader.calls)));
    drop(waiters);
    assert_eq!(entry_count(&loader.calls), 0);
}

#[test]
fn different_groups_are_bounded_and_removed_when_they_end() {
    let loader = loader();
    let is_batch = |id: &SourceId| {
        let connector = loader.sources.connector(*id);
        connector.is_some_and(|(_, ready)| ready.key_mapping.is_some())
    };
    let mut sources = loader.sources.graph.sources().map(|(id, _)| id);
    let source = sources.find(is_batch).unwrap();
    let (_, ready) = loader.sources.connector(source).unwrap();

    let loads: Vec<_> = (0..1_000)
        .map(|number| {
            let token = HeaderValue::from_str(&number.to_string()).unwrap();
            let headers = HeaderMap::from_iter([(http::header::AUTHORIZATION, token)]);
            let keys = RequestedKeys {
                identities: vec![b"1\0", b"2\0"],
                write_object: &|_, _| (),
            };
            loader.load(BatchSpec::new(source, ready, &headers, None), number, &keys)
        })
        .collect();

    let accepted = loads.iter().flatten().count();
    assert!(
        (1..=SHARDS * MAX_PER_SHARD).contains(&accepted),
        "{accepted}"
    );
    assert_eq!(entry_count(&loader.groups), accepted);
    assert_eq!(loader.key_count.load(Ordering::Relaxed), 2 * accepted);
    drop(loads);
    assert_eq!(entry_count(&loader.groups), 0);
    assert_eq!(loader.key_count.load(Ordering::Relaxed), 0);
}
