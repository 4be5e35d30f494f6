//! Cost of answering from a service's response, compared to parsing alone: 100 KB of objects with
//! twelve fields, five of them selected.
//!
//! `cargo bench -p resolvers`. Prints the minimum of many rounds, which alternate between the
//! variants, so that a busy machine slows all of them. `-- NAME 100` runs one variant a hundred
//! times and prints nothing: under `valgrind --tool=callgrind` the difference of two counts is the
//! cost of a run.

#![expect(
    clippy::expect_used,
    clippy::print_stdout,
    reason = "a benchmark fails by panicking, and its figures are its purpose"
)]
#![expect(
    clippy::disallowed_types,
    reason = "this measures real time, not a clock that tests may pause"
)]

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::hint::black_box;
use std::num::NonZeroUsize;
use std::time::{Duration, Instant};

use bytes::Bytes;
use resolvers::bench::BenchOperation;
use resolvers::settings::{Batching, CallLimits, Introspection, Limits, Reports, Settings};
use schema::json::{Json, Value};
use schema::link::{LinkOptions, link};
use schema::mapping::{Mapping, Vars, Version};
use schema::span::Document;
use schema::subgraph::Subgraph;
use serde::Deserialize;

/// The allocator of the binary.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// Number of rounds.
const ROUNDS: usize = 3_000;

fn main() {
    let bench = Bench::new();
    let mut args = std::env::args().skip(1).filter(|arg| arg != "--bench");
    match (args.next(), args.next()) {
        (Some(name), Some(times)) => {
            let times = times.parse().expect("the number of runs after the name");
            bench.repeat(&name, times);
        }
        _ => bench.compare(),
    }
}

type Variant = fn(&Bench) -> usize;

const VARIANTS: [(&str, Variant); 6] = [
    ("sonic-rs", sonic),
    ("sonic-rs-structs", sonic_structs),
    ("serde-json", serde),
    ("weir-parse", parse),
    ("weir-evaluate", evaluate),
    ("weir-answer", answer),
];

struct Bench {
    text: Bytes,
    mapping: Mapping,
    operation: BenchOperation,
    out: RefCell<Vec<u8>>,
}

impl Bench {
    fn new() -> Self {
        let text = Bytes::from(text());
        let mapping = "$.items { id name price stock updatedAt }";
        Self {
            out: Vec::with_capacity(text.len()).into(),
            text,
            mapping: Mapping::parse(mapping, Version::V0_3).expect("a mapping"),
            operation: operation("{ items { id name price stock updatedAt } }"),
        }
    }

    fn repeat(&self, name: &str, times: usize) {
        let (_, variant) = VARIANTS
            .iter()
            .find(|(known, _)| *known == name)
            .expect("a name of the table");
        for _ in 0..times {
            black_box(variant(self));
        }
    }

    fn compare(&self) {
        let answered = answer(self) - r#"{"items":}"#.len();
        assert_eq!(
            answered,
            evaluate(self),
            "both variants have the same result"
        );
        let mut least = [Duration::MAX; VARIANTS.len()];
        for _ in 0..ROUNDS {
            for ((_, variant), least) in VARIANTS.iter().zip(&mut least) {
                let start = Instant::now();
                black_box(variant(black_box(self)));
                *least = start.elapsed().min(*least);
            }
        }
        let parsing = least.first().copied().unwrap_or_default();
        println!("{} bytes in, {answered} out", self.text.len());
        for ((name, _), least) in VARIANTS.iter().zip(least) {
            let times = least.as_secs_f64() / parsing.as_secs_f64();
            println!("{name:18} {least:>10.1?} {times:>5.2} times the first");
        }
    }
}

fn sonic(bench: &Bench) -> usize {
    let value: sonic_rs::Value = sonic_rs::from_slice(&bench.text).expect("JSON");
    black_box(&value);
    1
}

fn sonic_structs(bench: &Bench) -> usize {
    let page: Page<'_> = sonic_rs::from_slice(&bench.text).expect("JSON");
    black_box(&page).items.len()
}

fn serde(bench: &Bench) -> usize {
    let value: serde_json::Value = serde_json::from_slice(&bench.text).expect("JSON");
    black_box(&value);
    1
}

fn parse(bench: &Bench) -> usize {
    let json = Json::parse(bench.text.clone()).expect("JSON");
    black_box(&json).root().len()
}

/// Parses, evaluates the mapping alone, and writes its value.
fn evaluate(bench: &Bench) -> usize {
    let json = Json::parse(bench.text.clone()).expect("JSON");
    let outcome = bench.mapping.eval(Value::from(&json), &Vars::new());
    let mut out = bench.out.borrow_mut();
    out.clear();
    outcome.value.expect("a list").write_json(&mut out);
    out.len()
}

/// Answers like an operation: parses, reads the selected fields, and writes the client's JSON.
fn answer(bench: &Bench) -> usize {
    let mut out = bench.out.borrow_mut();
    out.clear();
    assert!(bench.operation.write_data(bench.text.clone(), &mut out));
    out.len()
}

#[derive(Deserialize)]
struct Page<'a> {
    #[serde(borrow)]
    items: Vec<Item<'a>>,
}

/// The five selected fields; the seven others are skipped.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
#[expect(dead_code, reason = "the values are parsed and not used")]
struct Item<'a> {
    id: &'a str,
    name: &'a str,
    price: f64,
    stock: u32,
    updated_at: &'a str,
}

const SDL: &str = r#"
extend schema @link(url: "https://specs.apollo.dev/connect/v0.3", import: ["@connect"])
type Query {
  items: [Item!]! @connect(
    http: { GET: "http://127.0.0.1/items" }
    selection: """
    $.items {
      id sku name description price currency stock rating merchantId active createdAt updatedAt
    }
    """
  )
}
type Item {
  id: ID! sku: String! name: String! description: String price: Float! currency: String!
  stock: Int! rating: Float merchantId: ID! active: Boolean! createdAt: String! updatedAt: String!
}
"#;

fn operation(query: &str) -> BenchOperation {
    let subgraph = Subgraph {
        name: "items".into(),
        url: None,
        document: Document::new("items.graphql", SDL),
    };
    let options = LinkOptions {
        experimental_connect: false,
        ..LinkOptions::default()
    };
    let (graph, diagnostics) = link(&[subgraph], options);
    assert!(diagnostics.is_empty(), "{diagnostics:?}");
    BenchOperation::new(&graph.expect("a graph"), &settings(), query).expect("a plan")
}

fn settings() -> Settings {
    Settings {
        sources: BTreeMap::new(),
        subgraphs: BTreeMap::new(),
        local: BTreeMap::new(),
        limits: Limits {
            depth: 20,
            tokens: 1_000,
            fields: 1_000,
            selections: 1_000,
            aliases: 1_000,
            root_fields: 1_000,
            introspection_size: 1 << 20,
            response_size: 16 << 20,
            operation_memory: 128 << 20,
            source_body: 1 << 20,
            source_url: 1_000,
            source_headers: 32 << 10,
            errors: 100,
        },
        operation_timeout: Duration::from_secs(1),
        prepare_timeout: Duration::from_secs(30),
        source_timeout: Duration::from_secs(1),
        call_limits: CallLimits::default(),
        source_call_limit: None,
        batching: Batching::WithinOperation,
        caching: None,
        environment: BTreeMap::new(),
        reports: Reports::Hide,
        operation_cache_size: 64 << 20,
        prepared_operations: NonZeroUsize::MIN,
        overrides: BTreeMap::new(),
        introspection: Introspection::Refuse,
    }
}

fn text() -> String {
    let mut text = String::from("{\"items\":[");
    for id in 0.. {
        if text.len() >= 100_000 {
            break;
        }
        let comma = if id == 0 { "" } else { "," };
        let _ = write!(
            text,
            r#"{comma}{{"id":"p-{id}","sku":"WEIR-{:05}","name":"Kettle number {id}","description":"Boils {id} litres of water, quietly and without a whistle.","price":{}.{:02},"currency":"EUR","stock":{},"rating":4.{},"merchantId":"u-{}","active":{},"createdAt":"2026-01-31T09:30:00Z","updatedAt":"2026-02-{:02}T10:00:00Z"}}"#,
            id * 7,
            id % 90 + 10,
            id % 100,
            id % 40,
            id % 10,
            id % 25,
            id % 3 != 0,
            id % 28 + 1,
        );
    }
    text + "]}"
}
